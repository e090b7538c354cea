//! The journal on its way to a file: lines that a thread of their own writes as exchanges come.
//!
//! Recording never waits for the file. What the file cannot take in time is counted, and a line says how much is missing.

use std::{
    fmt, io, mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::{Delivery, DeliveryCell, Recorded, render::ndjson};

/// Writes the exchanges of a journal as lines of [`ndjson`], on a thread of its own.
///
/// An exchange is written once its delivery is settled, or after a second; a delivery that is settled later is a line of
/// its own. At most [`Writer::BYTES`] of exchanges wait; those that find no room are dropped and counted. Dropping it
/// writes what waits, for at most a second.
pub struct Writer(Arc<Queue>);

/// How much has been written, and how much will never be.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Written {
    /// Exchanges that have been written.
    pub written: u64,
    /// Exchanges that are missing.
    pub dropped: u64,
}

/// How the writing ended.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ended {
    /// Exchanges that were written.
    pub written: u64,
    /// Exchanges that were recorded and not written.
    pub missing: u64,
    /// Why the latest attempt to write failed, when it did.
    pub error: Option<String>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    /// There is something to do.
    filled: Condvar,
    /// Everything is done.
    done: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<Entry>,
    /// What waits here and what the thread still holds.
    entries: usize,
    bytes: usize,
    seen: u64,
    written: u64,
    dropped: u64,
    /// Those of the dropped that no line speaks of yet.
    unsaid: u64,
    end: Option<Instant>,
    is_done: bool,
    error: Option<String>,
}

struct Entry {
    recorded: Arc<Recorded>,
    weight: usize,
    since: Instant,
}

impl Writer {
    /// The most bytes of exchanges that wait to be written; a single one may have more.
    pub const BYTES: usize = 32 * 1024 * 1024;

    /// The most exchanges that wait to be written.
    pub const ENTRIES: usize = 16 * 1024;

