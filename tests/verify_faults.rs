//! `standin verify` with files that are no pacts, and against servers that do wrong.

mod support;

use std::io::Write;

use serde_json::{Value, json};
use support::{
    faulty::{Faulty, hang, trickle, write},
    interactions::small_pact,
    program::{Ended, Folder, verify},
    server,
};

/// A run of the small pact against a server with a short time limit.
fn verify_small(faulty: &Faulty) -> Ended {
    let folder = Folder::new();
    let pact = folder.file("small.json", small_pact("/name").to_string());
    verify(&faulty.url, &["--pact", &pact, "--timeout", "700ms"])
}

#[test]
fn files_that_are_no_pacts_are_named_with_the_reason() {
    let server = server(|_| {});
    let folder = Folder::new();
    let good = small_pact("/name");
    let with = |pointer: &str, value: Value| {
        let mut pact = good.clone();
        *pact.pointer_mut(pointer).expect("it is there") = value;
        pact.to_string()
    };
    let cases = [
        ("not.json", "{".to_owned(), "expected a pact in JSON"),
        ("other.json", "[1]".to_owned(), "expected a pact with a list of `interactions`, but found none"),
        ("version.json", with("/metadata/pactSpecification/version", json!("7.1")), "but found \"7.1\""),
        ("empty.json", with("/interactions", json!([])), "expected at least one interaction, but found none"),
        (
            "message.json",
            with("/interactions/0/type", json!("Asynchronous/Messages")),
            "expected an interaction over HTTP",
        ),
    ];
    for (name, text, reason) in cases {
        let path = folder.file(name, text);
        let run = verify(&server.url(), &["--pact", &path]);
        assert_eq!(run.code, 3, "{name}: {}", run.out);
        assert!(run.err.contains(name) && run.err.contains(reason), "{name}: {}", run.err);
        assert_eq!(run.err.lines().count(), 1);
    }
    let gone = verify(&server.url(), &["--pact", "gone.json"]);
    assert_eq!(gone.code, 3);
    assert!(gone.err.contains("gone.json"), "{}", gone.err);
}

#[test]
fn a_folder_is_all_its_pacts_and_an_empty_one_is_a_mistake() {
    let server = server(|_| {});
    let empty = Folder::new();

    let committed = verify(&server.url(), &["--pact", "contracts/pacts"]);
    let none = verify(&server.url(), &["--pact", empty.path("").to_str().unwrap()]);

    assert_eq!(committed.code, 0, "{}{}", committed.out, committed.err);
    assert_eq!(none.code, 3);
    assert!(none.err.contains("expected a folder with .json files"), "{}", none.err);
}

#[test]
fn an_interaction_for_no_known_path_fails_and_says_so() {
    let server = server(|_| {});
    let folder = Folder::new();
    let pact = folder.file("path.json", small_pact("/no/such/path").to_string());

    let run = verify(&server.url(), &["--pact", &pact]);

    assert_eq!(run.code, 1);
    assert!(run.out.contains("status: expected 200, but found 404"), "{}", run.out);
    assert!(
        run.out.contains("note: no operation of the contract has the path `/no/such/path`"),
        "{}",
        run.out
    );
}

#[test]
fn nobody_at_the_url_is_told_from_somebody_who_does_wrong() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };

    let run = verify(&closed, &[]);

    assert_eq!(run.code, 3);
    assert!(
        run.err.starts_with(&format!("standin: cannot reach {closed}: no connection to ")),
        "{}",
        run.err
    );
    let run = verify("http://no-such-host.invalid", &[]);
    assert_eq!(run.code, 3);
    assert!(run.err.contains("no address for the host `no-such-host.invalid`"), "{}", run.err);
}

#[test]
fn a_provider_that_hangs_fails_within_the_time_limit_and_the_run_goes_on() {
    let hanging = Faulty::start(|request, stream| {
        if request.target == "/name" {
            hang(stream);
        } else {
            write(stream, 200, "application/json", r#"{"name": "y"}"#);
        }
    });
    let mut pact = small_pact("/name");
    let mut second = pact["interactions"][0].clone();
    second["request"]["path"] = "/other".into();
    second["description"] = "get another name".into();
    pact["interactions"].as_array_mut().unwrap().push(second);
    let folder = Folder::new();
    let pact = folder.file("two.json", pact.to_string());

    let run = verify(&hanging.url, &["--pact", &pact, "--timeout", "700ms"]);

    assert_eq!(run.code, 1);
    assert!(run.out.contains("request: expected a reply, but found none within 700ms"), "{}", run.out);
    assert!(run.out.contains("  holds  get another name\n"), "{}", run.out);
}

#[test]
fn a_reply_that_trickles_is_cut_off() {
    let trickling = Faulty::start(|_, stream| trickle(stream));

    let run = verify_small(&trickling);

    assert_eq!(run.code, 1);
    assert!(run.out.contains("but found none within 700ms"), "{}", run.out);
}

#[test]
fn a_provider_that_closes_early_fails_with_that_reason() {
    let silent = Faulty::start(|_, _| {});
    let short = Faulty::start(|_, stream| {
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{");
    });

    let silent = verify_small(&silent);
    let short = verify_small(&short);

    assert_eq!((silent.code, short.code), (1, 1));
    assert!(silent.out.contains("the connection ended before the reply"), "{}", silent.out);
    assert!(short.out.contains("the reply ended before its end"), "{}", short.out);
}

#[test]
fn a_provider_that_sends_no_json_fails_with_that_reason() {
    let html = Faulty::start(|_, stream| write(stream, 200, "text/html", "<p>hello</p>"));
    let broken = Faulty::start(|_, stream| write(stream, 200, "application/json", "<p>hello</p>"));
    let garbage = Faulty::start(|_, stream| {
        let _ = stream.write_all(b"\x00\x01\x02 not HTTP at all\r\n\r\n");
    });

    let html = verify_small(&html);
    let broken = verify_small(&broken);
    let garbage = verify_small(&garbage);

    assert_eq!((html.code, broken.code, garbage.code), (1, 1, 1));
    assert!(html.out.contains("body: expected application/json, but found text/html"), "{}", html.out);
    assert!(broken.out.contains("Failed to parse the actual body"), "{}", broken.out);
    assert!(garbage.out.contains("something that is not HTTP"), "{}", garbage.out);
}

#[test]
fn a_provider_that_redirects_is_not_followed() {
    let redirecting = Faulty::start(|request, stream| {
        let head =
            format!("HTTP/1.1 302 Found\r\nlocation: {}/x\r\ncontent-length: 0\r\n\r\n", request.target);
        let _ = stream.write_all(head.as_bytes());
    });

    let run = verify_small(&redirecting);

    assert_eq!(run.code, 1);
    assert!(run.out.contains("status: expected 200, but found 302"), "{}", run.out);
    assert_eq!(redirecting.received().len(), 1);
}
