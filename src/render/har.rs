//! Exchanges as an HTTP Archive (HAR 1.2), which a browser's developer tools open.
//!
//! The journal has no durations, so every time is 0, and no protocol version, so that is `unknown`. What HAR has no field
//! for is under `_standin`.

use std::borrow::Borrow;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{cut_short, summary};
use crate::{Headers, Recorded, Request};

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
    json!({
        "startedDateTime": exchange.request.received.to_string(),
        "time": 0,
        "request": request(&exchange.request),
        "response": {
            "status": reply.status,
            "statusText": reason(reply.status),
            "httpVersion": "unknown",
            "cookies": [],
            "headers": headers(&reply.headers),
            "content": content(&reply.body, &first(&reply.headers, "content-type")),
            "redirectURL": first(&reply.headers, "location"),
            "headersSize": -1,
            "bodySize": reply.body.len(),
        },
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0},
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
        },
    })
}

fn request(request: &Request) -> Value {
    let host = first(&request.headers, "host");
    let host = if host.is_empty() { "localhost" } else { &host };
    let mut json = json!({
        "method": request.method,
        "url": format!("http://{host}{}", request.target),
        "httpVersion": "unknown",
        "cookies": [],
        "headers": headers(&request.headers),
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

/// Names and values; where a value was a secret, `$STANDIN_TOKEN` stands for it and the comment says what it was.
fn headers(headers: &Headers) -> Vec<Value> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value);
            if Headers::is_secret(name) && !value.is_empty() {
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
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            json!({"name": decoded(name), "value": decoded(value)})
        })
        .collect()
}

/// Percent-decoded for reading; what cannot be decoded stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match (byte, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            bytes.push(high << 4 | low);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(if byte == b'+' { b' ' } else { byte });
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        _ => "",
    }
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
            ("/time", json!(0)),
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
            ("/timings", json!({"send": 0, "wait": 0, "receive": 0})),
            ("/_standin/id", json!(7)),
        ] {
            assert_eq!(entry.pointer(pointer), Some(&expected), "{pointer}");
        }
        assert!(entry["comment"].as_str().unwrap().contains("/body/name: expected a number"));
    }

    #[test]
    fn a_secret_is_named_by_its_variable() {
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
    fn a_query_is_decoded_as_far_as_it_goes() {
        assert_eq!(decoded("a+b%20%C3%BC%zz%4"), "a b ü%zz%4");
        assert_eq!(decoded("%ff"), "\u{fffd}");
        assert_eq!(
            query("&a&b=1=2"),
            [json!({"name": "a", "value": ""}), json!({"name": "b", "value": "1=2"}),]
        );
    }
}
