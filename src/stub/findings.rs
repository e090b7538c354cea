//! What is wrong with a request: its violations, as many of them as are listed.

use crate::{Exchange, Violation};

/// The violations found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) violations: Vec<Violation>,
    /// Whether there are more than are listed.
    pub(super) truncated: bool,
}

impl Findings {
    pub(super) fn push(&mut self, violation: Violation) {
        if self.violations.len() == Exchange::MAX_VIOLATIONS {
            self.truncated = true;
        } else if self.violations.iter().all(|other| other.pointer != violation.pointer) {
            // One value gives one violation, also when a branch says more about it.
            self.violations.push(violation);
        }
    }
}

impl From<Violation> for Findings {
    fn from(violation: Violation) -> Self {
        Self { violations: vec![violation], truncated: false }
    }
}
