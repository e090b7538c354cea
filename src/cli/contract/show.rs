//! Operations, their parameters, fields and replies, for people.

use std::fmt::Write;

use super::{
    super::{table::Table, wrap},
    list::List,
};
use crate::{
    Contract, Operation, Rule,
    contract::{Basis, Place, Property, Schema},
};

/// The operations, a line each.
pub(super) fn overview(contract: &Contract) -> String {
    let mut table = Table::new(["operation", "method", "path", "what it does"]);
    for operation in contract.operations() {
        table.row([
            operation.id.to_string(),
            operation.method.clone(),
            operation.path.clone(),
            operation.summary.clone(),
        ]);
    }
    table.render("")
}

/// One operation with everything that it takes and answers, in lines of at most `width` characters.
pub(super) fn operation(contract: &Contract, operation: &Operation, width: usize) -> String {
    let page = Page { contract, title: &operation.source };
    let mut text = format!("{}: {} {}\n", operation.id, operation.method, operation.path);
    let mut paragraphs = vec![operation.summary.clone(), operation.description.clone()];
    if !operation.source.is_empty() {
        let other = contract.basis(&operation.source) != Basis::Pages;
        let other = if other { ", which is not one of the pages that this contract is about" } else { "" };
        paragraphs.push(format!("Page: {}{other}", operation.source));
    }
    if !operation.ledger.is_empty() {
        let ids = operation.ledger.join(" ");
        paragraphs.push(format!("Ledger: {ids} (see `standin contract ledger`)"));
    }
    for line in paragraphs.iter().flat_map(|paragraph| wrap::lines(paragraph, width)) {
        let _ = writeln!(text, "{line}");
    }

    for place in [Place::Path, Place::Query, Place::Header] {
        let mut list = List::new();
        for parameter in operation.parameters_in(place) {
            let says = page.about(&parameter.schema, parameter.required, &parameter.accepts);
            list.entry(
                &parameter.name,
                parameter
                    .example
                    .as_ref()
                    .map_or_else(|| says.clone(), |example| format!("{says} Example: {example}.")),
            );
        }
        if place == Place::Header {
            page.headers(operation, &mut list);
        }
        let heading = match place {
            Place::Header => "Headers",
            Place::Path => "Path parameters",
            Place::Query => "Query parameters",
        };
        text += &list.render(heading, width);
    }
    if let Some(body) = &operation.body {
        let mut lists = vec![("Body (application/json)".to_owned(), List::new())];
        page.fields(&body.schema, 0, &mut lists);
        for (heading, list) in &lists {
            text += &list.render(heading, width);
        }
        let mut list = List::new();
        for example in &body.examples {
            list.entry(
                &example.name,
                page.example(&example.source, example.assumed.as_deref(), &example.ledger),
            );
        }
        text += &list.render("Sample bodies", width);
    }
    let mut list = List::new();
    for replies in &operation.replies {
        let names: Vec<_> = replies.examples.iter().map(|example| example.name.as_str()).collect();
        let names =
            if names.is_empty() { String::new() } else { format!(" Examples: {}.", names.join(", ")) };
        list.entry(&replies.status.to_string(), format!("{}{names}", replies.description));
    }
    text += &list.render("Replies; choose one with `Prefer: code=STATUS, example=NAME`", width);
    let success = &operation.replies[operation.success()];
    if let Some(schema) = &success.schema {
        let mut lists = vec![(format!("Fields of the reply {}", success.status), List::new())];
        page.fields(schema, 0, &mut lists);
        for (heading, list) in &lists {
            text += &list.render(heading, width);
        }
    }
    text.push('\n');
    let legend = "Where it comes from: `row` is on this operation's page, `page` is another of the pages that the \
                  contract is about, `vendor` is another page of the vendor or was observed, and `assumed` is on none.";
    for line in wrap::lines(legend, width) {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// What is shown stands on, or beside, this page of the contract.
struct Page<'a> {
    contract: &'a Contract,
    title: &'a str,
}

impl Page<'_> {
    /// The headers that every request has: the token and the media type.
    fn headers(&self, operation: &Operation, list: &mut List) {
        if let Some(header) = self.contract.token_header() {
            let source = crate::contract::origin::on_page(self.contract.token_source(), self.title);
            list.entry(
                header,
                format!("a JWT, required. `standin token` makes one. {}.", self.source(&source)),
            );
        }
        if let Some(body) = &operation.body {
            list.entry("Content-Type", format!("application/json, required. {}.", self.source(&body.source)));
        }
    }

    /// An entry for each property of an object or a list of objects, and for theirs; a list for each branch.
    fn fields(&self, schema: &Schema, depth: usize, lists: &mut Vec<(String, List)>) {
        for property in &schema.properties {
            self.field(property, depth, lists);
        }
        if let Some(items) = &schema.items {
            self.fields(items, depth, lists);
        }
        for branch in &schema.branches {
            let heading = format!("When {} is {}", branch.path.join("."), branch.values.join(" or "));
            lists.push((heading, List::new()));
            self.fields(&branch.then, 0, lists);
        }
    }

    fn field(&self, property: &Property, depth: usize, lists: &mut Vec<(String, List)>) {
        if let Some((_, list)) = lists.last_mut() {
            let name = "  ".repeat(depth) + &property.name;
            list.entry(&name, self.about(&property.schema, property.required, &property.accepts));
        }
        self.fields(&property.schema, depth + 1, lists);
    }

    /// What a schema asks for, what it is for, and where it comes from, as sentences.
    fn about(&self, schema: &Schema, required: bool, accepts: &[String]) -> String {
        let mut parts: Vec<String> = Some(kind(schema)).filter(|kind| !kind.is_empty()).into_iter().collect();
        let usual = schema.source_of(Rule::Type);
        // A rule that comes from elsewhere says so beside itself.
        let mark = |rule: Rule, words: String| {
            let source = schema.source_of(rule);
            if source == usual { words } else { format!("{words} ({})", self.source(&source)) }
        };
        if required {
            parts.push(mark(Rule::Required, "required".into()));
        }
        parts.extend(limits(schema).into_iter().map(|(rule, words)| mark(rule, words)));
        if !accepts.is_empty() {
            parts.push(format!("also spelt {}", accepts.join(", ")));
        }
        let mut text = parts.join("; ");
        text.push_str(if text.is_empty() { "" } else { ". " });
        if let Some(description) = &schema.description {
            text += description;
            text.push(' ');
        }
        if !usual.is_empty() {
            let _ = write!(text, "{}. ", self.source(&usual));
        }
        if !schema.ledger.is_empty() {
            let _ = write!(text, "Ledger: {}.", schema.ledger.join(" "));
        }
        text.trim_end().to_owned()
    }

    fn example(&self, source: &str, assumed: Option<&str>, ledger: &[String]) -> String {
        let origin = crate::contract::Origin { source: source.into(), assumed: assumed.map(Into::into) };
        let mut text = self.source(&origin.to_string());
        if !ledger.is_empty() {
            let _ = write!(text, ". Ledger: {}", ledger.join(" "));
        }
        text
    }

    /// A source with a word for its kind, without the page when that is this one.
    fn source(&self, source: &str) -> String {
        let (places, assumed) = crate::contract::origin::split(source);
        let mut parts: Vec<String> = crate::contract::origin::places(places)
            .map(|place| match place.strip_prefix(self.title).and_then(|row| row.strip_prefix(" › ")) {
                Some(row) if self.contract.basis(place) == Basis::Pages => format!("row: {row}"),
                _ if self.contract.basis(place) == Basis::Pages => format!("page: {place}"),
                _ => format!("vendor: {place}"),
            })
            .collect();
        parts.extend(assumed.map(|why| format!("assumed: {}", why.trim_end_matches('.'))));
        parts.join("; ")
    }
}

