//! What breaks a reply, seen at the socket: on the first request of a connection and on a later one.

mod support;

use std::{
    io::ErrorKind::{self, ConnectionReset},
    sync::Arc,
};

use standin::{Delivery, Recorded};
use support::{AGENTS, Client, TOKEN, eventually, exchange, get, http2, post, post_head, server, settled};

/// A GET of nothing that is there, with this preference.
fn asking(prefer: &str) -> String {
    format!("GET /nowhere HTTP/1.1\r\nhost: localhost\r\nprefer: {prefer}\r\n\r\n")
}

/// What a client of HTTP/1.1 gets to this request until its connection ends, as the first and as a later one; the server
/// answers others before and after.
fn ends(request: &str) -> Vec<(Vec<u8>, Option<ErrorKind>)> {
    let server = server(|_| {});
    let mut ends = Vec::new();
    for (is_first, id) in [(true, 1), (false, 5)] {
        let mut client = Client::connect(server.addr());
        if !is_first {
            client.call(get("/before"));
        }
        client.send(request);
        ends.push(client.end());

        let recorded = exchange(&server, id);
        settled(&recorded, Delivery::Aborted);
        assert_eq!(Client::connect(server.addr()).call(get("/after")).id(), id + 1);
        assert_eq!(Client::connect(server.addr()).call(post("{}")).id(), id + 2);
    }
    assert_eq!(server.unparsed(), 0);
    ends
}

#[test]
fn a_reset_connection_is_reset() {
    for request in [asking("fault=reset"), post_head("prefer: fault=reset\r\ncontent-length: 2\r\n") + "{}"] {
        for (bytes, error) in ends(&request) {
            assert_eq!((bytes, error), (Vec::new(), Some(ConnectionReset)), "{request}");
        }
    }
}

#[test]
fn a_closed_connection_ends_before_the_head() {
    for fault in ["close", "empty"] {
        for (bytes, error) in ends(&asking(&format!("fault={fault}"))) {
            assert_eq!((bytes, error), (Vec::new(), None), "{fault}");
        }
    }
}

#[test]
fn garbage_is_no_http_and_the_end() {
    for (bytes, error) in ends(&asking("fault=garbage")) {
        assert!(!bytes.is_empty() && !bytes.starts_with(b"HTTP"), "{bytes:?}");
        assert_eq!(error, None);
    }
}

#[test]
fn a_body_is_cut_after_so_many_bytes_and_no_more() {
    for count in [0, 1, 7, 60] {
        for (bytes, error) in ends(&asking(&format!("fault=cut-{count}"))) {
            let text = String::from_utf8(bytes).expect("it is text");
            let (head, body) = text.split_once("\r\n\r\n").expect("there is a whole head");
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize =
                length.expect("the whole length is announced").parse().expect("it is a number");
            assert!(length > 60, "{head}");
            assert_eq!((body.len(), error), (count, None), "{text}");
        }
    }
}

#[test]
fn what_is_sent_behind_a_reply_that_breaks_is_not_answered() {
    for fault in ["close", "cut-7", "empty", "garbage", "reset"] {
        let server = server(|_| {});
        let mut client = Client::connect(server.addr());
        client.send(asking(&format!("fault={fault}")) + &get("/behind").repeat(3));
        let (bytes, _) = client.end();
        // The server waits a moment for the client to close.
        drop(client);

        assert!(
            fault != "cut-7"
                || bytes.split(|byte| *byte == b'\n').next_back().is_some_and(|body| body.len() == 7)
        );
        assert_eq!(server.journal().counts().recorded, 1, "{fault}");
        let health = Client::connect(server.addr()).call(get("/__standin/health")).json();
        assert_eq!(health["faults"], 0, "{fault}: {health}");
    }
}

