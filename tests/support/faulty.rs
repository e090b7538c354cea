//! Small HTTP servers that do just one thing, most of them wrong.

use std::{
    io::{BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use super::http1;

/// A request as such a server sees it.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// What is no UTF-8 is replaced.
    pub body: String,
}

/// A server whose every reply is what a function writes. It ends with the test's process.
pub struct Faulty {
    pub url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Received {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        http1::value(&self.headers, name)
    }
}

impl Faulty {
    pub fn start(reply: impl Fn(&Received, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let log = Arc::clone(&received);
        let reply = Arc::new(reply);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, reply) = (Arc::clone(&log), Arc::clone(&reply));
                thread::spawn(move || {
                    let mut stream = stream;
                    if let Some(request) = read(&stream) {
                        log.lock().expect("nobody panics with it").push(request.clone());
                        reply(&request, &mut stream);
                    }
                });
            }
        });
        Self { url, received }
    }

    /// What it received so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("nobody panics with it").clone()
    }
}

/// Writes a whole reply.
pub fn write(stream: &mut TcpStream, status: u16, media_type: &str, body: &str) {
    let head = format!(
        "HTTP/1.1 {status} Whatever\r\ncontent-type: {media_type}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    // The other side may be gone.
    let _ = stream.write_all((head + body).as_bytes());
}

/// Waits until the client has closed the connection.
pub fn hang(stream: &mut TcpStream) {
    let _ = stream.read(&mut [0]);
}

/// Writes the head of a long reply, and then a space every now and then until the client has closed the connection.
pub fn trickle(stream: &mut TcpStream) {
    let _ = stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n");
    stream.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout can be set");
    while stream.read(&mut [0]).is_err() && stream.write_all(b" ").is_ok() {}
}

fn read(stream: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let (first, headers) = http1::head(&mut reader).ok()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut request = Received { method, target, headers, body: String::new() };
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap_or(0));
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    Some(request)
}
