//! Operators that cross a limit of a plain value, in a parameter or in the body.

use super::definition::{Act, Effect, Plain, Usable, operators};
use crate::{
    Rule,
    contract::{JsonType, Place},
    payload::{Choices, field::Field},
};

operators! {
    /// Raises a number above its maximum.
    ABOVE_MAXIMUM = "aboveMaximum" {
        acts: &[Act::Plain {
            at: |field, _| breaks(Rule::Maximum, is_free(field) && field.maximum.is_some()),
            instead: |field, _, _, choices| field.maximum.map(|most| number(above(field, most, choices))),
        }],
    }

    /// Breaks the form of a text.
    BAD_FORMAT = "badFormat" {
        acts: &[Act::Plain {
            at: |field, _| breaks(Rule::Format, is_free(field) && !field.patterns.is_empty()),
            instead: bad_format,
        }],
    }

    /// Lowers a number below its minimum.
    BELOW_MINIMUM = "belowMinimum" {
        acts: &[Act::Plain {
            at: |field, _| breaks(Rule::Minimum, is_free(field) && field.minimum.is_some()),
            instead: |field, _, _, choices| field.minimum.map(|least| number(-above(field, -least, choices))),
        }],
    }

    /// Makes a text empty where it must not be.
    EMPTY_TEXT = "emptyText" {
        acts: &[Act::Plain {
            // In the path, that is another operator.
            at: |field, place| match field.empty_breaks() {
                Some(rule) if field.allows(JsonType::String) && place != Some(Place::Path) => {
                    Some(Effect::Breaks(rule))
                }
                _ => None,
            },
            instead: |_, _, _, _| Some(Plain::Text(String::new())),
        }],
    }

    /// Gives a number a fraction where an integer belongs.
    NOT_INTEGER = "notInteger" {
        acts: &[Act::Plain {
            at: |field, _| {
                let is_whole = field.allows(JsonType::Integer) && !field.allows(JsonType::Number);
                breaks(Rule::Type, is_free(field) && is_whole)
            },
            instead: |_, _, _, choices| {
                Some(Plain::Number(choices.word(&["5.5", "0.1", "-2.75", "1e-3"]).into()))
            },
        }],
    }

    /// Replaces a value by one that is not listed.
    OFF_ENUM = "offEnum" {
        acts: &[Act::Plain {
            at: |field, _| {
                let has_numbers = field.values.iter().any(serde_json::Value::is_number);
                let is_listed = !field.values.is_empty();
                let can_differ =
                    field.allows(JsonType::String) || has_numbers && field.allows(JsonType::Integer);
                breaks(Rule::Enum, is_listed && can_differ)
            },
            instead: off_enum,
        }],
    }

    /// Makes a text longer than allowed.
    TEXT_TOO_LONG = "textTooLong" {
        acts: &[Act::Plain {
            at: |field, _| {
                let is_limited = field.max_length.is_some_and(|most| most < 100_000);
                breaks(Rule::MaxLength, is_free(field) && is_limited)
            },
            instead: too_long,
        }],
    }

    /// Makes a text shorter than allowed, but not empty.
    TEXT_TOO_SHORT = "textTooShort" {
        acts: &[Act::Plain {
            at: |field, _| breaks(Rule::MinLength, is_free(field) && field.min_length > 1),
            instead: |field, was, _, _| {
                let short: String = was.chars().take(field.min_length - 1).collect();
                matches(field, &short).then_some(Plain::Text(short))
            },
        }],
    }
}

fn breaks(rule: Rule, applies: bool) -> Option<Effect> {
    applies.then_some(Effect::Breaks(rule))
}

/// Whether no list says which values are allowed: where one does, it is what breaks first.
fn is_free(field: &Field) -> bool {
    field.values.is_empty()
}

fn matches(field: &Field, text: &str) -> bool {
    field.patterns.iter().all(|pattern| pattern.is_match(text))
}

/// A number above a limit.
fn above(field: &Field, most: f64, choices: &mut Choices) -> f64 {
    let step = if choices.one_in(2) { 0.5 } else { 1.0 };
    if field.allows(JsonType::Number) { most + step } else { most.floor() + 1.0 }
}

fn number(value: f64) -> Plain {
    Plain::Number(value.to_string())
}

fn bad_format(field: &Field, was: &str, usable: Usable, choices: &mut Choices) -> Option<Plain> {
    let middle = was.char_indices().nth(was.chars().count() / 2).map_or(0, |(at, _)| at);
    let (left, right) = was.split_at(middle);
    let symbol = |c: char| !c.is_alphanumeric();
    let mut forms = vec![
        format!("{left} {right}"),
        format!("{was} "),
        was.replacen(symbol, "", 1),
        was.replace(symbol, ""),
        format!("{left}@{right}@"),
        "?".into(),
        "not in this form".into(),
        String::new(),
    ];
    let first = choices.below(forms.len());
    forms.rotate_left(first);
    forms.into_iter().find(|form| !matches(field, form) && usable(form)).map(Plain::Text)
}

fn off_enum(field: &Field, _: &str, usable: Usable, choices: &mut Choices) -> Option<Plain> {
    if !field.allows(JsonType::String) {
        let largest = field.values.iter().filter_map(serde_json::Value::as_f64).reduce(f64::max)?;
        return Some(Plain::Number((largest.floor() + 1.0).to_string()));
    }
    let listed = choices.pick(&field.values).as_str().unwrap_or("other").to_owned();
    let mut forms = vec![
        "other".into(),
        listed.to_uppercase(),
        listed.to_lowercase(),
        format!("{listed} "),
        format!("{listed}s"),
        String::new(),
        "null".into(),
    ];
    let first = choices.below(forms.len());
    forms.rotate_left(first);
    let is_listed = |form: &String| field.values.iter().any(|value| value == form);
    forms.into_iter().find(|form| usable(form) && !is_listed(form)).map(Plain::Text)
}

fn too_long(field: &Field, was: &str, usable: Usable, choices: &mut Choices) -> Option<Plain> {
    let most = field.max_length?;
    let beyond = [1, 1, 2, 50, 500][choices.below(5)];
    let letter = ["x", "é", "字", "🙂"][choices.below(4)];
    let letter = if usable(letter) { letter } else { "x" };
    let mut long = was.to_owned();
    long.push_str(&letter.repeat((most + beyond).saturating_sub(was.chars().count())));
    matches(field, &long).then_some(Plain::Text(long))
}
