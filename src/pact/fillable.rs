//! What belongs to one account: values that whoever verifies can replace by those of a real one.
//!
//! Such a value has a name, the parameter's or the member's. The pact holds the sample's value twice: as the example,
//! and under that name among the parameters of a provider state, from where a `ProviderState` generator takes it.
//! A name has one value, so a place that holds another one under the same name stays as it is.

use serde_json::{Map, Value, json};

use super::rules::{child, schemas_of};
use crate::contract::{JsonType, Schema};

/// The values found in a request, and the generators that fill them in.
#[derive(Default)]
pub(super) struct Fillable {
    /// Each name's value.
    pub(super) params: Map<String, Value>,
    generators: Map<String, Value>,
}

impl Fillable {
    /// Names a value at a place of the request that has a key of its own, such as a header. Answers whether it
    /// is the name's value.
    pub(super) fn name(&mut self, name: &str, value: &str) -> bool {
        if value.is_empty() {
            return false;
        }
        let known = self.params.entry(name).or_insert_with(|| value.into());
        known == value
    }

    /// Names the value of a header or query parameter.
    pub(super) fn parameter(&mut self, category: &str, key: &str, name: &str, value: &str) {
        if self.name(name, value) {
            self.generator(category, key, &format!("${{{name}}}"));
        }
    }

    /// Has the path filled in by an expression such as `/agents/${agentId}`.
    pub(super) fn path(&mut self, expression: &str) {
        self.generators.insert("path".into(), generator(expression));
    }

    /// Names the ids and the e-mail address of a body.
    pub(super) fn body(&mut self, schema: &Schema, body: &Value) {
        self.walk(&[schema], body, "$", "");
    }

    /// The `generators` of the request.
    pub(super) fn into_generators(self) -> (Map<String, Value>, Map<String, Value>) {
        (self.params, self.generators)
    }

    fn generator(&mut self, category: &str, key: &str, expression: &str) {
        let list = self.generators.entry(category).or_insert_with(|| json!({}));
        list[key] = generator(expression);
    }

    fn walk(&mut self, schemas: &[&Schema], value: &Value, path: &str, parent: &str) {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    let Some(path) = child(path, key) else { continue };
                    let below = schemas_of(schemas, key, value);
                    match member {
                        Value::String(text) => {
                            let free = |schema: &&Schema| {
                                schema.types.contains(&JsonType::String) && schema.values.is_empty()
                            };
                            if let Some(name) = name(parent, key)
                                && below.iter().any(free)
                                && self.name(&name, text)
                            {
                                self.generator("body", &path, &format!("${{{name}}}"));
                            }
                        }
                        _ => self.walk(&below, member, &path, key),
                    }
                }
            }
            Value::Array(items) => {
                let below: Vec<_> = schemas.iter().filter_map(|schema| schema.items.as_deref()).collect();
                for (index, item) in items.iter().enumerate() {
                    self.walk(&below, item, &format!("{path}[{index}]"), parent);
                }
            }
            _ => {}
        }
    }
}

/// The name of a member that belongs to one account: ids by their own name, a bare `id` by that of what it is in.
fn name(parent: &str, key: &str) -> Option<String> {
    match key {
        "id" | "_id" if !parent.is_empty() => Some(format!("{parent}.{key}")),
        _ if key.len() > 2 && key.ends_with("Id") => Some(key.to_owned()),
        _ => None,
    }
}

fn generator(expression: &str) -> Value {
    json!({"type": "ProviderState", "expression": expression, "dataType": "STRING"})
}
