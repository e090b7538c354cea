//! What a browser gets: replies that pages of other origins can read, an index, and no exchanges for icons.

mod support;

use standin::Server;
use support::{AGENTS, Client, Reply, TOKEN, exchange, get, post, server};

/// Sends a request of a page.
fn from(server: &Server, origin: &str, request: &str) -> Reply {
    let (line, rest) = request.split_once("\r\n").expect("a request line");
    Client::connect(server.addr()).call(format!("{line}\r\norigin: {origin}\r\n{rest}"))
}

fn preflight(server: &Server, origin: &str) -> Reply {
    let request = format!(
        "OPTIONS {AGENTS} HTTP/1.1\r\nhost: localhost\r\naccess-control-request-method: PUT\r\n\
         access-control-request-headers: auth,accountid\r\naccess-control-request-private-network: true\r\n\r\n"
    );
    from(server, origin, &request)
}

#[test]
fn every_reply_can_be_read_by_a_page_of_any_origin_with_credentials_or_without() {
    let server = server(|_| {});

    for origin in ["http://page.test", "https://other.test:3000", "null"] {
        for request in [post("{}"), get("/nowhere"), get("/")] {
            let reply = from(&server, origin, &request);
            assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
            assert_eq!(reply.header("access-control-allow-credentials"), Some("true"));
            let varies = reply.headers.iter().filter(|(name, _)| name == "vary");
            assert!(varies.into_iter().any(|(_, value)| value == "origin"), "{:?}", reply.headers);
            let exposed = reply.header("access-control-expose-headers").expect("headers are exposed");
            assert!(!exposed.contains('*'));
            for name in [
                "X-Standin-Exchange",
                "X-Standin-Ledger",
                "Preference-Applied",
                "Allow",
                "WWW-Authenticate",
                "Retry-After",
            ] {
                assert!(exposed.contains(name), "{exposed}");
            }
        }
    }
}

#[test]
fn who_is_no_page_gets_no_cross_origin_headers() {
    let server = server(|_| {});

    let reply = Client::connect(server.addr()).call(post("{}"));

    assert_eq!(reply.header("vary"), Some("origin"));
    assert!(reply.headers.iter().all(|(name, _)| !name.starts_with("access-control")), "{:?}", reply.headers);
}

#[test]
fn a_preflight_is_granted_and_not_recorded() {
    let server = server(|_| {});

    let reply = preflight(&server, "http://page.test");

    assert_eq!(reply.status, 204);
    assert_eq!(reply.header("access-control-allow-origin"), Some("http://page.test"));
    assert_eq!(reply.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(reply.header("access-control-allow-headers"), Some("auth,accountid"));
    assert_eq!(reply.header("access-control-allow-private-network"), Some("true"));
    assert!(reply.header("access-control-allow-methods").is_some_and(|methods| methods.contains("PUT")));
    assert!(reply.header("access-control-max-age").is_some());
    assert!(reply.header("vary").is_some());
    assert!(server.journal().snapshot().is_empty());
}

#[test]
fn with_listed_origins_a_page_of_another_one_changes_and_reads_nothing() {
    let server = server(|config| config.origins = vec!["http://App.test:3000/".to_owned()]);

    let listed = from(&server, "http://app.test:3000", &post("{}"));
    assert_eq!(listed.id(), 1);
    assert_eq!(listed.header("access-control-allow-origin"), Some("http://app.test:3000"));
    assert_eq!(preflight(&server, "http://app.test:3000").status, 204);

    for origin in ["http://evil.test", "http://app.test", "https://app.test:3000", "null"] {
        for refused in [from(&server, origin, &post("{}")), preflight(&server, origin)] {
            assert_eq!(refused.status, 403, "{origin}");
            let error = format!("expected an origin given by --origin, but found `{origin}`");
            assert_eq!(refused.json()["error"], error);
            assert_eq!(refused.header("access-control-allow-origin"), None);
        }
        let read = from(&server, origin, &get("/"));
        assert_eq!((read.status, read.header("access-control-allow-origin")), (200, None));
    }
    assert_eq!(server.journal().snapshot().len(), 1);
    assert_eq!(Client::connect(server.addr()).call(post("{}")).id(), 2);
}

#[test]
fn a_refused_page_that_sends_much_sees_why_and_the_connection_goes_on() {
    let server = server(|config| config.origins = vec!["http://app.test".to_owned()]);
    let long = "x".repeat(3 * 1024 * 1024);
    let head = format!("POST {AGENTS} HTTP/1.1\r\nhost: localhost\r\n");
    let mut client = Client::connect(server.addr());

    let sent = format!("{head}origin: http://evil.test\r\ncontent-length: {}\r\n\r\n{long}", long.len());

    assert_eq!(client.call(sent).status, 403);
    assert_eq!(client.call(post("{}")).id(), 1);
}

#[test]
fn options_without_an_origin_is_an_ordinary_request() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());

    let reply = client.call(format!("OPTIONS {AGENTS} HTTP/1.1\r\nhost: localhost\r\n\r\n"));

    assert_eq!(reply.status, 405);
    assert_eq!(reply.header("allow"), Some("POST"));
    assert_eq!(exchange(&server, reply.id()).exchange.request.method, "OPTIONS");
}

#[test]
fn the_index_names_the_operations_and_is_not_recorded() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());
    let known: Vec<_> = server.stub().contract().operations().iter().map(|op| &*op.id).collect();

    let list = client.call(get("/"));
    let operations = list.json()["operations"].clone();
    let named: Vec<_> = operations.as_array().expect("operations").iter().map(|op| &op["id"]).collect();
    assert_eq!(named, known);

    let page = client.call("GET / HTTP/1.1\r\nhost: localhost\r\naccept: text/html, */*;q=0.8\r\n\r\n");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(
        page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'"))
    );
    for id in known {
        assert!(page.text().contains(id), "{id}");
    }
    client.send("HEAD / HTTP/1.1\r\nhost: localhost\r\naccept: text/html\r\n\r\n");
    assert_eq!(client.head().header("content-length"), Some(page.body.len().to_string().as_str()));
    assert!(server.journal().snapshot().is_empty());
}

#[test]
fn a_browser_that_asks_for_an_icon_is_no_exchange() {
    let server = server(|_| {});
    let mut client = Client::connect(server.addr());

    for path in ["/favicon.ico", "/apple-touch-icon.png", "/apple-touch-icon-120x120-precomposed.png"] {
        let reply = client.call(get(path));
        assert_eq!(reply.status, 204, "{path}");
        assert!(reply.header("cache-control").is_some_and(|value| value.contains("max-age")), "{path}");
    }

    assert!(server.journal().snapshot().is_empty());
    assert_eq!(client.call(get("/favicon.ico/x")).id(), 1);
    assert_eq!(client.call(post("{}").replace(AGENTS, "/favicon.ico")).id(), 2);
}

#[test]
fn cookies_of_a_page_with_credentials_are_not_in_the_journal() {
    let server = server(|_| {});
    let request = post("{}").replacen("\r\n", "\r\ncookie: session=sesame\r\n", 1);
    assert!(request.contains(TOKEN));

    let reply = from(&server, "http://page.test", &request);

    let recorded = exchange(&server, reply.id());
    assert!(!format!("{recorded:?}").contains("sesame"));
}
