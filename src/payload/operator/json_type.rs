//! Operators that put a value of another type in the stead of one.

use super::definition::{Act, Effect, operators};
use crate::{
    Rule,
    contract::{JsonType, Place},
    payload::{Choices, field::Field, valid},
};

operators! {
    /// Uses another accepted type of a value; stays valid.
    ACCEPTED_TYPE = "acceptedType" {
        acts: &[Act::Json {
            at: |field| (field.types.len() > 1 && field.values.is_empty()).then_some(Effect::Harmless),
            instead: accepted,
        }],
    }

    /// Puts a list where a plain value belongs.
    ARRAY_FOR_SCALAR = "arrayForScalar" {
        acts: &[Act::Json {
            at: |field| wrong(field, JsonType::Array, !field.is_container()),
            instead: |_, was, choices| {
                Some(if choices.one_in(3) { b"[]".to_vec() } else { wrapped("[", was, "]") })
            },
        }],
    }

    /// Puts true or false where another type belongs.
    BOOLEAN_FOR_OTHER = "booleanForOther" {
        acts: &[Act::Json {
            at: |field| wrong(field, JsonType::Boolean, true),
            instead: |_, _, choices| Some(choices.word(&["true", "false"]).into()),
        }],
    }

    /// Makes a value null.
    NULL_VALUE = "nullValue" {
        acts: &[Act::Json {
            at: |field| wrong(field, JsonType::Null, true),
            instead: |_, _, _| Some(b"null".to_vec()),
        }],
    }

    /// Puts a number where another type belongs.
    NUMBER_FOR_OTHER = "numberForOther" {
        acts: &[Act::Json {
            at: |field| wrong(field, JsonType::Integer, true),
            instead: |_, was, choices| {
                // What stands in quotes, without them, is the likeliest mistake.
                let bare = was.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or_default();
                let is_number =
                    (1..=15).contains(&bare.len()) && bare.iter().all(u8::is_ascii_digit) && bare[0] != b'0';
                let other = if is_number { None } else { Some(choices.word(&["0", "1", "-1", "42", "3.5"])) };
                Some(other.map_or(bare, str::as_bytes).to_vec())
            },
        }],
    }

    /// Puts an object where a plain value belongs.
    OBJECT_FOR_SCALAR = "objectForScalar" {
        acts: &[Act::Json {
            at: |field| wrong(field, JsonType::Object, !field.is_container()),
            instead: |_, was, choices| {
                Some(if choices.one_in(3) { b"{}".to_vec() } else { wrapped("{\"alpha\":", was, "}") })
            },
        }],
    }

    /// Puts a string where another type belongs.
    STRING_FOR_OTHER = "stringForOther" {
        acts: &[
            Act::Json {
                at: |field| wrong(field, JsonType::String, true),
                instead: |_, was, choices| {
                    let is_scalar = !matches!(was.first(), Some(b'{' | b'['));
                    if is_scalar && !choices.one_in(4) {
                        return Some(wrapped("\"", was, "\""));
                    }
                    Some(choices.word(&["\"\"", "\"text\"", "\"[]\"", "\"null\""]).into())
                },
            },
            Act::Sent {
                at: |slot, plan| wrong(&plan.fields[slot.field], JsonType::String, true),
                instead: |slot, _, choices| match slot.place {
                    Place::Path => "abc".into(),
                    Place::Header | Place::Query => choices.word(&["abc", "", "1,5", "yes"]).into(),
                },
            },
        ],
    }

    /// Wraps an object in a list, or makes a list an object.
    WRONG_CONTAINER = "wrongContainer" {
        acts: &[Act::Json {
            at: |field| {
                let takes_both = field.allows(JsonType::Array) && field.allows(JsonType::Object);
                (field.is_container() && !takes_both).then_some(Effect::Breaks(Rule::Type))
            },
            instead: |field, was, choices| {
                Some(match (field.allows(JsonType::Object), choices.one_in(3)) {
                    (true, false) => wrapped("[", was, "]"),
                    (true, true) => b"[]".to_vec(),
                    (false, false) => wrapped("{\"0\":", was, "}"),
                    (false, true) => b"{}".to_vec(),
                })
            },
        }],
    }
}

/// A type that is not allowed breaks the rule, where the operator is meant for such a place.
fn wrong(field: &Field, kind: JsonType, is_meant: bool) -> Option<Effect> {
    (is_meant && !field.allows(kind)).then_some(Effect::Breaks(Rule::Type))
}

fn wrapped(open: &str, was: &[u8], close: &str) -> Vec<u8> {
    [open.as_bytes(), was, close.as_bytes()].concat()
}

fn accepted(field: &Field, was: &[u8], choices: &mut Choices) -> Option<Vec<u8>> {
    let now = match was.first()? {
        b'"' => JsonType::String,
        b'[' => JsonType::Array,
        b'{' => JsonType::Object,
        b't' | b'f' => JsonType::Boolean,
        b'n' => JsonType::Null,
        _ => JsonType::Number,
    };
    let is_other = |kind: &&JsonType| match kind {
        JsonType::Integer => now != JsonType::Number,
        // An object may need members.
        JsonType::Object => false,
        kind => **kind != now,
    };
    let kinds: Vec<_> = field.types.iter().filter(is_other).collect();
    let kind = **kinds.get(choices.below(kinds.len()))?;
    let mut text = String::new();
    Some(match kind {
        JsonType::Array => b"[]".to_vec(),
        JsonType::Boolean => b"true".to_vec(),
        JsonType::Null => b"null".to_vec(),
        JsonType::String => {
            let mut quoted = Vec::new();
            field.texts.write(field, false, choices, &mut text);
            valid::quote(&text, false, &mut quoted);
            quoted
        }
        _ => {
            valid::number(field, false, choices, &mut text);
            text.into_bytes()
        }
    })
}
