//! Which exchanges are asked for.

use crate::{Matcher, Recorded};

/// Which exchanges are asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// What they look like.
    pub matcher: Matcher,
    /// Only exchanges with a higher number.
    pub after: u64,
}

impl Filter {
    /// Whether the exchange is one of them.
    pub fn matches(&self, recorded: &Recorded) -> bool {
        recorded.id > self.after && self.matcher.matches(&recorded.exchange)
    }
}
