//! The values of path, query and header parameters, decoded, under their canonical names.

use std::borrow::Cow;

use super::{findings::Findings, spellings};
use crate::{
    Operation, Reading, Request, Rule, Violation,
    contract::{Parameter, Place},
    percent,
    pointer::escape,
    violation::quote,
};

/// What was sent for each parameter of an operation.
#[derive(Default)]
pub(super) struct Arguments<'a>(Vec<(&'a Parameter, Sent)>);

/// What was sent for one parameter.
#[derive(Debug)]
pub(super) enum Sent {
    Missing,
    /// It is broken in a way that is already reported.
    Reported,
    Text(String),
}

impl<'a> Arguments<'a> {
    /// Collects the values, and reports those that cannot be decoded or are sent more than once.
    pub(super) fn of(
        operation: &'a Operation,
        path: &[(&str, Result<String, String>)],
        request: &Request,
        findings: &mut Findings,
        noted: &mut Vec<Reading>,
    ) -> Self {
        let query = query_pairs(operation, request.query().unwrap_or_default());
        let mut values = Vec::with_capacity(operation.parameters.len());
        for parameter in &operation.parameters {
            let (spelling, mut sent) = match parameter.place {
                Place::Path => {
                    let named = path.iter().filter(|(name, _)| *name == parameter.name);
                    (None, named.map(|(_, value)| value.clone()).collect())
                }
                Place::Query => spelt(parameter, |name| {
                    query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
                }),
                Place::Header => spelt(parameter, |name| header_values(request, name)),
            };
            if let Some((spelling, counts)) = spelling {
                let names = (parameter.name.as_str(), spelling);
                let pointer = pointer(parameter);
                noted.push(spellings::reading(&parameter.schema, names, counts, pointer));
            }
            let value = match (sent.len(), sent.pop()) {
                (_, None) => Sent::Missing,
                (1, Some(Ok(text))) => Sent::Text(text),
                (1, Some(Err(found))) => {
                    let expected = match parameter.place {
                        Place::Header => "text in UTF-8",
                        Place::Path | Place::Query => "percent-encoded UTF-8",
                    };
                    findings.push(violation(parameter, Rule::Format, expected.into(), found));
                    Sent::Reported
                }
                (count, _) => {
                    let expected = format!("one value for `{}`", parameter.name);
                    findings.push(violation(parameter, Rule::Repeated, expected, format!("{count} values")));
                    Sent::Reported
                }
            };
            values.push((parameter, value));
        }
        Self(values)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a Parameter, &Sent)> {
        self.0.iter().map(|(parameter, sent)| (*parameter, sent))
    }

    /// The text at a pointer such as `/header/accountId`.
    pub(super) fn text(&self, pointer: &str) -> Option<&str> {
        let (place, name) = pointer.strip_prefix('/')?.split_once('/')?;
        self.iter().find_map(|(parameter, sent)| match sent {
            Sent::Text(text) if parameter.place.name() == place && escape(&parameter.name) == name => {
                Some(text.as_str())
            }
            _ => None,
        })
    }
}

pub(super) fn pointer(parameter: &Parameter) -> String {
    format!("/{}/{}", parameter.place.name(), escape(&parameter.name))
}

pub(super) fn violation(parameter: &Parameter, rule: Rule, expected: String, found: String) -> Violation {
    Violation { pointer: pointer(parameter), source: parameter.schema.source_of(rule), rule, expected, found }
}

type Decoded = Vec<Result<String, String>>;

/// The values that count: those of the canonical name, else those of the first other spelling that is there.
/// With them the other spelling that is there, and whether it counts.
fn spelt(parameter: &Parameter, values: impl Fn(&str) -> Decoded) -> (Option<(&str, bool)>, Decoded) {
    let canonical = values(&parameter.name);
    for name in &parameter.accepts {
        let sent = values(name);
        match (sent.is_empty(), canonical.is_empty()) {
            (true, _) => {}
            (false, true) => return (Some((name, true)), sent),
            (false, false) => return (Some((name, false)), canonical),
        }
    }
    (None, canonical)
}

fn header_values(request: &Request, name: &str) -> Decoded {
    request
        .headers
        .bytes()
        .filter(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
        .map(|(_, value)| {
            std::str::from_utf8(value)
                .map(str::to_owned)
                .map_err(|_| format!("other bytes: {}", quote(&String::from_utf8_lossy(value))))
        })
        .collect()
}

/// The pairs of a query whose names matter to the operation. A name that cannot be decoded names nothing.
fn query_pairs(operation: &Operation, query: &str) -> Vec<(String, Result<String, String>)> {
    let known = |name: &str| {
        operation
            .parameters_in(Place::Query)
            .any(|parameter| parameter.name == name || parameter.accepts.iter().any(|other| other == name))
    };
    query
        .split('&')
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = percent::decode_form(name).ok().filter(|name| known(name))?;
            Some((name.into_owned(), percent::decode_form(value).map(Cow::into_owned)))
        })
        .collect()
}
