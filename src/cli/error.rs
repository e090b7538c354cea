//! Why a command did not end well, and the exit codes.

use std::{fmt, process::ExitCode};

/// How a command ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// Everything is fine: 0.
    Fine,
    /// It ran, and found something wrong in what it was given: 1.
    Findings,
    /// The command line is wrong: 2.
    Usage,
    /// It could not run: 3.
    CouldNotRun,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::CouldNotRun => 3,
        })
    }
}

/// One line that says what is wrong and what to do about it.
#[derive(Debug)]
pub struct Error {
    exit: Exit,
    line: String,
}

impl Error {
    /// The command line is wrong.
    pub fn usage(line: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, line: line.into() }
    }

    /// The command line is fine, and yet it cannot be done.
    pub fn could_not_run(line: impl Into<String>) -> Self {
        Self { exit: Exit::CouldNotRun, line: line.into() }
    }

    /// The exit code that goes with it.
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl std::error::Error for Error {}

/// The text on one line, with nothing in it that a terminal acts on.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => line.push_str("\\n"),
            // Line and paragraph separators, and the marks that turn the direction of writing.
            '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                line.extend(character.escape_unicode());
            }
            _ if character.is_control() => line.extend(character.escape_default()),
            _ => line.push(character),
        }
    }
    line
}

/// An operating system's error in words, without its number.
pub(super) fn reason(error: &std::io::Error) -> String {
    let text = without_numbers(&error.to_string());
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// The text without the number that an operating system's error ends with.
pub(super) fn without_numbers(text: &str) -> String {
    match text.split_once(" (os error ") {
        Some((words, number)) => words.to_owned() + number.split_once(')').map_or("", |(_, rest)| rest),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line() {
        assert_eq!(one_line("a\nb\u{1b}[31m\u{202e}é"), "a\\nb\\u{1b}[31m\\u{202e}é");
    }

    #[test]
    fn a_reason_has_no_number() {
        let error = std::io::Error::from_raw_os_error(2);
        assert_eq!(reason(&error), "no such file or directory");
        assert_eq!(without_numbers("a: Not here (os error 2); b"), "a: Not here; b");
    }
}
