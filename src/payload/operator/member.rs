//! Operators on members of objects and on the names of members and parameters.

use super::{
    change::{Change, recase},
    definition::{Act, Edit, Effect, operators},
    parameter,
};
use crate::{
    Rule,
    contract::JsonType,
    payload::{
        field::Field,
        valid::{self, Spot},
        words,
    },
    pointer::escape,
};

operators! {
    /// Uses another accepted spelling of a name; stays valid.
    ACCEPTED_NAME = "acceptedName" {
        acts: &[
            Act::Parameter {
                at: |slot, _| (!slot.accepts.is_empty()).then_some(Effect::Harmless),
                change: |edit, index| {
                    let name = edit.choices.word(&edit.plan.parameters[index].accepts);
                    parameter::rename(edit, index, name)
                },
            },
            Act::Value {
                at: |field| (is_member(field) && !field.accepts.is_empty()).then_some(Effect::Harmless),
                change: |edit, at| {
                    let name = edit.choices.word(&edit.field(at).accepts);
                    Some(rename(edit, at, name))
                },
            },
        ],
    }

    /// Leaves out a required member.
    DROP_MEMBER = "dropMember" {
        acts: &[Act::Value {
            at: |field| (is_member(field) && field.required).then_some(Effect::Breaks(Rule::Required)),
            change: |edit, at| Some(drop_member(edit, at)),
        }],
    }

    /// Writes a member twice, of which the last counts; stays valid.
    DUPLICATE_MEMBER = "duplicateMember" {
        is_assumed: true,
        acts: &[Act::Value {
            at: |field| is_member(field).then_some(Effect::Harmless),
            change: |edit, at| {
                let Spot { start, value, .. } = edit.base.spots[at];
                let mut twin = edit.base.draft.body[start..value].to_vec();
                let other = edit.choices.word(&["null", "0", "\"\"", "[]", "{\"alpha\":1}"]);
                twin.extend_from_slice(other.as_bytes());
                twin.push(b',');
                let change = Change::new(edit.pointer(at)).became(&twin);
                edit.splice(start, start, &twin);
                Some(change)
            },
        }],
    }

    /// Changes capitals and small letters of a member's name; stays valid when the member may be left out.
    MEMBER_CASE = "memberCase" {
        acts: &[Act::Value {
            at: |field| {
                let has_letters = field.name.bytes().any(|byte| byte.is_ascii_alphabetic());
                let effect = if field.required { Effect::Breaks(Rule::Required) } else { Effect::Harmless };
                (is_member(field) && has_letters).then_some(effect)
            },
            change: |edit, at| {
                let field = edit.field(at);
                let name = recase(&field.name, edit.choices);
                let siblings = edit.plan.fields.iter().filter(|other| other.parent == field.parent);
                let mut names = siblings.flat_map(|other| std::iter::once(&other.name).chain(&other.accepts));
                let is_new = !name.is_empty() && !names.any(|other| *other == name);
                is_new.then(|| rename(edit, at, &name))
            },
        }],
    }

    /// Adds a member that the contract does not know; stays valid.
    UNKNOWN_MEMBER = "unknownMember" {
        is_assumed: true,
        needs_object: true,
        acts: &[Act::Value {
            at: |field| {
                (field.allows(JsonType::Object) && !field.types.is_empty()).then_some(Effect::Harmless)
            },
            change: |edit, at| {
                let name = edit.unknown_name(at)?;
                let value = edit.choices.word(&[
                    "1",
                    "null",
                    "\"\"",
                    "[]",
                    "{}",
                    "true",
                    "\"something\"",
                    "[{\"a\":[null]}]",
                ]);
                let pointer = format!("{}/{}", edit.pointer(at), escape(name));
                edit.add_member(at, name, value.as_bytes());
                Some(Change::new(pointer).became(value.as_bytes()))
            },
        }],
    }
}

fn is_member(field: &Field) -> bool {
    !field.name.is_empty()
}

fn rename(edit: &mut Edit, at: usize, name: &str) -> Change {
    let Spot { start, value, .. } = edit.base.spots[at];
    let was = edit.base.draft.body[start..value].to_vec();
    let end = was.iter().rposition(|byte| *byte == b':').unwrap_or(was.len());
    let mut key = Vec::new();
    valid::quote(name, false, &mut key);
    let change = Change::new(edit.pointer(at)).was(&was[..end]).became(&key);
    edit.splice(start, start + end, &key);
    change
}

fn drop_member(edit: &mut Edit, at: usize) -> Change {
    let Spot { mut start, value, mut end, .. } = edit.base.spots[at];
    let body = &edit.base.draft.body;
    let change = Change::new(edit.pointer(at)).was(&body[value..end]);
    if body.get(end) == Some(&b',') {
        end += 1;
    } else if let Some(comma) = body[..start].iter().rposition(|byte| !byte.is_ascii_whitespace())
        && body[comma] == b','
    {
        start = comma;
    }
    edit.splice(start, end, b"");
    change
}

impl<'a> Edit<'a, '_> {
    /// The field of a spot.
    fn field(&self, at: usize) -> &'a Field {
        &self.plan.fields[self.base.spots[at].field]
    }

    /// A name that none of the members of the object at a spot has.
    pub(super) fn unknown_name(&mut self, at: usize) -> Option<&'static str> {
        let parent = Some(self.base.spots[at].field);
        let first = self.choices.below(words::UNKNOWN.len());
        let mut names = words::UNKNOWN.iter().cycle().skip(first).take(words::UNKNOWN.len());
        let members = || self.plan.fields.iter().filter(|field| field.parent == parent);
        let is_known = |name: &str| {
            members().any(|field| {
                field.name.eq_ignore_ascii_case(name)
                    || field.accepts.iter().any(|other| other.eq_ignore_ascii_case(name))
            })
        };
        names.find(|name| !is_known(name)).copied()
    }

    /// Puts a member at the beginning of the object at a spot.
    pub(super) fn add_member(&mut self, at: usize, name: &str, value: &[u8]) {
        let spot = self.base.spots[at];
        let mut member = Vec::with_capacity(value.len() + 16);
        valid::quote(name, false, &mut member);
        member.push(b':');
        member.extend_from_slice(value);
        let rest = self.base.draft.body[spot.value + 1..spot.end].trim_ascii_start();
        if rest != b"}" {
            member.push(b',');
        }
        self.splice(spot.value + 1, spot.value + 1, &member);
    }
}
