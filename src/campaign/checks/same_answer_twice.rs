//! `same_answer_twice`: a GET or PUT that is sent twice gets the same status and a body of the same shape.
//!
//! The shape is the names and types of members, without what lists hold. Silent on other methods, and where one of the
//! answers is no reply, 429, or a status from 500, and on bodies that are no JSON.

use serde_json::Value;

use super::{Look, View};
use crate::{
    Reply,
    campaign::{
        Answer, Place, Trial,
        source::{self, Source},
    },
    pointer::escape,
};

/// Whether it can be asked of a request.
pub(in crate::campaign) fn applies(method: &str) -> bool {
    matches!(method, "GET" | "PUT")
}

pub(in crate::campaign) fn look(trial: &Trial, again: &Answer, view: &View) -> Look {
    let (Some(first), Some(second)) = (&trial.answer.reply, &again.reply) else {
        return Look::Silent;
    };
    let is_other = |reply: &Reply| reply.status == 429 || reply.status >= 500;
    if is_other(first) || is_other(second) {
        return Look::Silent;
    }
    // That such a method is idempotent says nothing of what it answers.
    let source = || Source::assumed("what is asked for in the same way twice is answered in the same way");
    if first.status != second.status {
        let found = format!("{} first, and {} when it was sent again", first.status, second.status);
        let place = Place { rule: None, pointer: "/reply/status".into() };
        return view.failed(place, "the same status twice".into(), found, source());
    }
    if first.body == second.body {
        return if source::is_json(&first.body) { Look::Passed } else { Look::Silent };
    }
    let (Some(one), Some(other)) = (source::json(&first.body), source::json(&second.body)) else {
        return Look::Silent;
    };
    let Some(Difference { pointer, name }) = difference(&one, &other, String::from("/body")) else {
        return Look::Passed;
    };
    let replies = view.operation.replies.iter().find(|replies| replies.status == first.status);
    let pointer = source::in_reply(replies, &pointer);
    let found = match name {
        Some(name) => format!("one with and one without {} at {pointer}", view.quote(name)),
        None => format!("another shape at {pointer} when it was sent again"),
    };
    view.failed(Place { rule: None, pointer }, "a body of the same shape twice".into(), found, source())
}

/// How two values differ in shape.
#[derive(Debug, Eq, PartialEq)]
struct Difference<'a> {
    /// Where, as a pointer.
    pointer: String,
    /// The name of a member that only one of them has there.
    name: Option<&'a str>,
}

/// Where two values differ in shape.
fn difference<'a>(one: &'a Value, other: &'a Value, pointer: String) -> Option<Difference<'a>> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let mut names = one.keys().chain(other.keys());
            let single = names.find(|name| !(one.contains_key(*name) && other.contains_key(*name)));
            if let Some(name) = single {
                return Some(Difference { pointer, name: Some(name) });
            }
            one.iter().find_map(|(name, value)| {
                difference(value, &other[name], format!("{pointer}/{}", escape(name)))
            })
        }
        _ => (kind(one) != kind(other)).then_some(Difference { pointer, name: None }),
    }
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_shape_is_names_and_types() {
        for (one, other, expected) in [
            (json!({"a": 1, "b": [1]}), json!({"b": [], "a": 2.5}), None),
            (json!({"a": {"b": 1}}), json!({"a": {"b": "1"}}), Some(("/a/b", None))),
            (json!({"a": 1}), json!({}), Some(("", Some("a")))),
            (json!({"a": {}}), json!({"a": {"b/c": 1}}), Some(("/a", Some("b/c")))),
        ] {
            let found = difference(&one, &other, String::new());
            let expected = expected.map(|(pointer, name)| Difference { pointer: pointer.into(), name });
            assert_eq!(found, expected);
        }
    }
}
