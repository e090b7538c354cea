//! What a connection is doing, seen from its socket: so that one timer per connection can end it.
//!
//! hyper's own head timeout also runs while a connection is kept alive and idle, and the protocol sniff in front of
//! it has none. Hence this: the socket notes when the first byte of a head was read, a guard counts the requests
//! under way, and the connection's task asks [`Watch::verdict`] when its timer fires.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Limits,
    budget::{Hold, PACE},
};

/// Why a connection is ended by its timer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Overdue {
    /// The head of a request was begun and not finished.
    Head,
    /// Nothing was under way.
    Idle,
    /// The client was given time to close after us, and did not.
    Linger,
    /// The client does not take a reply.
    Reply,
}

/// How the bytes of a request end, so that what was read past them can be told apart.
#[derive(Clone, Copy, Debug)]
pub(super) enum End<'a> {
    /// With an empty line: a head without a body, or a chunked body.
    EmptyLine,
    /// With these bytes of a body whose length was declared.
    Bytes(&'a [u8]),
}

/// The state of one connection, shared by its socket, its requests and its timer.
#[derive(Debug)]
pub(super) struct Watch {
    opened: Instant,
    /// When the first byte of a head was read; 0 when none is under way. In milliseconds since `opened`, plus one, as
    /// all times here.
    head: AtomicU64,
    /// When the last request was done, or the connection opened.
    idle: AtomicU64,
    /// When our side was closed; 0 before.
    closed: AtomicU64,
    /// Requests under way, from the end of the head to the last byte of the reply.
    in_flight: AtomicU32,
    /// The last eight bytes read (HTTP/1), the latest in the lowest place.
    tail: AtomicU64,
    /// The request under way has been read to its end.
    whole: AtomicBool,
    /// More than the request under way has been read: the head of the next has begun.
    ahead: AtomicBool,
    untaken: Untaken,
    http2: AtomicBool,
    /// Heads of HTTP/2 replies: handed over by us, and written.
    replies: AtomicU32,
    heads: AtomicU32,
    /// HTTP/2 streams that hyper's library refused without asking us, and how many of them were reported.
    resets: AtomicU32,
    reported: AtomicU32,
    /// Replies under way that have a part of a budget.
    held: AtomicU32,
    /// Bytes that were written; and how many there were, and when, at the last look at the pace.
    written: AtomicU64,
    written_before: AtomicU64,
    paced: AtomicU64,
    /// A request was answered before its body was read to the end.
    unfinished: AtomicBool,
    stopping: AtomicBool,
    /// It has its turn, and no request has taken it yet (HTTP/1).
    turn: AtomicBool,
    /// The request under way is of no use once its client is gone (HTTP/1).
    needs_client: AtomicBool,
}

/// Replies that the client has not taken yet. Instead of a time for each there are two counters, which change places
/// at each turn: new replies count as young, and those that were young at the last turn are old.
#[derive(Debug)]
struct Untaken {
    counts: [AtomicU32; 2],
    /// Which of the counters is that of the young.
    young: AtomicU8,
    turned: AtomicU64,
}

impl Untaken {
    fn new() -> Self {
        Self {
            counts: [AtomicU32::new(0), AtomicU32::new(0)],
            young: AtomicU8::new(0),
            turned: AtomicU64::new(1),
        }
    }

    /// Counts a reply, and returns the counter that it has to be taken from.
    fn add(&self) -> u8 {
        let young = self.young.load(Relaxed);
        self.counts[usize::from(young)].fetch_add(1, Relaxed);
        young
    }

    fn take(&self, counter: u8) {
        self.counts[usize::from(counter)].fetch_sub(1, Relaxed);
    }

    /// Whether there are replies which were there at the last turn.
    fn has_old(&self) -> bool {
        self.counts[usize::from(self.young.load(Relaxed) ^ 1)].load(Relaxed) > 0
    }

    fn turn(&self, now: u64) {
        self.young.fetch_xor(1, Relaxed);
        self.turned.store(now, Relaxed);
    }
}

