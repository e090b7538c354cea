//! Every row of every table of the documented pages: it is in the contract, and a request that breaks it is
//! refused for that and nothing else. The rows stand in `rows.txt`, transcribed from the pages.

mod stub_support;

use serde_json::{Value, json};
use standin::{
    Contract, Rule,
    contract::{Basis, Schema},
};
use stub_support::{Call, stub, violations};

/// How many rows the tables of each page have. The v2 page is there twice, as source and rendered, with the same rows.
const PAGES: [(&str, usize); 4] = [
    ("Create an agent", 32),
    ("Update a specific agent", 37),
    ("Import data by accountId and orgId (v1)", 10),
    ("Import data by accountId and orgId (v2)", 39),
];

/// One row of one table.
#[derive(Debug)]
struct Row {
    page: &'static str,
    section: &'static str,
    name: &'static str,
    /// The type column, in small letters.
    kind: String,
    operation: &'static str,
    pointer: &'static str,
    more: Vec<&'static str>,
}

impl Row {
    fn required(&self) -> bool {
        self.kind.contains("required")
    }

    fn says(&self, what: &str) -> bool {
        self.more.contains(&what)
    }

    /// How the contract names this row as a source: an operation, by its page.
    fn source(&self) -> String {
        match self.section {
            "-" if ["Method", "Endpoint", "API Scope"].contains(&self.name) => self.page.to_owned(),
            "-" => format!("{} › {}", self.page, self.name),
            section => format!("{} › {section} › {}", self.page, self.name),
        }
    }

    /// The JSON types that the row allows.
    fn types(&self) -> Vec<&'static str> {
        let kind = self.kind.split(',').next().unwrap_or_default();
        let mut types = match kind {
            "boolean" => vec!["boolean"],
            "email" | "string" => vec!["string"],
            "integer" => vec!["integer"],
            "number" => vec!["number", "integer"],
            "array" | "array of objects" => vec!["array"],
            "required" | "optional" if self.says("array of objects") => vec!["array"],
            other => panic!("what type is `{other}`? {self:?}"),
        };
        if self.says("or-number") {
            types.extend(["number", "integer"]);
        }
        if self.says("or-array") {
            types.push("array");
        }
        types
    }

    fn has_objects(&self) -> bool {
        self.kind.starts_with("array of objects") || self.says("array of objects")
    }
}

fn rows() -> Vec<Row> {
    let mut page = "";
    let mut rows = Vec::new();
    for line in include_str!("rows.txt").lines() {
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        if let Some(title) = line.strip_prefix("page ") {
            page = title;
            continue;
        }
        let cells: Vec<_> = line.split(" | ").collect();
        let [section, name, kind, operation, pointer, more @ ..] = cells.as_slice() else {
            panic!("a line with too few cells: {line}");
        };
        let more = more.iter().flat_map(|cell| cell.split(", ")).collect();
        rows.push(Row { page, section, name, kind: kind.to_lowercase(), operation, pointer, more });
    }
    rows
}

/// A change to the sample call, and what it must be refused for.
struct Break {
    what: String,
    request: standin::Request,
    pointer: String,
    rule: &'static str,
}

impl Break {
    fn new(what: impl Into<String>, call: &Call, pointer: &str, rule: &'static str) -> Self {
        Self::sent(what, call.request(), pointer, rule)
    }

    fn sent(
        what: impl Into<String>,
        request: standin::Request,
        pointer: impl Into<String>,
        rule: &'static str,
    ) -> Self {
        Self { what: what.into(), request, pointer: pointer.into(), rule }
    }
}

/// Every way to break a row.
fn breaks(row: &Row) -> Vec<Break> {
    let call = Call::sample(row.operation);
    match *row.pointer.split('/').collect::<Vec<_>>().as_slice() {
        _ if row.says("unchecked") => Vec::new(),
        ["", "method"] => method_breaks(&call),
        ["", "path"] => path_breaks(&call),
        ["", "path", _] => path_value_breaks(row, &call),
        ["", "query", name] => query_breaks(row, name, &call),
        ["", "header", "auth"] => auth_breaks(&call),
        ["", "header", "Content-Type"] => media_type_breaks(&call),
        ["", "header", name] => header_breaks(row, name, &call),
        ["", "body", ..] => body_breaks(row, &call),
        _ => panic!("where is {}?", row.pointer),
    }
}

