//! One request, from its head to its reply.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, thread, time::Instant};

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, Request as HyperRequest, Response, StatusCode, Uri, Version,
    body::{Body as _, Incoming},
    header::{
        CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderName, HeaderValue,
        ORIGIN, RETRY_AFTER,
    },
    http::request::Parts,
};
use jiff::Timestamp;
use tokio::task;

use super::{
    Shared,
    body::{Collected, ReplyBody, free},
    budget::{Budget, Hold},
    control, cors,
    head::{self, Fault},
    watch::{End, InFlight, Watch},
};
use crate::{
    BodyEnd, Delivery, Exchange, Headers, Recorded, Reply, Request, Timing, exchange::micros, session_name,
};

/// Answers a request. Its place in `watch` is taken at once, not when the future is first polled.
pub(super) fn handle(
    shared: &Arc<Shared>,
    watch: &Arc<Watch>,
    peer: SocketAddr,
    request: HyperRequest<Incoming>,
) -> impl Future<Output = Result<Response<ReplyBody>, Infallible>> + Send + 'static {
    let received = Received { at: Timestamp::now(), since: Instant::now() };
    let in_flight = InFlight::begin(Arc::clone(watch), &shared.requests);
    let is_too_many = in_flight.is_too_many(shared.limits.requests());
    let (shared, watch) = (Arc::clone(shared), Arc::clone(watch));
    async move {
        // One that sends request after request takes turns with all others.
        while !watch.takes_turn() {
            task::yield_now().await;
        }
        let response = if is_too_many {
            shared.refuse(peer, "there are too many requests at a time");
            status(StatusCode::SERVICE_UNAVAILABLE, in_flight)
        } else {
            answer(&shared, peer, request, received, in_flight).await
        };
        watch.replied();
        Ok(response)
    }
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
) -> Response<ReplyBody> {
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
        return refused(shared, &parts, fault, in_flight);
    }
    if is_control(parts.uri.path()) {
        parts.extensions.insert(peer);
        return control(shared, parts, body, in_flight).await;
    }
    if let Err(error) = shared.cors.check(&parts) {
        return turned_away(shared, peer, &parts, body, (StatusCode::FORBIDDEN, &error), in_flight).await;
    }
    if cors::is_preflight(&parts) {
        let body = ReplyBody::plain(Bytes::new(), in_flight);
        return shared.cors.preflight(&parts.headers, body);
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
        return turned_away(shared, peer, &parts, body, (StatusCode::BAD_REQUEST, &error), in_flight).await;
    }
    if matches!(parts.method, Method::GET | Method::HEAD) {
        if path == "/"
            && let Some(index) = &shared.index
        {
            return own(shared, index.response(&parts.headers), parts, in_flight);
        }
        if is_icon(path) && !shared.stub.contract().operations().iter().any(|op| op.fit(path).is_some()) {
            return own(shared, no_icon(), parts, in_flight);
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
) -> Response<ReplyBody> {
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
    let answered = pending.finish();
    let mut response = reply(shared, answered, parts.headers, is_head, in_flight);
    if close && is_http1 {
        response.headers_mut().insert(CONNECTION, CLOSE);
    }
    response
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
        let Shared { stub, journal, sessions, .. } = self.shared;
        let record = |exchange: Exchange| {
            // What the contract has, too, takes no memory of its own.
            let own = if exchange.reply.body.is_unique() { exchange.reply.body.len() } else { 0 };
            let timing = Timing::new(body, self.since.elapsed().saturating_sub(body));
            (journal.keep(exchange, timing), own)
        };
        let (mut kept, own) = match sessions {
            None => record(stub.respond(request)),
            Some(sessions) => {
                let name = request.session().unwrap_or(session_name::DEFAULT).to_owned();
                sessions.decide(stub, &name, stub.check(request), record)
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

/// Our reply as hyper's. The request's header map is used again: hyper keeps it for the next request, too.
fn reply(
    shared: &Shared,
    answered: Option<Answered<'_>>,
    mut headers: HeaderMap,
    is_head: bool,
    in_flight: InFlight,
) -> Response<ReplyBody> {
    // There is always one: only a dropped request has been recorded before.
    let Some(Answered { recorded, reply: as_it_was, own, mut hold, budget }) = answered else {
        return status(StatusCode::INTERNAL_SERVER_ERROR, in_flight);
    };
    let reply = as_it_was.as_ref().unwrap_or(&recorded.exchange.reply);
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
    let bodiless =
        code.is_informational() || matches!(code, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if is_head && !bodiless {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(reply.body.len()));
    }
    let body = if is_head || bodiless { Bytes::new() } else { reply.body.clone() };
    let free = free(in_flight.is_http2());
    let charged = if body.is_empty() { 0 } else { own.saturating_sub(free) };
    hold.shrink(charged);
    // A reply that repeats a body is a little longer, and that must not be what it fails for.
    let body = if hold.covers(charged.saturating_sub(free)) || budget.try_grow(&mut hold, charged) {
        ReplyBody::recorded(body, &recorded, hold, in_flight)
    } else {
        recorded.delivery.settle(Delivery::Aborted);
        tracing::warn!(target: "standin::server", "there is no memory left for reply {}", recorded.id);
        ReplyBody::Cut { _in_flight: in_flight }
    };
    let mut response = Response::new(body);
    *response.status_mut() = code;
    *response.headers_mut() = headers;
    response
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

/// Refuses what a page may not ask for, and what names no session that there can be. It never becomes an exchange: nobody
/// who may call has sent it, or it belongs to nobody.
async fn turned_away(
    shared: &Shared,
    peer: SocketAddr,
    parts: &Parts,
    body: Incoming,
    (status, error): (StatusCode, &str),
    in_flight: InFlight,
) -> Response<ReplyBody> {
    shared.refuse(peer, error);
    // Read to its end, so that the reply is not lost to a client that is still sending.
    let mut collected = Collected::new(shared.bodies.of(&body), free(parts.version >= Version::HTTP_2));
    collected.read(body, 0, shared.limits.body_time, &in_flight).await;
    let drained = collected.drained;
    if !drained {
        in_flight.leave_unfinished();
    }
    let text = format!("{}\n", serde_json::json!({ "error": error }));
    let mut response = Response::new(ReplyBody::plain(text.into(), in_flight));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    shared.cors.open(headers, parts.headers.get(ORIGIN).cloned());
    if !drained && parts.version < Version::HTTP_2 {
        headers.insert(CONNECTION, CLOSE);
    }
    response
}

/// A reply about the stand-in itself, which is no exchange.
fn own(shared: &Shared, response: Response<Bytes>, parts: Parts, in_flight: InFlight) -> Response<ReplyBody> {
    let (mut head, body) = response.into_parts();
    let mut headers = parts.headers;
    let origin = headers.remove(ORIGIN);
    shared.cors.open(&mut head.headers, origin);
    if head.status != StatusCode::NO_CONTENT {
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    let body = if parts.method == Method::HEAD { Bytes::new() } else { body };
    Response::from_parts(head, ReplyBody::plain(body, in_flight))
}

/// Whether a browser asks for this of its own accord.
fn is_icon(path: &str) -> bool {
    path == "/favicon.ico" || path.strip_prefix("/apple-touch-icon").is_some_and(|rest| !rest.contains('/'))
}

/// There is none, and a browser need not ask again today.
fn no_icon() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    response
}

/// What is no request is the last on its connection: where the next one begins is anybody's guess.
fn refused(shared: &Shared, parts: &Parts, fault: Fault, in_flight: InFlight) -> Response<ReplyBody> {
    let reason = if parts.method == Method::HEAD { "" } else { fault.reason };
    let mut response = Response::new(ReplyBody::plain(Bytes::from_static(reason.as_bytes()), in_flight));
    *response.status_mut() = fault.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, TEXT);
    if parts.version < Version::HTTP_2 {
        headers.insert(CONNECTION, CLOSE);
    }
    shared.cors.open(headers, parts.headers.get(ORIGIN).cloned());
    response
}

fn status(code: StatusCode, in_flight: InFlight) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::plain(Bytes::new(), in_flight));
    *response.status_mut() = code;
    response
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
const TEXT: HeaderValue = HeaderValue::from_static("text/plain");
