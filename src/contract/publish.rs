//! The document for outside tools: the same contract, with nothing left to look up.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{
    ContractError, Errors, Example, LedgerEntry, Operation, Replies, Samples, Schema, generators,
    reader::Node, role::Role,
};
use crate::pointer::escape;

/// Whom a published document is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Audience {
    /// Validators, and whoever wants all of it: each `x-accepts` spelt out in plain JSON Schema and OpenAPI.
    Exact,
    /// Generators of clients: usual names and types, named schemas, and refusals in this wording only.
    Generators(Errors),
}

/// The document for each audience, as JSON.
#[derive(Debug)]
pub(super) struct Published([Bytes; 3]);

impl Audience {
    pub(super) const ALL: [Self; 3] =
        [Self::Exact, Self::Generators(Errors::Rfc), Self::Generators(Errors::Vendor)];

    /// Its position among all.
    pub(super) fn index(self) -> usize {
        Self::ALL.iter().position(|other| *other == self).unwrap_or_default()
    }
}

impl Published {
    pub(super) fn new(
        document: &Value,
        operations: &[Operation],
        ledger: &[LedgerEntry],
        samples: &Samples,
    ) -> Result<Self, ContractError> {
        let mut whole = inline(&Node::root(document), Role::Keywords, samples)?;
        add_server(&mut whole);
        add_statuses(&mut whole, operations);
        let mut texts = [Bytes::new(), Bytes::new(), Bytes::new()];
        for (text, audience) in texts.iter_mut().zip(Audience::ALL) {
            let value = match audience {
                Audience::Exact => spell_out(&whole, Role::Keywords),
                Audience::Generators(errors) => {
                    generators::document(&Node::root(&whole), ledger, errors.media())?
                }
            };
            *text = Bytes::from(format!("{value:#}\n"));
        }
        Ok(Self(texts))
    }

    pub(super) fn text(&self, audience: Audience) -> &Bytes {
        &self.0[audience.index()]
    }
}

/// The server that comes first is the one that the document is asked from; a client that is generated from it and
/// told nothing else sends nothing to the vendor.
fn add_server(document: &mut Value) {
    let own = json!({"url": OWN_SERVER, "description": "Where this document comes from."});
    match document.get_mut("servers").and_then(Value::as_array_mut) {
        Some(servers) => servers.insert(0, own),
        None => document["servers"] = json!([own]),
    }
}

/// Every status that an operation can answer is among its responses.
fn add_statuses(document: &mut Value, operations: &[Operation]) {
    for operation in operations {
        let method = operation.method.to_ascii_lowercase();
        if let Some(responses) = document["paths"][&operation.path][method]["responses"].as_object_mut() {
            for replies in &operation.replies {
                responses.entry(replies.status.to_string()).or_insert_with(|| response(replies));
            }
        }
    }
}

/// The response that an operation shares with another.
fn response(replies: &Replies) -> Value {
    let mut content = Map::new();
    let mut media = |errors: Errors, schema: Option<&Schema>, examples: &[Example]| {
        if examples.is_empty() {
            return;
        }
        let examples: Map<_, _> =
            examples.iter().map(|example| (example.name.clone(), json!({"value": example.value}))).collect();
        let mut described = json!({"examples": examples});
        if let Some(schema) = schema {
            described["schema"] = schema.to_json(true);
        }
        content.insert(errors.media().into(), described);
    };
    media(Errors::Vendor, replies.schema.as_deref(), &replies.examples);
    media(Errors::Rfc, replies.problem_schema.as_deref(), &replies.problems);
    json!({"description": replies.description, "content": content})
}

/// A document whose own server is at `url`.
pub(super) fn at(text: &Bytes, url: &str) -> Bytes {
    let member = |url: &str| format!("\"url\": {}", Value::from(url));
    match std::str::from_utf8(text) {
        Ok(text) => text.replacen(&member(OWN_SERVER), &member(url), 1).into(),
        Err(_) => text.clone(),
    }
}

/// The same document with its samples in it.
fn inline(node: &Node, role: Role, samples: &Samples) -> Result<Value, ContractError> {
    match node.value {
        other if role == Role::Data => Ok(other.clone()),
        Value::Array(items) => items.iter().map(|value| inline(&node.other(value), role, samples)).collect(),
        Value::Object(members) => {
            let mut out = Map::new();
            for (key, value) in members {
                if role == Role::Example && key == "externalValue" {
                    out.insert("value".into(), samples.value(node)?);
                } else {
                    let child = node.other(value);
                    out.insert(key.clone(), inline(&child, role.of_member(key, value), samples)?);
                }
            }
            Ok(Value::Object(out))
        }
        other => Ok(other.clone()),
    }
}

