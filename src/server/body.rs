//! Bodies: reading a request's within its limits, and sending a reply's so that its delivery becomes known.

use std::{
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Sleep,
};

use super::watch::{End, InFlight};
use crate::{BodyEnd, Delivery, Recorded};

/// The body of a request while it comes in. It lives outside the future that fills it, so that its beginning is still
/// there when that future is dropped.
pub(super) struct Collected<'a> {
    bytes: Vec<u8>,
    /// How it ended; [`BodyEnd::Broken`] until it did.
    pub(super) end: BodyEnd,
    /// Whether the client was gone, rather than wrong, when it ended early.
    pub(super) gone: bool,
    /// Whether everything that the client sent was read.
    pub(super) drained: bool,
    budget: &'a Budget,
    /// What is held of the budget.
    permit: Option<SemaphorePermit<'a>>,
}

impl<'a> Collected<'a> {
    /// Nothing yet; what will be kept is taken out of `budget`.
    pub(super) fn new(budget: &'a Budget) -> Self {
        Self { bytes: Vec::new(), end: BodyEnd::Broken, gone: true, drained: false, budget, permit: None }
    }

    /// What was kept.
    pub(super) fn take(&mut self) -> Bytes {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.shrink_to_fit();
        bytes.into()
    }

    /// Reads `body` to its end, keeping the first `limit` bytes, until `time` is up.
    pub(super) async fn read(
        &mut self,
        mut body: Incoming,
        limit: usize,
        time: Duration,
        request: &InFlight,
    ) {
        if body.is_end_stream() {
            self.finish(BodyEnd::Complete, true);
            return;
        }
        let mut timer = pin!(Timer::new(time));
        // Without a declared length the body may become as long as is allowed.
        let declared = body.size_hint().exact();
        let expected = declared.map_or(limit, |length| usize::try_from(length).unwrap_or(limit).min(limit));
        if expected > SMALL && !self.charge(expected, timer.as_mut()).await {
            return self.finish(BodyEnd::TimedOut, false);
        }
        let mut too_large = false;
        loop {
            let next = poll_fn(|cx| match Pin::new(&mut body).poll_frame(cx) {
                Poll::Ready(frame) => Poll::Ready(Some(frame)),
                Poll::Pending => timer.as_mut().poll(cx).map(|()| None),
            });
            let data = match next.await {
                None if too_large => return self.finish(BodyEnd::TooLarge, false),
                None => return self.finish(BodyEnd::TimedOut, false),
                Some(None) => {
                    request.has_all(End::EmptyLine);
                    let end = if too_large { BodyEnd::TooLarge } else { BodyEnd::Complete };
                    return self.finish(end, true);
                }
                Some(Some(Err(error))) => {
                    self.gone = !is_malformed(&error);
                    return self.finish(BodyEnd::Broken, false);
                }
                Some(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => data,
                    Err(_trailers) => continue,
                },
            };
            if !too_large {
                let room = limit - self.bytes.len();
                too_large = data.len() > room;
                self.keep(&data[..data.len().min(room)], expected);
            }
            if body.is_end_stream() {
                request.has_all(if declared.is_some() { End::Bytes(&data) } else { End::EmptyLine });
                let end = if too_large { BodyEnd::TooLarge } else { BodyEnd::Complete };
                return self.finish(end, true);
            }
        }
    }

    fn finish(&mut self, end: BodyEnd, drained: bool) {
        self.end = end;
        self.drained = drained;
        if end != BodyEnd::Broken {
            self.gone = false;
        }
    }

    /// Copied, because a slice of hyper's buffer would keep all of that buffer alive for as long as the journal keeps
    /// the exchange.
    fn keep(&mut self, data: &[u8], expected: usize) {
        if self.bytes.is_empty() && data.len() >= expected {
            self.bytes.reserve_exact(data.len());
        } else if self.bytes.capacity() - self.bytes.len() < data.len() {
            // A declared length is believed for the first 64 KiB, and then as far as it has come true.
            let believed = expected.min((2 * self.bytes.len()).max(64 * 1024));
            let wanted = believed.saturating_sub(self.bytes.len()).max(data.len());
            self.bytes.reserve(wanted);
        }
        self.bytes.extend_from_slice(data);
    }

    /// Takes `bytes` out of the budget, waiting for it when it is used up; false when the time is. All at once: bodies
    /// that grow bit by bit could wait for each other for ever.
    async fn charge(&mut self, bytes: usize, mut timer: Pin<&mut Timer>) -> bool {
        let bytes = u32::try_from(bytes.min(self.budget.total)).unwrap_or(u32::MAX);
        let mut acquire = pin!(self.budget.left.acquire_many(bytes));
        let acquired = poll_fn(|cx| match acquire.as_mut().poll(cx) {
            Poll::Ready(permit) => Poll::Ready(permit.ok()),
            Poll::Pending => timer.as_mut().poll(cx).map(|()| None),
        });
        self.permit = acquired.await;
        self.permit.is_some()
    }
}

