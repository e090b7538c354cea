//! The server as its clients see it: connections, bodies, replies, cross-origin requests.

mod support;

use standin::{BodyEnd, Delivery};
use support::{
    AGENTS, Client, TOKEN, events::Events, eventually, exchange, get, http2, post, post_head, server, settled,
};

#[test]
fn a_connection_is_kept_alive() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());

    let first = client.call(post("{}"));
    let second = client.call(get("/elsewhere?a=b"));

    assert_eq!((first.id(), second.id()), (1, 2));
    let recorded = exchange(&server, 2);
    assert_eq!(recorded.exchange.request.method, "GET");
    assert_eq!(recorded.exchange.request.target, "/elsewhere?a=b");
    assert_eq!(second.status, recorded.exchange.reply.status);
    assert_eq!(second.body, recorded.exchange.reply.body);
}

#[test]
fn a_reply_has_what_the_journal_replaces() {
    let server = server(|config| config.settings.token = standin::TokenPolicy::Any);
    let mut client = Client::connect(server.addr());
    let agent = include_str!("../fixtures/createAgent/request.json");
    // It stands in every reply, and nobody may take that from the others by sending it.
    let first = client.call(post(agent).replace(TOKEN, "application/json"));
    let queue = include_str!("../fixtures/createQueue/request.json").replacen("queue", TOKEN, 1);
    let second = client.call(post(&queue).replace(AGENTS, "/agentassist/api/v1/public/st-1/queues"));

    for reply in [&first, &second] {
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    }
    assert!(second.text().contains(TOKEN), "{}", second.text());
    let recorded = exchange(&server, second.id());
    assert!(!format!("{recorded:?}").contains(TOKEN), "{recorded:?}");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());
    let requests: String = (1..=40).map(|n| post(&format!("[{n}]"))).collect();

    client.send(requests);

    for n in 1..=40 {
        let reply = client.reply();
        assert_eq!(reply.id(), n);
        let recorded = exchange(&server, n);
        assert_eq!(recorded.exchange.request.body, format!("[{n}]").as_bytes());
    }
}

#[test]
fn http2_is_spoken_with_prior_knowledge() {
    let server = server(|_| {});
    let mut client = http2::Client::connect(server.addr(), &[]);

    client.request(1, "POST", AGENTS, &[("x-test", "1")], false);
    client.request(3, "GET", "/elsewhere", &[], true);
    client.data(1, b"{\"a\":", false);
    client.data(1, b"1}", true);
    client.reply(1);

    let all = server.journal().snapshot();
    let posted = all.iter().find(|r| r.exchange.request.method == "POST");
    let posted = posted.expect("it is recorded before it is answered");
    assert_eq!(posted.exchange.request.target, AGENTS);
    assert_eq!(posted.exchange.request.body, "{\"a\":1}");
    let tested: Vec<_> = posted.exchange.request.headers.all("x-test").collect();
    assert_eq!(tested, [b"1"]);
    assert_eq!(all.len(), 2);
}

#[test]
fn the_authority_of_http2_is_the_host() {
    let server = server(|_| {});
    let mut client = http2::Client::connect(server.addr(), &[]);

    for (stream, headers, says) in [
        (1, &[][..], "/nowhere"),
        (3, &[("host", "localhost")], "/nowhere"),
        (5, &[("host", "other.test")], "`host` that says what `:authority` says"),
    ] {
        client.request(stream, "GET", "/nowhere", headers, true);
        let reply = String::from_utf8(client.reply(stream).body).unwrap();
        assert!(reply.contains(says), "{reply}");
    }
    assert_eq!(server.unparsed(), 1);

    let all = server.journal().snapshot();
    let hosts = all.iter().map(|recorded| recorded.exchange.request.headers.all("host").collect::<Vec<_>>());
    assert_eq!(hosts.collect::<Vec<_>>(), [[&b"localhost"[..]]; 2]);
}

#[test]
fn a_reply_that_was_taken_is_sent() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());

    let reply = client.call(post("{}"));

    settled(&exchange(&server, reply.id()), Delivery::Sent);
}

#[test]
fn a_head_request_gets_no_body_and_counts_as_sent() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());

    client.send("HEAD /elsewhere HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let head = client.head();
    let next = client.call(get("/elsewhere"));

    let recorded = exchange(&server, head.id());
    settled(&recorded, Delivery::Sent);
    let length = recorded.exchange.reply.body.len().to_string();
    assert_eq!(head.header("content-length"), Some(length.as_str()));
    assert_eq!(next.id(), 2);
}

