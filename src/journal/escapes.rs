//! Texts without their escapes, and where in the text each byte was.

use std::ops::Range;

/// A text without its percent-encoding and without JSON's escapes, one level of both.
pub(super) struct Unescaped {
    pub(super) text: Vec<u8>,
    /// For each byte, and for the end, the place in the escaped text.
    places: Vec<usize>,
}

impl Unescaped {
    /// None when the text has no escapes.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        memchr::memchr2_iter(b'%', b'\\', text).find(|&at| escape(&text[at..]).is_some())?;
        let mut unescaped =
            Self { text: Vec::with_capacity(text.len()), places: Vec::with_capacity(text.len() + 1) };
        let mut at = 0;
        while at < text.len() {
            let (character, length) = escape(&text[at..]).unwrap_or((Character::of(text[at]), 1));
            for byte in character.bytes() {
                unescaped.text.push(*byte);
                unescaped.places.push(at);
            }
            at += length;
        }
        unescaped.places.push(at);
        Some(unescaped)
    }

    /// Where in the escaped text a range of this one was.
    pub(super) fn place(&self, range: &Range<usize>) -> Range<usize> {
        self.places[range.start]..self.places[range.end]
    }
}

/// How much of a text stands before an escape that is cut off at its end.
pub(super) fn without_cut_escape(text: &[u8]) -> usize {
    const LONGEST: usize = "\\u0000".len();
    let last = memchr::memrchr2(b'%', b'\\', text);
    last.filter(|&at| text.len() - at < LONGEST && escape(&text[at..]).is_none()).unwrap_or(text.len())
}

/// What one escape stands for, in UTF-8 where it is more than a byte.
struct Character {
    bytes: [u8; 4],
    length: usize,
}

impl Character {
    fn of(byte: u8) -> Self {
        Self { bytes: [byte, 0, 0, 0], length: 1 }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl From<char> for Character {
    fn from(character: char) -> Self {
        let mut bytes = [0; 4];
        let length = character.encode_utf8(&mut bytes).len();
        Self { bytes, length }
    }
}

/// The escape that a text begins with, and how long it is.
fn escape(text: &[u8]) -> Option<(Character, usize)> {
    match text {
        [b'%', digits @ ..] => Some((Character::of(u8::try_from(number(digits, 2)?).ok()?), 3)),
        [b'\\', b'u', digits @ ..] => {
            let unit = number(digits, 4)?;
            if let Some(character) = char::from_u32(unit) {
                return Some((character.into(), 6));
            }
            let low = digits[4..].strip_prefix(b"\\u").and_then(|digits| number(digits, 4))?;
            let units = [unit, low].map(|unit| u16::try_from(unit).unwrap_or_default());
            Some((char::decode_utf16(units).next()?.ok()?.into(), 12))
        }
        [b'\\', letter, ..] => {
            let byte = match letter {
                b'"' | b'\\' | b'/' => *letter,
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                _ => return None,
            };
            Some((Character::of(byte), 2))
        }
        _ => None,
    }
}

/// The first characters of a text as a hexadecimal number.
fn number(text: &[u8], digits: usize) -> Option<u32> {
    let digits = text.get(..digits)?;
    digits.iter().try_fold(0, |number, &digit| Some(number << 4 | char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_taken_back_and_their_places_known() {
        for (text, expected) in [
            ("a%62c", "abc"),
            (r"\u0061b\u00e9", "abé"),
            (r"\ud83d\ude00!", "😀!"),
            (r#"\"\\u0061\/\n"#, "\"\\u0061/\n"),
            (r"%4x \ud83d\u0061 \u12 \x %41", r"%4x \ud83da \u12 \x A"),
        ] {
            let unescaped = Unescaped::of(text.as_bytes()).unwrap();
            assert_eq!(String::from_utf8_lossy(&unescaped.text), expected, "{text}");
            assert_eq!(unescaped.place(&(0..unescaped.text.len())), 0..text.len(), "{text}");
        }
        let unescaped = Unescaped::of(br"ab\u0063d").unwrap();
        assert_eq!(unescaped.place(&(2..3)), 2..8);
    }

    #[test]
    fn a_text_without_escapes_is_not_copied() {
        for text in ["", "abc", "100% \\", "%%", r"\ud83d", r"\u12"] {
            assert!(Unescaped::of(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn an_escape_that_is_cut_off_is_told_from_a_whole_one() {
        for (text, expected) in
            [("ab%", 2), ("ab%4", 2), (r"ab\u006", 2), ("ab%41", 5), (r"a\u0061", 7), ("ab", 2), (r"a\", 1)]
        {
            assert_eq!(without_cut_escape(text.as_bytes()), expected, "{text}");
        }
    }
}
