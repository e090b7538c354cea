//! Bodies: reading a request's within its limits, and sending a reply's so that its delivery becomes known.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    io, mem,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Sleep;

use super::{
    budget::{Budget, Hold, PACE},
    paced::Paced,
    parcel::{Parcel, Receipt, With},
    watch::{End, InFlight},
};
use crate::BodyEnd;

/// The memory that bodies share: a part for those that are announced as small, so that they do not wait for the others.
pub(super) struct Budgets {
    small: Budget,
    large: Budget,
}

impl Budgets {
    pub(super) fn new(bytes: usize, pace: Duration) -> Self {
        let small = bytes / 4;
        Self { small: Budget::new(small, pace), large: Budget::new(bytes - small, pace) }
    }

    /// The one for this body.
    pub(super) fn of(&self, body: &Incoming) -> &Budget {
        if body.size_hint().upper().is_some_and(|length| length <= SMALL) { &self.small } else { &self.large }
    }

    /// Whether somebody waits.
    pub(super) fn are_short(&self) -> bool {
        self.small.is_short() || self.large.is_short()
    }
}

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
    pub(super) budget: &'a Budget,
    /// What is held of the budget.
    hold: Hold,
    /// How much is kept without it.
    free: usize,
}

impl<'a> Collected<'a> {
    /// Nothing yet; what will be kept beyond the first `free` bytes is taken out of `budget`.
    pub(super) fn new(budget: &'a Budget, free: usize) -> Self {
        Self {
            bytes: Vec::new(),
            end: BodyEnd::Broken,
            gone: true,
            drained: false,
            budget,
            hold: Hold::default(),
            free,
        }
    }

    /// What was kept.
    pub(super) fn take(&mut self) -> Bytes {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.shrink_to_fit();
        bytes.into()
    }

