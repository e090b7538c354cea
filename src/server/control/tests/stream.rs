//! The event stream.

use std::time::Duration;

use http_body_util::BodyExt;

use super::{Api, ControlBody};
use crate::journal::tests::{exchange, journal};

/// The next event of a stream, but for greetings and heartbeats.
async fn event(stream: &mut ControlBody) -> String {
    loop {
        let frame = tokio::time::timeout(Duration::from_secs(60), stream.frame());
        let data = frame.await.unwrap().unwrap().unwrap().into_data().unwrap();
        let text = String::from_utf8(data.into()).unwrap();
        if text.starts_with("id:") {
            return text;
        }
    }
}

#[tokio::test]
async fn a_stream_has_an_event_for_each_exchange() {
    let api = Api::new(journal(10, 1));
    let reply = api.open("GET", "requests/stream", &[], "").await;
    assert_eq!(reply.headers()["content-type"], "text/event-stream");
    let mut stream = reply.into_body();

    let first = event(&mut stream).await;
    assert!(first.starts_with("id: 1\nevent: exchange\ndata: {\"id\":1,"), "{first}");
    assert!(first.ends_with("}\n\n"));
    assert_eq!(first.lines().count(), 4);

    let (second, ()) = tokio::join!(event(&mut stream), async {
        tokio::task::yield_now().await;
        api.journal.record(exchange("createAgent", "{}"));
    });
    assert!(second.starts_with("id: 2\n"));
}

#[tokio::test]
async fn a_stream_goes_on_where_the_reader_was() {
    let api = Api::new(journal(10, 3));
    for (path, headers) in [
        ("requests/stream?after=2", &[][..]),
        ("requests/stream?after=1", &[("last-event-id", "2")][..]),
        ("requests/stream?contains=createQueue", &[][..]),
        ("requests/stream?path=/createQueue&outcome=answered&outcome=unmatched", &[][..]),
    ] {
        api.journal.clear();
        let mut stream = api.open("GET", path, headers, "").await.into_body();
        api.journal.record(exchange("createQueue", "{}"));
        let newest = api.journal.counts().recorded;
        assert!(event(&mut stream).await.starts_with(&format!("id: {newest}\n")), "{path}");
    }
    let reply = api.call("GET", "requests/stream", &[("last-event-id", "x")], "").await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn a_reader_that_is_too_slow_is_told_how_much_it_missed() {
    let api = Api::new(journal(3, 2));
    let mut stream = api.open("GET", "requests/stream", &[], "").await.into_body();
    assert!(event(&mut stream).await.starts_with("id: 1\n"));

    for _ in 0..10 {
        api.journal.record(exchange("createAgent", "{}"));
    }

    let missed = event(&mut stream).await;
    assert_eq!(missed, "id: 9\nevent: dropped\ndata: {\"dropped\":8}\n\n");
    assert!(event(&mut stream).await.starts_with("id: 10\n"));
}

#[tokio::test]
async fn what_was_forgotten_on_purpose_is_not_missed() {
    let api = Api::new(journal(3, 2));
    let mut stream = api.open("GET", "requests/stream", &[], "").await.into_body();
    api.journal.clear();
    api.journal.record(exchange("createAgent", "{}"));

    assert!(event(&mut stream).await.starts_with("id: 3\nevent: exchange"));
}
