//! Requests and replies as JSON, every byte kept.

use std::borrow::Cow;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    Headers, Reply, Request,
    payload::{self, Case, Wire},
};

/// A request as it was sent.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", from = "Form", into = "Form")]
pub struct Sent {
    /// The request; `host` and what frames it are not in it.
    pub request: Request,
    /// What it takes to send it.
    pub wire: Wire,
    /// Whether the names of its headers are sent in capitals.
    pub in_capitals: bool,
}

impl Sent {
    /// The headers as they are sent.
    pub fn headers(&self) -> impl Iterator<Item = (Cow<'_, str>, &[u8])> {
        payload::headers(&self.request, self.in_capitals)
    }

    /// The bytes that are written on a connection of its own: nothing is added but what frames it.
    pub(super) fn http1(&self, host: &str, prefix: &str) -> Vec<u8> {
        payload::http1(&self.request, self.in_capitals, host, prefix)
    }
}

impl From<Case> for Sent {
    fn from(case: Case) -> Self {
        Self { in_capitals: case.label.is_in_capitals(), request: case.request, wire: case.wire }
    }
}

/// A request in JSON.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    method: String,
    target: String,
    headers: Vec<(String, Text)>,
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    body: Text,
    wire: Wire,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    headers_in_capitals: bool,
}

/// Bytes: as text where they are text, else in base64.
#[derive(Clone, Deserialize, Serialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Binary { base64: String },
}

impl Text {
    fn new(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Plain(text.to_owned()),
            Err(_) => Self::Binary { base64: BASE64_STANDARD.encode(bytes) },
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Plain(text) if text.is_empty())
    }

    fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Plain(text) => text.into_bytes(),
            // What is not base64 was not written here; it is sent as it stands.
            Self::Binary { base64 } => BASE64_STANDARD.decode(&base64).unwrap_or(base64.into_bytes()),
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::Plain(String::new())
    }
}

fn list(headers: &Headers) -> Vec<(String, Text)> {
    headers.iter().map(|(name, value)| (name.to_owned(), Text::new(value))).collect()
}

fn headers(list: Vec<(String, Text)>) -> Headers {
    list.into_iter().map(|(name, value)| (name, value.into_bytes())).collect()
}

impl From<Sent> for Form {
    fn from(sent: Sent) -> Self {
        Self {
            headers: list(&sent.request.headers),
            body: Text::new(&sent.request.body),
            method: sent.request.method,
            target: sent.request.target,
            wire: sent.wire,
            headers_in_capitals: sent.in_capitals,
        }
    }
}

impl From<Form> for Sent {
    fn from(form: Form) -> Self {
        let request = Request {
            headers: headers(form.headers),
            body: Bytes::from(form.body.into_bytes()),
            ..Request::new(form.method, form.target)
        };
        Self { request, wire: form.wire, in_capitals: form.headers_in_capitals }
    }
}

/// A reply in JSON.
pub(super) mod reply {
    use serde::{Deserializer, Serializer};

    use super::{Bytes, Deserialize, Reply, Serialize, Text};

    #[derive(Deserialize, Serialize)]
    struct Form {
        status: u16,
        headers: Vec<(String, Text)>,
        #[serde(default, skip_serializing_if = "Text::is_empty")]
        body: Text,
    }

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(in crate::campaign) fn serialize<S: Serializer>(
        reply: &Option<Reply>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let form = reply.as_ref().map(|reply| Form {
            status: reply.status,
            headers: super::list(&reply.headers),
            body: Text::new(&reply.body),
        });
        form.serialize(serializer)
    }

    pub(in crate::campaign) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Reply>, D::Error> {
        let form = Option::<Form>::deserialize(deserializer)?;
        Ok(form.map(|form| Reply {
            status: form.status,
            headers: super::headers(form.headers),
            body: Bytes::from(form.body.into_bytes()),
        }))
    }
}

/// A time in whole microseconds.
pub(super) mod micros {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::exchange;

    pub(in crate::campaign) fn serialize<S: Serializer>(
        time: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(exchange::micros(*time))
    }

    pub(in crate::campaign) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_keeps_every_byte() {
        let request = Request::new("POST", "/a?b=%zz").header("auth", b"caf\xe9").body(&b"\xff{"[..]);
        let sent = Sent { request, wire: Wire::Http1Raw, in_capitals: true };
        let text = serde_json::to_string(&sent).unwrap();
        assert_eq!(serde_json::from_str::<Sent>(&text).unwrap(), sent);
    }
}