/// The same document with each `x-accepts` in plain JSON Schema and OpenAPI.
fn spell_out(value: &Value, role: Role) -> Value {
    match value {
        other if role == Role::Data => other.clone(),
        Value::Array(items) => {
            let mut out = Vec::with_capacity(items.len());
            for value in items {
                let parameter = spell_out(value, role);
                let twins = twin_parameters(&parameter);
                out.push(parameter);
                out.extend(twins);
            }
            out.into()
        }
        Value::Object(members) => {
            let spelt = members
                .iter()
                .map(|(key, value)| (key.clone(), spell_out(value, role.of_member(key, value))));
            let mut out: Map<_, _> = spelt.collect();
            if role.has_keywords() {
                accept_spellings(&mut out);
            }
            out.into()
        }
        other => other.clone(),
    }
}

/// The root of wherever the document was read from, as a relative URL.
const OWN_SERVER: &str = "/";

/// A query parameter for each other spelling of one. OpenAPI cannot say "one of these two", so the canonical one stays required.
fn twin_parameters(parameter: &Value) -> Vec<Value> {
    let (Some(name), Some(spellings)) = (parameter.get("name"), parameter["x-accepts"].as_array()) else {
        return Vec::new();
    };
    spellings
        .iter()
        .map(|spelling| {
            let mut twin = parameter.clone();
            twin["name"] = spelling.clone();
            twin["required"] = false.into();
            twin["description"] = format!("Another spelling of {name}; standin accepts either.").into();
            if let Some(members) = twin.as_object_mut() {
                members.shift_remove("x-accepts");
            }
            twin
        })
        .collect()
}

/// Spells out the other names of an object's properties: one of the names must be there when the property is
/// required, and the first that is there (the canonical one before the others) must fit the property's schema.
fn accept_spellings(schema: &mut Map<String, Value>) {
    let Some(Value::Object(properties)) = schema.get("properties") else {
        return;
    };
    let renamed: Vec<Renamed> =
        properties.iter().filter_map(|(name, property)| Renamed::of(name, property)).collect();
    if renamed.is_empty() {
        return;
    }
    let mut all = match schema.shift_remove("allOf") {
        Some(Value::Array(branches)) => branches,
        _ => Vec::new(),
    };
    for branch in all.iter_mut().filter_map(Value::as_object_mut) {
        for property in &renamed {
            property.widen_condition(branch);
            property.widen_consequence(branch);
        }
    }
    for property in &renamed {
        let mut required = false;
        if let Some(Value::Array(names)) = schema.get_mut("required") {
            let before = names.len();
            names.retain(|name| *name != property.name);
            required = names.len() < before;
        }
        let mut choices = vec![json!({"required": [property.name]})];
        choices.extend(property.spellings.iter().map(|spelling| spelling.holding(&property.schema)));
        if !required {
            choices.push(json!({"properties": property.absent}));
        }
        all.push(json!({"anyOf": choices}));
    }
    schema.insert("allOf".into(), all.into());
}

/// A property that has other spellings.
struct Renamed {
    name: String,
    schema: Value,
    spellings: Vec<Spelling>,
    /// None of the names is there, as `properties`.
    absent: Map<String, Value>,
}

/// One of the other spellings.
struct Spelling {
    name: String,
    /// The names that count before this one are not there, as `properties`.
    earlier_absent: Map<String, Value>,
}

impl Renamed {
    fn of(name: &str, property: &Value) -> Option<Self> {
        let mut schema = property.clone();
        let names = schema.as_object_mut()?.shift_remove("x-accepts")?;
        let mut absent = Map::from_iter([(name.to_owned(), false.into())]);
        let mut spellings = Vec::new();
        for spelling in names.as_array()?.iter().filter_map(Value::as_str) {
            spellings.push(Spelling { name: spelling.to_owned(), earlier_absent: absent.clone() });
            absent.insert(spelling.to_owned(), false.into());
        }
        Some(Self { name: name.to_owned(), schema, spellings, absent })
    }

    /// A branch that asks for this property asks for the spelling that counts.
    fn widen_condition(&self, branch: &mut Map<String, Value>) {
        let Some(test) =
            branch.get("if").and_then(|test| test.pointer(&format!("/properties/{}", escape(&self.name))))
        else {
            return;
        };
        let choices: Vec<_> = self.spellings.iter().map(|spelling| spelling.holding(test)).collect();
        let mut any = vec![branch["if"].clone()];
        any.extend(choices);
        branch.insert("if".into(), json!({"anyOf": any}));
    }

    /// A branch that says something about this property says it about the spelling that counts.
    fn widen_consequence(&self, branch: &mut Map<String, Value>) {
        let Some(then) = branch.get_mut("then").and_then(Value::as_object_mut) else {
            return;
        };
        let Some(schema) = then.get("properties").and_then(|properties| properties.get(&self.name)).cloned()
        else {
            return;
        };
        let cases: Vec<_> = self
            .spellings
            .iter()
            .map(|spelling| json!({"if": spelling.holding(&true.into()), "then": spelling.holding(&schema)}))
            .collect();
        then.insert("allOf".into(), cases.into());
    }
}

impl Spelling {
    /// The schema of an object in which this spelling counts and its value fits `schema`.
    fn holding(&self, schema: &Value) -> Value {
        let mut properties = self.earlier_absent.clone();
        properties.insert(self.name.clone(), schema.clone());
        json!({"required": [self.name], "properties": properties})
    }
}
