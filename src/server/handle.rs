//! One request, from its head to its reply.

mod unrecorded;

use std::{net::SocketAddr, pin::Pin, sync::Arc, thread, time::Instant};

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, Request as HyperRequest, Response, StatusCode, Uri, Version,
    body::{Body as _, Incoming},
    header::{
        CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderName, HeaderValue, ORIGIN, RETRY_AFTER,
    },
    http::{request::Parts, response},
};
use jiff::Timestamp;
use tokio::task;

use unrecorded::{is_icon, no_icon, own, refused, status, turned_away};

use super::{
    Shared,
    body::{Collected, ReplyBody, free},
    budget::{Budget, Hold},
    control, cors,
    course::{self, Broken},
    head,
    parcel::Receipt,
    watch::{End, InFlight, Watch},
};
use crate::{
    BodyEnd, Change, Delivery, Exchange, Headers, Recorded, Reply, Request, Timing, exchange::micros,
    render::words, session_name,
};

/// Answers a request. Its place in `watch` is taken at once, not when the future is first polled.
pub(super) fn handle(
    shared: &Arc<Shared>,
    watch: &Arc<Watch>,
    peer: SocketAddr,
    request: HyperRequest<Incoming>,
) -> impl Future<Output = Result<Response<ReplyBody>, Broken>> + Send + 'static {
    let received = Received { at: Timestamp::now(), since: Instant::now() };
    let in_flight = InFlight::begin(Arc::clone(watch), &shared.requests);
    let is_too_many = in_flight.is_too_many(shared.limits.requests());
    let (shared, watch) = (Arc::clone(shared), Arc::clone(watch));
    async move {
        // One that sends request after request takes turns with all others.
        while !watch.takes_turn() {
            task::yield_now().await;
        }
        let answer = if is_too_many {
            shared.refuse(peer, "there are too many requests at a time");
            Answer::Now(status(StatusCode::SERVICE_UNAVAILABLE, in_flight))
        } else {
            // In a box of its own, so that nothing of the request is kept for as long as its reply waits.
            Box::pin(answer(&shared, peer, request, received, in_flight)).await
        };
        let response = match answer {
            Answer::Now(response) => response,
            Answer::OnCourse(reply) => reply.await?,
        };
        watch.replied();
        Ok(response)
    }
}

/// What a request is answered with.
#[expect(clippy::large_enum_variant, reason = "nearly all that is answered leaves at once")]
enum Answer<'a> {
    /// What leaves at once.
    Now(Response<ReplyBody>),
    /// What waits, leaves slowly or breaks.
    OnCourse(Pin<Box<dyn Future<Output = Result<Response<ReplyBody>, Broken>> + Send + 'a>>),
}

/// When the head of a request was there: by the calendar, and by a clock that only goes forward.
#[derive(Clone, Copy)]
struct Received {
    at: Timestamp,
    since: Instant,
}

async fn answer(
    shared: &Arc<Shared>,
    peer: SocketAddr,
    incoming: HyperRequest<Incoming>,
    received: Received,
    in_flight: InFlight,
) -> Answer<'_> {
    let (mut parts, body) = incoming.into_parts();
    let is_whole = body.is_end_stream();
    if is_whole {
        in_flight.has_all(End::EmptyLine);
    }
    if let Some(fault) = head::fault(&parts, &shared.limits) {
        shared.refuse(peer, fault.reason);
        if !is_whole {
            in_flight.leave_unfinished();
        }
        return Answer::Now(refused(shared, &parts, fault, in_flight));
    }
    if is_control(parts.uri.path()) {
        parts.extensions.insert(peer);
        return Answer::Now(Box::pin(control(shared, parts, body, in_flight)).await);
    }
    if let Err(error) = shared.cors.check(&parts) {
        let refusal = (StatusCode::FORBIDDEN, error.as_str());
        let turned = Box::pin(turned_away(shared, peer, &parts, body, refusal, in_flight));
        return Answer::Now(turned.await);
    }
    if cors::is_preflight(&parts) {
        let body = ReplyBody::plain(Bytes::new(), in_flight);
        return Answer::Now(shared.cors.preflight(&parts.headers, body));
    }
    let request = request(&parts, received.at);
    let path = request.path();
    let named = match request.session() {
        Ok(_) if is_control(path) => Err::<(), _>(
            "path: expected a control call without a session before it: \
            it is about the whole stand-in, or names the session that it is about"
                .to_owned(),
        ),
        named => named.map(drop).map_err(|error| error.to_string()),
    };
    if let Err(error) = named {
        let refusal = (StatusCode::BAD_REQUEST, error.as_str());
        let turned = Box::pin(turned_away(shared, peer, &parts, body, refusal, in_flight));
        return Answer::Now(turned.await);
    }
    if matches!(parts.method, Method::GET | Method::HEAD) {
        if path == "/"
            && let Some(index) = &shared.index
        {
            return Answer::Now(own(shared, index.response(&parts.headers), parts, in_flight));
        }
        if is_icon(path) && !shared.stub.contract().operations().iter().any(|op| op.fit(path).is_some()) {
            return Answer::Now(own(shared, no_icon(), parts, in_flight));
        }
    }
    exchange(shared, parts, request, body, received.since, in_flight).await
}

