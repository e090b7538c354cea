//! Step 1: which operation is it? Paths match as sent; only the values of path parameters are decoded.

use super::{Refusal, hints, quote, values::percent_decode};
use crate::{Contract, Operation, Request, Rule, Violation, contract::Segment};

/// The operation that matched.
pub(super) struct Route<'a> {
    pub(super) operation: &'a Operation,
    /// Its position in the contract.
    pub(super) index: usize,
    /// The path's values, in the order in which the template names them; an error is a bad escape.
    pub(super) path_values: Vec<(&'a str, Result<String, String>)>,
}

pub(super) fn find<'a>(contract: &'a Contract, request: &Request) -> Result<Route<'a>, Box<Refusal>> {
    let operations = contract.operations();
    let path = request.path();
    let mut best: Option<(usize, usize)> = None;
    for (index, operation) in operations.iter().enumerate() {
        if operation.method == request.method
            && let Some(literals) = matches(operation, path)
            && best.is_none_or(|(most, _)| literals > most)
        {
            best = Some((literals, index));
        }
    }
    let Some((_, index)) = best else {
        return Err(Box::new(refusal(contract, request)));
    };
    let operation = &operations[index];
    let path_values = operation
        .segments
        .iter()
        .zip(segments(path))
        .filter_map(|(segment, sent)| match segment {
            Segment::Literal(_) => None,
            Segment::Parameter(name) => Some((name.as_str(), percent_decode(sent, false))),
        })
        .collect();
    Ok(Route { operation, index, path_values })
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

/// How many literal segments the path shares with an operation whose template it fits.
fn matches(operation: &Operation, path: &str) -> Option<usize> {
    // Bytes, because splitting short texts at a character costs more than everything else here.
    let mut sent = path.strip_prefix('/')?.as_bytes().split(|byte| *byte == b'/').peekable();
    let mut literals = 0;
    for segment in &operation.segments {
        let text = sent.next()?;
        match segment {
            Segment::Literal(literal) if literal.as_bytes() == text => literals += 1,
            Segment::Literal(_) => return None,
            // A path that ends in a slash is another path, not one with an empty value.
            Segment::Parameter(_) if text.is_empty() && sent.peek().is_none() => return None,
            Segment::Parameter(_) => {}
        }
    }
    sent.next().is_none().then_some(literals)
}

fn refusal(contract: &Contract, request: &Request) -> Refusal {
    let operations = contract.operations();
    let path = request.path();
    let mut methods: Vec<&str> = Vec::new();
    for operation in operations {
        if matches(operation, path).is_some() && !methods.contains(&operation.method.as_str()) {
            methods.push(&operation.method);
        }
    }
    if methods.is_empty() {
        return unknown_path(contract, path).into();
    }
    let allow = methods.join(", ");
    Refusal {
        violation: Violation {
            pointer: "/method".into(),
            rule: Rule::Method,
            expected: format!("{} for this path", methods.join(" or ")),
            found: quote(&request.method),
            source: "observed".into(),
        },
        allow: Some(allow),
    }
}

/// How many of the nearest operations a refusal names.
const NEAREST: usize = 3;

fn unknown_path(contract: &Contract, path: &str) -> Violation {
    let mut nearest: Vec<(usize, String)> =
        contract.operations().iter().map(|operation| difference(operation, path)).collect();
    nearest.sort_by_key(|(distance, _)| *distance);
    nearest.truncate(NEAREST);
    let hints: Vec<_> = nearest.into_iter().map(|(_, hint)| hint).collect();
    let (found, source) = match hints::named_path(contract.ledger(), path) {
        Some((entry, says)) => (
            format!("{}, which is named and has no page of its own (ledger: {})", quote(path), entry.id),
            says.source.clone(),
        ),
        None => (quote(path), "assumed: no page says what another path gets".into()),
    };
    Violation {
        pointer: "/path".into(),
        rule: Rule::Path,
        expected: format!("the path of an operation; the nearest are {}", hints.join("; ")),
        found,
        source,
    }
}

/// How far a path is from an operation's template, and in what it differs.
fn difference(operation: &Operation, path: &str) -> (usize, String) {
    let template = &operation.segments;
    let sent: Vec<&str> = segments(path).take(template.len() + 2).collect();
    let mut notes = Vec::new();
    for (position, (segment, text)) in template.iter().zip(&sent).enumerate() {
        let number = position + 1;
        match segment {
            Segment::Literal(literal) if literal != text => {
                notes.push(format!("segment {number} is `{literal}`, not {}", quote(text)));
            }
            Segment::Parameter(name) if text.is_empty() => {
                notes.push(format!("segment {number} is {{{name}}}, not empty"));
            }
            _ => {}
        }
    }
    if !path.starts_with('/') {
        notes.push("it starts with a slash".into());
    }
    let mut distance = notes.len();
    if sent.len() > template.len() {
        let slash = sent.len() == template.len() + 1 && sent.last() == Some(&"");
        distance += sent.len() - template.len();
        notes.push(if slash {
            "without the slash at the end".into()
        } else {
            format!("it has {} segments", template.len())
        });
    } else if sent.len() < template.len() {
        distance += template.len() - sent.len();
        notes.push(format!("it has {} segments, not {}", template.len(), sent.len()));
    }
    notes.truncate(3);
    (distance, format!("{} {} ({})", operation.method, operation.path, notes.join(", ")))
}
