//! A request, the reply to it, and what was found out in between: plain owned values, free of hyper.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering, fence},
    },
    time::Duration,
};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Violation,
    session_name::{self, SessionNameError},
};

/// A request as it was received: nothing decoded, and nothing dropped but what ARCHITECTURE.md says of hyper.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// The method, as sent.
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// The headers, as sent but for their names, which are lower-case.
    pub headers: Headers,
    /// The body's bytes.
    pub body: Bytes,
    /// How the body ended.
    pub body_end: BodyEnd,
    /// When the head of the request was there. Set by the caller: the stub has no clock.
    pub received: Timestamp,
}

impl Request {
    /// A request without headers or body, received at the Unix epoch; set the public fields to change that.
    pub fn new(method: impl Into<String>, target: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            headers: Headers::default(),
            body: Bytes::new(),
            body_end: BodyEnd::Complete,
            received: Timestamp::UNIX_EPOCH,
        }
    }

    /// Adds a header; the name is lower-cased.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push(name, value.as_ref());
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// The target up to the first `?`, without the session that stands before it, as in `/@NAME/agents`.
    pub fn path(&self) -> &str {
        session_name::stripped(self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path))
    }

    /// The session that it belongs to, `default` when it names none: by its header `X-Standin-Session`, or by `/@NAME` at
    /// the beginning of its target.
    ///
    /// # Errors
    ///
    /// When there can be no session of that name, or header and target name two.
    pub fn session(&self) -> Result<&str, SessionNameError> {
        let values = self.headers.all(session_name::HEADER);
        Ok(session_name::of(&self.target, values)?.unwrap_or(session_name::DEFAULT))
    }

    /// The target after the first `?`, when there is one.
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }
}

/// How the body of a request ended.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum BodyEnd {
    /// The client went away, or broke the framing, before the announced end.
    Broken,
    /// All of it is there.
    #[default]
    Complete,
    /// It did not arrive in time.
    TimedOut,
    /// It is longer than the limit; only its beginning is kept.
    TooLarge,
}

/// A list of headers in one buffer: names in lower case, values as bytes, in the order they were pushed in. Of what a
/// server received, those of one name stand together where the first of them was.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Headers {
    buffer: Vec<u8>,
    /// End of the name and end of the value in `buffer`, for each header.
    ends: Vec<(u32, u32)>,
}

impl Headers {
    /// Room for `count` headers of `bytes` bytes in all.
    pub fn with_capacity(count: usize, bytes: usize) -> Self {
        Self { buffer: Vec::with_capacity(bytes), ends: Vec::with_capacity(count) }
    }

    /// Adds a header at the end; the name is lower-cased.
    ///
    /// # Panics
    ///
    /// When all names and values together exceed 4 GiB.
    pub fn push(&mut self, name: &str, value: &[u8]) {
        self.buffer.extend_from_slice(name.as_bytes());
        let start = self.buffer.len() - name.len();
        self.buffer[start..].make_ascii_lowercase();
        let name_end = u32::try_from(self.buffer.len()).expect("headers fit into 4 GiB");
        self.buffer.extend_from_slice(value);
        let value_end = u32::try_from(self.buffer.len()).expect("headers fit into 4 GiB");
        self.ends.push((name_end, value_end));
    }

    /// Names and values, in order.
    #[allow(clippy::missing_panics_doc)] // names are pushed as str
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |&(name_end, value_end)| {
            let name = &self.buffer[start..name_end as usize];
            let value = &self.buffer[name_end as usize..value_end as usize];
            start = value_end as usize;
            (std::str::from_utf8(name).expect("names are pushed as str"), value)
        })
    }

    /// Every value of the header `name` (in lower case), in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(move |(n, _)| *n == name).map(|(_, value)| value)
    }

    /// How many headers there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The sizes of the two blocks of memory that the list takes.
    pub(crate) fn blocks(&self) -> [usize; 2] {
        [self.buffer.capacity(), self.ends.capacity() * size_of::<(u32, u32)>()]
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, value)| (name, value.escape_ascii().to_string())))
            .finish()
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let mut list = Self::default();
        for (name, value) in headers {
            list.push(name.as_ref(), value.as_ref());
        }
        list
    }
}

