//! A JSON value together with where it stands in the document, so that every complaint names its place.

use std::ptr;

use serde_json::{Map, Value};

use super::{ContractError, Origin};
use crate::pointer::escape;

/// A value and the document that it is in.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) value: &'a Value,
    document: &'a Value,
}

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self { value, document: value }
    }

    /// The complaint that `expected` was not found here.
    pub(super) fn error(&self, expected: &str) -> ContractError {
        ContractError::new(format!(
            "{}: expected {expected}, but found {}",
            self.place(),
            excerpt(self.value)
        ))
    }

    /// A complaint about this place in other words.
    pub(super) fn complain(&self, complaint: &str) -> ContractError {
        ContractError::new(format!("{}: {complaint}", self.place()))
    }

    /// Where it stands. That is looked for only when there is something to complain about: to keep it with every node
    /// was most of what reading a document took.
    fn place(&self) -> String {
        match path(self.document, self.value) {
            Some(path) if !path.is_empty() => path,
            _ => "the document".to_owned(),
        }
    }

    /// Whether it is the whole document.
    pub(super) fn is_root(&self) -> bool {
        ptr::eq(self.value, self.document)
    }

    /// Another value of the same document.
    pub(super) fn other(&self, value: &'a Value) -> Self {
        Self { value, document: self.document }
    }

    pub(super) fn get(&self, key: &str) -> Option<Self> {
        self.value.get(key).map(|value| self.other(value))
    }

    pub(super) fn need(&self, key: &str) -> Result<Self, ContractError> {
        self.get(key).ok_or_else(|| self.complain(&format!("expected a member `{key}`, but found none")))
    }

    pub(super) fn object(&self) -> Result<&'a Map<String, Value>, ContractError> {
        self.value.as_object().ok_or_else(|| self.error("an object"))
    }

    /// The members of an object, each with its own place.
    pub(super) fn members(&self) -> Result<impl Iterator<Item = (&'a str, Self)>, ContractError> {
        let this = *self;
        Ok(self.object()?.iter().map(move |(key, value)| (key.as_str(), this.other(value))))
    }

    /// The items of an array, each with its own place.
    pub(super) fn items(&self) -> Result<impl Iterator<Item = Self>, ContractError> {
        let this = *self;
        let items = self.value.as_array().ok_or_else(|| self.error("an array"))?;
        Ok(items.iter().map(move |value| this.other(value)))
    }

    pub(super) fn text(&self) -> Result<&'a str, ContractError> {
        self.value.as_str().ok_or_else(|| self.error("a string"))
    }

    pub(super) fn texts(&self) -> Result<Vec<String>, ContractError> {
        self.items()?.map(|item| item.text().map(str::to_owned)).collect()
    }

    /// The optional string member `key`.
    pub(super) fn optional_text(&self, key: &str) -> Result<Option<String>, ContractError> {
        self.get(key).map(|node| node.text().map(str::to_owned)).transpose()
    }

    /// The optional list of strings `key`; empty when it is not there.
    pub(super) fn optional_texts(&self, key: &str) -> Result<Vec<String>, ContractError> {
        self.get(key).map_or(Ok(Vec::new()), |node| node.texts())
    }

    pub(super) fn size(&self) -> Result<u64, ContractError> {
        self.value.as_u64().ok_or_else(|| self.error("a whole number of at least 0"))
    }

    pub(super) fn number(&self) -> Result<f64, ContractError> {
        self.value.as_f64().ok_or_else(|| self.error("a number"))
    }

    /// The page and row that something comes from, and why it is assumed.
    pub(super) fn origin(&self) -> Result<String, ContractError> {
        let source = self.optional_text("x-source")?.unwrap_or_default();
        Ok(Origin { source, assumed: self.optional_text("x-assumed")? }.to_string())
    }

    /// Fails on a member that is neither one of `own` nor a note for readers.
    pub(super) fn only(&self, what: &str, own: &[&str]) -> Result<(), ContractError> {
        const NOTES: [&str; 4] = ["description", "x-source", "x-assumed", "x-ledger"];
        for (key, node) in self.members()? {
            if !own.contains(&key) && !NOTES.contains(&key) {
                let known = own.join(", ");
                return Err(node.complain(&format!("this is no member of {what}, which has {known}")));
            }
        }
        Ok(())
    }

    /// Resolves a `$ref`, once; a node that is no reference is returned as it is.
    pub(super) fn resolve(&self) -> Result<Self, ContractError> {
        let Some(reference) = self.get("$ref") else {
            return Ok(*self);
        };
        let target = reference.text()?.strip_prefix('#').and_then(|pointer| self.document.pointer(pointer));
        let target = target.ok_or_else(|| {
            reference.error("a reference into this document, such as `#/components/schemas/NAME`")
        })?;
        Ok(self.other(target))
    }
}

/// The JSON pointer of `value` in `within`, when it is there: this very one, and not one that equals it.
fn path(within: &Value, value: &Value) -> Option<String> {
    if ptr::eq(within, value) {
        return Some(String::new());
    }
    let below = |key: &str, child| Some(format!("/{}{}", escape(key), path(child, value)?));
    match within {
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| below(&index.to_string(), item))
        }
        Value::Object(members) => members.iter().find_map(|(key, member)| below(key, member)),
        _ => None,
    }
}

fn excerpt(value: &Value) -> String {
    match value {
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
        Value::String(text) => {
            let short: String = text.chars().take(60).collect();
            format!("the string `{short}`")
        }
        other => format!("`{other}`"),
    }
}
