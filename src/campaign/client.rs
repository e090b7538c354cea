//! The client: one connection for each lane, kept alive; bounded in time and size; never redirected.

use std::{
    error::Error as _,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream, rustls::pki_types::ServerName};

use super::{Answer, CampaignError, Failure, Options, Sent, tls};
use crate::{BaseUrl, Headers, Reply, payload::Wire};

/// How much of a reply is kept.
const MAX_REPLY: usize = 4 * 1024 * 1024;

/// Sends requests to one server.
pub(super) struct Client {
    target: BaseUrl,
    authority: String,
    addresses: Vec<SocketAddr>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    timeout: Duration,
}

/// A connection that is used again and again, and made anew when it has ended.
#[derive(Default)]
pub(super) struct Lane(Option<SendRequest<Full<Bytes>>>);

impl Client {
    /// A client for this server, whose address is looked up once.
    pub(super) async fn new(target: &BaseUrl, options: &Options) -> Result<Self, CampaignError> {
        let found = timeout(options.timeout, tokio::net::lookup_host((target.host(), target.port()))).await;
        let unknown =
            |why: String| CampaignError::CouldNotRun(format!("cannot find {}: {why}", target.host()));
        let addresses: Vec<_> = match found {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(error)) => return Err(unknown(error.to_string())),
            Err(_) => return Err(unknown("the name server does not answer".into())),
        };
        let name = ServerName::try_from(target.host().to_owned());
        let tls = match (target.is_secure(), name) {
            (false, _) => None,
            (true, Ok(name)) => Some((tls::connector(options.ca.as_deref())?, name)),
            (true, Err(_)) => return Err(unknown("that is not a name that a certificate can have".into())),
        };
        Ok(Self {
            authority: target.authority(),
            target: target.clone(),
            addresses,
            tls,
            timeout: options.timeout,
        })
    }

    /// Finds out whether there is somebody at all, by a connection on which nothing is sent.
    ///
    /// # Errors
    ///
    /// When there is nobody, or nobody who can be trusted. A server that is slow to let anybody in is none of these.
    pub(super) async fn knock(&self) -> Result<(), CampaignError> {
        let unreachable = |why: &str| CampaignError::CouldNotRun(format!("cannot reach the server: {why}"));
        match timeout(self.timeout, self.stream()).await {
            Ok(Err(Unreached { failure: Failure::Tls, distrust: Some(distrust) })) => {
                Err(unreachable(&format!("{distrust}; --ca FILE trusts the certificates of a file")))
            }
            Ok(Err(Unreached { failure: failure @ (Failure::Refused | Failure::Tls), .. })) => {
                Err(unreachable(&failure.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// Sends a request on a lane and waits for its answer.
    pub(super) async fn send(&self, lane: &mut Lane, sent: &Sent) -> Answer {
        let start = Instant::now();
        let result = match timeout(self.timeout, self.exchange(lane, sent)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::TimedOut),
        };
        if result.is_err() {
            lane.0 = None;
        }
        let (reply, failure) = match result {
            Ok(reply) => (Some(reply), None),
            Err(failure) => (None, Some(failure)),
        };
        Answer { micros: start.elapsed(), reply, failure }
    }

    async fn exchange(&self, lane: &mut Lane, sent: &Sent) -> Result<Reply, Failure> {
        let Some(request) = self.request(sent) else {
            return self.raw(sent).await;
        };
        if let Some(mut open) = lane.0.take()
            && open.ready().await.is_ok()
        {
            match open.send_request(request.clone()).await {
                Ok(reply) => return finish(lane, open, reply).await,
                // A server may close a connection that is idle at any time, also just now.
                Err(error) if !error.is_parse() => {}
                Err(error) => return Err(failure(&error)),
            }
        }
        let mut open = self.connect(self.stream().await?).await?;
        let reply = open.send_request(request).await.map_err(|error| failure(&error))?;
        finish(lane, open, reply).await
    }

    /// A request as a library sends it; none when it takes a plain socket.
    fn request(&self, sent: &Sent) -> Option<http::Request<Full<Bytes>>> {
        if sent.wire != Wire::Any || sent.in_capitals {
            return None;
        }
        let prefix = self.target.prefix();
        let uri = if prefix.is_empty() {
            Uri::try_from(sent.request.target.as_str()).ok()?
        } else {
            Uri::try_from(format!("{prefix}{}", sent.request.target)).ok()?
        };
        let mut request = http::Request::new(Full::new(sent.request.body.clone()));
        *request.method_mut() = Method::from_bytes(sent.request.method.as_bytes()).ok()?;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(http::header::HOST, HeaderValue::from_str(&self.authority).ok()?);
        for (name, value) in sent.request.headers.iter() {
            headers
                .append(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value).ok()?);
        }
        Some(request)
    }

    /// Writes a request on a connection of its own, byte by byte as it is.
    async fn raw(&self, sent: &Sent) -> Result<Reply, Failure> {
        let method = Method::from_bytes(sent.request.method.as_bytes()).unwrap_or_default();
        let bytes = sent.http1(&self.authority, self.target.prefix());
        let mut open = self.connect(Scripted { stream: self.stream().await?, bytes, written: 0 }).await?;
        let mut request = http::Request::new(Full::default());
        *request.method_mut() = method;
        let reply = open.send_request(request).await.map_err(|error| failure(&error))?;
        read(reply).await
    }

    async fn stream(&self) -> Result<Stream, Unreached> {
        let mut last = Failure::Refused;
        for address in &self.addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    let Some((connector, name)) = &self.tls else {
                        return Ok(Stream::Plain(stream));
                    };
                    let secure = connector.connect(name.clone(), stream).await;
                    let secure = secure.map_err(|error| Unreached {
                        failure: Failure::Tls,
                        distrust: tls::distrust(&error),
                    })?;
                    return Ok(Stream::Secure(Box::new(secure)));
                }
                Err(error) if error.kind() == io::ErrorKind::TimedOut => last = Failure::TimedOut,
                Err(_) => {}
            }
        }
        Err(Unreached { failure: last, distrust: None })
    }

    async fn connect<S>(&self, stream: S) -> Result<SendRequest<Full<Bytes>>, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (open, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| failure(&error))?;
        tokio::spawn(connection);
        Ok(open)
    }
}

