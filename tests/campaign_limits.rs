//! Servers that limit requests are waited for, within bounds, and what was left out for that is told.

mod support;

use std::{
    io::Write as _,
    net::TcpStream,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use standin::{
    Rule,
    campaign::{self, Check, Ended, Options},
    token::Secret,
};
use support::{
    FOREVER,
    faulty::{Faulty, write},
};

fn options() -> Options {
    Options { operations: vec!["createQueue".into()], timeout: FOREVER, concurrency: 1, ..Options::default() }
}

/// Asks to wait so many seconds.
fn limit(stream: &mut TcpStream, seconds: u64) {
    let head = format!("HTTP/1.1 429 Too Many\r\nretry-after: {seconds}\r\nconnection: close\r\n");
    let _ = stream.write_all((head + "content-length: 0\r\n\r\n").as_bytes());
}

#[test]
fn a_server_that_limits_every_request_is_given_up_without_a_finding() {
    let server = Faulty::start(|_, stream| limit(stream, 0));
    let operations = vec!["updateAgent".into(), "getAgent".into(), "createQueue".into()];
    let outcome = campaign::run(&server.url, &Options { operations, ..options() }).unwrap();

    assert_eq!(outcome.findings, []);
    assert_eq!(outcome.ended, Ended::GaveUp { why: "the server limits every request".into() });
    assert!(outcome.notes.iter().any(|note| note.contains("Retry-After")), "{:?}", outcome.notes);
}

#[test]
fn a_limit_that_leaves_no_time_for_what_is_to_be_tried_is_told() {
    let answered = AtomicU64::new(0);
    let server = Faulty::start(move |_, stream| match answered.fetch_add(1, Ordering::Relaxed) {
        0 => write(stream, 200, "application/json", "{}"),
        _ => limit(stream, 60),
    });
    let options = Options { time: Some(Duration::from_secs(30)), ..options() };
    let outcome = campaign::run(&server.url, &options).unwrap();

    let why = "the server asks to wait for 60s, and there is less time left";
    assert_eq!(outcome.ended, Ended::GaveUp { why: why.into() });
    assert!(outcome.micros < Duration::from_secs(30), "{:?}", outcome.micros);
}

#[test]
fn a_rule_whose_requests_are_limited_for_good_is_left_out_and_the_others_are_tried() {
    const TOKEN: &str = "aGVhZA.cGF5bG9hZA.c2lnbmF0dXJl";
    let server = Faulty::start(|request, stream| match request.header("auth") {
        None | Some("") => write(stream, 401, "application/json", "{}"),
        Some(TOKEN) => write(stream, 200, "application/json", "{}"),
        Some(_) => limit(stream, 0),
    });
    let options = Options {
        rules: vec![Rule::Token, Rule::Required],
        token: Some(Secret::new(TOKEN)),
        skip: vec![Check::MutantRefused, Check::ReplyMatchesContract],
        ..options()
    };
    let outcome = campaign::run(&server.url, &options).unwrap();

    let is_limited = |auth: &&str| !auth.is_empty() && *auth != TOKEN;
    let received = server.received();
    let limited = received.iter().filter_map(|request| request.header("auth")).filter(is_limited);
    assert_eq!(limited.count(), 13, "one request, and twelve times again");
    let left = outcome.rules.iter().filter(|tried| tried.outcome == campaign::TriedOutcome::NotTried);
    assert!(left.clone().count() > 1 && left.clone().all(|tried| tried.rule == Some(Rule::Token)));
    let note = "createQueue: requests that break `token` are limited however long they wait";
    assert!(outcome.notes.iter().any(|other| other.starts_with(note)), "{:?}", outcome.notes);
    assert_eq!((outcome.findings, outcome.ended), (vec![], Ended::Exhausted));
}
