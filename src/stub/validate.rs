//! Step 4: parameters and body against the contract, all violations at once.
//!
//! The `jsonschema` crate judges; this file walks into arrays, so that a huge body full of mistakes costs no more
//! than the violations that are listed, and turns the crate's errors into ours: one for each value, the coarsest first.

use jsonschema::error::{ValidationError, ValidationErrorKind as Kind};
use serde_json::Value;

use super::{
    arguments::{self, Arguments, Sent},
    findings::Findings,
    names,
};
use crate::{
    Rule, Violation,
    contract::{JsonType, Schema, wording},
    pointer::escape,
};

/// Checks the values of path, query and header parameters.
pub(super) fn parameters(arguments: &Arguments, findings: &mut Findings) {
    for (parameter, sent) in arguments.iter() {
        match sent {
            Sent::Missing if parameter.required => findings.push(arguments::violation(
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
    if findings.truncated {
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
            for property in schema.properties_for(value) {
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
        let Some(breach) = wording::Breach::of(&error) else {
            continue;
        };
        let (place, rule) = (&breach.place, breach.rule);
        let known = found.iter_mut().find(|(other, ..)| other == place);
        if known.as_ref().is_some_and(|(_, other, _)| coarseness(*other) <= coarseness(rule)) {
            continue;
        }
        let own = breach.schema(schema, value);
        let violation = Violation {
            pointer: format!("{prefix}{place}"),
            rule,
            expected: breach.expected(own),
            found: match error.kind() {
                Kind::Required { property } => {
                    let parent = error.instance_path().as_str();
                    let name = property.as_str().unwrap_or_default();
                    names::missing_member(schema.at(parent, value, &|_| true), value.pointer(parent), name)
                }
                _ => breach.found(value),
            },
            source: own.map_or_else(String::new, |schema| schema.source_of(rule)),
        };
        match known {
            Some(known) => *known = (breach.place, rule, violation),
            None => found.push((breach.place, rule, violation)),
        }
    }
    for (.., violation) in found {
        findings.push(violation);
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
