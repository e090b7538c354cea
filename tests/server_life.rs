//! Starting and stopping a server.

mod support;

use std::{
    net::{TcpListener, TcpStream},
    sync::Arc,
    time::Duration,
};

use standin::{BodyEnd, Config, Delivery, Server, serve};
use support::{
    AGENTS, Client, FOREVER, events::Events, eventually, exchange, get, http2, post, post_head, server,
    settled, within,
};

#[test]
fn a_dropped_server_is_gone() {
    let server = server(|_| {});
    let addr = server.addr();
    assert_eq!(server.url(), format!("http://{addr}"));

    drop(server);

    assert!(TcpStream::connect(addr).is_err());
}

#[test]
fn stopping_ends_connections_that_nothing_else_would_end() {
    let server = server(|config| {
        let limits = &mut config.limits;
        for limit in
            [&mut limits.body_time, &mut limits.head_time, &mut limits.idle_time, &mut limits.reply_time]
        {
            *limit = FOREVER;
        }
        assert!(limits.stop_time < Duration::from_secs(1), "it is promised to take no longer");
    });
    let fresh = Client::connect(server.addr());
    let mut idle = Client::connect(server.addr());
    idle.call(get("/idle"));
    let mut half_head = Client::connect(server.addr());
    half_head.send("GET /half HTTP/1.1\r\n");
    let mut half_body = Client::connect(server.addr());
    half_body.send(post_head("content-length: 10\r\n") + "{");
    let mut multiplexed = http2::Client::connect(server.addr(), &[]);
    multiplexed.request(1, "POST", AGENTS, &[], false);
    multiplexed.request(3, "GET", "/idle", &[], true);
    multiplexed.reply(3);

    let journal = within("the server stops", || server.stop());

    for mut client in [fresh, idle, half_head, half_body] {
        assert!(client.is_closed());
    }
    let broken = journal.snapshot();
    let broken: Vec<_> = broken
        .iter()
        .filter(|recorded| recorded.exchange.request.body_end == BodyEnd::Broken)
        .map(|recorded| recorded.delivery.get())
        .collect();
    assert_eq!(broken, [Delivery::Aborted; 2]);
}

#[test]
fn stopping_with_idle_connections_takes_no_time() {
    let server = server(|config| config.limits.stop_time = FOREVER);
    let mut idle = Client::connect(server.addr());
    idle.call(get("/idle"));
    let mut multiplexed = http2::Client::connect(server.addr(), &[]);
    multiplexed.request(1, "GET", "/idle", &[], true);
    multiplexed.reply(1);
    let closing = std::thread::spawn(move || while multiplexed.next().is_some() {});
    let fresh = Client::connect(server.addr());

    within("the server stops", || drop(server));

    closing.join().expect("the connection was closed");
    drop(fresh);
}

#[test]
fn a_request_under_way_is_finished_when_the_server_stops() {
    let server = server(|config| config.limits.stop_time = FOREVER);
    let mut client = Client::connect(server.addr());
    client.send(post_head("content-length: 2\r\nexpect: 100-continue\r\n"));
    client.head();

    let stopping = std::thread::spawn(move || server.stop());
    client.send("{}");

    assert_eq!(client.reply().id(), 1);
    assert!(client.is_closed());
    let journal = stopping.join().expect("it stops");
    assert_eq!(journal.snapshot()[0].exchange.request.body_end, BodyEnd::Complete);
}

#[test]
fn an_occupied_port_is_an_error() {
    let server = server(|_| {});
    let config = Config { listen: server.addr(), ..Config::default() };
    assert!(Server::start(config).is_err());
}

#[tokio::test]
async fn a_server_starts_and_stops_inside_an_async_test() {
    let server = server(|_| {});
    assert_eq!(Client::connect(server.addr()).call(post("{}")).id(), 1);
    drop(server);
}