/// Whether a path is one of the control API.
fn is_control(path: &str) -> bool {
    path.starts_with("/__standin") && matches!(path.as_bytes().get(10), None | Some(b'/'))
}

/// A request to the API: read, answered, recorded.
async fn exchange(
    shared: &Shared,
    parts: Parts,
    request: Request,
    body: Incoming,
    since: Instant,
    in_flight: InFlight,
) -> Answer<'_> {
    let is_head = parts.method == Method::HEAD;
    let is_http1 = parts.version < Version::HTTP_2;
    let mut pending = Pending {
        shared,
        request: Some(request),
        since,
        body: Collected::new(shared.bodies.of(&body), free(!is_http1)),
    };
    let limit = shared.stub.settings().max_body;
    if is_announced_too_large(&parts.headers, &body, limit) {
        pending.body.end = BodyEnd::TooLarge;
    } else {
        let time = shared.limits.body_time;
        pending.body.read(body, limit, time, &in_flight).await;
    }
    let close = !pending.body.drained;
    if close {
        in_flight.leave_unfinished();
    }
    // There is always one: only a dropped request has been recorded before.
    let Some(answered) = pending.finish() else {
        return Answer::Now(status(StatusCode::INTERNAL_SERVER_ERROR, in_flight));
    };
    let scripted = answered.recorded.exchange.scripted.as_ref();
    let course = scripted.map(|scripted| scripted.course.clone()).filter(|course| !course.is_usual());
    let headers = if course.is_some() { lasting(&parts.headers) } else { parts.headers };
    let (mut head, body) = reply(shared, &answered, headers, is_head);
    if close && is_http1 {
        head.headers.insert(CONNECTION, CLOSE);
    }
    let body = match (answered.receipt(&body, in_flight), course) {
        (Err(in_flight), _) => ReplyBody::Cut { _in_flight: in_flight },
        (Ok(receipt), None) => ReplyBody::whole(body, receipt),
        (Ok(receipt), Some(course)) => {
            return Answer::OnCourse(Box::pin(async move {
                Ok(Response::from_parts(head, course::carry(shared, &course, body, receipt).await?))
            }));
        }
    };
    Answer::Now(Response::from_parts(head, body))
}

/// What a reply looks at of the request's headers, in memory of its own: the rest of the head would be kept for as long as
/// the reply waits.
fn lasting(headers: &HeaderMap) -> HeaderMap {
    let origin = headers.get(ORIGIN).and_then(|origin| HeaderValue::from_bytes(origin.as_bytes()).ok());
    origin.map(|origin| (ORIGIN, origin)).into_iter().collect()
}

/// A request whose body is still coming in. When hyper drops the future that waits for it, because the client is gone,
/// what there is of it is recorded all the same.
struct Pending<'a> {
    shared: &'a Shared,
    request: Option<Request>,
    since: Instant,
    body: Collected<'a>,
}

