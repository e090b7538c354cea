//! Placeholder: numbers exchanges and keeps them, until the journal proper takes this place.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use crate::{Delivery, DeliveryCell, Exchange, Recorded};

/// How much a journal keeps.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Exchanges.
    pub entries: usize,
    /// Bytes.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 10_000,
            bytes: 64 * 1024 * 1024,
        }
    }
}

/// A record of exchanges.
#[derive(Debug)]
pub struct Journal {
    limits: Limits,
    last: AtomicU64,
    kept: Mutex<std::collections::VecDeque<Arc<Recorded>>>,
}

impl Journal {
    /// An empty journal.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            last: AtomicU64::new(0),
            kept: Mutex::default(),
        }
    }

    /// Records an exchange.
    pub fn record(&self, exchange: Exchange) -> Arc<Recorded> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let recorded = Arc::new(Recorded {
            id: self.last.fetch_add(1, Ordering::Relaxed) + 1,
            exchange,
            delivery: DeliveryCell::new(Delivery::Pending),
        });
        if kept.len() == self.limits.entries {
            kept.pop_front();
        }
        kept.push_back(Arc::clone(&recorded));
        recorded
    }

    /// What is kept.
    pub fn snapshot(&self) -> Vec<Arc<Recorded>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().cloned().collect()
    }
}