#[test]
fn a_long_body_is_cut_where_it_is_to_be() {
    let server = server(|_| {});
    let queue = include_str!("../fixtures/createQueue/request.json");
    let queue = queue.replacen("queue2", &"x".repeat(600_000), 1);
    let request = post(&queue).replace(AGENTS, "/agentassist/api/v1/public/st-1/queues");
    let request = request.replacen("\r\n", "\r\nprefer: fault=cut-500000\r\n", 1);
    let mut client = Client::connect(server.addr());
    client.send(request);

    assert_eq!(client.head().status, 200);
    let (body, error) = client.end();

    assert_eq!((body.len(), error), (500_000, None));
}

#[test]
fn a_body_that_is_not_longer_is_not_cut() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());
    for request in [asking("fault=cut-100000"), asking("fault=cut-0").replace("GET", "HEAD")] {
        client.send(&request);
        let head = client.head();
        if request.starts_with("GET") {
            let length: usize =
                head.header("content-length").expect("it has a length").parse().expect("it is a number");
            assert_eq!(client.bytes(length).len(), length);
        }
        settled(&exchange(&server, head.id()), Delivery::Sent);
    }
    assert_eq!(client.call(get("/after")).id(), 3);
}

#[test]
fn a_hanging_connection_says_nothing_until_its_client_goes() {
    let server = server(|_| {});
    for (round, is_first) in [(0, true), (1, false)] {
        let mut client = Client::connect(server.addr());
        if !is_first {
            client.call(get("/before"));
        }
        client.send(asking("fault=hang"));
        let id = 1 + 3 * round;
        let recorded = exchange(&server, id);
        assert_eq!(Client::connect(server.addr()).call(get("/beside")).id(), id + 1);
        // However much it sends ahead.
        client.send(get("/ahead").repeat(1000));
        assert!(client.is_silent());
        assert_eq!(recorded.delivery.get(), Delivery::Pending);

        client.finish();

        assert_eq!(client.end().0, b"");
        settled(&recorded, Delivery::Aborted);
    }
}

#[test]
fn those_that_hang_make_room_for_others_the_longest_first() {
    let server = server(|config| config.limits.connections = 2);
    let mut hanging = [1, 2].map(|id| {
        let mut client = Client::connect(server.addr());
        client.send(asking("fault=hang"));
        exchange(&server, id);
        client
    });

    let mut other = Client::connect(server.addr());
    assert_eq!(other.call(get("/beside")).id(), 3);

    assert_eq!(hanging[0].end().0, b"");
    settled(&exchange(&server, 1), Delivery::Aborted);
    assert_eq!(exchange(&server, 2).delivery.get(), Delivery::Pending);
}

#[test]
fn an_http2_connection_on_which_all_that_is_under_way_hangs_makes_room_for_others() {
    let server = server(|config| config.limits.connections = 1);
    let mut hanging = http2::Client::connect(server.addr(), &[]);
    for (stream, id) in [(1, 1), (3, 2)] {
        hanging.request(stream, "GET", "/nowhere", &[("prefer", "fault=hang")], true);
        exchange(&server, id);
    }

    let mut other = Client::connect(server.addr());
    assert_eq!(other.call(get("/beside")).id(), 3);

    for id in [1, 2] {
        settled(&exchange(&server, id), Delivery::Aborted);
    }
}

#[test]
fn an_http2_stream_is_reset_without_a_head_and_its_connection_goes_on() {
    let server = server(|_| {});
    let mut client = http2::Client::connect(server.addr(), &[]);
    for (stream, fault) in [(1, "reset"), (5, "close"), (9, "reset")] {
        client.request(stream, "GET", "/nowhere", &[("prefer", &format!("fault={fault}"))], true);
        let (frames, reason) = client.until_reset(stream);
        assert!(frames.is_empty(), "{fault}: {frames:?}");
        assert_eq!(reason, http2::INTERNAL_ERROR, "{fault}");
        let id = u64::from(stream).div_ceil(2);
        settled(&exchange(&server, id), Delivery::Aborted);

        client.request(stream + 2, "GET", "/after", &[], true);
        client.reply(stream + 2);
    }
    let health = Client::connect(server.addr()).call(get("/__standin/health")).json();
    assert_eq!((&health["resets"], &health["unparsed"]), (&0.into(), &0.into()));
}

