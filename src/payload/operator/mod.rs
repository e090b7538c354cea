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

use std::{borrow::Cow, str::FromStr, sync::LazyLock};

use serde::{Deserialize, Deserializer, de};

#[cfg(feature = "campaign")]
pub(super) use change::excerpt;
use definition::Act;
pub use definition::Operator;
pub(super) use {change::Change, definition::Effect};

use super::{
    Choices,
    field::FieldId,
    plan::{Plan, Target},
    valid::Base,
};
use crate::near;

static ALL: LazyLock<Vec<Operator>> = LazyLock::new(|| {
    let families =
        [head::ALL, json_type::ALL, limit::ALL, member::ALL, parameter::ALL, text::ALL, token::ALL];
    let mut all = families.concat();
    all.sort_unstable();
    all
});

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

impl FromStr for Operator {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::all().iter().find(|operator| operator.name() == name);
        found.copied().ok_or_else(|| {
            let names: Vec<_> = Self::all().iter().map(|operator| operator.name()).collect();
            let hint = near::hint(name, names.iter().copied());
            format!("there is no operator `{name}`{hint}; the operators are {}", names.join(", "))
        })
    }
}

impl<'de> Deserialize<'de> for Operator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
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
            error.starts_with("there is no operator `dropMembers` (did you mean dropMember?); the operators are aboveMaximum, "),
            "{error}"
        );
    }
}
