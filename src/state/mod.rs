//! What operations create and later requests read: plain owned values, without clock, randomness or locks.

mod change;
mod named;

use serde_json::{Value, json};

use crate::{Contract, Violation};

pub use change::{Change, Touched, TouchedResource};

/// What one client, test or team has created so far.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Session {
    /// What its ids are made from, beside the counter.
    seed: u64,
    /// It grows by one with each change.
    version: u64,
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
    pub fn start(_contract: &Contract, _snapshot: &Value, _bounds: &Bounds) -> Result<Self, Vec<Violation>> {
        Ok(Self::new("default"))
    }

    /// All of it, as JSON that [`Session::start`] reads back into an equal session.
    pub fn snapshot(&self) -> Value {
        json!({"standin": "state", "format": 1, "seed": self.seed, "version": self.version})
    }

    /// Does what was decided about this very session.
    pub fn apply(&mut self, change: Change) {
        if !change.is_empty() {
            self.version += 1;
        }
    }

    /// How many changes there were.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How many resources it has.
    pub fn resources(&self) -> usize {
        0
    }

    /// About how much memory they take.
    pub fn bytes(&self) -> usize {
        0
    }
}
