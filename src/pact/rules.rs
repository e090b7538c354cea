//! Matching rules: what the contract says about a value, in Pact's words.
//!
//! Pact applies a rule to everything below its path unless something below has a rule of its own. The root of a body has
//! one, so that everything is compared by its type that has no rule which says more.

use serde_json::{Map, Value, json};

use crate::contract::{JsonType, Property, Schema};

/// Matching rules of one category, such as `body`: for each path, Pact's rule list.
#[derive(Default)]
pub(super) struct Rules(Map<String, Value>);

impl Rules {
    /// Sets the rules of a path.
    pub(super) fn set(&mut self, path: &str, rules: Value) {
        self.0.insert(path.to_owned(), rules);
    }

    /// The rules, when there are any.
    pub(super) fn into_map(self) -> Option<Map<String, Value>> {
        (!self.0.is_empty()).then_some(self.0)
    }

    /// Adds the rules of a request's body, which is sent as it is.
    pub(super) fn request(&mut self, schema: &Schema, body: &Value) {
        self.set("$", of_type());
        self.walk(&[schema], &[body], "$", false);
    }

    /// Adds the rules of a reply's body, and returns what is expected of it: what all the documented samples share.
    pub(super) fn reply(&mut self, schema: Option<&Schema>, samples: &[&Value]) -> Value {
        self.set("$", of_type());
        let schemas: Vec<_> = schema.into_iter().collect();
        self.walk(&schemas, samples, "$", true)
    }

    /// Adds the rules for what `values` have at `path`, and returns what they share: objects the members that
    /// all have, arrays one item with what all items share.
    fn walk(&mut self, schemas: &[&Schema], values: &[&Value], path: &str, is_reply: bool) -> Value {
        match values[0] {
            Value::Object(first) => {
                let mut shared = Map::new();
                for key in first.keys() {
                    let members: Vec<_> = values.iter().filter_map(|value| value.get(key)).collect();
                    let below = schemas_of(schemas, key, values[0]);
                    if members.len() < values.len() || !are_alike(&below, &members) {
                        continue;
                    }
                    let member = match child(path, key) {
                        Some(path) => self.walk(&below, &members, &path, is_reply),
                        None => members[0].clone(),
                    };
                    shared.insert(key.clone(), member);
                }
                Value::Object(shared)
            }
            Value::Array(_) => {
                let arrays: Vec<_> = values.iter().filter_map(|value| value.as_array()).collect();
                let is_never_empty = arrays.iter().all(|array| !array.is_empty());
                let items: Vec<_> = arrays.into_iter().flatten().collect();
                if is_reply && is_never_empty {
                    self.set(path, all(&json!({"match": "type", "min": 1})));
                }
                let below: Vec<_> = schemas.iter().filter_map(|schema| schema.items.as_deref()).collect();
                if items.is_empty() || !are_alike(&below, &items) {
                    return json!([]);
                }
                json!([self.walk(&below, &items, &format!("{path}[*]"), is_reply)])
            }
            value => {
                if let Some(rule) = schemas.iter().find_map(|schema| scalar(schema, value)) {
                    self.set(path, rule);
                }
                value.clone()
            }
        }
    }
}

/// The rule for a value of this schema that is neither object nor array, when it says more than the value's type does.
fn scalar(schema: &Schema, value: &Value) -> Option<Value> {
    let texts: Option<Vec<_>> = schema.values.iter().map(Value::as_str).collect();
    if let Some(texts) = texts.filter(|texts| !texts.is_empty()) {
        return Some(one_of(&texts));
    }
    if let (Some(pattern), Value::String(_)) = (&schema.pattern, value) {
        return Some(regex(&whole(pattern)));
    }
    let scalars: Vec<_> = schema.types.iter().filter(|kind| **kind != JsonType::Array).collect();
    Some(match scalars.as_slice() {
        [JsonType::Integer] => all(&json!({"match": "integer"})),
        [JsonType::Number] => all(&json!({"match": "number"})),
        kinds if kinds.len() > 1 && kinds.contains(&&JsonType::String) => any(
            // A regex is never true of null.
            &json!({"match": if kinds.contains(&&JsonType::Null) { "null" } else { "number" }}),
            // Pact applies a regex to the text of any other value; these are the texts of other types.
            &json!({"match": "regex", "regex": "^(?!(?:true|false|null)$)(?:[^\\[{][\\s\\S]*)?$"}),
        ),
        _ => return None,
    })
}

