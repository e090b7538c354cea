//! Who is let in.

use bytes::Bytes;
use hyper::Request;

use super::{Api, ControlConfig, respond};
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
    assert_eq!(respond(&api.state, &parts, Bytes::new()).await.status(), 403);
}

#[tokio::test]
async fn the_host_of_an_http2_call_is_its_authority() {
    let api = Api::new(journal(1, 0));
    for (uri, status) in [("http://[::1]:8484/__standin/health", 200), ("/__standin/health", 403)] {
        let (parts, ()) = Request::get(uri).body(()).unwrap().into_parts();
        assert_eq!(respond(&api.state, &parts, Bytes::new()).await.status(), status);
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
    let reply = api.call("GET", "health", &[("origin", "http://app.test")], "").await;

    assert_eq!(reply.status, 200);
    assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
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

        let reply = respond(&api.state, &parts, Bytes::new()).await;

        assert_eq!(reply.status(), status, "{peer:?} {token:?}");
        assert_eq!(api.state.stop.is_cancelled(), status == 200);
    }
}
