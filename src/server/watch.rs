//! What a connection is doing, seen from its socket: so that one timer per connection can end it.
//!
//! hyper's own head timeout also runs while a connection is kept alive and idle, and the protocol sniff in front of
//! it has none. Hence this: the socket notes when the first byte of a head was read, a guard counts the requests
//! under way, and the connection's task asks [`Watch::verdict`] when its timer fires.

mod end;
mod in_flight;
mod untaken;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{Limits, budget::PACE};

pub(super) use end::End;
use end::Tail;
pub(super) use in_flight::{Held, InFlight, SHARE};
use untaken::Untaken;

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

/// The state of one connection, shared by its socket, its requests and its timer.
#[derive(Debug)]
pub(super) struct Watch {
    opened: Instant,
    /// When the first byte of a head was read; 0 when none is under way. In milliseconds since `opened`, plus one, as
    /// all times here.
    head: AtomicU64,
    /// When the last request was done, or began to hang, or the connection opened.
    idle: AtomicU64,
    /// When our side was closed; 0 before.
    closed: AtomicU64,
    /// Requests under way, from the end of the head to the last byte of the reply.
    in_flight: AtomicU32,
    /// How many of them hang, as was asked.
    hanging: AtomicU32,
    /// What was read last (HTTP/1).
    tail: Tail,
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
    /// How the connection is to break, as a number of [`Break`]; 0 when it is not.
    broken: AtomicU8,
}

/// How a connection breaks because that was asked for. Its socket does it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Break {
    /// It says nothing more until its client goes.
    Hang = 1,
    /// It is closed.
    Close,
    /// It says something that is no HTTP, and is closed.
    Garbage,
    /// It is reset.
    Reset,
}

impl Watch {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            head: AtomicU64::new(0),
            idle: AtomicU64::new(1),
            closed: AtomicU64::new(0),
            in_flight: AtomicU32::new(0),
            hanging: AtomicU32::new(0),
            tail: Tail::default(),
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
            broken: AtomicU8::new(0),
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

    /// How it is to break, when it is.
    pub(super) fn breaks(&self) -> Option<Break> {
        match self.broken.load(Relaxed) {
            0 => None,
            1 => Some(Break::Hang),
            2 => Some(Break::Close),
            3 => Some(Break::Garbage),
            _ => Some(Break::Reset),
        }
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
        let deadline = later(self.instant(self.untaken.turned()), limits.reply_time);
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

    /// Since when there has been no whole request, if there is none under way but those that hang as was asked; the head of
    /// one may have begun.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let is_idle = self.in_flight.load(Relaxed) == self.hanging.load(Relaxed);
        (is_idle && self.closed.load(Relaxed) == 0).then(|| self.instant(self.idle.load(Relaxed)))
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
        self.tail.read(bytes);
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
}

/// The time of `from` and `duration` together, or one that nobody lives to see.
pub(super) fn later(from: Instant, duration: Duration) -> Instant {
    from.checked_add(duration).unwrap_or_else(|| from + FAR)
}

/// How long a client may go on sending after our side is closed.
const LINGER: Duration = Duration::from_secs(1);

/// Thirty years.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