/// The rule for a parameter.
pub(super) fn parameter(schema: &Schema) -> Value {
    scalar(schema, &Value::String(String::new())).unwrap_or_else(of_type)
}

/// A pattern, which the contract looks for anywhere in a text, for libraries that have it match all of the text.
fn whole(pattern: &str) -> String {
    if pattern.starts_with('^') && pattern.ends_with('$') && !pattern.contains(['|', '\\']) {
        return pattern.to_owned();
    }
    format!("^[\\s\\S]*(?:{pattern})[\\s\\S]*$")
}

/// The rule for one of some texts.
pub(super) fn one_of(texts: &[&str]) -> Value {
    let alternatives: Vec<_> = texts.iter().map(|text| escape(text)).collect();
    regex(&format!("^(?:{})$", alternatives.join("|")))
}

/// The rule for a regular expression.
pub(super) fn regex(regex: &str) -> Value {
    all(&json!({"match": "regex", "regex": regex}))
}

/// The rule for exactly what the example is.
pub(super) fn equality() -> Value {
    all(&json!({"match": "equality"}))
}

/// The rule for anything of the example's type.
pub(super) fn of_type() -> Value {
    all(&json!({"match": "type"}))
}

/// A text as a regular expression for itself.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// The schemas of the member `key` of `value`, by any of its names, those of the branches that apply among them.
pub(super) fn schemas_of<'a>(schemas: &[&'a Schema], key: &str, value: &Value) -> Vec<&'a Schema> {
    let named =
        |property: &&Property| property.name == key || property.accepts.iter().any(|name| name == key);
    let known = schemas.iter().flat_map(|schema| schema.properties_for(value));
    known.filter(named).map(|property| &property.schema).collect()
}

/// Pact's path of a member; none for a name that its paths cannot hold.
pub(super) fn child(path: &str, key: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !key.is_empty() && key.chars().all(plain) {
        Some(format!("{path}.{key}"))
    } else if key.contains(['\'', '\\']) || key.is_empty() {
        None
    } else {
        Some(format!("{path}['{key}']"))
    }
}

/// Whether one rule can hold for all the values: they have one type, or their schema has several.
fn are_alike(schemas: &[&Schema], values: &[&Value]) -> bool {
    let kind = |value: &Value| match value {
        Value::Array(_) => 0,
        Value::Bool(_) => 1,
        Value::Null => 2,
        Value::Number(_) => 3,
        Value::Object(_) => 4,
        Value::String(_) => 5,
    };
    let mut kinds: Vec<_> = values.iter().map(|value| kind(value)).collect();
    kinds.dedup();
    kinds.len() == 1
        || schemas.iter().any(|schema| {
            schema.types.len() > 1 && values.iter().all(|value| !value.is_array() && !value.is_object())
        })
}

fn all(matcher: &Value) -> Value {
    json!({"combine": "AND", "matchers": [matcher]})
}

fn any(one: &Value, other: &Value) -> Value {
    json!({"combine": "OR", "matchers": [one, other]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_made_to_match_all_of_a_text() {
        assert_eq!(whole("^[a-z]+$"), "^[a-z]+$");
        assert_eq!(whole("[a-z]"), r"^[\s\S]*(?:[a-z])[\s\S]*$");
        assert_eq!(whole("^a|b$"), r"^[\s\S]*(?:^a|b$)[\s\S]*$");
        assert_eq!(whole(r"^a\$"), r"^[\s\S]*(?:^a\$)[\s\S]*$");
    }

    #[test]
    fn texts_stand_for_themselves() {
        assert_eq!(
            one_of(&["a.b", "c|d"]),
            json!({"combine": "AND", "matchers": [{"match": "regex", "regex": r"^(?:a\.b|c\|d)$"}]})
        );
    }

    #[test]
    fn names_that_paths_cannot_hold_plainly_are_quoted_or_left_out() {
        assert_eq!(child("$", "_id").unwrap(), "$._id");
        assert_eq!(child("$", "a.b c").unwrap(), "$['a.b c']");
        assert_eq!(child("$", "it's"), None);
    }
}
