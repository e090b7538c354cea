//! Operations, their parameters and their fields, for people.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::{
    super::{table::Table, wrap},
    WIDTH,
};
use crate::{Contract, Operation};

/// How wide a column of limits or sources becomes.
const CELL: usize = 52;

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

/// One operation with everything that a request to it may have.
pub(super) fn operation(contract: &Contract, operation: &Operation) -> String {
    let document = contract.document();
    let reader = Reader { document, page: "" };
    let Some(node) = reader.operation(&operation.id) else {
        return overview(contract);
    };
    let page = text_of(node, "x-source");
    let reader = Reader { document, page };

    let mut text = format!("{}: {} {}\n", operation.id, operation.method, operation.path);
    for paragraph in [text_of(node, "summary"), text_of(node, "description")] {
        for line in wrap::lines(paragraph, WIDTH) {
            let _ = writeln!(text, "{line}");
        }
    }
    if !page.is_empty() {
        let _ = writeln!(text, "Source: {page}");
    }
    let ledger = ledger_of(node);
    if !ledger.is_empty() {
        let _ = writeln!(text, "Ledger: {ledger} (see `standin contract ledger`)");
    }

    let mut parameters =
        Table::new(["name", "in", "type", "required", "limits", "ledger", "source"]).wrapped(CELL);
    for parameter in list(node, "parameters") {
        let parameter = reader.resolved(parameter);
        let [_, kind, _, limits, ledger, source] = reader.cells("", parameter, parameter);
        let required = parameter.get("required") == Some(&Value::Bool(true));
        let schema = reader.resolved(parameter.get("schema").unwrap_or(&Value::Null));
        let [_, schema_type, _, schema_limits, ..] = reader.cells("", schema, schema);
        parameters.row([
            text_of(parameter, "name").to_owned(),
            text_of(parameter, "in").to_owned(),
            joined([kind, schema_type]),
            yes(required),
            joined([schema_limits, limits]),
            ledger,
            source,
        ]);
    }
    if !parameters.is_empty() {
        let _ = write!(text, "\nParameters\n{}", parameters.render("  "));
    }

    let schema = node.pointer("/requestBody/content/application~1json/schema");
    if let Some(schema) = schema {
        let mut body = Body { tables: Vec::new() };
        body.begin("Body (application/json)");
        reader.fields(schema, 0, &mut body);
        for (heading, table) in &body.tables {
            let _ = write!(text, "\n{heading}\n{}", table.render("  "));
        }
    }
    text
}

/// The tables of a body: one for what it always has, and one for each branch.
struct Body {
    tables: Vec<(String, Table)>,
}

impl Body {
    fn begin(&mut self, heading: &str) {
        let table = Table::new(["field", "type", "required", "limits", "ledger", "source"]).wrapped(CELL);
        self.tables.push((heading.into(), table));
    }

    fn row(&mut self, cells: [String; 6]) {
        if let Some((_, table)) = self.tables.last_mut() {
            table.row(cells);
        }
    }
}

/// Reads the document on behalf of one page's operation.
struct Reader<'a> {
    document: &'a Value,
    page: &'a str,
}

