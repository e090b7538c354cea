//! What is under the journal's lock: the kept exchanges and four numbers.

use std::{collections::VecDeque, sync::Arc};

use super::{Counts, Limits};
use crate::Recorded;

/// The newest exchanges, without gaps, and what became of the others.
///
/// Exchanges only ever go at the old end, so everything up to `last - kept.len()` has gone, and of that everything past
/// `cleared` was dropped for want of room.
#[derive(Default)]
pub(super) struct Ring {
    kept: VecDeque<(Arc<Recorded>, usize)>,
    bytes: usize,
    /// The newest number given.
    last: u64,
    /// The newest number at the latest clear.
    cleared: u64,
    dropped: u64,
    forgotten: u64,
}

/// Some of the kept exchanges past a number, and how many past it have gone.
pub(crate) struct Chunk {
    /// The exchanges, oldest first.
    pub(crate) exchanges: Vec<Arc<Recorded>>,
    /// How many past the number went for want of room since the latest clear.
    pub(crate) dropped: u64,
    /// How many past the number went with the latest clear or before it.
    pub(crate) forgotten: u64,
    /// The newest number at the latest clear.
    pub(crate) cleared: u64,
    /// The newest number of all.
    pub(crate) last: u64,
}

impl Chunk {
    /// As many of the exchanges as one look may take, by what there is to look at in them; at least one.
    pub(crate) fn one_look(mut self) -> Self {
        let mut bytes = 0;
        let count = self.exchanges.iter().take_while(|recorded| {
            let exchange = &recorded.exchange;
            let is_first = bytes == 0;
            bytes += 1 + exchange.request.target.len() + exchange.request.body.len();
            is_first || bytes <= LOOK
        });
        let count = count.count();
        self.exchanges.truncate(count);
        self
    }
}

/// How many bytes are looked at together: some milliseconds, even when all of them are JSON to be read.
const LOOK: usize = 1024 * 1024;

impl Ring {
    pub(super) fn next_id(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Appends the exchange that has the number just given, and hands back what had to go for it.
    pub(super) fn push(&mut self, recorded: Arc<Recorded>, weight: usize, limits: Limits) -> Gone {
        self.kept.push_back((recorded, weight));
        self.bytes += weight;
        let mut gone = Gone::default();
        while self.kept.len() > limits.entries || self.bytes > limits.bytes {
            let Some((oldest, weight)) = self.kept.pop_front() else {
                break;
            };
            self.bytes -= weight;
            self.dropped += 1;
            gone.push(oldest);
        }
        // A few heavy exchanges do not keep the places of many light ones: see `weight::PLACES`.
        if self.kept.capacity() > 64 && self.kept.len() < self.kept.capacity() / 4 {
            self.kept.shrink_to(2 * self.kept.len());
        }
        gone
    }

    pub(super) fn get(&self, id: u64) -> Option<Arc<Recorded>> {
        let index = usize::try_from(id.checked_sub(self.gone() + 1)?).ok()?;
        self.kept.get(index).map(|(recorded, _)| Arc::clone(recorded))
    }

    pub(super) fn read(&self, after: u64, max: usize) -> Chunk {
        let gone = self.gone();
        let skip = usize::try_from(after.saturating_sub(gone)).unwrap_or(usize::MAX);
        let start = skip.min(self.kept.len());
        let end = start.saturating_add(max).min(self.kept.len());
        Chunk {
            exchanges: self.kept.range(start..end).map(|(recorded, _)| Arc::clone(recorded)).collect(),
            dropped: gone.saturating_sub(after.max(self.cleared)),
            forgotten: self.cleared.saturating_sub(after),
            cleared: self.cleared,
            last: self.last,
        }
    }

    pub(super) fn clear(&mut self) -> VecDeque<(Arc<Recorded>, usize)> {
        self.forgotten += self.kept.len() as u64;
        self.cleared = self.last;
        self.bytes = 0;
        std::mem::take(&mut self.kept)
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            recorded: self.last,
            kept: self.kept.len(),
            dropped: self.dropped,
            forgotten: self.forgotten,
            bytes: self.bytes,
        }
    }

    /// The newest number that is not kept any more.
    fn gone(&self) -> u64 {
        self.last - self.kept.len() as u64
    }
}

/// Exchanges on their way out; mostly one, which takes no allocation under the lock.
#[derive(Default)]
pub(super) struct Gone {
    first: Option<Arc<Recorded>>,
    others: Vec<Arc<Recorded>>,
}

impl Gone {
    fn push(&mut self, recorded: Arc<Recorded>) {
        if self.first.is_none() {
            self.first = Some(recorded);
        } else {
            self.others.push(recorded);
        }
    }
}