/// Why there is no connection.
struct Unreached {
    failure: Failure,
    /// What is wrong with the server's certificate, when that is why.
    distrust: Option<String>,
}

impl From<Unreached> for Failure {
    fn from(unreached: Unreached) -> Self {
        unreached.failure
    }
}

/// Reads a reply to its end, and keeps the connection for the next request.
async fn finish(
    lane: &mut Lane,
    open: SendRequest<Full<Bytes>>,
    reply: http::Response<Incoming>,
) -> Result<Reply, Failure> {
    let reply = read(reply).await?;
    lane.0 = Some(open);
    Ok(reply)
}

/// Reads a reply to its end, also when it is too large to be kept: one without an end takes too long.
async fn read(reply: http::Response<Incoming>) -> Result<Reply, Failure> {
    let (head, mut incoming) = reply.into_parts();
    let mut body = Vec::new();
    let mut is_too_large = false;
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame.map_err(|error| failure(&error))?.into_data() else { continue };
        is_too_large |= body.len() + data.len() > MAX_REPLY;
        if is_too_large {
            body = Vec::new();
        } else {
            body.extend_from_slice(&data);
        }
    }
    if is_too_large {
        return Err(Failure::TooLarge);
    }
    let body = body.into();
    let mut headers = Headers::with_capacity(head.headers.len(), 300);
    for (name, value) in &head.headers {
        headers.push(name.as_str(), value.as_bytes());
    }
    Ok(Reply { status: head.status.as_u16(), headers, body })
}

/// What an error of the library is in our words.
fn failure(error: &hyper::Error) -> Failure {
    if error.is_parse() {
        return Failure::NotHttp;
    }
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    match cause.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => Failure::Reset,
        Some(io::ErrorKind::TimedOut) => Failure::TimedOut,
        _ => Failure::Closed,
    }
}

/// A connection, secured or not.
enum Stream {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context, buffer: &mut ReadBuf) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Secure(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Secure(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context,
        slices: &[io::IoSlice],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Secure(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Secure(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Secure(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// A connection on which these bytes are written in the stead of whatever the library writes, which then reads the
/// reply: so there is one reader of replies.
struct Scripted {
    stream: Stream,
    bytes: Vec<u8>,
    written: usize,
}

impl AsyncRead for Scripted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context, buffer: &mut ReadBuf) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        while this.written < this.bytes.len() {
            let rest = &this.bytes[this.written..];
            match Pin::new(&mut this.stream).poll_write(cx, rest) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(count)) if count > 0 => this.written += count,
                // A server that has answered need not take the rest; what it has answered is what counts.
                Poll::Ready(_) => break,
            }
        }
        this.written = this.bytes.len();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(_) => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
