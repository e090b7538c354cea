//! Replies to what is no exchange: it names none, nobody who may has sent it, or it is about the stand-in itself.

use std::net::SocketAddr;

use bytes::Bytes;
use hyper::{
    Method, Response, StatusCode, Version,
    body::Incoming,
    header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, ORIGIN},
    http::request::Parts,
};

use super::{CLOSE, JSON};
use crate::server::{
    Shared,
    body::{Collected, ReplyBody, free},
    head::Fault,
    watch::InFlight,
};

/// Refuses what a page may not ask for, and what names no session that there can be. It never becomes an exchange: nobody
/// who may call has sent it, or it belongs to nobody.
pub(super) async fn turned_away(
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
pub(super) fn own(
    shared: &Shared,
    response: Response<Bytes>,
    parts: Parts,
    in_flight: InFlight,
) -> Response<ReplyBody> {
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
pub(super) fn is_icon(path: &str) -> bool {
    path == "/favicon.ico" || path.strip_prefix("/apple-touch-icon").is_some_and(|rest| !rest.contains('/'))
}

/// There is none, and a browser need not ask again today.
pub(super) fn no_icon() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    response
}

/// What is no request is the last on its connection: where the next one begins is anybody's guess.
pub(super) fn refused(
    shared: &Shared,
    parts: &Parts,
    fault: Fault,
    in_flight: InFlight,
) -> Response<ReplyBody> {
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

pub(super) fn status(code: StatusCode, in_flight: InFlight) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::plain(Bytes::new(), in_flight));
    *response.status_mut() = code;
    response
}

const TEXT: HeaderValue = HeaderValue::from_static("text/plain");
