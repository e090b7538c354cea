//! What a value breaks of a schema, in our words: the errors of the `jsonschema` crate as rules, with what is expected
//! and what is found as phrases that complete "expected …, but found …".

use jsonschema::error::{ValidationError, ValidationErrorKind as Kind};
use serde_json::Value;

use super::Schema;
use crate::{Rule, pointer::escape, violation::quote};

/// One error, about a value that a schema describes.
pub(crate) struct Breach<'a> {
    /// The pointer from that value to what is wrong; for what is missing, the place where it ought to be.
    pub(crate) place: String,
    /// The rule that is broken there.
    pub(crate) rule: Rule,
    kind: &'a Kind,
}

impl<'a> Breach<'a> {
    /// What an error says; none for keywords that a contract cannot have.
    pub(crate) fn of(error: &'a ValidationError) -> Option<Self> {
        let kind = error.kind();
        let rule = rule(kind)?;
        let mut place = error.instance_path().as_str().to_owned();
        if let Kind::Required { property } = kind {
            place = format!("{place}/{}", escape(property.as_str().unwrap_or_default()));
        }
        Some(Self { place, rule, kind })
    }

    /// The schema of the place, of those below `root` that describe `value`.
    pub(crate) fn schema<'s>(&self, root: &'s Schema, value: &Value) -> Option<&'s Schema> {
        root.at(&self.place, value, &|schema| asserts(schema, self.rule))
    }

    /// What the place's schema expects there.
    pub(crate) fn expected(&self, schema: Option<&Schema>) -> String {
        match self.kind {
            Kind::Maximum { limit } => return format!("at most {}", plain(limit)),
            Kind::MaxLength { limit } => return format!("at most {}", characters(*limit)),
            Kind::Minimum { limit } => return format!("at least {}", plain(limit)),
            Kind::MinLength { limit } => return format!("at least {}", characters(*limit)),
            _ => {}
        }
        let Some(schema) = schema else {
            return "another value".into();
        };
        match self.rule {
            Rule::Enum => format!("one of {}", list(&schema.values)),
            Rule::Format => match (&schema.title, &schema.pattern) {
                (Some(title), _) => title.clone(),
                (None, pattern) => {
                    format!("a string that matches `{}`", pattern.as_deref().unwrap_or_default())
                }
            },
            _ => noun(schema),
        }
    }

    /// What of `value` is found there.
    pub(crate) fn found(&self, value: &Value) -> String {
        found(self.rule, value.pointer(&self.place))
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

fn found(rule: Rule, value: Option<&Value>) -> String {
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
