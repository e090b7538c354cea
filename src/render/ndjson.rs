//! The one JSON form of an exchange, a line each; it is read back without loss.
//!
//! ```json
//! {"id":1,"received":"…","operation":"createAgent","outcome":"refused","step":"validate","delivery":"sent",
//!  "request":{"method":"POST","target":"/…","headers":[["host","localhost"]],
//!             "body":{"bytes":2,"sha256":"…","complete":true,"text":"{}"}},
//!  "reply":{"status":412,"headers":[…],"body":{…}},
//!  "violations":[{"pointer":"/body/emailId","rule":"required","message":"…","expected":"…","found":"…","source":"…"}],
//!  "moreViolations":false,"readings":[{"ledger":"U3","pointer":"/body/…","note":"…"}]}
//! ```
//!
//! A body that is not UTF-8 has `base64` instead of `text`, one that is cut short `bodyEnd` beside `complete: false`.
//! The value of a header that is not UTF-8 is `{"base64": "…"}`.

mod parse;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Serialize, Serializer, ser::SerializeSeq};

use crate::{BodyEnd, Delivery, Headers, Outcome, Reading, Recorded, Rule, Step, Violation, render::sha256};

pub use parse::{ParseError, parse, read};

/// The exchange as one line of JSON, without the line's end.
pub fn line(recorded: &Recorded) -> String {
    // Serializing strings, numbers and lists to a string cannot fail.
    serde_json::to_string(&Line::new(recorded)).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    id: u64,
    received: String,
    operation: Option<&'a str>,
    outcome: Outcome,
    step: Step,
    delivery: Delivery,
    request: RequestPart<'a>,
    reply: ReplyPart<'a>,
    violations: Vec<ViolationPart<'a>>,
    more_violations: bool,
    readings: &'a [Reading],
}

#[derive(Serialize)]
struct RequestPart<'a> {
    method: &'a str,
    target: &'a str,
    headers: HeaderList<'a>,
    body: BodyPart<'a>,
}

#[derive(Serialize)]
struct ReplyPart<'a> {
    status: u16,
    headers: HeaderList<'a>,
    body: BodyPart<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BodyPart<'a> {
    bytes: usize,
    sha256: String,
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_end: Option<BodyEnd>,
    #[serde(flatten)]
    content: Text<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Text<'a> {
    Text(&'a str),
    Base64(String),
}

#[derive(Serialize)]
struct ViolationPart<'a> {
    pointer: &'a str,
    rule: Rule,
    message: String,
    expected: &'a str,
    found: &'a str,
    source: &'a str,
}

struct HeaderList<'a>(&'a Headers);

impl<'a> Line<'a> {
    fn new(recorded: &'a Recorded) -> Self {
        let exchange = &recorded.exchange;
        let (request, reply) = (&exchange.request, &exchange.reply);
        Self {
            id: recorded.id,
            received: request.received.to_string(),
            operation: exchange.operation.as_deref(),
            outcome: exchange.outcome(),
            step: exchange.step,
            delivery: recorded.delivery.get(),
            request: RequestPart {
                method: &request.method,
                target: &request.target,
                headers: HeaderList(&request.headers),
                body: BodyPart::new(&request.body, request.body_end),
            },
            reply: ReplyPart {
                status: reply.status,
                headers: HeaderList(&reply.headers),
                body: BodyPart::new(&reply.body, BodyEnd::Complete),
            },
            violations: exchange.violations.iter().map(ViolationPart::new).collect(),
            more_violations: exchange.more_violations,
            readings: &exchange.readings,
        }
    }
}

impl<'a> BodyPart<'a> {
    fn new(body: &'a [u8], end: BodyEnd) -> Self {
        let complete = end == BodyEnd::Complete;
        Self {
            bytes: body.len(),
            sha256: sha256(body),
            complete,
            body_end: (!complete).then_some(end),
            content: Text::new(body),
        }
    }
}

impl<'a> Text<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        std::str::from_utf8(bytes).map_or_else(|_| Self::Base64(BASE64_STANDARD.encode(bytes)), Self::Text)
    }
}

impl<'a> ViolationPart<'a> {
    fn new(violation: &'a Violation) -> Self {
        Self {
            pointer: &violation.pointer,
            rule: violation.rule,
            message: violation.message(),
            expected: &violation.expected,
            found: &violation.found,
            source: &violation.source,
        }
    }
}

impl Serialize for HeaderList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for (name, value) in self.0.iter() {
            match Text::new(value) {
                Text::Text(value) => list.serialize_element(&(name, value))?,
                binary @ Text::Base64(_) => list.serialize_element(&(name, binary))?,
            }
        }
        list.end()
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
