//! A request under way, and what it tells its connection's [`Watch`].

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use super::{Break, End, Watch};
use crate::server::budget::Hold;

/// A request under way; the connection is not idle while it lives.
#[derive(Debug)]
pub(in crate::server) struct InFlight {
    watch: Arc<Watch>,
    /// How many there are on all connections.
    all: Arc<AtomicUsize>,
    /// The counter of its reply.
    reply: Option<u8>,
    hangs: bool,
}

impl InFlight {
    pub(in crate::server) fn begin(watch: Arc<Watch>, all: &Arc<AtomicUsize>) -> Self {
        all.fetch_add(1, Relaxed);
        watch.in_flight.fetch_add(1, Relaxed);
        watch.head.store(0, Relaxed);
        watch.whole.store(false, Relaxed);
        watch.ahead.store(false, Relaxed);
        watch.needs_client.store(false, Relaxed);
        Self { watch, all: Arc::clone(all), reply: None, hangs: false }
    }

    /// Whether its connection has more than its share while all have more than `limit`.
    pub(in crate::server) fn is_too_many(&self, limit: usize) -> bool {
        self.all.load(Relaxed) > limit && self.watch.in_flight.load(Relaxed) > SHARE
    }

    /// All of the request has been read, and this is how it ends.
    pub(in crate::server) fn has_all(&self, end: End<'_>) {
        if !self.watch.is_http2() {
            self.watch.whole.store(true, Relaxed);
            self.watch.ahead.store(self.watch.tail.is_past(end), Relaxed);
        }
    }

    /// The request takes long, and ends when its client closes its side: nobody can tell such a client from one that is
    /// gone. All of the request has been read.
    pub(in crate::server) fn ends_with_client(&self) {
        self.watch.needs_client.store(!self.watch.is_http2(), Relaxed);
    }

    /// The request takes no longer, and is answered whatever its client closes.
    pub(in crate::server) fn outlives_client(&self) {
        self.watch.needs_client.store(false, Relaxed);
    }

    /// It hangs from now on, as was asked, and holds its connection's place no more than idleness does.
    pub(in crate::server) fn hangs(&mut self) {
        if !self.hangs {
            self.hangs = true;
            self.watch.hanging.fetch_add(1, Relaxed);
            self.watch.idle.store(self.watch.now(), Relaxed);
        }
    }

    /// The connection breaks: that of HTTP/1 once what it has to write is written, that of HTTP/2 instead of writing more.
    pub(in crate::server) fn break_off(&self, way: Break) {
        self.watch.broken.store(way as u8, Relaxed);
    }

    /// The request is answered without reading all of its body.
    pub(in crate::server) fn leave_unfinished(&self) {
        self.watch.unfinished.store(true, Relaxed);
    }

    /// The reply, or a piece of it, is handed over: from now on the client has to take it.
    pub(in crate::server) fn replying(&mut self) {
        self.not_replying();
        self.reply = Some(self.watch.untaken.add());
    }

    /// Whether it came over HTTP/2.
    pub(in crate::server) fn is_http2(&self) -> bool {
        self.watch.is_http2()
    }

    /// What the reply, or a piece of it, has of a budget, until it is taken.
    pub(in crate::server) fn holding(&self, hold: Hold) -> Option<Held> {
        (!hold.is_empty()).then(|| {
            if self.watch.held.fetch_add(1, Relaxed) == 0 {
                self.watch.look_at_pace();
            }
            Held { watch: Arc::clone(&self.watch), _hold: hold }
        })
    }

    /// What was handed over is taken, and there is no more yet.
    pub(in crate::server) fn not_replying(&mut self) {
        if let Some(counter) = self.reply.take() {
            self.watch.untaken.take(counter);
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.not_replying();
        self.watch.needs_client.store(false, Relaxed);
        self.all.fetch_sub(1, Relaxed);
        if self.hangs {
            self.watch.hanging.fetch_sub(1, Relaxed);
        }
        if self.watch.in_flight.fetch_sub(1, Relaxed) == 1 {
            let now = self.watch.now();
            self.watch.idle.store(now, Relaxed);
            if self.watch.ahead.swap(false, Relaxed) {
                self.watch.head.store(now, Relaxed);
            }
        }
    }
}

/// What a reply has of a budget; its connection is looked at more often while it lives.
#[derive(Debug)]
pub(in crate::server) struct Held {
    watch: Arc<Watch>,
    _hold: Hold,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.watch.held.fetch_sub(1, Relaxed);
    }
}

/// How many requests at a time a connection has at least.
pub(in crate::server) const SHARE: u32 = 8;
