//! A map by text whose clones share what they have.

use std::sync::Arc;

/// A map that is cheap to clone, and whose clones cost little when they change: it is a list of sorted parts, and a
/// change copies the list and one part.
///
/// Parts that are full are what a vector takes, where a tree of nodes or a table with room to grow takes half as much
/// again.
#[derive(Clone, Debug)]
pub(super) struct Sorted<V> {
    /// None of them is empty but on the way.
    parts: Vec<Arc<Part<V>>>,
    len: usize,
}

type Part<V> = Vec<(Arc<str>, V)>;

/// The most entries of a part.
const MOST: usize = 256;

/// How many entries a part has room for beyond twice what it has.
const SPARE: usize = 8;

impl<V> Default for Sorted<V> {
    fn default() -> Self {
        Self { parts: Vec::new(), len: 0 }
    }
}

impl<V: Clone> Sorted<V> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn get(&self, key: &str) -> Option<&V> {
        let part = self.parts.get(self.part_of(key))?;
        let at = place_in(part, key).ok()?;
        Some(&part[at].1)
    }

    /// The value of a key that is there, to be changed.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        let index = self.part_of(key);
        let part = self.parts.get_mut(index)?;
        let at = place_in(part, key).ok()?;
        Some(&mut Arc::make_mut(part)[at].1)
    }

    /// The entries in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &V)> {
        self.parts.iter().flat_map(|part| part.iter()).map(|(key, value)| (key, value))
    }

    /// All values, to be changed.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.parts.iter_mut().flat_map(Arc::make_mut).map(|(_, value)| value)
    }

    /// The value of a key, which is the default where there was none, to be changed.
    pub(super) fn entry(&mut self, key: &str) -> &mut V
    where
        V: Default,
    {
        if self.parts.is_empty() {
            self.parts.push(Arc::default());
        }
        let mut index = self.part_of(key);
        let mut place = place_in(&self.parts[index], key);
        if place.is_err() && self.parts[index].len() == MOST {
            let upper = Arc::make_mut(&mut self.parts[index]).split_off(MOST / 2);
            self.parts.insert(index + 1, Arc::new(upper));
            index = self.part_of(key);
            place = place_in(&self.parts[index], key);
        }
        let part = Arc::make_mut(&mut self.parts[index]);
        let at = place.unwrap_or_else(|at| {
            part.insert(at, (key.into(), V::default()));
            self.len += 1;
            at
        });
        &mut part[at].1
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<V> {
        let index = self.part_of(key);
        let at = place_in(self.parts.get(index)?, key).ok()?;
        let part = Arc::make_mut(&mut self.parts[index]);
        let (_, value) = part.remove(at);
        self.len -= 1;
        if part.is_empty() {
            self.parts.remove(index);
            return Some(value);
        }
        if part.capacity() > 2 * part.len() + SPARE {
            part.shrink_to_fit();
        }
        if !self.close_up(index) && index > 0 {
            self.close_up(index - 1);
        }
        Some(value)
    }

    /// Makes one part of this one and the next when they are nearly empty, and says whether.
    fn close_up(&mut self, index: usize) -> bool {
        let next = self.parts.get(index + 1).map_or(MOST, |next| next.len());
        let is_little = self.parts[index].len() + next <= MOST / 4;
        if is_little {
            let next = self.parts.remove(index + 1);
            let part = Arc::make_mut(&mut self.parts[index]);
            part.extend(next.iter().cloned());
            part.shrink_to_fit();
        }
        is_little
    }

    /// The part that a key is in, or belongs to.
    fn part_of(&self, key: &str) -> usize {
        let begins_before = |part: &Arc<Part<V>>| part.first().is_some_and(|(first, _)| **first <= *key);
        self.parts.partition_point(begins_before).saturating_sub(1)
    }
}

fn place_in<V>(part: &Part<V>, key: &str) -> Result<usize, usize> {
    part.binary_search_by(|(own, _)| (**own).cmp(key))
}

impl<V: Clone + PartialEq> PartialEq for Sorted<V> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<V: Clone + Eq> Eq for Sorted<V> {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The same numbers on every machine, in no order.
    fn keys(count: u32) -> impl Iterator<Item = String> {
        (0..count).map(|number| format!("{:08x}", number.wrapping_mul(0x9e37_79b9)))
    }

    fn entries(sorted: &Sorted<u32>) -> BTreeMap<String, u32> {
        sorted.iter().map(|(key, value)| (key.to_string(), *value)).collect()
    }

    #[test]
    fn it_is_a_map_whatever_is_put_and_removed() {
        let (mut sorted, mut map) = (Sorted::default(), BTreeMap::new());
        for (number, key) in (0..).zip(keys(5000)) {
            *sorted.entry(&key) += number;
            map.insert(key.clone(), number);
            if number % 3 == 0 {
                let other = keys(number + 1).nth(number as usize / 2).unwrap();
                assert_eq!(sorted.remove(&other), map.remove(&other), "{other}");
            }
        }
        assert_eq!(entries(&sorted), map);
        assert_eq!(sorted.len(), map.len());
        let in_order: Vec<_> = sorted.iter().map(|(key, _)| &**key).collect();
        assert!(in_order.is_sorted());

        for key in keys(5000) {
            assert_eq!(sorted.get(&key), map.get(&key), "{key}");
            assert_eq!(sorted.get_mut(&key).copied(), map.get(&key).copied(), "{key}");
            assert_eq!(sorted.remove(&key), map.remove(&key), "{key}");
            assert_eq!(sorted.get(&key), None);
        }
        assert!(sorted.is_empty() && sorted.parts.is_empty());
    }

    #[test]
    fn a_clone_stays_as_it_was_and_shares_all_parts_but_the_one_that_changed() {
        let mut sorted = Sorted::default();
        keys(5000).for_each(|key| *sorted.entry(&key) = 1);
        let before = sorted.clone();

        *sorted.entry("80000000") = 2;

        assert_eq!(before.get("80000000"), None);
        let shared = |part: &Arc<Part<u32>>| before.parts.iter().any(|other| Arc::ptr_eq(part, other));
        assert!(sorted.parts.iter().filter(|part| !shared(part)).count() <= 2);
    }

    #[test]
    fn what_is_left_in_order_of_many_is_in_few_small_parts() {
        let mut sorted: Sorted<u32> = Sorted::default();
        let keys: Vec<_> = (0..10_000).map(|number| format!("{number:08}")).collect();
        for key in &keys {
            *sorted.entry(key) = 1;
        }
        for (number, key) in keys.iter().enumerate().filter(|(number, _)| number % 100 > 0) {
            assert_eq!(sorted.remove(key), Some(1), "{number}");
        }
        assert_eq!(sorted.len(), 100);
        assert!(sorted.parts.len() <= 8, "{}", sorted.parts.len());
        assert!(sorted.parts.iter().all(|part| part.capacity() <= 2 * part.len() + SPARE));
    }

    #[test]
    fn what_is_left_of_many_is_in_few_parts() {
        let mut sorted: Sorted<u32> = Sorted::default();
        keys(5000).for_each(|key| *sorted.entry(&key) = 1);
        for key in keys(5000).skip(40) {
            sorted.remove(&key);
        }
        assert!(sorted.parts.len() <= 4, "{}", sorted.parts.len());
    }
}
