//! The types of JSON.

use serde_json::{Number, Value};

/// The JSON types, `integer` among them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JsonType {
    /// A list.
    Array,
    /// `true` or `false`.
    Boolean,
    /// A number without a fraction; `5.0` is one.
    Integer,
    /// `null`.
    Null,
    /// Any number.
    Number,
    /// A set of members.
    Object,
    /// Text.
    String,
}

impl JsonType {
    /// The type's name in JSON Schema.
    pub fn name(self) -> &'static str {
        match self {
            Self::Array => "array",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Null => "null",
            Self::Number => "number",
            Self::Object => "object",
            Self::String => "string",
        }
    }

    /// The type with an article, for messages.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Array => "an array",
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Null => "null",
            Self::Number => "a number",
            Self::Object => "an object",
            Self::String => "a string",
        }
    }

    /// Whether `value` is of this type.
    pub fn holds(self, value: &Value) -> bool {
        match self {
            Self::Array => value.is_array(),
            Self::Boolean => value.is_boolean(),
            Self::Integer | Self::Number => value.as_number().is_some_and(|number| self.holds_number(number)),
            Self::Null => value.is_null(),
            Self::Object => value.is_object(),
            Self::String => value.is_string(),
        }
    }

    /// Whether a number is of this type.
    pub(crate) fn holds_number(self, number: &Number) -> bool {
        let is_whole = || !number.is_f64() || number.as_f64().is_some_and(|number| number.fract() == 0.0);
        self == Self::Number || self == Self::Integer && is_whole()
    }
}
