//! An exchange as text: [`ndjson`] for programs, [`har`] for a browser's developer tools, [`curl`] to repeat it.
//!
//! Nothing here is called before somebody asks for an exchange.

pub mod curl;
pub mod har;
pub mod ndjson;

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::{BodyEnd, Delivery, Recorded, Scripted};

/// One line for people: number, method, target, status, outcome and what is special about it.
fn summary(recorded: &Recorded) -> String {
    let exchange = &recorded.exchange;
    let outcome = exchange.outcome();
    let mut text = format!(
        "{} {} {}: {} {outcome}",
        recorded.id, exchange.request.method, exchange.request.target, exchange.reply.status
    );
    if recorded.delivery.get() == Delivery::Aborted {
        let fault = exchange.scripted.as_ref().and_then(|scripted| scripted.course.fault);
        text.push_str(if fault.is_some() { ", broken off" } else { ", but the client went away" });
    }
    if let Some(scripted) = &exchange.scripted {
        let _ = write!(text, "; {}", words(scripted));
    }
    for violation in &exchange.violations {
        let _ = write!(text, "; {violation}");
    }
    if exchange.more_violations {
        text.push_str("; and more");
    }
    text
}

/// What a script did to a reply, such as `script=flaky decided=200 delay=1500ms fault=reset`.
pub(crate) fn words(scripted: &Scripted) -> String {
    let Scripted { script, decided, course, discarded, breaches } = scripted;
    let mut words = Vec::new();
    words.extend(script.as_ref().map(|id| format!("script={id}")));
    words.extend(decided.as_ref().map(|reply| format!("decided={}", reply.status)));
    words.extend((!course.is_usual()).then(|| course.to_string()));
    words.extend(discarded.then(|| "discarded".to_owned()));
    words.extend((!breaches.is_empty()).then(|| format!("breaches={}", breaches.len())));
    words.join(" ")
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
    use std::{num::NonZeroU64, sync::Arc, time::Duration};

    use super::*;
    use crate::{
        Breach, Course, DeliveryCell, Exchange, Fault, Headers, Reading, Redaction, Reply, Request, Rule,
        SecretKind, Step, Timing, Touched, TouchedResource, Violation,
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
                scripted: Some(Box::new(Scripted {
                    script: Some("flaky".into()),
                    decided: Some(Reply {
                        status: 200,
                        headers: Headers::from_iter([("x-sample", "1")]),
                        body: "[]".into(),
                    }),
                    course: Course {
                        delay: Duration::from_millis(1500),
                        throttle: NonZeroU64::new(1000),
                        fault: Some(Fault::Cut(1)),
                    },
                    discarded: true,
                    breaches: vec![Breach {
                        pointer: "/body/id".into(),
                        message: "expected one, but found none".into(),
                    }],
                })),
            },
            redactions: Arc::new([Redaction {
                pointer: "/request/header/auth".into(),
                secret: SecretKind::Token,
            }]),
            timing: {
                let timing = Timing::new(Duration::from_micros(1500), Duration::from_micros(40));
                timing.delayed(Duration::from_secs(1));
                timing.sent(Duration::from_micros(260));
                timing
            },
            delivery: DeliveryCell::new(Delivery::Sent),
        }
    }

    #[test]
    fn a_summary_says_who_ended_a_reply() {
        let mut recorded = Recorded { delivery: DeliveryCell::new(Delivery::Aborted), ..full() };
        assert!(summary(&recorded).contains("refused, broken off; script=flaky "), "{}", summary(&recorded));
        recorded.exchange.scripted = None;
        assert!(summary(&recorded).contains("refused, but the client went away; /body"));
    }

    #[test]
    fn a_summary_says_what_came_of_it() {
        let recorded = full();

        assert_eq!(
            summary(&recorded),
            "7 POST /agents?a=1&b=x%20y: 412 refused; script=flaky decided=200 delay=1500ms throttle=1000 fault=cut-1 \
             discarded breaches=1; /body/name: expected a number, but found a string; and more"
        );
    }
}
