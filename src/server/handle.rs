//! One request, from its head to its reply.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, thread};

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, Request as HyperRequest, Response, StatusCode, Uri, Version,
    body::{Body as _, Incoming},
    header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HeaderName, HeaderValue},
    http::request::Parts,
};
use jiff::Timestamp;

use super::{
    Shell,
    body::{Collected, ReplyBody},
    control, cors,
    watch::{InFlight, Watch},
};
use crate::{BodyEnd, Delivery, Headers, Recorded, Request};

/// Answers a request. Its place in `watch` is taken at once, not when the future is first polled.
pub(super) fn handle(
    shell: &Arc<Shell>,
    watch: &Arc<Watch>,
    peer: SocketAddr,
    request: HyperRequest<Incoming>,
) -> impl Future<Output = Result<Response<ReplyBody>, Infallible>> + Send + 'static {
    let received = Timestamp::now();
    let in_flight = InFlight::begin(Arc::clone(watch));
    let shell = Arc::clone(shell);
    async move {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        if is_too_much(&parts, &shell) {
            shell.refuse(peer, "message head is too large");
            return Ok(status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, in_flight));
        }
        if path.starts_with("/__standin") && matches!(path.as_bytes().get(10), None | Some(b'/')) {
            return Ok(control(&shell, parts, body, in_flight).await);
        }
        if cors::is_preflight(&parts) {
            let body = ReplyBody::plain(Bytes::new(), in_flight);
            return Ok(shell.cors.preflight(&parts.headers, body));
        }
        if path == "/"
            && matches!(parts.method, Method::GET | Method::HEAD)
            && let Some(page) = &shell.index
        {
            return Ok(index(page, &parts, in_flight));
        }
        Ok(exchange(&shell, parts, body, received, in_flight).await)
    }
}

/// A request to the API: read, answered, recorded.
async fn exchange(
    shell: &Shell,
    parts: Parts,
    body: Incoming,
    received: Timestamp,
    in_flight: InFlight,
) -> Response<ReplyBody> {
    let is_head = parts.method == Method::HEAD;
    let is_http1 = parts.version < Version::HTTP_2;
    let mut pending =
        Pending { shell, request: Some(request(&parts, received)), body: Collected::new(&shell.budget) };
    let limit = shell.stub.settings().max_body;
    if is_announced_too_large(&parts.headers, &body, limit) {
        pending.body.end = BodyEnd::TooLarge;
    } else {
        let time = shell.limits.body_time;
        pending.body.read(body, limit, time).await;
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
    shell: &'a Shell,
    request: Option<Request>,
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
        let exchange = self.shell.stub.respond(request);
        let recorded = self.shell.journal.record(exchange);
        if self.body.gone && self.body.end == BodyEnd::Broken {
            recorded.delivery.settle(Delivery::Aborted);
        }
        self.shell.log.exchange(&recorded);
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

/// hyper's head of a request as ours.
fn request(parts: &Parts, received: Timestamp) -> Request {
    let bytes = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let mut headers = Headers::with_capacity(parts.headers.len(), bytes);
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
    shell: &Arc<Shell>,
    parts: Parts,
    body: Incoming,
    in_flight: InFlight,
) -> Response<ReplyBody> {
    let is_http1 = parts.version < Version::HTTP_2;
    let mut collected = Collected::new(&shell.budget);
    let time = shell.limits.body_time;
    collected.read(body, CONTROL_BODY, time).await;
    if !collected.drained {
        in_flight.leave_unfinished();
    }
    let close = is_http1 && !collected.drained;
    let refuse = |code, error| control::refuse(&shell.control, &parts, code, error);
    let mut response = match collected.end {
        BodyEnd::Complete => {
            let bytes = collected.take();
            drop(collected);
            control::respond(&shell.control, &parts, bytes).await
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
fn is_too_much(parts: &Parts, shell: &Shell) -> bool {
    if parts.version < Version::HTTP_2 {
        return false;
    }
    let target = parts.uri.path_and_query().map_or(0, |path| path.as_str().len());
    let fields: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    parts.headers.len() > shell.limits.headers || target + fields > shell.limits.head_bytes
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
