//! A session that differs from another in a number or a name only.

use super::Session;

impl Session {
    /// The same state in a session of this name: the ids that are made from now on follow from it.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { seed: Self::new(name).seed, ..self }
    }

    /// The same state after one more change.
    pub(crate) fn changed(self) -> Self {
        Self { version: self.version.wrapping_add(1), ..self }
    }
}
