//! One request, from its head to its reply.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, thread, time::Instant};

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, Request as HyperRequest, Response, StatusCode, Uri, Version,
    body::{Body as _, Incoming},
    header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderName, HeaderValue},
    http::request::Parts,
};
use jiff::Timestamp;

use super::{
    Shared,
    body::{Collected, ReplyBody},
    control, cors,
    watch::{End, InFlight, Watch},
};
use crate::{BodyEnd, Delivery, Headers, Recorded, Request, Timing, exchange::micros};

/// Answers a request. Its place in `watch` is taken at once, not when the future is first polled.
pub(super) fn handle(
    shared: &Arc<Shared>,
    watch: &Arc<Watch>,
    peer: SocketAddr,
    request: HyperRequest<Incoming>,
) -> impl Future<Output = Result<Response<ReplyBody>, Infallible>> + Send + 'static {
    let received = Received { at: Timestamp::now(), since: Instant::now() };
    let in_flight = InFlight::begin(Arc::clone(watch));
    let (shared, watch) = (Arc::clone(shared), Arc::clone(watch));
    async move {
        let response = answer(&shared, peer, request, received, in_flight).await;
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
    request: HyperRequest<Incoming>,
    received: Received,
    in_flight: InFlight,
) -> Response<ReplyBody> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if is_too_much(&parts, shared) {
        shared.refuse(peer, "message head is too large");
        return status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, in_flight);
    }
    if body.is_end_stream() {
        in_flight.has_all(End::EmptyLine);
    }
    if path.starts_with("/__standin") && matches!(path.as_bytes().get(10), None | Some(b'/')) {
        return control(shared, parts, body, in_flight).await;
    }
    if cors::is_preflight(&parts) {
        let body = ReplyBody::plain(Bytes::new(), in_flight);
        return shared.cors.preflight(&parts.headers, body);
    }
    if path == "/"
        && matches!(parts.method, Method::GET | Method::HEAD)
        && let Some(page) = &shared.index
    {
        return index(page, &parts, in_flight);
    }
    exchange(shared, parts, body, received, in_flight).await
}

/// A request to the API: read, answered, recorded.
async fn exchange(
    shared: &Shared,
    parts: Parts,
    body: Incoming,
    received: Received,
    in_flight: InFlight,
) -> Response<ReplyBody> {
    let is_head = parts.method == Method::HEAD;
    let is_http1 = parts.version < Version::HTTP_2;
    let mut pending = Pending {
        shared,
        request: Some(request(&parts, received.at)),
        since: received.since,
        body: Collected::new(&shared.budget),
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
    let recorded = pending.finish();
    let mut response = reply(recorded, parts.headers, is_head, in_flight);
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

impl Pending<'_> {
    fn finish(mut self) -> Option<Arc<Recorded>> {
        self.record()
    }

    fn record(&mut self) -> Option<Arc<Recorded>> {
        let mut request = self.request.take()?;
        request.body = self.body.take();
        request.body_end = self.body.end;
        let body = self.since.elapsed();
        let exchange = self.shared.stub.respond(request);
        let timing = Timing::new(body, self.since.elapsed().saturating_sub(body));
        let recorded = self.shared.journal.record_timed(exchange, timing);
        if self.body.gone && self.body.end == BodyEnd::Broken {
            recorded.delivery.settle(Delivery::Aborted);
        }
        report(&recorded);
        Some(recorded)
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
    recorded: Option<Arc<Recorded>>,
    mut headers: HeaderMap,
    is_head: bool,
    in_flight: InFlight,
) -> Response<ReplyBody> {
    // There is always one: only a dropped request has been recorded before.
    let Some(recorded) = recorded else {
        return status(StatusCode::INTERNAL_SERVER_ERROR, in_flight);
    };
    let reply = &recorded.exchange.reply;
    let code = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
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
    cors::open(&mut headers);
    let bodiless =
        code.is_informational() || matches!(code, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if is_head && !bodiless {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(reply.body.len()));
    }
    let body = if is_head || bodiless { Bytes::new() } else { reply.body.clone() };
    let mut response = Response::new(ReplyBody::recorded(body, recorded, in_flight));
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
    let mut collected = Collected::new(&shared.budget);
    let time = shared.limits.body_time;
    collected.read(body, CONTROL_BODY, time, &in_flight).await;
    if !collected.drained {
        in_flight.leave_unfinished();
    }
    let close = is_http1 && !collected.drained;
    let refuse = |code, error| control::refuse(&shared.control, &parts, code, error);
    let mut response = match collected.end {
        BodyEnd::Complete => {
            let bytes = collected.take();
            drop(collected);
            control::respond(&shared.control, &parts, bytes).await
        }
        BodyEnd::Broken => refuse(StatusCode::BAD_REQUEST, "expected a whole body, but found a part of it"),
        BodyEnd::TimedOut => refuse(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"),
        BodyEnd::TooLarge => {
            refuse(StatusCode::PAYLOAD_TOO_LARGE, "expected a body of at most 1 MiB, but found a larger one")
        }
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
    response.map(|body| ReplyBody::control(body, in_flight))
}

fn index(page: &Bytes, parts: &Parts, in_flight: InFlight) -> Response<ReplyBody> {
    let length = HeaderValue::from(page.len());
    let page = if parts.method == Method::HEAD { Bytes::new() } else { page.clone() };
    let mut response = Response::new(ReplyBody::plain(page, in_flight));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(CONTENT_LENGTH, length);
    cors::open(headers);
    response
}

fn status(code: StatusCode, in_flight: InFlight) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::plain(Bytes::new(), in_flight));
    *response.status_mut() = code;
    cors::open(response.headers_mut());
    response
}

/// Whether an HTTP/2 head is beyond the limits; an HTTP/1 head has passed hyper's.
fn is_too_much(parts: &Parts, shared: &Shared) -> bool {
    if parts.version < Version::HTTP_2 {
        return false;
    }
    let target = parts.uri.path_and_query().map_or(0, |path| path.as_str().len());
    let fields: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    parts.headers.len() > shared.limits.headers || target + fields > shared.limits.head_bytes
}

/// Whether a client that waits for a go-ahead has announced more than it may send. It is answered instead.
fn is_announced_too_large(headers: &HeaderMap, body: &Incoming, limit: usize) -> bool {
    body.size_hint().lower() > limit as u64
        && headers.get(EXPECT).is_some_and(|expect| expect.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// The largest body of a control call.
const CONTROL_BODY: usize = 1024 * 1024;

const CLOSE: HeaderValue = HeaderValue::from_static("close");
const EXCHANGE: HeaderName = HeaderName::from_static("x-standin-exchange");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
