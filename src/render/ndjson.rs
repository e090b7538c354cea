//! The one JSON form of an exchange, a line each; it is read back without loss.
//!
//! ```json
//! {"id":1,"received":"…","operation":"createAgent","outcome":"refused","step":"validate","session":"default",
//!  "delivery":"sent",
//!  "request":{"method":"POST","target":"/…","headers":[["host","localhost"]],
//!             "body":{"bytes":2,"sha256":"…","complete":true,"text":"{}"}},
//!  "reply":{"status":412,"headers":[…],"body":{…}},
//!  "violations":[{"pointer":"/body/emailId","rule":"required","message":"…","expected":"…","found":"…","source":"…"}],
//!  "moreViolations":false,"readings":[{"ledger":"U3","pointer":"/body/…","note":"…"}],
//!  "redactions":[{"pointer":"/request/header/auth","secret":"token"}],
//!  "micros":{"body":12,"answer":34,"send":56}}
//! ```
//!
//! An exchange that had to do with the state of its session has `"state":{"before":6,"after":7}`, and in it the `resource`
//! that it changed: `name`, `id`, and how it was `before` and is `after`.
//!
//! An exchange whose reply a script had a part in, or a `Prefer` for delays and faults, has `scripted`, with what there is of
//! `script`, its id; `decided`, the reply in whose place another was sent; `delayMicros`, `throttle` and `fault`, which is
//! `"reset"` or the like, or `{"cut":100}`; `discarded`, when the state stayed as it was; and `breaches` of the contract by the
//! reply, each with `pointer` and `message`.
//!
//! A body that is not UTF-8 has `base64` instead of `text`, one that is cut short `bodyEnd` beside `complete: false`.
//! `micros` is what the request's body, the answer and the reply's way to the connection took, in microseconds, and with
//! `delay` for how long the reply was held back.
//! The value of a header that is not UTF-8 is `{"base64": "…"}`.

mod file;
mod parse;
mod scripted;
mod state;

use std::{borrow::Cow, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeSeq};

use crate::{
    BodyEnd, Delivery, DeliveryCell, Exchange, Headers, Outcome, Reading, Recorded, Redaction, Reply,
    Request, Rule, Step, Timing, Violation, exchange::micros, render::sha256,
};

pub use file::{Reader, Run, delivery, gap, header, read};
pub use parse::{ParseError, parse};
use scripted::ScriptedPart;
use state::StatePart;

/// The exchange as one line of JSON, without the line's end.
pub fn line(recorded: &Recorded) -> String {
    // Serializing strings, numbers and lists to a string cannot fail.
    serde_json::to_string(&Line::new(recorded)).unwrap_or_default()
}

/// JSON allows the ends of lines that Unicode has within strings, and some readers take them for ends of lines.
#[cfg(any(feature = "campaign", feature = "cli"))]
pub(crate) fn unbroken(line: String) -> String {
    if line.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        let line = line.replace('\u{85}', "\\u0085");
        return line.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    }
    line
}

/// An exchange as it is written and read. What follows from the rest is written, and may be missing when it is read.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    id: u64,
    received: Timestamp,
    #[serde(borrow)]
    operation: Option<Cow<'a, str>>,
    #[serde(skip_deserializing)]
    outcome: Option<Outcome>,
    step: Step,
    #[serde(skip_deserializing)]
    session: &'a str,
    delivery: Delivery,
    #[serde(borrow)]
    request: RequestPart<'a>,
    #[serde(borrow)]
    reply: ReplyPart<'a>,
    #[serde(default, borrow)]
    violations: Vec<ViolationPart<'a>>,
    #[serde(default)]
    more_violations: bool,
    #[serde(default)]
    readings: Cow<'a, [Reading]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<StatePart>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    scripted: Option<ScriptedPart<'a>>,
    #[serde(default)]
    redactions: Cow<'a, [Redaction]>,
    #[serde(default)]
    micros: MicrosPart,
}

