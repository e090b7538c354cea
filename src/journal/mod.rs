//! The journal: a bounded, numbered record of exchanges that can be asked what was received.
//!
//! Recording is on the way of every reply, so it does little: it replaces secrets and appends under one short lock.
//! Nothing is rendered before somebody asks.
//!
//! What is kept is always the newest part of what was recorded, without gaps: the oldest exchanges go first, and
//! [`Counts::dropped`] says how many have gone. An exchange that is heavier than the whole byte bound empties the
//! journal, itself included; it is counted as dropped like any other.

mod escapes;
mod expectation;
mod filter;
mod finder;
mod known;
mod redaction;
mod ring;
mod secrets;
#[cfg(test)]
pub(crate) mod tests;
mod unmet;
mod wait;
mod weight;
mod writer;

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, atomic::AtomicU64},
    time::{Duration, Instant},
};

use crate::{Delivery, DeliveryCell, Exchange, Recorded, Reply, Timing};

pub(crate) use expectation::Verification;
pub use expectation::{Expectation, Miss, Verdict};
pub use filter::Filter;
use redaction::{Redacted, Redactor};
pub(crate) use ring::Chunk;
use ring::Ring;
pub use secrets::Secrets;
pub use unmet::Unmet;
pub(crate) use wait::Waiting;
pub use writer::{Ended, Writer, Written};

/// How much a journal keeps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The most exchanges that are kept.
    pub entries: usize,
    /// The most bytes that the kept exchanges take in memory.
    pub bytes: usize,
}

impl Default for Limits {
    /// 10 000 exchanges and 64 MiB.
    fn default() -> Self {
        Self { entries: 10_000, bytes: 64 * 1024 * 1024 }
    }
}

/// How much a journal has seen and has left.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Exchanges recorded so far, which is also the number of the newest one.
    pub recorded: u64,
    /// Exchanges that are there.
    pub kept: usize,
    /// Exchanges that went because there was no room.
    pub dropped: u64,
    /// Exchanges that [`Journal::clear`] forgot.
    pub forgotten: u64,
    /// Bytes that the kept exchanges take in memory.
    pub bytes: usize,
}

/// A part of the journal, oldest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The exchanges that matched.
    pub exchanges: Vec<Arc<Recorded>>,
    /// Exchanges that went so far because there was no room.
    pub dropped: u64,
    /// The number up to which the page looked: the `after` of the next page.
    pub last: u64,
}

/// A bounded, numbered record of exchanges.
///
/// ```
/// use std::time::Duration;
///
/// use standin::{Contract, Filter, Journal, JournalLimits, Request, Settings, Stub};
///
/// let stub = Stub::new(Contract::builtin(), Settings::default());
/// let journal = Journal::new(JournalLimits::default());
/// journal.record(stub.respond(Request::new("GET", "/nowhere")));
///
/// let seen = journal.wait(&Filter::default(), 1, Duration::from_secs(1)).unwrap();
/// assert_eq!(seen[0].id, 1);
/// assert_eq!(seen[0].exchange.request.target, "/nowhere");
/// ```
pub struct Journal {
    limits: Limits,
    redactor: Redactor,
    ring: Mutex<Ring>,
    grown: Condvar,
    hooks: OnceLock<Box<Hook>>,
    /// Threads in [`Journal::wait`]; nobody is woken when there are none.
    waiters: AtomicU64,
    writer: Option<Arc<Writer>>,
}

/// An exchange that is recorded, and still to be announced.
#[must_use]
pub(crate) struct Kept {
    pub(crate) recorded: Arc<Recorded>,
    /// The reply as it has to be sent, when secrets in it were replaced.
    pub(crate) reply: Option<Reply>,
    weight: usize,
    /// What had to go for it; it is freed once no lock is held.
    gone: ring::Gone,
}

type OnRecord = Box<dyn Fn(&Arc<Recorded>) + Send + Sync>;

/// One hook and the next: a list that grows without a lock and is read without one.
struct Hook {
    call: OnRecord,
    next: OnceLock<Box<Hook>>,
}

