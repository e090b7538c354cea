//! What clients make the server hold: bodies that do not come to their end, and replies that nobody takes.

mod support;

use std::{sync::Arc, thread};

use standin::{Delivery, Server};
use support::{AGENTS, Client, FOREVER, eventually, exchange, get, http2, post, server};

/// The HTTP/2 setting for the window that streams begin with.
const WINDOW: u16 = 4;

#[test]
fn a_reply_that_nobody_takes_keeps_nothing_of_its_request() {
    let server = server(|config| {
        config.journal.entries = 1;
        config.limits.reply_time = FOREVER;
    });
    let mut client = http2::Client::connect(server.addr(), &[(WINDOW, 0)]);
    client.request(1, "POST", AGENTS, &[], false);
    client.data(1, &[b'x'; 16_000], true);
    // The head of the reply comes, its body cannot.
    while client.next().expect("the connection is open").kind != http2::HEADERS {}
    let recorded = exchange(&server, 1);
    assert_eq!(recorded.delivery.get(), Delivery::Pending);
    let kept = Arc::downgrade(&recorded);
    drop(recorded);
    assert!(kept.upgrade().is_some());

    Client::connect(server.addr()).call(post("{}"));

    eventually("it is let go of", || kept.upgrade().is_none().then_some(()));
    // All the while nobody has given the reply up.
    client.request(3, "GET", "/", &[], true);
    while client.next().expect("the connection is open").stream != 3 {}
}

#[test]
fn uploads_without_a_byte_delay_nobody() {
    let server = server(|config| {
        config.limits.bodies = 100_000;
        config.limits.body_time = FOREVER;
    });
    let body = "x".repeat(80_000);
    let length = body.len().to_string();
    let mut clients = [(); 2].map(|()| http2::Client::connect(server.addr(), &[]));
    for client in &mut clients {
        for stream in (1..200).step_by(2) {
            client.request(stream, "POST", AGENTS, &[("content-length", &length)], false);
        }
        client.request(201, "GET", "/nowhere", &[], true);
        client.reply(201);
    }

    assert_eq!(Client::connect(server.addr()).call(post(&body)).id(), 3);
}

#[test]
fn when_there_are_too_many_requests_at_a_time_a_connection_has_its_share() {
    let server = server(|config| {
        config.limits.connections = 2;
        config.limits.body_time = FOREVER;
    });
    let [mut greedy, mut modest] = [(); 2].map(|()| http2::Client::connect(server.addr(), &[]));
    for stream in (1..=63).step_by(2) {
        greedy.request(stream, "POST", AGENTS, &[], false);
    }

    // The thirty-third of all.
    greedy.request(65, "GET", "/__standin/health", &[], true);
    assert!(!greedy.reply(65).is_ok);
    assert_eq!(server.unparsed(), 1);
    for stream in (1..=15).step_by(2) {
        modest.request(stream, "POST", AGENTS, &[], false);
    }
    // The ninth of its connection.
    modest.request(17, "GET", "/__standin/health", &[], true);
    assert!(!modest.reply(17).is_ok);
    modest.data(1, b"{}", true);
    modest.reply(1);

    let mut streams = (19..).step_by(2);
    eventually("it has room again", || {
        let stream = streams.next()?;
        modest.request(stream, "GET", "/__standin/health", &[], true);
        modest.reply(stream).is_ok.then_some(())
    });
    assert_eq!(server.journal().snapshot().len(), 1);
}

/// A server with an exchange that takes most of what replies may take, and the client that sent it.
fn server_with_a_long_exchange() -> (Server, Client) {
    let server = server(|config| {
        config.limits.replies = 100_000;
        config.limits.reply_time = FOREVER;
        config.limits.body_time = FOREVER;
    });
    let mut client = Client::connect(server.addr());
    client.call(post(&"x".repeat(80_000)));
    (server, client)
}

#[test]
fn a_control_reply_is_refused_while_too_many_are_not_read() {
    let (server, mut client) = server_with_a_long_exchange();
    let mut rude = http2::Client::connect(server.addr(), &[(WINDOW, 0)]);
    rude.request(1, "GET", "/__standin/requests/1", &[], true);
    while rude.next().expect("the connection is open").kind != http2::HEADERS {}

    let refused = client.call(get("/__standin/requests/1"));

    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.json()["error"], "expected replies to be read, but found too many that are not");
    // What is short has room all the same.
    assert_eq!(client.call(get("/__standin/health")).status, 200);
    rude.reset(1);
    eventually("there is room again", || {
        (client.call(get("/__standin/requests/1")).status == 200).then_some(())
    });
}

#[test]
fn an_export_waits_while_too_many_are_not_read() {
    let (server, _) = server_with_a_long_exchange();
    let mut rude = http2::Client::connect(server.addr(), &[(WINDOW, 1)]);
    rude.request(1, "GET", "/__standin/export?format=ndjson", &[], true);
    while rude.next().expect("the connection is open").kind != http2::DATA {}

    let mut reader = Client::connect(server.addr());
    let waits = thread::spawn(move || reader.call(get("/__standin/export?format=ndjson")).text());
    for _ in 0..50 {
        assert_eq!(Client::connect(server.addr()).call(post("{}")).status, 412);
    }
    assert!(!waits.is_finished());
    rude.reset(1);

    let text = waits.join().expect("it is sent");
    assert!(text.starts_with(r#"{"id":1,"#), "{text}");
}
