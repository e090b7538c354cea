//! Reading a matcher, from JSON or from the parameters of a query.

use std::{fmt, str::FromStr};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Matcher, Named, comparison::cut};
use crate::{Outcome, json};

/// Why a text is no [`Matcher`], or no [`Expectation`](crate::Expectation).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MatcherError(String);

impl MatcherError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for MatcherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MatcherError {}

/// A condition that a matcher may have.
pub(crate) struct Condition {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
}

/// How the value of a condition is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// As JSON only, which a query has no place for.
    Json,
    /// As one text.
    One,
    /// As one text, or several: a list in JSON, a parameter more than once in a query.
    Several,
}

/// Every condition there is.
pub(crate) static CONDITIONS: [Condition; 10] = [
    Condition { name: "operation", form: Form::One },
    Condition { name: "outcome", form: Form::Several },
    Condition { name: "status", form: Form::One },
    Condition { name: "session", form: Form::One },
    Condition { name: "script", form: Form::One },
    Condition { name: "path", form: Form::One },
    Condition { name: "header", form: Form::Several },
    Condition { name: "query", form: Form::Several },
    Condition { name: "contains", form: Form::One },
    Condition { name: "body", form: Form::Json },
];

/// The members of an object, which are taken out one by one; null is as good as absent.
pub(crate) struct Members {
    members: Map<String, Value>,
    /// What a complaint has before the name of a member.
    before: &'static str,
}

impl Members {
    /// Reads the members. There is a limit to them, since each exchange may be compared with all of them.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, MatcherError> {
        if text.len() > Matcher::MAX_BYTES {
            let (most, found) = (Matcher::MAX_BYTES, text.len());
            return Err(MatcherError::new(format!("expected at most {most} bytes, but found {found}")));
        }
        let value = json::parse(text).map_err(|error| MatcherError::new(error.to_string()))?;
        check_size([&value])?;
        match value {
            Value::Object(members) => Ok(Self { members, before: "/" }),
            other => Err(MatcherError::new(format!("expected an object, but found `{}`", cut(other)))),
        }
    }

    /// The conditions among the parameters of a query, of which those that are [`Form::Several`] may be there more
    /// than once. A number is one that is written so.
    pub(crate) fn of_parameters<'a>(
        parameters: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, MatcherError> {
        let mut members = Map::new();
        for (name, text) in parameters {
            match CONDITIONS.iter().find(|condition| condition.name == name).map(|condition| condition.form) {
                Some(Form::One) if name == "status" => {
                    let number = text.parse::<u16>().map_or_else(|_| text.into(), Value::from);
                    members.insert(name.to_owned(), number);
                }
                Some(Form::One) => drop(members.insert(name.to_owned(), text.into())),
                Some(Form::Several) => {
                    let list = members.entry(name).or_insert_with(|| Value::Array(Vec::new()));
                    list.as_array_mut().into_iter().for_each(|list| list.push(text.into()));
                }
                Some(Form::Json) | None => {}
            }
        }
        check_size(members.values())?;
        Ok(Self { members, before: "" })
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.swap_remove(name).filter(|value| !value.is_null())
    }

    /// The member, read as the type that is expected.
    pub(crate) fn read<T: DeserializeOwned>(
        &mut self,
        name: &str,
        expected: &str,
    ) -> Result<Option<T>, MatcherError> {
        self.take(name)
            .map(|value| T::deserialize(&value).map_err(|_| self.unexpected(name, expected, &value)))
            .transpose()
    }

    /// The member's strings: one, or a list of them.
    fn texts<T: FromStr<Err = String>>(&mut self, name: &str) -> Result<Vec<T>, MatcherError> {
        let items = match self.take(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(one) => vec![one],
        };
        items
            .iter()
            .map(|item| {
                let text = item
                    .as_str()
                    .ok_or_else(|| self.unexpected(name, "a string or a list of strings", item))?;
                text.parse().map_err(|expected: String| self.unexpected(name, &expected, item))
            })
            .collect()
    }

    /// Takes the conditions of a matcher out.
    pub(crate) fn matcher(&mut self) -> Result<Matcher, MatcherError> {
        Ok(Matcher {
            operation: self.read("operation", "a string")?,
            outcome: self.texts("outcome")?,
            status: self.status()?,
            session: self.read("session", "a string")?,
            script: self.read("script", "a string")?,
            path: self.read("path", "a string")?,
            header: self.texts::<Named>("header")?,
            query: self.texts::<Named>("query")?,
            contains: self.read("contains", "a string")?,
            body: self.take("body"),
        })
    }

    /// Refuses what is left; `others` are the members beside a matcher's.
    pub(crate) fn end(self, others: &[&str]) -> Result<(), MatcherError> {
        let Some(name) = self.members.keys().next() else { return Ok(()) };
        let conditions = CONDITIONS.iter().map(|condition| condition.name);
        let known = conditions.chain(others.iter().copied()).collect::<Vec<_>>();
        let (last, first) = known.split_last().unwrap_or((&"", &[]));
        Err(MatcherError::new(format!("expected {} or {last}, but found `{name}`", first.join(", "))))
    }

    fn status(&mut self) -> Result<Option<u16>, MatcherError> {
        const STATUS: &str = "a status such as 412";
        let status = self.read::<u16>("status", STATUS)?;
        match status {
            Some(status) if !(100..=599).contains(&status) => {
                Err(self.unexpected("status", STATUS, &status.into()))
            }
            status => Ok(status),
        }
    }

    fn unexpected(&self, name: &str, expected: &str, found: &Value) -> MatcherError {
        let found = match found {
            // In a query nothing tells a string from another value.
            Value::String(text) if self.before.is_empty() => cut(text),
            other => cut(other),
        };
        MatcherError::new(format!("{}{name}: expected {expected}, but found `{found}`", self.before))
    }
}

