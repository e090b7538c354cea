//! Texts that are made: ids in the vendor's shape, and members that follow from others.

use serde_json::Value;

use super::{ContractError, pointer::Pointer, reader::Node};

/// A text with places to fill in, such as `a-{hex:7}` or `{/firstName} {/lastName}`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    Digits(usize),
    Hex(usize),
    Literal(String),
    Lower(Pointer),
    Member(Pointer),
}

/// What a member is when nothing is stored there.
#[derive(Clone, Debug)]
pub(crate) enum Derived {
    /// A text that follows from other members.
    Text(Template),
    /// Always the same: a flag, a number, an empty list.
    Value(Value),
}

/// The most characters that one place makes.
const MOST: usize = 64;

impl Template {
    /// Reads a template whose places are made: `{hex:N}` and `{digits:N}`.
    pub(super) fn made(node: &Node) -> Result<Self, ContractError> {
        let template = Self::read(node)?;
        let drawn = |part: &Part| matches!(part, Part::Digits(_) | Part::Hex(_));
        if template.0.iter().any(|part| !drawn(part) && !matches!(part, Part::Literal(_))) {
            return Err(node.error("a text with `{hex:N}` and `{digits:N}`"));
        }
        // Enough that one of the next few is always free.
        if template.0.iter().map(Part::digits).sum::<usize>() < 8 {
            return Err(node.error("a text with at least 8 digits that are made"));
        }
        Ok(template)
    }

    /// Reads a template whose places are members: `{/pointer}` and `{lower:/pointer}`.
    pub(super) fn derived(node: &Node) -> Result<Self, ContractError> {
        let template = Self::read(node)?;
        if template.0.iter().any(|part| matches!(part, Part::Digits(_) | Part::Hex(_))) {
            return Err(node.error("a text with `{/member}` and `{lower:/member}`"));
        }
        Ok(template)
    }

    fn read(node: &Node) -> Result<Self, ContractError> {
        let mut parts = Vec::new();
        let mut rest = node.text()?;
        while let Some((literal, place)) = rest.split_once('{') {
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            let part = place.split_once('}').and_then(|(place, after)| Some((Part::read(place)?, after)));
            let Some((part, after)) = part else {
                return Err(
                    node.error("places such as `{hex:7}`, `{digits:7}`, `{/member}` or `{lower:/member}`")
                );
            };
            parts.push(part);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The members that it is made from.
    pub(super) fn members(&self) -> impl Iterator<Item = &Pointer> {
        self.0.iter().filter_map(|part| match part {
            Part::Lower(pointer) | Part::Member(pointer) => Some(pointer),
            _ => None,
        })
    }

    /// The text, with numbers that `draw` gives.
    pub(crate) fn make(&self, draw: &mut dyn FnMut() -> u64) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Digits(count) => letters(&mut text, *count, 10, draw),
                Part::Hex(count) => letters(&mut text, *count, 16, draw),
                Part::Literal(literal) => text.push_str(literal),
                Part::Lower(_) | Part::Member(_) => {}
            }
        }
        text
    }

    /// The text that follows from a record; none when a member is missing there.
    fn derive(&self, record: &Value) -> Option<String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Lower(pointer) => text.push_str(&pointer.get(record)?.as_str()?.to_lowercase()),
                Part::Member(pointer) => text.push_str(pointer.get(record)?.as_str()?),
                Part::Digits(_) | Part::Hex(_) => {}
            }
        }
        Some(text)
    }
}

impl Derived {
    pub(super) fn read(node: &Node) -> Result<Self, ContractError> {
        if node.value.is_string() {
            Template::derived(node).map(Self::Text)
        } else {
            Ok(Self::Value(node.value.clone()))
        }
    }

    /// The members that it is made from.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Pointer> {
        match self {
            Self::Text(template) => Some(template.members()),
            Self::Value(_) => None,
        }
        .into_iter()
        .flatten()
    }

    /// The value for a record; none when a member that it needs is missing there.
    pub(crate) fn of(&self, record: &Value) -> Option<Value> {
        match self {
            Self::Text(template) => template.derive(record).map(Value::from),
            Self::Value(value) => Some(value.clone()),
        }
    }
}

impl Part {
    fn read(place: &str) -> Option<Self> {
        if place.starts_with('/') {
            return Some(Self::Member(Pointer::parse(place)?));
        }
        let (kind, what) = place.split_once(':')?;
        let count = || what.parse().ok().filter(|count| (1..=MOST).contains(count));
        match kind {
            "digits" => Some(Self::Digits(count()?)),
            "hex" => Some(Self::Hex(count()?)),
            "lower" => Some(Self::Lower(Pointer::parse(what)?)),
            _ => None,
        }
    }

    fn digits(&self) -> usize {
        match self {
            Self::Digits(count) | Self::Hex(count) => *count,
            _ => 0,
        }
    }
}

fn letters(text: &mut String, count: usize, base: u8, draw: &mut dyn FnMut() -> u64) {
    let mut left = 0;
    for index in 0..count {
        // A draw of 64 bits is good for 16 letters.
        if index % 16 == 0 {
            left = draw();
        }
        let digit = u8::try_from(left % u64::from(base)).unwrap_or_default();
        text.push(char::from(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }));
        left /= u64::from(base);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_made_text_has_the_shape_and_a_derived_one_the_members() {
        let (made, derived) = (json!("a-{hex:7}-{digits:3}"), json!("{/first} {lower:/last/0}!"));
        let made = Template::made(&Node::root(&made)).expect("a template");
        assert_eq!(made.make(&mut || 0x0123_4567_89ab_cdef), "a-fedcba9-598");
        let derived = Template::derived(&Node::root(&derived)).expect("a template");
        assert_eq!(derived.derive(&json!({"first": "Ada", "last": ["L"]})).as_deref(), Some("Ada l!"));
        assert_eq!(derived.derive(&json!({"first": "Ada"})), None);
        let fixed = json!([]);
        let fixed = Derived::read(&Node::root(&fixed)).expect("a value");
        assert_eq!(fixed.of(&json!({})), Some(json!([])));
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for text in ["{hex:0}", "{hex:7", "{octal:7}", "{hex:2000}", "{digits:x}", "a-{hex:7}", "{/id}"] {
            assert!(Template::made(&Node::root(&json!(text))).is_err(), "{text}");
        }
        assert!(Template::derived(&Node::root(&json!("{hex:9}"))).is_err());
    }
}
