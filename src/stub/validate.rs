//! Step 4: parameters and body against the contract, all violations at once.
//!
//! The `jsonschema` crate judges; this file walks into arrays, so that a huge body full of mistakes costs no more
//! than the violations that are listed, and turns the crate's errors into ours: one for each value, the coarsest first.

use jsonschema::error::{ValidationError, ValidationErrorKind as Kind};
use serde_json::Value;

use super::{
    hints, quote,
    values::{self, Sent, Values},
};
use crate::{
    Exchange, Rule, Violation,
    contract::{JsonType, Schema, escape},
};

/// The violations found so far.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) violations: Vec<Violation>,
    /// Whether there are more than are listed.
    pub(super) more: bool,
}

impl Findings {
    pub(super) fn push(&mut self, violation: Violation) {
        if self.violations.len() == Exchange::MAX_VIOLATIONS {
            self.more = true;
        } else if self.violations.iter().all(|other| other.pointer != violation.pointer) {
            // One value gives one violation, also when a branch says more about it.
            self.violations.push(violation);
        }
    }
}

impl From<Violation> for Findings {
    fn from(violation: Violation) -> Self {
        Self { violations: vec![violation], more: false }
    }
}

/// Checks the values of path, query and header parameters.
pub(super) fn parameters(values: &Values, findings: &mut Findings) {
    for (parameter, sent) in values.iter() {
        match sent {
            Sent::Missing if parameter.required => findings.push(values::violation(
                parameter,
                Rule::Required,
                format!("the {} parameter `{}`", parameter.place.name(), parameter.name),
                "nothing".into(),
            )),
            Sent::Missing | Sent::Reported => {}
            Sent::Text(text) => {
                let place = Path::Root(parameter.place.name());
                let path = Path::Name(&place, &parameter.name);
                check(&parameter.schema, &typed(&parameter.schema, text), &path, findings);
            }
        }
    }
}