#[test]
fn an_http2_body_is_cut_after_so_many_bytes_and_its_stream_reset() {
    let server = server(|_| {});
    let mut client = http2::Client::connect(server.addr(), &[]);
    for (stream, count) in (1..).step_by(2).zip([0, 1, 7, 60]) {
        client.request(
            stream,
            "POST",
            AGENTS,
            &[("prefer", &format!("fault=cut-{count}")), ("auth", TOKEN)],
            true,
        );
        let (frames, reason) = client.until_reset(stream);
        assert_eq!(frames[0].kind, http2::HEADERS, "{count}");
        let data: usize = frames[1..].iter().map(|frame| frame.payload.len()).sum();
        assert_eq!((data, reason), (count, http2::INTERNAL_ERROR));
        assert!(frames.iter().all(|frame| frame.flags & http2::END_STREAM == 0), "{frames:?}");
        settled(&exchange(&server, u64::from(stream).div_ceil(2)), Delivery::Aborted);
    }
    client.request(21, "GET", "/after", &[], true);
    client.reply(21);
}

#[test]
fn a_long_http2_body_is_cut_where_it_is_to_be() {
    let server = server(|_| {});
    let queue = include_str!("../fixtures/createQueue/request.json");
    let queue = queue.replacen("queue2", &"x".repeat(50_000), 1);
    let headers = [
        ("prefer", "fault=cut-45000"),
        ("auth", TOKEN),
        ("accountid", "1"),
        ("content-type", "application/json"),
    ];
    let mut client = http2::Client::connect(server.addr(), &[]);
    client.request(1, "POST", "/agentassist/api/v1/public/st-1/queues", &headers, false);
    for piece in queue.as_bytes().chunks(16_000) {
        client.data(1, piece, false);
    }
    client.data(1, b"", true);

    let (frames, _) = client.until_reset(1);

    let data = frames.iter().filter(|frame| frame.kind == http2::DATA);
    assert_eq!(data.map(|frame| frame.payload.len()).sum::<usize>(), 45_000);
}

#[test]
fn an_http2_connection_is_closed_without_another_head() {
    for fault in ["empty", "garbage"] {
        let server = server(|_| {});
        for is_first in [true, false] {
            let mut client = http2::Client::connect(server.addr(), &[]);
            let mut sound = Vec::new();
            if !is_first {
                client.request(1, "GET", "/before", &[], true);
                client.reply(1);
            }
            client.request(3, "GET", "/nowhere", &[("prefer", &format!("fault={fault}"))], true);
            let (mut bytes, error) = client.end();

            assert_eq!(error, None, "{fault}");
            // The server's settings may come before.
            while let Some(frame) = http2::Frame::split_off(&mut bytes) {
                assert_eq!(frame.stream, 0, "{fault}: {frame:?}");
                sound.push(frame.kind);
            }
            assert!(!sound.contains(&http2::GO_AWAY), "{fault}: {sound:?}");
            assert_eq!(bytes.is_empty(), fault == "empty", "{bytes:?}");
            let id = if is_first { 1 } else { 5 };
            settled(&exchange(&server, id), Delivery::Aborted);
            assert_eq!(Client::connect(server.addr()).call(get("/after")).id(), id + 1);
            if is_first {
                Client::connect(server.addr()).call(get("/again"));
            }
        }
        assert_eq!(server.unparsed(), 0);
    }
}

#[test]
fn a_hanging_http2_stream_says_nothing_and_others_go_on() {
    let server = server(|_| {});
    let mut client = http2::Client::connect(server.addr(), &[]);
    client.request(1, "GET", "/nowhere", &[("prefer", "fault=hang")], true);
    let recorded = exchange(&server, 1);

    client.request(3, "GET", "/beside", &[], true);
    // Which fails at a frame of the other stream that ends it.
    client.reply(3);
    assert_eq!(recorded.delivery.get(), Delivery::Pending);
    client.reset(1);

    settled(&recorded, Delivery::Aborted);
    client.request(5, "GET", "/after", &[], true);
    client.reply(5);
}

