//! Exchanges as an HTTP Archive (HAR 1.2), which a browser's developer tools open.
//!
//! The times are the server's: to read the body, to answer and hold the reply back, and until the connection had taken it. The
//! journal has no protocol version, so that is `unknown`. What HAR has no field for is under `_standin`.

use std::{borrow::Borrow, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{cut_short, summary};
use crate::{Headers, Recorded, Redaction, Reply, Request, Scripted, SecretKind, percent};

/// A log of these exchanges.
pub fn log<R: Borrow<Recorded>>(exchanges: &[R]) -> Value {
    let entries: Vec<_> = exchanges.iter().map(|recorded| entry(recorded.borrow())).collect();
    let mut log = empty();
    log["log"]["entries"] = entries.into();
    log
}

/// What comes before and after the entries of a log, each of which stands on lines of its own between commas.
pub(crate) fn frame() -> (String, String) {
    let empty = empty().to_string();
    match empty.rsplit_once(']') {
        Some((head, tail)) => (format!("{head}\n"), tail.to_owned()),
        None => (empty, String::new()),
    }
}

/// A log without exchanges; `entries` is its last member.
fn empty() -> Value {
    json!({
        "log": {
            "version": "1.2",
            "creator": {"name": "standin", "version": env!("CARGO_PKG_VERSION")},
            "entries": [],
        }
    })
}

/// One exchange as an entry of a log.
pub(crate) fn entry(recorded: &Recorded) -> Value {
    let exchange = &recorded.exchange;
    let timing = &recorded.timing;
    let host = first(&exchange.request.headers, "host");
    let host = if host.is_empty() { "localhost" } else { &host };
    let mut entry = Sent {
        base_url: &format!("http://{host}"),
        request: &exchange.request,
        reply: Some(&exchange.reply),
        redactions: &recorded.redactions,
        times: [timing.body, timing.answer + held_back(recorded), timing.send()],
    }
    .entry();
    entry["comment"] = summary(recorded).into();
    entry["_standin"] = json!({
        "id": recorded.id,
        "operation": exchange.operation.as_deref(),
        "outcome": exchange.outcome(),
        "step": exchange.step,
        "delivery": recorded.delivery.get(),
        "violations": exchange.violations,
        "moreViolations": exchange.more_violations,
        "readings": exchange.readings,
        "redactions": recorded.redactions.as_ref(),
        "scripted": exchange.scripted.as_deref().map(by_script),
    });
    entry
}

/// For how long the reply was held back; as long as that is not known, for how long it is to be.
fn held_back(recorded: &Recorded) -> Duration {
    let measured = Some(recorded.timing.delay()).filter(|time| !time.is_zero());
    let asked = || recorded.exchange.scripted.as_ref().map(|scripted| scripted.course.delay);
    measured.or_else(asked).unwrap_or_default()
}

/// What a script did to the reply; what was decided is no entry of its own, as nobody was sent it.
fn by_script(scripted: &Scripted) -> Value {
    let Scripted { script, decided, course, discarded, breaches } = scripted;
    json!({
        "script": script.as_deref(),
        "decidedStatus": decided.as_ref().map(|reply| reply.status),
        "delay": millis(course.delay),
        "throttle": course.throttle,
        "fault": course.fault,
        "discarded": discarded,
        "breaches": breaches,
    })
}

/// A request and what came back, as far as HAR has fields for it.
pub(crate) struct Sent<'a> {
    pub(crate) base_url: &'a str,
    pub(crate) request: &'a Request,
    /// None when there is none: HAR has the status 0 for that.
    pub(crate) reply: Option<&'a Reply>,
    pub(crate) redactions: &'a [Redaction],
    /// To send the request, to wait for the reply, and to receive it.
    pub(crate) times: [Duration; 3],
}

