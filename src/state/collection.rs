//! The records of one resource in one scope, in the order in which they were made.

use std::sync::Arc;

use super::sorted::Sorted;

/// Records by their ids; each is JSON text, which takes a tenth of what parsed values do.
///
/// A clone shares all of it, and a change to either then copies a part of each list.
#[derive(Clone, Debug, Default)]
pub(super) struct Collection {
    /// The records in order; what was deleted leaves a hole until there are too many. All parts but the last are full.
    slots: Vec<Arc<Part>>,
    /// Where the record with an id is.
    ids: Sorted<u32>,
    /// How many records have a value that ought to be unique.
    unique: Sorted<u32>,
}

type Part = Vec<Option<Arc<str>>>;

/// How many places a part has.
const PART: usize = 256;

impl Collection {
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether it knows of nothing.
    pub(super) fn is_unused(&self) -> bool {
        self.ids.is_empty() && self.unique.is_empty()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Arc<str>> {
        let slot = *self.ids.get(id)? as usize;
        self.slots.get(slot / PART)?.get(slot % PART)?.as_ref()
    }

    /// How many records have this value that ought to be unique.
    pub(super) fn holders(&self, key: &str) -> u32 {
        self.unique.get(key).copied().unwrap_or_default()
    }

    /// The records from a position on.
    pub(super) fn from(&self, skip: usize) -> impl Iterator<Item = &Arc<str>> {
        // Without holes there is nothing to count.
        let (start, left) = if self.places() == self.ids.len() { (skip, 0) } else { (0, skip) };
        let parts = self.slots.get(start / PART..).unwrap_or_default();
        parts.iter().flat_map(|part| part.iter()).skip(start % PART).flatten().skip(left)
    }

    /// Puts a record in the place of the one with its id, or at the end; gives back the one that was there.
    pub(super) fn put(&mut self, id: &str, record: Arc<str>) -> Option<Arc<str>> {
        if let Some(&slot) = self.ids.get(id) {
            return self.slot(slot).replace(record);
        }
        let slot = u32::try_from(self.places()).expect("a session has fewer than 2^32 records");
        match self.slots.last_mut().filter(|last| last.len() < PART) {
            Some(last) => Arc::make_mut(last).push(Some(record)),
            None => self.slots.push(Arc::new(vec![Some(record)])),
        }
        *self.ids.entry(id) = slot;
        None
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Arc<str>> {
        let slot = self.ids.remove(id)?;
        let record = self.slot(slot).take();
        if self.places() > 2 * self.ids.len() + FEW {
            self.close_holes();
        }
        record
    }

    /// Notes that a record has these unique values.
    pub(super) fn hold(&mut self, keys: &[String]) {
        for key in keys {
            *self.unique.entry(key) += 1;
        }
    }

    /// Notes that one record fewer has these unique values.
    pub(super) fn release(&mut self, keys: &[String]) {
        for key in keys {
            if let Some(count) = self.unique.get_mut(key) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.unique.remove(key);
                }
            }
        }
    }

    /// How many places there are, holes among them.
    fn places(&self) -> usize {
        self.slots.last().map_or(0, |last| (self.slots.len() - 1) * PART + last.len())
    }

    fn slot(&mut self, slot: u32) -> &mut Option<Arc<str>> {
        let slot = slot as usize;
        &mut Arc::make_mut(&mut self.slots[slot / PART])[slot % PART]
    }

    fn close_holes(&mut self) {
        let mut next = 0;
        let slots = self.slots.iter().flat_map(|part| part.iter());
        let moved: Vec<u32> = slots
            .map(|slot| {
                let own = next;
                next += u32::from(slot.is_some());
                own
            })
            .collect();
        let left: Vec<_> = self.from(0).map(|record| Some(Arc::clone(record))).collect();
        self.slots = left.chunks(PART).map(|part| Arc::new(part.to_vec())).collect();
        self.ids.values_mut().for_each(|slot| *slot = moved[*slot as usize]);
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
        assert!(collection.places() < 250, "{}", collection.places());
        assert_eq!(collection.get("987").map(|record| &**record), Some("987"));
        assert_eq!(collection.get("988"), None);
        assert_eq!(texts(&collection, 98), ["987", "997"]);
    }

    #[test]
    fn a_value_is_held_until_its_last_holder_lets_go() {
        let mut collection = Collection::default();
        collection.hold(&["k".into()]);
        collection.hold(&["k".into()]);
        collection.release(&["k".into(), "unknown".into()]);
        assert_eq!(collection.holders("k"), 1);
        collection.release(&["k".into()]);
        assert_eq!(collection.holders("k"), 0);
    }
}
