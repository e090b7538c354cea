//! How much later than asked a delayed reply comes: over so many connections at a time, beside so many replies that wait.
//!
//! `cargo bench --bench delay`. As many threads that only sleep for the same time stand beside: what they are late by is the
//! machine's doing, and on one that is busy otherwise that is nearly all of it.
#![allow(clippy::print_stdout)] // figures are what it is for

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use standin::{Config, Server};

const CONNECTIONS: usize = 16;
const REQUESTS: usize = 100;
/// Replies that wait all the while. Both ends of their connections are in this process, which may have 1024 files.
const WAITING: usize = 450;

fn main() -> std::io::Result<()> {
    let server = Server::start(Config::default())?;
    let address = server.addr();
    let waiting: Vec<_> = (0..WAITING).map(|_| ask(address, "5m")).collect();
    while server.journal().counts().recorded < WAITING as u64 {
        thread::sleep(Duration::from_millis(10));
    }
    for millis in [0, 5, 50, 250] {
        let delay = Duration::from_millis(millis);
        println!(
            "delay {millis:3} ms: late by {}; threads that sleep, by {}",
            figures(move || replies(address, delay)),
            figures(move || sleeps(delay)),
        );
    }
    drop(waiting);
    Ok(())
}

/// How late things are that as many threads do at a time.
fn figures(late: impl Fn() -> Vec<Duration> + Copy + Send + 'static) -> String {
    let threads: Vec<_> = (0..CONNECTIONS).map(|_| thread::spawn(late)).collect();
    let mut late: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().expect("it ends")).collect();
    late.sort_unstable();
    let at = |share: usize| late[(late.len() - 1) * share / 1000].as_secs_f64() * 1000.0;
    format!("{:.2} ms at p50, {:.2} ms at p99, {:.2} ms at most", at(500), at(990), at(1000))
}

/// How late a thread is that sleeps.
fn sleeps(time: Duration) -> Vec<Duration> {
    let sleep = |_| {
        let began = Instant::now();
        thread::sleep(time);
        began.elapsed().saturating_sub(time)
    };
    (0..REQUESTS).map(sleep).collect()
}

/// Asks for a reply after this time, on a connection of its own.
fn ask(address: SocketAddr, delay: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("the server accepts");
    stream.set_nodelay(true).expect("it can be set");
    stream.write_all(request(delay).as_bytes()).expect("the server reads");
    stream
}

fn request(delay: &str) -> String {
    format!("GET /nowhere HTTP/1.1\r\nhost: localhost\r\nprefer: delay={delay}\r\n\r\n")
}

/// How late each reply comes on one connection.
fn replies(address: SocketAddr, delay: Duration) -> Vec<Duration> {
    let request = request(&format!("{}ms", delay.as_millis()));
    let stream = TcpStream::connect(address).expect("the server accepts");
    stream.set_nodelay(true).expect("it can be set");
    let mut reader = BufReader::new(stream);
    let mut late = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        let began = Instant::now();
        reader.get_mut().write_all(request.as_bytes()).expect("the server reads");
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line).expect("a head comes") > 2 {
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().expect("a length is a number");
            }
            line.clear();
        }
        let took = began.elapsed();
        late.push(took.checked_sub(delay).expect("no reply comes too early"));
        reader.read_exact(&mut vec![0; length]).expect("a body comes");
    }
    late
}