#[derive(Default, Deserialize, Serialize)]
struct MicrosPart {
    body: u64,
    answer: u64,
    #[serde(default, skip_serializing_if = "scripted::is_zero")]
    delay: u64,
    send: u64,
}

#[derive(Deserialize, Serialize)]
struct RequestPart<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    target: Cow<'a, str>,
    headers: HeaderList<'a>,
    #[serde(borrow)]
    body: BodyPart<'a>,
}

#[derive(Deserialize, Serialize)]
struct ReplyPart<'a> {
    status: u16,
    headers: HeaderList<'a>,
    #[serde(borrow)]
    body: BodyPart<'a>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct BodyPart<'a> {
    bytes: Option<u64>,
    #[serde(borrow)]
    sha256: Option<Cow<'a, str>>,
    complete: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_end: Option<BodyEnd>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<Base64<'a>>,
}

#[derive(Deserialize, Serialize)]
struct ViolationPart<'a> {
    #[serde(borrow)]
    pointer: Cow<'a, str>,
    rule: Rule,
    #[serde(skip_deserializing)]
    message: String,
    #[serde(borrow)]
    expected: Cow<'a, str>,
    #[serde(borrow)]
    found: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
}

struct HeaderList<'a>(Cow<'a, Headers>);

/// The value of a header.
#[derive(Deserialize, Serialize)]
#[serde(untagged, expecting = "a string, or an object with base64")]
enum HeaderValue<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Binary { base64: Base64<'a> },
}

/// Bytes that are no text.
struct Base64<'a>(Cow<'a, [u8]>);

impl<'a> Line<'a> {
    fn new(recorded: &'a Recorded) -> Self {
        let exchange = &recorded.exchange;
        let (request, reply) = (&exchange.request, &exchange.reply);
        Self {
            id: recorded.id,
            received: request.received,
            operation: exchange.operation.as_deref().map(Cow::Borrowed),
            outcome: Some(exchange.outcome()),
            step: exchange.step,
            session: exchange.session(),
            delivery: recorded.delivery.get(),
            request: RequestPart {
                method: request.method.as_str().into(),
                target: request.target.as_str().into(),
                headers: HeaderList(Cow::Borrowed(&request.headers)),
                body: BodyPart::new(&request.body, request.body_end),
            },
            reply: ReplyPart::new(reply),
            violations: exchange.violations.iter().map(ViolationPart::new).collect(),
            more_violations: exchange.more_violations,
            readings: exchange.readings.as_slice().into(),
            state: exchange.state.as_deref().map(StatePart::new),
            scripted: exchange.scripted.as_deref().map(ScriptedPart::new),
            redactions: recorded.redactions.as_ref().into(),
            micros: MicrosPart::new(&recorded.timing),
        }
    }

    fn into_recorded(self) -> Result<Recorded, ParseError> {
        let (body, body_end) = self.request.body.into_bytes("/request/body")?;
        Ok(Recorded {
            id: self.id,
            exchange: Exchange {
                request: Request {
                    method: self.request.method.into_owned(),
                    target: self.request.target.into_owned(),
                    headers: self.request.headers.0.into_owned(),
                    body,
                    body_end,
                    received: self.received,
                },
                reply: self.reply.into_reply("/reply")?,
                operation: self.operation.as_deref().map(Into::into),
                step: self.step,
                violations: self.violations.into_iter().map(ViolationPart::into_violation).collect(),
                more_violations: self.more_violations,
                readings: self.readings.into_owned(),
                state: self.state.map(|state| Box::new(state.into_touched())),
                scripted: self.scripted.map(ScriptedPart::into_scripted).transpose()?.map(Box::new),
            },
            redactions: self.redactions.into_owned().into(),
            timing: self.micros.into_timing(),
            delivery: DeliveryCell::new(self.delivery),
        })
    }
}

