//! Why a session was not read or changed.

use std::fmt;

use crate::{Violation, near, session_name::EXPECTED, violation::quote};

/// Why a session was not read or changed; nothing is different from before.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionError {
    /// There can be no session of this name.
    Name(String),
    /// No session of this name has been changed; these have.
    Unknown(String, Vec<String>),
    /// There is one of this name already.
    Taken(String),
    /// There is no room for it; the text says what was expected and found.
    Full(String),
    /// The state is not one that the contract allows.
    State(Vec<Violation>),
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => {
                write!(f, "expected the name of a session, {EXPECTED}, but found {}", quote(name))
            }
            Self::Unknown(name, others) if others.is_empty() => {
                write!(f, "expected a session with changes, but found `{name}`, and there is none so far")
            }
            Self::Unknown(name, others) => {
                let (first, more) = (others.len().min(MOST), others.len().saturating_sub(MOST));
                write!(f, "expected a session with changes among {}", others[..first].join(", "))?;
                if more > 0 {
                    write!(f, " and {more} more")?;
                }
                write!(f, ", but found `{name}`")?;
                f.write_str(&near::hint(name, others.iter().map(String::as_str)))
            }
            Self::Taken(name) => {
                write!(
                    f,
                    "expected a name that no session has, but found `{name}`; remove that session, or take another name"
                )
            }
            Self::Full(text) => f.write_str(text),
            Self::State(violations) => {
                let (first, more) = (violations.first(), violations.len().saturating_sub(1));
                f.write_str("the state breaks the contract")?;
                if let Some(first) = first {
                    write!(f, ": {first}")?;
                }
                if more > 0 {
                    write!(f, "; and {more} more")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for SessionError {}

/// How many names are listed at most.
const MOST: usize = 10;
