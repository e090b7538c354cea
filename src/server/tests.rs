//! Connections without a socket, by a clock that stands still until everybody waits.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::*;

struct Talk {
    client: DuplexStream,
    connections: Connections,
    serving: JoinHandle<()>,
}

impl Talk {
    fn new(limits: Limits) -> Self {
        let connections = Connections::new(Config { limits, ..Config::default() });
        let (client, server) = duplex(16 * 1024);
        let serving = tokio::spawn(connections.serve(server));
        Self { client, connections, serving }
    }

    /// Sends this, and reads replies until there are `replies` of them.
    async fn say(&mut self, text: &str, replies: usize) {
        self.client.write_all(text.as_bytes()).await.unwrap();
        let mut read = String::new();
        while read.matches("HTTP/1.1 ").count() < replies || !read.ends_with('}') {
            let mut buffer = [0; 4096];
            let count = self.client.read(&mut buffer).await.unwrap();
            assert_ne!(count, 0, "closed after {read}");
            read.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
    }

    /// How long it takes until the server closes the connection.
    async fn until_closed(mut self) -> (Duration, u64) {
        let began = Instant::now();
        let mut rest = Vec::new();
        let closed = async {
            self.client.read_to_end(&mut rest).await.unwrap();
            self.serving.await.unwrap();
        };
        timeout(Duration::from_secs(1000), closed).await.expect("it is closed");
        (began.elapsed(), self.connections.0.counters.unparsed.load(std::sync::atomic::Ordering::Relaxed))
    }
}

const GET: &str = "GET /nowhere HTTP/1.1\r\nhost: a\r\n\r\n";
const POST: &str = "POST /nowhere HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}";
const CHUNKED: &str =
    "POST /nowhere HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn an_empty_line_after_a_request_begins_no_head() {
    for request in [GET, POST, CHUNKED] {
        let together = format!("{request}\r\n");
        for (text, after) in [(request, "\r\n"), (together.as_str(), ""), (request, "")] {
            let mut talk = Talk::new(Limits::default());
            talk.say(text, 1).await;
            talk.client.write_all(after.as_bytes()).await.unwrap();

            let (time, unparsed) = talk.until_closed().await;

            assert_eq!((time.as_secs(), unparsed), (60, 0), "{text:?} {after:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_begun_behind_another_request_has_as_long_as_any() {
    for request in [GET, POST, CHUNKED] {
        for (text, replies) in [
            (format!("{request}GET /half"), 1),
            (format!("{request}G"), 1),
            (format!("{request}GET / HTTP/1.1\r\nhost: a\r\n"), 1),
            (format!("{request}{request}GET / HTTP/1.1\r\n"), 2),
        ] {
            let mut talk = Talk::new(Limits::default());
            talk.say(&text, replies).await;

            let (time, unparsed) = talk.until_closed().await;

            assert_eq!((time.as_secs(), unparsed), (10, 1), "{text:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn times_may_be_as_long_as_they_like() {
    let forever = Limits {
        body_time: Duration::MAX,
        head_time: Duration::MAX,
        idle_time: Duration::MAX,
        reply_time: Duration::MAX,
        stop_time: Duration::MAX,
        ..Limits::default()
    };
    for (limits, text) in [
        (Limits { idle_time: Duration::MAX, ..Limits::default() }, GET),
        (Limits { reply_time: Duration::MAX, ..Limits::default() }, GET),
        (forever.clone(), GET),
        (forever.clone(), POST),
        (forever, CHUNKED),
    ] {
        let mut talk = Talk::new(limits);
        talk.say(text, 1).await;
        tokio::time::sleep(Duration::from_secs(59)).await;
        talk.client.write_all(b"GET /nowhere HTTP/1.1").await.unwrap();
        tokio::time::sleep(Duration::from_secs(9)).await;
        talk.say("\r\nhost: a\r\n\r\n", 1).await;
        assert!(!talk.serving.is_finished());
    }
}
