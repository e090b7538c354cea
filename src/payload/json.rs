//! A reader of JSON for the proof: strict, with the places of everything, and nothing else's code.

use std::borrow::Cow;

use crate::{Rule, contract::JsonType};

/// The deepest nesting of a body.
pub(super) const MAX_DEPTH: usize = 128;

/// A JSON text that was read: its values in the order in which they start.
pub(super) struct Tree<'a> {
    text: &'a str,
    items: Vec<Item>,
}

/// A value of a [`Tree`].
#[derive(Clone, Copy)]
struct Item {
    kind: JsonType,
    /// The name's text between its quotes; empty span at 0 when there is none.
    name: (u32, u32),
    start: u32,
    end: u32,
    /// The position after everything below this value.
    after: u32,
    /// Whether the name has escapes.
    name_escaped: bool,
}

/// A value in its tree.
#[derive(Clone, Copy)]
pub(super) struct Json<'t> {
    tree: &'t Tree<'t>,
    at: usize,
}

impl<'a> Tree<'a> {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// The rule that it breaks: `required` when there is nothing, `encoding`, `depth` or `json`.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Rule> {
        if body.is_empty() {
            return Err(Rule::Required);
        }
        let text = std::str::from_utf8(body).map_err(|_| Rule::Encoding)?;
        let mut reader = Reader { text, at: 0, items: Vec::with_capacity(96) };
        reader.space();
        reader.value((0, 0), false, 0)?;
        reader.space();
        if reader.at < text.len() {
            return Err(Rule::Json);
        }
        Ok(Self { text, items: reader.items })
    }

    /// The outermost value.
    pub(super) fn root(&'a self) -> Json<'a> {
        Json { tree: self, at: 0 }
    }
}

impl<'t> Json<'t> {
    fn item(self) -> &'t Item {
        &self.tree.items[self.at]
    }

    /// Its type; a number is `Integer` when it has no fraction.
    pub(super) fn kind(self) -> JsonType {
        let item = self.item();
        if item.kind != JsonType::Number {
            return item.kind;
        }
        let text = self.raw();
        let has_fraction = text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
        if has_fraction && self.number().fract() != 0.0 { JsonType::Number } else { JsonType::Integer }
    }

    /// Its text, as it stands there.
    pub(super) fn raw(self) -> &'t str {
        &self.tree.text[self.item().start as usize..self.item().end as usize]
    }

    /// Where it starts and ends in the text.
    pub(super) fn span(self) -> (usize, usize) {
        (self.item().start as usize, self.item().end as usize)
    }

    /// The number that it is.
    pub(super) fn number(self) -> f64 {
        self.raw().parse().unwrap_or(f64::NAN)
    }

    /// The text that it is.
    pub(super) fn text(self) -> Cow<'t, str> {
        let raw = self.raw();
        let inner = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).unwrap_or(raw);
        if inner.contains('\\') { Cow::Owned(unescape(inner)) } else { Cow::Borrowed(inner) }
    }

    /// Its name, when it is a member of an object.
    pub(super) fn name(self) -> Cow<'t, str> {
        let item = self.item();
        let raw = &self.tree.text[item.name.0 as usize..item.name.1 as usize];
        if item.name_escaped { Cow::Owned(unescape(raw)) } else { Cow::Borrowed(raw) }
    }

    /// Its members or items.
    pub(super) fn children(self) -> impl Iterator<Item = Json<'t>> {
        let after = self.item().after as usize;
        let mut next = self.at + 1;
        std::iter::from_fn(move || {
            let at = (next < after).then_some(next)?;
            next = self.tree.items[at].after as usize;
            Some(Json { tree: self.tree, at })
        })
    }

    /// The member of this name; the last one counts.
    pub(super) fn member(self, name: &str) -> Option<Json<'t>> {
        self.children().filter(|member| member.name() == name).last()
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    items: Vec<Item>,
}

