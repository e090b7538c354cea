//! JSON as it is looked at, whatever it is kept in.

use std::slice;

use serde_json::Value;

use super::JsonType;
use crate::pointer::names;

/// A value.
pub(crate) trait View<'v>: Copy {
    /// The items of a list.
    type Items: Iterator<Item = Self>;

    /// Whether it is of this type.
    fn is(self, kind: JsonType) -> bool;

    /// The text of a string.
    fn text(self) -> Option<&'v str>;

    /// The items, when it is a list.
    fn items(self) -> Option<Self::Items>;

    /// A member, when it is an object and has it.
    fn member(self, name: &str) -> Option<Self>;

    /// What a JSON pointer leads to.
    fn pointer(self, pointer: &str) -> Option<Self> {
        names(pointer).try_fold(self, |value, name| match value.items() {
            Some(mut items) => name.parse().ok().and_then(|index| items.nth(index)),
            None => value.member(&name),
        })
    }

    /// Whether it is this value, its members in any order.
    fn equals(self, other: &Value) -> bool;
}

impl<'v> View<'v> for &'v Value {
    type Items = slice::Iter<'v, Value>;

    fn is(self, kind: JsonType) -> bool {
        kind.holds(self)
    }

    fn text(self) -> Option<&'v str> {
        self.as_str()
    }

    fn items(self) -> Option<Self::Items> {
        self.as_array().map(|list| list.iter())
    }

    fn member(self, name: &str) -> Option<Self> {
        self.as_object()?.get(name)
    }

    fn equals(self, other: &Value) -> bool {
        self == other
    }
}