fn method_breaks(call: &Call) -> Vec<Break> {
    let call_with = |method: &str| Call { method: method.into(), ..call.clone() };
    // Other operations have some of them.
    let methods = ["GET", "HEAD", "DELETE", "PATCH", "OPTIONS", "post", "BREW"].into_iter();
    let refused = methods.filter(|method| call_with(method).send().operation.is_none());
    refused.map(|method| Break::new(method, &call_with(method), "/method", "method")).collect()
}

fn path_breaks(call: &Call) -> Vec<Break> {
    let mut all = Vec::new();
    // The values of path parameters start with `st-` or `a-`; every other segment is the endpoint's own.
    for position in 0..call.path.len() {
        if call.path[position].starts_with("st-") || call.path[position].starts_with("a-") {
            continue;
        }
        for other in ["other", "", "AGENTASSIST"] {
            let mut broken = call.clone();
            other.clone_into(&mut broken.path[position]);
            all.push(Break::new(format!("segment {position} is `{other}`"), &broken, "/path", "path"));
        }
    }
    let mut longer = call.clone();
    longer.path.extend(["a".into(), "b".into()]);
    all.push(Break::new("two segments too many", &longer, "/path", "path"));
    let mut slash = call.clone();
    slash.path.push(String::new());
    all.push(Break::new("a slash at the end", &slash, "/path", "path"));
    all
}

fn path_value_breaks(row: &Row, call: &Call) -> Vec<Break> {
    let value = if row.pointer == "/path/agentId" { "a-1a36a7e" } else { "st-" };
    let value = call.path.iter().find(|segment| segment.starts_with(value)).expect("the parameter's value");
    let target = call.target();
    let to = |text: &str| call.request_to(target.replacen(value.as_str(), text, 1));
    let mut all: Vec<_> = ["%zz", "%4", "%", "%FF", "a%C3b"]
        .map(|text| Break::sent(text, to(text), row.pointer, "format"))
        .into();
    if row.says("not-empty") {
        all.push(Break::sent("empty", to(""), row.pointer, "minLength"));
    } else {
        all.push(Break::sent("empty, which is another path", to(""), "/path", "path"));
    }
    all
}

fn query_breaks(row: &Row, name: &str, call: &Call) -> Vec<Break> {
    let place = call.query.iter().position(|(other, _)| other == name).expect("the sample has it");
    let value = call.query[place].1.clone();
    let with = |text: Option<&str>| {
        let mut changed = call.clone();
        match text {
            Some(text) => text.clone_into(&mut changed.query[place].1),
            None => drop(changed.query.remove(place)),
        }
        changed
    };
    let mut all = vec![Break::new("missing", &with(None), row.pointer, "required")];
    let mut twice = call.clone();
    twice.query.push((name.into(), value.clone()));
    all.push(Break::new("twice", &twice, row.pointer, "repeated"));
    for text in ["%zz", "%4", "%FF"] {
        let target = call.target().replacen(&format!("{name}={value}"), &format!("{name}={text}"), 1);
        all.push(Break::sent(text, call.request_to(target), row.pointer, "format"));
    }
    if row.says("not-empty") {
        all.push(Break::new("empty", &with(Some("")), row.pointer, "minLength"));
    }
    if row.says("types") {
        for text in ["", "SkillGroups", "skillGroups ", "agents"] {
            all.push(Break::new(format!("type `{text}`"), &with(Some(text)), row.pointer, "enum"));
        }
    }
    all
}

fn header_breaks(row: &Row, name: &str, call: &Call) -> Vec<Break> {
    vec![
        Break::new("missing", &call.clone().no_header(name), row.pointer, "required"),
        Break::new("twice", &call.clone().more_header(name, "x"), row.pointer, "repeated"),
        Break::new("empty", &call.clone().header(name, ""), row.pointer, "minLength"),
        Break::new("not UTF-8", &call.clone().header(name, b"\xff"), row.pointer, "format"),
    ]
}