impl Sent<'_> {
    pub(crate) fn entry(&self) -> Value {
        let nothing = Reply { status: 0, headers: Headers::default(), body: Bytes::new() };
        let reply = self.reply.unwrap_or(&nothing);
        let [send, wait, receive] = self.times;
        json!({
            "startedDateTime": self.request.received.to_string(),
            "time": millis(send + wait + receive),
            "request": self.request(),
            "response": {
                "status": reply.status,
                "statusText": reason(reply.status),
                "httpVersion": "unknown",
                "cookies": [],
                "headers": self.headers("/reply/header/", &reply.headers),
                "content": content(&reply.body, &first(&reply.headers, "content-type")),
                "redirectURL": first(&reply.headers, "location"),
                "headersSize": -1,
                "bodySize": reply.body.len(),
            },
            "cache": {},
            "timings": {
                "send": millis(send),
                "wait": millis(wait),
                "receive": millis(receive),
            },
        })
    }

    fn request(&self) -> Value {
        let request = self.request;
        let mut json = json!({
            "method": request.method,
            "url": format!("{}{}", self.base_url, request.target),
            "httpVersion": "unknown",
            "cookies": [],
            "headers": self.headers("/request/header/", &request.headers),
            "queryString": query(request.query().unwrap_or_default()),
            "headersSize": -1,
            "bodySize": request.body.len(),
        });
        let note = cut_short(request.body_end);
        if let Some(note) = note {
            json["comment"] = note.into();
        }
        if !request.body.is_empty() {
            let mut data = json!({"mimeType": first(&request.headers, "content-type")});
            if let Ok(text) = std::str::from_utf8(&request.body) {
                data["text"] = text.into();
            } else {
                // HAR has an encoding for the content of replies only.
                data["text"] = BASE64_STANDARD.encode(&request.body).into();
                data["_encoding"] = "base64".into();
                data["comment"] = "the text is base64, because the body is not UTF-8".into();
            }
            json["postData"] = data;
        }
        json
    }

    /// Names and values; where a value was the token, `$STANDIN_TOKEN` stands for it and the comment says what it was.
    fn headers(&self, place: &str, headers: &Headers) -> Vec<Value> {
        headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value);
                let is_token = |redaction: &Redaction| {
                    redaction.secret == SecretKind::Token
                        && redaction.pointer.strip_prefix(place) == Some(name)
                };
                if !value.is_empty() && self.redactions.iter().any(is_token) {
                    json!({"name": name, "value": "$STANDIN_TOKEN", "comment": value})
                } else {
                    json!({"name": name, "value": value})
                }
            })
            .collect()
    }
}

fn millis(time: Duration) -> f64 {
    // Beyond an hour, a part of a microsecond is lost.
    u32::try_from(time.as_micros())
        .map_or_else(|_| time.as_secs_f64() * 1000.0, |micros| f64::from(micros) / 1000.0)
}

fn content(body: &[u8], media_type: &str) -> Value {
    match std::str::from_utf8(body) {
        Ok(text) => json!({"size": body.len(), "mimeType": media_type, "text": text}),
        Err(_) => json!({
            "size": body.len(),
            "mimeType": media_type,
            "text": BASE64_STANDARD.encode(body),
            "encoding": "base64",
        }),
    }
}

fn first(headers: &Headers, name: &str) -> String {
    headers.all(name).next().map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
}

fn query(query: &str) -> Vec<Value> {
    percent::pairs(query).map(|(name, value)| json!({"name": name, "value": value})).collect()
}

fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BodyEnd, Timing, render::tests::full};

    #[test]
    fn a_log_has_what_the_format_asks_for() {
        let log = log(&[full()]);

        assert_eq!(log["log"]["version"], "1.2");
        assert_eq!(log["log"]["creator"]["name"], "standin");
        let entry = &log["log"]["entries"][0];
        for (pointer, expected) in [
            ("/startedDateTime", json!("2026-08-01T12:30:00.000000001Z")),
            ("/time", json!(1001.8)),
            ("/request/method", json!("POST")),
            ("/request/url", json!("http://localhost:8484/agents?a=1&b=x%20y")),
            ("/request/cookies", json!([])),
            ("/request/queryString/1", json!({"name": "b", "value": "x y"})),
            ("/request/postData/mimeType", json!("application/json")),
            ("/request/postData/text", json!(r#"{"name":"it's ü"}"#)),
            ("/request/headersSize", json!(-1)),
            ("/request/bodySize", json!(18)),
            ("/response/status", json!(412)),
            ("/response/statusText", json!("Precondition Failed")),
            ("/response/content", json!({"size": 2, "mimeType": "application/json", "text": "{}"})),
            ("/response/redirectURL", json!("")),
            ("/cache", json!({})),
            ("/timings", json!({"send": 1.5, "wait": 1000.04, "receive": 0.26})),
            ("/_standin/id", json!(7)),
            ("/_standin/scripted/script", json!("flaky")),
            ("/_standin/scripted/delay", json!(1500.0)),
            ("/_standin/scripted/fault", json!({"cut": 1})),
        ] {
            assert_eq!(entry.pointer(pointer), Some(&expected), "{pointer}");
        }
        assert!(entry["comment"].as_str().unwrap().contains("/body/name: expected a number"));
    }

    #[test]
    fn a_token_is_named_by_its_variable() {
        let entry = entry(&full());

        assert_eq!(
            entry["request"]["headers"][1],
            json!({"name": "auth", "value": "$STANDIN_TOKEN", "comment": "<token of cs-1, 12 bytes>"})
        );
    }

    #[test]
    fn a_body_that_is_no_text_or_cut_short_says_so() {
        let mut recorded = full();
        recorded.exchange.request.body = b"\xff".as_slice().into();
        recorded.exchange.request.body_end = BodyEnd::TooLarge;

        let entry = entry(&recorded);

        assert_eq!(entry["request"]["postData"]["_encoding"], "base64");
        assert_eq!(entry["request"]["comment"], "the body is cut short: it is longer than the limit");
    }

    #[test]
    fn a_delay_that_is_not_over_is_the_one_that_was_asked_for() {
        let mut recorded = full();
        recorded.timing = Timing::new(Duration::ZERO, Duration::from_millis(1));

        assert_eq!(entry(&recorded)["timings"]["wait"], 1501.0);
    }
}
