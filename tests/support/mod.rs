//! What the tests share: clients for HTTP/1.1 and HTTP/2, the program as a process, and a way to wait for what another
//! thread does.
#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::{
    io::Write,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use standin::{Config, Delivery, Log, LogFormat, Recorded, Server};

pub mod agentassist;
pub mod call;
pub mod faulty;
pub mod http1;
pub mod http2;
pub mod interactions;
pub mod program;

pub use call::Call;
pub use http1::{Client, Reply};

/// The path of createAgent.
pub const AGENTS: &str = "/agentassist/api/v1/public/st-1/agents";

/// How long anything may take before a test fails instead of hanging.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A limit that no test reaches.
pub const FOREVER: Duration = Duration::from_secs(24 * 60 * 60);

/// A server with the settings that `change` makes.
pub fn server(change: impl FnOnce(&mut Config)) -> Server {
    let mut config = Config::default();
    change(&mut config);
    Server::start(config).expect("a server starts on a free port")
}

/// The head of a POST to createAgent with these further header lines.
pub fn post_head(headers: &str) -> String {
    format!(
        "POST {AGENTS} HTTP/1.1\r\nhost: localhost\r\nauth: {TOKEN}\r\naccountId: 1\r\n\
         content-type: application/json\r\n{headers}\r\n"
    )
}

/// A POST to createAgent with a body.
pub fn post(body: &str) -> String {
    post_head(&format!("content-length: {}\r\n", body.len())) + body
}

/// A GET without a body.
pub fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nhost: localhost\r\n\r\n")
}

/// Waits until `found` finds something.
pub fn eventually<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(began.elapsed() < PATIENCE, "never happened: {what}");
        thread::yield_now();
    }
}

/// What a function returns that has to end; the test fails when it does not.
pub fn within<T: Send + 'static>(what: &str, run: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, end) = mpsc::channel();
    thread::spawn(move || done.send(run()));
    end.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("never ended: {what}"))
}

/// Waits for the exchange with this number.
pub fn exchange(server: &Server, id: u64) -> Arc<Recorded> {
    eventually(&format!("exchange {id} is recorded"), || {
        let all = server.journal().snapshot();
        all.into_iter().find(|recorded| recorded.id == id)
    })
}

/// Waits until it is known what became of a reply.
pub fn settled(recorded: &Recorded, delivery: Delivery) {
    let settled = eventually("the delivery is settled", || match recorded.delivery.get() {
        Delivery::Pending => None,
        settled => Some(settled),
    });
    assert_eq!(settled, delivery);
}

/// A log whose lines can be read.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub fn log(&self, format: LogFormat) -> Log {
        Log::new(format, self.clone())
    }

    pub fn text(&self) -> String {
        let bytes = self.0.lock().expect("nobody panics with it");
        String::from_utf8(bytes.clone()).expect("lines are UTF-8")
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panics with it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The sample token of the documentation.
pub const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
    eyJzdWIiOiIxMjM0NTY3ODkwIiwiYXBwSWQiOiJjcy0zOWNkNmJhMC1mNmVlLTViYWUtOWI3ZC03M2I0YmE5N2FjOGIifQ.\
    LAiNcKfUNeDaAtPei1nD6JZJbnEGsv1BKo1pQUexxxx";
