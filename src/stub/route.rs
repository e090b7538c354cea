//! Step 1: which operation is it? Paths match as sent; only the values of path parameters are decoded.

use std::{borrow::Cow, collections::HashMap, fmt};

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
    let mut compared = Compared::default();
    let differences =
        contract.operations().iter().map(|operation| Difference::of(operation, path, &mut compared));
    let mut nearest: Vec<Difference> = differences.collect();
    nearest.sort_by_key(|difference| difference.distance);
    nearest.truncate(NEAREST);
    let hints: Vec<_> = nearest.iter().map(ToString::to_string).collect();
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

/// Segments that were compared, and whether they are nearly the same: operations have most of theirs in common.
#[derive(Default)]
struct Compared<'a>(HashMap<(&'a str, &'a str), bool>);

impl<'a> Compared<'a> {
    fn is_near(&mut self, meant: &'a str, sent: &'a str) -> bool {
        *self.0.entry((meant, sent)).or_insert_with(|| near::is_near(meant, sent))
    }
}

/// How far a path is from an operation's template, and in what it differs.
struct Difference<'a> {
    operation: &'a Operation,
    distance: usize,
    notes: Vec<Note<'a>>,
}

/// One way in which a path differs from a template.
enum Note<'a> {
    /// It lacks these segments at its beginning, and all that follows is right.
    Head(String),
    /// The segment with this number is to be the first, and is the second.
    Literal(usize, &'a str, &'a str),
    /// The segment with this number, a parameter, is empty.
    Empty(usize, &'a str),
    /// It does not start with a slash.
    Slash,
    /// It has a slash at its end.
    SlashAtEnd,
    /// It has more segments than this.
    TooMany(usize),
    /// It is to have as many segments as the first, and has as many as the second.
    TooFew(usize, usize),
}

impl<'a> Difference<'a> {
    /// How many notes are put into words.
    const NOTES: usize = 3;

    fn of(operation: &'a Operation, path: &'a str, compared: &mut Compared<'a>) -> Self {
        let template = &operation.segments;
        let sent: Vec<&str> = segments(path).take(template.len() + 2).collect();
        if let Some(head) = missing_head(template, &sent) {
            return Self { operation, distance: 2, notes: vec![Note::Head(head)] };
        }
        let mut notes = Vec::new();
        // A segment that is nearly right counts half of another.
        let mut distance = 0;
        for (position, (segment, text)) in template.iter().zip(&sent).enumerate() {
            let number = position + 1;
            match segment {
                Segment::Literal(literal) if literal != text => {
                    distance += if compared.is_near(literal, text) { 1 } else { 2 };
                    notes.push(Note::Literal(number, literal, text));
                }
                Segment::Parameter(name) if text.is_empty() => {
                    distance += 2;
                    notes.push(Note::Empty(number, name));
                }
                _ => {}
            }
        }
        if !path.starts_with('/') {
            distance += 2;
            notes.push(Note::Slash);
        }
        distance += 2 * sent.len().abs_diff(template.len());
        if sent.len() > template.len() {
            let slash = sent.len() == template.len() + 1 && sent.last() == Some(&"");
            notes.push(if slash { Note::SlashAtEnd } else { Note::TooMany(template.len()) });
        } else if sent.len() < template.len() {
            notes.push(Note::TooFew(template.len(), sent.len()));
        }
        Self { operation, distance, notes }
    }
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} (", self.operation.method, self.operation.path)?;
        for (index, note) in self.notes.iter().take(Self::NOTES).enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            note.fmt(f)?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for Note<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head(head) => write!(f, "it starts with `/{head}`"),
            Self::Literal(number, literal, text) => {
                write!(f, "segment {number} is `{literal}`, not {}", quote(text))
            }
            Self::Empty(number, name) => write!(f, "segment {number} is {{{name}}}, not empty"),
            Self::Slash => f.write_str("it starts with a slash"),
            Self::SlashAtEnd => f.write_str("without the slash at the end"),
            Self::TooMany(count) => write!(f, "it has {count} segments"),
            Self::TooFew(count, sent) => write!(f, "it has {count} segments, not {sent}"),
        }
    }
}
