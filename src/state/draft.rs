//! What an exchange is about to change: the session as it will be, while it is still as it was.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    Bounds, Change, Place, Session,
    change::{Op, cost},
};
use crate::{
    contract::{Pointer, Resource, Template},
    json,
};

/// A session with changes on top that are not yet done.
pub(crate) struct Draft<'a> {
    session: &'a Session,
    received: Timestamp,
    counter: u64,
    clock: Timestamp,
    ops: Vec<Op>,
    /// Where the last change of a record is; only once there are several.
    latest: HashMap<(Arc<str>, String), usize>,
    /// The ids of what is stored in a place, beside what the session has there.
    added: HashMap<Arc<str>, BTreeSet<String>>,
    /// The places that everything was deleted from.
    cleared: HashSet<Arc<str>>,
    /// How many holders more or fewer the unique values have.
    holders: HashMap<(Arc<str>, String), i64>,
    bytes: isize,
    resources: isize,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(session: &'a Session, received: Timestamp) -> Self {
        Self {
            session,
            received,
            counter: session.counter,
            clock: session.clock,
            ops: Vec::new(),
            latest: HashMap::new(),
            added: HashMap::new(),
            cleared: HashSet::new(),
            holders: HashMap::new(),
            bytes: 0,
            resources: 0,
        }
    }

    pub(crate) fn session(&self) -> &'a Session {
        self.session
    }

    /// The record with an id, as it will be.
    pub(crate) fn get(&self, place: &Place, id: &str) -> Option<&Arc<str>> {
        if !self.ops.is_empty()
            && let Some(index) = self.latest.get(&(Arc::clone(&place.name), id.to_owned()))
        {
            return self.ops[*index].record.as_ref();
        }
        self.session.get(&place.name, id)
    }

    /// Deletes everything in a place.
    pub(crate) fn clear(&mut self, place: &Place, resource: &Resource) {
        let mut ids = self.added.get(&place.name).cloned().unwrap_or_default();
        // What was there before can be deleted but once.
        if self.cleared.insert(Arc::clone(&place.name)) {
            let records = self.session.from(&place.name, 0).filter_map(parsed);
            ids.extend(
                records
                    .filter_map(|record| record.get(&resource.id).and_then(Value::as_str).map(str::to_owned)),
            );
        }
        for id in ids {
            if let Some(record) = self.get(place, &id).and_then(parsed) {
                self.remove(place, &id, unique_keys(resource, &record));
            }
        }
    }

    /// The time that it is: that of the request, and never earlier than what was told before.
    pub(crate) fn now(&mut self) -> Timestamp {
        self.clock = self.clock.max(self.received);
        self.clock
    }

    /// A text of this shape that no record in a place has for its id.
    pub(crate) fn make_id(&mut self, place: &Place, shape: &Template) -> String {
        loop {
            // A snapshot may begin near the end of the numbers.
            self.counter = self.counter.wrapping_add(1);
            let id = self.make(shape, 0);
            if self.get(place, &id).is_none() {
                return id;
            }
        }
    }

    /// A text of this shape for the record whose id was made last; another one for each `index`.
    pub(crate) fn make(&self, shape: &Template, index: u64) -> String {
        let mut state = mix(self.session.seed ^ mix(self.counter)).wrapping_add(mix(index));
        shape.make(&mut || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mix(state)
        })
    }

    /// Whether a record other than one that was like `before` has a value that ought to be unique.
    pub(crate) fn is_taken(&self, place: &Place, key: &str) -> bool {
        let delta = self.holders.get(&(Arc::clone(&place.name), key.to_owned())).copied().unwrap_or_default();
        i64::from(self.session.holders(&place.name, key)) + delta > 0
    }

    /// Stores a record; `keys` are its unique values, `gone` those of the one in whose place it comes.
    pub(crate) fn put(
        &mut self,
        place: &Place,
        id: &str,
        record: Arc<str>,
        keys: Vec<String>,
        gone: Vec<String>,
    ) {
        self.push(Op { place: place.clone(), id: id.to_owned(), record: Some(record), keys, gone });
    }

    /// Deletes a record; `gone` are its unique values.
    pub(crate) fn remove(&mut self, place: &Place, id: &str, gone: Vec<String>) {
        self.push(Op { place: place.clone(), id: id.to_owned(), record: None, keys: Vec::new(), gone });
    }

    fn push(&mut self, op: Op) {
        let before = self.get(&op.place, &op.id).map(|record| cost(&op.place, &op.id, record, &op.gone));
        let after = op.record.as_ref().map(|record| cost(&op.place, &op.id, record, &op.keys));
        self.bytes += signed(after.unwrap_or_default()) - signed(before.unwrap_or_default());
        self.resources += isize::from(after.is_some()) - isize::from(before.is_some());
        for (keys, delta) in [(&op.gone, -1), (&op.keys, 1)] {
            for key in keys {
                *self.holders.entry((Arc::clone(&op.place.name), key.clone())).or_default() += delta;
            }
        }
        if op.record.is_some() {
            self.added.entry(Arc::clone(&op.place.name)).or_default().insert(op.id.clone());
        } else if let Some(added) = self.added.get_mut(&op.place.name) {
            added.remove(&op.id);
        }
        self.latest.insert((Arc::clone(&op.place.name), op.id.clone()), self.ops.len());
        self.ops.push(op);
    }

    /// Fails when the session would be larger than its bounds with the changes so far, or grow by more than `room` bytes:
    /// with what it would have too much of, as a phrase that completes "but found …".
    pub(crate) fn check(&self, bounds: &Bounds, room: usize) -> Result<(), String> {
        let resources = self.session.resources.saturating_add_signed(self.resources);
        let bytes = self.session.bytes.saturating_add_signed(self.bytes);
        // What makes a session smaller is never refused.
        if self.resources > 0 && resources > bounds.resources {
            return Err(format!("{resources} resources in a session that may have {}", bounds.resources));
        }
        if self.bytes > 0 && bytes > bounds.bytes {
            return Err(format!("{bytes} bytes in a session that may have {}", bounds.bytes));
        }
        if self.bytes > 0 && self.bytes.unsigned_abs() > room {
            return Err(format!("{} bytes where all sessions together may grow by {room}", self.bytes));
        }
        Ok(())
    }

    /// The change.
    pub(crate) fn finish(self) -> Change {
        Change { ops: self.ops, counter: self.counter, clock: self.clock, bytes: self.bytes }
    }
}

