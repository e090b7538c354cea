//! Operators that change how a parameter is sent.

use super::{
    change::{Change, recase},
    definition::{Act, Edit, Effect, operators},
};
use crate::{
    Rule,
    contract::{JsonType, Place},
    payload::{field::Slot, head::percent_encode, plan::Plan},
};

operators! {
    /// Puts `%zz` or bytes that are not UTF-8 into a parameter of path or query.
    BAD_ESCAPE = "badEscape" {
        is_assumed: true,
        acts: &[Act::Sent {
            at: |slot, _| (slot.place != Place::Header).then_some(Effect::Breaks(Rule::Format)),
            instead: |_, was, choices| {
                let bad = *choices.pick(&["%zz", "%", "%4", "%FF", "%C3%28", "%u0041"]);
                if choices.one_in(2) { bad.to_owned() } else { format!("{was}{bad}") }
            },
        }],
    }

    /// Makes `.` or `..` the value of a path parameter; stays valid.
    DOT_SEGMENT = "dotSegment" {
        is_assumed: true,
        acts: &[Act::Sent {
            at: |slot, plan| free_segment(slot, plan, plan.fields[slot.field].min_length < 2),
            instead: |_, _, choices| (*choices.pick(&["..", "."])).to_owned(),
        }],
    }

    /// Makes the value of a path parameter empty.
    EMPTY_SEGMENT = "emptySegment" {
        acts: &[Act::Sent {
            at: |slot, plan| match slot.place {
                Place::Path if plan.ends_with(slot) => Some(Effect::Breaks(Rule::Path)),
                Place::Path => plan.fields[slot.field].empty_breaks().map(Effect::Breaks),
                Place::Header | Place::Query => None,
            },
            instead: |_, _, _| String::new(),
        }],
    }

    /// Puts `%00` into a path parameter; stays valid.
    ENCODED_NUL = "encodedNul" {
        is_assumed: true,
        acts: &[Act::Sent {
            at: |slot, plan| free_segment(slot, plan, plan.fields[slot.field].max_length.is_none()),
            instead: |_, was, _| format!("{was}%00"),
        }],
    }

    /// Puts `%2F` into a path parameter; stays valid.
    ENCODED_SLASH = "encodedSlash" {
        is_assumed: true,
        acts: &[Act::Sent {
            at: |slot, plan| free_segment(slot, plan, plan.fields[slot.field].max_length.is_none()),
            instead: |_, _, choices| (*choices.pick(&["a%2Fb", "%2F", "..%2F..", "%2f%2e%2e"])).to_owned(),
        }],
    }

    /// Makes a path parameter very long; stays valid.
    LONG_SEGMENT = "longSegment" {
        is_assumed: true,
        acts: &[Act::Sent {
            at: |slot, plan| free_segment(slot, plan, plan.fields[slot.field].max_length.is_none()),
            instead: |_, _, choices| "a".repeat(1000 + choices.below(7000)),
        }],
    }

    /// Changes capitals and small letters of a query parameter's name; stays valid when it may be left out.
    PARAMETER_CASE = "parameterCase" {
        acts: &[Act::Parameter {
            at: |slot, _| {
                let has_letters = slot.name.bytes().any(|byte| byte.is_ascii_alphabetic());
                let effect = if slot.required { Effect::Breaks(Rule::Required) } else { Effect::Harmless };
                (slot.place == Place::Query && has_letters).then_some(effect)
            },
            change: |edit, index| {
                let name = recase(&edit.plan.parameters[index].name, edit.choices);
                let is_known = |slot: &Slot| slot.name == name || slot.accepts.contains(&name);
                let is_new = !name.is_empty() && !edit.plan.parameters.iter().any(is_known);
                is_new.then(|| rename(edit, index, &name))?
            },
        }],
    }

    /// Leaves out a required parameter of query or header.
    PARAMETER_MISSING = "parameterMissing" {
        acts: &[Act::Parameter {
            at: |slot, _| {
                (slot.place != Place::Path && slot.required).then_some(Effect::Breaks(Rule::Required))
            },
            change: |edit, index| {
                let slot = &edit.plan.parameters[index];
                let change = Change::new(slot.pointer()).was(&edit.sent(index)?);
                edit.base.draft.query.retain(|(.., other)| *other != index);
                if slot.place == Place::Header {
                    let name = slot.name.to_ascii_lowercase();
                    edit.base.draft.headers.retain(|(other, _)| *other != name);
                }
                Some(change)
            },
        }],
    }

    /// Sends a parameter of query or header twice.
    PARAMETER_REPEATED = "parameterRepeated" {
        is_assumed: true,
        acts: &[Act::Parameter {
            at: |slot, _| (slot.place != Place::Path).then_some(Effect::Breaks(Rule::Repeated)),
            change: repeat,
        }],
    }
}

/// No harm is done in a segment of the path where any text is allowed, if what else there is to it holds.
fn free_segment(slot: &Slot, plan: &Plan, holds: bool) -> Option<Effect> {
    let field = &plan.fields[slot.field];
    let is_free = field.allows(JsonType::String) && field.values.is_empty() && field.patterns.is_empty();
    (slot.place == Place::Path && is_free && holds).then_some(Effect::Harmless)
}

fn repeat(edit: &mut Edit, index: usize) -> Option<Change> {
    let slot = &edit.plan.parameters[index];
    let was = edit.sent(index)?;
    let change = Change::new(slot.pointer()).was(&was);
    let mut other = String::from_utf8_lossy(&was).into_owned();
    if !edit.choices.one_in(2) {
        other.push('2');
    }
    let change = change.became(other.as_bytes());
    let draft = &mut edit.base.draft;
    match slot.place {
        Place::Query => {
            let (name, ..) = draft.query.iter().find(|(.., other)| *other == index)?;
            draft.query.push((name.clone(), other, index));
        }
        Place::Header | Place::Path => {
            draft.headers.push((slot.name.to_ascii_lowercase(), other.into_bytes()));
        }
    }
    Some(change)
}

/// Sends a parameter under another name.
pub(super) fn rename(edit: &mut Edit, index: usize, name: &str) -> Option<Change> {
    let slot = &edit.plan.parameters[index];
    let change = Change::new(slot.pointer()).was(slot.name.as_bytes()).became(name.as_bytes());
    let draft = &mut edit.base.draft;
    if slot.place == Place::Query {
        draft.query.iter_mut().find(|(.., other)| *other == index)?.0 = percent_encode(name, true);
    } else {
        let old = slot.name.to_ascii_lowercase();
        draft.headers.iter_mut().find(|(other, _)| *other == old)?.0 = name.to_ascii_lowercase();
    }
    Some(change)
}