impl Watch {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            head: AtomicU64::new(0),
            idle: AtomicU64::new(1),
            closed: AtomicU64::new(0),
            in_flight: AtomicU32::new(0),
            tail: AtomicU64::new(0),
            whole: AtomicBool::new(false),
            ahead: AtomicBool::new(false),
            untaken: Untaken::new(),
            http2: AtomicBool::new(false),
            replies: AtomicU32::new(0),
            heads: AtomicU32::new(0),
            resets: AtomicU32::new(0),
            reported: AtomicU32::new(0),
            held: AtomicU32::new(0),
            written: AtomicU64::new(0),
            written_before: AtomicU64::new(0),
            paced: AtomicU64::new(1),
            unfinished: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            turn: AtomicBool::new(false),
            needs_client: AtomicBool::new(false),
        })
    }

    /// The connection is being closed and has a moment for that.
    pub(super) fn close(&self) {
        self.closed.store(self.now(), Relaxed);
    }

    /// It is the connection's turn.
    pub(super) fn has_turn(&self) {
        self.turn.store(true, Relaxed);
    }

    /// Whether a request may be answered in this turn; the next one is for the next turn. Those of HTTP/2 have turns of
    /// their own.
    pub(super) fn takes_turn(&self) -> bool {
        self.is_http2() || self.turn.swap(false, Relaxed)
    }

    /// The connection speaks HTTP/2.
    pub(super) fn is_http2(&self) -> bool {
        self.http2.load(Relaxed)
    }

    /// From now on no time is given to a client that closes late. Returns whether that is news.
    pub(super) fn stop(&self) -> bool {
        !self.stopping.swap(true, Relaxed)
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Relaxed)
    }

    /// Whether to look out for the client's end. HTTP/2 does so by itself.
    pub(super) fn needs_client(&self) -> bool {
        self.needs_client.load(Relaxed)
    }

    /// Whether the client has more to send that nobody will read.
    pub(super) fn is_sending(&self) -> bool {
        self.unfinished.load(Relaxed) || self.head.load(Relaxed) != 0
    }

    /// The deadline that can come nearer between two looks at the timer: that of a head, or of a reply that has a part
    /// of a budget.
    pub(super) fn near_deadline(&self, limits: &Limits) -> Option<Instant> {
        let pace = (self.held.load(Relaxed) > 0)
            .then(|| later(self.instant(self.paced.load(Relaxed)), limits.pace()));
        pace.into_iter().chain(self.sure_deadline(limits)).min()
    }

    /// The deadline of what has to be done by then, whatever others do.
    fn sure_deadline(&self, limits: &Limits) -> Option<Instant> {
        let closed = self.closed.load(Relaxed);
        if closed != 0 {
            return Some(later(self.instant(closed), LINGER));
        }
        let head = self.head.load(Relaxed);
        (head != 0).then(|| later(self.instant(head), limits.head_time))
    }

    /// Whether the client has taken hardly anything since the last look, of replies that have a part of a budget.
    fn is_slow(&self, now: Instant, limits: &Limits) -> bool {
        let paced = later(self.instant(self.paced.load(Relaxed)), limits.pace());
        if self.held.load(Relaxed) == 0 || paced > now {
            return false;
        }
        self.look_at_pace() < PACE as u64
    }

    /// Begins anew to count what is written, and returns how much it was.
    fn look_at_pace(&self) -> u64 {
        self.paced.store(self.now(), Relaxed);
        let written = self.written.load(Relaxed);
        written - self.written_before.swap(written, Relaxed)
    }

    /// What the timer finds when it fires: a reason to end the connection, or when to look again. When memory is short,
    /// a client that is slow to take what has some of it is ended sooner.
    pub(super) fn verdict(&self, limits: &Limits, is_short: bool) -> Result<Instant, Overdue> {
        let now = Instant::now();
        if self.is_slow(now, limits) && is_short {
            return Err(Overdue::Reply);
        }
        if let Some(deadline) = self.sure_deadline(limits) {
            return if deadline > now {
                Ok(deadline)
            } else if self.closed.load(Relaxed) == 0 {
                Err(Overdue::Head)
            } else {
                Err(Overdue::Linger)
            };
        }
        if self.in_flight.load(Relaxed) == 0 {
            let deadline = later(self.instant(self.idle.load(Relaxed)), limits.idle_time);
            return if deadline > now {
                Ok(deadline.min(later(now, limits.reply_time)))
            } else {
                Err(Overdue::Idle)
            };
        }
        let deadline = later(self.instant(self.untaken.turned.load(Relaxed)), limits.reply_time);
        if deadline > now {
            return Ok(deadline.min(later(now, limits.idle_time)));
        }
        // Since the last turn a whole `reply_time` has passed.
        if self.untaken.has_old() {
            return Err(Overdue::Reply);
        }
        self.untaken.turn(self.now());
        Ok(later(now, limits.reply_time.min(limits.idle_time)))
    }

    /// Since when there has been no whole request, if there is none under way; the head of one may have begun.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let is_idle = self.in_flight.load(Relaxed) == 0 && self.closed.load(Relaxed) == 0;
        is_idle.then(|| self.instant(self.idle.load(Relaxed)))
    }

    /// Whether the head of a request has begun and not ended.
    pub(super) fn is_within_head(&self) -> bool {
        self.head.load(Relaxed) != 0
    }

    /// The first time to look at the timer.
    pub(super) fn first_look(&self, limits: &Limits) -> Instant {
        later(self.opened, limits.idle_time.min(limits.reply_time))
    }

    /// Bytes were read from the socket.
    pub(super) fn read_some(&self, bytes: &[u8]) {
        if self.is_http2() {
            return;
        }
        for &byte in &bytes[bytes.len().saturating_sub(8)..] {
            self.tail.store(self.tail.load(Relaxed) << 8 | u64::from(byte), Relaxed);
        }
        // Empty lines before a head are no part of it; some clients send one after a body.
        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return;
        }
        if self.in_flight.load(Relaxed) == 0 {
            if self.head.load(Relaxed) == 0 {
                self.head.store(self.now(), Relaxed);
            }
        } else if self.whole.load(Relaxed) {
            self.ahead.store(true, Relaxed);
        }
    }

    /// Bytes were written to the socket.
    pub(super) fn wrote_some(&self, count: usize) {
        self.written.fetch_add(count as u64, Relaxed);
    }

    pub(super) fn becomes_http2(&self) {
        self.http2.store(true, Relaxed);
        self.head.store(0, Relaxed);
        self.idle.store(self.now(), Relaxed);
    }

    /// A reply is handed over to hyper.
    pub(super) fn replied(&self) {
        self.replies.fetch_add(1, Relaxed);
    }

    /// The head of an HTTP/2 reply is written. There are more of them than replies when a request was refused without
    /// asking us; returns whether this is one too many.
    pub(super) fn wrote_foreign_head(&self) -> bool {
        let heads = self.heads.fetch_add(1, Relaxed) + 1;
        let replies = self.replies.load(Relaxed);
        if heads > replies {
            self.heads.store(replies, Relaxed);
            self.wrote_reset();
        }
        heads > replies
    }

    /// An HTTP/2 stream is reset for an error of the client's.
    pub(super) fn wrote_reset(&self) {
        self.resets.fetch_add(1, Relaxed);
    }

    /// How many HTTP/2 streams were refused without asking us since this was last asked.
    pub(super) fn new_resets(&self) -> u32 {
        let resets = self.resets.load(Relaxed);
        resets - self.reported.swap(resets, Relaxed)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }

    fn instant(&self, time: u64) -> Instant {
        later(self.opened, Duration::from_millis(time - 1))
    }

    /// Whether what was read last goes on after the end of a request.
    fn is_past(&self, end: End<'_>) -> bool {
        let tail = self.tail.load(Relaxed).to_be_bytes();
        let last = match end {
            End::EmptyLine => return !tail.ends_with(b"\n\r\n") && !tail.ends_with(b"\n\n"),
            End::Bytes(last) => last,
        };
        from_the_end(&tail).zip(from_the_end(last)).any(|(read, last)| read != last)
    }
}