    /// Starts the thread. Each write to `out` has a number of whole lines, and either takes all of them or fails and takes
    /// none.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(out: impl io::Write + Send + 'static) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let scribe = Scribe {
            queue: Arc::clone(&queue),
            out,
            held: Vec::new(),
            late: Vec::new(),
            text: String::new(),
            lines: 0,
            unsaid: 0,
            freed: (0, 0),
            is_failing: false,
        };
        thread::Builder::new().name("standin-journal".into()).spawn(move || scribe.run())?;
        Ok(Self(queue))
    }

    /// How much has been written so far.
    pub fn counts(&self) -> Written {
        let state = self.0.lock();
        Written { written: state.written, dropped: state.dropped }
    }

    /// Writes what waits, for no longer than `limit`, and ends. What cannot be written in that time is missing, and the
    /// last line says so, if there can be one.
    pub fn finish(&self, limit: Duration) -> Ended {
        let mut state = self.0.lock();
        let now = Instant::now();
        state.end.get_or_insert(now.checked_add(limit).unwrap_or(now));
        self.0.filled.notify_one();
        let (state, _) = self
            .0
            .done
            .wait_timeout_while(state, limit.saturating_add(GRACE), |state| !state.is_done)
            .unwrap_or_else(PoisonError::into_inner);
        Ended { written: state.written, missing: state.seen - state.written, error: state.error.clone() }
    }

    pub(super) fn push(&self, recorded: &Arc<Recorded>, weight: usize) {
        let mut state = self.0.lock();
        state.seen += 1;
        let has_room = state.bytes == 0 || state.bytes + weight <= Self::BYTES;
        if state.is_done || state.entries == Self::ENTRIES || !has_room {
            state.dropped += 1;
            state.unsaid += 1;
            return;
        }
        let is_first = state.waiting.is_empty();
        state.waiting.push(Entry { recorded: Arc::clone(recorded), weight, since: Instant::now() });
        state.entries += 1;
        state.bytes += weight;
        drop(state);
        if is_first {
            self.0.filled.notify_one();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.0.lock().end.is_none() {
            self.finish(LATE);
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under the lock can fail half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What runs on the thread.
struct Scribe<W> {
    queue: Arc<Queue>,
    out: W,
    /// Not yet written: they are given a moment to be delivered.
    held: Vec<Entry>,
    /// Written before it was known what became of the reply. Nobody's exchange is kept for that.
    late: Vec<(u64, DeliveryCell)>,
    /// Lines to be written, and how many exchanges are in them.
    text: String,
    lines: u64,
    /// How many exchanges the next line about missing ones speaks of.
    unsaid: u64,
    /// Entries and bytes that are no longer held.
    freed: (usize, usize),
    is_failing: bool,
}

impl<W: io::Write> Scribe<W> {
    fn run(mut self) {
        loop {
            let end = self.take();
            self.write_held(end);
            self.write_late();
            let is_end = end.is_some();
            self.write(is_end);
            if is_end {
                self.queue.lock().is_done = true;
                self.queue.done.notify_all();
                return;
            }
        }
    }

    /// Waits until there is something to do, and takes it; tells by when everything has to be done, if so.
    fn take(&mut self) -> Option<Instant> {
        let pause = match (self.held.is_empty(), self.late.is_empty() && self.unsaid == 0) {
            (false, _) => Some(BATCH),
            (true, false) => Some(SLOW),
            (true, true) => None,
        };
        let is_idle =
            |state: &mut State| state.waiting.is_empty() && state.unsaid == 0 && state.end.is_none();
        let mut state = self.queue.lock();
        state = if let Some(pause) = pause {
            let waited = self.queue.filled.wait_timeout_while(state, pause, is_idle);
            waited.unwrap_or_else(PoisonError::into_inner).0
        } else {
            let waited = self.queue.filled.wait_while(state, is_idle);
            waited.unwrap_or_else(PoisonError::into_inner)
        };
        // More are given a moment to come, and these a moment to be delivered: a wake-up for each would cost more than it
        // is worth.
        (state, _) = self
            .queue
            .filled
            .wait_timeout_while(state, BATCH, |state| state.end.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        self.held.append(&mut state.waiting);
        self.unsaid += mem::take(&mut state.unsaid);
        state.end
    }

    fn write_held(&mut self, end: Option<Instant>) {
        let now = Instant::now();
        let mut entries = mem::take(&mut self.held).into_iter();
        while let Some(entry) = entries.next() {
            if end.is_some_and(|end| Instant::now() >= end) {
                let rest = 1 + entries.len() as u64;
                self.unsaid += rest;
                self.queue.lock().dropped += rest;
                // They are freed when the last line is written.
                self.held = entries.collect();
                return;
            }
            let is_pending = entry.recorded.delivery.get() == Delivery::Pending;
            if is_pending && end.is_none() && now.saturating_duration_since(entry.since) < LATE {
                self.held.push(entry);
                continue;
            }
            self.text += &ndjson::line(&entry.recorded);
            self.text.push('\n');
            self.lines += 1;
            if is_pending {
                self.late.push((entry.recorded.id, entry.recorded.delivery.clone()));
            }
            self.freed.0 += 1;
            self.freed.1 += entry.weight;
            if self.text.len() >= CHUNK {
                self.write(false);
            }
        }
    }

    fn write_late(&mut self) {
        let text = &mut self.text;
        self.late.retain(|(id, cell)| {
            // Before the look at the delivery: whoever settles it lets go of it afterwards.
            let is_alone = cell.is_alone();
            match cell.get() {
                Delivery::Pending => !is_alone,
                delivery => {
                    *text += &ndjson::delivery(*id, delivery);
                    text.push('\n');
                    false
                }
            }
        });
    }

    /// Writes the lines that there are; in the end also when there is none, to find out whether the file is still there.
    fn write(&mut self, is_end: bool) {
        if self.unsaid > 0 {
            // Before the lines: should the file end in half a line, this one says that something went wrong there.
            self.text.insert_str(0, &(ndjson::gap(self.unsaid) + "\n"));
        }
        let mut written = Ok(());
        if !self.text.is_empty() {
            written = self.out.write_all(self.text.as_bytes());
        }
        if is_end {
            written = written.and_then(|()| self.out.flush());
        }
        let error = written.err().map(|error| error.to_string());
        let lines = mem::take(&mut self.lines);
        {
            let mut state = self.queue.lock();
            let (entries, bytes) = mem::take(&mut self.freed);
            state.entries -= entries;
            state.bytes -= bytes;
            if error.is_none() {
                state.written += lines;
                self.unsaid = 0;
            } else {
                state.dropped += lines;
                self.unsaid += lines;
            }
            state.error.clone_from(&error);
        }
        self.text.clear();
        self.text.shrink_to(2 * CHUNK);
        if let Some(error) = &error
            && !self.is_failing
        {
            tracing::error!(
                target: "standin::server",
                "cannot write the journal file: {error}; exchanges are missing there until it can be written"
            );
        }
        self.is_failing = error.is_some();
    }
}

/// How long an exchange waits for its delivery before it is written.
const LATE: Duration = Duration::from_secs(1);

/// How long the thread waits for more before it writes.
const BATCH: Duration = Duration::from_millis(20);

/// How often the thread looks for deliveries that take long, and tries again what failed.
const SLOW: Duration = Duration::from_millis(200);

/// How much longer than its limit the end may take: the time of the last write.
const GRACE: Duration = Duration::from_millis(100);

/// How many bytes are written at a time.
const CHUNK: usize = 256 * 1024;

#[cfg(test)]
mod tests;