fn auth_breaks(call: &Call) -> Vec<Break> {
    let auth = "/header/auth";
    let with = |value: &str| call.clone().header("auth", value);
    vec![
        Break::new("missing", &call.clone().no_header("auth"), auth, "required"),
        Break::new("empty", &with(""), auth, "required"),
        Break::new("twice", &call.clone().more_header("auth", "a.b.c"), auth, "repeated"),
        Break::new("no JWT", &with("token"), auth, "format"),
        Break::new("two parts", &with("e30.e30"), auth, "format"),
        Break::new("Bearer", &with(&format!("Bearer {}", stub_support::TOKEN)), auth, "format"),
        Break::new("no appId", &with("e30.e30.e30"), auth, "token"),
        // {"appid":"cs-1"}
        Break::new("misspelt appId", &with("e30.eyJhcHBpZCI6ImNzLTEifQ.e30"), auth, "token"),
    ]
}

fn media_type_breaks(call: &Call) -> Vec<Break> {
    let name = "Content-Type";
    let pointer = "/header/Content-Type";
    let mut all: Vec<_> = ["", "text/plain", "application/jsonx", "application/json, text/plain", "json"]
        .map(|value| Break::new(value, &call.clone().header(name, value), pointer, "mediaType"))
        .into();
    all.push(Break::new("missing", &call.clone().no_header(name), pointer, "required"));
    all.push(Break::new("twice", &call.clone().more_header(name, "application/json"), pointer, "repeated"));
    all
}

fn body_breaks(row: &Row, call: &Call) -> Vec<Break> {
    let place = row.pointer.strip_prefix("/body").expect("a place in the body");
    let mut all = Vec::new();
    let mut set = |value: Value, pointer: &str, rule| {
        let what = format!("it is {}", value.to_string().chars().take(80).collect::<String>());
        all.push(Break::new(what, &call.clone().with(place, value), pointer, rule));
    };
    let types = row.types();
    let values = [
        ("null", json!(null)),
        ("boolean", json!(true)),
        ("integer", json!(7)),
        ("number", json!(1.5)),
        ("string", json!("text")),
        ("array", json!([])),
        ("object", json!({})),
    ];
    for (kind, value) in values {
        if !types.contains(&kind) {
            set(value, row.pointer, "type");
        }
    }
    let first = format!("{}/0", row.pointer);
    if row.has_objects() {
        for item in [json!(null), json!(5), json!("text"), json!([]), json!(true)] {
            set(json!([item]), &first, "type");
        }
    }
    if row.says("texts") {
        for item in [json!(null), json!(5), json!({}), json!([]), json!(true)] {
            set(json!([item]), &first, "type");
        }
        set(json!([""]), &first, "minLength");
    }
    if row.says("not-empty") {
        set(json!(""), row.pointer, "minLength");
    }
    if row.says("max=50") {
        set(json!("é".repeat(51)), row.pointer, "maxLength");
        set(json!("a".repeat(100_000)), row.pointer, "maxLength");
    }
    if row.says("levels") {
        for level in ["guru", "", "Expert", "expert "] {
            set(json!(level), row.pointer, "enum");
        }
    }
    if row.says("status") {
        for status in ["active", "", "DELETED"] {
            set(json!(status), row.pointer, "enum");
        }
    }
    if row.says("types") {
        for kind in ["agents", "", "SkillGroups", "waiting experience"] {
            set(json!(kind), row.pointer, "enum");
        }
    }
    if row.says("e-mail") {
        for address in ["", "foo", "@", "a@", "@b", "a b@c", "a@b@c"] {
            set(json!(address), row.pointer, "format");
        }
    }
    if row.says("no-space") {
        for id in [" ", "a b", " a", "a "] {
            set(json!(id), row.pointer, "format");
        }
    }
    if row.required() {
        all.push(Break::new("it is left out", &call.clone().without(place), row.pointer, "required"));
    }
    all
}

