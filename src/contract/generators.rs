//! The document for client generators: the same operations, said in the part of OpenAPI that generators understand.
//!
//! The published document is exact, and exactness makes poor clients: other spellings become members of their own,
//! conditions become types nobody can name. Here each thing has its usual name and its usual type, every object a
//! named schema, every list its items, and every refusal the one shape that the running profile gives it.
//! A client made from it sends what is valid; it cannot send everything that is.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{ContractError, LedgerEntry, reader::Node};

/// The document for generators, with refusals of the media type `refusals` only. Its samples are inline in `root`.
pub(super) fn document(root: &Node, ledger: &[LedgerEntry], refusals: &str) -> Result<Value, ContractError> {
    let mut writer = Writer { ledger, refusals, named: Map::new(), names: HashMap::new(), open: Vec::new() };
    let mut document = Map::new();
    for key in ["openapi", "info", "servers", "security"] {
        if let Some(value) = root.value.get(key) {
            document.insert(key.into(), without_notes(value));
        }
    }
    // It is about our own keywords, which are not here.
    if let Some(Value::Object(info)) = document.get_mut("info") {
        info.shift_remove("description");
    }
    let mut paths = Map::new();
    for (path, item) in root.need("paths")?.members()? {
        let mut operations = Map::new();
        for (method, node) in item.members()? {
            let value = if node.value.get("operationId").is_some() {
                writer.operation(&node)?
            } else {
                without_notes(node.value)
            };
            operations.insert(method.into(), value);
        }
        paths.insert(path.into(), operations.into());
    }
    document.insert("paths".into(), paths.into());
    let mut components = Map::new();
    components.insert("schemas".into(), writer.named.into());
    if let Some(schemes) = root.value.pointer("/components/securitySchemes") {
        components.insert("securitySchemes".into(), without_notes(schemes));
    }
    document.insert("components".into(), components.into());
    Ok(document.into())
}

struct Writer<'a> {
    ledger: &'a [LedgerEntry],
    refusals: &'a str,
    /// The schemas of `components`, as they are written.
    named: Map<String, Value>,
    /// The name of each of them, by what it says: equal objects share one.
    names: HashMap<String, String>,
    /// The references that are being followed.
    open: Vec<String>,
}

impl<'a> Writer<'a> {
    fn operation(&mut self, node: &Node<'a>) -> Result<Value, ContractError> {
        let id = capitalized(node.need("operationId")?.text()?);
        let mut out = Map::new();
        for (key, node) in node.members()? {
            let value = match key {
                "parameters" => self.parameters(&node, &id)?,
                "requestBody" => self.body(&node, &format!("{id}Request"), None)?,
                "responses" => self.responses(&node, &id)?,
                _ if is_note(key) => continue,
                _ => node.value.clone(),
            };
            out.insert(key.into(), value);
        }
        Ok(out.into())
    }

    fn parameters(&mut self, node: &Node<'a>, id: &str) -> Result<Value, ContractError> {
        let mut out: Vec<Value> = Vec::new();
        for item in node.items()? {
            let item = item.resolve()?;
            let name = format!("{id}{}", capitalized(item.need("name")?.text()?));
            let ledger = item.optional_texts("x-ledger")?;
            let mut parameter = Map::new();
            for (key, node) in item.members()? {
                let value = match key {
                    "schema" => {
                        let mut schema = self.schema(&node, &name)?;
                        // What concerns a parameter may stand beside its schema.
                        if let Some(values) = schema.get_mut("enum") {
                            *values = self.usual_values(values, &ledger);
                        }
                        schema
                    }
                    _ if is_note(key) => continue,
                    _ => node.value.clone(),
                };
                parameter.insert(key.into(), value);
            }
            out.push(parameter.into());
        }
        Ok(out.into())
    }

