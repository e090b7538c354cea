//! What operations create and later requests read: plain owned values, without clock, randomness or locks.

mod change;
mod collection;
mod draft;
mod named;
mod references;
mod snapshot;

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use jiff::Timestamp;
use serde_json::Value;

use crate::{Contract, Violation};
use collection::Collection;

pub use change::{Change, Touched, TouchedResource};
pub(crate) use draft::{Draft, parsed, unique_keys};
pub(crate) use references::dangling;

/// What one client, test or team has created so far.
///
/// A clone shares the records, and is cheap; the first change to either of the two then copies a list of pointers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Session {
    /// What its ids are made from, beside the counter.
    seed: u64,
    /// How many ids were made.
    counter: u64,
    /// The last time that was told.
    clock: Timestamp,
    /// It grows by one with each change.
    version: u64,
    bytes: usize,
    resources: usize,
    /// What there is, by resource and scope.
    places: BTreeMap<Arc<str>, Arc<Collection>>,
}

/// How much a session may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bounds {
    /// The most resources.
    pub resources: usize,
    /// The most bytes, as [`Session::bytes`] counts them.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { resources: 100_000, bytes: 64 * 1024 * 1024 }
    }
}

impl Session {
    /// An empty session. The ids that are made in it follow from its name.
    pub fn new(name: &str) -> Self {
        // FNV-1a: the same on every machine.
        let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { seed, ..Self::default() }
    }

    /// The session that a snapshot describes.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the snapshot, with pointers into it.
    pub fn start(contract: &Contract, snapshot: &Value, bounds: &Bounds) -> Result<Self, Vec<Violation>> {
        snapshot::read(contract, snapshot, bounds)
    }

    /// All of it, as JSON that [`Session::start`] reads back into an equal session.
    pub fn snapshot(&self) -> Value {
        snapshot::write(self)
    }

    /// Does what was decided about this very session.
    pub fn apply(&mut self, change: Change) {
        if change.is_empty() {
            return;
        }
        for op in change.ops {
            let shared = self.places.entry(Arc::clone(&op.place)).or_default();
            let place = Arc::make_mut(shared);
            let before = match op.record {
                Some(record) => {
                    self.bytes += change::cost(&op.id, &record, &op.keys);
                    self.resources += 1;
                    place.put(&op.id, record)
                }
                None => place.remove(&op.id),
            };
            if let Some(before) = before {
                self.bytes = self.bytes.saturating_sub(change::cost(&op.id, &before, &op.gone));
                self.resources -= 1;
            }
            place.release(&op.gone);
            place.hold(op.keys);
            if place.len() == 0 {
                self.places.remove(&op.place);
            }
        }
        self.counter = change.counter;
        self.clock = change.clock;
        self.version += 1;
    }

    /// How many changes there were.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How many resources it has.
    pub fn resources(&self) -> usize {
        self.resources
    }

    /// About how much memory they take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The record with an id, as JSON.
    pub(crate) fn get(&self, place: &str, id: &str) -> Option<&Arc<str>> {
        self.places.get(place)?.get(id)
    }

    /// How many records a place has.
    pub(crate) fn count(&self, place: &str) -> usize {
        self.places.get(place).map_or(0, |place| place.len())
    }

    /// The records of a place from a position on, in the order in which they were made.
    pub(crate) fn from(&self, place: &str, skip: usize) -> impl Iterator<Item = &Arc<str>> {
        self.places.get(place).into_iter().flat_map(move |place| place.from(skip))
    }

    /// Whether a record with this id is in one of the places of a resource with a parent, whichever it is.
    pub(crate) fn has_below(&self, resource: &str, scope: &[String], id: &str) -> bool {
        let mut prefix = place(resource, scope);
        prefix.pop();
        prefix.push(',');
        self.places
            .range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
            .take_while(|(place, _)| place.starts_with(&prefix))
            .any(|(_, place)| place.get(id).is_some())
    }

    fn holders(&self, place: &str, key: &str) -> u32 {
        self.places.get(place).map_or(0, |place| place.holders(key))
    }
}

/// Whose a resource is: names and values in turn, such as `stream` and `st-1`.
pub(crate) type Scope = Vec<String>;

/// The name of a place: the resource and whose it is, as a JSON array, so that no two places have one name.
pub(crate) fn place(resource: &str, scope: &[String]) -> String {
    let names = std::iter::once(resource).chain(scope.iter().map(String::as_str));
    serde_json::to_string(&names.collect::<Vec<_>>()).unwrap_or_default()
}
