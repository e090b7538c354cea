//! What an exchange changes in its session, and what it keeps of that.

use std::sync::Arc;

use jiff::Timestamp;

/// What an exchange changes in its session. It belongs to the session that it was decided for, as it was then.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Change {
    pub(super) ops: Vec<Op>,
    pub(super) counter: u64,
    pub(super) clock: Timestamp,
    pub(super) bytes: isize,
}

/// A record that is stored or deleted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Op {
    pub(super) place: Arc<str>,
    pub(super) id: String,
    /// None when it is deleted.
    pub(super) record: Option<Arc<str>>,
    /// Its unique values.
    pub(super) keys: Vec<String>,
    /// Those of the record that was there before.
    pub(super) gone: Vec<String>,
}

impl Change {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// By how many bytes the session grows, as [`crate::Session::bytes`] counts them; less than 0 when it shrinks.
    pub fn growth(&self) -> isize {
        self.bytes
    }
}

/// About what a record takes in a session.
pub(super) fn cost(id: &str, record: &str, keys: &[String]) -> usize {
    let keys: usize = keys.iter().map(|key| key.len() + KEY).sum();
    record.len() + id.len() + RECORD + keys
}

/// What a record takes beside its text and its id: two blocks of memory, and places in a list and in a table.
const RECORD: usize = 128;

/// What a unique value takes beside its text.
const KEY: usize = 64;

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

    pub(crate) fn new(name: &Arc<str>, id: &str, before: Option<&str>, after: Option<&str>) -> Self {
        let size = before.map_or(0, str::len) + after.map_or(0, str::len);
        let cut = size > Self::MOST;
        let kept = |record: Option<&str>| record.filter(|_| !cut).map(str::to_owned);
        Self { name: Arc::clone(name), id: id.to_owned(), before: kept(before), after: kept(after), cut }
    }
}
