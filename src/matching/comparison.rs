//! In what an exchange agrees with a matcher, and in what it differs.

use std::{
    cell::OnceCell,
    fmt::{self, Display, Write},
};

use serde::Serialize;
use serde_json::{Number, Value};

use crate::{BodyEnd, Request, json, pointer::escape};

/// One thing in which an exchange differs from what is expected.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Difference {
    /// Where: `/operation`, `/outcome` and so on, or a JSON pointer such as `/body/emailId`.
    pub pointer: String,
    /// What is expected there, cut when it is long; of a body, as JSON.
    pub expected: String,
    /// What is there, cut when it is long; `nothing` when there is nothing.
    pub found: String,
}

/// What agrees and what does not.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    /// How many of the expected values are there.
    pub(crate) matching: u64,
    /// The first few things that differ.
    pub(crate) differences: Vec<Difference>,
    differs: bool,
    most: usize,
}

impl Comparison {
    /// A comparison that puts up to `most` differences into words; with 0 it is over at the first one.
    pub(super) fn new(most: usize) -> Self {
        Self { matching: 0, differences: Vec::new(), differs: false, most }
    }

    /// Whether nothing differs.
    pub(crate) fn agrees(&self) -> bool {
        !self.differs
    }

    /// Whether there is nothing more to find out.
    pub(super) fn is_over(&self) -> bool {
        self.differs && self.most == 0
    }

    /// Notes whether a condition holds, and what is there when it does not.
    pub(super) fn condition(
        &mut self,
        pointer: &str,
        expected: impl Display,
        holds: bool,
        found: impl Display,
    ) {
        if holds {
            self.matching += 1;
        } else {
            self.differs(pointer, expected, found);
        }
    }

    /// Notes a difference; it is put into words only while there is room for it.
    pub(super) fn differs(&mut self, pointer: &str, expected: impl Display, found: impl Display) {
        self.differs = true;
        if !self.is_full() {
            self.differences.push(Difference {
                pointer: pointer.to_owned(),
                expected: cut(expected),
                found: cut(found),
            });
        }
    }

    fn is_full(&self) -> bool {
        self.differences.len() == self.most
    }

    /// Compares a request's body with the part that is expected of it.
    pub(super) fn body(&mut self, expected: &Value, body: &Body) {
        let mut pointer = "/body".to_owned();
        match body.read() {
            Ok(found) => self.value(expected, found, &mut pointer),
            Err(found) => self.differs(&pointer, expected, found),
        }
    }

    fn value(&mut self, expected: &Value, found: &Value, pointer: &mut String) {
        match (expected, found) {
            (Value::Object(expected), Value::Object(found)) => {
                for (name, expected) in expected {
                    self.part(expected, found.get(name), &escape(name), pointer);
                }
            }
            (Value::Array(expected), Value::Array(found)) => {
                for (index, expected) in expected.iter().enumerate() {
                    if index >= found.len() && self.is_full() {
                        break;
                    }
                    self.part(expected, found.get(index), &index.to_string(), pointer);
                }
            }
            _ if equal(expected, found) => self.matching += 1,
            _ => self.differs(pointer, expected, found),
        }
    }

    fn part(&mut self, expected: &Value, found: Option<&Value>, name: &str, pointer: &mut String) {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(name);
        match found {
            Some(found) => self.value(expected, found, pointer),
            None => self.differs(pointer, expected, "nothing"),
        }
        pointer.truncate(length);
    }
}

/// The body of a request, which is read when somebody asks for it, and once.
pub(crate) struct Body<'a> {
    request: &'a Request,
    value: OnceCell<Result<Value, &'static str>>,
}

impl<'a> Body<'a> {
    pub(crate) fn of(request: &'a Request) -> Self {
        Self { request, value: OnceCell::new() }
    }

    /// The body as JSON, or what there is instead.
    fn read(&self) -> Result<&Value, &'static str> {
        let read = || match self.request {
            request if request.body_end != BodyEnd::Complete => Err("only its beginning"),
            request if request.body.is_empty() => Err("nothing"),
            request => json::parse(&request.body).map_err(|_| "something that is not JSON"),
        };
        self.value.get_or_init(read).as_ref().map_err(|found| *found)
    }
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || same_float(left, right),
        _ => left == right,
    }
}

