//! Who is let in.

use bytes::Bytes;
use hyper::Request;

use super::{Api, CALLS, ControlConfig, caller, respond};
use crate::{journal::tests::journal, token::Secret};

#[tokio::test]
async fn a_foreign_host_is_refused_and_the_flag_named() {
    let api = Api::new(journal(1, 0));

    let reply = api.call("GET", "health", &[("host", "evil.example:80")], "").await;

    assert_eq!(reply.status, 403);
    assert!(reply.error().ends_with("--control-host evil.example"));
    let two = [("host", "localhost"), ("host", "evil.example")];
    assert_eq!(api.call("GET", "health", &two, "").await.status, 403);
    let request = Request::get("http://evil.example/__standin/health").header("host", "localhost");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    assert_eq!(respond(&api.state, &parts, Bytes::new(), &caller()).await.status(), 403);
}

#[tokio::test]
async fn the_host_of_an_http2_call_is_its_authority() {
    let api = Api::new(journal(1, 0));
    for (uri, status) in [("http://[::1]:8484/__standin/health", 200), ("/__standin/health", 403)] {
        let (parts, ()) = Request::get(uri).body(()).unwrap().into_parts();
        assert_eq!(respond(&api.state, &parts, Bytes::new(), &caller()).await.status(), status);
    }
}

#[tokio::test]
async fn with_a_token_nothing_goes_without_it() {
    let token = Some(Secret::new("sesame"));
    let api = Api::with(journal(1, 0), ControlConfig { token, ..ControlConfig::default() });

    for value in ["", "Bearer ", "Bearer sesam", "Bearer sesame2", "sesame", "Basic sesame"] {
        let reply = api.call("GET", "health", &[("authorization", value)], "").await;
        assert_eq!(reply.status, 401, "{value}");
        assert!(reply.header("www-authenticate").starts_with("Bearer"));
        assert!(!reply.text.contains("sesame"));
    }
    assert_eq!(api.get("nope").await.status, 401);
    for value in ["Bearer sesame", "bearer  sesame"] {
        let reply = api.call("GET", "health", &[("authorization", value)], "").await;
        assert_eq!(reply.status, 200, "{value}");
    }
}

#[tokio::test]
async fn only_a_configured_origin_may_read_and_change() {
    let origins = vec!["http://app.test:3000".to_owned()];
    let api = Api::with(
        journal(1, 1),
        ControlConfig { origins, token: Some(Secret::new("t")), ..ControlConfig::default() },
    );
    let preflight = |origin| [("origin", origin), ("access-control-request-method", "DELETE")];

    let yes = api.call("OPTIONS", "requests", &preflight("http://app.test:3000"), "").await;
    assert_eq!(yes.status, 204);
    assert_eq!(yes.header("access-control-allow-origin"), "http://app.test:3000");
    assert!(yes.header("access-control-allow-methods").contains("DELETE"));

    let no = api.call("OPTIONS", "requests", &preflight("http://evil.example"), "").await;
    assert_eq!(no.status, 403);
    assert_eq!(no.header("access-control-allow-origin"), "");
    assert!(no.error().contains("--control-origin http://evil.example"));

    // A refusal can be read as well.
    let refusal = api.call("GET", "health", &[("origin", "http://app.test:3000")], "").await;
    assert_eq!(refusal.status, 401);
    assert_eq!(refusal.header("access-control-allow-origin"), "http://app.test:3000");
    assert_eq!(refusal.header("vary"), "origin");
}

#[tokio::test]
async fn without_configured_origins_there_are_no_cross_origin_headers() {
    let api = Api::new(journal(1, 0));
    for (origin, status) in [("http://localhost:8484", 200), ("http://app.test", 403)] {
        let reply = api.call("GET", "health", &[("origin", origin)], "").await;

        assert_eq!(reply.status, status);
        assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
    }
}