    fn responses(&mut self, node: &Node<'a>, id: &str) -> Result<Value, ContractError> {
        let mut out = Map::new();
        for (status, node) in node.members()? {
            let node = node.resolve()?;
            let is_refusal = status.parse::<u16>().is_ok_and(|status| status >= 400);
            let name = if is_refusal { "Refusal".to_owned() } else { format!("{id}Reply") };
            let response = self.body(&node, &name, is_refusal.then_some(self.refusals))?;
            // A status without content is one with which this profile never refuses.
            if !(is_refusal && response["content"].as_object().is_some_and(Map::is_empty)) {
                out.insert(status.into(), response);
            }
        }
        Ok(out.into())
    }

    /// The body of a request or of a reply, of the one media type `only` when it is given.
    fn body(&mut self, node: &Node<'a>, name: &str, only: Option<&str>) -> Result<Value, ContractError> {
        let mut out = Map::new();
        for (key, node) in node.members()? {
            if key != "content" {
                if !is_note(key) {
                    out.insert(key.into(), without_notes(node.value));
                }
                continue;
            }
            let mut content = Map::new();
            for (media_type, node) in
                node.members()?.filter(|(kind, _)| only.is_none_or(|only| only == *kind))
            {
                let mut media = Map::new();
                if let Some(schema) = node.get("schema") {
                    media.insert("schema".into(), self.schema(&schema, name)?);
                }
                if let Some(examples) = node.get("examples") {
                    media.insert("examples".into(), examples_of(&examples)?);
                }
                content.insert(media_type.into(), media.into());
            }
            out.insert(key.into(), content.into());
        }
        Ok(out.into())
    }

    /// A schema: a reference when it is an object with members, which has a name of its own then.
    fn schema(&mut self, node: &Node<'a>, name: &str) -> Result<Value, ContractError> {
        if let Some(reference) = node.get("$ref") {
            // What else stands beside a reference are notes.
            let pointer = reference.text()?.to_owned();
            if self.open.contains(&pointer) {
                // It contains itself; a client can do with less.
                return Ok(json!({}));
            }
            let target = node.resolve()?;
            let name = pointer.rsplit('/').next().unwrap_or(name).to_owned();
            self.open.push(pointer);
            let schema = self.schema(&target, &name);
            self.open.pop();
            return schema;
        }
        let Some(members) = node.value.as_object() else {
            // A boolean: anything is allowed, or nothing is, which no client has to know.
            return Ok(json!({}));
        };
        let mut out = Map::new();
        for (keyword, value) in members {
            let place = node.other(value);
            let value = match keyword.as_str() {
                "properties" => self.properties(&place, name, members.get("required"))?,
                "items" => self.schema(&place, &format!("{name}Item"))?,
                // Conditions, of which `items_of_branches` says what they say of items; and what generators take for a
                // type of its own, or stumble over.
                "allOf" | "anyOf" | "oneOf" | "if" | "then" | "else" | "not" | "contentMediaType" => continue,
                "enum" => self.usual_values(value, &node.optional_texts("x-ledger")?),
                _ if is_note(keyword) => continue,
                _ => value.clone(),
            };
            out.insert(keyword.clone(), value);
        }
        self.items_of_branches(node, name, &mut out)?;
        usual_type(&mut out);
        if !out.contains_key("properties") {
            return Ok(out.into());
        }
        let name = self.name(name, out.into());
        Ok(json!({"$ref": format!("#/components/schemas/{name}")}))
    }

    /// The listed values without those that are other spellings, which entries of the ledger accept.
    fn usual_values(&self, values: &Value, ids: &[String]) -> Value {
        let entries = || self.ledger.iter().filter(|entry| ids.contains(&entry.id));
        let is_spelling = |value: &Value| {
            value
                .as_str()
                .is_some_and(|text| entries().any(|entry| entry.accepts.iter().any(|other| other == text)))
        };
        let usual = values.as_array().into_iter().flatten().filter(|value| !is_spelling(value)).cloned();
        usual.collect()
    }

    fn properties(
        &mut self,
        node: &Node<'a>,
        parent: &str,
        required: Option<&Value>,
    ) -> Result<Value, ContractError> {
        let mut out = Map::new();
        for (name, node) in node.members()? {
            // Some generators take underscores away; of two names that are then the same, the first is enough.
            let is_taken = out.keys().any(|other: &String| bare(other) == bare(name));
            let is_required =
                required.and_then(Value::as_array).is_some_and(|names| names.contains(&json!(name)));
            if is_taken && !is_required {
                continue;
            }
            out.insert(name.into(), self.schema(&node, &format!("{parent}{}", capitalized(name)))?);
        }
        Ok(out.into())
    }

