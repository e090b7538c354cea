//! A session under another name.

use super::Session;

impl Session {
    /// The same state in a session of this name: the ids that are made from now on follow from it.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { seed: Self::new(name).seed, ..self }
    }
}