#[tokio::test]
async fn a_foreign_page_is_refused_before_any_work_whatever_it_asks_for() {
    let api = Api::new(journal(10, 1));
    let foreign = [
        &[("origin", "http://evil.example")][..],
        &[("origin", "null")],
        &[("origin", "http://localhost:3000")],
        &[("origin", "http://localhost:8484"), ("origin", "http://evil.example")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
        &[("origin", "http://localhost:8484"), ("sec-fetch-site", "cross-site")],
    ];
    for call in &CALLS {
        let path = call.path.strip_prefix("/__standin/").unwrap().replace("ID", "1");
        let expected = if matches!(&*path, "" | "openapi.json" | "ledger") { 200 } else { 403 };
        for headers in foreign {
            let status = api.open(call.method.as_str(), &path, headers, "").await.status();
            assert_eq!(status, expected, "{} {path} {headers:?}", call.method);
        }
    }
    assert_eq!(api.journal.counts().kept, 1);
    // It would wait, if it were let.
    let reply = api.call("GET", "requests?wait=10&timeout=60s", foreign[4], "").await;
    assert_eq!(
        reply.error(),
        "expected a page of this server or of an origin given by --control-origin, but found `cross-site`; \
         start standin with --control-origin ORIGIN"
    );
    assert_eq!(api.call("GET", "nope", foreign[0], "").await.status, 403);
}

#[tokio::test]
async fn a_page_of_this_server_or_of_a_configured_origin_is_let_in() {
    let origins = vec!["http://app.test:3000".to_owned()];
    let api = Api::with(journal(1, 1), ControlConfig { origins, ..ControlConfig::default() });
    for headers in [
        &[][..],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:8484")],
        &[("origin", "http://LOCALHOST:8484")],
        &[("origin", "http://app.test:3000"), ("sec-fetch-site", "cross-site")],
        &[("host", "127.0.0.1:80"), ("origin", "http://127.0.0.1")],
        &[("host", "[::1]"), ("origin", "https://[::1]:443")],
    ] {
        assert_eq!(api.call("GET", "requests", headers, "").await.status, 200, "{headers:?}");
    }
}

#[tokio::test]
async fn verify_is_no_request_that_a_foreign_page_can_send() {
    let api = Api::new(journal(1, 0));
    for headers in [&[][..], &[("content-type", "text/plain")], &[("content-type", "application/jsonx")]] {
        assert_eq!(api.call("POST", "requests/verify", headers, "{}").await.status, 415);
    }
    let headers = [("content-type", "Application/JSON; charset=utf-8")];
    assert_eq!(api.call("POST", "requests/verify", &headers, "{}").await.status, 417);
}

#[tokio::test]
async fn the_list_the_document_and_the_ledger_may_be_read_from_any_origin_and_nothing_else() {
    let token = Some(Secret::new("t"));
    let api = Api::with(journal(1, 0), ControlConfig { token, ..ControlConfig::default() });
    let origin = ("origin", "http://page.test");
    let preflight = [origin, ("access-control-request-method", "GET")];

    for path in ["", "openapi.json", "ledger"] {
        let asked = api.call("OPTIONS", path, &preflight, "").await;
        assert_eq!((asked.status, asked.header("access-control-allow-origin")), (204, "http://page.test"));
        let without = if path.is_empty() { 200 } else { 401 };
        for (headers, status) in [(&[origin][..], without), (&[origin, ("authorization", "Bearer t")], 200)] {
            let reply = api.call("GET", path, headers, "").await;
            let allowed = reply.header("access-control-allow-origin");
            assert_eq!((reply.status, allowed), (status, "http://page.test"), "{path}");
            assert!(reply.headers.get_all("vary").iter().any(|value| value == "origin"), "{path}");
        }
        let rebound = [origin, ("host", "page.test"), ("authorization", "Bearer t")];
        assert_eq!(api.call("GET", path, &rebound, "").await.status, 403);
    }
    for path in ["health", "requests", "export?format=har"] {
        assert_eq!(api.call("OPTIONS", path, &preflight, "").await.status, 403, "{path}");
        let reply = api.call("GET", path, &[origin, ("authorization", "Bearer t")], "").await;
        assert_eq!(reply.header("access-control-allow-origin"), "", "{path}");
    }
}

#[tokio::test]
async fn the_server_is_stopped_where_that_is_allowed_by_the_token_or_from_the_same_machine() {
    let allowed = ControlConfig { stop: true, ..ControlConfig::default() };
    let guarded = ControlConfig { token: Some(Secret::new("sesame")), ..allowed.clone() };
    let (near, mapped, far) = ("127.0.0.1:1", "[::ffff:127.0.0.1]:1", "192.0.2.1:1");
    for (config, peer, token, status) in [
        (ControlConfig::default(), Some(near), None, 403),
        (allowed.clone(), Some(near), None, 200),
        (allowed.clone(), Some(mapped), None, 200),
        (allowed.clone(), Some(far), None, 403),
        (allowed, None, None, 403),
        (guarded.clone(), Some(near), None, 401),
        (guarded.clone(), Some(far), Some("Bearer sesam"), 401),
        (guarded, Some(far), Some("Bearer sesame"), 200),
    ] {
        let api = Api::with(journal(1, 0), config);
        let mut request = Request::post("/__standin/stop")
            .header("host", "localhost")
            .header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        if let Some(peer) = peer {
            parts.extensions.insert(peer.parse::<std::net::SocketAddr>().unwrap());
        }

        let reply = respond(&api.state, &parts, Bytes::new(), &caller()).await;

        assert_eq!(reply.status(), status, "{peer:?} {token:?}");
        assert_eq!(api.state.stop.is_cancelled(), status == 200);
    }
}
