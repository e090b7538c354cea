//! What a document in one list is to `jsonschema`.

use std::borrow::Cow;

use jsonschema::{
    json::{self, NodeIdentity},
    types::JsonType as Kind,
};
use serde_json::{Number, Value};

use super::{At, Content, Flat, Item, Values};
use crate::json::View;

/// The representation, for `jsonschema`.
pub(crate) struct FlatJson;

impl json::Json for FlatJson {
    type Node<'f> = At<'f>;
    type PreparedKey = Box<str>;
    type StringBuffer = Flat<'static>;

    // A lookup looks at each member, so one look at all of them is better than several.
    const KEYS_PER_LOOKUP: usize = 16;

    fn prepare_key(key: &str) -> Box<str> {
        key.into()
    }

    fn with_string_node<T>(buffer: &mut Flat<'static>, text: &str, f: impl FnOnce(At<'_>) -> T) -> T {
        buffer.0.clear();
        let content = Content::Text(Cow::Owned(text.to_owned()));
        buffer.0.push(Item { name: Cow::Borrowed(""), content });
        f(buffer.root())
    }
}

impl<'f> json::Node<'f, FlatJson> for At<'f> {
    type Object = At<'f>;
    type Array = At<'f>;
    type Number = &'f Number;

    fn as_object(&self) -> Option<Self> {
        matches!(self.content(), Content::Object(_)).then_some(*self)
    }

    fn as_array(&self) -> Option<Self> {
        matches!(self.content(), Content::Array(_)).then_some(*self)
    }

    fn as_string(&self) -> Option<Cow<'f, str>> {
        self.text().map(Cow::Borrowed)
    }

    fn as_number(&self) -> Option<&'f Number> {
        match self.content() {
            Content::Number(number) => Some(number),
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        match self.content() {
            Content::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        matches!(self.content(), Content::Null)
    }

    fn json_type(&self) -> Kind {
        match self.content() {
            Content::Null => Kind::Null,
            Content::Bool(_) => Kind::Boolean,
            Content::Number(_) => Kind::Number,
            Content::Text(_) => Kind::String,
            Content::Array(_) => Kind::Array,
            Content::Object(_) => Kind::Object,
        }
    }

    fn equals_value(&self, expected: &Value) -> bool {
        match (self.content(), expected) {
            (Content::Text(own), Value::String(other)) => own == other,
            (Content::Text(_), _) => false,
            // Numbers are compared as numbers, `5.0` with `5`, wherever they stand.
            _ => json::cmp::equal(&self.value(), expected),
        }
    }

    fn to_value(&self) -> Cow<'f, Value> {
        Cow::Owned(self.value())
    }

    fn identity(&self) -> Option<NodeIdentity> {
        Some(NodeIdentity::new(std::ptr::from_ref(&self.items[self.at]).addr()))
    }
}

impl<'f> json::Object<'f, FlatJson> for At<'f> {
    type Node = At<'f>;
    type MemberName = &'f str;
    type MembersIter = Members<'f>;

    fn len(&self) -> usize {
        self.count()
    }

    fn get(&self, key: &Box<str>) -> Option<At<'f>> {
        self.member(key)
    }

    fn members(&self) -> Members<'f> {
        Members(self.until(self.end()))
    }
}

impl<'f> json::Array<'f, FlatJson> for At<'f> {
    type Node = At<'f>;
    type ElementsIter = Values<'f>;

    fn len(&self) -> usize {
        self.count()
    }

    fn elements(&self) -> Values<'f> {
        self.until(self.end())
    }
}

impl At<'_> {
    fn count(self) -> usize {
        match self.content() {
            Content::Array(span) | Content::Object(span) => span.count,
            _ => 0,
        }
    }
}

/// The members of an object.
pub(crate) struct Members<'f>(Values<'f>);

impl<'f> Iterator for Members<'f> {
    type Item = (&'f str, At<'f>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|value| (&*value.items[value.at].name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_validator_expects() {
        let document = json::conformance::document().to_string();
        let flat = Flat::read(document.as_bytes()).unwrap();
        json::conformance::assert_conformance::<FlatJson>(&flat.root());
    }
}
