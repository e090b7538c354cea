//! Waiting for a number of exchanges, without a thread or a clock: whoever waits asks again when the journal has grown.

use std::{collections::VecDeque, sync::Arc};

use super::{Filter, Journal};
use crate::Recorded;

/// A wait under way. It looks at each exchange once and keeps numbers only, so it never keeps an exchange alive that the
/// journal has dropped.
pub(crate) struct Waiting {
    filter: Filter,
    n: usize,
    position: u64,
    found: VecDeque<u64>,
}

impl Waiting {
    pub(crate) fn new(filter: Filter, n: usize) -> Self {
        Self { position: filter.after, filter, n, found: VecDeque::new() }
    }

    /// The first `n` exchanges that match, once the journal holds that many.
    pub(crate) fn poll(&mut self, journal: &Journal) -> Option<Vec<Arc<Recorded>>> {
        loop {
            if self.found.len() >= self.n {
                let found = self.found(journal);
                if found.len() >= self.n {
                    return Some(found);
                }
            }
            let chunk = journal.read(self.position, Journal::CHUNK);
            let Some(newest) = chunk.exchanges.last() else {
                // Whatever was recorded past the position has gone already.
                self.position = self.position.max(chunk.last);
                return None;
            };
            self.position = newest.id;
            self.found.extend(
                chunk
                    .exchanges
                    .iter()
                    .filter(|recorded| self.filter.matches(recorded))
                    .map(|recorded| recorded.id),
            );
        }
    }

    /// What there is so far, at most `n`. Forgets the numbers of those that have gone.
    pub(crate) fn found(&mut self, journal: &Journal) -> Vec<Arc<Recorded>> {
        let oldest = journal.read(0, 1).exchanges.first().map(|kept| kept.id);
        while let Some(&id) = self.found.front() {
            if oldest.is_some_and(|oldest| id >= oldest) {
                break;
            }
            self.found.pop_front();
        }
        self.found.iter().filter_map(|&id| journal.get(id)).take(self.n).collect()
    }

    /// The number up to which it has looked.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }
}