/// A request under way; the connection is not idle while it lives.
#[derive(Debug)]
pub(super) struct InFlight {
    watch: Arc<Watch>,
    /// How many there are on all connections.
    all: Arc<AtomicUsize>,
    /// The counter of its reply.
    reply: Option<u8>,
}

impl InFlight {
    pub(super) fn begin(watch: Arc<Watch>, all: &Arc<AtomicUsize>) -> Self {
        all.fetch_add(1, Relaxed);
        watch.in_flight.fetch_add(1, Relaxed);
        watch.head.store(0, Relaxed);
        watch.whole.store(false, Relaxed);
        watch.ahead.store(false, Relaxed);
        watch.needs_client.store(false, Relaxed);
        Self { watch, all: Arc::clone(all), reply: None }
    }

    /// Whether its connection has more than its share while all have more than `limit`.
    pub(super) fn is_too_many(&self, limit: usize) -> bool {
        self.all.load(Relaxed) > limit && self.watch.in_flight.load(Relaxed) > SHARE
    }

    /// All of the request has been read, and this is how it ends.
    pub(super) fn has_all(&self, end: End<'_>) {
        if !self.watch.is_http2() {
            self.watch.whole.store(true, Relaxed);
            self.watch.ahead.store(self.watch.is_past(end), Relaxed);
        }
    }

