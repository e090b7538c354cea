//! What is wrong with scripts, and why they are not taken.

use std::fmt::{self, Display};

use serde::Serialize;
use serde_json::Value;

use crate::{near, session_name, violation::quote};

/// One thing that is wrong with a script.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Mistake {
    /// Where: a pointer into what was given, such as `/scripts/0/then/delay`; empty when it is about all of it.
    pub pointer: String,
    /// What is wrong there, as a sentence.
    pub message: String,
}

impl Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => f.write_str(&self.message),
            pointer => write!(f, "{pointer}: {}", self.message),
        }
    }
}

/// Why scripts are not taken, or not found; those that are there stay as they were.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ScriptError {
    /// There is no room for them; the text says what was expected and found.
    Full(String),
    /// There is a script of this id already.
    Taken(String),
    /// There is no script of this id; these there are.
    Unknown(String, Vec<String>),
    /// All that is wrong with them, up to a hundred.
    Wrong(Vec<Mistake>),
}

impl ScriptError {
    /// One thing is wrong, with all of it.
    pub(crate) fn wrong(message: impl Into<String>) -> Self {
        Self::Wrong(vec![Mistake { pointer: String::new(), message: message.into() }])
    }

    /// There would be more than there may be.
    pub(super) fn too_many(most: usize, found: usize, what: &str) -> Self {
        Self::Full(format!("expected at most {most} {what}, but found {found} with these"))
    }
}

impl Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(text) => f.write_str(text),
            Self::Taken(id) => {
                write!(
                    f,
                    "expected an id that no script has, but found `{id}`; remove that script, or take another id"
                )
            }
            Self::Unknown(id, ids) => {
                let hint = near::hint(id, ids.iter().map(String::as_str));
                write!(f, "expected the id of a script, but found {}{hint}", quote(id))
            }
            Self::Wrong(mistakes) => {
                for (index, mistake) in mistakes.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "; " };
                    write!(f, "{separator}{mistake}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for ScriptError {}

/// What is found to be wrong while a script is read.
#[derive(Debug, Default)]
pub(super) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// How many are listed at most.
    const MOST: usize = 100;

    /// Something else was expected at a place.
    pub(super) fn expected(&mut self, pointer: &str, expected: impl Display, found: impl Display) {
        if !self.are_full() {
            let message = format!("expected {expected}, but found {found}");
            self.0.push(Mistake { pointer: pointer.to_owned(), message });
        }
    }

    /// A name is not one of those that are known.
    pub(super) fn unknown(&mut self, pointer: &str, expected: impl Display, found: &str, known: &[&str]) {
        // To look for near names takes its time.
        if !self.are_full() {
            let hint = near::hint(found, known.iter().copied());
            self.expected(pointer, expected, format_args!("{}{hint}", quote(found)));
        }
    }

    /// What another reader says about a member of what is at a place, such as `/status: expected …`.
    pub(super) fn told(&mut self, at: &str, text: &str) {
        let (place, message) = match text.split_once(": ") {
            Some((place, message)) if place.starts_with('/') => (place, message),
            _ => ("", text),
        };
        if !self.are_full() {
            self.0.push(Mistake { pointer: format!("{at}{place}"), message: message.to_owned() });
        }
    }

    /// A session cannot have this name.
    pub(super) fn session(&mut self, pointer: &str, found: &str) {
        if !session_name::is_name(found) {
            let expected = format_args!("the name of a session, {}", session_name::EXPECTED);
            self.expected(pointer, expected, quote(found));
        }
    }

    /// Whether no more are listed.
    pub(super) fn are_full(&self) -> bool {
        self.0.len() >= Self::MOST
    }

    /// Nothing, or all of them.
    pub(super) fn none(self) -> Result<(), ScriptError> {
        if self.0.is_empty() { Ok(()) } else { Err(ScriptError::Wrong(self.0)) }
    }
}

/// A value as it is shown where another was expected.
pub(super) fn shown(value: &Value) -> String {
    quote(&value.to_string())
}

/// Names in a row, such as `a, b or c`.
pub(super) fn one_of(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
