//! What the members of an object of the document are: keywords, names of the API's choosing, or the API's own data.

use serde_json::Value;

/// What a value of the document is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    /// The API's own data, which means nothing here.
    Data,
    /// A sample with what is said about it: an OpenAPI Example Object.
    Example,
    /// An object of samples by their names.
    Examples,
    /// An object of which each member is a keyword, or a list of such objects.
    Keywords,
    /// An object of such objects by their names.
    Names,
}

impl Role {
    /// What the member `key` of an object with this role is.
    pub(super) fn of_member(self, key: &str, value: &Value) -> Self {
        match self {
            Self::Data => Self::Data,
            Self::Examples => Self::Example,
            Self::Names => Self::Keywords,
            Self::Example | Self::Keywords => match key {
                "enum" | "example" | "fixed" | "value" | "x-same-as" => Self::Data,
                "examples" if value.is_array() => Self::Data,
                "examples" => Self::Examples,
                "content" | "headers" | "paths" | "properties" | "requestBodies" | "responses"
                | "schemas" | "securitySchemes" | "x-resources" => Self::Names,
                "parameters" if value.is_object() => Self::Names,
                _ => Self::Keywords,
            },
        }
    }

    /// Whether the members of an object with this role are keywords.
    pub(super) fn has_keywords(self) -> bool {
        matches!(self, Self::Example | Self::Keywords)
    }
}
