//! What the server does with clients that send too much, too slowly, or nothing.

mod support;

use std::time::Duration;

use standin::{BodyEnd, Delivery, LogFormat, Server};
use support::{AGENTS, Client, Lines, eventually, exchange, get, http2, post, post_head, server, settled};

const SHORT: Duration = Duration::from_millis(100);

#[test]
fn what_is_not_http_is_refused_counted_and_logged() {
    let lines = Lines::default();
    let server = server(|config| config.log = lines.log(LogFormat::Text));
    let many = "x: 1\r\n".repeat(101);
    let cases = [
        ("not http at all\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nno colon\r\n\r\n".to_owned(), 400),
        (post_head("transfer-encoding: nonsense\r\n"), 400),
        (format!("GET / HTTP/1.1\r\n{many}\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(200_000)), 431),
        (get(&format!("/{}", "x".repeat(200_000))), 431),
    ];

    for (count, (request, status)) in (1..).zip(cases) {
        let mut client = Client::connect(server.addr());
        client.send(request);
        assert_eq!(client.head().status, status);
        assert!(client.is_closed());
        drop(client);
        eventually("it is counted", || (server.unparsed() == count).then_some(()));
    }
    assert!(server.journal().snapshot().is_empty());
    Client::connect(server.addr()).call(post("{}"));
    drop(server);
    let text = lines.text();
    assert_eq!(text.matches("not a request, from 127.0.0.1:").count(), 6, "{text}");
}

#[test]
fn a_head_within_the_limits_is_taken() {
    let server = server(|_| {});
    let many = "x: 1\r\n".repeat(90);
    let mut client = Client::connect(server.addr());

    let reply = client.call(post_head(&many));
    client.call(get(&format!("/{}", "x".repeat(60_000))));

    let headers = &exchange(&server, reply.id()).exchange.request.headers;
    assert_eq!(headers.all("x").count(), 90);
    assert_eq!(exchange(&server, 2).exchange.request.target.len(), 60_001);
}

#[test]
fn http2_heads_have_the_same_limits() {
    let server = server(|config| config.limits.headers = 10);
    let mut client = http2::Client::connect(server.addr(), &[]);

    client.request(1, "GET", "/many", &[("x", "1"); 11], true);
    assert!(!client.reply(1).is_ok);
    assert_eq!(server.unparsed(), 1);
    assert!(server.journal().snapshot().is_empty());

    client.request(3, "GET", "/few", &[("x", "1"); 10], true);
    client.reply(3);
    assert_eq!(exchange(&server, 1).exchange.request.target, "/few");
}

#[test]
fn a_head_that_does_not_arrive_closes_the_connection_and_an_idle_one_stays() {
    let lines = Lines::default();
    let server = server(|config| {
        config.limits.head_time = SHORT;
        config.log = lines.log(LogFormat::Json);
    });
    let mut idle = Client::connect(server.addr());
    idle.call(get("/before"));

    for (count, half) in (1..).zip(["GET /half HTTP/1.1\r\nhost:", "PRI * HTTP/2.0\r\n", "G"]) {
        let mut slow = Client::connect(server.addr());
        slow.send(half);
        assert!(slow.is_closed());
        eventually("it is counted", || (server.unparsed() == count).then_some(()));
    }

    assert_eq!(idle.call(get("/after")).id(), 2);
    idle.send("GET /half");
    assert!(idle.is_closed());
    drop(server);
    assert!(lines.text().contains("\"unparsed\":\"the head of a request did not arrive in time\""));
}

#[test]
fn an_idle_connection_is_closed_in_silence() {
    let server = server(|config| config.limits.idle_time = SHORT);
    let mut fresh = Client::connect(server.addr());
    let mut used = Client::connect(server.addr());
    let mut http2 = http2::Client::connect(server.addr(), &[]);

    used.call(post("{}"));
    http2.request(1, "GET", "/", &[], true);
    http2.reply(1);

    assert!(fresh.is_closed());
    assert!(used.is_closed());
    eventually("HTTP/2 says goodbye", || match http2.next() {
        Some(frame) => (frame.kind == http2::GO_AWAY).then_some(()),
        None => panic!("it closed without a word"),
    });
    assert_eq!(server.unparsed(), 0);
}

#[test]
fn a_body_that_does_not_arrive_is_answered_and_the_connection_closed() {
    let server = server(|config| config.limits.body_time = SHORT);
    let mut client = Client::connect(server.addr());

    client.send(post_head("content-length: 10\r\n") + "{\"a\"");

    let reply = client.reply();
    assert_eq!(reply.header("connection"), Some("close"));
    assert!(client.is_closed());
    let recorded = exchange(&server, reply.id());
    assert_eq!(reply.status, 408);
    assert_eq!(recorded.exchange.request.body_end, BodyEnd::TimedOut);
    assert_eq!(recorded.exchange.request.body, "{\"a\"");
    settled(&recorded, Delivery::Sent);
}

#[test]
fn an_http2_body_that_does_not_arrive_is_answered_and_the_connection_goes_on() {
    let server = server(|config| config.limits.body_time = SHORT);
    let mut client = http2::Client::connect(server.addr(), &[]);

    client.request(1, "POST", AGENTS, &[], false);
    client.data(1, b"{", false);
    client.reply(1);

    assert_eq!(exchange(&server, 1).exchange.request.body_end, BodyEnd::TimedOut);
    client.request(3, "GET", "/", &[], true);
    client.reply(3);
}

#[test]
fn a_body_that_is_too_large_and_never_ends_is_answered() {
    let server = server(|config| {
        config.limits.body_time = SHORT;
        config.settings.max_body = 10;
    });
    let mut client = Client::connect(server.addr());

    client.send(post_head("content-length: 1000000\r\n") + &"x".repeat(1000));

    let reply = client.reply();
    assert_eq!(reply.status, 413);
    let request = &exchange(&server, reply.id()).exchange.request;
    assert_eq!(request.body_end, BodyEnd::TooLarge);
    assert_eq!(request.body, "xxxxxxxxxx");
    assert!(client.is_closed());
}

#[test]
fn a_reply_that_is_not_taken_ends_the_connection() {
    let server = server(|config| config.limits.reply_time = SHORT);
    // A window of nothing: the head of the reply comes, its body cannot.
    let mut client = http2::Client::connect(server.addr(), &[(4, 0)]);

    client.request(1, "GET", "/nowhere", &[], true);

    while client.next().is_some() {}
    let recorded = exchange(&server, 1);
    settled(&recorded, Delivery::Aborted);
}

#[test]
fn bodies_wait_for_each_other_when_memory_is_used_up() {
    let server = server(|config| config.limits.bodies = 100_000);
    let mut first = Client::connect(server.addr());
    let mut second = Client::connect(server.addr());
    let body = "x".repeat(80_000);

    first.send(post_head("content-length: 80001\r\n") + &body);
    let waits = std::thread::spawn(move || second.call(post(&body)).id());
    // Small bodies are not counted. By the last of them, the second would have been answered long ago.
    for id in 1..=50 {
        assert_eq!(Client::connect(server.addr()).call(post("{}")).id(), id);
    }
    first.send("x");

    assert_eq!(first.reply().id(), 51);
    assert_eq!(waits.join().expect("it is answered"), 52);
}

#[test]
fn connections_beyond_the_limit_wait_for_their_turn() {
    let server = server(|config| config.limits.connections = 1);
    let mut first = Client::connect(server.addr());
    first.call(get("/first"));

    let mut second = Client::connect(server.addr());
    second.send(get("/second"));
    assert_eq!(first.call(get("/third")).id(), 2);
    drop(first);

    assert_eq!(second.reply().id(), 3);
}

#[test]
fn accepting_goes_on_whatever_clients_do() {
    let server = server(|_| {});
    for n in 0..200 {
        let mut client = Client::connect(server.addr());
        if n % 2 == 0 {
            client.send(&b"POST / HTTP/1.1\r\n"[..n % 17]);
        }
    }
    still_serves(&server);
}

fn still_serves(server: &Server) {
    let reply = Client::connect(server.addr()).call(post("{}"));
    assert!(reply.id() > 0);
}
