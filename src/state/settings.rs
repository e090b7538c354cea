//! What is decided beforehand about state.

use std::collections::BTreeMap;

use super::Bounds;
use crate::contract::{Choice, Way};

/// How state is kept, and how it takes what the documentation leaves open.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StateSettings {
    /// The choices that differ from the contract's own, each by its name, as [`Contract::assume`](crate::Contract::assume) reads them.
    pub assume: BTreeMap<String, String>,
    /// What becomes of ids that name nothing.
    pub references: References,
    /// How much a session may hold.
    pub bounds: Bounds,
}

impl StateSettings {
    /// Which way a choice is taken.
    pub(crate) fn way(&self, choice: &Choice) -> Way {
        choice.taken(&self.assume)
    }
}

/// What becomes of a request with ids that name nothing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum References {
    /// It is refused.
    Enforce,
    /// It is valid, and they are readings.
    #[default]
    Report,
}
