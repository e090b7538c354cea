//! A rendered curl command, run by a shell: what arrives at curl is what was sent.
#![cfg(unix)]

mod support;

use std::process::Command;

use standin::{
    Exchange, Headers, Journal, JournalLimits, Reply, Request, Secrets, Step,
    render::{curl, ndjson},
};
use support::program::Folder;

/// Runs a command with a `curl` that prints its arguments, each ended by a zero byte, and what it reads.
fn arguments(request: Request) -> Vec<Vec<u8>> {
    let journal = Journal::new(JournalLimits::default()).hiding(Secrets::default().token_in("auth"));
    let recorded = journal.record(Exchange {
        request,
        reply: Reply { status: 200, headers: Headers::default(), body: "{}".into() },
        operation: None,
        step: Step::Answer,
        violations: Vec::new(),
        more_violations: false,
        readings: Vec::new(),
        state: None,
        scripted: None,
    });
    let command = curl::command(&recorded, "http://localhost:1");
    let script =
        format!("curl() {{ for a; do printf '%s\\0' \"$a\"; done; [ \"$a\" = @- ] && cat; }}\n{command}\n");

    let folder = Folder::new();
    let file = folder.file("curl.sh", script);
    let output = Command::new("sh").arg(&file).env("STANDIN_TOKEN", "the token").output().unwrap();

    assert!(output.stderr.is_empty(), "{output:?}");
    let line = ndjson::line(&recorded);
    assert_eq!(ndjson::line(&ndjson::parse(&line).unwrap()), line);
    output.stdout.split(|&byte| byte == 0).map(Into::into).collect()
}

#[track_caller]
fn has(arguments: &[Vec<u8>], expected: &[u8]) {
    assert!(
        arguments.iter().any(|argument| argument == expected),
        "{} is not among {:?}",
        expected.escape_ascii(),
        arguments.iter().map(|argument| argument.escape_ascii().to_string()).collect::<Vec<_>>()
    );
}

#[test]
fn a_shell_changes_nothing() {
    for text in [
        "it's",
        "$HOME `id` $(id) \\ \\n \"quoted\" !! ~ * ? [a] {b} # ; & | < >",
        "@file",
        "-o",
        "%s %d \\101",
        "ü 日本 🦀",
        "two\nlines\n",
    ] {
        let arguments = arguments(Request::new("POST", "/").body(text));
        has(&arguments, text.as_bytes());
    }
}

#[test]
fn bytes_that_are_no_text_arrive_on_standard_input() {
    let all: Vec<u8> = (1..=255).collect();

    let arguments = arguments(Request::new("POST", "/").body(all.clone()));

    assert_eq!(arguments.last().unwrap(), &all);
    has(&arguments, b"@-");
}

#[test]
fn a_body_too_long_for_an_argument_arrives_on_standard_input() {
    let long = "it's long ".repeat(30_000);

    let arguments = arguments(Request::new("POST", "/").body(long.clone()));

    assert_eq!(arguments.last().unwrap(), long.as_bytes());
}

#[test]
fn headers_and_token_arrive() {
    let request = Request::new("GET", "/a'b?c=$d")
        .header("auth", "secret")
        .header("x-quoted", "it's $HOME")
        .header("x-latin", b"100% caf\xe9 \\ ' \t.")
        .header("x-empty", "");

    let arguments = arguments(request);

    has(&arguments, b"http://localhost:1/a'b?c=$d");
    has(&arguments, b"auth: the token");
    has(&arguments, b"x-quoted: it's $HOME");
    has(&arguments, b"x-latin: 100% caf\xe9 \\ ' \t.");
    has(&arguments, b"x-empty;");
}