impl<'a> Reader<'a> {
    fn operation(&self, id: &str) -> Option<&'a Value> {
        let paths = self.document.get("paths")?.as_object()?;
        paths
            .values()
            .filter_map(Value::as_object)
            .flat_map(Map::values)
            .find(|operation| operation.get("operationId").and_then(Value::as_str) == Some(id))
    }

    /// The node that a `$ref` points to, or the node itself.
    fn resolved(&self, node: &'a Value) -> &'a Value {
        node.get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| self.document.pointer(reference.strip_prefix('#')?))
            .unwrap_or(node)
    }

    /// A row for each property of an object or an array of objects, and for theirs.
    fn fields(&self, schema: &'a Value, depth: usize, body: &mut Body) {
        // The loader refuses recursion; this is for documents that have not been through it.
        if depth > 16 {
            return;
        }
        let mut schema = self.resolved(schema);
        while let Some(items) = schema.get("items") {
            schema = self.resolved(items);
        }
        let required: Vec<_> = list(schema, "required").filter_map(Value::as_str).collect();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let [_, kind, _, limits, ledger, source] = self.cells(name, property, self.resolved(property));
            let is_required = required.contains(&name.as_str());
            body.row(["  ".repeat(depth) + name, kind, yes(is_required), limits, ledger, source]);
            self.fields(property, depth + 1, body);
        }
        for branch in list(schema, "allOf") {
            if let Some((place, values)) = condition(branch) {
                body.begin(&format!("When {place} is {values}"));
                self.fields(&branch["then"], 0, body);
            }
        }
    }

    /// Name, type, required, limits, ledger and source; annotations beside a `$ref` come before those it points to.
    fn cells(&self, name: &str, node: &Value, target: &Value) -> [String; 6] {
        let mut ledger = ledger_of(node);
        if ledger.is_empty() {
            ledger = ledger_of(target);
        }
        [
            name.to_owned(),
            self.kind(target),
            String::new(),
            limits(node, target),
            ledger,
            self.source(node, target),
        ]
    }

    fn kind(&self, schema: &Value) -> String {
        let own = match schema.get("type") {
            Some(Value::String(name)) => name.clone(),
            Some(Value::Array(names)) => {
                let names: Vec<_> = names.iter().filter_map(Value::as_str).collect();
                names.join(" or ")
            }
            _ => String::new(),
        };
        match schema.get("items") {
            Some(items) => {
                // The items live in the same document, whose lifetime `resolved` asks for.
                let items = items
                    .get("$ref")
                    .and_then(Value::as_str)
                    .and_then(|reference| self.document.pointer(reference.strip_prefix('#')?))
                    .unwrap_or(items);
                let own = if own.is_empty() { "array" } else { &own };
                match self.kind(items) {
                    item if item.is_empty() => own.into(),
                    item => format!("{own} of {item}s"),
                }
            }
            None => own,
        }
    }

    /// Where it comes from, without the page when that is the operation's.
    fn source(&self, node: &Value, target: &Value) -> String {
        for node in [node, target] {
            let source = text_of(node, "x-source");
            if !source.is_empty() {
                let row = source.strip_prefix(self.page).and_then(|row| row.strip_prefix(" › "));
                return row.unwrap_or(source).to_owned();
            }
            let assumed = text_of(node, "x-assumed");
            if !assumed.is_empty() {
                return format!("assumed: {assumed}");
            }
        }
        String::new()
    }
}

/// What a value has to keep to, beside its type.
fn limits(node: &Value, target: &Value) -> String {
    let mut limits = Vec::new();
    if let Some(values) = target.get("enum").and_then(Value::as_array) {
        let values: Vec<_> = values
            .iter()
            .map(|value| value.as_str().map_or_else(|| value.to_string(), String::from))
            .collect();
        limits.push(format!("one of {}", values.join(", ")));
    }
    if target.get("pattern").is_some() {
        let noun = text_of(target, "title");
        limits.push(if noun.is_empty() {
            format!("matches {}", text_of(target, "pattern"))
        } else {
            noun.to_owned()
        });
    }
    for (keyword, words) in [
        ("minLength", "at least {} characters"),
        ("maxLength", "at most {} characters"),
        ("minimum", "at least {}"),
        ("maximum", "at most {}"),
    ] {
        match target.get(keyword) {
            Some(Value::Number(one)) if keyword == "minLength" && one.as_u64() == Some(1) => {
                limits.push("not empty".into());
            }
            Some(bound) => limits.push(words.replace("{}", &bound.to_string())),
            None => {}
        }
    }
    let accepts: Vec<_> = list(node, "x-accepts").filter_map(Value::as_str).collect();
    if !accepts.is_empty() {
        limits.push(format!("also spelt {}", accepts.join(", ")));
    }
    limits.join("; ")
}

/// The place and the values of a branch's condition: a chain of single properties that ends in an `enum`.
fn condition(branch: &Value) -> Option<(String, String)> {
    let mut node = branch.get("if")?;
    let mut place = Vec::new();
    while let Some(properties) = node.get("properties").and_then(Value::as_object) {
        let (name, next) = properties.iter().next()?;
        place.push(name.as_str());
        node = next;
    }
    let values: Vec<_> = list(node, "enum").filter_map(Value::as_str).collect();
    Some((place.join("."), values.join(" or ")))
}

fn list<'a>(node: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    node.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text_of<'a>(node: &'a Value, name: &str) -> &'a str {
    node.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn ledger_of(node: &Value) -> String {
    let ids: Vec<_> = list(node, "x-ledger").filter_map(Value::as_str).collect();
    ids.join(" ")
}

fn yes(required: bool) -> String {
    if required { "yes" } else { "" }.into()
}

fn joined(parts: [String; 2]) -> String {
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("; ")
}
