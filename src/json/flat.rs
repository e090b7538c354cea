//! JSON in one list, in the order of its text: read in one pass, without a map, and without an allocation for what is in
//! the text as it is. Most requests break nothing, and all that is asked of them can be asked of this.

mod node;

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::{
    Deserializer,
    de::{self, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use super::{JsonType, view::View};

pub(crate) use node::FlatJson;

/// A document.
#[derive(Debug, Default)]
pub(crate) struct Flat<'t>(Vec<Item<'t>>);

/// A value, or a list or an object before what is in it.
#[derive(Debug)]
struct Item<'t> {
    /// Its name as a member.
    name: Cow<'t, str>,
    content: Content<'t>,
}

#[derive(Debug)]
enum Content<'t> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'t, str>),
    Array(Span),
    Object(Span),
}

/// What is in a list or an object.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    count: usize,
    /// The place after the last.
    end: usize,
}

impl<'t> Flat<'t> {
    /// Reads a text. None when it is not JSON, when it nests deeper than `serde_json` reads, or when it has two members of
    /// one name: [`super::parse`] says what becomes of it then.
    pub(crate) fn read(text: &'t [u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        // Fewer reallocations; no list is much longer than half of its text.
        let mut items = Vec::with_capacity(text.len() / 24 + 1);
        let mut reader = serde_json::Deserializer::from_str(text);
        Reader { items: &mut items, name: Cow::Borrowed("") }.deserialize(&mut reader).ok()?;
        reader.end().ok()?;
        Some(Self(items))
    }

    /// The whole of it.
    pub(crate) fn root(&self) -> At<'_> {
        At { items: &self.0, at: 0 }
    }
}

/// Reads a value to the end of a list.
struct Reader<'i, 't> {
    items: &'i mut Vec<Item<'t>>,
    name: Cow<'t, str>,
}

impl<'t> Reader<'_, 't> {
    fn push(self, content: Content<'t>) {
        self.items.push(Item { name: self.name, content });
    }
}

impl<'t> DeserializeSeed<'t> for Reader<'_, 't> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Reader<'_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.push(Content::Null);
        Ok(())
    }

    fn visit_bool<E>(self, flag: bool) -> Result<(), E> {
        self.push(Content::Bool(flag));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.push(Content::Number(number.into()));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.push(Content::Number(number.into()));
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<(), E> {
        let number = Number::from_f64(number).ok_or_else(|| E::custom("a number without an end"))?;
        self.push(Content::Number(number));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, text: &'t str) -> Result<(), E> {
        self.push(Content::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.push(Content::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { items, name } = self;
        let at = items.len();
        items.push(Item { name, content: Content::Null });
        let mut count = 0;
        while list.next_element_seed(Reader { items: &mut *items, name: Cow::Borrowed("") })?.is_some() {
            count += 1;
        }
        items[at].content = Content::Array(Span { count, end: items.len() });
        Ok(())
    }

    fn visit_map<A: MapAccess<'t>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { items, name } = self;
        let at = items.len();
        items.push(Item { name, content: Content::Null });
        let (mut count, mut last) = (0, at + 1);
        // The names so far, once there are too many to look at each.
        let mut names = HashSet::new();
        while let Some(name) = members.next_key_seed(Name)? {
            // With a feature of serde_json that another crate may have switched on, numbers come like this.
            if name == "$serde_json::private::Number" {
                return Err(A::Error::custom("a number that is not one"));
            }
            let is_new = if count < FEW {
                At { items: &*items, at }.members_until(last).all(|(other, _)| other != name)
            } else {
                if names.is_empty() {
                    names.extend(
                        At { items: &*items, at }.members_until(last).map(|(other, _)| other.to_owned()),
                    );
                }
                names.insert(name.clone().into_owned())
            };
            if !is_new {
                return Err(A::Error::custom("two members of one name"));
            }
            members.next_value_seed(Reader { items: &mut *items, name })?;
            (count, last) = (count + 1, items.len());
        }
        items[at].content = Content::Object(Span { count, end: last });
        Ok(())
    }
}

/// How many members are compared with each other one by one.
const FEW: usize = 32;

/// Reads the name of a member.
struct Name;

impl<'t> DeserializeSeed<'t> for Name {
    type Value = Cow<'t, str>;

    fn deserialize<D: Deserializer<'t>>(self, reader: D) -> Result<Cow<'t, str>, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'t> Visitor<'t> for Name {
    type Value = Cow<'t, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'t str) -> Result<Cow<'t, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'t, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// A value of a document.
#[derive(Clone, Copy)]
pub(crate) struct At<'f> {
    items: &'f [Item<'f>],
    at: usize,
}

impl<'f> At<'f> {
    fn content(self) -> &'f Content<'f> {
        &self.items[self.at].content
    }

    /// The place after it and all that is in it.
    fn end(self) -> usize {
        match self.content() {
            Content::Array(span) | Content::Object(span) => span.end,
            _ => self.at + 1,
        }
    }

