//! As much of HTTP/1.1 as a server needs that only tests talk to.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use bytes::Bytes;
use jiff::Timestamp;
use standin::{Reply, Request};

use super::Answer;

/// What decides.
pub type Act = Arc<dyn Fn(Request) -> Answer + Send + Sync>;

/// Serves on a free port for as long as the process lives, each connection on a thread of its own, and tells the URL.
pub fn serve(act: Act) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let act = Arc::clone(&act);
            // A client that goes away is none of our business here.
            thread::spawn(move || talk(stream, &act).ok());
        }
    });
    Ok(url)
}

fn talk(mut stream: TcpStream, act: &Act) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    // What a server has not read stands before what comes next.
    let mut unread = Bytes::new();
    loop {
        let mut bytes = (&*unread).chain(&mut reader);
        let request = match read(&mut bytes) {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(()),
            Err(_) => {
                let refusal = super::api::reply(
                    400,
                    "application/json",
                    r#"{"errors":[{"msg":"Bad Request","code":400}]}"#,
                );
                return write(&mut stream, &refusal, 0, true, true);
            }
        };
        unread = Bytes::new();
        let has_body = request.method != "HEAD";
        let closes = request.headers.all("connection").any(|value| value.eq_ignore_ascii_case(b"close"));
        let body = request.body.clone();
        match act(request) {
            Answer::Reply(reply) => write(&mut stream, &reply, 0, closes, has_body)?,
            Answer::Unread(reply) => {
                unread = body;
                write(&mut stream, &reply, 0, closes, has_body)?;
            }
            Answer::Cut(reply) => return write(&mut stream, &reply, 10, closes, has_body),
            Answer::Close => return Ok(()),
            Answer::Hang => return reader.read(&mut [0]).map(drop),
        }
        if closes {
            return Ok(());
        }
    }
}

/// A request; none when the client is done.
fn read(bytes: &mut impl BufRead) -> io::Result<Option<Request>> {
    let first = line(bytes)?;
    if first.is_empty() {
        return Ok(None);
    }
    let mut words = first.trim_ascii().splitn(3, |byte| *byte == b' ');
    let mut word = || words.next().map(|word| String::from_utf8_lossy(word).into_owned());
    let (Some(method), Some(target), Some(version)) = (word(), word(), word()) else {
        return Err(io::Error::other("not a request"));
    };
    if !version.starts_with("HTTP/1.") {
        return Err(io::Error::other("not a request"));
    }
    let mut request = Request::new(method, target);
    request.received = Timestamp::now();
    let mut length = 0;
    loop {
        let line = line(bytes)?;
        let line = line.trim_ascii();
        if line.is_empty() {
            break;
        }
        let colon =
            line.iter().position(|byte| *byte == b':').ok_or_else(|| io::Error::other("not a header"))?;
        let name = String::from_utf8_lossy(&line[..colon]);
        let value = line[colon + 1..].trim_ascii();
        if name.eq_ignore_ascii_case("content-length") {
            length = str::from_utf8(value)
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or(io::ErrorKind::InvalidData)?;
        }
        request.headers.push(&name, value);
    }
    let mut body = Vec::new();
    bytes.take(length).read_to_end(&mut body)?;
    if body.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(request.body(body)))
}

fn line(bytes: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    bytes.take(64 * 1024).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// Writes a reply that claims to be longer than it is by `missing` bytes.
fn write(
    stream: &mut TcpStream,
    reply: &Reply,
    missing: usize,
    closes: bool,
    has_body: bool,
) -> io::Result<()> {
    let mut bytes = format!("HTTP/1.1 {} -\r\n", reply.status).into_bytes();
    for (name, value) in reply.headers.iter() {
        bytes.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    let close = if closes { "connection: close\r\n" } else { "" };
    bytes.extend_from_slice(
        format!("{close}content-length: {}\r\n\r\n", reply.body.len() + missing).as_bytes(),
    );
    if has_body {
        bytes.extend_from_slice(&reply.body);
    }
    stream.write_all(&bytes)
}