impl Journal {
    /// An empty journal. It holds no values of headers that carry credentials by HTTP's own rules, and nothing that has
    /// the form of a JWT; for what else is secret see [`Journal::hiding`].
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            redactor: Redactor::new(Secrets::default()),
            ring: Mutex::new(Ring::default()),
            grown: Condvar::new(),
            hooks: OnceLock::new(),
            waiters: AtomicU64::new(0),
            writer: None,
        }
    }

    /// Replaces these secrets from now on; the contract's token is one of them only when they say so.
    #[must_use]
    pub fn hiding(mut self, secrets: Secrets) -> Self {
        self.redactor = Redactor::new(secrets);
        self
    }

    /// Hands each exchange to this writer from now on; a writer is for one journal.
    #[must_use]
    pub fn written_by(mut self, writer: Arc<Writer>) -> Self {
        self.writer = Some(writer);
        self
    }

    /// What writes its exchanges, when something does.
    pub fn writer(&self) -> Option<&Arc<Writer>> {
        self.writer.as_ref()
    }

    /// How much it keeps.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Records an exchange: replaces its secrets, gives it the next number and keeps it, at the expense of the oldest
    /// ones. Whoever waits is woken, then the hooks are called.
    ///
    /// The bodies' bytes should be their own: a slice of a larger buffer keeps all of that buffer alive, and only the
    /// slice is counted.
    pub fn record(&self, exchange: Exchange) -> Arc<Recorded> {
        self.record_timed(exchange, Timing::default())
    }

    /// The same for an exchange whose parts took that long.
    pub fn record_timed(&self, exchange: Exchange, timing: Timing) -> Arc<Recorded> {
        self.announce(self.keep(exchange, timing))
    }

    /// The first half of it: the exchange has its number and its place, and nobody is told. What else has to happen in
    /// the order of the numbers can happen under the same lock.
    pub(crate) fn keep(&self, mut exchange: Exchange, timing: Timing) -> Kept {
        let Redacted { redactions, reply } = self.redactor.redact(&mut exchange);
        let weight = weight::settle(&mut exchange, &redactions);
        let delivery = DeliveryCell::new(Delivery::Pending);
        let mut recorded = Arc::new(Recorded { id: 0, exchange, redactions, timing, delivery });

        let mut ring = self.lock();
        // Nobody else has it yet, so this succeeds. Allocating before the lock keeps the lock short.
        if let Some(unshared) = Arc::get_mut(&mut recorded) {
            unshared.id = ring.next_id();
        }
        let gone = ring.push(Arc::clone(&recorded), weight, self.limits);
        drop(ring);
        Kept { recorded, reply, weight, gone }
    }

    /// The other half: the exchange is handed to the writer, whoever waits is woken, and the hooks are called.
    pub(crate) fn announce(&self, kept: Kept) -> Arc<Recorded> {
        let Kept { recorded, reply: _, weight, gone } = kept;
        drop(gone);
        if let Some(writer) = &self.writer {
            writer.push(&recorded, weight);
        }
        if self.waiters.load(std::sync::atomic::Ordering::SeqCst) > 0 {
            self.grown.notify_all();
        }
        let mut hook = self.hooks.get();
        while let Some(this) = hook {
            (this.call)(&recorded);
            hook = this.next.get();
        }
        recorded
    }

    /// Adds a hook that is called after each exchange is recorded, on the thread that records.
    ///
    /// It is meant for waking others: with several recording threads, calls can come out of order.
    pub fn on_record(&self, call: OnRecord) {
        let mut hook = Box::new(Hook { call, next: OnceLock::new() });
        let mut slot = &self.hooks;
        while let Err(refused) = slot.set(hook) {
            hook = refused;
            match slot.get() {
                Some(taken) => slot = &taken.next,
                None => return,
            }
        }
    }

    /// The first `limit` exchanges that match, oldest first.
    pub fn list(&self, filter: &Filter, limit: usize) -> Page {
        let until = self.counts().recorded;
        let mut exchanges = Vec::new();
        let mut position = filter.after;
        while exchanges.len() < limit {
            let chunk = self.read(position, Self::CHUNK);
            let Some(newest) = chunk.exchanges.last().map(|recorded| recorded.id) else {
                break;
            };
            for recorded in chunk.exchanges {
                if recorded.id > until || exchanges.len() == limit {
                    break;
                }
                position = recorded.id;
                if filter.matches(&recorded) {
                    exchanges.push(recorded);
                }
            }
            if newest >= until {
                break;
            }
        }
        let full = exchanges.len() == limit;
        Page {
            exchanges,
            dropped: self.counts().dropped,
            last: if full { position } else { until.max(position) },
        }
    }

    /// The exchange with this number, while it is kept.
    pub fn get(&self, id: u64) -> Option<Arc<Recorded>> {
        self.lock().get(id)
    }

    /// Every exchange that is kept, oldest first.
    pub fn snapshot(&self) -> Vec<Arc<Recorded>> {
        self.read(0, usize::MAX).exchanges
    }

    /// Forgets every exchange, and returns how many there were. Numbers go on where they were.
    pub fn clear(&self) -> usize {
        // The lock is released before the exchanges are freed.
        let forgotten = self.lock().clear();
        forgotten.len()
    }

    /// How much it has seen and has left.
    pub fn counts(&self) -> Counts {
        self.lock().counts()
    }

    /// Waits until the journal holds `n` exchanges that match, and returns the first `n`, oldest first; when `timeout`
    /// is over, returns those that are there as the error.
    ///
    /// With an `n` above [`Limits::entries`] it waits in vain.
    pub fn wait(
        &self,
        filter: &Filter,
        n: usize,
        timeout: Duration,
    ) -> Result<Vec<Arc<Recorded>>, Vec<Arc<Recorded>>> {
        let start = Instant::now();
        let mut waiting = Waiting::new(filter.clone(), n);
        self.waiters.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let outcome = loop {
            if let Some(exchanges) = waiting.poll(self) {
                break Ok(exchanges);
            }
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                break Err(waiting.found(self));
            }
            let ring = self.lock();
            if ring.counts().recorded <= waiting.position() {
                drop(self.grown.wait_timeout(ring, left).unwrap_or_else(PoisonError::into_inner));
            }
        };
        self.waiters.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
        outcome
    }

    /// Says whether what was received is as expected; see [`Expectation`] and [`Verdict`].
    pub fn verify(&self, expectation: &Expectation) -> Verdict {
        let mut verification = Verification::new(self, expectation.clone());
        while verification.step(self) {}
        verification.verdict()
    }

    /// The numbers of the exchanges that match, when what was received is as expected; see [`Expectation`].
    ///
    /// # Errors
    ///
    /// What was found instead, in words.
    pub fn expect(&self, expectation: &Expectation) -> Result<Vec<u64>, Unmet> {
        unmet::check(self, expectation)
    }

    /// Up to `max` kept exchanges past number `after`, and how many past it have gone.
    pub(crate) fn read(&self, after: u64, max: usize) -> Chunk {
        self.lock().read(after, max)
    }

    /// As many as are looked at without taking the lock again.
    pub(crate) const CHUNK: usize = 256;

    fn lock(&self) -> MutexGuard<'_, Ring> {
        // Nothing that runs under the lock leaves the ring half changed.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("limits", &self.limits)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}
