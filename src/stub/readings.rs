//! Readings: the documented variants that a request uses, and values that it sends twice and that differ.

use serde_json::Value;

use super::{
    arguments::{self, Arguments},
    spellings::{MOST, accepting},
};
use crate::{
    Operation, Reading,
    contract::{JsonType, Schema},
    json::View,
    pointer::escape,
    violation::quote,
};

/// Lists the variants of type and value that a request uses, and the values sent twice that differ.
pub(super) fn find<'v, V: View<'v>>(
    operation: &Operation,
    arguments: &Arguments,
    body: Option<V>,
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

struct Finder<'a, V> {
    arguments: &'a Arguments<'a>,
    body: Option<V>,
    readings: &'a mut Vec<Reading>,
}

impl<'v, V: View<'v>> Finder<'_, V> {
    fn walk(&mut self, schema: &Schema, value: V, pointer: &str) {
        if !schema.is_notable() || self.readings.len() >= MOST {
            return;
        }
        if let Some(list) = value.items() {
            if let Some(schema) = schema.items.as_deref().filter(|schema| schema.is_notable()) {
                for (index, item) in list.enumerate() {
                    self.walk(schema, item, &format!("{pointer}/{index}"));
                }
            }
            return;
        }
        for property in schema.properties_of(value).filter(|property| property.schema.is_notable()) {
            if let Some(member) = value.member(&property.name) {
                let pointer = format!("{pointer}/{}", escape(&property.name));
                self.look(&property.schema, &property.name, member, &pointer);
                self.walk(&property.schema, member, &pointer);
            }
        }
    }

    /// Looks at one value.
    fn look<'w>(&mut self, schema: &Schema, name: &str, value: impl View<'w>, pointer: &str) {
        if let Some(kind) = schema.types.iter().find(|kind| value.is(**kind))
            && schema.types.first() != Some(kind)
        {
            let first = schema.types[0];
            self.note(schema, kind.name(), pointer, || {
                format!("{} where the first choice is {}", kind.phrase(), first.phrase())
            });
        }
        if let Some(text) = value.text().filter(|_| !schema.values.is_empty()) {
            self.note(schema, text, pointer, || format!("{} is one of the accepted spellings", quote(text)));
        }
        self.note(schema, name, pointer, || format!("`{name}` is accepted here"));
        if schema.holds_json
            && let Some(text) = value.text()
            && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
        {
            self.note(schema, JsonType::Array.name(), pointer, || "the string is JSON".into());
        }
        for (other, id) in &schema.same_as {
            let twin = match other.strip_prefix("/body") {
                Some(place) => {
                    let twin = self.body.and_then(|body| body.pointer(place));
                    twin.and_then(V::text)
                }
                None => self.arguments.text(other),
            };
            if let (Some(text), Some(twin)) = (value.text(), twin)
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