#[test]
fn a_chunked_body_is_put_together() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());

    let head = post_head("transfer-encoding: chunked\r\n");
    let reply = client.call(head + "3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n");

    let request = &exchange(&server, reply.id()).exchange.request;
    assert_eq!(request.body, "{\"a\":1}");
    assert_eq!(request.body_end, BodyEnd::Complete);
}

#[test]
fn a_client_that_has_closed_its_side_is_answered() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());

    client.send(post("{}"));
    client.finish();

    assert_eq!(client.reply().id(), 1);
    assert!(client.is_closed());
}

#[test]
fn targets_are_kept_as_they_were_sent() {
    let server = server(|_| {});
    let cases = [
        ("GET", "/a/../b//c/%2F?x=%zz&x", "/a/../b//c/%2F?x=%zz&x"),
        ("GET", "http://elsewhere.test/a?b", "/a?b"),
        ("OPTIONS", "*", "*"),
        ("CONNECT", "elsewhere.test:443", "elsewhere.test:443"),
    ];
    for (id, (method, sent, kept)) in (1..).zip(cases) {
        let mut client = Client::connect(server.addr());
        client.send(format!("{method} {sent} HTTP/1.1\r\nhost: localhost\r\n\r\n"));
        let recorded = exchange(&server, id);
        assert_eq!(recorded.exchange.request.target, kept);
        assert_eq!(recorded.exchange.request.method, method);
    }
}

#[test]
fn a_body_over_the_limit_is_cut_and_the_connection_goes_on() {
    let server = server(|config| config.settings.max_body = 1000);
    let long = "x".repeat(5000);
    let chunked = post_head("transfer-encoding: chunked\r\n");
    let requests = [post(&long), format!("{chunked}1388\r\n{long}\r\n0\r\n\r\n")];
    let mut client = Client::connect(server.addr());

    for request in requests {
        let reply = client.call(request);
        let recorded = exchange(&server, reply.id());
        assert_eq!(reply.status, 413);
        assert_eq!(recorded.exchange.request.body_end, BodyEnd::TooLarge);
        assert_eq!(recorded.exchange.request.body.len(), 1000);
    }
    assert_eq!(client.call(post("{}")).id(), 3);
}

#[test]
fn a_body_of_exactly_the_limit_is_complete() {
    let server = server(|config| config.settings.max_body = 1000);
    let mut client = Client::connect(server.addr());

    client.call(post(&"x".repeat(1000)));

    assert_eq!(exchange(&server, 1).exchange.request.body_end, BodyEnd::Complete);
}

#[test]
fn a_client_that_sends_far_too_much_before_it_reads_sees_its_reply() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());

    let reply = client.call(post(&"x".repeat(20 * 1024 * 1024)));

    assert_eq!(reply.status, 413);
    let request = &exchange(&server, reply.id()).exchange.request;
    assert_eq!(request.body_end, BodyEnd::TooLarge);
    assert_eq!(request.body.len(), 1024 * 1024);
}

#[test]
fn a_client_that_asks_first_is_told_to_continue() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());

    client.send(post_head("content-length: 2\r\nexpect: 100-continue\r\n"));
    assert_eq!(client.head().status, 100);
    client.send("{}");

    let reply = client.reply();
    assert_eq!(exchange(&server, reply.id()).exchange.request.body, "{}");
}

#[test]
fn a_client_that_asks_first_is_not_told_to_send_too_much() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());

    client.send(post_head("content-length: 9000000\r\nexpect: 100-continue\r\n"));

    let reply = client.reply();
    assert_eq!(reply.status, 413);
    assert_eq!(reply.header("connection"), Some("close"));
    let request = &exchange(&server, reply.id()).exchange.request;
    assert_eq!(request.body_end, BodyEnd::TooLarge);
    assert!(request.body.is_empty());
}

#[test]
fn a_client_that_hangs_up_half_way_is_recorded_as_aborted() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());

    client.send(post_head("content-length: 10\r\n") + "{\"a\"");
    drop(client);

    let recorded = exchange(&server, 1);
    assert_eq!(recorded.exchange.request.body, "{\"a\"");
    assert_eq!(recorded.exchange.request.body_end, BodyEnd::Broken);
    settled(&recorded, Delivery::Aborted);
    assert_eq!(Client::connect(server.addr()).call(post("{}")).id(), 2);
}