#[test]
fn the_stop_ends_what_hangs_or_waits() {
    let server = server(|config| config.limits.stop_time = support::FOREVER);
    let mut hanging = Client::connect(server.addr());
    hanging.send(asking("fault=hang"));
    let mut waiting = Client::connect(server.addr());
    waiting.send(asking("delay=5m"));
    let mut multiplexed = http2::Client::connect(server.addr(), &[]);
    multiplexed.request(1, "GET", "/nowhere", &[("prefer", "fault=hang")], true);
    multiplexed.request(3, "GET", "/nowhere", &[("prefer", "delay=5m")], true);
    eventually("all are recorded", || (server.journal().counts().recorded == 4).then_some(()));
    let rest = std::thread::spawn(move || {
        let mut frames = Vec::new();
        while let Some(frame) = multiplexed.next() {
            frames.push((frame.stream, frame.kind));
        }
        frames
    });

    let journal = support::within("the server stops", || server.stop());

    assert_eq!(hanging.end(), (Vec::new(), None));
    // Its reply is finished: nobody waits for the delay any more.
    assert_eq!(waiting.reply().status, 404);
    let frames = rest.join().expect("it reads to the end");
    assert!(frames.contains(&(1, http2::RST_STREAM)) && frames.contains(&(3, http2::DATA)), "{frames:?}");
    let mut deliveries: Vec<_> = journal
        .snapshot()
        .iter()
        .map(|recorded| {
            (
                recorded.exchange.scripted.as_ref().expect("each has its course").course.to_string(),
                recorded.delivery.get(),
            )
        })
        .collect();
    deliveries.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = |course: &str, delivery| (course.to_owned(), delivery);
    assert_eq!(
        deliveries,
        [
            expected("delay=300s", Delivery::Sent),
            expected("delay=300s", Delivery::Sent),
            expected("fault=hang", Delivery::Aborted),
            expected("fault=hang", Delivery::Aborted),
        ]
    );
}

#[test]
fn a_delayed_reply_ends_with_its_client() {
    let server = server(|_| {});
    let mut gone = Client::connect(server.addr());
    gone.send(asking("delay=5m"));
    let recorded = exchange(&server, 1);
    drop(gone);
    settled(&recorded, Delivery::Aborted);

    let mut client = http2::Client::connect(server.addr(), &[]);
    client.request(1, "GET", "/nowhere", &[("prefer", "delay=5m")], true);
    let recorded = exchange(&server, 2);
    client.reset(1);
    settled(&recorded, Delivery::Aborted);
}

#[test]
fn ten_thousand_replies_wait_and_hold_nobody_up_and_the_stop_ends_them() {
    const CONNECTIONS: u64 = 100;
    let server = server(|config| {
        config.limits.idle_time = support::FOREVER;
        config.limits.reply_time = support::FOREVER;
    });
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let mut client = http2::Client::connect(server.addr(), &[]);
            for stream in (1..200).step_by(2) {
                client.request(stream, "POST", AGENTS, &[("prefer", "delay=5m")], true);
            }
            client
        })
        .collect();
    eventually("all are recorded", || {
        (server.journal().counts().recorded == 100 * CONNECTIONS).then_some(())
    });
    assert_eq!(Client::connect(server.addr()).call(get("/beside")).id(), 100 * CONNECTIONS + 1);
    assert_eq!(server.unparsed(), 0);
    let waiting = server.journal().snapshot();
    let waits = |recorded: &&Arc<Recorded>| {
        recorded.exchange.scripted.is_some() && recorded.delivery.get() == Delivery::Pending
    };
    let pending = waiting.iter().filter(waits).count();
    // The journal has room for as many, so the first has gone.
    assert_eq!(pending as u64, 100 * CONNECTIONS - 1);

    support::within("the server stops", || drop(server));

    drop(clients);
    assert!(!waiting.iter().any(|recorded| waits(&recorded)));
}
