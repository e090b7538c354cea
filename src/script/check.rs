//! Can a script act at all? What no request could lead to is most likely a slip of the pen.

use serde_json::Value;

use super::{
    mistake::{Mistakes, one_of},
    plan::Plan,
    reader::Rules,
};
use crate::{
    Contract, Operation,
    contract::{Errors, JsonType, Schema},
    pointer::escape,
    violation::quote,
};

/// Finds what of a script cannot match or has no effect, whatever is sent; `at` is where the script stands.
pub(super) fn check(rules: &Rules, plan: &Plan, at: &str, mistakes: &mut Mistakes) {
    for (pointer, session) in [("session", &plan.session), ("when/session", &plan.when.session)] {
        if let Some(session) = session {
            mistakes.session(&format!("{at}/{pointer}"), session);
        }
    }
    if let (Some(own), Some(other)) = (&plan.session, &plan.when.session)
        && own != other
    {
        mistakes.expected(&format!("{at}/when/session"), quote(own), quote(other));
    }
    let Some(operations) = operations(rules.contract, plan, at, mistakes) else { return };
    if let Some(body) = &plan.when.body {
        let pointer = format!("{at}/when/body");
        let schemas: Vec<_> =
            operations.iter().filter_map(|operation| Some(&operation.body.as_ref()?.schema)).collect();
        if schemas.is_empty() {
            let found = plan.when.operation.as_deref().map_or_else(|| "none".to_owned(), quote);
            mistakes.expected(&pointer, "an operation that takes a body", found);
        } else {
            names(&schemas, &[], body, &pointer, mistakes);
        }
    }
    let reply = plan.then.reply.as_ref();
    let status = reply.and_then(|reply| reply.status);
    if let Some(example) = reply.and_then(|reply| reply.example.as_deref()) {
        let all = operations.iter().flat_map(|operation| &operation.replies);
        let all = all.filter(|replies| status.is_none_or(|status| status == replies.status));
        let wordings =
            || Errors::ALL.into_iter().filter(|errors| rules.errors.is_none_or(|own| own == *errors));
        let samples = all.flat_map(|replies| wordings().flat_map(|errors| replies.samples(errors)));
        let mut known: Vec<_> = samples.map(|sample| sample.name.as_str()).collect();
        if !known.contains(&example) {
            known.sort_unstable();
            known.dedup();
            let expected = match known.as_slice() {
                [] => "a status that has samples".to_owned(),
                known => format!("a sample among {}", one_of(known)),
            };
            mistakes.unknown(&format!("{at}/then/reply/example"), expected, example, &known);
        }
    }
    if let Some(patch) = &plan.then.patch {
        let replies = || operations.iter().flat_map(|operation| &operation.replies);
        let schemas: Vec<_> = replies().filter_map(|replies| replies.schema.as_deref()).collect();
        let samples: Vec<_> =
            replies().flat_map(|replies| &*replies.examples).map(|sample| &sample.value).collect();
        names(&schemas, &samples, patch, &format!("{at}/then/patch"), mistakes);
    }
}

/// The operations that it can be about.
fn operations<'c>(
    contract: &'c Contract,
    plan: &Plan,
    at: &str,
    mistakes: &mut Mistakes,
) -> Option<Vec<&'c Operation>> {
    let Some(id) = &plan.when.operation else {
        return Some(contract.operations().iter().collect());
    };
    match contract.need_operation(id) {
        Ok(operation) => Some(vec![operation]),
        Err(error) => {
            mistakes.told(at, &format!("/when/operation: {error}"));
            None
        }
    }
}

/// Finds the names in a value that are in none of these schemas and samples.
fn names(schemas: &[&Schema], samples: &[&Value], value: &Value, at: &str, mistakes: &mut Mistakes) {
    if mistakes.are_full() {
        return;
    }
    match value {
        Value::Object(members) => {
            if schemas.iter().any(|schema| takes_any(schema)) {
                return;
            }
            for (name, value) in members {
                let mut below = Vec::new();
                for schema in schemas {
                    gather(schema, name, &mut below);
                }
                let shown: Vec<_> = samples.iter().filter_map(|sample| sample.get(name)).collect();
                let at = format!("{at}/{}", escape(name));
                if below.is_empty() && shown.is_empty() && !mistakes.are_full() {
                    let mut known = Vec::new();
                    for schema in schemas {
                        known_names(schema, &mut known);
                    }
                    mistakes.unknown(&at, "a name that the contract has there", name, &known);
                } else if !below.is_empty() {
                    names(&below, &shown, value, &at, mistakes);
                }
            }
        }
        Value::Array(items) => {
            let below: Vec<_> = schemas.iter().filter_map(|schema| schema.items.as_deref()).collect();
            if !below.is_empty() {
                for (index, item) in items.iter().enumerate() {
                    names(&below, &[], item, &format!("{at}/{index}"), mistakes);
                }
            }
        }
        _ => {}
    }
}

/// Whether an object may have any members, as nothing is said about them.
fn takes_any(schema: &Schema) -> bool {
    let may_be_object = schema.types.is_empty() || schema.types.contains(&JsonType::Object);
    may_be_object && schema.properties.is_empty() && schema.branches.is_empty()
}

/// The schemas of a member, by any of its spellings.
fn gather<'s>(schema: &'s Schema, name: &str, found: &mut Vec<&'s Schema>) {
    let own = schema.properties.iter();
    let own =
        own.filter(|property| property.name == name || property.accepts.iter().any(|other| other == name));
    found.extend(own.map(|property| &property.schema));
    for branch in &schema.branches {
        gather(&branch.then, name, found);
    }
}

fn known_names<'s>(schema: &'s Schema, known: &mut Vec<&'s str>) {
    known.extend(schema.properties.iter().map(|property| property.name.as_str()));
    for branch in &schema.branches {
        known_names(&branch.then, known);
    }
}