/// What the stub answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers, `content-type` among them.
    pub headers: Headers,
    /// The body; JSON.
    pub body: Bytes,
}

/// A request with its reply and the reasons for it. It has no number until a journal gives it one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exchange {
    /// The request.
    pub request: Request,
    /// The reply.
    pub reply: Reply,
    /// The operation's id, when one matched.
    pub operation: Option<Arc<str>>,
    /// The step that gave the reply.
    pub step: Step,
    /// What the request breaks, in document order; the first [`Exchange::MAX_VIOLATIONS`] of it.
    pub violations: Vec<Violation>,
    /// Whether there were more violations than are listed.
    pub more_violations: bool,
    /// The entries of the ledger that the request makes use of.
    pub readings: Vec<Reading>,
    /// What it had to do with the state of its session; none for operations without a state, and where there is none.
    pub state: Option<Box<Touched>>,
}

impl Exchange {
    /// How many violations are listed at most; a request can have millions.
    pub const MAX_VIOLATIONS: usize = 100;

    /// The session that its request belongs to; `default` when it names none, or none that there can be.
    pub fn session(&self) -> &str {
        self.request.session().unwrap_or(session_name::DEFAULT)
    }

    /// What became of the request, in one word.
    pub fn outcome(&self) -> Outcome {
        match self.step {
            Step::Answer => Outcome::Answered,
            Step::Route => Outcome::Unmatched,
            Step::Authorize | Step::Body | Step::Validate | Step::State => Outcome::Refused,
        }
    }
}

/// The steps of an answer, in order; the first that fails gives the reply.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// Find the operation by method and path.
    Route,
    /// Check the token.
    Authorize,
    /// Read the body: media type, size, UTF-8, JSON.
    Body,
    /// Check path, query, headers and body against the contract.
    Validate,
    /// See what the session has: what is missing there, taken or too much.
    State,
    /// Answer.
    Answer,
}

/// What became of a request, in one word.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// An operation did what it was asked for.
    Answered,
    /// An operation matched and refused it.
    Refused,
    /// No operation matched method and path.
    Unmatched,
}

impl Outcome {
    /// Its name as it stands in journals and filters, such as `answered`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Unmatched => "unmatched",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An entry of the ledger that a request makes use of: a documented variant, or a value sent twice that differs, which
/// is accepted and said; or the contradiction that led to its refusal.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Reading {
    /// The id of the ledger entry, such as `U4`.
    pub ledger: String,
    /// Where in the request.
    pub pointer: String,
    /// What was read, as a sentence.
    pub note: String,
}

/// What an exchange had to do with the state of its session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Touched {
    /// The version of the state before the exchange.
    pub before: u64,
    /// The version after it.
    pub after: u64,
    /// What it changed: the first resource when there are several.
    pub resource: Option<TouchedResource>,
}

/// A resource that an exchange changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TouchedResource {
    /// What it is, such as `agent`.
    pub name: Arc<str>,
    /// Its id.
    pub id: String,
    /// How it was, as JSON; none when it was made by the exchange.
    pub before: Option<String>,
    /// How it is, as JSON; none when the exchange deleted it.
    pub after: Option<String>,
    /// Whether `before` and `after` are left out because together they are larger than [`TouchedResource::MOST`].
    pub cut: bool,
}

impl TouchedResource {
    /// How many bytes of a resource an exchange keeps.
    pub const MOST: usize = 64 * 1024;

    pub(crate) fn new(name: &Arc<str>, id: &str, before: Option<&str>, after: Option<&str>) -> Self {
        let size = before.map_or(0, str::len) + after.map_or(0, str::len);
        let cut = size > Self::MOST;
        let kept = |record: Option<&str>| record.filter(|_| !cut).map(str::to_owned);
        Self { name: Arc::clone(name), id: id.to_owned(), before: kept(before), after: kept(after), cut }
    }
}

