//! What an operator consists of.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

use serde::{Serialize, Serializer};

use super::change::Change;
use crate::{
    Rule,
    contract::Place,
    payload::{
        Choices,
        field::{Field, Slot},
        head::percent_encode,
        plan::{Plan, Target},
        valid::{self, Base},
    },
    pointer::escape,
};

/// An operator: what it is called, what it does, and how.
pub(in crate::payload) struct Definition {
    /// As it stands in labels.
    pub(super) name: &'static str,
    /// A line about it.
    pub(super) description: &'static str,
    /// How it acts, for each kind of place where it does.
    pub(super) acts: &'static [Act],
    /// Whether the place that it acts on must hold an object.
    pub(super) needs_object: bool,
    /// Whether it writes the names of headers in capitals.
    pub(super) in_capitals: bool,
    /// Whether no page says what becomes of such a request, whatever the page says of the place.
    pub(super) is_assumed: bool,
}

impl Definition {
    /// What most operators do not say.
    pub(super) const USUAL: Self = Self {
        name: "",
        description: "",
        acts: &[],
        needs_object: false,
        in_capitals: false,
        is_assumed: false,
    };
}

/// A change to a valid request, one of a closed list.
#[derive(Clone, Copy)]
pub struct Operator(pub(super) &'static Definition);

impl Operator {
    /// Its name, as it stands in labels.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// What it does, in a line.
    pub fn description(self) -> &'static str {
        self.0.description.trim_ascii()
    }

    /// Whether it writes the names of headers in capitals, which only the bytes on a connection show.
    pub(in crate::payload) fn writes_capitals(self) -> bool {
        self.0.in_capitals
    }

    /// Whether no page says what becomes of such a request, whatever the page says of the place where it acts.
    pub fn is_assumed(self) -> bool {
        self.0.is_assumed
    }

    /// Whether the place that it acts on must hold an object.
    pub(in crate::payload) fn needs_object(self) -> bool {
        self.0.needs_object
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Operator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

// An operator is its name.

impl PartialEq for Operator {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Operator {}

impl Ord for Operator {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(other.name())
    }
}

impl PartialOrd for Operator {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Operator {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

/// Defines operators, each as a constant of [`Operator`] and an item of the list `ALL`.
macro_rules! operators {
    ($($(#[doc = $doc:literal])+ $constant:ident = $name:literal { $($part:ident: $value:expr),+ $(,)? })+) => {
        impl $crate::payload::operator::definition::Operator {
            $(
                $(#[doc = $doc])+
                pub const $constant: Self = Self(&$crate::payload::operator::definition::Definition {
                    name: $name,
                    description: concat!($($doc),+),
                    $($part: $value,)+
                    ..$crate::payload::operator::definition::Definition::USUAL
                });
            )+
        }

        /// The operators of this file.
        pub(super) const ALL: &[$crate::payload::operator::definition::Operator] = &[$($crate::payload::operator::definition::Operator::$constant),+];
    };
}
pub(super) use operators;

/// What a change does to a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::payload) enum Effect {
    /// The request breaks this rule and must be refused.
    Breaks(Rule),
    /// The request breaks this rule where signature and time of tokens are checked, and is valid elsewhere.
    BreaksWhenVerified(Rule),
    /// The request stays valid.
    Harmless,
}

impl Effect {
    /// The rule that is broken; none when the request stays valid.
    pub(in crate::payload) fn rule(self) -> Option<Rule> {
        match self {
            Self::Breaks(rule) | Self::BreaksWhenVerified(rule) => Some(rule),
            Self::Harmless => None,
        }
    }
}

/// How an operator acts on places of one kind: `at` says whether it does and what that breaks, the other part does it
/// unless it finds that it does not apply after all.
pub(super) enum Act {
    /// On a value of the body, by other JSON in its stead.
    Json { at: fn(&Field) -> Option<Effect>, instead: fn(&Field, &[u8], &mut Choices) -> Option<Vec<u8>> },
    /// On a value of the body, in any way.
    Value { at: fn(&Field) -> Option<Effect>, change: fn(&mut Edit, usize) -> Option<Change> },
    /// On a parameter, in any way.
    Parameter { at: fn(&Slot, &Plan) -> Option<Effect>, change: fn(&mut Edit, usize) -> Option<Change> },
    /// On a plain value in a parameter or in the body, by another plain value in its stead. The place is that of the
    /// parameter.
    Plain {
        at: fn(&Field, Option<Place>) -> Option<Effect>,
        instead: fn(&Field, &str, Usable, &mut Choices) -> Option<Plain>,
    },
    /// On the request as a whole.
    Request { at: fn(&Plan) -> Option<Effect>, change: fn(&mut Edit) -> Option<Change> },
    /// On a parameter, by other characters of the request in its stead.
    Sent { at: fn(&Slot, &Plan) -> Option<Effect>, instead: fn(&Slot, &str, &mut Choices) -> String },
}

/// Whether a text can be sent in the place where it belongs.
pub(super) type Usable<'a> = &'a dyn Fn(&str) -> bool;

/// A plain value.
pub(super) enum Plain {
    /// The digits of a number.
    Number(String),
    Text(String),
}

/// A valid request that is about to be changed.
pub(super) struct Edit<'a, 'c> {
    pub(super) plan: &'a Plan,
    pub(super) base: &'a mut Base,
    pub(super) choices: &'a mut Choices<'c>,
}

impl Act {
    /// What happens when it acts there; none when it does not.
    pub(super) fn effect(&self, plan: &Plan, target: Target) -> Option<Effect> {
        match (self, target) {
            (Self::Value { at, .. }, Target::Field(id)) => at(&plan.fields[id]),
            // What is wrong with the body itself is a matter of other operators.
            (Self::Json { .. } | Self::Plain { .. }, Target::Field(id))
                if plan.fields[id].parent.is_none() =>
            {
                None
            }
            (Self::Json { at, .. }, Target::Field(id)) => at(&plan.fields[id]),
            (Self::Plain { at, .. }, Target::Field(id)) => at(&plan.fields[id], None),
            (Self::Plain { at, .. }, Target::Parameter(index)) => {
                let slot = &plan.parameters[index];
                at(&plan.fields[slot.field], Some(slot.place))
            }
            (Self::Parameter { at, .. } | Self::Sent { at, .. }, Target::Parameter(index)) => {
                at(&plan.parameters[index], plan)
            }
            (Self::Request { at, .. }, Target::Request) => at(plan),
            _ => None,
        }
    }

    /// Acts on a place for which there is an [`effect`](Self::effect).
    pub(super) fn change(&self, target: Target, edit: &mut Edit) -> Option<Change> {
        match (self, target) {
            (Self::Json { instead, .. }, _) => {
                let at = edit.base.target?;
                edit.replace(at, instead)
            }
            (Self::Plain { instead, .. }, Target::Parameter(index)) => {
                let place = edit.plan.parameters[index].place;
                edit.resend(index, |slot, plan, was, choices| {
                    let usable = |text: &str| valid::can_be_sent(place, text);
                    Some(match instead(&plan.fields[slot.field], was, &usable, choices)? {
                        Plain::Text(text) if place != Place::Header => {
                            percent_encode(&text, place == Place::Query)
                        }
                        Plain::Number(text) | Plain::Text(text) => text,
                    })
                })
            }
            (Self::Plain { instead, .. }, _) => {
                let at = edit.base.target?;
                edit.replace(at, |field, was, choices| {
                    let was: String = serde_json::from_slice(was).unwrap_or_default();
                    match instead(field, &was, &|_| true, choices)? {
                        Plain::Number(digits) => Some(digits.into_bytes()),
                        Plain::Text(text) => {
                            let mut quoted = Vec::new();
                            valid::quote(&text, false, &mut quoted);
                            Some(quoted)
                        }
                    }
                })
            }
            (Self::Sent { instead, .. }, Target::Parameter(index)) => {
                edit.resend(index, |slot, _, was, choices| Some(instead(slot, was, choices)))
            }
            (Self::Parameter { change, .. }, Target::Parameter(index)) => change(edit, index),
            (Self::Request { change, .. }, _) => change(edit),
            (Self::Value { change, .. }, _) => {
                let at = edit.base.target?;
                change(edit, at)
            }
            _ => None,
        }
    }
}

impl Edit<'_, '_> {
    /// Puts other JSON in the stead of the value of a spot.
    fn replace(
        &mut self,
        at: usize,
        instead: impl Fn(&Field, &[u8], &mut Choices) -> Option<Vec<u8>>,
    ) -> Option<Change> {
        let spot = self.base.spots[at];
        let was = self.base.draft.body[spot.value..spot.end].to_vec();
        let became = instead(&self.plan.fields[spot.field], &was, self.choices)?;
        let change = Change::new(self.pointer(at)).was(&was).became(&became);
        self.splice(spot.value, spot.end, &became);
        Some(change)
    }

    /// Sends something else for a parameter.
    fn resend(
        &mut self,
        index: usize,
        instead: impl Fn(&Slot, &Plan, &str, &mut Choices) -> Option<String>,
    ) -> Option<Change> {
        let plan = self.plan;
        let slot = &plan.parameters[index];
        let was = self.sent(index)?;
        let change = Change::new(slot.pointer()).was(&was);
        let became = instead(slot, plan, &String::from_utf8_lossy(&was), self.choices)?;
        let mut change = change.became(became.as_bytes());
        if became.is_empty() && plan.ends_with(slot) {
            // That is another path, not an empty value.
            change.pointer = "/path".into();
        }
        let draft = &mut self.base.draft;
        match slot.place {
            Place::Header => {
                let name = slot.name.to_ascii_lowercase();
                draft.headers.iter_mut().find(|(other, _)| *other == name)?.1 = became.into_bytes();
            }
            Place::Path => *draft.segments.get_mut(self.plan.segment(slot)?)? = became,
            Place::Query => draft.query.iter_mut().find(|(.., other)| *other == index)?.1 = became,
        }
        Some(change)
    }

    /// What is sent for a parameter, as it is sent.
    pub(super) fn sent(&self, index: usize) -> Option<Vec<u8>> {
        let slot = &self.plan.parameters[index];
        let draft = &self.base.draft;
        Some(match slot.place {
            Place::Header => {
                let name = slot.name.to_ascii_lowercase();
                draft.headers.iter().find(|(other, _)| *other == name)?.1.clone()
            }
            Place::Path => draft.segments.get(self.plan.segment(slot)?)?.clone().into_bytes(),
            Place::Query => draft.query.iter().find(|(.., other)| *other == index)?.1.clone().into_bytes(),
        })
    }

    /// The pointer of a spot, in canonical names.
    pub(super) fn pointer(&self, at: usize) -> String {
        let spot = &self.base.spots[at];
        let field = &self.plan.fields[spot.field];
        if field.parent.is_none() {
            return "/body".into();
        }
        let parent = self.pointer(spot.parent);
        if field.name.is_empty()
            && self.plan.fields[self.base.spots[spot.parent].field].items == Some(spot.field)
        {
            format!("{parent}/{}", spot.index)
        } else {
            format!("{parent}/{}", escape(&field.name))
        }
    }

    /// Puts a text in the stead of a part of the body.
    pub(super) fn splice(&mut self, start: usize, end: usize, text: &[u8]) {
        self.base.draft.body.splice(start..end, text.iter().copied());
    }
}
