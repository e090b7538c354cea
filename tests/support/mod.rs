//! What the server's tests share: a client on a plain socket, and a way to wait for what another thread does.
#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use standin::{Config, Delivery, Recorded, Server};

pub mod agentassist;
pub mod events;
pub mod faulty;
pub mod http2;
pub mod interactions;
pub mod program;

/// The path of createAgent.
pub const AGENTS: &str = "/agentassist/api/v1/public/st-1/agents";

/// How long anything may take before a test fails instead of hanging.
pub const PATIENCE: Duration = Duration::from_secs(20);

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

/// A client on a plain socket.
pub struct Client {
    stream: BufReader<TcpStream>,
}

/// A reply as a client sees it.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(n, _)| n == name);
        named.next().map(|(_, value)| value.as_str())
    }

    /// The number of its exchange.
    pub fn id(&self) -> u64 {
        let id = self.header("x-standin-exchange");
        id.expect("the reply has a number").parse().expect("it is one")
    }
}

impl Client {
    pub fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).expect("the server accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream.set_nodelay(true).expect("it can be set");
        Self { stream: BufReader::new(stream) }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(bytes.as_ref()).expect("the server reads");
    }

    /// Says that nothing more will be sent.
    pub fn finish(&mut self) {
        let stream = self.stream.get_ref();
        stream.shutdown(Shutdown::Write).expect("one side can be closed");
    }

    /// Sends a request without a body, or with all of it, and reads the reply.
    pub fn call(&mut self, request: impl AsRef<[u8]>) -> Reply {
        self.send(request);
        self.reply()
    }

    /// Reads a reply with a body.
    pub fn reply(&mut self) -> Reply {
        let mut reply = self.head();
        let length = reply.header("content-length");
        let length = length.map_or(0, |length| length.parse().expect("a length"));
        if reply.status >= 200 {
            reply.body = vec![0; length];
            self.stream.read_exact(&mut reply.body).expect("the body arrives");
        }
        reply
    }

    /// Reads a reply without a body, or its head.
    pub fn head(&mut self) -> Reply {
        let line = self.line();
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').expect("a header has a colon");
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Reply { status: status.unwrap_or_else(|| panic!("no status in `{line}`")), headers, body: Vec::new() }
    }

    /// Whether the server has closed the connection, after what was read so far; waits until it has.
    pub fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => rest.is_empty(),
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }

    /// Everything until the server closes the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset is an end as well.
        let _ = self.stream.read_to_end(&mut rest);
        rest
    }

    /// Reads until there is a line that begins so.
    pub fn skip_to(&mut self, line: &str) {
        while !self.line().starts_with(line) {}
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("a line arrives");
        assert!(line.ends_with('\n'), "the connection ended after `{line}`");
        line.trim_end().to_owned()
    }
}

/// The sample token of the documentation.
pub const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
    eyJzdWIiOiIxMjM0NTY3ODkwIiwiYXBwSWQiOiJjcy0zOWNkNmJhMC1mNmVlLTViYWUtOWI3ZC03M2I0YmE5N2FjOGIifQ.\
    LAiNcKfUNeDaAtPei1nD6JZJbnEGsv1BKo1pQUexxxx";