#[test]
fn a_server_that_is_dropped_by_a_panic_stops() {
    let server = server(|_| {});
    let addr = server.addr();

    let panicked = std::thread::spawn(move || {
        let _server = server;
        std::panic::resume_unwind(Box::new("a test failed"));
    });

    assert!(panicked.join().is_err());
    assert!(TcpStream::connect(addr).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_returns_the_journal_when_it_is_told_to_stop() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("it is bound");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(serve(listener, Config::default(), async {
        let _ = stopped.await;
    }));

    let called = tokio::task::spawn_blocking(move || Client::connect(addr).call(post("{}")).id());
    assert_eq!(called.await.expect("it is answered"), 1);
    stop.send(()).expect("it is serving");

    let journal = serving.await.expect("it does not panic").expect("it served");
    assert_eq!(journal.snapshot().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_off_by_the_stop_is_in_the_journal_that_serve_returns() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("it is bound");
    let mut config = Config::default();
    config.limits.stop_time = Duration::from_millis(10);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(serve(listener, config, async {
        let _ = stopped.await;
    }));

    let called = tokio::task::spawn_blocking(move || {
        let mut client = http2::Client::connect(addr, &[]);
        for stream in (1..100).step_by(2) {
            client.request(stream, "POST", AGENTS, &[], false);
        }
        client.request(101, "GET", "/idle", &[], true);
        client.reply(101);
        client
    });
    let _open = called.await.expect("it is answered");
    stop.send(()).expect("it is serving");

    let journal = serving.await.expect("it does not panic").expect("it served");
    assert_eq!(journal.snapshot().len(), 51);
}

#[test]
fn a_server_is_independent_of_its_neighbours() {
    let (one, other) = (server(|_| {}), server(|_| {}));
    Client::connect(one.addr()).call(post("{}"));
    drop(one);

    assert_eq!(Client::connect(other.addr()).call(post("{}")).id(), 1);
    let recorded = exchange(&other, 1);
    settled(&recorded, Delivery::Sent);
}

#[test]
fn waits_and_streams_end_at_once_when_the_server_stops() {
    let server = server(|config| config.limits.stop_time = FOREVER);
    let mut stream = Client::connect(server.addr());
    stream.send(get("/__standin/requests/stream"));
    assert_eq!(stream.head().status, 200);
    let mut wait = Client::connect(server.addr());
    wait.send(get("/__standin/requests?wait=1&timeout=60s"));
    // Answered on a connection that was accepted after the other two, so the wait has begun.
    Client::connect(server.addr()).call(get("/__standin/health"));

    within("the server stops", || drop(server));

    assert_eq!(wait.reply().status, 503);
    stream.rest();
}

#[test]
fn a_list_that_is_cut_off_by_the_stop_does_not_look_complete() {
    let server = server(|config| config.limits.stop_time = Duration::from_millis(10));
    let mut client = Client::connect(server.addr());
    let long = "x".repeat(500_000);
    for _ in 0..40 {
        client.call(post(&long));
    }
    client.send(get("/__standin/export?format=ndjson"));
    assert_eq!(client.head().header("transfer-encoding"), Some("chunked"));

    drop(server);

    assert!(!client.rest().ends_with(b"\r\n0\r\n\r\n"));
}

#[test]
fn a_list_under_way_is_finished_when_the_server_stops() {
    let server = server(|config| config.limits.stop_time = FOREVER);
    let mut client = Client::connect(server.addr());
    let long = "x".repeat(500_000);
    for _ in 0..40 {
        client.call(post(&long));
    }
    client.send(get("/__standin/export?format=ndjson"));
    client.head();

    let stopping = std::thread::spawn(move || drop(server));

    let rest = client.rest();
    assert!(rest.ends_with(b"\r\n0\r\n\r\n"));
    assert!(rest.windows(9).any(|text| text == b"{\"id\":40,"));
    stopping.join().expect("it stops");
}

#[test]
fn an_export_that_nobody_reads_is_given_up_and_an_idle_stream_is_not() {
    let events = Events::default();
    let server = events.server(|config| {
        config.limits.reply_time = Duration::from_millis(20);
        config.limits.idle_time = Duration::from_millis(40);
    });
    let mut stream = Client::connect(server.addr());
    stream.send(get("/__standin/requests/stream?contains=nowhere"));
    assert_eq!(stream.head().status, 200);
    let mut client = Client::connect(server.addr());
    let long = "x".repeat(500_000);
    for _ in 0..40 {
        client.call(post(&long));
    }
    let newest = exchange(&server, 40);
    client.send(get("/__standin/export?format=ndjson"));
    client.head();
    // Nothing is read until the server has given up, which it says.
    eventually("the export is given up", || {
        events.text().contains(" did not take its reply in time").then_some(())
    });
    assert!(!client.rest().ends_with(b"\r\n0\r\n\r\n"));

    server.journal().clear();
    // The stream may be looking through it still.
    eventually("it is let go", || (Arc::strong_count(&newest) == 1).then_some(()));

    Client::connect(server.addr()).call(get("/nowhere"));
    stream.skip_to("id: 41");
}

#[test]
fn control_calls_are_not_recorded() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());

    assert_eq!(client.call(get("/__standin/health")).status, 200);
    assert_eq!(client.call(get("/__standin/nowhere")).status, 404);

    assert!(server.journal().snapshot().is_empty());
    assert_eq!(client.call(get("/__standing")).id(), 1);
}

#[test]
fn a_fault_of_the_servers_own_is_reported_and_counted_and_it_goes_on() {
    let events = Events::default();
    let server = events.server(|_| {});
    server.journal().on_record(Box::new(|recorded| {
        if recorded.exchange.request.target == "/broken" {
            std::panic::resume_unwind(Box::new("a hook failed"));
        }
    }));

    let mut broken = Client::connect(server.addr());
    broken.send(get("/broken"));
    assert!(broken.is_closed());
    let mut multiplexed = http2::Client::connect(server.addr(), &[]);
    multiplexed.request(1, "GET", "/broken", &[], true);
    while multiplexed.next().expect("the connection is open").kind != http2::RST_STREAM {}
    multiplexed.request(3, "GET", "/sound", &[], true);
    multiplexed.reply(3);

    let mut client = Client::connect(server.addr());
    eventually("both are counted", || {
        (client.call(get("/__standin/health")).json()["faults"] == 2).then_some(())
    });
    let mut faults = events.of("ERROR standin::server");
    faults.sort();
    assert_eq!(
        faults,
        ["connection", "request"].map(|what| {
            format!(
                "ERROR standin::server message=a {what} ended by a fault of this program; please report it"
            )
        })
    );
}
