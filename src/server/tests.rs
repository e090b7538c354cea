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
        Self::on(Connections::new(Config { limits, ..Config::default() }))
    }

    /// Another connection to the same server.
    fn beside(&self) -> Self {
        Self::on(Connections(Arc::clone(&self.connections.0)))
    }

    fn on(connections: Connections) -> Self {
        let (client, server) = duplex(16 * 1024);
        let serving = tokio::spawn(connections.serve(server));
        Self { client, connections, serving }
    }

    /// Sends this, and waits until nothing more happens.
    async fn send(&mut self, text: &str) {
        self.client.write_all(text.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    /// The status of a reply, and how long it took.
    async fn status(&mut self) -> (u16, u64) {
        let began = Instant::now();
        let mut head = [0; 12];
        self.client.read_exact(&mut head).await.unwrap();
        let status = std::str::from_utf8(&head[9..]).unwrap().parse().unwrap();
        (status, began.elapsed().as_secs())
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

/// A GET whose reply is held back for a minute.
const DELAYED: &str = "GET /nowhere HTTP/1.1\r\nhost: a\r\nprefer: delay=60s\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn a_reply_is_held_back_as_long_as_was_asked_and_is_not_late_for_that() {
    let limits = Limits {
        reply_time: Duration::from_secs(5),
        idle_time: Duration::from_secs(10),
        ..Limits::default()
    };
    let mut talk = Talk::new(limits);
    for (request, seconds) in [(DELAYED, 60), (GET, 0), (DELAYED, 60)] {
        let began = Instant::now();
        talk.say(request, 1).await;
        let took = began.elapsed();
        assert_eq!(took.as_secs(), seconds);
        assert!(took.subsec_millis() <= 1, "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_reply_takes_its_time_and_is_not_late_for_that() {
    let contract = Contract::builtin();
    let scripts = Arc::new(crate::Scripts::new(&contract, crate::ScriptSettings::default()));
    let script = serde_json::json!({"then": {"throttle": 10}});
    scripts.add(&script, jiff::Timestamp::UNIX_EPOCH).unwrap();
    let limits = Limits { reply_time: Duration::from_secs(5), ..Limits::default() };
    let mut talk = Talk::on(Connections::new(Config { limits, scripts: Some(scripts), ..Config::default() }));
    let journal = Arc::clone(&talk.connections.0.journal);
    for index in 0..2 {
        let began = Instant::now();
        talk.send(GET).await;
        let recorded = &journal.snapshot()[index];
        let length = recorded.exchange.reply.body.len();
        let mut read = Vec::new();
        while memchr::memmem::find(&read, b"\r\n\r\n").is_none_or(|end| read.len() - end - 4 < length) {
            assert_ne!(talk.client.read_buf(&mut read).await.unwrap(), 0);
        }
        let (took, millis) = (began.elapsed().as_millis(), length as u128 * 100);
        assert!(millis > 20_000 && (millis..millis + 2).contains(&took), "{took} for {millis}");
        assert_eq!(recorded.delivery.get(), crate::Delivery::Sent);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_ahead_of_a_delayed_reply_is_answered_after_it() {
    let mut talk = Talk::new(Limits::default());
    let began = Instant::now();

    talk.say(&format!("{DELAYED}{GET}{DELAYED}"), 3).await;

    assert_eq!(began.elapsed().as_secs(), 120);
}

#[tokio::test(start_paused = true)]
async fn a_delayed_reply_does_not_outlive_a_client_that_closes_its_side() {
    let mut talk = Talk::new(Limits::default());
    talk.send(DELAYED).await;
    talk.client.shutdown().await.unwrap();
    let journal = Arc::clone(&talk.connections.0.journal);

    let (time, unparsed) = talk.until_closed().await;

    assert_eq!((time.as_secs(), unparsed), (0, 0));
    assert_eq!(journal.snapshot()[0].delivery.get(), crate::Delivery::Aborted);
}

#[tokio::test(start_paused = true)]
async fn no_reply_is_held_back_for_longer_than_may_be() {
    let settings = Settings { max_delay: Duration::from_secs(20), ..Settings::default() };
    let connections = Connections::new(Config { settings, ..Config::default() });
    let mut talk = Talk::on(connections);
    let began = Instant::now();

    talk.say(DELAYED, 1).await;

    assert_eq!(began.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_delayed_reply_is_given_up_while_others_wait_for_its_memory() {
    let text = long().replacen("\r\n", "\r\nprefer: delay=2m\r\n", 1);
    let mut first = Talk::new(narrow());
    let mut second = first.beside();
    first.send(&text).await;
    let journal = Arc::clone(&first.connections.0.journal);
    tokio::time::sleep(Duration::from_secs(50)).await;
    assert_eq!(journal.snapshot()[0].delivery.get(), crate::Delivery::Pending);

    let mut third = first.beside();
    second.send(&long()).await;
    third.send(&long()).await;
    assert_eq!(second.status().await.0, 200);
    let mut rest = vec![0; 90_000];
    let _ = timeout(Duration::from_millis(1), second.client.read(&mut rest)).await;
    let (status, seconds) = third.status().await;

    assert_eq!(status, 200);
    assert!(seconds <= 4, "{seconds}");
    assert_eq!(journal.snapshot()[0].delivery.get(), crate::Delivery::Aborted);
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

/// A request to createQueue, whose reply repeats its body, with a body of at least 80 000 bytes.
fn long() -> String {
    let contract = Contract::builtin();
    let operation = contract.operation("createQueue").unwrap();
    let example = &operation.body.as_ref().unwrap().examples[0];
    let request = crate::pact::sample(&contract, operation, Some(example));
    let mut body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    body["extra"] = "x".repeat(80_000).into();
    let body = body.to_string();
    let lines =
        request.headers.iter().map(|(name, value)| [name, ": ", std::str::from_utf8(value).unwrap(), "\r\n"]);
    let headers: String = lines.flatten().collect();
    let head = format!("{} {} HTTP/1.1\r\nhost: a\r\n{headers}", request.method, request.target);
    format!("{head}content-length: {}\r\n\r\n{body}", body.len())
}

/// All of it but the last byte.
fn unfinished(text: &str) -> &str {
    &text[..text.len() - 1]
}

/// Has room for one long body and a little more.
fn narrow() -> Limits {
    Limits { bodies: 94_000, ..Limits::default() }
}

#[tokio::test(start_paused = true)]
async fn bodies_wait_for_each_other_when_memory_is_used_up_and_one_goes_beyond() {
    let text = long();
    let mut first = Talk::new(narrow());
    let [mut second, mut third, mut small] = [(); 3].map(|()| first.beside());

    first.send(unfinished(&text)).await;
    second.send(unfinished(&text)).await;
    let waits = tokio::spawn(async move {
        third.send(&text).await;
        third.status().await
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!waits.is_finished());
    small.say(POST, 1).await;
    assert!(!waits.is_finished());

    // The second went beyond what there is, so it is the first that makes room.
    first.send("}").await;
    assert_eq!(first.status().await, (200, 0));
    let mut rest = vec![0; 90_000];
    while !waits.is_finished() {
        let _ = timeout(Duration::from_millis(1), first.client.read(&mut rest)).await;
    }
    assert_eq!(waits.await.unwrap().0, 200);
    second.send("}").await;
    assert_eq!(second.status().await, (200, 0));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_announced_as_small_does_not_wait_for_large_ones() {
    let text = long();
    let mut first = Talk::new(narrow());
    let [mut second, mut third, mut small] = [(); 3].map(|()| first.beside());
    for talk in [&mut first, &mut second] {
        talk.send(unfinished(&text)).await;
    }
    let waits = tokio::spawn(async move {
        third.send(&text).await;
        third.status().await
    });

    let body = "x".repeat(30_000);
    let head = format!("POST /nowhere HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len());
    small.client.write_all(head.as_bytes()).await.unwrap();
    // In two pieces, so that the first has to be kept.
    small.send(&body[..29_000]).await;
    small.send(&body[29_000..]).await;

    assert_eq!(small.status().await, (404, 0));
    assert!(!waits.is_finished());
}

#[tokio::test(start_paused = true)]
async fn requests_of_one_connection_take_turns_with_those_of_others() {
    const MANY: usize = 10;
    let mut many = Talk::new(Limits::default());
    let mut one = many.beside();
    many.client.write_all(GET.replace("nowhere", "many").repeat(MANY).as_bytes()).await.unwrap();
    one.client.write_all(GET.as_bytes()).await.unwrap();

    one.status().await;
    many.status().await;
    tokio::time::sleep(Duration::from_millis(1)).await;

    let exchanges = one.connections.0.journal.snapshot();
    assert_eq!(exchanges.len(), MANY + 1);
    let place = exchanges.iter().position(|recorded| recorded.exchange.request.target == "/nowhere");
    assert!(place.is_some_and(|place| place < 3), "{place:?}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stands_still_is_given_up_while_others_wait_and_else_has_its_time() {
    let text = long();
    let mut first = Talk::new(narrow());
    first.send(unfinished(&text)).await;
    tokio::time::sleep(Duration::from_secs(25)).await;
    first.send("}").await;
    assert_eq!(first.status().await, (200, 0));

    let mut first = Talk::new(narrow());
    let [mut second, mut third] = [(); 2].map(|()| first.beside());
    first.send(unfinished(&text)).await;
    second.send(unfinished(&text)).await;
    third.client.write_all(text.as_bytes()).await.unwrap();
    let (status, seconds) = third.status().await;

    assert_eq!(status, 200);
    assert!(seconds <= 4, "{seconds}");
    // One of them was enough; the other goes on.
    let mut statuses = Vec::new();
    for mut talk in [first, second] {
        let _ = talk.client.write_all(b"}").await;
        statuses.push(talk.status().await);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [(200, 0), (408, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_nobody_takes_is_given_up_while_others_wait_and_else_has_its_time() {
    let text = long();
    let mut first = Talk::new(narrow());
    first.send(&text).await;
    tokio::time::sleep(Duration::from_secs(25)).await;
    assert!(!first.serving.is_finished());

    let [mut second, mut third] = [(); 2].map(|()| first.beside());
    second.send(&text).await;
    third.client.write_all(text.as_bytes()).await.unwrap();
    let (status, seconds) = third.status().await;

    assert_eq!(status, 200);
    assert!(seconds <= 4, "{seconds}");
    let deliveries = first.connections.0.journal.snapshot();
    assert_eq!(deliveries[0].delivery.get(), crate::Delivery::Aborted);
}
