//! The document for outside tools: the same contract, with nothing left to look up.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{ContractError, Errors, Example, Operation, Replies, Samples, Schema, reader::Node, role::Role};

/// The document with its samples inline, each `x-accepts` spelt out in plain JSON Schema and OpenAPI, and every status
/// that an operation can answer.
pub(super) fn document(
    root: &Node,
    samples: &Samples,
    operations: &[Operation],
) -> Result<Bytes, ContractError> {
    let mut value = rewrite(root, Role::Keywords, samples)?;
    for operation in operations {
        let method = operation.method.to_ascii_lowercase();
        if let Some(responses) = value["paths"][&operation.path][method]["responses"].as_object_mut() {
            for replies in &operation.replies {
                responses.entry(replies.status.to_string()).or_insert_with(|| response(replies));
            }
        }
    }
    Ok(Bytes::from(format!("{value:#}\n")))
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

fn rewrite(node: &Node, role: Role, samples: &Samples) -> Result<Value, ContractError> {
    match node.value {
        other if role == Role::Data => Ok(other.clone()),
        Value::Array(items) => {
            let mut out = Vec::with_capacity(items.len());
            for (index, value) in items.iter().enumerate() {
                let parameter = rewrite(&node.at(&index.to_string(), value), role, samples)?;
                let twins = twin_parameters(&parameter);
                out.push(parameter);
                out.extend(twins);
            }
            Ok(Value::Array(out))
        }
        Value::Object(members) => {
            let mut out = Map::new();
            for (key, value) in members {
                if role == Role::Example && key == "externalValue" {
                    out.insert("value".into(), samples.value(node)?);
                } else {
                    let child = node.at(key, value);
                    out.insert(key.clone(), rewrite(&child, role.of_member(key, value), samples)?);
                }
            }
            if role.has_keywords() {
                accept_spellings(&mut out);
            }
            Ok(Value::Object(out))
        }
        other => Ok(other.clone()),
    }
}

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
        let Some(test) = branch
            .get("if")
            .and_then(|test| test.pointer(&format!("/properties/{}", super::escape(&self.name))))
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
