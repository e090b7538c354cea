//! What a connection is doing, seen from its socket: so that one timer per connection can end it.
//!
//! hyper's own head timeout also runs while a connection is kept alive and idle, and the protocol sniff in front of
//! it has none. Hence this: the socket notes when the first byte of a head was read, a guard counts the requests
//! under way, and the connection's task asks [`Watch::verdict`] when its timer fires.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Limits;

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
    /// When the last request was done, or the connection opened.
    idle: AtomicU64,
    /// When our side was closed; 0 before.
    closed: AtomicU64,
    /// Requests under way, from the end of the head to the last byte of the reply.
    in_flight: AtomicU32,
    /// Replies not yet taken, by the parity of the epoch in which they were handed over.
    replies: [AtomicU32; 2],
    epoch: AtomicU8,
    epoch_began: AtomicU64,
    http2: AtomicBool,
    /// A request was answered before its body was read to the end.
    unfinished: AtomicBool,
    stopping: AtomicBool,
}

impl Watch {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            head: AtomicU64::new(0),
            idle: AtomicU64::new(1),
            closed: AtomicU64::new(0),
            in_flight: AtomicU32::new(0),
            replies: [AtomicU32::new(0), AtomicU32::new(0)],
            epoch: AtomicU8::new(0),
            epoch_began: AtomicU64::new(1),
            http2: AtomicBool::new(false),
            unfinished: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        })
    }

    /// The connection is being closed and has a moment for that.
    pub(super) fn close(&self) {
        self.closed.store(self.now(), Relaxed);
    }

    /// The connection speaks HTTP/2.
    pub(super) fn is_http2(&self) -> bool {
        self.http2.load(Relaxed)
    }

    /// From now on no time is given to a client that closes late. Returns whether that is news.
    pub(super) fn stop(&self) -> bool {
        !self.stopping.swap(true, Relaxed)
    }

    /// The deadline that can come nearer between two looks at the timer: that of a head.
    pub(super) fn near_deadline(&self, limits: &Limits) -> Option<Instant> {
        let closed = self.closed.load(Relaxed);
        if closed != 0 {
            return Some(self.instant(closed) + LINGER);
        }
        let head = self.head.load(Relaxed);
        (head != 0).then(|| self.instant(head) + limits.head_time)
    }

    /// What the timer finds when it fires: a reason to end the connection, or when to look again.
    pub(super) fn verdict(&self, limits: &Limits) -> Result<Instant, Overdue> {
        let now = Instant::now();
        if let Some(deadline) = self.near_deadline(limits) {
            return if deadline > now {
                Ok(deadline)
            } else if self.closed.load(Relaxed) == 0 {
                Err(Overdue::Head)
            } else {
                Err(Overdue::Linger)
            };
        }
        if self.in_flight.load(Relaxed) == 0 {
            let deadline = self.instant(self.idle.load(Relaxed)) + limits.idle_time;
            return if deadline > now {
                Ok(deadline.min(now + limits.reply_time))
            } else {
                Err(Overdue::Idle)
            };
        }
        let deadline = self.instant(self.epoch_began.load(Relaxed)) + limits.reply_time;
        if deadline > now {
            return Ok(deadline.min(now + limits.idle_time));
        }
        // Replies of the epoch before this one are at least one whole `reply_time` old.
        let epoch = self.epoch.load(Relaxed);
        if self.replies[usize::from(epoch ^ 1)].load(Relaxed) > 0 {
            return Err(Overdue::Reply);
        }
        self.epoch.store(epoch ^ 1, Relaxed);
        self.epoch_began.store(self.now(), Relaxed);
        Ok(now + limits.reply_time.min(limits.idle_time))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }

    fn instant(&self, time: u64) -> Instant {
        self.opened + Duration::from_millis(time - 1)
    }

    fn read_some(&self) {
        if self.in_flight.load(Relaxed) == 0 && !self.is_http2() && self.head.load(Relaxed) == 0 {
            self.head.store(self.now(), Relaxed);
        }
    }

    fn becomes_http2(&self) {
        self.http2.store(true, Relaxed);
        self.head.store(0, Relaxed);
        self.idle.store(self.now(), Relaxed);
    }
}

/// A request under way; the connection is not idle while it lives.
#[derive(Debug)]
pub(super) struct InFlight {
    watch: Arc<Watch>,
    reply: Option<u8>,
}

impl InFlight {
    pub(super) fn begin(watch: Arc<Watch>) -> Self {
        watch.in_flight.fetch_add(1, Relaxed);
        watch.head.store(0, Relaxed);
        Self { watch, reply: None }
    }

    /// The request is answered without reading all of its body.
    pub(super) fn leave_unfinished(&self) {
        self.watch.unfinished.store(true, Relaxed);
    }

    /// The reply, or a piece of it, is handed over: from now on the client has to take it.
    pub(super) fn replying(&mut self) {
        self.not_replying();
        let epoch = self.watch.epoch.load(Relaxed);
        self.watch.replies[usize::from(epoch)].fetch_add(1, Relaxed);
        self.reply = Some(epoch);
    }

    /// What was handed over is taken, and there is no more yet.
    pub(super) fn not_replying(&mut self) {
        if let Some(epoch) = self.reply.take() {
            self.watch.replies[usize::from(epoch)].fetch_sub(1, Relaxed);
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.not_replying();
        if self.watch.in_flight.fetch_sub(1, Relaxed) == 1 {
            self.watch.idle.store(self.watch.now(), Relaxed);
        }
    }
}

/// A socket that tells its [`Watch`] what it sees.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    watch: Arc<Watch>,
    /// How much of the HTTP/2 preface has come in; `None` once it is clear whether it is one.
    preface: Option<u8>,
    /// Bytes thrown away after our side was closed.
    discarded: Option<usize>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, watch: Arc<Watch>) -> Self {
        Self { stream, watch, preface: Some(0), discarded: None }
    }

    fn sniff(&mut self, bytes: &[u8]) {
        let Some(seen) = self.preface else { return };
        let rest = &HTTP2_PREFACE[usize::from(seen)..];
        if bytes.starts_with(rest) {
            self.preface = None;
            self.watch.becomes_http2();
        } else if rest.starts_with(bytes) {
            self.preface = u8::try_from(bytes.len()).ok().map(|more| seen + more);
        } else {
            self.preface = None;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            this.watch.read_some();
            this.sniff(&buf.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    /// Closes our side. When the client is still sending, what it sends is read and thrown away for a moment: closing
    /// a socket with unread bytes resets it, and a reset can overtake the refusal that was just written.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let mut discarded = if let Some(discarded) = this.discarded {
            discarded
        } else {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.watch.close();
            0
        };
        let sending = this.watch.unfinished.load(Relaxed) || this.watch.head.load(Relaxed) != 0;
        let mut bytes = [0; 4096];
        while discarded < LINGER_BYTES && !this.watch.stopping.load(Relaxed) {
            let mut buf = ReadBuf::new(&mut bytes);
            match Pin::new(&mut this.stream).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => discarded += buf.filled().len(),
                Poll::Pending if sending || discarded > 0 => {
                    this.discarded = Some(discarded);
                    return Poll::Pending;
                }
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long, and for how many bytes, a client may go on sending after our side is closed.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 4 * 1024 * 1024;