/// Values that the row allows.
fn keeps(row: &Row) -> Vec<Call> {
    let Some(place) = row.pointer.strip_prefix("/body").filter(|place| !place.is_empty()) else {
        return Vec::new();
    };
    let call = Call::sample(row.operation);
    let mut values = Vec::new();
    for kind in row.types() {
        match kind {
            "array" => values.push(json!([])),
            "boolean" => values.extend([json!(true), json!(false)]),
            "integer" => values.extend([json!(0), json!(-1), json!(5.0), json!(1e300)]),
            "number" => values.extend([json!(1.5), json!(-0.0)]),
            _ if row.says("levels") => {
                values.extend(["expert", "novice", "average", "good"].map(Value::from));
            }
            _ if row.says("status") => values.extend(["ACTIVE", "INACTIVE"].map(Value::from)),
            // Another type asks for other items, so the sample's own has to do.
            _ if row.says("types") => values.push(json!("skillGroups")),
            _ if row.says("e-mail") => values.extend(["a@b", "ä+b@c.example"].map(Value::from)),
            _ if row.says("max=50") => values.extend([json!(""), json!("é".repeat(50))]),
            _ if row.says("no-space") => {
                values.extend([json!(""), json!("a\tb"), json!("A..Zxyz09!'''()*+,-./:;<=>?@[]^_`{|}")]);
            }
            _ if row.says("not-empty") => values.extend([json!("1"), json!("ü".repeat(300))]),
            _ => values.extend([json!(""), json!("text"), json!("\u{0}\u{10ffff}")]),
        }
    }
    let mut calls: Vec<_> = values.into_iter().map(|value| call.clone().with(place, value)).collect();
    if !row.required() {
        let there = call.body.pointer(place).is_some();
        calls.push(if there { call.without(place) } else { call });
    }
    calls
}

#[test]
fn every_table_has_all_its_rows() {
    let rows = rows();
    for (page, count) in PAGES {
        let found = rows.iter().filter(|row| row.page == page).count();
        assert_eq!(found, count, "{page}");
    }
    assert_eq!(rows.len(), 118);
}

#[test]
fn every_row_is_named_as_a_source_in_the_contract() {
    fn sources<'a>(value: &'a Value, out: &mut Vec<&'a str>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| sources(item, out)),
            Value::Object(members) => {
                if let Some(source) = members.get("x-source").and_then(Value::as_str) {
                    out.extend(source.split("; "));
                }
                members.values().for_each(|value| sources(value, out));
            }
            _ => {}
        }
    }
    let contract = Contract::builtin();
    let mut named = Vec::new();
    sources(contract.document(), &mut named);
    let missing: Vec<_> =
        rows().iter().map(Row::source).filter(|source| !named.contains(&source.as_str())).collect();
    assert!(missing.is_empty(), "not in the contract: {missing:#?}");
}

#[test]
fn breaking_a_row_is_refused_there_and_only_there() {
    let mut count = 0;
    for row in rows() {
        let breaks = breaks(&row);
        assert!(row.says("unchecked") != (breaks.len() > 1), "too few breaks of {row:?}");
        for case in breaks {
            let exchange = stub().respond(case.request);
            let found = violations(&exchange);
            assert_eq!(found, [(case.pointer.as_str(), case.rule)], "{}: {}", row.source(), case.what);
            assert!(exchange.reply.status >= 400, "{}: {}", row.source(), case.what);
            let violation = &exchange.violations[0];
            assert!(!violation.source.is_empty(), "no source: {}: {}", row.source(), case.what);
            count += 1;
        }
    }
    assert!(count > 850, "only {count} cases");
}

#[test]
fn a_body_violation_names_the_row_that_it_breaks() {
    for row in rows().iter().filter(|row| row.pointer.starts_with("/body/")) {
        for case in breaks(row).into_iter().filter(|case| case.pointer == row.pointer) {
            let exchange = stub().respond(case.request);
            let source = &exchange.violations[0].source;
            let says = match case.rule {
                // No row says that an id is not empty, or how the types of an import are spelt.
                "minLength" => source.starts_with("assumed: "),
                "enum" if row.says("types") => source.starts_with("assumed: "),
                "enum" if row.says("status") => source == "Export Data by accountId and orgId (v2) › status",
                _ => source.starts_with(&row.source()),
            };
            assert!(says, "{} {}: {source}", row.source(), case.rule);
        }
    }
}

#[test]
fn a_queue_that_is_created_needs_what_its_own_page_requires() {
    let required = [
        "/name",
        "/hoursOfOperation",
        "/hoursOfOperation/id",
        "/agents/0/userId",
        "/agents/0/aId",
        "/agents/0/isPreferredAgent",
        "/skills/0/id",
        "/skills/0/isExpireEnabled",
    ];
    for place in required {
        let exchange = Call::sample("createQueue").without(place).send();
        assert_eq!(violations(&exchange), [(format!("/body{place}").as_str(), "required")]);
        let source = &exchange.violations[0].source;
        // It has no row of its own, only its members have.
        let start = if place == "/hoursOfOperation" { "assumed: " } else { "Create a queue › " };
        assert!(source.starts_with(start), "{place}: {source}");
    }
    let optional = [
        "/description",
        "/isActive",
        "/isDefault",
        "/orgId",
        "/isAdvancedRoutingEnabled",
        "/agents",
        "/agents/0/name",
        "/agents/0/id",
        "/skills",
        "/skills/0/name",
        "/skills/0/expireTime",
        "/skills/0/expireTime/min",
        "/agentGroups",
        "/advancedSettings",
        "/advancedSettings/preferredAgentTimeout",
        "/maxTimeout",
        "/maxTimeout/sec",
    ];
    for place in optional {
        assert_eq!(violations(&Call::sample("createQueue").without(place).send()), [], "{place}");
        let exchange = Call::sample("createQueue").with(place, Value::Null).send();
        assert_eq!(violations(&exchange), [(format!("/body{place}").as_str(), "type")]);
    }
}