/// Fails when there are more values than exchanges are compared with.
fn check_size<'a>(all: impl IntoIterator<Item = &'a Value>) -> Result<(), MatcherError> {
    let (most, found) = (Matcher::MAX_VALUES, all.into_iter().map(values).sum::<usize>());
    if found > most {
        return Err(MatcherError::new(format!(
            "expected at most {most} values, those within others included, but found {found}"
        )));
    }
    Ok(())
}

/// How many values there are in a value, itself included.
fn values(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(values).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(values).sum::<usize>(),
        _ => 1,
    }
}

impl Matcher {
    /// How long the JSON of a matcher or of an expectation may be, in bytes.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// How many values there may be in it: strings, numbers, lists, objects and what is in them.
    pub const MAX_VALUES: usize = 1000;

    /// Reads the fields of a matcher as members of an object. `outcome`, `header` and `query` may be one string or a
    /// list of them; a header or parameter is `NAME` or `NAME=VALUE`.
    pub fn from_json(text: &[u8]) -> Result<Self, MatcherError> {
        let mut members = Members::parse(text)?;
        let matcher = members.matcher()?;
        members.end(&[])?;
        Ok(matcher)
    }
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Answered, Self::Refused, Self::Unmatched];
        all.into_iter()
            .find(|outcome| outcome.name() == text)
            .ok_or_else(|| "answered, refused or unmatched".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn err_matcher() {
        let e = |json: &str| Matcher::from_json(json.as_bytes()).unwrap_err().to_string();

        assert_eq!(e("[]"), "expected an object, but found `[]`");
        assert_eq!(e(r#"{"operation":5}"#), "/operation: expected a string, but found `5`");
        assert_eq!(e(r#"{"status":"x"}"#), r#"/status: expected a status such as 412, but found `"x"`"#);
        assert_eq!(e(r#"{"status":99}"#), "/status: expected a status such as 412, but found `99`");
        assert_eq!(
            e(r#"{"outcome":["refused","lost"]}"#),
            r#"/outcome: expected answered, refused or unmatched, but found `"lost"`"#
        );
        assert_eq!(e(r#"{"outcome":5}"#), "/outcome: expected a string or a list of strings, but found `5`");
        assert_eq!(e(r#"{"header":"=x"}"#), r#"/header: expected a name, or NAME=VALUE, but found `"=x"`"#);
        assert_eq!(
            e(r#"{"boby":1}"#),
            "expected operation, outcome, status, session, script, path, header, query, contains or body, but found `boby`"
        );
        assert_eq!(e("{"), "expected JSON, but found the end of the text at line 1, within an object");
        assert_eq!(e(&"[".repeat(1000)), "expected JSON nested at most 128 deep, but found deeper nesting");
    }

    #[test]
    fn the_parameters_of_a_query_say_the_same_as_json() {
        let pairs = [
            ("operation", "createAgent"),
            ("outcome", "refused"),
            ("header", "accountId=1"),
            ("outcome", "unmatched"),
            ("status", "412"),
            ("path", "/a"),
            ("query", "x"),
            ("contains", "5"),
            ("after", "3"),
        ];
        let json = br#"{"operation":"createAgent","outcome":["refused","unmatched"],"header":"accountId=1",
            "status":412,"path":"/a","query":["x"],"contains":"5"}"#;

        let mut members = Members::of_parameters(pairs.into_iter()).unwrap();

        assert_eq!(members.matcher(), Matcher::from_json(json));
        let e = |pair| Members::of_parameters([pair].into_iter()).unwrap().matcher().unwrap_err().to_string();
        assert_eq!(
            e(("outcome", "lost")),
            "outcome: expected answered, refused or unmatched, but found `lost`"
        );
        assert_eq!(e(("status", "70000")), "status: expected a status such as 412, but found `70000`");
        assert_eq!(e(("header", "=x")), "header: expected a name, or NAME=VALUE, but found `=x`");
        let many = Members::of_parameters(std::iter::repeat_n(("header", "x"), 1000));
        assert_eq!(
            many.err().unwrap().to_string(),
            "expected at most 1000 values, those within others included, but found 1001"
        );
    }

    #[test]
    fn there_is_a_limit_to_what_each_exchange_is_compared_with() {
        let of = |count: usize| format!(r#"{{"body":[{}]}}"#, vec!["{}"; count].join(","));
        assert!(Matcher::from_json(of(Matcher::MAX_VALUES - 2).as_bytes()).is_ok());
        assert_eq!(
            Matcher::from_json(of(Matcher::MAX_VALUES - 1).as_bytes()).unwrap_err().to_string(),
            "expected at most 1000 values, those within others included, but found 1001"
        );

        let long = |length: usize| format!(r#"{{"path":"{}"}}"#, "x".repeat(length - 11));
        assert!(Matcher::from_json(long(Matcher::MAX_BYTES).as_bytes()).is_ok());
        assert_eq!(
            Matcher::from_json(long(Matcher::MAX_BYTES + 1).as_bytes()).unwrap_err().to_string(),
            "expected at most 65536 bytes, but found 65537"
        );
    }

    #[test]
    fn null_is_as_good_as_absent() {
        assert_eq!(Matcher::from_json(br#"{"status":null,"outcome":null}"#), Ok(Matcher::default()));
    }
}