/// The types of a schema, with what the items of a list are.
fn kind(schema: &Schema) -> String {
    let names: Vec<_> = schema.types.iter().map(|kind| kind.name()).collect();
    let own = names.join(" or ");
    match schema.items.as_deref().map(kind).filter(|item| !item.is_empty()) {
        Some(item) if own.is_empty() => format!("array of {item}s"),
        Some(item) => format!("{own} of {item}s"),
        None => own,
    }
}

/// What a value has to keep to, beside its type.
fn limits(schema: &Schema) -> Vec<(Rule, String)> {
    let mut limits = Vec::new();
    if !schema.values.is_empty() {
        let values = schema.values.iter();
        let values: Vec<_> =
            values.map(|value| value.as_str().map_or_else(|| value.to_string(), String::from)).collect();
        limits.push((Rule::Enum, format!("one of {}", values.join(", "))));
    }
    if let Some(pattern) = &schema.pattern {
        let words = schema.title.clone().unwrap_or_else(|| format!("matches {pattern}"));
        limits.push((Rule::Format, words));
    }
    match schema.min_length {
        Some(1) => limits.push((Rule::MinLength, "not empty".into())),
        Some(least) => limits.push((Rule::MinLength, format!("at least {least} characters"))),
        None => {}
    }
    limits.extend(schema.max_length.map(|most| (Rule::MaxLength, format!("at most {most} characters"))));
    limits.extend(schema.minimum.as_ref().map(|least| (Rule::Minimum, format!("at least {least}"))));
    limits.extend(schema.maximum.as_ref().map(|most| (Rule::Maximum, format!("at most {most}"))));
    limits
}