/// A parameter's text as the JSON value that its schema asks for, when it is one.
fn typed(schema: &Schema, text: &str) -> Value {
    let fits = |value: &Value| {
        !value.is_string() && text.trim_ascii() == text && schema.types.iter().any(|kind| kind.holds(value))
    };
    let scalar =
        if schema.types.contains(&JsonType::String) { None } else { serde_json::from_str(text).ok() };
    scalar.filter(fits).unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Checks a body whose names are canonical.
pub(super) fn body(schema: &Schema, value: &Value, findings: &mut Findings) {
    check(schema, value, &Path::Root("body"), findings);
}

/// Where a value stands, as a list from the leaf to the root; it becomes a pointer only when there is something to say.
enum Path<'a> {
    Root(&'a str),
    Name(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    fn write(&self, out: &mut String) {
        use std::fmt::Write as _;
        let (parent, segment): (_, &dyn std::fmt::Display) = match self {
            Self::Root(name) => (None, name),
            Self::Name(parent, name) => (Some(parent), &escape(name)),
            Self::Index(parent, index) => (Some(parent), index),
        };
        if let Some(parent) = parent {
            parent.write(out);
        }
        // Writing to a string does not fail.
        let _ = write!(out, "/{segment}");
    }
}

fn check(schema: &Schema, value: &Value, path: &Path, findings: &mut Findings) {
    if findings.more {
        return;
    }
    if let Some(frame) = schema.frame()
        && !frame.is_valid(value)
    {
        report(schema, value, frame.iter_errors(value), path, findings);
    }
    items(schema, value, path, findings);
}

/// Checks the items of the arrays that `schema` describes within `value`.
fn items(schema: &Schema, value: &Value, path: &Path, findings: &mut Findings) {
    match value {
        Value::Array(list) => {
            let Some(schema) = &schema.items else {
                return;
            };
            for (index, item) in list.iter().enumerate() {
                check(schema, item, &Path::Index(path, index), findings);
            }
        }
        Value::Object(members) => {
            let branches = schema.branches_for(value).flat_map(|branch| &branch.then.properties);
            for property in schema.properties.iter().chain(branches) {
                if property.schema.has_items()
                    && let Some(member) = members.get(&property.name)
                {
                    items(&property.schema, member, &Path::Name(path, &property.name), findings);
                }
            }
        }
        _ => {}
    }
}

/// Turns the errors of one frame into violations: for each place, only the coarsest.
fn report<'e>(
    schema: &Schema,
    value: &Value,
    errors: impl Iterator<Item = ValidationError<'e>>,
    path: &Path,
    findings: &mut Findings,
) {
    let mut prefix = String::new();
    path.write(&mut prefix);
    let mut found: Vec<(String, Rule, Violation)> = Vec::new();
    for error in errors {
        let mut place = error.instance_path().as_str().to_owned();
        let Some(rule) = rule(error.kind()) else {
            continue;
        };
        if let Kind::Required { property } = error.kind() {
            place = format!("{place}/{}", escape(property.as_str().unwrap_or_default()));
        }
        let known = found.iter_mut().find(|(other, ..)| *other == place);
        if known.as_ref().is_some_and(|(_, other, _)| coarseness(*other) <= coarseness(rule)) {
            continue;
        }
        let node = schema.at(&place, value, &|schema| asserts(schema, rule));
        let violation = Violation {
            pointer: format!("{prefix}{place}"),
            rule,
            expected: expected(rule, node, error.kind()),
            found: match error.kind() {
                Kind::Required { property } => {
                    let parent = error.instance_path().as_str();
                    let name = property.as_str().unwrap_or_default();
                    hints::missing_member(schema.at(parent, value, &|_| true), value.pointer(parent), name)
                }
                _ => found_value(rule, value.pointer(&place)),
            },
            source: node.map_or_else(String::new, |schema| schema.source_of(rule)),
        };
        match known {
            Some(known) => *known = (place, rule, violation),
            None => found.push((place, rule, violation)),
        }
    }
    for (.., violation) in found {
        findings.push(violation);
    }
}

/// The rule behind an error, for the keywords that a contract can have.
fn rule(kind: &Kind) -> Option<Rule> {
    Some(match kind {
        Kind::Enum { .. } => Rule::Enum,
        Kind::MaxLength { .. } => Rule::MaxLength,
        Kind::Maximum { .. } => Rule::Maximum,
        Kind::MinLength { .. } => Rule::MinLength,
        Kind::Minimum { .. } => Rule::Minimum,
        Kind::Pattern { .. } => Rule::Format,
        Kind::Required { .. } => Rule::Required,
        Kind::Type { .. } => Rule::Type,
        _ => return None,
    })
}

/// Whether a schema has the keyword behind a rule.
fn asserts(schema: &Schema, rule: Rule) -> bool {
    match rule {
        Rule::Enum => !schema.values.is_empty(),
        Rule::Format => schema.pattern.is_some(),
        Rule::MaxLength => schema.max_length.is_some(),
        Rule::Maximum => schema.maximum.is_some(),
        Rule::MinLength => schema.min_length.is_some(),
        Rule::Minimum => schema.minimum.is_some(),
        Rule::Type => !schema.types.is_empty(),
        _ => true,
    }
}

/// Type, then enumeration, format, length, range: the order in which one value's rules count.
fn coarseness(rule: Rule) -> u8 {
    match rule {
        Rule::Required => 0,
        Rule::Type => 1,
        Rule::Enum => 2,
        Rule::Format => 3,
        Rule::MinLength | Rule::MaxLength => 4,
        _ => 5,
    }
}

fn expected(rule: Rule, schema: Option<&Schema>, kind: &Kind) -> String {
    match kind {
        Kind::Maximum { limit } => return format!("at most {}", plain(limit)),
        Kind::MaxLength { limit } => return format!("at most {}", characters(*limit)),
        Kind::Minimum { limit } => return format!("at least {}", plain(limit)),
        Kind::MinLength { limit } => return format!("at least {}", characters(*limit)),
        _ => {}
    }
    let Some(schema) = schema else {
        return "another value".into();
    };
    match rule {
        Rule::Enum => format!("one of {}", list(&schema.values)),
        Rule::Format => match (&schema.title, &schema.pattern) {
            (Some(title), _) => title.clone(),
            (None, pattern) => format!("a string that matches `{}`", pattern.as_deref().unwrap_or_default()),
        },
        _ => noun(schema),
    }
}

/// What a schema asks for, as a noun phrase.
fn noun(schema: &Schema) -> String {
    let kinds: Vec<_> = schema.types.iter().map(|kind| kind.phrase()).collect();
    match kinds.as_slice() {
        [] => "a value".into(),
        _ => kinds.join(" or "),
    }
}

/// A number as people write it: without a fraction of zero.
fn plain(limit: &Value) -> String {
    let text = limit.to_string();
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn characters(limit: u64) -> String {
    match limit {
        1 => "1 character".into(),
        _ => format!("{limit} characters"),
    }
}

fn list(values: &[Value]) -> String {
    let texts: Vec<_> =
        values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
    texts.join(", ")
}

fn found_value(rule: Rule, value: Option<&Value>) -> String {
    match (rule, value) {
        (_, None) => "nothing".into(),
        (Rule::MaxLength | Rule::MinLength, Some(Value::String(text))) => {
            format!("{}: {}", characters(text.chars().count() as u64), quote(text))
        }
        (Rule::Type, Some(Value::String(text))) => format!("the string {}", quote(text)),
        (_, Some(Value::String(text))) => quote(text),
        (_, Some(Value::Array(_))) => "an array".into(),
        (_, Some(Value::Object(_))) => "an object".into(),
        (_, Some(other)) => format!("`{other}`"),
    }
}