/// What the unfinished bodies of all connections may take together.
#[derive(Debug)]
pub(super) struct Budget {
    left: Semaphore,
    total: usize,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        let total = bytes.min(Semaphore::MAX_PERMITS);
        Self { left: Semaphore::new(total), total }
    }
}

/// Whether the client is there and broke the framing, as opposed to being gone.
fn is_malformed(error: &hyper::Error) -> bool {
    use std::error::Error;
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput);
        }
        source = cause.source();
    }
    false
}

/// A timer that is only set up when it is needed. Most bodies are there as soon as they are asked for: hyper hands
/// them over on the second look, so it takes a third one before a timer is worth its cost.
struct Timer {
    time: Duration,
    looked: bool,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    fn new(time: Duration) -> Self {
        Self { time, looked: false, sleep: None }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !self.looked {
            self.looked = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let time = self.time;
        self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(time))).as_mut().poll(cx)
    }
}

/// The body of a reply.
pub(super) enum ReplyBody {
    /// Of the control API, made while it is sent.
    Control(Box<ControlReply>),
    /// Of anything else: one piece, until hyper takes it.
    Whole(Option<Parcel>),
}

/// A body of the control API.
pub(super) struct ControlReply {
    body: UnsyncBoxBody<Bytes, BoxError>,
    in_flight: InFlight,
}

/// Bytes on their way to the client, which settle the delivery of their exchange: sent when the last of them has gone
/// to the connection, aborted when they are dropped before.
#[derive(Debug)]
pub(super) struct Parcel {
    bytes: Bytes,
    recorded: Option<Arc<Recorded>>,
    /// When it was handed over.
    since: Instant,
    _in_flight: Option<InFlight>,
}

/// Any error.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl ReplyBody {
    /// A body that is not part of an exchange.
    pub(super) fn plain(bytes: Bytes, in_flight: InFlight) -> Self {
        Self::whole(bytes, None, in_flight)
    }

    /// The body of a recorded reply. An empty one is never asked for, so it counts as sent as soon as it is handed over.
    pub(super) fn recorded(bytes: Bytes, recorded: Arc<Recorded>, in_flight: InFlight) -> Self {
        Self::whole(bytes, Some(recorded), in_flight)
    }

    /// The body of a control reply.
    pub(super) fn control<B>(body: B, in_flight: InFlight) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::Control(Box::new(ControlReply {
            body: UnsyncBoxBody::new(body.map_err(Into::into)),
            in_flight,
        }))
    }

    fn whole(bytes: Bytes, recorded: Option<Arc<Recorded>>, mut in_flight: InFlight) -> Self {
        in_flight.replying();
        let mut parcel = Parcel { bytes, recorded, since: Instant::now(), _in_flight: Some(in_flight) };
        if parcel.bytes.is_empty() {
            parcel.settle(Delivery::Sent);
        }
        Self::Whole(Some(parcel))
    }
}

impl Body for ReplyBody {
    type Data = Parcel;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Parcel>, BoxError>>> {
        match self.get_mut() {
            Self::Control(reply) => {
                let frame = Pin::new(&mut reply.body).poll_frame(cx);
                // Asked for more, hyper has got rid of what it had. So a long reply may take long, as long as it is
                // read, and a stream without events waits for us and not for the client.
                if frame.is_ready() {
                    reply.in_flight.replying();
                } else {
                    reply.in_flight.not_replying();
                }
                frame.map_ok(|frame| frame.map_data(Parcel::unrecorded))
            }
            Self::Whole(parcel) => {
                let parcel = parcel.take().filter(Buf::has_remaining);
                Poll::Ready(parcel.map(|parcel| Ok(Frame::data(parcel))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Control(reply) => reply.body.is_end_stream(),
            Self::Whole(parcel) => !parcel.as_ref().is_some_and(Buf::has_remaining),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Control(reply) => reply.body.size_hint(),
            Self::Whole(parcel) => SizeHint::with_exact(parcel.as_ref().map_or(0, Buf::remaining) as u64),
        }
    }
}

impl Parcel {
    fn unrecorded(bytes: Bytes) -> Self {
        Self { bytes, recorded: None, since: Instant::now(), _in_flight: None }
    }

    fn settle(&mut self, delivery: Delivery) {
        if let Some(recorded) = self.recorded.take() {
            recorded.timing.sent(self.since.elapsed());
            recorded.delivery.settle(delivery);
        }
    }
}

impl Buf for Parcel {
    fn remaining(&self) -> usize {
        self.bytes.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        if self.bytes.is_empty() {
            self.settle(Delivery::Sent);
        }
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        self.settle(Delivery::Aborted);
    }
}

/// Bodies up to this size are not charged to the budget: there are too many of them, and too little in them.
const SMALL: usize = 16 * 1024;
