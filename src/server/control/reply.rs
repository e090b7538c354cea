//! Replies of the control API, and what it says when something is wrong.

use bytes::Bytes;
use hyper::{
    Method, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    http::request::Parts,
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::body::{self, ControlBody};

/// A refusal, with its reason.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    members: Box<Map<String, Value>>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self {
            status,
            members: Box::new(Map::from_iter([("error".to_owned(), Value::String(error.into()))])),
            header: None,
        }
    }

    /// A refusal of what a client has sent.
    pub(super) fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// Adds a member beside `error`.
    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    pub(super) fn response(self) -> Response<ControlBody> {
        let mut response = json(self.status, &self.members);
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// A call that changes something says that it is JSON: a media type that a page of another origin cannot send without a
/// preflight. A DELETE needs a preflight whatever it says, so without a body it need not say anything.
pub(super) fn expect_json(parts: &Parts, body: &[u8]) -> Result<(), Refused> {
    if parts.method == Method::DELETE && body.is_empty() && !parts.headers.contains_key(CONTENT_TYPE) {
        return Ok(());
    }
    let content_type = parts.headers.get(CONTENT_TYPE);
    let media_type = content_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    if media_type.trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refused::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!("content-type: expected application/json, but found `{media_type}`"),
    ))
}

/// A value as a reply.
pub(super) fn json<T: Serialize + ?Sized>(status: StatusCode, value: &T) -> Response<ControlBody> {
    whole(status, json_text(value))
}

/// A value as a line of JSON.
pub(super) fn json_text<T: Serialize + ?Sized>(value: &T) -> Bytes {
    // Only maps with keys that are not strings fail, and none has such.
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    text.push(b'\n');
    text.into()
}

/// JSON that is there in one piece.
pub(super) fn whole(status: StatusCode, json: Bytes) -> Response<ControlBody> {
    with_body(status, JSON, body::whole(json))
}

pub(super) fn with_body(
    status: StatusCode,
    content_type: HeaderValue,
    body: ControlBody,
) -> Response<ControlBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// What every reply has: it is about this moment, and it quotes what clients sent.
pub(super) fn seal(response: &mut Response<ControlBody>) {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");