    /// The request takes long, and ends when its client closes its side: nobody can tell such a client from one that is
    /// gone. All of the request has been read.
    pub(super) fn ends_with_client(&self) {
        self.watch.needs_client.store(!self.watch.is_http2(), Relaxed);
    }

    /// The request is answered without reading all of its body.
    pub(super) fn leave_unfinished(&self) {
        self.watch.unfinished.store(true, Relaxed);
    }

    /// The reply, or a piece of it, is handed over: from now on the client has to take it.
    pub(super) fn replying(&mut self) {
        self.not_replying();
        self.reply = Some(self.watch.untaken.add());
    }

    /// Whether it came over HTTP/2.
    pub(super) fn is_http2(&self) -> bool {
        self.watch.is_http2()
    }

    /// What the reply, or a piece of it, has of a budget, until it is taken.
    pub(super) fn holding(&self, hold: Hold) -> Option<Held> {
        (!hold.is_empty()).then(|| {
            if self.watch.held.fetch_add(1, Relaxed) == 0 {
                self.watch.look_at_pace();
            }
            Held { watch: Arc::clone(&self.watch), _hold: hold }
        })
    }

    /// What was handed over is taken, and there is no more yet.
    pub(super) fn not_replying(&mut self) {
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
pub(super) struct Held {
    watch: Arc<Watch>,
    _hold: Hold,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.watch.held.fetch_sub(1, Relaxed);
    }
}

/// The bytes from the last to the first, without the line ends after the last.
fn from_the_end(bytes: &[u8]) -> impl Iterator<Item = &u8> {
    bytes.iter().rev().skip_while(|byte| matches!(byte, b'\r' | b'\n'))
}

/// The time of `from` and `duration` together, or one that nobody lives to see.
fn later(from: Instant, duration: Duration) -> Instant {
    from.checked_add(duration).unwrap_or_else(|| from + FAR)
}

/// How many requests at a time a connection has at least.
pub(super) const SHARE: u32 = 8;

/// How long a client may go on sending after our side is closed.
const LINGER: Duration = Duration::from_secs(1);

/// Thirty years.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_past_the_end_of_a_request_is_told_apart() {
        for (read, end, expected) in [
            ("GET / HTTP/1.1\r\n\r\n", End::EmptyLine, false),
            ("GET / HTTP/1.1\n\n", End::EmptyLine, false),
            ("GET / HTTP/1.1\r\n\r\n\r\n", End::EmptyLine, false),
            ("GET / HTTP/1.1\r\n\r\nGET", End::EmptyLine, true),
            ("0\r\n\r\nGET / HTTP/1.1\r\n", End::EmptyLine, true),
            ("\r\n\r\n{\"a\":1}", End::Bytes(b"{\"a\":1}"), false),
            ("\r\n\r\n{\"a\":1}\r\n", End::Bytes(b"{\"a\":1}"), false),
            ("\r\n\r\n{\"a\":1}\n", End::Bytes(b"{\"a\":1}\n"), false),
            ("\r\n\r\n{}", End::Bytes(b"{}"), false),
            ("\r\n\r\n{}GET /", End::Bytes(b"{}"), true),
            ("\r\n\r\n{\"a\":1}G", End::Bytes(b"{\"a\":1}"), true),
        ] {
            let watch = Watch::new();
            // The way it comes must not matter.
            for piece in read.as_bytes().chunks(3) {
                watch.read_some(piece);
            }
            assert_eq!(watch.is_past(end), expected, "{read:?}");
        }
    }
}