#[test]
fn what_a_row_allows_is_accepted() {
    for row in rows() {
        for call in keeps(&row) {
            let exchange = call.send();
            assert_eq!(violations(&exchange), [], "{}: {}", row.source(), call.body);
            assert_eq!(exchange.reply.status, 200, "{}", row.source());
        }
    }
}

/// Every rule that a request can break, with where it stands and where it comes from.
fn enforced(contract: &Contract) -> Vec<(String, Rule, String)> {
    fn of(place: &str, schema: &Schema, required: bool, out: &mut Vec<(String, Rule, String)>) {
        let rules = [
            (Rule::Required, required),
            (Rule::Type, !schema.types.is_empty()),
            (Rule::Enum, !schema.values.is_empty()),
            (Rule::Format, schema.pattern.is_some()),
            (Rule::MinLength, schema.min_length.is_some()),
            (Rule::MaxLength, schema.max_length.is_some()),
            (Rule::Minimum, schema.minimum.is_some()),
            (Rule::Maximum, schema.maximum.is_some()),
        ];
        let rules = rules.into_iter().filter(|(_, is_there)| *is_there);
        out.extend(rules.map(|(rule, _)| (place.to_owned(), rule, schema.source_of(rule))));
        for property in &schema.properties {
            of(&format!("{place}/{}", property.name), &property.schema, property.required, out);
        }
        if let Some(items) = &schema.items {
            of(&format!("{place}/0"), items, false, out);
        }
        for branch in &schema.branches {
            of(&format!("{place} ({})", branch.title), &branch.then, false, out);
        }
    }
    let mut out = Vec::new();
    for operation in contract.operations() {
        for parameter in &operation.parameters {
            let place = format!("{} /{}/{}", operation.id, parameter.place.name(), parameter.name);
            of(&place, &parameter.schema, parameter.required, &mut out);
        }
        if let Some(body) = &operation.body {
            of(&format!("{} /body", operation.id), &body.schema, false, &mut out);
        }
    }
    out
}

#[test]
fn every_rule_that_is_enforced_comes_from_a_row_that_says_it_or_admits_that_none_does() {
    let contract = Contract::builtin();
    let rows = rows();
    let (mut counts, mut silent) = ([0; 3], Vec::new());
    for (place, rule, source) in enforced(&contract) {
        let at = format!("{place} {rule}: {source}");
        let basis = contract.basis(&source);
        counts[basis as usize] += 1;
        match basis {
            Basis::Assumed if !source.contains("assumed: ") => silent.push(at),
            Basis::Assumed | Basis::Vendor => {}
            Basis::Pages => {
                let says = source.split("; ").any(|place| {
                    let sample = place.contains(" › Sample Request") || place.contains(" › Sample Response");
                    let row = rows.iter().find(|row| row.source() == place);
                    // What nests in it are rows too.
                    let table = rows.iter().any(|row| row.source().starts_with(&format!("{place} › ")));
                    match rule {
                        Rule::Type => sample || table || row.is_some() || place.ends_with(" › Endpoint"),
                        Rule::Required => row.is_some_and(Row::required) || place.ends_with(" › Endpoint"),
                        Rule::Enum => row.is_some_and(|row| row.says("levels")),
                        Rule::Format => row.is_some_and(|row| row.says("e-mail") || row.says("no-space")),
                        Rule::MaxLength => row.is_some_and(|row| row.says("max=50")),
                        _ => false,
                    }
                });
                if !says {
                    silent.push(at);
                }
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
    assert!(counts.iter().all(|count| *count > 20), "pages, vendor, assumed: {counts:?}");
}