/// The values of a record that ought to be unique, each as a key of its own.
pub(crate) fn unique_keys(resource: &Resource, record: &Value) -> Vec<String> {
    let values = resource.unique.iter().enumerate();
    values.filter_map(|(index, (at, _))| unique_key(index, at, record)).collect()
}

/// The same of a record that this program wrote.
pub(crate) fn unique_keys_of_text(resource: &Resource, record: &str) -> Vec<String> {
    let part = part_of(record, |name| resource.unique.iter().any(|(at, _)| at.top() == Some(name)));
    part.map(|part| unique_keys(resource, &part)).unwrap_or_default()
}

/// What is needed of a record that this program wrote: these members at least.
pub(crate) fn part_of(record: &str, is_needed: impl Fn(&str) -> bool) -> Option<Value> {
    let part = json::members(record).and_then(|members| {
        let members = members.into_iter().filter(|(name, _)| is_needed(name));
        let part: Option<Map<_, _>> =
            members.map(|(name, text)| Some((name.to_owned(), serde_json::from_str(text).ok()?))).collect();
        part.map(Value::Object)
    });
    part.or_else(|| serde_json::from_str(record).ok())
}

/// The key of the value that ought to be unique at a place, the one with this position in the resource's list.
pub(crate) fn unique_key(index: usize, at: &Pointer, record: &Value) -> Option<String> {
    let value = at.get(record).filter(|value| !value.is_null())?;
    Some(format!("{index}{value}"))
}

/// A record that this program wrote.
pub(crate) fn parsed(record: &Arc<str>) -> Option<Value> {
    serde_json::from_str(record).ok()
}

fn signed(size: usize) -> isize {
    isize::try_from(size).unwrap_or(isize::MAX)
}

/// The finalizer of `SplitMix64`: the same on every machine.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
