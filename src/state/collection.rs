//! The records of one resource in one scope, in the order in which they were made.

use std::{collections::HashMap, sync::Arc};

/// Records by their ids; each is JSON text, which takes a tenth of what parsed values do.
#[derive(Clone, Debug, Default)]
pub(super) struct Collection {
    /// The records in order; what was deleted leaves a hole until there are too many.
    slots: Vec<Option<Arc<str>>>,
    /// Where the record with an id is.
    ids: HashMap<Box<str>, u32>,
    /// How many records have a value that ought to be unique.
    unique: HashMap<Box<str>, u32>,
}

impl Collection {
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether it knows of nothing.
    pub(super) fn is_unused(&self) -> bool {
        self.ids.is_empty() && self.unique.is_empty()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Arc<str>> {
        self.slots.get(*self.ids.get(id)? as usize)?.as_ref()
    }

    /// How many records have this value that ought to be unique.
    pub(super) fn holders(&self, key: &str) -> u32 {
        self.unique.get(key).copied().unwrap_or_default()
    }

    /// The records from a position on.
    pub(super) fn from(&self, skip: usize) -> impl Iterator<Item = &Arc<str>> {
        // Without holes there is nothing to count.
        let (start, left) = if self.slots.len() == self.ids.len() { (skip, 0) } else { (0, skip) };
        self.slots.get(start..).unwrap_or_default().iter().flatten().skip(left)
    }

    /// Puts a record in the place of the one with its id, or at the end; gives back the one that was there.
    pub(super) fn put(&mut self, id: &str, record: Arc<str>) -> Option<Arc<str>> {
        if let Some(slot) = self.ids.get(id) {
            return self.slots[*slot as usize].replace(record);
        }
        let slot = u32::try_from(self.slots.len()).expect("a session has fewer than 2^32 records");
        self.slots.push(Some(record));
        self.ids.insert(id.into(), slot);
        None
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Arc<str>> {
        let slot = self.ids.remove(id)?;
        let record = self.slots[slot as usize].take();
        if self.slots.len() > 2 * self.ids.len() + FEW {
            self.close_holes();
        }
        record
    }

    /// Notes that a record has these unique values.
    pub(super) fn hold(&mut self, keys: Vec<String>) {
        for key in keys {
            *self.unique.entry(key.into()).or_default() += 1;
        }
    }

    /// Notes that one record fewer has these unique values.
    pub(super) fn release(&mut self, keys: &[String]) {
        for key in keys {
            if let Some(count) = self.unique.get_mut(key.as_str()) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.unique.remove(key.as_str());
                }
            }
        }
    }

    fn close_holes(&mut self) {
        let mut next = 0;
        let moved: Vec<u32> = self
            .slots
            .iter()
            .map(|slot| {
                let own = next;
                next += u32::from(slot.is_some());
                own
            })
            .collect();
        self.slots.retain(Option::is_some);
        self.ids.values_mut().for_each(|slot| *slot = moved[*slot as usize]);
        if self.slots.capacity() > 4 * self.slots.len() + FEW {
            self.slots.shrink_to_fit();
            self.ids.shrink_to_fit();
            self.unique.shrink_to_fit();
        }
    }
}

impl PartialEq for Collection {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.from(0).eq(other.from(0))
    }
}

impl Eq for Collection {}

/// How many holes do not matter.
const FEW: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(collection: &Collection, skip: usize) -> Vec<&str> {
        collection.from(skip).map(|record| &**record).collect()
    }

    #[test]
    fn records_keep_the_order_in_which_they_were_made() {
        let mut collection = Collection::default();
        for id in ["c", "a", "b", "d"] {
            assert_eq!(collection.put(id, id.into()), None);
        }
        assert_eq!(collection.put("a", "new".into()).as_deref(), Some("a"));
        assert_eq!(collection.remove("b").as_deref(), Some("b"));
        assert_eq!(collection.remove("b"), None);
        assert_eq!(texts(&collection, 0), ["c", "new", "d"]);
        assert_eq!(texts(&collection, 2), ["d"]);
        assert_eq!(texts(&collection, 3), [""; 0]);
        assert_eq!(collection.len(), 3);
    }

    #[test]
    fn holes_are_closed_and_everything_is_found_all_the_same() {
        let mut collection = Collection::default();
        let ids: Vec<_> = (0..1000).map(|n| n.to_string()).collect();
        for id in &ids {
            collection.put(id, id.as_str().into());
        }
        for id in ids.iter().filter(|id| !id.ends_with('7')) {
            collection.remove(id);
        }
        assert!(collection.slots.len() < 250, "{}", collection.slots.len());
        assert_eq!(collection.get("987").map(|record| &**record), Some("987"));
        assert_eq!(collection.get("988"), None);
        assert_eq!(texts(&collection, 98), ["987", "997"]);
    }

    #[test]
    fn a_value_is_held_until_its_last_holder_lets_go() {
        let mut collection = Collection::default();
        collection.hold(vec!["k".into()]);
        collection.hold(vec!["k".into()]);
        collection.release(&["k".into(), "unknown".into()]);
        assert_eq!(collection.holders("k"), 1);
        collection.release(&["k".into()]);
        assert_eq!(collection.holders("k"), 0);
    }
}
