//! A field: what is known of one place of a request body, or of one parameter.

use serde_json::Value;

use crate::{
    Rule,
    contract::{JsonType, Place, pattern::Pattern},
    pointer::escape,
};

/// The position of a field in a plan.
pub(super) type FieldId = usize;

/// A parameter.
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) required: bool,
    pub(super) accepts: Vec<String>,
    pub(super) field: FieldId,
}

/// One place of a request body, or one parameter.
pub(super) struct Field {
    /// The object or list that it is in.
    pub(super) parent: Option<FieldId>,
    /// Its canonical name; empty for a list's items and the body itself.
    pub(super) name: String,
    /// `"name":`, ready to be written.
    pub(super) key: String,
    pub(super) required: bool,
    /// Other spellings of the name.
    pub(super) accepts: Vec<String>,
    pub(super) types: Vec<JsonType>,
    pub(super) values: Vec<Value>,
    pub(super) patterns: Vec<Pattern>,
    pub(super) min_length: usize,
    pub(super) max_length: Option<usize>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    pub(super) properties: Vec<FieldId>,
    pub(super) items: Option<FieldId>,
    pub(super) branches: Vec<Fork>,
    /// The fields that lead to the member that the branches test.
    pub(super) selector: Vec<FieldId>,
    /// The parameters whose value it ought to have.
    pub(super) same_as: Vec<usize>,
    pub(super) texts: Texts,
    /// Whether a request can have it: not where a branch always says something else of it.
    pub(super) is_reachable: bool,
    /// Numbers as they stand in samples.
    pub(super) numbers: Vec<String>,
    /// Objects as they stand in samples, where the schema says nothing about their members.
    pub(super) objects: Vec<String>,
    /// What the caller has set.
    pub(super) fixed: Option<Fixed>,
}

/// A value that was set.
pub(super) struct Fixed {
    /// As a parameter has it.
    pub(super) text: String,
    /// As a body has it.
    pub(super) json: Vec<u8>,
}

/// What holds when the selector has one of some values.
pub(super) struct Fork {
    pub(super) values: Vec<String>,
    /// The members, those that hold without the branch included.
    pub(super) properties: Vec<FieldId>,
}

/// How texts for one place are made.
#[derive(Default)]
pub(super) struct Texts {
    /// Texts that the contract shows there.
    pub(super) samples: Vec<String>,
    /// Whether the text ought to be JSON.
    pub(super) holds_json: bool,
    pub(super) shape: Shape,
    /// Those of the odd texts that are allowed there.
    pub(super) odd: Vec<String>,
    /// Texts as long and as short as is allowed.
    pub(super) limits: Vec<String>,
}

/// What the texts of a place look like.
#[derive(Default)]
pub(super) enum Shape {
    /// Hexadecimal digits where the sample has them.
    Id(String),
    /// Digits where the sample has them.
    Digits(String),
    Email,
    Language,
    /// One word, as a person or thing is called; capitalised or not.
    #[default]
    Name,
    /// Two or three words.
    FullName,
    Sentence,
    /// As the samples are.
    Sample,
}

impl Slot {
    /// The pointer into a request.
    pub(super) fn pointer(&self) -> String {
        format!("/{}/{}", self.place.name(), escape(&self.name))
    }
}

impl Field {
    pub(super) fn allows(&self, kind: JsonType) -> bool {
        self.types.is_empty()
            || self.types.contains(&kind)
            || kind == JsonType::Integer && self.types.contains(&JsonType::Number)
    }

    /// The rule that an empty text breaks: the first of listed values, form and length.
    pub(super) fn empty_breaks(&self) -> Option<Rule> {
        if !self.values.is_empty() {
            (!self.values.iter().any(|value| value == "")).then_some(Rule::Enum)
        } else if self.patterns.iter().any(|pattern| !pattern.is_match("")) {
            Some(Rule::Format)
        } else {
            (self.min_length > 0).then_some(Rule::MinLength)
        }
    }

    /// Whether it is an object or a list, whatever else it may be.
    pub(super) fn is_container(&self) -> bool {
        self.types.contains(&JsonType::Object) || self.types.contains(&JsonType::Array)
    }
}
