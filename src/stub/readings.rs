//! Readings: the documented variants that a request uses, and values that it sends twice and that differ.

use serde_json::Value;

use super::values::Values;
use crate::{
    Operation, Reading,
    contract::{JsonType, Property, Schema, escape},
    violation::quote,
};

/// How many readings are listed at most.
const MOST: usize = 100;

/// Gives the members of a body their canonical names: the first spelling that is there counts.
pub(super) fn rename(schema: &Schema, body: &mut Value, readings: &mut Vec<Reading>) {
    if schema.has_spellings() {
        rename_in(schema, body, "/body", readings);
    }
}

/// The reading of a name that is spelt in another way.
pub(super) fn of_spelling(
    schema: &Schema,
    (name, spelling): (&str, &str),
    counts: bool,
    pointer: String,
) -> Reading {
    let id = accepting(schema, spelling).or(schema.ledger.first());
    Reading {
        ledger: id.cloned().unwrap_or_default(),
        pointer,
        note: if counts {
            format!("`{spelling}` is read as `{name}`")
        } else {
            format!("`{name}` counts, `{spelling}` does not")
        },
    }
}

/// The id of the entry among those about `schema` that accepts this name, type or value.
fn accepting<'a>(schema: &'a Schema, token: &str) -> Option<&'a String> {
    schema.variants.iter().find(|(accepted, _)| accepted == token).map(|(_, id)| id)
}

fn rename_in(schema: &Schema, value: &mut Value, pointer: &str, readings: &mut Vec<Reading>) {
    match value {
        Value::Array(list) => {
            if let Some(schema) = &schema.items {
                for (index, item) in list.iter_mut().enumerate() {
                    rename_in(schema, item, &format!("{pointer}/{index}"), readings);
                }
            }
        }
        Value::Object(members) => {
            for property in schema.properties.iter().filter(|property| !property.accepts.is_empty()) {
                let Some(spelling) = property.accepts.iter().find(|name| members.contains_key(*name)) else {
                    continue;
                };
                let counts = !members.contains_key(&property.name);
                // The member moves to the end; nothing reads their order.
                if counts && let Some(member) = members.swap_remove(spelling) {
                    members.insert(property.name.clone(), member);
                }
                if readings.len() < MOST {
                    let names = (property.name.as_str(), spelling.as_str());
                    let pointer = format!("{pointer}/{}", escape(&property.name));
                    readings.push(of_spelling(&property.schema, names, counts, pointer));
                }
            }
            let known: Vec<&Property> =
                schema.properties_for(value).filter(|property| property.schema.has_spellings()).collect();
            for property in known {
                if let Some(member) = value.get_mut(&property.name) {
                    let pointer = format!("{pointer}/{}", escape(&property.name));
                    rename_in(&property.schema, member, &pointer, readings);
                }
            }
        }
        _ => {}
    }
}

/// Lists the variants of type and value that a request uses, and the values sent twice that differ.
pub(super) fn find(
    operation: &Operation,
    values: &Values,
    body: Option<&Value>,
    readings: &mut Vec<Reading>,
) {
    let mut finder = Finder { values, body, readings };
    for (parameter, _) in values.iter().filter(|(parameter, _)| parameter.schema.is_notable()) {
        let pointer = super::values::pointer(parameter);
        if let Some(text) = values.text(&pointer) {
            finder.look(&parameter.schema, &parameter.name, &Value::String(text.to_owned()), &pointer);
        }
    }
    if let (Some(spec), Some(body)) = (&operation.body, body) {
        finder.walk(&spec.schema, body, "/body");
    }
}

struct Finder<'a> {
    values: &'a Values<'a>,
    body: Option<&'a Value>,
    readings: &'a mut Vec<Reading>,
}

impl Finder<'_> {
    fn walk(&mut self, schema: &Schema, value: &Value, pointer: &str) {
        if !schema.is_notable() || self.readings.len() >= MOST {
            return;
        }
        match value {
            Value::Array(list) => {
                if let Some(schema) = schema.items.as_deref().filter(|schema| schema.is_notable()) {
                    for (index, item) in list.iter().enumerate() {
                        self.walk(schema, item, &format!("{pointer}/{index}"));
                    }
                }
            }
            Value::Object(members) => {
                for property in schema.properties_for(value) {
                    if property.schema.is_notable()
                        && let Some(member) = members.get(&property.name)
                    {
                        let pointer = format!("{pointer}/{}", escape(&property.name));
                        self.look(&property.schema, &property.name, member, &pointer);
                        self.walk(&property.schema, member, &pointer);
                    }
                }
            }
            _ => {}
        }
    }

    /// Looks at one value.
    fn look(&mut self, schema: &Schema, name: &str, value: &Value, pointer: &str) {
        if let Some(kind) = schema.types.iter().find(|kind| kind.holds(value))
            && schema.types.first() != Some(kind)
        {
            let first = schema.types[0];
            self.note(schema, kind.name(), pointer, || {
                format!("{} where the first choice is {}", kind.phrase(), first.phrase())
            });
        }
        if let Some(text) = value.as_str().filter(|_| !schema.values.is_empty()) {
            self.note(schema, text, pointer, || format!("{} is one of the accepted spellings", quote(text)));
        }
        self.note(schema, name, pointer, || format!("`{name}` is accepted here"));
        if schema.holds_json
            && let Some(text) = value.as_str()
            && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
        {
            self.note(schema, JsonType::Array.name(), pointer, || "the string is JSON".into());
        }
        for (other, id) in &schema.same_as {
            let twin = match other.strip_prefix("/body") {
                Some(place) => self.body.and_then(|body| body.pointer(place)).and_then(Value::as_str),
                None => self.values.text(other),
            };
            if let (Some(text), Some(twin)) = (value.as_str(), twin)
                && text != twin
            {
                self.push(id, pointer, format!("{} differs from {} at {other}", quote(text), quote(twin)));
            }
        }
    }

    /// Notes the use of `token` when an entry of the schema's ledger accepts it.
    fn note(&mut self, schema: &Schema, token: &str, pointer: &str, note: impl FnOnce() -> String) {
        if let Some(id) = accepting(schema, token) {
            self.push(id, pointer, note());
        }
    }

    fn push(&mut self, id: &str, pointer: &str, note: String) {
        if self.readings.len() < MOST {
            self.readings.push(Reading { ledger: id.to_owned(), pointer: pointer.to_owned(), note });
        }
    }
}
