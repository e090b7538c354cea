//! The proof of a label: the final bytes are read back, and every rule has a predicate of its own.
//!
//! Neither the stub's code nor a schema validator is used. [`faults`] looks at all steps at once, so that a request
//! with faults at two of them is found out.

use std::{borrow::Cow, fmt::Write as _};

use super::{
    json::{Json, Tree},
    plan::{Field, FieldId, Plan},
    token,
};
use crate::{
    Request, Rule,
    contract::{JsonType, Place, Segment, escape},
};

/// A rule that is broken, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Fault {
    pub(super) pointer: String,
    pub(super) rule: Rule,
}

/// Everything that a request breaks. With `verified`, the token's signature and time count too.
pub(super) fn faults(plan: &Plan, request: &Request, verified: bool) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Err(fault) = route(plan, request) {
        faults.push(fault);
    } else {
        let segments = request.path()[1..].split('/');
        for (segment, sent) in plan.segments.iter().zip(segments) {
            if let Segment::Parameter(name) = segment {
                parameter(plan, Place::Path, name, &[decode(sent, false)], &mut faults);
            }
        }
    }
    if let Some(tokens) = &plan.token {
        let values: Vec<_> = request.headers.all(&tokens.header).collect();
        let rule = match values.as_slice() {
            [] | [b""] => Some(Rule::Required),
            [value] => token::fault(value, tokens, verified, request.received.as_second()),
            _ => Some(Rule::Repeated),
        };
        if let Some(rule) = rule {
            faults.push(fault(format!("/header/{}", tokens.header), rule));
        }
    }
    for slot in plan.parameters.iter().filter(|slot| slot.place != Place::Path) {
        let values = sent(plan, request, slot.place, &slot.name);
        parameter(plan, slot.place, &slot.name, &values, &mut faults);
    }
    if let Some(root) = plan.body {
        body(plan, root, request, &mut faults);
    }
    faults
}

fn fault(pointer: impl Into<String>, rule: Rule) -> Fault {
    Fault { pointer: pointer.into(), rule }
}

/// Whether method and path lead to the plan's operation and to no other.
fn route(plan: &Plan, request: &Request) -> Result<(), Fault> {
    let path = request.path();
    let literals = |template: &[Segment]| {
        let sent: Vec<_> = path.strip_prefix('/')?.split('/').collect();
        if sent.len() != template.len()
            || sent.len() > 1
                && sent.last() == Some(&"")
                && matches!(template.last(), Some(Segment::Parameter(_)))
        {
            return None;
        }
        let mut literals = 0;
        for (segment, sent) in template.iter().zip(&sent) {
            match segment {
                Segment::Literal(text) if text == sent => literals += 1,
                Segment::Literal(_) => return None,
                Segment::Parameter(_) => {}
            }
        }
        Some(literals)
    };
    let own = literals(&plan.segments);
    let mut others =
        plan.routes.iter().filter_map(|(method, template)| Some((method, template, literals(template)?)));
    if others.any(|(method, template, count)| {
        *method == request.method
            && (*template != plan.segments || *method != plan.method)
            && own.is_none_or(|own| count >= own)
    }) {
        return Err(fault("another operation", Rule::Path));
    }
    let known = plan.routes.iter().any(|(_, template)| literals(template).is_some());
    match own {
        Some(_) if request.method == plan.method => Ok(()),
        _ if known => Err(fault("/method", Rule::Method)),
        _ => Err(fault("/path", Rule::Path)),
    }
}

pub(super) type Sent<'a> = Result<Cow<'a, str>, ()>;

/// The values that were sent for a parameter, under the spelling of its name that counts.
fn sent<'a>(plan: &Plan, request: &'a Request, place: Place, name: &str) -> Vec<Sent<'a>> {
    let slot = plan.parameters.iter().find(|slot| slot.place == place && slot.name == name);
    let spellings = slot.map_or(&[][..], |slot| &slot.accepts);
    let mut values = Vec::new();
    for name in std::iter::once(name).chain(spellings.iter().map(String::as_str)) {
        if place == Place::Header {
            let all = request.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            values
                .extend(all.map(|(_, value)| std::str::from_utf8(value).map(Cow::Borrowed).map_err(|_| ())));
        } else {
            for pair in request.query().unwrap_or_default().split('&') {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                if decode(key, true).is_ok_and(|key| key == name) {
                    values.push(decode(value, true));
                }
            }
        }
        if !values.is_empty() {
            break;
        }
    }
    values
}