/// Integers are compared exactly, so this is only for those that are written differently.
#[allow(clippy::float_cmp)] // `5` and `5.0` are the same number, `5` and `5.1` are not
fn same_float(left: &Number, right: &Number) -> bool {
    (left.is_f64() || right.is_f64()) && left.as_f64() == right.as_f64()
}

/// The text of a value, cut when it is long; what is cut off is not even rendered.
pub(super) fn cut(value: impl Display) -> String {
    let mut text = String::new();
    let mut cut = Cut { left: 200, out: &mut text };
    if write!(cut, "{value}").is_err() {
        text.push('…');
    }
    text
}

/// Writes the first bytes, and fails when there are more.
struct Cut<'a> {
    left: usize,
    out: &'a mut String,
}

impl Write for Cut<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() <= self.left {
            self.left -= text.len();
            return self.out.write_str(text);
        }
        let end = (0..=self.left).rev().find(|&end| text.is_char_boundary(end));
        self.left = 0;
        self.out.write_str(&text[..end.unwrap_or(0)])?;
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differences(expected: &Value, found: &Value) -> Vec<String> {
        let mut comparison = Comparison::new(20);
        comparison.value(expected, found, &mut String::new());
        assert_eq!(comparison.agrees(), comparison.differences.is_empty());
        comparison
            .differences
            .into_iter()
            .map(|it| format!("{} {} {}", it.pointer, it.expected, it.found))
            .collect()
    }

    #[test]
    fn a_part_is_enough() {
        for (expected, found) in [
            (json!({}), json!({"a": 1})),
            (json!({"a": {"b": 1}}), json!({"a": {"b": 1, "c": 2}})),
            (json!([1]), json!([1, 2])),
            (json!([{"a": 1}, {}]), json!([{"a": 1, "b": 2}, {"c": 3}])),
            (json!(5), json!(5.0)),
            (json!(null), json!(null)),
        ] {
            assert_eq!(differences(&expected, &found), [""; 0], "{expected}");
        }
    }

    #[test]
    fn everything_that_differs_is_named() {
        for (expected, found, difference) in [
            (json!({"a/b": 1}), json!({}), "/a~1b 1 nothing"),
            (json!([1, 2]), json!([1]), "/1 2 nothing"),
            (json!([1, 2]), json!([1, 3]), "/1 2 3"),
            (json!({"a": {}}), json!({"a": []}), "/a {} []"),
            (json!(5), json!("5"), r#" 5 "5""#),
            (
                json!(9_007_199_254_740_993_u64),
                json!(9_007_199_254_740_992_u64),
                " 9007199254740993 9007199254740992",
            ),
        ] {
            assert_eq!(differences(&expected, &found), [difference]);
        }
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let text = cut(json!("ü".repeat(500)));

        assert!(text.len() < 210 && text.ends_with("ü…"), "{text}");
    }

    #[test]
    fn a_body_is_read_as_deep_as_the_stub_reads_it() {
        let body = "[".repeat(json::MAX_DEPTH) + &"]".repeat(json::MAX_DEPTH);
        let mut comparison = Comparison::new(20);

        comparison.body(&json!([[]]), &Body::of(&Request::new("POST", "/").body(body)));

        assert_eq!(comparison.differences, []);
    }

    #[test]
    fn a_body_that_is_not_there_or_not_whole_does_not_match() {
        let found = |request: &Request| {
            let mut comparison = Comparison::new(20);
            comparison.body(&json!({}), &Body::of(request));
            comparison.differences.remove(0).found
        };
        let mut request = Request::new("POST", "/");

        assert_eq!(found(&request), "nothing");
        request.body = "{".into();
        assert_eq!(found(&request), "something that is not JSON");
        request.body_end = BodyEnd::Broken;
        assert_eq!(found(&request), "only its beginning");
    }
}
