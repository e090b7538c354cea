//! The query of a control call.

use std::{borrow::Cow, str::FromStr, time::Duration};

use jiff::SignedDuration;

use super::{ControlState, reply::Refused};
use crate::{Filter, Matcher, near, percent};

/// The parameters of a query. Those without a value count as not given.
pub(super) struct Params(Vec<(&'static str, String)>);

impl Params {
    /// Reads a query that may have these parameters, each of them once.
    pub(super) fn parse(query: Option<&str>, known: &[&'static str]) -> Result<Self, Refused> {
        let mut params: Vec<(&'static str, String)> = Vec::new();
        for pair in query.unwrap_or_default().split('&') {
            if pair.is_empty() {
                continue;
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name)?;
            let Some(&name) = known.iter().find(|&&known| known == name) else {
                let expected = if known.is_empty() {
                    "no parameters".to_owned()
                } else {
                    format!("parameters among {}", known.join(", "))
                };
                let hint = near::hint(&name, known.iter().copied());
                return Err(Refused::bad(format!("expected {expected}, but found `{name}`{hint}")));
            };
            if params.iter().any(|(other, _)| *other == name) {
                return Err(Refused::bad(format!("expected the parameter {name} once, but found it twice")));
            }
            params.push((name, decoded(value)?.into_owned()));
        }
        params.retain(|(_, value)| !value.is_empty());
        Ok(Self(params))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refused> {
        self.text(name)
            .map(|text| text.parse().map_err(|_| unexpected(name, "a number that is not negative", text)))
            .transpose()
    }

    /// A time such as `5s` or `500ms`, at most `max`.
    pub(super) fn time(&self, name: &str, max: Duration) -> Result<Option<Duration>, Refused> {
        self.text(name)
            .map(|text| {
                text.parse()
                    .ok()
                    .and_then(|time: SignedDuration| Duration::try_from(time).ok())
                    .filter(|&time| time <= max)
                    .ok_or_else(|| {
                        let seconds = max.as_secs();
                        let expected = format!("a time such as 5s or 500ms, at most {seconds}s");
                        unexpected(name, &expected, text)
                    })
            })
            .transpose()
    }

    pub(super) fn filter(&self, state: &ControlState) -> Result<Filter, Refused> {
        if let Some(operation) = self.text("operation") {
            known_operation(state, "operation", operation)?;
        }
        let status = match self.text("status") {
            None => None,
            Some(text) => Some(
                text.parse()
                    .ok()
                    .filter(|status| (100..=599).contains(status))
                    .ok_or_else(|| unexpected("status", "a status such as 412", text))?,
            ),
        };
        let outcome = match self.text("outcome") {
            None => None,
            Some(text) => {
                Some(text.parse().map_err(|expected: String| unexpected("outcome", &expected, text))?)
            }
        };
        Ok(Filter {
            matcher: Matcher {
                operation: self.text("operation").map(str::to_owned),
                status,
                outcome: outcome.into_iter().collect(),
                contains: self.text("contains").map(str::to_owned),
                ..Matcher::default()
            },
            after: self.number("after")?.unwrap_or(0),
        })
    }
}

/// A filter for an operation that is not there would match nothing, and look like an answer.
pub(super) fn known_operation(state: &ControlState, name: &str, id: &str) -> Result<(), Refused> {
    if state.contract.operation(id).is_some() {
        return Ok(());
    }
    let ids: Vec<_> = state.contract.operations().iter().map(|operation| &*operation.id).collect();
    let hint = near::hint(id, ids.iter().copied());
    let expected = format!("an operation among {}", ids.join(", "));
    Err(Refused::bad(format!("{name}: expected {expected}, but found `{id}`{hint}")))
}

pub(super) fn unexpected(name: &str, expected: &str, found: &str) -> Refused {
    Refused::bad(format!("{name}: expected {expected}, but found `{found}`"))
}

/// A part of a query, decoded as forms encode it.
fn decoded(text: &str) -> Result<Cow<'_, str>, Refused> {
    percent::decode_form(text).map_err(|found| {
        Refused::bad(format!("expected percent-encoded UTF-8 in the query, but found {found}"))
    })
}
