//! Requests to try a client, a server or a contract with: correct ones, and ones with exactly one fault.
//!
//! Everything is derived from the contract. A [`Case`] is a request with a [`Label`]: valid, or changed by one
//! [`Operator`] so that it breaks one rule at one place, or stays valid all the same. A label is proved on the
//! final bytes before a case leaves; what cannot be proved is dropped.
//!
//! In a property test of your own client or server:
//!
//! ```
//! use proptest::prelude::*;
//! use standin::{Contract, Settings, Stub, payload};
//!
//! let contract = Contract::builtin();
//! let operation = contract.operation("createAgent").unwrap();
//! let stub = Stub::new(contract.clone(), Settings::default());
//!
//! proptest!(ProptestConfig::with_cases(32), |(case in payload::valid(operation))| {
//!     // Send `case.request` to what you test instead.
//!     let exchange = stub.respond(case.request.clone());
//!     prop_assert_eq!(exchange.reply.status, 200, "{}", case);
//! });
//! ```
//!
//! Without proptest, a [`Generator`] makes the same cases from a seed and an index.

mod arbitrary;
mod choices;
mod credentials;
mod difference;
mod field;
mod fixed;
mod generator;
mod head;
mod json;
mod operator;
mod plan;
mod proof;
mod shape;
mod strategy;
mod token;
mod valid;
mod wire;
mod words;

use std::{borrow::Cow, fmt, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use choices::Choices;
pub use credentials::Credentials;
pub use generator::{Generator, Place};
pub use operator::Operator;
pub use strategy::{CaseTree, Cases, mutants, valid};

use crate::{Request, Rule};

/// When the requests are received: a moment at which valid tokens are in their time and expired ones are not.
pub const RECEIVED: Timestamp = Timestamp::constant(1_750_000_000, 0);

/// A request, and what is known of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Case {
    /// The operation's id.
    pub operation: Arc<str>,
    /// The request. The names of its headers are lower-case; [`Case::headers`] has them as they are to be sent.
    pub request: Request,
    /// Whether it is valid, and if not, why.
    pub label: Label,
    /// What is needed to send it.
    pub wire: Wire,
}

/// Whether a request is valid, and if not, why.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Label {
    /// A valid request with one change.
    Mutant {
        /// What was done.
        operator: Operator,
        /// Where, as a pointer into the request.
        pointer: String,
        /// The rule that is broken there; none when the request is still valid.
        rule: Option<Rule>,
        /// The beginning of what was there, as sent.
        was: Option<String>,
        /// The beginning of what is there now, as sent.
        became: Option<String>,
        /// What the server must make of it.
        expect: Expect,
    },
    /// A valid request.
    Valid,
}

/// What a server must make of a request.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Expect {
    /// Refuse it.
    Refused,
    /// Refuse it where signature and time of the token are checked; accept it elsewhere.
    RefusedWhenVerified,
    /// Accept it.
    Valid,
}

/// What is needed to send a request.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wire {
    /// Any HTTP client that is given the body as bytes.
    Any,
    /// A plain socket: some HTTP client libraries would change it, or refuse to send it.
    Http1Raw,
}

impl Case {
    /// The headers as they are to be sent.
    pub fn headers(&self) -> impl Iterator<Item = (Cow<'_, str>, &[u8])> {
        headers(&self.request, self.label.is_in_capitals())
    }

    /// The request as it is written on a connection of its own to `host`, which may have a port.
    ///
    /// Nothing is added but what frames it: `host`, `connection: close` and, with a body, its length.
    pub fn http1(&self, host: &str) -> Vec<u8> {
        http1(&self.request, self.label.is_in_capitals(), host, "")
    }
}

/// The headers of a request as they are to be sent.
pub(crate) fn headers(request: &Request, in_capitals: bool) -> impl Iterator<Item = (Cow<'_, str>, &[u8])> {
    request.headers.iter().map(move |(name, value)| {
        let name = if in_capitals { name.to_ascii_uppercase().into() } else { name.into() };
        (name, value)
    })
}

/// A request as it is written on a connection of its own to `host`, with `prefix` before its path.
pub(crate) fn http1(request: &Request, in_capitals: bool, host: &str, prefix: &str) -> Vec<u8> {
    let Request { method, target, body, .. } = request;
    let mut bytes = Vec::with_capacity(512 + body.len());
    let head = format!("{method} {prefix}{target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    bytes.extend_from_slice(head.as_bytes());
    for (name, value) in headers(request, in_capitals) {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    if !body.is_empty() {
        bytes.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

impl Label {
    /// What the server must make of the request.
    pub fn expect(&self) -> Expect {
        match self {
            Self::Mutant { expect, .. } => *expect,
            Self::Valid => Expect::Valid,
        }
    }

    /// The pointer and the rule of the violation that the default settings give; none when the request is accepted.
    pub fn violation(&self) -> Option<(&str, Rule)> {
        match self {
            Self::Mutant { pointer, rule: Some(rule), expect: Expect::Refused, .. } => Some((pointer, *rule)),
            Self::Mutant { .. } | Self::Valid => None,
        }
    }
}

impl Label {
    /// What was changed was changed once more: this is there now, as sent.
    #[cfg(feature = "campaign")]
    pub(crate) fn became(&mut self, text: &[u8]) {
        if let Self::Mutant { became: Some(became), .. } = self {
            *became = operator::excerpt(text);
        }
    }

    /// Whether the names of headers are to be written in capitals.
    pub(crate) fn is_in_capitals(&self) -> bool {
        matches!(self, Self::Mutant { operator, .. } if operator.writes_capitals())
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Mutant { operator, pointer, rule, was, became, expect } = self else {
            return f.write_str("valid");
        };
        write!(f, "{operator} at {pointer}")?;
        match (was, became) {
            (Some(was), Some(became)) => write!(f, ", from `{was}` to `{became}`")?,
            (Some(was), None) => write!(f, ", where `{was}` was")?,
            (None, Some(became)) => write!(f, ", which adds `{became}`")?,
            (None, None) => {}
        }
        match (rule, expect) {
            (Some(rule), Expect::Refused) => write!(f, ": breaks `{rule}`"),
            (Some(rule), Expect::RefusedWhenVerified) => {
                write!(f, ": breaks `{rule}` where tokens are verified")
            }
            _ => f.write_str(": still valid"),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.request.method, self.request.target, self.label)
    }
}

/// The rule that a token's header value breaks, as the proof of labels sees it.
pub(crate) fn token_rule(
    value: &[u8],
    claim: Option<&str>,
    verified: bool,
) -> Result<Option<Rule>, token::Undecided> {
    token::verdict(value, claim, &Credentials::default(), verified, RECEIVED.as_second())
}