/// Takes the escapes out of a part of the target.
pub(super) fn decode(text: &str, plus: bool) -> Sent<'_> {
    if !(text.contains('%') || plus && text.contains('+')) {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    if plus {
        bytes.iter_mut().filter(|byte| **byte == b'+').for_each(|byte| *byte = b' ');
    }
    for part in parts {
        let digits =
            part.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())).ok_or(())?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| ())?);
        bytes.extend(part[2..].bytes().map(|byte| if plus && byte == b'+' { b' ' } else { byte }));
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| ())
}

fn parameter(plan: &Plan, place: Place, name: &str, values: &[Sent], faults: &mut Vec<Fault>) {
    let Some(slot) = plan.parameters.iter().find(|slot| slot.place == place && slot.name == name) else {
        return;
    };
    let rule = match values {
        [] if slot.required => Some(Rule::Required),
        [] => None,
        [Ok(text)] => parameter_rule(&plan.fields[slot.field], text),
        [Err(())] => Some(Rule::Format),
        _ => Some(Rule::Repeated),
    };
    if let Some(rule) = rule {
        faults.push(fault(format!("/{}/{}", place.name(), escape(name)), rule));
    }
}

/// The rule that a parameter's text breaks. Where no string is allowed, the text stands for a number or a boolean.
pub(super) fn parameter_rule(field: &Field, text: &str) -> Option<Rule> {
    if field.allows(JsonType::String) {
        return text_rule(field, text);
    }
    match Tree::read(text.as_bytes()) {
        Ok(tree) if text.trim_ascii() == text && field.allows(tree.root().kind()) => {
            scalar_rule(field, tree.root())
        }
        _ => Some(Rule::Type),
    }
}

/// The first rule that a string breaks: listed values, form, length.
fn text_rule(field: &Field, text: &str) -> Option<Rule> {
    if !field.values.is_empty() && !field.values.iter().any(|value| value.as_str() == Some(text)) {
        return Some(Rule::Enum);
    }
    if field.patterns.iter().any(|pattern| !pattern.is_match(text)) {
        return Some(Rule::Format);
    }
    if field.min_length == 0 && field.max_length.is_none() {
        return None;
    }
    let length = text.chars().count();
    if length < field.min_length {
        return Some(Rule::MinLength);
    }
    field.max_length.is_some_and(|most| length > most).then_some(Rule::MaxLength)
}

/// The first rule that a value breaks by itself, its type being allowed.
pub(super) fn scalar_rule(field: &Field, value: Json) -> Option<Rule> {
    match value.kind() {
        JsonType::String => text_rule(field, &value.text()),
        JsonType::Integer | JsonType::Number => {
            let number = value.number();
            if !field.values.is_empty() && !field.values.iter().any(|value| value.as_f64() == Some(number)) {
                Some(Rule::Enum)
            } else if field.minimum.is_some_and(|least| number < least) {
                Some(Rule::Minimum)
            } else {
                field.maximum.is_some_and(|most| number > most).then_some(Rule::Maximum)
            }
        }
        _ if field.values.is_empty() => None,
        _ => {
            let same = |listed: &serde_json::Value| {
                serde_json::from_str(value.raw()).is_ok_and(|value: serde_json::Value| value == *listed)
            };
            (!field.values.iter().any(same)).then_some(Rule::Enum)
        }
    }
}

