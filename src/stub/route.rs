//! Step 1: which operation is it? Paths match as sent; only the values of path parameters are decoded.

use std::borrow::Cow;

use super::{Refusal, hints};
use crate::{
    Contract, Operation, Reading, Request, Rule, Violation, contract::Segment, near, percent,
    violation::quote,
};

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
    // Most templates are passed over for their length alone.
    let length = memchr::memchr_iter(b'/', path.as_bytes()).count();
    let mut best: Option<(usize, usize)> = None;
    for (index, operation) in operations.iter().enumerate() {
        if operation.segments.len() == length
            && operation.method == request.method
            && let Some(literals) = operation.fit(path)
            && best.is_none_or(|(most, _)| literals > most)
        {
            best = Some((literals, index));
        }
    }
    let Some((_, index)) = best else {
        return Err(Box::new(refusal(contract, request)));
    };
    let operation = &operations[index];
    let decode = |(name, sent)| (name, percent::decode(sent).map(Cow::into_owned));
    let path_values = operation.path_values(path).into_iter().flatten().map(decode).collect();
    Ok(Route { operation, index, path_values })
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

fn refusal(contract: &Contract, request: &Request) -> Refusal {
    let operations = contract.operations();
    let path = request.path();
    let mut methods: Vec<&str> = Vec::new();
    for operation in operations {
        if operation.fit(path).is_some() && !methods.contains(&operation.method.as_str()) {
            methods.push(&operation.method);
        }
    }
    if methods.is_empty() {
        return unknown_path(contract, path);
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
        reading: None,
    }
}

/// How many of the nearest operations a refusal names.
const NEAREST: usize = 3;

fn unknown_path(contract: &Contract, path: &str) -> Refusal {
    let mut nearest: Vec<(usize, String)> =
        contract.operations().iter().map(|operation| difference(operation, path)).collect();
    nearest.sort_by_key(|(distance, _)| *distance);
    nearest.truncate(NEAREST);
    let hints: Vec<_> = nearest.into_iter().map(|(_, hint)| hint).collect();
    let mut reading = None;
    let (found, source) = match hints::named_path(contract.ledger(), path) {
        Some((entry, says)) => {
            let note = "named, and without a page of its own";
            reading = Some(Reading {
                ledger: entry.id.clone(),
                pointer: "/path".into(),
                note: format!("{} is {note}", quote(path)),
            });
            (format!("{}, which is {note} (ledger: {})", quote(path), entry.id), says.source.clone())
        }
        None => (quote(path), "assumed: no page says what another path gets".into()),
    };
    let violation = Violation {
        pointer: "/path".into(),
        rule: Rule::Path,
        expected: format!("the path of an operation; the nearest are {}", hints.join("; ")),
        found,
        source,
    };
    Refusal { violation, allow: None, reading }
}

/// What a path lacks at its beginning, when all that follows is as in the template.
fn missing_head(template: &[Segment], sent: &[&str]) -> Option<String> {
    let (head, rest) = template.split_at(template.len().checked_sub(sent.len())?);
    let literal = |segment: &Segment| match segment {
        Segment::Literal(text) => Some(text.clone()),
        Segment::Parameter(_) => None,
    };
    let head: Vec<_> = head.iter().map(literal).collect::<Option<_>>()?;
    let fits = |(segment, text): (&Segment, &&str)| literal(segment).is_none_or(|literal| literal == **text);
    (!head.is_empty() && rest.iter().zip(sent).all(fits)).then(|| head.join("/"))
}

/// How far a path is from an operation's template, and in what it differs.
fn difference(operation: &Operation, path: &str) -> (usize, String) {
    let template = &operation.segments;
    let sent: Vec<&str> = segments(path).take(template.len() + 2).collect();
    if let Some(head) = missing_head(template, &sent) {
        return (2, format!("{} {} (it starts with `/{head}`)", operation.method, operation.path));
    }
    let mut notes = Vec::new();
    // A segment that is nearly right counts half of another.
    let mut distance = 0;
    for (position, (segment, text)) in template.iter().zip(&sent).enumerate() {
        let number = position + 1;
        match segment {
            Segment::Literal(literal) if literal != text => {
                distance += if near::is_near(literal, text) { 1 } else { 2 };
                notes.push(format!("segment {number} is `{literal}`, not {}", quote(text)));
            }
            Segment::Parameter(name) if text.is_empty() => {
                distance += 2;
                notes.push(format!("segment {number} is {{{name}}}, not empty"));
            }
            _ => {}
        }
    }
    if !path.starts_with('/') {
        distance += 2;
        notes.push("it starts with a slash".into());
    }
    if sent.len() > template.len() {
        let slash = sent.len() == template.len() + 1 && sent.last() == Some(&"");
        distance += 2 * (sent.len() - template.len());
        notes.push(if slash {
            "without the slash at the end".into()
        } else {
            format!("it has {} segments", template.len())
        });
    } else if sent.len() < template.len() {
        distance += 2 * (template.len() - sent.len());
        notes.push(format!("it has {} segments, not {}", template.len(), sent.len()));
    }
    notes.truncate(3);
    (distance, format!("{} {} ({})", operation.method, operation.path, notes.join(", ")))
}
