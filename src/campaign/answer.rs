//! What came back for a request.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::sent;
use crate::Reply;

/// What came back for a request, and how long it took.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// From the first byte of the request to the last one of the reply, or to the failure.
    #[serde(with = "sent::micros")]
    pub micros: Duration,
    /// The reply, when one came.
    #[serde(with = "sent::reply", default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// Why there is no reply; none when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Why there is no reply.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Failure {
    /// The connection was closed before the end of the reply.
    Closed,
    /// What came back is not HTTP.
    NotHttp,
    /// Nobody listens there, or nobody can be found under that name.
    Refused,
    /// The connection was reset.
    Reset,
    /// The reply did not come in time.
    TimedOut,
    /// There is no secure connection.
    Tls,
    /// The reply came to its end, and is larger than what is kept of one.
    TooLarge,
}

impl Answer {
    /// The status of the reply; none when there is no reply.
    pub fn status(&self) -> Option<u16> {
        self.reply.as_ref().map(|reply| reply.status)
    }

    /// Whether the server answered at all: a reply that is too large to be kept is one.
    pub fn is_answered(&self) -> bool {
        self.reply.is_some() || self.failure == Some(Failure::TooLarge)
    }

    /// Whether there is a reply with a status from 200 to 299.
    pub fn is_accepted(&self) -> bool {
        self.status().is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether there is a reply with a status from 400 to 499.
    pub fn is_refused(&self) -> bool {
        self.status().is_some_and(|status| (400..500).contains(&status))
    }

    /// Whether the request was accepted, or refused for what it is: 408 and 429 are about when and how often it came.
    pub fn is_verdict(&self) -> bool {
        self.is_accepted() || self.is_refused() && !matches!(self.status(), Some(408 | 429))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.reply, self.failure) {
            (Some(reply), _) => write!(f, "{}", reply.status),
            (None, Some(failure)) => write!(f, "{failure}"),
            (None, None) => f.write_str("nothing"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the connection was closed before the end of a reply",
            Self::NotHttp => "what came back is not HTTP",
            Self::Refused => "the connection was refused",
            Self::Reset => "the connection was reset",
            Self::TimedOut => "no reply came in time",
            Self::Tls => "there is no secure connection",
            Self::TooLarge => "the reply is too large to be looked at",
        })
    }
}
