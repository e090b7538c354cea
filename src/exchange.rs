//! A request, the reply to it, and what was found out in between: plain owned values, free of hyper.

mod headers;
mod recorded;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Breach, Violation,
    course::Course,
    session_name::{self, SessionNameError},
};

pub use headers::Headers;
pub(crate) use recorded::micros;
pub use recorded::{Delivery, DeliveryCell, Recorded, Redaction, SecretKind, Timing};

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
        session_name::stripped(&self.target[..self.path_end()])
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
        self.target.get(self.path_end() + 1..)
    }

    fn path_end(&self) -> usize {
        memchr::memchr(b'?', self.target.as_bytes()).unwrap_or(self.target.len())
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

impl Reply {
    /// Whether a reply with this status has no body, whatever it says of one.
    pub(crate) fn is_bodiless(status: u16) -> bool {
        matches!(status, 100..=199 | 204 | 304)
    }
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
    /// What a script did to the reply; none when none did.
    pub scripted: Option<Box<Scripted>>,
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

/// What a script did to the reply of an exchange, or the request itself with its `Prefer` header.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Scripted {
    /// The id of the script; none when the request asked for it.
    pub script: Option<Arc<str>>,
    /// The reply that was decided, when another one is sent.
    pub decided: Option<Reply>,
    /// What happens to the reply on its way.
    pub course: Course,
    /// Whether the session stays as it was, though the request would have changed it.
    pub discarded: bool,
    /// What of the reply that is sent is not as the contract has it.
    pub breaches: Vec<Breach>,
}
