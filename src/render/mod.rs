//! An exchange as text: [`ndjson`] for programs, [`har`] for a browser's developer tools, [`curl`] to repeat it.
//!
//! Nothing here is called before somebody asks for an exchange.

pub mod curl;
pub mod har;
pub mod ndjson;

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::{BodyEnd, Delivery, Recorded};

/// One line for people: number, method, target, status, outcome and what is special about it.
fn summary(recorded: &Recorded) -> String {
    let exchange = &recorded.exchange;
    let outcome = exchange.outcome();
    let mut text = format!(
        "{} {} {}: {} {outcome}",
        recorded.id, exchange.request.method, exchange.request.target, exchange.reply.status
    );
    if recorded.delivery.get() == Delivery::Aborted {
        text.push_str(", but the client went away");
    }
    for violation in &exchange.violations {
        let _ = write!(text, "; {violation}");
    }
    if exchange.more_violations {
        text.push_str("; and more");
    }
    text
}

/// Why a body is not whole, when it is not.
fn cut_short(end: BodyEnd) -> Option<&'static str> {
    match end {
        BodyEnd::Broken => Some("the body is cut short: the client went away before its end"),
        BodyEnd::Complete => None,
        BodyEnd::TimedOut => Some("the body is cut short: the rest did not arrive in time"),
        BodyEnd::TooLarge => Some("the body is cut short: it is longer than the limit"),
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        DeliveryCell, Exchange, Headers, Reading, Redaction, Reply, Request, Rule, SecretKind, Step, Timing,
        Touched, TouchedResource, Violation,
    };

    /// An exchange that has something of everything.
    pub(super) fn full() -> Recorded {
        Recorded {
            id: 7,
            exchange: Exchange {
                request: Request {
                    received: "2026-08-01T12:30:00.000000001Z".parse().unwrap(),
                    ..Request::new("POST", "/agents?a=1&b=x%20y")
                        .header("Host", "localhost:8484")
                        .header("auth", "<token of cs-1, 12 bytes>")
                        .header("X-Latin", b"caf\xe9")
                        .header("content-type", "application/json")
                        .header("x-twice", "1")
                        .header("x-twice", "2")
                        .body(r#"{"name":"it's ü"}"#)
                },
                reply: Reply {
                    status: 412,
                    headers: Headers::from_iter([("content-type", "application/json")]),
                    body: "{}".into(),
                },
                operation: Some("createAgent".into()),
                step: Step::Validate,
                violations: vec![Violation {
                    pointer: "/body/name".into(),
                    rule: Rule::Type,
                    expected: "a number".into(),
                    found: "a string".into(),
                    source: "observed".into(),
                }],
                more_violations: true,
                readings: vec![Reading {
                    ledger: "U3".into(),
                    pointer: "/body".into(),
                    note: "read as meant".into(),
                }],
                state: Some(Box::new(Touched {
                    before: 6,
                    after: 7,
                    resource: Some(TouchedResource {
                        name: "agent".into(),
                        id: "a-1".into(),
                        before: None,
                        after: Some(r#"{"id":"a-1"}"#.into()),
                        cut: false,
                    }),
                })),
            },
            redactions: Arc::new([Redaction {
                pointer: "/request/header/auth".into(),
                secret: SecretKind::Token,
            }]),
            timing: {
                let timing = Timing::new(Duration::from_micros(1500), Duration::from_micros(40));
                timing.sent(Duration::from_micros(260));
                timing
            },
            delivery: DeliveryCell::new(Delivery::Sent),
        }
    }

    #[test]
    fn a_summary_says_what_came_of_it() {
        let recorded = full();

        assert_eq!(
            summary(&recorded),
            "7 POST /agents?a=1&b=x%20y: 412 refused; /body/name: expected a number, but found a string; and more"
        );
    }
}
