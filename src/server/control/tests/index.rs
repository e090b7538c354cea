//! The list of calls.

use super::{Api, ControlConfig};
use crate::{journal::tests::journal, server::control::CALLS, token::Secret};

#[tokio::test]
async fn the_calls_are_listed_for_programs_and_for_people() {
    let api = Api::new(journal(1, 0));

    let list = api.get("").await;
    let browser = [("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")];
    let page = api.call("GET", "", &browser, "").await;

    assert_eq!((list.status, list.header("content-type")), (200, "application/json"));
    assert_eq!(list.json()["control"].as_array().unwrap().len(), CALLS.len());
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), "no-store");
    for call in &CALLS {
        let path = call.shown().replace('&', "&amp;");
        let plain = format!("<code>{} {path}</code>", call.method);
        let link = format!("<code>{} <a href=\"{path}\">{path}</a></code>", call.method);
        assert!(page.text.contains(&plain) || page.text.contains(&link), "{path}");
    }
}

#[tokio::test]
async fn the_page_may_do_nothing_but_have_a_style() {
    let api = Api::new(journal(1, 0));

    let page = api.call("GET", "", &[("accept", "text/html")], "").await;

    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    for word in ["<script", "javascript:", "style=", "src="] {
        assert!(!page.text.contains(word), "{word}");
    }
}

#[tokio::test]
async fn the_list_needs_a_known_host_and_no_token() {
    let token = Some(Secret::new("sesame"));
    let api = Api::with(journal(1, 0), ControlConfig { token, ..ControlConfig::default() });

    assert_eq!(api.get("").await.status, 200);
    assert_eq!(api.call("GET", "", &[("host", "evil.example")], "").await.status, 403);
    assert_eq!(api.get("health").await.status, 401);
}
