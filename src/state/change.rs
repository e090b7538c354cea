//! What an exchange changes in its session, and what it keeps of that.

use std::sync::Arc;

use jiff::Timestamp;

use super::Place;

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
    pub(super) place: Place,
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
pub(super) fn cost(place: &Place, id: &str, record: &str, keys: &[String]) -> usize {
    let keys: usize = keys.iter().map(|key| key.len() + KEY).sum();
    let outer = if place.outer.is_some() { id.len() + KEY } else { 0 };
    record.len() + id.len() + RECORD + keys + outer
}

/// What a record takes beside its text and its id: two blocks of memory, and places in a list and in a table.
const RECORD: usize = 128;

/// What a unique value takes beside its text.
const KEY: usize = 64;
