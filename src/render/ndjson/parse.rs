//! Reading exchanges back.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    BodyEnd, DeliveryCell, Exchange, Headers, Reading, Recorded, Reply, Request, Step, Violation,
    render::sha256,
};

/// Why a text is no journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ParseError {
    /// The line, from 1 on, when several were read.
    line: Option<usize>,
    pointer: String,
    expected: String,
    found: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.pointer.is_empty() {
            write!(f, "{}: ", self.pointer)?;
        }
        write!(f, "expected {}, but found {}", self.expected, self.found)
    }
}

impl std::error::Error for ParseError {}

/// Reads one line. What follows from the rest (`outcome`, `message`, `bytes`, `sha256`) may be missing, but the two of
/// the body must be right when they are there. Unknown members are ignored.
pub fn parse(line: &str) -> Result<Recorded, ParseError> {
    let value: Value = serde_json::from_str(line).map_err(|error| ParseError {
        line: None,
        pointer: String::new(),
        expected: "an exchange as one line of JSON".to_owned(),
        found: error.to_string(),
    })?;
    recorded(&Node { pointer: String::new(), value: &value })
}

/// Reads a whole file; empty lines are skipped.
pub fn read(lines: &str) -> Result<Vec<Recorded>, ParseError> {
    lines
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !is_gap(line))
        .map(|(index, line)| parse(line).map_err(|error| ParseError { line: Some(index + 1), ..error }))
        .collect()
}

/// Whether a line of an export says how many exchanges are missing there, and has none.
fn is_gap(line: &str) -> bool {
    let count = line.trim().strip_prefix("{\"dropped\":").and_then(|rest| rest.strip_suffix('}'));
    count.is_some_and(|count| count.parse::<u64>().is_ok())
}

fn recorded(line: &Node<'_>) -> Result<Recorded, ParseError> {
    let request = line.member("request")?;
    let reply = line.member("reply")?;
    let (body, body_end) = body(&request.member("body")?)?;
    let received = line.member("received")?;
    let operation = line.optional("operation")?;
    Ok(Recorded {
        id: line.member("id")?.read("a number")?,
        exchange: Exchange {
            request: Request {
                method: request.member("method")?.text()?.to_owned(),
                target: request.member("target")?.text()?.to_owned(),
                headers: headers(&request.member("headers")?)?,
                body,
                body_end,
                received: received
                    .text()?
                    .parse()
                    .map_err(|_| received.unexpected("a time such as 2026-08-01T12:30:00Z"))?,
            },
            reply: Reply {
                status: reply.member("status")?.read("a status code")?,
                headers: headers(&reply.member("headers")?)?,
                body: self::body(&reply.member("body")?)?.0,
            },
            operation: operation.map(|operation| operation.text().map(Into::into)).transpose()?,
            step: step(line)?,
            violations: list(line, "violations", |item| item.read::<Violation>(VIOLATION))?,
            more_violations: match line.optional("moreViolations")? {
                Some(more) => more.read("true or false")?,
                None => false,
            },
            readings: list(line, "readings", |item| item.read::<Reading>(READING))?,
        },
        delivery: DeliveryCell::new(line.member("delivery")?.read("pending, sent or aborted")?),
    })
}

fn step(line: &Node<'_>) -> Result<Step, ParseError> {
    line.member("step")?.read("route, authorize, body, validate or answer")
}

fn list<T>(
    line: &Node<'_>,
    name: &str,
    item: impl Fn(&Node<'_>) -> Result<T, ParseError>,
) -> Result<Vec<T>, ParseError> {
    match line.optional(name)? {
        Some(list) => list.items()?.iter().map(item).collect(),
        None => Ok(Vec::new()),
    }
}

fn headers(list: &Node<'_>) -> Result<Headers, ParseError> {
    let mut headers = Headers::default();
    let mut bytes = 0_usize;
    for pair in list.items()? {
        let items = pair.items()?;
        let [name, value] = items.as_slice() else {
            return Err(pair.unexpected("a name and a value"));
        };
        let name = name.text()?;
        let binary;
        let value = match value.value {
            Value::String(value) => value.as_bytes(),
            Value::Object(_) => {
                binary = value.member("base64")?.base64()?;
                &binary
            }
            _ => return Err(value.unexpected("a string or an object with base64")),
        };
        bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
        if u32::try_from(bytes).is_err() {
            return Err(list.unexpected("less than 4 GiB of headers"));
        }
        headers.push(name, value);
    }
    Ok(headers)
}

fn body(node: &Node<'_>) -> Result<(Bytes, BodyEnd), ParseError> {
    let body = match (node.optional("text")?, node.optional("base64")?) {
        (Some(text), None) => Bytes::copy_from_slice(text.text()?.as_bytes()),
        (None, Some(base64)) => base64.base64()?.into(),
        _ => return Err(node.unexpected("either text or base64")),
    };
    if let Some(bytes) = node.optional("bytes")?
        && bytes.value.as_u64() != Some(body.len() as u64)
    {
        return Err(bytes.unexpected(&format!("{}, as the body has", body.len())));
    }
    if let Some(hash) = node.optional("sha256")? {
        let actual = sha256(&body);
        if hash.text()? != actual {
            return Err(hash.unexpected(&format!("{actual}, as the body has")));
        }
    }
    let end = match node.optional("bodyEnd")? {
        Some(end) => end.read("broken, timedOut or tooLarge")?,
        None => BodyEnd::Complete,
    };
    if let Some(complete) = node.optional("complete")?
        && complete.read::<bool>("true or false")? != (end == BodyEnd::Complete)
    {
        return Err(complete.unexpected("false with a bodyEnd, true without"));
    }
    Ok((body, end))
}

/// A value and where it is.
struct Node<'a> {
    pointer: String,
    value: &'a Value,
}

