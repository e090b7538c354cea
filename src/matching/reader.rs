//! Reading a matcher from JSON.

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

/// The members of an object, which are taken out one by one; null is as good as absent.
pub(crate) struct Members(Map<String, Value>);

impl Members {
    pub(crate) fn parse(text: &[u8]) -> Result<Self, MatcherError> {
        match json::parse(text).map_err(|error| MatcherError::new(error.to_string()))? {
            Value::Object(members) => Ok(Self(members)),
            other => Err(MatcherError::new(format!("expected an object, but found `{}`", cut(other)))),
        }
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.swap_remove(name).filter(|value| !value.is_null())
    }

    /// The member, read as the type that is expected.
    pub(crate) fn read<T: DeserializeOwned>(
        &mut self,
        name: &str,
        expected: &str,
    ) -> Result<Option<T>, MatcherError> {
        self.take(name)
            .map(|value| T::deserialize(&value).map_err(|_| unexpected(name, expected, &value)))
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
                let text =
                    item.as_str().ok_or_else(|| unexpected(name, "a string or a list of strings", item))?;
                text.parse().map_err(|expected: String| unexpected(name, &expected, item))
            })
            .collect()
    }

    /// Takes the conditions of a matcher out.
    pub(crate) fn matcher(&mut self) -> Result<Matcher, MatcherError> {
        Ok(Matcher {
            operation: self.read("operation", "a string")?,
            outcome: self.texts("outcome")?,
            status: self.read("status", "a status such as 412")?,
            path: self.read("path", "a string")?,
            header: self.texts::<Named>("header")?,
            query: self.texts::<Named>("query")?,
            contains: self.read("contains", "a string")?,
            body: self.take("body"),
        })
    }

    /// Refuses what is left; `others` are the members beside a matcher's.
    pub(crate) fn end(self, others: &[&str]) -> Result<(), MatcherError> {
        let Some(name) = self.0.keys().next() else { return Ok(()) };
        let known = CONDITIONS.iter().chain(others).copied().collect::<Vec<_>>();
        let (last, first) = known.split_last().unwrap_or((&"", &[]));
        Err(MatcherError::new(format!("expected {} or {last}, but found `{name}`", first.join(", "))))
    }
}

fn unexpected(name: &str, expected: &str, found: &Value) -> MatcherError {
    MatcherError::new(format!("/{name}: expected {expected}, but found `{}`", cut(found)))
}

impl Matcher {
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

const CONDITIONS: [&str; 8] =
    ["operation", "outcome", "status", "path", "header", "query", "contains", "body"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn err_matcher() {
        let e = |json: &str| Matcher::from_json(json.as_bytes()).unwrap_err().to_string();

        assert_eq!(e("[]"), "expected an object, but found `[]`");
        assert_eq!(e(r#"{"operation":5}"#), "/operation: expected a string, but found `5`");
        assert_eq!(e(r#"{"status":"x"}"#), r#"/status: expected a status such as 412, but found `"x"`"#);
        assert_eq!(
            e(r#"{"outcome":["refused","lost"]}"#),
            r#"/outcome: expected answered, refused or unmatched, but found `"lost"`"#
        );
        assert_eq!(e(r#"{"outcome":5}"#), "/outcome: expected a string or a list of strings, but found `5`");
        assert_eq!(e(r#"{"header":"=x"}"#), r#"/header: expected a name, or NAME=VALUE, but found `"=x"`"#);
        assert_eq!(
            e(r#"{"boby":1}"#),
            "expected operation, outcome, status, path, header, query, contains or body, but found `boby`"
        );
        assert_eq!(e("{"), "expected JSON, but found the end of the text at line 1, within an object");
        assert_eq!(e(&"[".repeat(1000)), "expected JSON nested at most 128 deep, but found deeper nesting");
    }

    #[test]
    fn null_is_as_good_as_absent() {
        assert_eq!(Matcher::from_json(br#"{"status":null,"outcome":null}"#), Ok(Matcher::default()));
    }
}
