//! What an exchange changes in its session, and what it keeps of that.

use std::sync::Arc;

/// What an exchange changes in its session. It belongs to the session that it was decided for, as it was then.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Change {}

impl Change {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        true
    }

    /// By how many bytes the session grows, as [`crate::Session::bytes`] counts them; less than 0 when it shrinks.
    pub fn growth(&self) -> isize {
        0
    }
}

/// What an exchange had to do with the state of its session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Touched {
    /// The version of the state before the exchange.
    pub before: u64,
    /// The version after it.
    pub after: u64,
    /// What it changed: the first resource when there are several.
    pub resource: Option<TouchedResource>,
}

/// A resource that an exchange changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TouchedResource {
    /// What it is, such as `agent`.
    pub name: Arc<str>,
    /// Its id.
    pub id: String,
    /// How it was, as JSON; none when it was made by the exchange.
    pub before: Option<String>,
    /// How it is, as JSON; none when the exchange deleted it.
    pub after: Option<String>,
    /// Whether `before` and `after` are left out because together they are larger than [`TouchedResource::MOST`].
    pub cut: bool,
}

impl TouchedResource {
    /// How many bytes of a resource an exchange keeps.
    pub const MOST: usize = 64 * 1024;
}
