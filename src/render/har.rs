//! Exchanges as an HTTP Archive (HAR 1.2), which a browser's developer tools open.
//!
//! The times are the server's: to read the body, to answer, and until the connection had taken the reply. The journal has
//! no protocol version, so that is `unknown`. What HAR has no field for is under `_standin`.

use std::{borrow::Borrow, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{cut_short, summary};
use crate::{Headers, Recorded, SecretKind, percent};

/// A log of these exchanges.
pub fn log<R: Borrow<Recorded>>(exchanges: &[R]) -> Value {
    let entries: Vec<_> = exchanges.iter().map(|recorded| entry(recorded.borrow())).collect();
    let mut log = empty();
    log["log"]["entries"] = entries.into();
    log
}

/// A log without exchanges; `entries` is its last member.
pub(crate) fn empty() -> Value {
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
    let reply = &exchange.reply;
    let timing = &recorded.timing;
    json!({
        "startedDateTime": exchange.request.received.to_string(),
        "time": millis(timing.body + timing.answer + timing.send()),
        "request": request(recorded),
        "response": {
            "status": reply.status,
            "statusText": reason(reply.status),
            "httpVersion": "unknown",
            "cookies": [],
            "headers": headers(recorded, "/reply/header/", &reply.headers),
            "content": content(&reply.body, &first(&reply.headers, "content-type")),
            "redirectURL": first(&reply.headers, "location"),
            "headersSize": -1,
            "bodySize": reply.body.len(),
        },
        "cache": {},
        "timings": {
            "send": millis(timing.body),
            "wait": millis(timing.answer),
            "receive": millis(timing.send()),
        },
        "comment": summary(recorded),
        "_standin": {
            "id": recorded.id,
            "operation": exchange.operation.as_deref(),
            "outcome": exchange.outcome(),
            "step": exchange.step,
            "delivery": recorded.delivery.get(),
            "violations": exchange.violations,
            "moreViolations": exchange.more_violations,
            "readings": exchange.readings,
            "redactions": recorded.redactions.as_ref(),
        },
    })
}

fn millis(time: Duration) -> f64 {
    f64::from(u32::try_from(time.as_micros()).unwrap_or(u32::MAX)) / 1000.0
}

fn request(recorded: &Recorded) -> Value {
    let request = &recorded.exchange.request;
    let host = first(&request.headers, "host");
    let host = if host.is_empty() { "localhost" } else { &host };
    let mut json = json!({
        "method": request.method,
        "url": format!("http://{host}{}", request.target),
        "httpVersion": "unknown",
        "cookies": [],
        "headers": headers(recorded, "/request/header/", &request.headers),
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

/// Names and values; where a value was the token, `$STANDIN_TOKEN` stands for it and the comment says what it was.
fn headers(recorded: &Recorded, place: &str, headers: &Headers) -> Vec<Value> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value);
            let secret = recorded.redaction(&format!("{place}{name}"));
            if secret == Some(SecretKind::Token) && !value.is_empty() {
                json!({"name": name, "value": "$STANDIN_TOKEN", "comment": value})
            } else {
                json!({"name": name, "value": value})
            }
        })
        .collect()
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
    use crate::{BodyEnd, render::tests::full};

    #[test]
    fn a_log_has_what_the_format_asks_for() {
        let log = log(&[full()]);

        assert_eq!(log["log"]["version"], "1.2");
        assert_eq!(log["log"]["creator"]["name"], "standin");
        let entry = &log["log"]["entries"][0];
        for (pointer, expected) in [
            ("/startedDateTime", json!("2026-08-01T12:30:00.000000001Z")),
            ("/time", json!(1.8)),
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
            ("/timings", json!({"send": 1.5, "wait": 0.04, "receive": 0.26})),
            ("/_standin/id", json!(7)),
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
}