fn body(plan: &Plan, root: FieldId, request: &Request, faults: &mut Vec<Fault>) {
    if request.body.is_empty() && !plan.fields[root].required {
        return;
    }
    let media: Vec<_> = request.headers.all("content-type").collect();
    match media.as_slice() {
        [] => faults.push(fault("/header/Content-Type", Rule::Required)),
        [value] => {
            let name = value.split(|byte| *byte == b';').next().unwrap_or_default();
            if !name.trim_ascii().eq_ignore_ascii_case(b"application/json") {
                faults.push(fault("/header/Content-Type", Rule::MediaType));
            }
        }
        _ => faults.push(fault("/header/Content-Type", Rule::Repeated)),
    }
    match Tree::read(&request.body) {
        Err(rule) => faults.push(fault("/body", rule)),
        Ok(tree) => walk(plan, root, tree.root(), &At::Root, faults),
    }
}

/// Where a value stands; written out only when there is something to say.
enum At<'a> {
    Root,
    Name(&'a At<'a>, &'a str),
    Index(&'a At<'a>, usize),
}

impl At<'_> {
    fn pointer(&self) -> String {
        let (parent, segment): (_, &dyn std::fmt::Display) = match self {
            Self::Root => return "/body".into(),
            Self::Name(parent, name) => (parent, &escape(name)),
            Self::Index(parent, index) => (parent, index),
        };
        let mut pointer = parent.pointer();
        // Writing to a string does not fail.
        let _ = write!(pointer, "/{segment}");
        pointer
    }
}

fn walk(plan: &Plan, id: FieldId, value: Json, at: &At, faults: &mut Vec<Fault>) {
    let field = &plan.fields[id];
    let kind = value.kind();
    if !field.allows(kind) {
        faults.push(fault(at.pointer(), Rule::Type));
        return;
    }
    if let Some(rule) = scalar_rule(field, value) {
        faults.push(fault(at.pointer(), rule));
        return;
    }
    match kind {
        JsonType::Array => {
            if let Some(items) = field.items {
                for (index, item) in value.children().enumerate() {
                    walk(plan, items, item, &At::Index(at, index), faults);
                }
            }
        }
        JsonType::Object if !field.properties.is_empty() || !field.branches.is_empty() => {
            let members = plan.members(id, fork(plan, field, value));
            let found = assign(plan, members, value);
            for (member, found) in members.iter().zip(found) {
                let field = &plan.fields[*member];
                let at = At::Name(at, &field.name);
                match found {
                    Some(value) => walk(plan, *member, value, &at, faults),
                    None if field.required => faults.push(fault(at.pointer(), Rule::Required)),
                    None => {}
                }
            }
        }
        _ => {}
    }
}

/// The branch that applies to an object.
fn fork(plan: &Plan, field: &Field, value: Json) -> Option<usize> {
    if field.selector.is_empty() {
        return None;
    }
    let selected = field.selector.iter().try_fold(value, |value, member| find(plan, *member, value))?;
    let text = (selected.kind() == JsonType::String).then(|| selected.text())?;
    field.branches.iter().position(|fork| fork.values.iter().any(|value| *value == text))
}

/// The value of a member: under its canonical name, or else under the first other spelling that is there.
fn find<'t>(plan: &Plan, member: FieldId, object: Json<'t>) -> Option<Json<'t>> {
    let field = &plan.fields[member];
    object.member(&field.name).or_else(|| field.accepts.iter().find_map(|name| object.member(name)))
}