impl Reader<'_> {
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Rule> {
        if self.peek() != byte {
            return Err(Rule::Json);
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, name: (u32, u32), name_escaped: bool, depth: usize) -> Result<(), Rule> {
        let index = self.items.len();
        let start = position(self.at);
        self.items.push(Item { kind: JsonType::Null, name, start, end: 0, after: 0, name_escaped });
        let kind = match self.peek() {
            b'{' | b'[' if depth == MAX_DEPTH => return Err(Rule::Depth),
            b'{' => self.object(depth + 1)?,
            b'[' => self.list(depth + 1)?,
            b'"' => self.string().map(|_| JsonType::String)?,
            b't' => self.word("true", JsonType::Boolean)?,
            b'f' => self.word("false", JsonType::Boolean)?,
            b'n' => self.word("null", JsonType::Null)?,
            _ => self.number()?,
        };
        let after = position(self.items.len());
        let item = &mut self.items[index];
        item.kind = kind;
        item.end = position(self.at);
        item.after = after;
        Ok(())
    }

    fn word(&mut self, word: &str, kind: JsonType) -> Result<JsonType, Rule> {
        if !self.text[self.at..].starts_with(word) {
            return Err(Rule::Json);
        }
        self.at += word.len();
        Ok(kind)
    }

    fn object(&mut self, depth: usize) -> Result<JsonType, Rule> {
        self.at += 1;
        self.space();
        if self.peek() == b'}' {
            self.at += 1;
            return Ok(JsonType::Object);
        }
        loop {
            self.space();
            let start = position(self.at + 1);
            let escaped = self.string()?;
            let name = (start, position(self.at - 1));
            self.space();
            self.expect(b':')?;
            self.space();
            self.value(name, escaped, depth)?;
            self.space();
            if self.peek() == b'}' {
                self.at += 1;
                return Ok(JsonType::Object);
            }
            self.expect(b',')?;
        }
    }

    fn list(&mut self, depth: usize) -> Result<JsonType, Rule> {
        self.at += 1;
        self.space();
        if self.peek() == b']' {
            self.at += 1;
            return Ok(JsonType::Array);
        }
        loop {
            self.space();
            self.value((0, 0), false, depth)?;
            self.space();
            if self.peek() == b']' {
                self.at += 1;
                return Ok(JsonType::Array);
            }
            self.expect(b',')?;
        }
    }

    /// Reads a string, and says whether it has escapes.
    fn string(&mut self) -> Result<bool, Rule> {
        self.expect(b'"')?;
        let mut escaped = false;
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(b' '..) => self.at += 1,
                _ => return Err(Rule::Json),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Rule> {
        self.at += 2;
        match self.text.as_bytes().get(self.at - 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(()),
            Some(b'u') => {
                let unit = self.unit()?;
                if (0xd800..0xdc00).contains(&unit) {
                    if !self.text[self.at..].starts_with("\\u") {
                        return Err(Rule::Json);
                    }
                    self.at += 2;
                    return if (0xdc00..0xe000).contains(&self.unit()?) { Ok(()) } else { Err(Rule::Json) };
                }
                if (0xdc00..0xe000).contains(&unit) { Err(Rule::Json) } else { Ok(()) }
            }
            _ => Err(Rule::Json),
        }
    }

    fn unit(&mut self) -> Result<u32, Rule> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(Rule::Json)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Rule::Json);
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| Rule::Json)
    }

    fn number(&mut self) -> Result<JsonType, Rule> {
        let start = self.at;
        if self.peek() == b'-' {
            self.at += 1;
        }
        if self.peek() == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        // What a double cannot hold is refused.
        let is_long = self.at - start > 15;
        if is_long || self.text[start..self.at].contains(['e', 'E']) {
            let number: f64 = self.text[start..self.at].parse().map_err(|_| Rule::Json)?;
            if !number.is_finite() {
                return Err(Rule::Json);
            }
        }
        Ok(JsonType::Number)
    }

    fn digits(&mut self) -> Result<(), Rule> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Rule::Json) }
    }
}

/// Bodies are far below 4 GiB.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The text that an escaped one stands for; the escapes are known to be right.
fn unescape(raw: &str) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(raw.len());
    let mut rest = raw.chars();
    let mut buffer = [0; 2];
    while let Some(character) = rest.next() {
        let character = match character {
            '\\' => match rest.next() {
                Some('u') => {
                    let digits: String = rest.by_ref().take(4).collect();
                    units.push(u16::from_str_radix(&digits, 16).unwrap_or(0xfffd));
                    continue;
                }
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                other => other.unwrap_or('\\'),
            },
            other => other,
        };
        units.extend_from_slice(character.encode_utf16(&mut buffer));
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_json_is_told_from_what_is() {
        for (body, rule) in [
            ("", Rule::Required),
            ("{", Rule::Json),
            ("{}x", Rule::Json),
            ("\u{feff}{}", Rule::Json),
            ("[1,]", Rule::Json),
            ("{\"a\":1,}", Rule::Json),
            ("{'a':1}", Rule::Json),
            ("[01]", Rule::Json),
            ("[1.]", Rule::Json),
            ("[1e999]", Rule::Json),
            ("[\"\\ud800\"]", Rule::Json),
            ("[\"\\udc00\"]", Rule::Json),
            ("[\"\\u00g0\"]", Rule::Json),
            ("[\"\n\"]", Rule::Json),
            ("[/* */1]", Rule::Json),
        ] {
            assert_eq!(Tree::read(body.as_bytes()).err(), Some(rule), "{body}");
        }
        assert_eq!(Tree::read(b"\"\xff\"").err(), Some(Rule::Encoding));
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Tree::read(deep(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(Tree::read(deep(MAX_DEPTH + 1).as_bytes()).err(), Some(Rule::Depth));
    }

    #[test]
    fn values_are_read_as_serde_reads_them() {
        let text = r#" { "a" : [1, -0.5e1, "\ud83d\ude42\n\/é"], "\u0061": {"b": null}, "c":true } "#;
        let tree = Tree::read(text.as_bytes()).unwrap();
        let other: serde_json::Value = serde_json::from_str(text).unwrap();
        let a = tree.root().member("a").unwrap();
        assert_eq!(a.kind(), JsonType::Object, "of members with one name the last counts");
        assert_eq!(a.member("b").unwrap().kind(), JsonType::Null);
        assert_eq!(other["a"], serde_json::json!({"b": null}));
        let list = tree.root().children().next().unwrap();
        let items: Vec<_> = list.children().collect();
        assert_eq!((items[0].kind(), items[1].kind()), (JsonType::Integer, JsonType::Integer));
        assert_eq!(items[2].text(), "🙂\n/é");
        assert_eq!(tree.root().member("c").unwrap().raw(), "true");
    }
}
