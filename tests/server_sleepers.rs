//! Waits, searches and event streams: they have places, and end when their client does.

mod support;

use std::thread;

use serde_json::Value;
use standin::Server;
use support::{AGENTS, Client, eventually, exchange, get, http2, post, server};

const STREAM: &str = "/__standin/requests/stream?contains=nowhere";
const WAIT: &str = "/__standin/requests?wait=1&timeout=60s&contains=nowhere";

/// Waits until there are so many of these calls.
fn under_way(server: &Server, what: &str, count: u64) {
    let mut client = Client::connect(server.addr());
    eventually(&format!("there are {count} {what}"), || {
        let health: Value = client.call(get("/__standin/health")).json();
        (health["underWay"][what] == count).then_some(())
    });
}

#[test]
fn what_sleeps_ends_when_its_client_is_gone() {
    let server = server(|_| {});
    for (what, target) in [("streams", STREAM), ("waits", WAIT)] {
        let mut client = Client::connect(server.addr());
        client.send(get(target));
        under_way(&server, what, 1);
        // What is sent ahead does not hide the end.
        client.send(get("/ahead"));

        drop(client);

        under_way(&server, what, 0);
    }
    assert!(server.journal().snapshot().is_empty());
}

#[test]
fn a_client_that_closes_its_side_during_a_wait_counts_as_gone() {
    let server = server(|_| {});
    for (what, target) in [("streams", STREAM), ("waits", WAIT)] {
        let mut client = Client::connect(server.addr());
        client.send(get(target));
        under_way(&server, what, 1);

        client.finish();

        client.rest();
        under_way(&server, what, 0);
    }
}

#[test]
fn a_client_that_closes_its_side_is_answered_when_that_takes_no_wait() {
    let server = server(|_| {});
    Client::connect(server.addr()).call(post("{}"));
    for target in ["/__standin/health", "/__standin/requests", "/__standin/export?format=ndjson", "/nowhere"]
    {
        let mut client = Client::connect(server.addr());
        client.send(get(target));
        client.finish();
        assert!(client.reply().body.len() > 2, "{target}");
    }
}

#[test]
fn what_is_sent_ahead_during_a_wait_is_answered_after_it() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());
    client.send(get("/__standin/requests?wait=1&timeout=60s"));
    under_way(&server, "waits", 1);
    let long = format!("/{}", "x".repeat(20_000));
    client.send(get("/ahead") + &get(&long) + &get("/last"));

    Client::connect(server.addr()).call(post("{}"));

    let reply = client.reply();
    assert_eq!((reply.status, &reply.json()["exchanges"][0]["id"]), (200, &1.into()));
    for (id, target) in [(2, "/ahead"), (3, long.as_str()), (4, "/last")] {
        assert_eq!(client.reply().id(), id);
        assert_eq!(exchange(&server, id).exchange.request.target, target);
    }
}

#[test]
fn http2_waits_end_with_their_stream_or_connection() {
    let server = server(|_| {});
    let mut client = http2::Client::connect(server.addr(), &[]);
    client.request(1, "GET", WAIT, &[], true);
    client.request(3, "GET", STREAM, &[], true);
    under_way(&server, "waits", 1);
    under_way(&server, "streams", 1);

    client.reset(1);
    under_way(&server, "waits", 0);
    drop(client);
    under_way(&server, "streams", 0);
}

#[test]
fn beyond_their_number_streams_and_waits_are_refused_and_others_are_not() {
    let server = server(|_| {});
    for (what, target, most) in [("streams", STREAM, 64), ("waits", WAIT, 256)] {
        let mut clients: Vec<_> = (0..most).map(|_| Client::connect(server.addr())).collect();
        for client in &mut clients {
            client.send(get(target));
        }
        under_way(&server, what, most);

        let mut late = Client::connect(server.addr());
        let refused = late.call(get(target));
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
        let error = refused.json()["error"].as_str().expect("there is a reason").to_owned();
        assert!(error.starts_with(&format!("expected at most {most} ")), "{error}");
        assert_eq!(late.call(post("{}")).status, 412);
        assert_eq!(late.call(get("/__standin/requests?contains=nowhere")).status, 200);

        clients.pop();
        under_way(&server, what, most - 1);
        late.send(get(target));
        under_way(&server, what, most);
    }
}

#[test]
fn everybody_who_waits_for_the_same_is_woken() {
    let server = server(|_| {});
    let addr = server.addr();
    let waits: Vec<_> = [
        "requests?wait=2&operation=createAgent&timeout=60s",
        "requests?wait=2&contains=needle&timeout=60s",
        "requests?wait=2&status=412&contains=needle&timeout=60s",
    ]
    .into_iter()
    .map(|target| thread::spawn(move || Client::connect(addr).call(get(&format!("/__standin/{target}")))))
    .collect();
    under_way(&server, "waits", 3);

    let mut client = Client::connect(addr);
    for n in 0..100 {
        client.call(get("/nowhere"));
        if n % 50 == 49 {
            client.call(post(r#"{"a": "needle"}"#));
        }
    }

    for wait in waits {
        let reply = wait.join().expect("it does not panic");
        assert_eq!((reply.status, reply.json()["exchanges"][1]["id"].as_u64()), (200, Some(102)));
    }
    assert_eq!(exchange(&server, 102).exchange.request.path(), AGENTS);
}