    /// What is held of the budget for what was kept.
    pub(super) fn take_hold(&mut self) -> Hold {
        mem::take(&mut self.hold)
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
        let mut timer = Timer::new(time, self.budget);
        // Without a declared length the body may become as long as is allowed.
        let declared = body.size_hint().exact();
        let expected = declared.map_or(limit, |length| usize::try_from(length).unwrap_or(limit).min(limit));
        let mut too_large = false;
        loop {
            let next = poll_fn(|cx| match Pin::new(&mut body).poll_frame(cx) {
                Poll::Ready(frame) => Poll::Ready(Some(frame)),
                Poll::Pending => timer.poll_pace(cx, &self.hold).map(|()| None),
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
            timer.arrived += data.len();
            let is_end = body.is_end_stream();
            if !too_large {
                let room = limit - self.bytes.len();
                too_large = data.len() > room;
                let kept = &data[..data.len().min(room)];
                let size = self.size_with(kept.len(), expected);
                // What has come to its end is answered at once: there are never more of them than threads.
                if !is_end && !self.charge(size, &mut timer).await {
                    return self.finish(BodyEnd::TimedOut, false);
                }
                // Copied, because a slice of hyper's buffer would keep all of that buffer alive for as long as the
                // journal keeps the exchange.
                self.bytes.reserve_exact(size - self.bytes.len());
                self.bytes.extend_from_slice(kept);
            }
            if is_end {
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

    /// How many bytes to have room for, so that `more` fit in. A declared length is believed as far as it has come true.
    fn size_with(&self, more: usize, expected: usize) -> usize {
        let needed = self.bytes.len() + more;
        let capacity = self.bytes.capacity();
        if needed <= capacity {
            capacity
        } else {
            needed.max(expected.min(2 * self.bytes.len().max(self.free)))
        }
    }

    /// Takes what `bytes` need out of the budget, waiting for it when it is used up; false when the time is.
    async fn charge(&mut self, bytes: usize, timer: &mut Timer<'_>) -> bool {
        let bytes = bytes.saturating_sub(self.free);
        if self.budget.try_grow(&mut self.hold, bytes) {
            return true;
        }
        let mut grow = pin!(self.budget.grow(&mut self.hold, bytes));
        poll_fn(|cx| match grow.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending => timer.poll_deadline(cx).map(|()| false),
        })
        .await
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
struct Timer<'a> {
    time: Duration,
    looked: bool,
    sleep: Option<Pin<Box<Sleep>>>,
    budget: &'a Budget,
    /// How much has arrived, and how much of it had at the last look at the pace.
    arrived: usize,
    seen: usize,
    pace: Option<Pin<Box<Sleep>>>,
}

impl<'a> Timer<'a> {
    fn new(time: Duration, budget: &'a Budget) -> Self {
        Self { time, looked: false, sleep: None, budget, arrived: 0, seen: 0, pace: None }
    }

    /// Ready when the time is up.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Whoever waits for the budget is not slow.
        self.pace = None;
        self.poll_time(cx)
    }

    /// Ready when the time is up, or when a body that has a part of the budget comes in too slowly while others wait.
    fn poll_pace(&mut self, cx: &mut Context<'_>, hold: &Hold) -> Poll<()> {
        if self.poll_time(cx).is_ready() {
            return Poll::Ready(());
        }
        if hold.is_empty() || self.sleep.is_none() {
            return Poll::Pending;
        }
        loop {
            let time = self.budget.pace;
            let pace = self.pace.get_or_insert_with(|| {
                self.seen = self.arrived;
                Box::pin(tokio::time::sleep(time))
            });
            ready!(pace.as_mut().poll(cx));
            self.pace = None;
            if self.budget.is_short() && self.arrived - self.seen < PACE {
                return Poll::Ready(());
            }
        }
    }

    fn poll_time(&mut self, cx: &mut Context<'_>) -> Poll<()> {
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
    /// There was no memory for it: the reply ends before it is complete.
    Cut { _in_flight: InFlight },
    /// Leaves piece by piece, or ends before its end, because that was asked for.
    Paced(Box<Paced>),
    /// Of anything else: one piece, until hyper takes it.
    Whole(Option<Parcel>),
}

/// A body of the control API.
pub(super) struct ControlReply {
    body: UnsyncBoxBody<Bytes, BoxError>,
    in_flight: InFlight,
    budget: Arc<Budget>,
    /// What a piece may take while it is made.
    room: usize,
    /// The room for the next piece, while it is waited for.
    waiting: Option<Pin<Box<dyn Future<Output = Hold> + Send>>>,
}

/// Any error.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl ReplyBody {
    /// A body that is not part of an exchange.
    pub(super) fn plain(bytes: Bytes, in_flight: InFlight) -> Self {
        Self::Whole(Some(Parcel::plain(bytes, Hold::default(), in_flight)))
    }

    /// The body of a recorded reply.
    pub(super) fn whole(bytes: Bytes, receipt: Receipt) -> Self {
        Self::Whole(Some(Parcel::whole(bytes, receipt)))
    }

    /// The body of a control reply; none when it is there as a whole and the budget has no room for it.
    pub(super) fn control<B>(
        mut body: B,
        in_flight: InFlight,
        budget: &Arc<Budget>,
        room: usize,
    ) -> Result<Self, InFlight>
    where
        B: Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static,
    {
        if body.is_end_stream() {
            return Ok(Self::plain(Bytes::new(), in_flight));
        }
        if body.size_hint().exact().is_none() {
            let body = UnsyncBoxBody::new(body.map_err(Into::into));
            let budget = Arc::clone(budget);
            return Ok(Self::Control(Box::new(ControlReply {
                body,
                in_flight,
                budget,
                room,
                waiting: None,
            })));
        }
        // Its length is known, so it is there.
        let frame = Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop()));
        let bytes = match frame {
            Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            _ => Bytes::new(),
        };
        let mut hold = Hold::default();
        // What others have too takes no memory of its own.
        let own = if bytes.is_unique() { bytes.len().saturating_sub(free(in_flight.is_http2())) } else { 0 };
        if budget.try_grow(&mut hold, own) {
            Ok(Self::Whole(Some(Parcel::plain(bytes, hold, in_flight))))
        } else {
            Err(in_flight)
        }
    }
}

impl ControlReply {
    /// The next piece, when there is room for it.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Parcel>, BoxError>>> {
        let mut hold = Hold::default();
        if self.waiting.is_some() || !self.budget.try_grow(&mut hold, self.room) {
            let waiting = self.waiting.get_or_insert_with(|| {
                let (budget, room) = (Arc::clone(&self.budget), self.room);
                Box::pin(async move { budget.take(room).await })
            });
            hold = ready!(waiting.as_mut().poll(cx));
            self.waiting = None;
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| {
                frame.map_data(|bytes| {
                    hold.shrink(bytes.len());
                    let share = self.in_flight.holding(hold);
                    let load = share.map_or(With::Nothing, |share| With::Held { _held: share });
                    Parcel::piece(bytes, load)
                })
            })
        }))
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
                let frame = reply.poll_piece(cx);
                // Asked for more, hyper has got rid of what it had. So a long reply may take long, as long as it is
                // read, and a stream without events waits for us and not for the client.
                if frame.is_ready() {
                    reply.in_flight.replying();
                } else {
                    reply.in_flight.not_replying();
                }
                frame
            }
            Self::Cut { .. } => Poll::Ready(Some(Err("there is no memory left for the reply".into()))),
            Self::Paced(paced) => paced.poll_frame(cx),
            Self::Whole(parcel) => {
                let parcel = parcel.take().filter(Buf::has_remaining);
                Poll::Ready(parcel.map(|parcel| Ok(Frame::data(parcel))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Control(reply) => reply.body.is_end_stream(),
            Self::Cut { .. } => false,
            Self::Paced(paced) => paced.is_end_stream(),
            Self::Whole(parcel) => !parcel.as_ref().is_some_and(Buf::has_remaining),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Control(reply) => reply.body.size_hint(),
            Self::Cut { .. } => SizeHint::default(),
            Self::Paced(paced) => paced.size_hint(),
            Self::Whole(parcel) => SizeHint::with_exact(parcel.as_ref().map_or(0, Buf::remaining) as u64),
        }
    }
}

/// How many bytes of a body are not taken out of a budget: there are too many such bodies, and too little in them. An
/// HTTP/2 connection can have many at a time.
pub(super) fn free(is_http2: bool) -> usize {
    if is_http2 { 4 * 1024 } else { 16 * 1024 }
}

/// The most bytes that a body is announced with and small.
const SMALL: u64 = 64 * 1024;
