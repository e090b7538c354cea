//! The operators: every way in which a valid request is changed.
//!
//! An operator is one entry of one of the files below: its name, what it does, where it acts and what that breaks
//! there, and how it changes the request. There is no second place that knows of it.

mod change;
mod definition;
mod head;
mod json_type;
mod limit;
mod member;
mod parameter;
mod text;
mod token;

use std::{
    borrow::Cow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::LazyLock,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use definition::{Act, Definition};
pub(super) use {change::Change, definition::Effect};

use super::{
    Choices,
    plan::{FieldId, Plan},
    valid::Base,
};

/// A change to a valid request, one of a closed list.
#[derive(Clone, Copy)]
pub struct Operator(&'static Definition);

static ALL: LazyLock<Vec<Operator>> = LazyLock::new(|| {
    let families =
        [head::ALL, json_type::ALL, limit::ALL, member::ALL, parameter::ALL, text::ALL, token::ALL];
    let mut all = families.concat();
    all.sort_unstable();
    all
});

/// What an operator acts on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Target {
    /// A place of the body.
    Field(FieldId),
    /// The parameter of this position.
    Parameter(usize),
    /// The request as a whole.
    Request,
}

/// A place where an operator can act.
pub(super) struct Site {
    pub(super) target: Target,
    pub(super) effect: Effect,
    /// The fields from the body to the target; all of them must be there.
    pub(super) path: Vec<FieldId>,
    act: &'static Act,
}

impl Operator {
    /// Every operator, in alphabetical order.
    pub fn all() -> &'static [Self] {
        &ALL
    }

    /// Its name, as it stands in labels.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// What it does, in a line.
    pub fn description(self) -> &'static str {
        self.0.description.trim_ascii()
    }

    /// Whether it writes the names of headers in capitals, which only the bytes on a connection show.
    pub(super) fn writes_capitals(self) -> bool {
        self.0.in_capitals
    }

    /// Whether the place that it acts on must hold an object.
    pub(super) fn needs_object(self) -> bool {
        self.0.needs_object
    }

    /// The places where it can act on requests of an operation.
    fn sites(self, plan: &Plan) -> Vec<Site> {
        let mut sites = Vec::new();
        let parameters = (0..plan.parameters.len()).map(Target::Parameter);
        let fields = plan.body.map_or(0..0, |root| root..plan.fields.len()).map(Target::Field);
        for target in std::iter::once(Target::Request).chain(parameters).chain(fields) {
            for act in self.0.acts {
                let Some(effect) = act.effect(plan, target) else {
                    continue;
                };
                let path = match target {
                    Target::Field(field) => plan.path(field),
                    Target::Parameter(_) | Target::Request => Vec::new(),
                };
                if path.iter().all(|field| plan.fields[*field].is_reachable) {
                    sites.push(Site { target, effect, path, act });
                }
            }
        }
        sites
    }
}

/// Every place where each operator can act on requests of an operation.
pub(super) fn sites(plan: &Plan) -> Vec<(Operator, Vec<Site>)> {
    let groups = Operator::all().iter().map(|operator| (*operator, operator.sites(plan)));
    groups.filter(|(_, sites)| !sites.is_empty()).collect()
}

impl Site {
    /// Changes `base` here; none when the operator finds that it does not apply after all.
    pub(super) fn change(&self, plan: &Plan, base: &mut Base, choices: &mut Choices) -> Option<Change> {
        self.act.change(self.target, &mut definition::Edit { plan, base, choices })
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

impl FromStr for Operator {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::all().iter().find(|operator| operator.name() == name);
        found.copied().ok_or_else(|| {
            let names: Vec<_> = Self::all().iter().map(|operator| operator.name()).collect();
            format!("there is no operator `{name}`; the operators are {}", names.join(", "))
        })
    }
}

impl Serialize for Operator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Operator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operator_has_a_name_of_its_own_and_a_description() {
        let names: BTreeSet<_> = Operator::all().iter().map(|operator| operator.name()).collect();
        assert_eq!(names.len(), Operator::all().len());
        for operator in Operator::all() {
            assert_eq!(operator.name().parse(), Ok(*operator));
            assert!(operator.description().ends_with('.'), "{operator}");
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_names_there_are() {
        let error = "dropMembers".parse::<Operator>().unwrap_err();
        assert!(
            error.starts_with("there is no operator `dropMembers`; the operators are aboveMaximum, "),
            "{error}"
        );
    }
}
