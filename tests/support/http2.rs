//! As much of an HTTP/2 client as the tests need, frame by frame.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
};

use super::PATIENCE;

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GO_AWAY: u8 = 7;

pub const END_STREAM: u8 = 1;
pub const INTERNAL_ERROR: u32 = 2;

const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// A connection that has sent its preface.
pub struct Client(TcpStream);

/// A frame of the server.
#[derive(Debug)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

/// What a stream was answered.
#[derive(Debug)]
pub struct Reply {
    /// Whether the status is 200: the first byte of the header block says so.
    pub is_ok: bool,
    pub body: Vec<u8>,
}

impl Frame {
    /// Takes the frame off that these bytes begin with, if they begin with a whole one.
    pub fn split_off(bytes: &mut Vec<u8>) -> Option<Self> {
        let head: [u8; 9] = bytes.get(..9)?.try_into().ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let payload = bytes.get(9..9 + length)?.to_vec();
        bytes.drain(..9 + length);
        Some(Self::new(head, payload))
    }

    fn new(head: [u8; 9], payload: Vec<u8>) -> Self {
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        Self { kind: head[3], flags: head[4], stream, payload }
    }
}

impl Client {
    /// Connects, and sends these settings.
    pub fn connect(addr: SocketAddr, settings: &[(u16, u32)]) -> Self {
        let mut stream = TcpStream::connect(addr).expect("the server accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").expect("the server reads");
        let mut client = Self(stream);
        let mut payload = Vec::new();
        for (id, value) in settings {
            payload.extend(id.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        client.send(SETTINGS, 0, 0, &payload);
        client
    }

    /// Begins a request; `end` when it has no body.
    pub fn request(&mut self, stream: u32, method: &str, path: &str, headers: &[(&str, &str)], end: bool) {
        let mut block = Vec::new();
        field(&mut block, ":method", method);
        field(&mut block, ":scheme", "http");
        field(&mut block, ":path", path);
        field(&mut block, ":authority", "localhost");
        for (name, value) in headers {
            field(&mut block, name, value);
        }
        let flags = END_HEADERS | if end { END_STREAM } else { 0 };
        self.send(HEADERS, flags, stream, &block);
    }

    /// Sends a piece of a body.
    pub fn data(&mut self, stream: u32, data: &[u8], end: bool) {
        self.send(DATA, u8::from(end), stream, data);
    }

    /// Gives a stream up.
    pub fn reset(&mut self, stream: u32) {
        self.send(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
    }

    /// Reads until `stream` is answered.
    pub fn reply(&mut self, stream: u32) -> Reply {
        let mut reply = Reply { is_ok: false, body: Vec::new() };
        loop {
            let frame = self.next().expect("the connection is open");
            assert!(frame.kind != GO_AWAY, "{frame:?}");
            if frame.stream != stream {
                continue;
            }
            match frame.kind {
                HEADERS => reply.is_ok = frame.payload.first() == Some(&0x88),
                DATA => reply.body.extend(&frame.payload),
                RST_STREAM => panic!("the stream was reset: {frame:?}"),
                _ => {}
            }
            if matches!(frame.kind, HEADERS | DATA) && frame.flags & END_STREAM != 0 {
                return reply;
            }
        }
    }

    /// Reads until `stream` is reset: its frames before that, and the reason.
    pub fn until_reset(&mut self, stream: u32) -> (Vec<Frame>, u32) {
        let mut frames = Vec::new();
        loop {
            let frame = self.next().expect("the connection is open");
            assert!(frame.kind != GO_AWAY, "{frame:?}");
            match frame.kind {
                RST_STREAM if frame.stream == stream => {
                    let reason = frame.payload.try_into().expect("a reason has four bytes");
                    return (frames, u32::from_be_bytes(reason));
                }
                _ if frame.stream == stream => frames.push(frame),
                _ => {}
            }
        }
    }

    /// The next frame; none when the connection is closed. A ping is answered, as a server that closes expects.
    pub fn next(&mut self) -> Option<Frame> {
        let frame = self.read()?;
        if frame.kind == PING && frame.flags & ACK == 0 {
            // The server may close without waiting for it.
            let _ = self.0.write_all(&encode(PING, ACK, 0, &frame.payload));
        }
        Some(frame)
    }

    /// Every byte until the connection ends, and the error that it ends with, when it does not end in its orderly way.
    pub fn end(&mut self) -> (Vec<u8>, Option<io::ErrorKind>) {
        let mut rest = Vec::new();
        let error = self.0.read_to_end(&mut rest).err();
        (rest, error.map(|error| error.kind()))
    }

    fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).ok()?;
        Some(Frame::new(head, payload))
    }

    fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let frame = encode(kind, flags, stream, payload);
        self.0.write_all(&frame).expect("the server reads");
    }
}

fn encode(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("frames are small");
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A header as a literal without Huffman coding, never indexed.
fn field(block: &mut Vec<u8>, name: &str, value: &str) {
    block.push(0x10);
    for text in [name, value] {
        // HPACK's integers: seven bits, and what does not fit there in further groups of seven.
        let mut length = text.len();
        if length < 127 {
            block.push(u8::try_from(length).expect("it is short"));
        } else {
            block.push(127);
            length -= 127;
            while length >= 128 {
                block.push(u8::try_from(length % 128 + 128).expect("it is a byte"));
                length /= 128;
            }
            block.push(u8::try_from(length).expect("it is short"));
        }
        block.extend(text.as_bytes());
    }
}
