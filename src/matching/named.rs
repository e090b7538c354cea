//! A header or a parameter of the query that is asked for by name, and perhaps by value.

use std::{borrow::Cow, fmt, str::FromStr};

use super::comparison::Comparison;
use crate::{Request, percent, token};

/// A name that has to be there, and with it a value, when one is given: `NAME` or `NAME=VALUE`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The value that one of that name has to have; any when it is not set. Of a token in a journal it is the client's
    /// id, since the token itself is not there.
    pub value: Option<String>,
}

impl Named {
    /// Compares with the values that there are under the name.
    fn compare<'a>(
        &self,
        place: &str,
        found: impl Iterator<Item = Cow<'a, str>> + Clone,
        is: impl Fn(&str, &str) -> bool,
        comparison: &mut Comparison,
    ) {
        let holds = match &self.value {
            Some(value) => found.clone().any(|found| is(&found, value)),
            None => found.clone().next().is_some(),
        };
        let expected = self.value.as_deref().unwrap_or("anything");
        let pointer = format!("/{place}/{}", self.name);
        comparison.condition(&pointer, expected, holds, Listed(found));
    }

    pub(super) fn compare_header(&self, request: &Request, comparison: &mut Comparison) {
        let values = request
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(&self.name))
            .map(|(_, value)| String::from_utf8_lossy(value));
        let values: Vec<_> = values.collect();
        let is = |found: &str, value: &str| found == value || token::is_of(found, value);
        self.compare("header", values.into_iter(), is, comparison);
    }
}

/// Compares the parameters of a query.
pub(super) fn compare_query(expected: &[Named], request: &Request, comparison: &mut Comparison) {
    let pairs: Vec<_> = percent::pairs(request.query().unwrap_or_default()).collect();
    for named in expected {
        let found = pairs
            .iter()
            .filter(|(name, _)| *name == named.name)
            .map(|(_, value)| Cow::Borrowed(value.as_ref()));
        named.compare("query", found, |found, value| found == value, comparison);
    }
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        if name.is_empty() {
            return Err("a name, or NAME=VALUE".to_owned());
        }
        Ok(Self { name: name.to_owned(), value })
    }
}

/// Some values, or `nothing`.
struct Listed<I>(I);

impl<'a, I: Iterator<Item = Cow<'a, str>> + Clone> fmt::Display for Listed<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, value) in self.0.clone().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{value}")?;
        }
        if self.0.clone().next().is_none() {
            f.write_str("nothing")?;
        }
        Ok(())
    }
}
