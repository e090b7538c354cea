//! A JSON pointer that is read once: into a record, a reply or a body.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::Schema;
use crate::{
    json,
    pointer::{escape, names},
};

/// A pointer (RFC 6901); `*` stands for every item of an array where that is said to be allowed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Pointer {
    text: String,
    names: Vec<String>,
}

/// The name that stands for every item of an array.
const EVERY: &str = "*";

impl Pointer {
    /// The pointer that is written so; none when it is neither empty nor begins with a slash.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if !text.is_empty() && !text.starts_with('/') {
            return None;
        }
        let names = names(text).map(Cow::into_owned).collect();
        Some(Self { text: text.to_owned(), names })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The name of the member that it is, when it stands at the top.
    pub(crate) fn member(&self) -> Option<&str> {
        if let [name] = self.names.as_slice() { Some(name) } else { None }
    }

    /// The name of the member at the top that it leads into.
    pub(crate) fn top(&self) -> Option<&str> {
        self.names.first().map(String::as_str)
    }

    pub(crate) fn has_every(&self) -> bool {
        self.names.iter().any(|name| name == EVERY)
    }

    pub(crate) fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.names.iter().try_fold(value, step)
    }

    /// Calls `found` with every value that it leads to, and the pointer to that value alone.
    pub(crate) fn each(&self, value: &Value, found: &mut dyn FnMut(&str, &Value)) {
        fn walk(names: &[String], at: &mut String, value: &Value, found: &mut dyn FnMut(&str, &Value)) {
            let Some((name, rest)) = names.split_first() else {
                return found(at, value);
            };
            let length = at.len();
            let mut enter = |name: &str, value| {
                at.extend(["/", name]);
                walk(rest, at, value, found);
                at.truncate(length);
            };
            if let (EVERY, Value::Array(items)) = (name.as_str(), value) {
                for (index, item) in items.iter().enumerate() {
                    enter(&index.to_string(), item);
                }
            } else if let Some(value) = step(value, name) {
                enter(&escape(name), value);
            }
        }
        walk(&self.names, &mut String::new(), value, found);
    }

    /// Puts a value there; what is not there on the way is made. An item goes to the end of its array at most.
    pub(crate) fn set(&self, target: &mut Value, value: Value) {
        let mut place = target;
        for name in &self.names {
            let index = name.parse::<usize>().ok();
            if !(place.is_object() || place.is_array() && index.is_some()) {
                *place = if index.is_some() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
            }
            place = match place {
                Value::Array(items) => {
                    let index = index.unwrap_or_default().min(items.len());
                    if index == items.len() {
                        items.push(Value::Null);
                    }
                    &mut items[index]
                }
                Value::Object(members) => members.entry(name.clone()).or_insert(Value::Null),
                _ => return,
            };
        }
        *place = value;
    }

    /// Takes away what is there.
    pub(crate) fn remove(&self, target: &mut Value) -> Option<Value> {
        let (last, parents) = self.names.split_last()?;
        let parent = parents.iter().try_fold(target, |value, name| match value {
            Value::Array(items) => items.get_mut(name.parse::<usize>().ok()?),
            Value::Object(members) => members.get_mut(name),
            _ => None,
        })?;
        parent.as_object_mut()?.shift_remove(last)
    }

    /// A value as text without what is there, and where in the text that was; none when nothing is there.
    pub(crate) fn cut(&self, value: &Value) -> Option<(String, usize)> {
        fn write(value: &Value, names: &[String], out: &mut String) -> Option<usize> {
            let Some((name, below)) = names.split_first() else {
                return Some(out.len());
            };
            let is_object = value.is_object();
            let items = value.as_array().into_iter().flatten().enumerate();
            let items = items.map(|(index, item)| (Cow::Owned(index.to_string()), item));
            let members = value.as_object().into_iter().flatten();
            let members = members.map(|(name, value)| (Cow::Borrowed(name), value));
            let mut hole = None;
            out.push(if is_object { '{' } else { '[' });
            for (index, (own, value)) in items.chain(members).enumerate() {
                if index > 0 {
                    out.push(',');
                }
                if is_object {
                    json::string(&own, out);
                    out.push(':');
                }
                if *own == *name {
                    hole = write(value, below, out);
                } else {
                    json::write(value, out);
                }
            }
            out.push(if is_object { '}' } else { ']' });
            hole
        }
        let mut text = String::new();
        let hole = write(value, &self.names, &mut text)?;
        Some((text, hole))
    }

    /// The schemas that describe the place, those of branches among them; none when the schema does not know it.
    pub(crate) fn schemas<'s>(&self, schema: &'s Schema) -> Vec<&'s Schema> {
        let mut found = vec![schema];
        for name in &self.names {
            let mut next = Vec::new();
            for schema in found {
                let branches = schema.branches.iter().map(|branch| &branch.then);
                for schema in std::iter::once(schema).chain(branches) {
                    let own = schema.properties.iter().filter(|property| property.name == *name);
                    next.extend(own.map(|property| &property.schema));
                    if name == EVERY || name.bytes().all(|byte| byte.is_ascii_digit()) {
                        next.extend(schema.items.as_deref());
                    }
                }
            }
            found = next;
        }
        found
    }
}

fn step<'v>(value: &'v Value, name: &String) -> Option<&'v Value> {
    match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        Value::Object(members) => members.get(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointer(text: &str) -> Pointer {
        Pointer::parse(text).expect("a pointer")
    }

    #[test]
    fn what_is_missing_on_the_way_to_a_value_is_made() {
        let mut value = json!({});
        pointer("/groups/0/id").set(&mut value, json!(1));
        pointer("/groups/0/role").set(&mut value, json!("r"));
        pointer("/groups/9").set(&mut value, json!("end"));
        pointer("/a~1b").set(&mut value, json!(null));
        assert_eq!(value, json!({"groups": [{"id": 1, "role": "r"}, "end"], "a/b": null}));
        assert_eq!(pointer("/groups/0/id").get(&value), Some(&json!(1)));
        assert_eq!(pointer("/groups/0/id").remove(&mut value), Some(json!(1)));
        assert_eq!(pointer("/groups/7/id").remove(&mut value), None);
        assert_eq!(value, json!({"groups": [{"role": "r"}, "end"], "a/b": null}));
    }

    #[test]
    fn a_star_leads_to_every_item() {
        let value = json!({"queues": [{"id": "a"}, {}, {"id": "b"}]});
        let mut found = Vec::new();
        pointer("/queues/*/id").each(&value, &mut |at, value| found.push((at.to_owned(), value.clone())));
        assert_eq!(found, [("/queues/0/id".to_owned(), json!("a")), ("/queues/2/id".to_owned(), json!("b"))]);
        assert!(Pointer::parse("queues").is_none());
    }
}
