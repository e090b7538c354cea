//! Texts without their escapes, and where in the text each byte was.

use std::ops::Range;

/// A text without its percent-encoding and without JSON's escapes, one level of both.
pub(super) struct Unescaped<'a> {
    pub(super) text: Vec<u8>,
    escaped: &'a [u8],
}

impl<'a> Unescaped<'a> {
    /// None when the text has no escapes.
    pub(super) fn of(escaped: &'a [u8]) -> Option<Self> {
        let mut ahead = Some(next(escaped, 0)?);
        let mut text = Vec::with_capacity(escaped.len());
        let mut done = 0;
        while let Some(Escape { at, length, character }) = ahead {
            text.extend_from_slice(&escaped[done..at]);
            text.extend_from_slice(character.bytes());
            done = at + length;
            ahead = next(escaped, done);
        }
        text.extend_from_slice(&escaped[done..]);
        Some(Self { text, escaped })
    }

    /// Makes ranges of this text those of the escaped one that they were. The escapes are looked for once more, because
    /// most texts have nothing to find, and the place of each byte would take eight times as much as the text.
    pub(super) fn place<'r>(&self, ranges: impl Iterator<Item = &'r mut Range<usize>>) {
        let mut ends: Vec<_> = ranges.flat_map(|range| [&mut range.start, &mut range.end]).collect();
        ends.sort_unstable_by_key(|end| **end);
        // Before `place` of the escaped text there are `index` bytes of this one.
        let (mut place, mut index) = (0, 0);
        let mut ahead = next(self.escaped, 0);
        for end in ends {
            while let Some(Escape { at, length, character }) = &ahead {
                let after = index + (at - place) + character.length;
                if *end < after {
                    break;
                }
                (place, index) = (at + length, after);
                ahead = next(self.escaped, place);
            }
            let plain = place + (*end - index);
            *end = ahead.as_ref().map_or(plain, |escape| plain.min(escape.at));
        }
    }
}

/// How much of a text stands before an escape that is cut off at its end.
pub(super) fn without_cut_escape(text: &[u8]) -> usize {
    const LONGEST: usize = "\\u0000".len();
    let last = memchr::memrchr2(b'%', b'\\', text);
    last.filter(|&at| text.len() - at < LONGEST && escape(&text[at..]).is_none()).unwrap_or(text.len())
}

/// An escape in a text.
struct Escape {
    at: usize,
    length: usize,
    character: Character,
}

/// The first escape of a text from a place on.
fn next(text: &[u8], from: usize) -> Option<Escape> {
    memchr::memchr2_iter(b'%', b'\\', &text[from..]).map(|at| from + at).find_map(|at| {
        let (character, length) = escape(&text[at..])?;
        Some(Escape { at, length, character })
    })
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
            let mut whole = 0..unescaped.text.len();
            unescaped.place([&mut whole].into_iter());
            assert_eq!(whole, 0..text.len(), "{text}");
        }
    }

    #[test]
    fn ranges_in_any_order_are_found_again() {
        // Within a character that was one escape, a range has the place where that begins.
        let unescaped = Unescaped::of(r"ab\u0063d\u00e9%25\\f".as_bytes()).unwrap();
        assert_eq!(unescaped.text, "abcdé%\\f".as_bytes());
        let mut ranges = [7..9, 2..3, 0..2, 3..5, 4..6, 6..7, 9..9];

        unescaped.place(ranges.iter_mut());

        assert_eq!(ranges, [18..21, 2..8, 0..2, 8..9, 9..15, 15..18, 21..21]);
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