#[test]
fn a_stream_that_is_reset_half_way_is_recorded_as_aborted() {
    let server = server(|_| {});
    let mut client = http2::Client::connect(server.addr(), &[]);

    client.request(1, "POST", AGENTS, &[], false);
    client.data(1, b"{\"a\"", false);
    client.request(3, "GET", "/first", &[], true);
    client.reply(3);
    client.reset(1);

    let recorded = exchange(&server, 2);
    assert_eq!(recorded.exchange.request.body, "{\"a\"");
    assert_eq!(recorded.exchange.request.body_end, BodyEnd::Broken);
    settled(&recorded, Delivery::Aborted);
    client.request(5, "GET", "/next", &[], true);
    client.reply(5);
}

#[test]
fn a_body_whose_framing_is_broken_is_answered() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());

    client.send(post_head("transfer-encoding: chunked\r\n") + "zz\r\n");

    let reply = client.reply();
    assert_eq!(reply.status, 400);
    let recorded = exchange(&server, reply.id());
    assert_eq!(recorded.exchange.request.body_end, BodyEnd::Broken);
    settled(&recorded, Delivery::Sent);
    assert!(client.is_closed());
}

#[test]
fn sixty_four_clients_some_of_which_hang_up_lose_nothing() {
    const CLIENTS: usize = 64;
    const CALLS: usize = 10;
    let server = server(|_| {});
    let addr = server.addr();

    std::thread::scope(|scope| {
        for n in 0..CLIENTS {
            scope.spawn(move || {
                let mut client = Client::connect(addr);
                for call in 0..CALLS {
                    let reply = client.call(post(&format!("[{n},{call}]")));
                    assert!(reply.id() > 0);
                }
                if n % 3 == 0 {
                    client.send(post_head("content-length: 100\r\n") + "[");
                }
            });
        }
    });

    let hung_up = CLIENTS.div_ceil(3);
    let total = CLIENTS * CALLS + hung_up;
    let all = eventually("all are recorded", || {
        let all = server.journal().snapshot();
        (all.len() == total).then_some(all)
    });
    assert!((1..).zip(&all).all(|(id, recorded)| recorded.id == id));
    eventually("all are settled", || {
        let count = |delivery| all.iter().filter(|r| r.delivery.get() == delivery).count();
        (count(Delivery::Aborted) == hung_up && count(Delivery::Sent) == CLIENTS * CALLS).then_some(())
    });
    let next = Client::connect(addr).call(post("{}"));
    assert_eq!(next.id(), total as u64 + 1);
}

#[test]
fn a_sample_is_answered_over_both_versions_of_http() {
    let server = server(|_| {});
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/createAgent");
    let read = |name| std::fs::read(format!("{fixtures}/{name}")).expect("the fixture is there");
    let (request, response) = (read("request.json"), read("response.json"));
    let json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).expect("it is JSON");

    let text = std::str::from_utf8(&request).expect("it is UTF-8");
    let reply = Client::connect(server.addr()).call(post(text));
    assert_eq!(reply.status, 200);
    assert_eq!(json(&reply.body), json(&response));

    let mut client = http2::Client::connect(server.addr(), &[]);
    let [auth, account, kind] = [("auth", TOKEN), ("accountid", "1"), ("content-type", "application/json")];
    client.request(1, "POST", AGENTS, &[auth, account, kind], false);
    client.data(1, &request, true);
    let reply = client.reply(1);
    assert!(reply.is_ok);
    assert_eq!(json(&reply.body), json(&response));
}

#[test]
fn a_subscriber_of_the_program_that_embeds_it_hears_of_every_exchange() {
    let events = Events::default();
    let server = events.server(|_| {});
    let mut client = Client::connect(server.addr());

    let reply = client.call(get("/nowhere?a=b"));
    client.call(post("{}"));
    client.call(get("/__standin/health"));
    drop(server);

    assert_eq!(reply.status, 404);
    let exchanges = events.of("INFO standin::exchange");
    assert_eq!(exchanges.len(), 2, "{}", events.text());
    let start = "INFO standin::exchange id=1 method=GET target=/nowhere?a=b status=404 micros=";
    let rest = exchanges[0].strip_prefix(start).unwrap_or_else(|| panic!("{}", exchanges[0]));
    let (micros, rest) = rest.split_once(' ').unwrap();
    assert!(micros.parse::<u64>().is_ok() && rest.starts_with("violation=/path: "), "{}", exchanges[0]);
    assert!(exchanges[1].starts_with("INFO standin::exchange id=2 operation=createAgent method=POST "));
    assert_eq!(
        events.of("DEBUG standin::control"),
        ["DEBUG standin::control method=GET path=/__standin/health status=200"]
    );
    assert_eq!(events.of("DEBUG standin::connection").len(), 2);
}
