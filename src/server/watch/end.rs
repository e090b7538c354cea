//! How a request ends, and whether more was read than that.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How the bytes of a request end, so that what was read past them can be told apart.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) enum End<'a> {
    /// With an empty line: a head without a body, or a chunked body.
    EmptyLine,
    /// With these bytes of a body whose length was declared.
    Bytes(&'a [u8]),
}

/// The last eight bytes that were read, the latest in the lowest place.
#[derive(Debug, Default)]
pub(super) struct Tail(AtomicU64);

impl Tail {
    /// Bytes were read.
    pub(super) fn read(&self, bytes: &[u8]) {
        for &byte in &bytes[bytes.len().saturating_sub(8)..] {
            self.0.store(self.0.load(Relaxed) << 8 | u64::from(byte), Relaxed);
        }
    }

    /// Whether what was read last goes on after the end of a request.
    pub(super) fn is_past(&self, end: End<'_>) -> bool {
        let tail = self.0.load(Relaxed).to_be_bytes();
        let last = match end {
            End::EmptyLine => return !tail.ends_with(b"\n\r\n") && !tail.ends_with(b"\n\n"),
            End::Bytes(last) => last,
        };
        from_the_end(&tail).zip(from_the_end(last)).any(|(read, last)| read != last)
    }
}

/// The bytes from the last to the first, without the line ends after the last.
fn from_the_end(bytes: &[u8]) -> impl Iterator<Item = &u8> {
    bytes.iter().rev().skip_while(|byte| matches!(byte, b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_past_the_end_of_a_request_is_told_apart() {
        for (read, end, expected) in [
            ("GET / HTTP/1.1\r\n\r\n", End::EmptyLine, false),
            ("GET / HTTP/1.1\n\n", End::EmptyLine, false),
            ("GET / HTTP/1.1\r\n\r\n\r\n", End::EmptyLine, false),
            ("GET / HTTP/1.1\r\n\r\nGET", End::EmptyLine, true),
            ("0\r\n\r\nGET / HTTP/1.1\r\n", End::EmptyLine, true),
            ("\r\n\r\n{\"a\":1}", End::Bytes(b"{\"a\":1}"), false),
            ("\r\n\r\n{\"a\":1}\r\n", End::Bytes(b"{\"a\":1}"), false),
            ("\r\n\r\n{\"a\":1}\n", End::Bytes(b"{\"a\":1}\n"), false),
            ("\r\n\r\n{}", End::Bytes(b"{}"), false),
            ("\r\n\r\n{}GET /", End::Bytes(b"{}"), true),
            ("\r\n\r\n{\"a\":1}G", End::Bytes(b"{\"a\":1}"), true),
        ] {
            let tail = Tail::default();
            // The way it comes must not matter.
            for piece in read.as_bytes().chunks(3) {
                tail.read(piece);
            }
            assert_eq!(tail.is_past(end), expected, "{read:?}");
        }
    }
}