/// The values of all members. Mostly they stand in the order of the plan.
fn assign<'t>(plan: &Plan, members: &[FieldId], object: Json<'t>) -> Vec<Option<Json<'t>>> {
    let mut found = vec![None; members.len()];
    let mut guess = 0;
    for value in object.children() {
        let name = value.name();
        let position = (guess..members.len())
            .chain(0..guess)
            .find(|position| plan.fields[members[*position]].name == name);
        if let Some(position) = position {
            found[position] = Some(value);
            guess = position + 1;
        }
    }
    for (found, member) in found.iter_mut().zip(members) {
        if found.is_none() && !plan.fields[*member].accepts.is_empty() {
            *found = find(plan, *member, object);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Contract, payload::Credentials};

    fn plan(operation: &str) -> Plan {
        let parameter = |name: &str, place: &str, required: bool, schema: serde_json::Value| json!({"name": name, "in": place, "required": required, "schema": schema});
        let causes = [
            "credentials",
            "incomplete",
            "json",
            "mediaType",
            "method",
            "path",
            "size",
            "timeout",
            "token",
            "violations",
        ];
        let causes: serde_json::Map<_, _> =
            causes.iter().map(|cause| ((*cause).to_owned(), json!({"value": cause}))).collect();
        let refused = json!({"examples": causes});
        let replies = json!({
            "200": {"content": {"application/json": {"examples": {"done": {"value": {}}}}}},
            "400": {"content": {"application/json": refused, "application/problem+json": refused}},
        });
        let body = json!({
            "type": "object",
            "required": ["code"],
            "properties": {
                "code": {"type": "string", "pattern": "^[A-Z]{3}$", "x-accepts": ["Code", "c"]},
                "pin": {"type": "string", "minLength": 4, "maxLength": 6},
                "least": {"type": "string", "minLength": 2},
                "most": {"type": "string", "maxLength": 3},
                "count": {"type": "integer", "minimum": 1, "maximum": 1000},
                "share": {"type": "number", "minimum": -1.5, "maximum": 1.5},
                "level": {"type": ["integer", "null"], "enum": [1, 2, null]},
                "flag": {"type": "boolean", "enum": [true]},
                "kind": {"type": "string"},
                "parts": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
                "anything": {},
                "detail": {"type": "object"}
            },
            "allOf": [{
                "title": "gift",
                "if": {"properties": {"kind": {"enum": ["gift"]}}, "required": ["kind"]},
                "then": {"properties": {"detail": {
                    "type": "object", "required": ["to"], "properties": {"to": {"type": "string"}}
                }}}
            }]
        });
        let request_body =
            |required: bool| json!({"required": required, "content": {"application/json": {"schema": body}}});
        let document = json!({
            "openapi": "3.1.0",
            "info": {"title": "Shop", "version": "1"},
            "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "Key"}}},
            "paths": {
                "/shops/{shop}/orders/{number}": {"put": {
                    "operationId": "order",
                    "parameters": [
                        parameter("shop", "path", true, json!({"type": "string", "pattern": "^[a-z ]{2,8}$"})),
                        parameter("number", "path", true, json!({"type": "integer", "minimum": 1})),
                        parameter("page", "query", false, json!({"type": "integer", "minimum": 0, "maximum": 99})),
                        parameter("q", "query", false, json!({"type": "string", "enum": ["a b", "c"]})),
                        parameter("dry", "query", true, json!({"type": "boolean"})),
                        parameter("X-Ratio", "header", false, json!({"type": "number", "maximum": 0.5}))
                    ],
                    "requestBody": request_body(true),
                    "responses": replies
                }},
                "/shops/{shop}/orders/new": {"put": {
                    "operationId": "create",
                    "parameters": [parameter("shop", "path", true, json!({"type": "string"}))],
                    "requestBody": request_body(false),
                    "responses": replies
                }},
                "/shops/{shop}": {"get": {
                    "operationId": "look",
                    "parameters": [parameter("shop", "path", true, json!({"type": "string"}))],
                    "responses": replies
                }}
            }
        });
        let contract = Contract::from_document(document).unwrap();
        Plan::new(contract.operation(operation).unwrap(), &Credentials::default())
    }

    fn found(plan: &Plan, request: &Request) -> Vec<String> {
        faults(plan, request, false).iter().map(|fault| format!("{} {}", fault.pointer, fault.rule)).collect()
    }

    /// A request with a good token.
    fn request(plan: &Plan, method: &str, target: &str) -> Request {
        Request::new(method, target).header("key", &plan.token.as_ref().unwrap().valid[0])
    }

    #[test]
    fn every_fault_of_the_head_is_found_and_no_other() {
        let plan = plan("order");
        for (method, target, headers, wanted) in [
            ("PUT", "/shops/ab/orders/7?dry=true", &[][..], &[][..]),
            ("PUT", "/shops/a%20b/orders/7?dry=false&q=a+b", &[("X-Ratio", "0.5")], &[]),
            ("PUT", "/shops/ab/orders/7?dry=true&q=a%20b&other&&=x", &[], &[]),
            ("PUT", "/shops/a+b/orders/7?dry=true&q=a%2Bb", &[], &["/path/shop format", "/query/q enum"]),
            ("PUT", "/shops/ab/orders/0?dry=true", &[], &["/path/number minimum"]),
            ("PUT", "/shops/ab/orders/x?dry=true", &[], &["/path/number type"]),
            ("PUT", "/shops/ab/orders/%207?dry=true", &[], &["/path/number type"]),
            ("PUT", "/shops/ab/orders/7.5?dry=true", &[], &["/path/number type"]),
            ("PUT", "/shops/a/orders/7?dry=true", &[], &["/path/shop format"]),
            ("PUT", "/shops/ab%zz/orders/7?dry=true", &[], &["/path/shop format"]),
            ("PUT", "/shops/ab%/orders/7?dry=true", &[], &["/path/shop format"]),
            ("PUT", "/shops/ab%FF/orders/7?dry=true", &[], &["/path/shop format"]),
            ("PUT", "/shops/ab/orders/7?dry=%zz", &[], &["/query/dry format"]),
            ("PUT", "/shops/ab/orders/7", &[], &["/query/dry required"]),
            ("PUT", "/shops/ab/orders/7?Dry=true", &[], &["/query/dry required"]),
            ("PUT", "/shops/ab/orders/7?dry", &[], &["/query/dry type"]),
            ("PUT", "/shops/ab/orders/7?d%72y=true&dry=true", &[], &["/query/dry repeated"]),
            ("PUT", "/shops/ab/orders/7?dry=true&page=100", &[], &["/query/page maximum"]),
            ("PUT", "/shops/ab/orders/7?dry=true&page=99&page=1", &[], &["/query/page repeated"]),
            ("PUT", "/shops/ab/orders/7?dry=true&page=-1", &[], &["/query/page minimum"]),
            ("PUT", "/shops/ab/orders/7?dry=true", &[("X-Ratio", "0.6")], &["/header/X-Ratio maximum"]),
            ("PUT", "/shops/ab/orders/7?dry=true", &[("x-ratio", "a")], &["/header/X-Ratio type"]),
            (
                "PUT",
                "/shops/ab/orders/7?dry=true",
                &[("x-ratio", "0"), ("X-RATIO", "0")],
                &["/header/X-Ratio repeated"],
            ),
            ("PUT", "/shops/ab/orders/7?dry=true", &[("key", "a")], &["/header/key repeated"]),
            ("POST", "/shops/ab/orders/7?dry=true", &[], &["/method method"]),
            ("put", "/shops/ab/orders/7?dry=true", &[], &["/method method"]),
            ("PUT", "/shops/ab?dry=true", &[], &["/method method"]),
            ("PUT", "/shop/ab/orders/7?dry=true", &[], &["/path path"]),
            ("PUT", "/shops/ab/orders/?dry=true", &[], &["/path path"]),
            ("PUT", "/shops/ab/orders/7/?dry=true", &[], &["/path path"]),
            ("PUT", "shops/ab/orders/7?dry=true", &[], &["/path path"]),
            ("PUT", "/shops//orders/7?dry=true", &[], &["/path/shop format"]),
            ("PUT", "/shops/ab/orders/new?dry=true", &[], &["another operation path"]),
            ("GET", "/shops/ab?dry=true", &[], &["another operation path"]),
        ] {
            let mut request = request(&plan, method, target).body(r#"{"code":"ABC"}"#);
            request = request.header("content-type", "application/json");
            for (name, value) in headers {
                request = request.header(name, value);
            }
            assert_eq!(found(&plan, &request), wanted, "{method} {target} {headers:?}");
        }
    }

    #[test]
    fn every_fault_of_the_token_is_found() {
        let plan = plan("look");
        for (value, wanted) in [
            (None, &["/header/key required"][..]),
            (Some(""), &["/header/key required"]),
            (Some("a.b"), &["/header/key format"]),
        ] {
            let mut request = Request::new("GET", "/shops/ab");
            if let Some(value) = value {
                request = request.header("key", value);
            }
            assert_eq!(found(&plan, &request), wanted, "{value:?}");
        }
    }

    #[test]
    fn every_fault_of_the_body_is_found_and_no_other() {
        let plan = plan("order");
        for (body, wanted) in [
            (r#"{"code":"ABC"}"#, &[][..]),
            (r#"{"Code":"ABC"}"#, &[]),
            (r#"{"c":"ABC","code":"abc"}"#, &["/body/code format"]),
            (r#"{"c":"abc","Code":"ABC"}"#, &[]),
            (r#"{"pin":"1234"}"#, &["/body/code required"]),
            (r#"{"code":"ABC","code":"A"}"#, &["/body/code format"]),
            (r#"{"code":7}"#, &["/body/code type"]),
            (r#"{"code":null}"#, &["/body/code type"]),
            (r#"{"code":"ABC","pin":"123"}"#, &["/body/pin minLength"]),
            (r#"{"code":"ABC","pin":"1234567"}"#, &["/body/pin maxLength"]),
            (r#"{"code":"ABC","pin":"éééé","least":"éé","most":"ééé"}"#, &[]),
            (
                r#"{"code":"ABC","pin":"123456","least":"1","most":"1234"}"#,
                &["/body/least minLength", "/body/most maxLength"],
            ),
            (r#"{"code":"ABC","count":0,"share":-1.5}"#, &["/body/count minimum"]),
            (r#"{"code":"ABC","count":1.0,"share":1.5}"#, &[]),
            (r#"{"code":"ABC","count":1000,"share":1.6}"#, &["/body/share maximum"]),
            (r#"{"code":"ABC","count":1001,"share":-1.6}"#, &["/body/count maximum", "/body/share minimum"]),
            (r#"{"code":"ABC","count":1.5}"#, &["/body/count type"]),
            (r#"{"code":"ABC","level":2.0,"flag":true}"#, &[]),
            (r#"{"code":"ABC","level":null}"#, &[]),
            (r#"{"code":"ABC","level":3,"flag":false}"#, &["/body/level enum", "/body/flag enum"]),
            (r#"{"code":"ABC","parts":[[1],[2,"3"],4]}"#, &["/body/parts/1/1 type", "/body/parts/2 type"]),
            (r#"{"code":"ABC","anything":{"pin":1},"detail":{}}"#, &[]),
            (r#"{"code":"ABC","kind":"loan","detail":{}}"#, &[]),
            (r#"{"kind":"gift","code":"ABC","detail":{}}"#, &["/body/detail/to required"]),
            (r#"{"code":"ABC","detail":{"to":1},"kind":"gift"}"#, &["/body/detail/to type"]),
            (r#"{"code":"ABC","detail":{"to":"a"},"kind":"gift"}"#, &[]),
            (r#"{"code":"ABC","kind":["gift"],"detail":{}}"#, &["/body/kind type"]),
            ("[]", &["/body type"]),
            ("", &["/body required"]),
            ("{", &["/body json"]),
        ] {
            let request = request(&plan, "PUT", "/shops/ab/orders/7?dry=true").body(body);
            let request = request.header("content-type", "application/json");
            assert_eq!(found(&plan, &request), wanted, "{body}");
        }
    }

    #[test]
    fn every_fault_of_the_media_type_is_found() {
        let order = plan("order");
        for (values, wanted) in [
            (&["application/json"][..], &[][..]),
            (&["Application/JSON ;charset=utf-8"], &[]),
            (&[], &["/header/Content-Type required"]),
            (&["application/jsonp"], &["/header/Content-Type mediaType"]),
            (&["application/json", "application/json"], &["/header/Content-Type repeated"]),
        ] {
            let mut request = request(&order, "PUT", "/shops/ab/orders/7?dry=true").body(r#"{"code":"ABC"}"#);
            for value in values {
                request = request.header("content-type", value);
            }
            assert_eq!(found(&order, &request), wanted, "{values:?}");
        }
        let create = plan("create");
        let nothing = request(&create, "PUT", "/shops/ab/orders/new");
        assert_eq!(found(&create, &nothing), [""; 0], "a body that may be left out");
        assert_eq!(
            found(&create, &nothing.body("{}")),
            ["/header/Content-Type required", "/body/code required"]
        );
    }
}