impl MicrosPart {
    fn new(timing: &Timing) -> Self {
        Self {
            body: micros(timing.body),
            answer: micros(timing.answer),
            delay: micros(timing.delay()),
            send: micros(timing.send()),
        }
    }

    fn into_timing(self) -> Timing {
        let timing = Timing::new(Duration::from_micros(self.body), Duration::from_micros(self.answer));
        timing.delayed(Duration::from_micros(self.delay));
        timing.sent(Duration::from_micros(self.send));
        timing
    }
}

impl<'a> ReplyPart<'a> {
    fn new(reply: &'a Reply) -> Self {
        Self {
            status: reply.status,
            headers: HeaderList(Cow::Borrowed(&reply.headers)),
            body: BodyPart::new(&reply.body, BodyEnd::Complete),
        }
    }

    fn into_reply(self, pointer: &str) -> Result<Reply, ParseError> {
        Ok(Reply {
            status: self.status,
            headers: self.headers.0.into_owned(),
            body: self.body.into_bytes(&format!("{pointer}/body"))?.0,
        })
    }
}

impl<'a> BodyPart<'a> {
    fn new(body: &'a [u8], end: BodyEnd) -> Self {
        let complete = end == BodyEnd::Complete;
        let (text, base64) = match std::str::from_utf8(body) {
            Ok(text) => (Some(text.into()), None),
            Err(_) => (None, Some(Base64(body.into()))),
        };
        Self {
            bytes: Some(body.len() as u64),
            sha256: Some(sha256(body).into()),
            complete: Some(complete),
            body_end: (!complete).then_some(end),
            text,
            base64,
        }
    }

    /// The body, unless what is said of it is not so.
    fn into_bytes(self, pointer: &str) -> Result<(Bytes, BodyEnd), ParseError> {
        let body = match (self.text, self.base64) {
            (Some(text), None) => Bytes::from(text.into_owned()),
            (None, Some(base64)) => Bytes::from(base64.0.into_owned()),
            (None, None) => return Err(ParseError::new(pointer, "either text or base64", "neither")),
            (Some(_), Some(_)) => return Err(ParseError::new(pointer, "either text or base64", "both")),
        };
        let right = |name: &str, expected: String, found: String| {
            if found == expected {
                return Ok(());
            }
            let expected = format!("{expected}, as the body has");
            Err(ParseError::new(&format!("{pointer}/{name}"), &expected, &format!("`{found}`")))
        };
        if let Some(bytes) = self.bytes {
            right("bytes", body.len().to_string(), bytes.to_string())?;
        }
        if let Some(hash) = self.sha256 {
            right("sha256", sha256(&body), hash.into_owned())?;
        }
        let end = self.body_end.unwrap_or_default();
        if let Some(complete) = self.complete.filter(|&complete| complete != (end == BodyEnd::Complete)) {
            let pointer = format!("{pointer}/complete");
            return Err(ParseError::new(
                &pointer,
                "false with a bodyEnd, true without",
                &format!("`{complete}`"),
            ));
        }
        Ok((body, end))
    }
}

impl<'a> ViolationPart<'a> {
    fn new(violation: &'a Violation) -> Self {
        Self {
            pointer: violation.pointer.as_str().into(),
            rule: violation.rule,
            message: violation.message(),
            expected: violation.expected.as_str().into(),
            found: violation.found.as_str().into(),
            source: violation.source.as_str().into(),
        }
    }

    fn into_violation(self) -> Violation {
        Violation {
            pointer: self.pointer.into_owned(),
            rule: self.rule,
            expected: self.expected.into_owned(),
            found: self.found.into_owned(),
            source: self.source.into_owned(),
        }
    }
}

impl<'a> HeaderValue<'a> {
    fn new(value: &'a [u8]) -> Self {
        match std::str::from_utf8(value) {
            Ok(text) => Self::Text(text.into()),
            Err(_) => Self::Binary { base64: Base64(value.into()) },
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary { base64 } => &base64.0,
        }
    }
}

