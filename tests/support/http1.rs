//! A client for HTTP/1.1 on a plain socket: it sends whatever bytes it is given, and reads replies strictly.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpStream, ToSocketAddrs},
    time::Duration,
};

use serde_json::Value;

use super::PATIENCE;

/// How long silence takes.
const MOMENT: Duration = Duration::from_millis(50);

/// A connection.
pub struct Client(BufReader<TcpStream>);

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
        value(&self.headers, name)
    }

    /// The number of its exchange.
    #[track_caller]
    pub fn id(&self) -> u64 {
        let id = self.header("x-standin-exchange");
        id.expect("the reply has a number").parse().expect("it is one")
    }

    /// Its body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Its body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Client {
    pub fn connect(address: impl ToSocketAddrs) -> Self {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream.set_nodelay(true).expect("it can be set");
        Self(BufReader::new(stream))
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).expect("the server reads");
    }

    /// Says that nothing more will be sent.
    pub fn finish(&mut self) {
        self.0.get_ref().shutdown(Shutdown::Write).expect("one side can be closed");
    }

    /// Sends a request without a body, or with all of it, and reads the reply.
    #[track_caller]
    pub fn call(&mut self, request: impl AsRef<[u8]>) -> Reply {
        self.send(request);
        self.reply()
    }

    /// Reads a whole reply, unless it is one to HEAD.
    #[track_caller]
    pub fn reply(&mut self) -> Reply {
        let mut reply = self.head();
        if reply.status >= 200 && ![204, 304].contains(&reply.status) {
            reply.body = if reply.header("transfer-encoding") == Some("chunked") {
                self.chunks()
            } else if let Some(length) = reply.header("content-length") {
                let mut body = vec![0; length.parse().expect("a length")];
                self.0.read_exact(&mut body).expect("the body arrives");
                body
            } else {
                let mut body = Vec::new();
                self.0.read_to_end(&mut body).expect("the body ends with the connection");
                body
            };
        }
        reply
    }

    /// Reads a reply without a body, or its head.
    #[track_caller]
    pub fn head(&mut self) -> Reply {
        let (line, headers) = head(&mut self.0).expect("a head arrives");
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        Reply { status: status.unwrap_or_else(|| panic!("no status in `{line}`")), headers, body: Vec::new() }
    }

    /// Whether the server has closed the connection, after what was read so far; waits until it has.
    pub fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => rest.is_empty(),
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }

    /// Everything until the server closes the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            // A reset is an end as well.
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset => panic!("{error}"),
            _ => rest,
        }
    }

    /// The next so many bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).expect("they come");
        bytes
    }

    /// Everything until the connection ends, and the error that it ends with, when it does not end in its orderly way.
    pub fn end(&mut self) -> (Vec<u8>, Option<io::ErrorKind>) {
        let mut rest = Vec::new();
        let error = self.0.read_to_end(&mut rest).err();
        (rest, error.map(|error| error.kind()))
    }

    /// Whether nothing has come for a moment, and the connection is open.
    pub fn is_silent(&mut self) -> bool {
        let stream = self.0.get_ref();
        stream.set_read_timeout(Some(MOMENT)).expect("a timeout can be set");
        let found = stream.peek(&mut [0]);
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        self.0.buffer().is_empty() && found.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Reads until there is a line that begins so.
    pub fn skip_to(&mut self, start: &str) {
        while !line(&mut self.0).expect("a line arrives").starts_with(start) {}
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let size = line(&mut self.0).expect("a chunk has a size");
            let size = u64::from_str_radix(&size, 16).expect("it is hexadecimal");
            let before = body.len() as u64;
            (&mut self.0).take(size).read_to_end(&mut body).expect("the chunk arrives");
            assert_eq!(body.len() as u64 - before, size, "the connection ended within a chunk");
            assert_eq!(line(&mut self.0).expect("a chunk has an end"), "");
            if size == 0 {
                return body;
            }
        }
    }
}

/// The first line of a message, and its headers with their names in lower case.
pub(super) fn head(from: &mut impl BufRead) -> io::Result<(String, Vec<(String, String)>)> {
    let first = line(from)?;
    let mut headers = Vec::new();
    loop {
        let line = line(from)?;
        if line.is_empty() {
            return Ok((first, headers));
        }
        let (name, value) = line.split_once(':').ok_or_else(|| io::Error::other("a header has a colon"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// The value of a header, by its name in lower case.
pub(super) fn value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    if !line.ends_with('\n') {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("the connection ended after `{line}`"),
        ));
    }
    Ok(line.trim_end().to_owned())
}
