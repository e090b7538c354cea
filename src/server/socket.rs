//! A connection's socket, which tells its [`Watch`] what goes in and out.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf},
    net::TcpStream,
};

use super::watch::{Break, Watch};

/// What a connection goes over.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Has its end, which is near, be a reset.
    fn reset(&self);
}

impl Socket for TcpStream {
    fn reset(&self) {
        // One that refuses this is closed.
        let _ = SockRef::from(self).set_linger(Some(Duration::ZERO));
    }
}

/// In memory there is one way to end.
impl Socket for DuplexStream {
    fn reset(&self) {}
}

/// A socket that tells its [`Watch`] what it sees.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    watch: Arc<Watch>,
    /// How much of the HTTP/2 preface has come in; `None` once it is clear whether it is one.
    preface: Option<u8>,
    frames: Frames,
    /// Bytes thrown away after our side was closed.
    discarded: Option<usize>,
    /// Bytes that were read while looking out for the client's end, and not asked for yet.
    ahead: Vec<u8>,
    /// How much of [`GARBAGE`] has been written.
    garbage: usize,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, watch: Arc<Watch>) -> Self {
        Self {
            stream,
            watch,
            preface: Some(0),
            frames: Frames::default(),
            discarded: None,
            ahead: Vec::new(),
            garbage: 0,
        }
    }

    fn saw(&mut self, bytes: &[u8]) {
        self.watch.read_some(bytes);
        self.sniff(bytes);
    }

    fn sniff(&mut self, bytes: &[u8]) {
        let Some(seen) = self.preface else { return };
        let rest = &HTTP2_PREFACE[usize::from(seen)..];
        if bytes.starts_with(rest) {
            self.preface = None;
            self.watch.becomes_http2();
        } else if rest.starts_with(bytes) {
            self.preface = u8::try_from(bytes.len()).ok().map(|more| seen + more);
        } else {
            self.preface = None;
        }
    }

    fn wrote<'a>(&mut self, pieces: impl Iterator<Item = &'a [u8]>, mut count: usize) {
        self.watch.wrote_some(count);
        if !self.watch.is_http2() {
            return;
        }
        for piece in pieces {
            let written = piece.len().min(count);
            self.frames.read(&piece[..written], &self.watch);
            count -= written;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.ahead.is_empty() {
            let count = this.ahead.len().min(buf.remaining());
            buf.put_slice(&this.ahead[..count]);
            this.ahead.drain(..count);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            this.saw(&buf.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> Watched<S> {
    /// Fails when the client has closed its side. hyper does not read while a request is under way, so this does: as far as
    /// a client may send ahead.
    fn look_out(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let mut bytes = [0; 1024];
        while self.ahead.len() < AHEAD {
            let mut buf = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buf)? {
                Poll::Pending => break,
                Poll::Ready(()) if buf.filled().is_empty() => {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                Poll::Ready(()) => {
                    self.saw(buf.filled());
                    self.ahead.extend_from_slice(buf.filled());
                }
            }
        }
        Ok(())
    }
}

impl<S: Socket> Watched<S> {
    /// Breaks the connection if that was asked for: hyper ends it at the error.
    fn poll_break(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(way) = self.watch.breaks() else { return Poll::Ready(Ok(())) };
        match way {
            Break::Hang => return Poll::Ready(self.wait_for_end(cx)),
            Break::Close => ready!(Pin::new(&mut *self).poll_shutdown(cx))?,
            Break::Garbage => {
                while let Some(rest) = GARBAGE.get(self.garbage..).filter(|rest| !rest.is_empty()) {
                    self.garbage += ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
                }
                ready!(Pin::new(&mut *self).poll_shutdown(cx))?;
            }
            Break::Reset => self.stream.reset(),
        }
        Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
    }

    /// Fails when the client has closed its side; nothing that it sends is of use any more.
    fn wait_for_end(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        self.ahead = Vec::new();
        let mut bytes = [0; 4096];
        loop {
            let mut buf = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buf)? {
                Poll::Pending => return Ok(()),
                Poll::Ready(()) if buf.filled().is_empty() => {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                Poll::Ready(()) => {}
            }
        }
    }
}

impl<S: Socket> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.watch.is_http2() {
            ready!(this.poll_break(cx))?;
        }
        let count = ready!(Pin::new(&mut this.stream).poll_write(cx, buf))?;
        this.wrote([buf].into_iter(), count);
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.watch.is_http2() {
            ready!(this.poll_break(cx))?;
        }
        let count = ready!(Pin::new(&mut this.stream).poll_write_vectored(cx, bufs))?;
        this.wrote(bufs.iter().map(|buf| &**buf), count);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.stream).poll_flush(cx))?;
        ready!(this.poll_break(cx))?;
        // hyper flushes whenever it has done what there is to do, so this is where it comes by.
        if this.watch.needs_client() {
            this.look_out(cx)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Closes our side. When the client is still sending, what it sends is read and thrown away for a moment: closing
    /// a socket with unread bytes resets it, and a reset can overtake the refusal that was just written.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let mut discarded = if let Some(discarded) = this.discarded {
            discarded
        } else {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.watch.close();
            0
        };
        let sending = this.watch.is_sending();
        let mut bytes = [0; 4096];
        while discarded < LINGER_BYTES && !this.watch.is_stopping() {
            let mut buf = ReadBuf::new(&mut bytes);
            match Pin::new(&mut this.stream).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => discarded += buf.filled().len(),
                Poll::Pending if sending || discarded > 0 => {
                    this.discarded = Some(discarded);
                    return Poll::Pending;
                }
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// The HTTP/2 frames that are written. hyper's library answers and resets streams whose heads it refuses without a word
/// to us, so this is the only sign of them.
#[derive(Debug, Default)]
struct Frames {
    /// The head of the frame under way: its length in three bytes, its kind, its flags, its stream.
    head: [u8; 9],
    head_len: usize,
    /// What is to come of its payload.
    payload: usize,
    /// The reason for a reset, as far as it has been seen.
    reason: u32,
    /// The stream that was refused last, with a status: a reset of it says nothing new.
    refused: [u8; 4],
}

impl Frames {
    fn read(&mut self, mut bytes: &[u8], watch: &Watch) {
        while !bytes.is_empty() {
            if self.head_len < self.head.len() {
                let count = bytes.len().min(self.head.len() - self.head_len);
                self.head[self.head_len..][..count].copy_from_slice(&bytes[..count]);
                self.head_len += count;
                bytes = &bytes[count..];
                if self.head_len < self.head.len() {
                    return;
                }
                let [first, second, third, ..] = self.head;
                self.payload = u32::from_be_bytes([0, first, second, third]) as usize;
                self.reason = 0;
            }
            let (payload, rest) = bytes.split_at(bytes.len().min(self.payload));
            if self.head[3] == RST_STREAM {
                self.reason = payload.iter().fold(self.reason, |reason, &byte| reason << 8 | u32::from(byte));
            }
            self.payload -= payload.len();
            bytes = rest;
            if self.payload == 0 {
                self.head_len = 0;
                self.ended(watch);
            }
        }
    }

    fn ended(&mut self, watch: &Watch) {
        let [.., a, b, c, d] = self.head;
        let stream = [a, b, c, d];
        match self.head[3] {
            HEADERS if watch.wrote_foreign_head() => self.refused = stream,
            // The other reasons are how a reply ends early: before all of the body was read, or by a stop.
            RST_STREAM
                if stream != self.refused && !matches!(self.reason, NO_ERROR | INTERNAL_ERROR | CANCEL) =>
            {
                watch.wrote_reset();
            }
            _ => {}
        }
    }
}

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;

const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const CANCEL: u32 = 8;

/// What is no HTTP, of neither version: as a frame of HTTP/2 it is larger than may be.
const GARBAGE: &[u8] = b"\xff\xfe\xfd\0this is not HTTP\r\n\r\n\xc0\xc1\0\xf5";

const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How many bytes are read while looking out for a client's end.
const AHEAD: usize = 8 * 1024;

/// How many bytes a client may go on sending after our side is closed.
const LINGER_BYTES: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_streams_are_counted_however_their_frames_are_cut() {
        let reset = |reason: u8| [0, 0, 4, RST_STREAM, 0, 0, 0, 0, 1, 0, 0, 0, reason];
        let data = [0, 0, 3, 0, 0, 0, 0, 0, 1, RST_STREAM, RST_STREAM, RST_STREAM];
        let settings_ack = [0, 0, 0, 4, 1, 0, 0, 0, 0];
        let mut bytes = Vec::new();
        bytes.extend(settings_ack);
        bytes.extend(reset(1));
        bytes.extend(data);
        bytes.extend(reset(8));
        bytes.extend(reset(7));
        bytes.extend(reset(0));

        for size in 1..bytes.len() {
            let watch = Watch::new();
            let mut frames = Frames::default();
            for piece in bytes.chunks(size) {
                frames.read(piece, &watch);
            }
            assert_eq!(watch.new_resets(), 2, "in pieces of {size}");
            assert_eq!(watch.new_resets(), 0);
        }
    }

    #[test]
    fn a_head_that_answers_nothing_of_ours_is_a_refusal() {
        let head = [0, 0, 1, HEADERS, 4, 0, 0, 0, 1, 0x88];
        let watch = Watch::new();
        let mut frames = Frames::default();

        watch.replied();
        frames.read(&head, &watch);
        assert_eq!(watch.new_resets(), 0);
        frames.read(&head, &watch);
        assert_eq!(watch.new_resets(), 1);
        watch.replied();
        frames.read(&head, &watch);
        assert_eq!(watch.new_resets(), 0);
    }
}