impl Serialize for HeaderList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for (name, value) in self.0.iter() {
            list.serialize_element(&(name, HeaderValue::new(value)))?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for HeaderList<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = Vec::<(Cow<'de, str>, HeaderValue<'de>)>::deserialize(deserializer)?;
        let bytes: u64 = pairs.iter().map(|(name, value)| (name.len() + value.bytes().len()) as u64).sum();
        if u32::try_from(bytes).is_err() {
            return Err(D::Error::custom("expected less than 4 GiB of headers, but found more"));
        }
        Ok(Self(Cow::Owned(pairs.iter().map(|(name, value)| (name, value.bytes())).collect())))
    }
}

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        BASE64_STANDARD
            .decode(text.as_bytes())
            .map(|bytes| Self(bytes.into()))
            .map_err(|error| D::Error::custom(format!("expected base64, but found {error}")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::render::tests::full;

    #[test]
    fn a_line_has_everything_in_its_place() {
        let recorded = full();

        let line: Value = serde_json::from_str(&line(&recorded)).unwrap();

        assert_eq!(
            line,
            json!({
                "id": 7,
                "received": "2026-08-01T12:30:00.000000001Z",
                "operation": "createAgent",
                "outcome": "refused",
                "step": "validate",
                "session": "default",
                "delivery": "sent",
                "request": {
                    "method": "POST",
                    "target": "/agents?a=1&b=x%20y",
                    "headers": [
                        ["host", "localhost:8484"],
                        ["auth", "<token of cs-1, 12 bytes>"],
                        ["x-latin", {"base64": "Y2Fm6Q=="}],
                        ["content-type", "application/json"],
                        ["x-twice", "1"],
                        ["x-twice", "2"],
                    ],
                    "body": {
                        "bytes": 18,
                        "sha256": sha256("{\"name\":\"it's ü\"}".as_bytes()),
                        "complete": true,
                        "text": "{\"name\":\"it's ü\"}",
                    },
                },
                "reply": {
                    "status": 412,
                    "headers": [["content-type", "application/json"]],
                    "body": {"bytes": 2, "sha256": sha256(b"{}"), "complete": true, "text": "{}"},
                },
                "violations": [{
                    "pointer": "/body/name",
                    "rule": "type",
                    "message": "expected a number, but found a string",
                    "expected": "a number",
                    "found": "a string",
                    "source": "observed",
                }],
                "moreViolations": true,
                "readings": [{"ledger": "U3", "pointer": "/body", "note": "read as meant"}],
                "state": {
                    "before": 6,
                    "after": 7,
                    "resource": {"name": "agent", "id": "a-1", "after": {"id": "a-1"}},
                },
                "scripted": {
                    "script": "flaky",
                    "decided": {
                        "status": 200,
                        "headers": [["x-sample", "1"]],
                        "body": {"bytes": 2, "sha256": sha256(b"[]"), "complete": true, "text": "[]"},
                    },
                    "delayMicros": 1_500_000,
                    "throttle": 1000,
                    "fault": {"cut": 1},
                    "discarded": true,
                    "breaches": [{"pointer": "/body/id", "message": "expected one, but found none"}],
                },
                "redactions": [{"pointer": "/request/header/auth", "secret": "token"}],
                "micros": {"body": 1500, "answer": 40, "delay": 1_000_000, "send": 260},
            })
        );
    }

    #[test]
    fn a_body_cut_short_says_how_and_one_that_is_no_text_is_base64() {
        let mut recorded = full();
        recorded.exchange.request.body = b"\xff\n".as_slice().into();
        recorded.exchange.request.body_end = BodyEnd::TimedOut;

        let line = line(&recorded);

        assert!(line.contains(r#""complete":false,"bodyEnd":"timedOut","base64":"/wo="}"#), "{line}");
        assert!(!line.contains('\n'));
    }
}
