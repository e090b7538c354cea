//! The one reader of JSON that a client sends: of members with the same name the last counts, and nesting has a limit.
//! A faster one for what leaves no doubt. And the writer of what many replies are made of, which writes the same as `serde_json`.

mod fault;
mod flat;
mod kind;
mod members;
mod view;

use std::fmt::{self, Write as _};

use serde::Deserialize;
use serde_json::Value;

pub(crate) use fault::faulty_word;
pub(crate) use flat::{Flat, FlatJson};
pub use kind::JsonType;
pub(crate) use members::members;
pub(crate) use view::View;

/// The deepest nesting that is read.
pub(crate) const MAX_DEPTH: usize = 128;

/// Why bytes are no JSON that is read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum JsonError {
    /// It nests deeper than [`MAX_DEPTH`].
    Depth,
    /// There is nothing.
    Empty,
    /// It is not UTF-8 from this offset on.
    Encoding(usize),
    /// It is not JSON; with what was found instead.
    Json(String),
}

impl JsonError {
    /// What was expected, as a phrase that completes "expected …".
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Depth => format!("JSON nested at most {MAX_DEPTH} deep"),
            Self::Empty => "a JSON body".to_owned(),
            Self::Encoding(_) => "JSON in UTF-8".to_owned(),
            Self::Json(_) => "JSON".to_owned(),
        }
    }

    /// What was found, as a phrase that completes "but found …".
    pub(crate) fn found(&self) -> String {
        match self {
            Self::Depth => "deeper nesting".to_owned(),
            Self::Empty => "nothing".to_owned(),
            Self::Encoding(offset) => format!("other bytes at offset {offset}"),
            Self::Json(found) => found.clone(),
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, but found {}", self.expected(), self.found())
    }
}

impl std::error::Error for JsonError {}

/// Reads JSON.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    if bytes.is_empty() {
        return Err(JsonError::Empty);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| JsonError::Encoding(error.valid_up_to()))?;
    let error = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    // serde_json's own limit refuses the last level that is allowed here.
    let error = match depth(bytes) {
        ..MAX_DEPTH => error,
        MAX_DEPTH => {
            let mut reader = serde_json::Deserializer::from_str(text);
            reader.disable_recursion_limit();
            match Value::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value)) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            }
        }
        _ => return Err(JsonError::Depth),
    };
    Err(JsonError::Json(if text.starts_with('\u{feff}') {
        "a byte order mark before it".to_owned()
    } else {
        fault::phrase(text, &error)
    }))
}

/// The bytes that a record or a reply has at most, most often.
pub(crate) const USUAL: usize = 2048;

/// A value as text.
pub(crate) fn text(value: &Value) -> String {
    let mut text = String::with_capacity(USUAL);
    write(value, &mut text);
    text
}

/// Adds a value as text: as `serde_json` writes it, but that strings without escapes are copied as they are.
pub(crate) fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => {
            // Writing to a string does not fail.
            let _ = write!(out, "{number}");
        }
        Value::String(text) => string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                string(name, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

/// Adds a string as text.
pub(crate) fn string(text: &str, out: &mut String) {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    // Without an end before the last byte, so that many bytes are looked at in one step.
    if text.bytes().fold(true, |plain, byte| plain & is_plain(byte)) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::to_string(text).unwrap_or_default());
    }
}

/// How deep the brackets of a text nest, those within strings left out; stops beyond the limit.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
        if deepest > MAX_DEPTH {
            break;
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_read_up_to_the_limit_and_no_deeper() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for depth in [1, MAX_DEPTH - 1, MAX_DEPTH] {
            assert!(parse(nested(depth).as_bytes()).is_ok(), "{depth}");
        }
        for depth in [MAX_DEPTH + 1, 100_000] {
            assert_eq!(parse(nested(depth).as_bytes()), Err(JsonError::Depth), "{depth}");
        }
        let in_a_string = format!("{{\"a\":\"{}\\\"{}\"}}", "[".repeat(200), "{".repeat(200));
        assert!(parse(in_a_string.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_no_json_is_told_in_one_sentence() {
        let cut = format!("{}1", "[".repeat(MAX_DEPTH));
        let cases: [(&[u8], &str); 6] = [
            (b"", "expected a JSON body, but found nothing"),
            (b"\"\xff\"", "expected JSON in UTF-8, but found other bytes at offset 1"),
            (b"\xef\xbb\xbf{}", "expected JSON, but found a byte order mark before it"),
            (b"{\"a\":1,}", "expected JSON, but found a comma before `}` at line 1 column 8"),
            (b"1e400", "expected JSON, but found a number that is too large at line 1 column 1"),
            (cut.as_bytes(), "expected JSON, but found the end of the text at line 1, within a list"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(parse(bytes).map_err(|error| error.to_string()), Err(expected.to_owned()));
        }
    }

    #[test]
    fn a_value_is_written_as_serde_json_writes_it() {
        let value = serde_json::json!({
            "": null, "a\"b": [], "plain ü": [true, false, -1, 1.5e300, 18_446_744_073_709_551_615_u64],
            "text": ["", "a\\b", "line\n", "\u{1}", "\u{7f}", "😀", "/"], "deep": {"er": {}},
        });
        assert_eq!(text(&value), value.to_string());
    }

    #[test]
    fn of_two_members_with_one_name_the_last_counts() {
        assert_eq!(parse(br#"{"a":1,"a":2}"#), Ok(serde_json::json!({"a": 2})));
    }
}