    /// The values from the one after this up to a place.
    fn until(self, end: usize) -> Values<'f> {
        Values { next: Self { at: self.at + 1, ..self }, end }
    }

    fn members_until(self, end: usize) -> impl Iterator<Item = (&'f str, Self)> {
        self.until(end).map(|value| (&*value.items[value.at].name, value))
    }

    /// The same as a value of its own.
    pub(crate) fn value(self) -> Value {
        match self.content() {
            Content::Null => Value::Null,
            Content::Bool(flag) => Value::Bool(*flag),
            Content::Number(number) => Value::Number(number.clone()),
            Content::Text(text) => Value::String(text.clone().into_owned()),
            Content::Array(span) => self.until(span.end).map(Self::value).collect(),
            Content::Object(span) => {
                let members = self.members_until(span.end);
                Value::Object(
                    members.map(|(name, value)| (name.to_owned(), value.value())).collect::<Map<_, _>>(),
                )
            }
        }
    }
}

/// Values that stand beside each other.
#[derive(Clone)]
pub(crate) struct Values<'f> {
    next: At<'f>,
    end: usize,
}

impl<'f> Iterator for Values<'f> {
    type Item = At<'f>;

    fn next(&mut self) -> Option<At<'f>> {
        let value = self.next;
        (value.at < self.end).then(|| {
            self.next.at = value.end();
            value
        })
    }
}

impl<'f> View<'f> for At<'f> {
    type Items = Values<'f>;

    fn is(self, kind: JsonType) -> bool {
        match self.content() {
            Content::Null => kind == JsonType::Null,
            Content::Bool(_) => kind == JsonType::Boolean,
            Content::Number(number) => kind.holds_number(number),
            Content::Text(_) => kind == JsonType::String,
            Content::Array(_) => kind == JsonType::Array,
            Content::Object(_) => kind == JsonType::Object,
        }
    }

    fn text(self) -> Option<&'f str> {
        match self.content() {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    fn items(self) -> Option<Values<'f>> {
        match self.content() {
            Content::Array(span) => Some(self.until(span.end)),
            _ => None,
        }
    }

    fn member(self, name: &str) -> Option<Self> {
        match self.content() {
            Content::Object(span) => {
                self.members_until(span.end).find(|(own, _)| *own == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    fn equals(self, other: &Value) -> bool {
        match (self.content(), other) {
            (Content::Null, Value::Null) => true,
            (Content::Bool(own), Value::Bool(other)) => own == other,
            (Content::Number(own), Value::Number(other)) => own == other,
            (Content::Text(own), Value::String(other)) => own == other,
            (Content::Array(span), Value::Array(others)) => {
                span.count == others.len()
                    && self.until(span.end).zip(others).all(|(own, other)| own.equals(other))
            }
            (Content::Object(span), Value::Object(others)) => {
                let mut members = self.members_until(span.end);
                span.count == others.len()
                    && members.all(|(name, own)| others.get(name).is_some_and(|other| own.equals(other)))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json::parse;

    #[test]
    fn it_is_what_the_reader_of_values_reads() {
        let document = json!({
            "": null, "a": [], "b\\\"c": {}, "text": ["", "ü", "line\n", "\u{1f600}"],
            "numbers": [0, -1, 1.5, 1e300, u64::MAX, i64::MIN, -0.0, 1e2], "deep": [{"er": {"and": [true, false]}}],
        });
        let text = document.to_string();
        let flat = Flat::read(text.as_bytes()).unwrap();

        assert_eq!(flat.root().value(), parse(text.as_bytes()).unwrap());
        assert!(flat.root().equals(&parse(text.as_bytes()).unwrap()));
        assert!(!flat.root().equals(&json!({"a": []})));
        let escaped = br#"{"na\u006de":"te\u0078t"}"#;
        assert_eq!(Flat::read(escaped).unwrap().root().value(), json!({"name": "text"}));
    }

    #[test]
    fn what_is_no_json_or_could_be_read_in_two_ways_is_left_to_the_reader_of_values() {
        let many: Vec<_> = (0..100).map(|n| format!("\"{n}\":{n}")).collect();
        let twice = format!("{{{},\"7\":0}}", many.join(","));
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let number = r#"{"$serde_json::private::Number":"1"}"#;
        for text in [
            "",
            "{",
            "[1,]",
            "1 2",
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":1}"#,
            "1e400",
            &twice,
            &deep,
            number,
        ] {
            assert!(Flat::read(text.as_bytes()).is_none(), "{text}");
        }
        assert!(Flat::read(b"\"\xff\"").is_none());
        let flat = format!("{{{}}}", many.join(","));
        assert_eq!(Flat::read(flat.as_bytes()).unwrap().root().value(), parse(flat.as_bytes()).unwrap());
    }
}