impl<'a> Node<'a> {
    fn member(&self, name: &str) -> Result<Node<'a>, ParseError> {
        self.optional(name)?.ok_or_else(|| ParseError {
            line: None,
            pointer: format!("{}/{name}", self.pointer),
            expected: "it to be there".to_owned(),
            found: "nothing".to_owned(),
        })
    }

    /// The member, unless it is missing or null.
    fn optional(&self, name: &str) -> Result<Option<Node<'a>>, ParseError> {
        let Value::Object(members) = self.value else {
            return Err(self.unexpected("an object"));
        };
        Ok(members
            .get(name)
            .filter(|value| !value.is_null())
            .map(|value| Node { pointer: format!("{}/{name}", self.pointer), value }))
    }

    fn items(&self) -> Result<Vec<Node<'a>>, ParseError> {
        let Value::Array(items) = self.value else {
            return Err(self.unexpected("an array"));
        };
        Ok(items
            .iter()
            .enumerate()
            .map(|(index, value)| Node { pointer: format!("{}/{index}", self.pointer), value })
            .collect())
    }

    fn text(&self) -> Result<&'a str, ParseError> {
        self.value.as_str().ok_or_else(|| self.unexpected("a string"))
    }

    fn base64(&self) -> Result<Vec<u8>, ParseError> {
        BASE64_STANDARD.decode(self.text()?).map_err(|_| self.unexpected("base64"))
    }

    fn read<T: DeserializeOwned>(&self, expected: &str) -> Result<T, ParseError> {
        T::deserialize(self.value).map_err(|_| self.unexpected(expected))
    }

    fn unexpected(&self, expected: &str) -> ParseError {
        const MAX: usize = 60;
        let text = self.value.to_string();
        let cut = match text.char_indices().nth(MAX) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text,
        };
        ParseError {
            line: None,
            pointer: self.pointer.clone(),
            expected: expected.to_owned(),
            found: format!("`{cut}`"),
        }
    }
}

const VIOLATION: &str = "a violation with pointer, rule, expected, found and source";
const READING: &str = "a reading with ledger, pointer and note";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Delivery;
    use crate::render::{ndjson::line, tests::full};

    #[track_caller]
    fn round_trips(recorded: &Recorded) {
        let parsed = parse(&line(recorded)).unwrap();

        assert_eq!(parsed.id, recorded.id);
        assert_eq!(parsed.exchange, recorded.exchange);
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
    fn a_file_is_read_line_by_line() {
        let line = line(&full());

        assert_eq!(read(&format!("{line}\r\n\n{line}\n")).unwrap().len(), 2);
        assert_eq!(read("").unwrap().len(), 0);
        assert_eq!(
            read(&format!("{line}\n\n{{}}")).unwrap_err().to_string(),
            "line 3: /request: expected it to be there, but found nothing"
        );
    }

    #[test]
    fn err_names_the_field() {
        let e = |pointer: &str, value: Value| {
            let mut json: Value = serde_json::from_str(&line(&full())).unwrap();
            *json.pointer_mut(pointer).unwrap() = value;
            parse(&json.to_string()).unwrap_err().to_string()
        };

        assert_eq!(e("/id", json!(-1)), "/id: expected a number, but found `-1`");
        assert_eq!(
            e("/request/headers/3", json!(["a"])),
            r#"/request/headers/3: expected a name and a value, but found `["a"]`"#
        );
        assert_eq!(
            e("/request/headers/2/1/base64", json!("?")),
            r#"/request/headers/2/1/base64: expected base64, but found `"?"`"#
        );
        assert_eq!(
            e("/violations/0/rule", json!("nope")).split(", but").next(),
            Some("/violations/0: expected a violation with pointer, rule, expected, found and source")
        );
        assert_eq!(
            e("/reply/body/text", json!("{ }")),
            "/reply/body/bytes: expected 3, as the body has, but found `2`"
        );
        assert!(e("/reply/body/text", json!("[]")).starts_with("/reply/body/sha256: expected 4f53"));
        assert_eq!(
            e("/received", json!("today")),
            r#"/received: expected a time such as 2026-08-01T12:30:00Z, but found `"today"`"#
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
        assert_eq!(e("5"), "expected an object, but found `5`");
        assert!(e(&"[".repeat(100_000)).contains("recursion limit"));
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
