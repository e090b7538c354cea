//! Reading exchanges back.

use std::fmt::{self, Write};

use serde_path_to_error::{Path, Segment};

use super::Line;
use crate::{Recorded, pointer::escape};

/// Why a text is no journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ParseError {
    /// The line, from 1 on, when several were read.
    line: Option<usize>,
    pointer: String,
    message: String,
    /// Whether the text only ends too early.
    pub(super) is_cut: bool,
}

impl ParseError {
    pub(super) fn new(pointer: &str, expected: &str, found: &str) -> Self {
        let message = format!("expected {expected}, but found {found}");
        Self { line: None, pointer: pointer.to_owned(), message, is_cut: false }
    }

    pub(super) fn at(self, line: usize) -> Self {
        Self { line: self.line.or(Some(line)), ..self }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.pointer.is_empty() {
            write!(f, "{}: ", self.pointer)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ParseError {}

/// Reads one line. What follows from the rest (`outcome`, `message`, `bytes`, `sha256`) may be missing, but the two of
/// the body must be right when they are there. Unknown members are ignored.
pub fn parse(line: &str) -> Result<Recorded, ParseError> {
    let mut reader = serde_json::Deserializer::from_str(line);
    let parsed: Line<'_> = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        let error = error.into_inner();
        if error.is_data() {
            ParseError { line: None, pointer, message: worded(&error), is_cut: false }
        } else {
            no_json(&error)
        }
    })?;
    reader.end().map_err(|error| no_json(&error))?;
    parsed.into_recorded()
}

fn no_json(error: &serde_json::Error) -> ParseError {
    let is_cut = error.is_eof();
    ParseError { is_cut, ..ParseError::new("", "an exchange as one line of JSON", &error.to_string()) }
}

fn pointer(path: &Path) -> String {
    path.iter().fold(String::new(), |mut pointer, segment| {
        let _ = match segment {
            Segment::Seq { index } => write!(pointer, "/{index}"),
            Segment::Map { key } => write!(pointer, "/{}", escape(key)),
            Segment::Enum { variant } => write!(pointer, "/{variant}"),
            Segment::Unknown => Ok(()),
        };
        pointer
    })
}

/// What serde says, in our words: it names what it found first.
fn worded(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    if let Some(member) = text.strip_prefix("missing field ") {
        return format!("expected a member {member}, but found none");
    }
    let said = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "]
        .into_iter()
        .find_map(|start| text.strip_prefix(start)?.split_once(", expected "));
    match said {
        Some((found, expected)) => format!("expected {expected}, but found {found}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        BodyEnd, Delivery, DeliveryCell,
        render::{ndjson::line, tests::full},
    };

    #[track_caller]
    fn round_trips(recorded: &Recorded) {
        let parsed = parse(&line(recorded)).unwrap();

        assert_eq!(parsed.id, recorded.id);
        assert_eq!(parsed.exchange, recorded.exchange);
        assert_eq!(parsed.redactions, recorded.redactions);
        assert_eq!(parsed.delivery.get(), recorded.delivery.get());
    }

    #[test]
    fn what_is_written_is_read_back() {
        round_trips(&full());
        for delivery in [Delivery::Pending, Delivery::Aborted] {
            round_trips(&Recorded { delivery: DeliveryCell::new(delivery), ..full() });
        }
        for end in [BodyEnd::Broken, BodyEnd::TimedOut, BodyEnd::TooLarge] {
            let mut recorded = full();
            recorded.exchange.request.body = (0..=255).collect::<Vec<u8>>().into();
            recorded.exchange.request.body_end = end;
            recorded.exchange.operation = None;
            round_trips(&recorded);
        }
    }

    #[test]
    fn err_names_the_field() {
        let e = |pointer: &str, value: Value| {
            let mut json: Value = serde_json::from_str(&line(&full())).unwrap();
            *json.pointer_mut(pointer).unwrap() = value;
            parse(&json.to_string()).unwrap_err().to_string()
        };

        assert_eq!(e("/id", json!(-1)), "/id: expected u64, but found integer `-1`");
        assert_eq!(
            e("/step", json!("jump")),
            "/step: expected one of `route`, `authorize`, `body`, `validate`, `state`, `answer`, but found `jump`"
        );
        assert_eq!(
            e("/request/headers/3", json!(["a"])),
            "/request/headers/3: expected a tuple of size 2, but found 1"
        );
        assert_eq!(
            e("/request/headers/3/1", json!(5)),
            "/request/headers/3/1: a string, or an object with base64"
        );
        assert_eq!(
            e("/request/body", json!({"base64": "?"})),
            "/request/body/base64: expected base64, but found Invalid symbol 63, offset 0."
        );
        assert_eq!(
            e("/request/body", json!({})),
            "/request/body: expected either text or base64, but found neither"
        );
        assert!(
            e("/violations/0/rule", json!("nope"))
                .starts_with("/violations/0/rule: expected one of `capacity`")
        );
        assert_eq!(
            e("/reply/body/text", json!("{ }")),
            "/reply/body/bytes: expected 3, as the body has, but found `2`"
        );
        assert!(e("/reply/body/text", json!("[]")).starts_with("/reply/body/sha256: expected 4f53"));
        assert!(
            e("/received", json!("today")).starts_with("/received: "),
            "{}",
            e("/received", json!("today"))
        );
        assert_eq!(
            e("/request/body/complete", json!(false)),
            "/request/body/complete: expected false with a bodyEnd, true without, but found `false`"
        );
    }

    #[test]
    fn err_for_what_is_no_json_or_no_exchange() {
        let e = |line: &str| parse(line).unwrap_err().to_string();

        assert_eq!(
            e("{"),
            "expected an exchange as one line of JSON, but found EOF while parsing an object at line 1 column 1"
        );
        assert_eq!(e("5"), "expected struct Line, but found integer `5`");
        let deep = format!(r#"{{"request":{{"headers":[["a",{}"#, "[".repeat(100_000));
        assert!(e(&deep).contains("recursion limit"), "{}", e(&deep));
        assert!(e(&format!("{} 5", line(&full()))).contains("trailing characters"));
    }

    #[test]
    fn no_single_change_makes_it_panic() {
        let line = line(&full());
        for index in 0..line.len() {
            for byte in [b'0', b'"', b'{', b' '] {
                let mut changed = line.clone().into_bytes();
                changed[index] = byte;
                if let Ok(changed) = std::str::from_utf8(&changed) {
                    let _ = parse(changed);
                    let _ = parse(
                        &changed[..(0..=index).rev().find(|&end| changed.is_char_boundary(end)).unwrap()],
                    );
                }
            }
        }
    }
}