/// An exchange as a journal keeps it: numbered, its secrets replaced.
#[derive(Debug)]
pub struct Recorded {
    /// The number: 1 for the first exchange of a journal, never used again.
    pub id: u64,
    /// The exchange, with secrets replaced.
    pub exchange: Exchange,
    /// Where a secret was replaced.
    pub redactions: Arc<[Redaction]>,
    /// How long its parts took.
    pub timing: Timing,
    /// Whether the reply went out.
    pub delivery: DeliveryCell,
}

impl Recorded {
    /// The kind of secret that was replaced at a pointer such as `/request/body`.
    pub fn redaction(&self, pointer: &str) -> Option<SecretKind> {
        self.redactions
            .iter()
            .find(|redaction| redaction.pointer == pointer)
            .map(|redaction| redaction.secret)
    }
}

/// A place of a recorded exchange at which a secret was replaced.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Redaction {
    /// Where: `/request/method`, `/request/target`, `/request/body`, `/reply/body`, `/violations`, `/readings`, or a
    /// header, such as `/request/header/cookie`.
    pub pointer: String,
    /// What kind of secret it was.
    pub secret: SecretKind,
}

/// Why something is a secret.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SecretKind {
    /// It is the value of a header that carries credentials, such as `cookie`.
    Credential,
    /// It has the form of a JWT.
    Jwt,
    /// It is the value of the header that carries the contract's token.
    Token,
    /// It is a value that is known to be secret, such as the client secret.
    Value,
}

/// How long the parts of an exchange took, as far as that is known: an exchange that did not come over a connection
/// took no time.
#[derive(Debug, Default)]
pub struct Timing {
    /// From the head of the request to the end of its body.
    pub body: Duration,
    /// From there to the reply.
    pub answer: Duration,
    /// Microseconds from there until the connection had taken all of the reply; 0 while it is under way.
    send: AtomicU64,
}

impl Timing {
    /// The time that the request's body and the answer took; the reply is still to be sent.
    pub fn new(body: Duration, answer: Duration) -> Self {
        Self { body, answer, send: AtomicU64::new(0) }
    }

    /// From the reply until the connection had taken all of it, in microseconds; zero while it is under way.
    pub fn send(&self) -> Duration {
        Duration::from_micros(self.send.load(Ordering::Relaxed))
    }

    /// Says how long it took to send the reply.
    pub fn sent(&self, time: Duration) {
        self.send.store(micros(time), Ordering::Relaxed);
    }
}

/// Whole microseconds.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// What became of a reply.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Delivery {
    /// It is recorded and not yet on its way to its end.
    Pending,
    /// The connection took its last byte.
    Sent,
    /// The connection ended before that.
    Aborted,
}

/// A [`Delivery`] that the server sets once the reply has left, without a lock. Its clones are the same cell: who waits
/// for the delivery need not keep the exchange.
#[derive(Clone, Debug)]
pub struct DeliveryCell(Arc<AtomicU8>);

impl DeliveryCell {
    /// A cell that holds `delivery`.
    pub fn new(delivery: Delivery) -> Self {
        Self(Arc::new(AtomicU8::new(delivery as u8)))
    }

    /// Whether there is no other clone, so that nobody else can settle it.
    pub(crate) fn is_alone(&self) -> bool {
        let is_alone = Arc::strong_count(&self.0) == 1;
        // What the last other clone was used for is to be seen by whoever finds that it has gone.
        fence(Ordering::Acquire);
        is_alone
    }

    /// What is known so far.
    pub fn get(&self) -> Delivery {
        match self.0.load(Ordering::Acquire) {
            0 => Delivery::Pending,
            1 => Delivery::Sent,
            _ => Delivery::Aborted,
        }
    }

    /// Settles a pending delivery; one that is settled stays as it is. Returns whether this call settled it.
    pub fn settle(&self, delivery: Delivery) -> bool {
        self.0
            .compare_exchange(Delivery::Pending as u8, delivery as u8, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}