    /// A list whose items depend on another member holds items of any of those kinds.
    fn items_of_branches(
        &mut self,
        node: &Node<'a>,
        name: &str,
        out: &mut Map<String, Value>,
    ) -> Result<(), ContractError> {
        let Some(branches) = node.get("allOf") else {
            return Ok(());
        };
        let mut kinds: Map<String, Value> = Map::new();
        for branch in branches.items()? {
            let title = branch.value.get("title").and_then(Value::as_str).unwrap_or_default();
            let name = format!("{name}{}", capitalized(title));
            let Some(properties) = branch.get("then").and_then(|then| then.get("properties")) else {
                continue;
            };
            for (property, node) in properties.members()? {
                if let Some(items) = node.get("items") {
                    let item = self.schema(&items, &name)?;
                    let known = kinds.entry(property).or_insert_with(|| json!([]));
                    if let Some(known) = known.as_array_mut().filter(|known| !known.contains(&item)) {
                        known.push(item);
                    }
                }
            }
        }
        for (property, kinds) in kinds {
            let schema = out.get_mut("properties").and_then(|properties| properties.get_mut(&property));
            // `usual_type` has been here: what may also be a list is usually none.
            if let Some(list) = schema.filter(|schema| schema["type"] == "array") {
                list["items"] = json!({"anyOf": kinds});
            }
        }
        Ok(())
    }

    /// The name under which a schema stands in `components`: the one that it has already, or `wanted`, or with a number.
    fn name(&mut self, wanted: &str, schema: Value) -> String {
        let text = schema.to_string();
        if let Some(name) = self.names.get(&text) {
            return name.clone();
        }
        let mut name = wanted.to_owned();
        let mut number = 2;
        while self.named.contains_key(&name) {
            name = format!("{wanted}{number}");
            number += 1;
        }
        self.named.insert(name.clone(), schema);
        self.names.insert(text, name.clone());
        name
    }
}

/// The samples, without what is said about them for us.
fn examples_of(node: &Node) -> Result<Value, ContractError> {
    let mut out = Map::new();
    for (name, node) in node.members()? {
        let node = node.resolve()?;
        let mut example = Map::from_iter([("value".to_owned(), node.need("value")?.value.clone())]);
        for key in ["summary", "description"] {
            if let Some(text) = node.value.get(key) {
                example.insert(key.into(), text.clone());
            }
        }
        out.insert(name.into(), example.into());
    }
    Ok(out.into())
}

/// Of several types the first, which is what the pages show. (The Java that openapi-generator makes of a choice
/// between a text and a list does not compile.)
fn usual_type(schema: &mut Map<String, Value>) {
    if let Some(first) = schema.get("type").and_then(|types| types.get(0)).cloned() {
        schema.insert("type".into(), first);
    }
    if schema.get("type").is_some_and(|kind| kind == "array") {
        schema.entry("items").or_insert_with(|| json!({}));
    } else {
        schema.shift_remove("items");
    }
}

/// A part of the document that has no schemas, without our own keywords.
fn without_notes(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_notes).collect(),
        Value::Object(members) => members
            .iter()
            .filter(|(key, _)| !is_note(key))
            .map(|(key, value)| (key.clone(), without_notes(value)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn bare(name: &str) -> &str {
    name.trim_start_matches('_')
}

fn is_note(key: &str) -> bool {
    key.starts_with("x-")
}

/// A name as a part of a type's name: letters and digits, the first one in capitals.
fn capitalized(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut at_start = true;
    for character in name.chars() {
        if !character.is_ascii_alphanumeric() {
            at_start = true;
        } else if at_start {
            out.push(character.to_ascii_uppercase());
            at_start = false;
        } else {
            out.push(character);
        }
    }
    out
}