impl<'a> Pending<'a> {
    fn finish(mut self) -> Option<Answered<'a>> {
        self.record()
    }

    fn record(&mut self) -> Option<Answered<'a>> {
        let mut request = self.request.take()?;
        request.body = self.body.take();
        request.body_end = self.body.end;
        let body = self.since.elapsed();
        let Shared { stub, journal, scripts, sessions, .. } = self.shared;
        let record = |exchange: Exchange| {
            // What the contract has, too, takes no memory of its own.
            let own = if exchange.reply.body.is_unique() { exchange.reply.body.len() } else { 0 };
            let timing = Timing::new(body, self.since.elapsed().saturating_sub(body));
            (journal.keep(exchange, timing), own)
        };
        let (mut kept, own) = match sessions {
            None => {
                let mut exchange = stub.respond(request);
                scripts.act(stub, &mut exchange, &mut Change::default());
                record(exchange)
            }
            Some(sessions) => {
                let name = request.session().unwrap_or(session_name::DEFAULT).to_owned();
                let act = |exchange: &mut Exchange, change: &mut Change| scripts.act(stub, exchange, change);
                sessions.decide(stub, &name, stub.check(request), act, record)
            }
        };
        let reply = kept.reply.take();
        let recorded = journal.announce(kept);
        if self.body.gone && self.body.end == BodyEnd::Broken {
            recorded.delivery.settle(Delivery::Aborted);
        }
        report(&recorded);
        Some(Answered { recorded, reply, own, budget: self.body.budget, hold: self.body.take_hold() })
    }
}

/// What a request has come to.
struct Answered<'a> {
    recorded: Arc<Recorded>,
    /// The reply, where the journal has another because there was a secret in it.
    reply: Option<Reply>,
    /// How many bytes of memory the reply's body takes beside the contract's.
    own: usize,
    /// What was held for the request's body, and of which budget.
    hold: Hold,
    budget: &'a Budget,
}

impl Answered<'_> {
    /// The receipt for this body, with what is held for it; none when there is no memory for it.
    fn receipt(mut self, body: &Bytes, in_flight: InFlight) -> Result<Receipt, InFlight> {
        let free = free(in_flight.is_http2());
        let charged = if body.is_empty() { 0 } else { self.own.saturating_sub(free) };
        self.hold.shrink(charged);
        // A reply that repeats a body is a little longer, and that must not be what it fails for.
        if self.hold.covers(charged.saturating_sub(free)) || self.budget.try_grow(&mut self.hold, charged) {
            return Ok(Receipt::new(Arc::downgrade(&self.recorded), self.hold, in_flight));
        }
        self.recorded.delivery.settle(Delivery::Aborted);
        tracing::warn!(target: "standin::server", "there is no memory left for reply {}", self.recorded.id);
        Err(in_flight)
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.record();
        }
    }
}

/// Says which exchange there was, to whoever listens.
fn report(recorded: &Recorded) {
    let exchange = &recorded.exchange;
    tracing::info!(
        target: "standin::exchange",
        id = recorded.id,
        operation = exchange.operation.as_deref(),
        session = Some(exchange.session()).filter(|name| *name != session_name::DEFAULT),
        method = exchange.request.method,
        target = exchange.request.target,
        status = exchange.reply.status,
        micros = micros(recorded.timing.body + recorded.timing.answer),
        scripted = exchange.scripted.as_deref().map(words),
        violation = exchange.violations.first().map(tracing::field::display),
    );
}

/// hyper's head of a request as ours.
fn request(parts: &Parts, received: Timestamp) -> Request {
    let bytes = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let mut headers = Headers::with_capacity(parts.headers.len() + 1, bytes);
    // The authority of HTTP/2, and of a whole URL as target, says what `Host` says otherwise.
    if let Some(authority) = parts.uri.authority()
        && !parts.headers.contains_key(HOST)
    {
        headers.push("host", authority.as_str().as_bytes());
    }
    for (name, value) in &parts.headers {
        headers.push(name.as_str(), value.as_bytes());
    }
    Request {
        method: parts.method.as_str().to_owned(),
        target: target(&parts.uri),
        headers,
        body: Bytes::new(),
        body_end: BodyEnd::Complete,
        received,
    }
}

/// The target without scheme and host, or the host alone when there is nothing else (CONNECT).
fn target(uri: &Uri) -> String {
    match (uri.path_and_query(), uri.authority()) {
        (Some(path), _) => path.as_str().to_owned(),
        (None, Some(authority)) => authority.as_str().to_owned(),
        (None, None) => String::new(),
    }
}

