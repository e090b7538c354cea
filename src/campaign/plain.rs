//! Valid requests without what servers may see in another way, so that there is no doubt that they must be accepted.

use serde_json::{Map, Value};

use super::{certainty::Doubts, ground::Ready, source};
use crate::{
    Operation, Request,
    payload::{Case, Label},
};

/// A valid case of which there is no doubt, as another one was accepted: that one with those members of the case that
/// leave no doubt, and without those that the case does not have. None where bodies have no members.
pub(super) fn plain(operation: &Operation, ready: &Ready, accepted: &Case, case: &Case) -> Option<Case> {
    let mut plain = accepted.clone();
    let mut members = members(&plain.request)?;
    let own = self::members(&case.request)?;
    let surplus: Vec<_> = members.keys().filter(|name| !own.contains_key(*name)).cloned().collect();
    for name in surplus {
        let mut fewer = members.clone();
        fewer.shift_remove(&name);
        plain.request.body = Value::Object(fewer.clone()).to_string().into();
        if ready.generator.holds(&plain.request, &Label::Valid) {
            members = fewer;
        }
    }
    for (name, value) in own {
        let alone = Value::Object(Map::from_iter([(name.clone(), value.clone())]));
        if names_others(ready, &alone) {
            continue;
        }
        plain.request.body = alone.to_string().into();
        if Doubts::of(operation, &plain.request) == Doubts::default() {
            members.insert(name, value);
        }
    }
    plain.request.body = Value::Object(members).to_string().into();
    ready.generator.holds(&plain.request, &Label::Valid).then_some(plain)
}

/// A request without the members that one which was accepted has alike: there is no doubt about them. None when nothing
/// is left, in the query neither.
pub(super) fn rest(accepted: &Request, request: &Request) -> Option<Request> {
    let (Some(members), Some(mut own)) = (members(accepted), members(request)) else {
        return Some(request.clone());
    };
    own.retain(|name, value| members.get(name) != Some(value));
    if own.is_empty() {
        return (accepted.query() != request.query()).then(|| request.clone());
    }
    Some(Request { body: Value::Object(own).to_string().into(), ..request.clone() })
}

fn members(request: &Request) -> Option<Map<String, Value>> {
    match source::json(&request.body)? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Whether there are ids of other things in a body.
fn names_others(ready: &Ready, body: &Value) -> bool {
    let mut found = false;
    for pointer in &ready.references {
        pointer.each(body, &mut |_, value| found |= value.is_string());
    }
    found
}
