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
async fn the_document_and_the_ledger_may_be_read_from_any_origin_and_nothing_else() {
    let token = Some(Secret::new("t"));
    let api = Api::with(journal(1, 0), ControlConfig { token, ..ControlConfig::default() });
    let origin = ("origin", "http://page.test");
    let preflight = [origin, ("access-control-request-method", "GET")];

    for path in ["openapi.json", "ledger"] {
        let asked = api.call("OPTIONS", path, &preflight, "").await;
        assert_eq!((asked.status, asked.header("access-control-allow-origin")), (204, "http://page.test"));
        for (headers, status) in [(&[origin][..], 401), (&[origin, ("authorization", "Bearer t")], 200)] {
            let reply = api.call("GET", path, headers, "").await;
            assert_eq!(
                (reply.status, reply.header("access-control-allow-origin"), reply.header("vary")),
                (status, "http://page.test", "origin"),
                "{path}"
            );
        }
        let rebound = [origin, ("host", "page.test"), ("authorization", "Bearer t")];
        assert_eq!(api.call("GET", path, &rebound, "").await.status, 403);
    }
    for path in ["", "health", "requests", "export?format=har"] {
        assert_eq!(api.call("OPTIONS", path, &preflight, "").await.status, 403, "{path}");
        let reply = api.call("GET", path, &[origin, ("authorization", "Bearer t")], "").await;
        assert_eq!(reply.header("access-control-allow-origin"), "", "{path}");
    }
}