/// Our reply as hyper's head and its body. The request's header map is used again: hyper keeps it for the next request, too.
fn reply(
    shared: &Shared,
    answered: &Answered<'_>,
    mut headers: HeaderMap,
    is_head: bool,
) -> (response::Parts, Bytes) {
    let recorded = &answered.recorded;
    let reply = answered.reply.as_ref().unwrap_or(&recorded.exchange.reply);
    let code = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let origin = headers.remove(ORIGIN);
    headers.clear();
    for (name, value) in reply.headers.iter() {
        if name == "content-type" && value == JSON.as_bytes() {
            headers.insert(CONTENT_TYPE, JSON);
        } else if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value))
        {
            headers.append(name, value);
        }
    }
    headers.insert(EXCHANGE, HeaderValue::from(recorded.id));
    shared.cors.open(&mut headers, origin);
    let bodiless = Reply::is_bodiless(code.as_u16());
    if is_head && !bodiless {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(reply.body.len()));
    }
    let body = if is_head || bodiless { Bytes::new() } else { reply.body.clone() };
    let (mut head, ()) = Response::new(()).into_parts();
    head.status = code;
    head.headers = headers;
    (head, body)
}

/// A call of the control API.
async fn control(
    shared: &Arc<Shared>,
    parts: Parts,
    body: Incoming,
    in_flight: InFlight,
) -> Response<ReplyBody> {
    let is_http1 = parts.version < Version::HTTP_2;
    let mut collected = Collected::new(shared.bodies.of(&body), free(!is_http1));
    let time = shared.limits.body_time;
    let limit = control::body_limit(&shared.control, &parts).unwrap_or(0).max(CONTROL_BODY);
    collected.read(body, limit, time, &in_flight).await;
    if !collected.drained {
        in_flight.leave_unfinished();
    }
    let close = is_http1 && !collected.drained;
    let refuse = |code, error| control::refuse(&shared.control, &parts, code, error);
    let mut response = match collected.end {
        BodyEnd::Complete => {
            let bytes = collected.take();
            drop(collected);
            control::respond(&shared.control, &parts, bytes, &in_flight).await
        }
        BodyEnd::Broken => refuse(StatusCode::BAD_REQUEST, "expected a whole body, but found a part of it"),
        BodyEnd::TimedOut => refuse(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"),
        BodyEnd::TooLarge => refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("expected a body of at most {limit} bytes, but found a larger one"),
        ),
    };
    if close {
        response.headers_mut().insert(CONNECTION, CLOSE);
    }
    tracing::debug!(
        target: "standin::control",
        method = parts.method.as_str(),
        path = parts.uri.path(),
        status = response.status().as_u16(),
    );
    let (head, body) = response.into_parts();
    // What a text takes at most that shows one exchange.
    let room = shared.stub.settings().max_body.saturating_mul(6).saturating_add(CONTROL_BODY);
    match ReplyBody::control(body, in_flight, &shared.replies, room) {
        Ok(body) => Response::from_parts(head, body),
        Err(in_flight) => {
            let refusal = control::refuse(
                &shared.control,
                &parts,
                StatusCode::SERVICE_UNAVAILABLE,
                "expected replies to be read, but found too many that are not",
            );
            let (mut head, body) = refusal.into_parts();
            head.headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            // It is short, so there is always room for it.
            let body = ReplyBody::control(body, in_flight, &shared.replies, room);
            Response::from_parts(
                head,
                body.unwrap_or_else(|in_flight| ReplyBody::Cut { _in_flight: in_flight }),
            )
        }
    }
}

/// Whether a client that waits for a go-ahead has announced more than it may send. It is answered instead.
fn is_announced_too_large(headers: &HeaderMap, body: &Incoming, limit: usize) -> bool {
    body.size_hint().lower() > limit as u64
        && headers.get(EXPECT).is_some_and(|expect| expect.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// The largest body of a control call.
pub(super) const CONTROL_BODY: usize = 1024 * 1024;

const CLOSE: HeaderValue = HeaderValue::from_static("close");
const EXCHANGE: HeaderName = HeaderName::from_static("x-standin-exchange");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
