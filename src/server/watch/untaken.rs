//! Replies that the client has not taken yet.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

/// Replies that the client has not taken yet. Instead of a time for each there are two counters, which change places
/// at each turn: new replies count as young, and those that were young at the last turn are old.
#[derive(Debug)]
pub(super) struct Untaken {
    counts: [AtomicU32; 2],
    /// Which of the counters is that of the young.
    young: AtomicU8,
    turned: AtomicU64,
}

impl Untaken {
    pub(super) fn new() -> Self {
        Self {
            counts: [AtomicU32::new(0), AtomicU32::new(0)],
            young: AtomicU8::new(0),
            turned: AtomicU64::new(1),
        }
    }

    /// Counts a reply, and returns the counter that it has to be taken from.
    pub(super) fn add(&self) -> u8 {
        let young = self.young.load(Relaxed);
        self.counts[usize::from(young)].fetch_add(1, Relaxed);
        young
    }

    /// One that this counter has is taken.
    pub(super) fn take(&self, counter: u8) {
        self.counts[usize::from(counter)].fetch_sub(1, Relaxed);
    }

    /// Whether there are replies which were there at the last turn.
    pub(super) fn has_old(&self) -> bool {
        self.counts[usize::from(self.young.load(Relaxed) ^ 1)].load(Relaxed) > 0
    }

    /// When the last turn was, as times of a [`Watch`](super::Watch) are.
    pub(super) fn turned(&self) -> u64 {
        self.turned.load(Relaxed)
    }

    /// Makes the young old; those that were old have all been taken.
    pub(super) fn turn(&self, now: u64) {
        self.young.fetch_xor(1, Relaxed);
        self.turned.store(now, Relaxed);
    }
}
