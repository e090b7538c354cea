//! Calls that take long.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use super::{Api, Load, Task};
use crate::journal::tests::{exchange, journal};

/// Looks at a future once.
async fn once<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    poll_fn(|cx| {
        Poll::Ready(match future.as_mut().poll(cx) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        })
    })
    .await
}

/// An API whose journal has bodies that it takes `parts` parts to search.
fn large(parts: usize) -> Api {
    let api = Api::new(journal(100, 0));
    let body = format!("[\"{}\"]", "x".repeat(1024 * 1024));
    for _ in 0..parts {
        api.journal.record(exchange("createAgent", &body));
    }
    api
}

const VERIFY: (&str, &str, &str) = ("POST", "requests/verify", r#"{"body": [1]}"#);
const CALLS: [(&str, &str, &str); 5] = [
    VERIFY,
    ("GET", "requests?contains=nowhere", ""),
    ("GET", "requests?contains=nowhere&wait=1&timeout=60s", ""),
    ("GET", "export?format=pact", ""),
    ("GET", "export?format=pact&consumer=me", ""),
];
const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

#[tokio::test]
async fn what_nobody_waits_for_any_more_ends_with_the_part_under_way() {
    for (method, path, body) in CALLS {
        let api = large(3);
        let watched = Arc::downgrade(&api.journal.get(3).unwrap());
        {
            let mut call = pin!(api.call(method, path, &JSON, body));
            assert!(once(call.as_mut()).await.is_none());
            // The part begins.
            tokio::task::yield_now().await;
            let places = [Task::Search, Task::Wait].map(|task| api.state.load.count(task));
            assert_eq!(places.iter().sum::<usize>(), 1, "{path}");
        }

        assert_eq!(api.state.load.count(Task::Search) + api.state.load.count(Task::Wait), 0);
        // It comes after the part under way, and nothing of the call before comes after it.
        api.journal.clear();
        assert_eq!(api.verify(&serde_json::json!({"count": 0})).await.status, 200);
        assert!(watched.upgrade().is_none(), "{path}");
    }
}

#[tokio::test]
async fn searches_that_there_is_no_place_for_are_refused_and_other_calls_are_not() {
    let api = large(2);
    let mut calls: Vec<_> =
        (0..32).map(|_| Box::pin(api.call(VERIFY.0, VERIFY.1, &JSON, VERIFY.2))).collect();
    for call in &mut calls {
        assert!(once(call.as_mut()).await.is_none());
    }

    for (method, path, body) in [VERIFY, CALLS[1], CALLS[3]] {
        let reply = api.call(method, path, &JSON, body).await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, "1"), "{path}");
        assert!(reply.error().starts_with("expected at most 32 searches at a time"), "{path}");
    }
    for path in ["health", "requests?limit=1", "requests/1", "requests?status=412", "export?format=ndjson"] {
        assert_eq!(api.get(path).await.status, 200, "{path}");
    }
    for call in calls {
        assert_eq!(call.await.status, 417);
    }
}

#[tokio::test]
async fn health_says_what_is_under_way() {
    let api = Api::new(journal(1, 0));
    let stream = api.open("GET", "requests/stream", &[], "").await;
    let mut wait = pin!(api.get("requests?wait=1&timeout=60s"));
    assert!(once(wait.as_mut()).await.is_none());

    let json = api.get("health").await.json();
    assert_eq!(json["underWay"], serde_json::json!({"searches": 0, "states": 0, "streams": 1, "waits": 1}));

    drop(stream);
    assert_eq!(api.get("health").await.json()["underWay"]["streams"], 0);
}

#[tokio::test]
async fn an_expectation_that_is_too_large_is_refused_before_any_search() {
    let api = Api::new(journal(1, 0));
    let full: Arc<Load> = Arc::clone(&api.state.load);
    let members: serde_json::Map<_, _> = (0..1001).map(|n| (n.to_string(), 1.into())).collect();

    let reply = api.verify(&serde_json::json!({"body": members})).await;

    assert_eq!(reply.status, 400);
    assert!(reply.error().starts_with("expected at most 1000 values"), "{}", reply.text);
    assert_eq!(full.count(Task::Search), 0);
}

#[tokio::test]
async fn a_stream_that_passes_over_much_is_not_told_that_it_missed_it() {
    let api = Api::new(journal(100, 1));
    let mut stream = api.open("GET", "requests/stream?operation=createQueue", &[], "").await.into_body();
    let mut text = String::new();
    let mut body = pin!(async {
        use http_body_util::BodyExt;
        while !text.contains("id:") {
            let data = stream.frame().await.unwrap().unwrap().into_data().unwrap();
            text.push_str(std::str::from_utf8(&data).unwrap());
        }
    });
    for _ in 0..10 {
        assert!(once(body.as_mut()).await.is_none());
        for _ in 0..40 {
            api.journal.record(exchange("createAgent", "{}"));
        }
        // It is woken, and looks.
        for _ in 0..10 {
            tokio::task::yield_now().await;
            assert!(once(body.as_mut()).await.is_none());
        }
    }
    api.journal.record(exchange("createQueue", "{}"));
    body.await;
    assert!(!text.contains("event: dropped"), "{text}");
}
