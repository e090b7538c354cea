//! What operations create and later requests read: plain owned values, without clock, randomness or locks.

mod change;
mod collection;
mod draft;
mod named;
mod references;
mod settings;
mod snapshot;
mod sorted;

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use serde_json::Value;

use crate::{Contract, Violation, contract::Resource};
use change::Op;
use collection::Collection;
use sorted::Sorted;

pub use change::Change;
pub(crate) use draft::{Draft, parsed, part_of, unique_key, unique_keys, unique_keys_of_text};
pub(crate) use references::dangling;
pub use settings::{References, StateSettings};

/// What one client, test or team has created so far.
///
/// A clone shares what there is, and is cheap; a change to either of the two then copies a small part of the lists.
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
    places: Sorted<Arc<Collection>>,
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

    /// The session that a snapshot describes, by the settings of the stub that is to answer from it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the snapshot, with pointers into it.
    pub fn start(
        contract: &Contract,
        snapshot: &Value,
        settings: &StateSettings,
    ) -> Result<Self, Vec<Violation>> {
        snapshot::read(contract, snapshot, settings)
    }

    /// All of it, as JSON that [`Session::start`] reads back into an equal session.
    pub fn snapshot(&self) -> Value {
        // Values take ten times the memory of the text, so this is for sessions that somebody looks at.
        serde_json::from_str(&self.json().to_string()).unwrap_or_default()
    }

    /// The same as text: it costs no more than to write it.
    pub fn json(&self) -> impl fmt::Display {
        Text(self)
    }

    /// Does what was decided about this very session.
    pub fn apply(&mut self, change: Change) {
        if change.is_empty() {
            return;
        }
        for op in change.ops {
            self.apply_to(op);
        }
        self.counter = change.counter;
        self.clock = change.clock;
        // A snapshot may begin near the end of the numbers.
        self.version = self.version.wrapping_add(1);
    }

    fn apply_to(&mut self, op: Op) {
        let Op { place, id, record, keys, gone } = op;
        let collection = Arc::make_mut(self.places.entry(&place.name));
        let cost = record.as_ref().map_or(0, |record| change::cost(&place, &id, record, &keys));
        let is_there = record.is_some();
        let before = match record {
            Some(record) => collection.put(&id, record),
            None => collection.remove(&id),
        };
        collection.release(&gone);
        collection.hold(&keys);
        if collection.is_unused() {
            self.places.remove(&place.name);
        }
        let freed = before.as_ref().map_or(0, |before| change::cost(&place, &id, before, &gone));
        self.bytes = (self.bytes + cost).saturating_sub(freed);
        self.resources = self.resources + usize::from(is_there) - usize::from(before.is_some());
        if let Some(outer) = place.outer.as_ref().filter(|_| is_there != before.is_some()) {
            let collection = Arc::make_mut(self.places.entry(outer));
            if is_there {
                collection.hold(&[id]);
            } else {
                collection.release(&[id]);
            }
            if collection.is_unused() {
                self.places.remove(outer);
            }
        }
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

    /// Whether there is a resource with some id; one with a parent may be in any.
    pub(crate) fn has<'a>(&'a self, resource: &Resource, scope: &[String]) -> impl Fn(&str) -> bool + 'a {
        let place = self.places.get(&place_name(&resource.name, scope));
        let is_part = resource.parent.is_some();
        move |id| {
            place.is_some_and(|place| if is_part { place.holders(id) > 0 } else { place.get(id).is_some() })
        }
    }

    fn holders(&self, place: &str, key: &str) -> u32 {
        self.places.get(place).map_or(0, |place| place.holders(key))
    }
}

/// Whose a resource is: names and values in turn, such as `stream` and `st-1`.
pub(crate) type Scope = Vec<String>;

/// A session that is to be written.
struct Text<'a>(&'a Session);

impl fmt::Display for Text<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        snapshot::write(self.0, out)
    }
}

/// Where records of one resource and one scope are stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    pub(crate) name: Arc<str>,
    /// Of what has a parent: the place that knows which ids there are, whatever the parent.
    pub(crate) outer: Option<Arc<str>>,
}

impl Place {
    /// The place of a resource; of one with a parent, the parent is the last of the scope.
    pub(crate) fn new(resource: &Resource, scope: &[String]) -> Self {
        let outer = resource.parent.as_ref().and_then(|_| scope.get(..scope.len().checked_sub(2)?));
        Self {
            name: place_name(&resource.name, scope).into(),
            outer: outer.map(|outer| place_name(&resource.name, outer).into()),
        }
    }
}

/// The name of a place: the resource and whose it is, as a JSON array, so that no two places have one name.
fn place_name(resource: &str, scope: &[String]) -> String {
    let names = std::iter::once(resource).chain(scope.iter().map(String::as_str));
    serde_json::to_string(&names.collect::<Vec<_>>()).unwrap_or_default()
}
