//! Readings: the documented variants that a request uses, and values that it sends twice and that differ.

use serde_json::Value;

use super::{
    arguments::{self, Arguments},
    spellings::{MOST, accepting},
};
use crate::{
    Operation, Reading,
    contract::{JsonType, Schema},
    pointer::escape,
    violation::quote,
};

/// Lists the variants of type and value that a request uses, and the values sent twice that differ.
pub(super) fn find(
    operation: &Operation,
    arguments: &Arguments,
    body: Option<&Value>,
    readings: &mut Vec<Reading>,
) {
    let mut finder = Finder { arguments, body, readings };
    for (parameter, _) in arguments.iter().filter(|(parameter, _)| parameter.schema.is_notable()) {
        let pointer = arguments::pointer(parameter);
        if let Some(text) = arguments.text(&pointer) {
            finder.look(&parameter.schema, &parameter.name, &Value::String(text.to_owned()), &pointer);
        }
    }
    if let (Some(spec), Some(body)) = (&operation.body, body) {
        finder.walk(&spec.schema, body, "/body");
    }
}

struct Finder<'a> {
    arguments: &'a Arguments<'a>,
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
                None => self.arguments.text(other),
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
