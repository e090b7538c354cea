//! Sessions: which one a request belongs to, and who sees it.

mod support;

use serde_json::{Value, json};
use standin::{Expectation, Filter, Matcher};
use support::{AGENTS, Client, Reply, TOKEN, get, http2, post, post_head, server};

/// A createAgent at this target, with these further header lines.
fn create(target: &str, headers: &str) -> String {
    let body = r#"{"emailId": "ada@example.com", "firstName": "Ada", "lastName": "L", "roleId": "r-1"}"#;
    let head = post_head(&format!("{headers}content-length: {}\r\n", body.len()));
    head.replacen(AGENTS, target, 1) + body
}

fn error(reply: &Reply) -> String {
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    body["error"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_session_before_the_path_is_not_a_part_of_it() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());
    let target = format!("/@suite-1{AGENTS}?x=1");

    let reply = client.call(create(&target, ""));

    assert_eq!(reply.status, 200);
    let exchange = &server.last().unwrap().exchange;
    assert_eq!((exchange.request.target.as_str(), exchange.request.path()), (target.as_str(), AGENTS));
    assert_eq!((exchange.operation.as_deref(), exchange.session()), (Some("createAgent"), "suite-1"));
}

#[test]
fn exchanges_are_found_by_their_session() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());

    for (target, headers) in [
        (AGENTS.to_owned(), ""),
        (format!("/@a{AGENTS}"), ""),
        (AGENTS.to_owned(), "x-standin-session: a\r\n"),
        (format!("/@b{AGENTS}"), "X-Standin-Session: b\r\n"),
        ("/@b/nowhere".to_owned(), ""),
    ] {
        client.call(create(&target, headers));
    }

    let ids = |json: &str| {
        let matcher = Matcher::from_json(json.as_bytes()).unwrap();
        let page = server.journal().list(&Filter { matcher, after: 0 }, 10);
        page.exchanges.iter().map(|recorded| recorded.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(r#"{"session": "default"}"#), [1]);
    assert_eq!(ids(r#"{"session": "a"}"#), [2, 3]);
    assert_eq!(ids(r#"{"session": "b"}"#), [4, 5]);
    assert_eq!(ids(r#"{"session": "b", "path": "/nowhere"}"#), [5]);
    let expectation = |json: &str| Expectation::from_json(json.as_bytes()).unwrap();
    server.verify(&expectation(r#"{"session": "a", "operation": "createAgent", "count": 2}"#)).unwrap();
    let unmet = server.verify(&expectation(r#"{"session": "c"}"#)).unwrap_err().to_string();
    assert!(unmet.contains("session"), "{unmet}");
}

#[test]
fn lists_and_exports_take_a_session_and_say_it() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());
    for target in [format!("/@a{AGENTS}"), AGENTS.to_owned()] {
        client.call(create(&target, ""));
    }

    let mut asked = |path: &str| {
        let reply = client.call(get(&format!("/__standin/{path}")));
        (reply.status, String::from_utf8(reply.body).unwrap())
    };

    let (_, listed) = asked("requests?session=a");
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["exchanges"].as_array().unwrap().len(), 1);
    assert_eq!((&listed["exchanges"][0]["id"], &listed["exchanges"][0]["session"]), (&json!(1), &json!("a")));
    let (_, lines) = asked("export?format=ndjson&session=default");
    assert_eq!(lines.lines().count(), 1);
    assert!(lines.contains(r#""session":"default""#), "{lines}");
    let (_, pact) = asked("export?format=pact&session=a");
    assert!(pact.contains("/agents") && !pact.contains("@a/"), "{pact}");
    let (status, refused) = asked("requests?session=a%20b");
    assert_eq!(status, 400);
    assert!(refused.contains("session: expected the name of a session, 1 to 64 letters"), "{refused}");
}

#[test]
fn a_session_that_cannot_be_is_refused_before_it_is_an_exchange() {
    let server = server(|_| {});
    let long = "x".repeat(65);

    for (target, headers, says) in [
        (format!("/@{AGENTS}"), String::new(), "after `/@`"),
        (format!("/@a%20b{AGENTS}"), String::new(), "but found `a%20b`"),
        (format!("/@{long}{AGENTS}"), String::new(), "1 to 64 letters"),
        (AGENTS.to_owned(), "x-standin-session: a b\r\n".to_owned(), "but found `a b`"),
        (AGENTS.to_owned(), "x-standin-session:\r\n".to_owned(), "but found nothing"),
        (AGENTS.to_owned(), "x-standin-session: a\r\nx-standin-session: a\r\n".to_owned(), "more than once"),
        (format!("/@a{AGENTS}"), "x-standin-session: b\r\n".to_owned(), "expected `a`, as the path has"),
        ("/@a/__standin/health".to_owned(), String::new(), "a control call without a session before it"),
    ] {
        let mut client = Client::connect(server.addr());
        let reply = client.call(create(&target, &headers));

        assert_eq!(reply.status, 400, "{target} {headers}");
        assert!(error(&reply).contains(says), "{target} {headers}: {}", error(&reply));
        assert_eq!(client.call(post("{}")).status, 412, "the connection goes on");
    }
    assert_eq!(server.journal().counts().recorded, 8);
    assert_eq!(server.unparsed(), 8);
}

#[test]
fn a_page_can_read_why_its_session_cannot_be() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());

    let reply = client.call(create("/@/x", "origin: http://app.test\r\n"));

    assert_eq!(reply.status, 400);
    assert_eq!(reply.header("access-control-allow-origin"), Some("http://app.test"));
}

#[test]
fn a_control_call_does_not_look_at_the_header() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());

    let reply =
        client.call("GET /__standin/health HTTP/1.1\r\nhost: localhost\r\nx-standin-session: a b\r\n\r\n");

    assert_eq!(reply.status, 200);
}

#[test]
fn a_session_is_named_over_http2_as_well() {
    let server = server(|_| {});
    let mut client = http2::Client::connect(server.addr(), &[]);

    client.request(1, "GET", "/@a/nowhere", &[("auth", TOKEN)], true);
    client.reply(1);
    client.request(3, "GET", "/nowhere", &[("x-standin-session", "b")], true);
    client.reply(3);

    let sessions: Vec<_> =
        server.journal().snapshot().iter().map(|recorded| recorded.exchange.session().to_owned()).collect();
    assert_eq!(sessions, ["a", "b"]);
}
