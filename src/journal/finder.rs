//! Where secrets stand in a text.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use memchr::memmem;

use super::{
    escapes::{self, Unescaped},
    known::Known,
    secrets::Secrets,
};
use crate::SecretKind;

/// Finds secrets in any text, in a pass or two when there are none.
pub(super) struct Finder {
    /// What a JWT begins with: see [`MARKS`].
    marks: AhoCorasick,
    /// The values that were secret from the beginning, when there are any.
    known: Option<Known>,
    /// Tokens that tell by nothing but their value what they are; the one used last is the last.
    remembered: Mutex<Arc<[Arc<Known>]>>,
    key: RandomState,
}

/// A search among texts of one exchange, with the tokens that are remembered when it begins.
pub(super) struct Search<'a> {
    finder: &'a Finder,
    remembered: Arc<[Arc<Known>]>,
}

/// A secret in a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Found {
    pub(super) range: Range<usize>,
    pub(super) secret: SecretKind,
    /// A hash of the secret as it is when nothing encodes it.
    pub(super) hash: u64,
}

/// Whether a text has quotes of what was sent, which end in `…` where they are cut off.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Quotes {
    None,
    Some,
}

/// A JWT begins with `{"` and a letter in base64url, which is `eyJ`. Base64 of that differs by how many bytes are before
/// it in its group of three. With each text, how many characters its group of four has before it.
const MARKS: [(&str, Option<usize>); 4] =
    [("eyJ", None), ("ZXlK", Some(0)), ("V5S", Some(2)), ("leU", Some(3))];

/// How often escapes are taken back in a text at most.
const LEVELS: usize = 3;

/// How many tokens are remembered.
const REMEMBERED: usize = 8;

impl Finder {
    pub(super) fn new(secrets: &Secrets, key: RandomState) -> Self {
        let values = secrets.values().iter().map(|value| {
            let value = value.reveal().as_bytes();
            (value, key.hash_one(value))
        });
        Self {
            // Of the kinds of matches this one is found fastest, and no mark begins another.
            marks: AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostFirst)
                .build(MARKS.map(|(text, _)| text))
                .expect("four short texts fit into an automaton"),
            known: Known::of(values),
            remembered: Mutex::new(Arc::new([])),
            key,
        }
    }

    /// Takes a token that was accepted for a secret from now on, in place of the one that was not used for longest.
    /// Those of usual length are remembered, unless they have the form of a JWT and are found by that.
    pub(super) fn remember(&self, token: &[u8]) {
        const LENGTHS: std::ops::RangeInclusive<usize> = 16..=256;
        let is_whole = |found: &Found| found.range == (0..token.len());
        if !LENGTHS.contains(&token.len()) || self.tokens(token).iter().any(is_whole) {
            return;
        }
        let hash = self.key.hash_one(token);
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.last().is_some_and(|last| last.has(hash)) {
            return;
        }
        let same = remembered.iter().find(|known| known.has(hash)).cloned();
        let Some(newest) = same.or_else(|| Known::of([(token, hash)]).map(Arc::new)) else { return };
        let others: Vec<_> = remembered.iter().filter(|known| !known.has(hash)).cloned().collect();
        let first = others.len().saturating_sub(REMEMBERED - 1);
        *remembered = others[first..].iter().cloned().chain([newest]).collect();
    }

    pub(super) fn search(&self) -> Search<'_> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        Search { finder: self, remembered: Arc::clone(&remembered) }
    }

    /// Finds JWTs, as they are and in base64. What was looked at in vain is not looked at again, so that this takes no
    /// longer than the text is long.
    fn tokens(&self, text: &[u8]) -> Vec<Found> {
        let mut plain = Vec::new();
        let mut found = Vec::new();
        let mut decoded_until = [0; 4];
        for mark in self.marks.find_iter(text) {
            let Some(before) = MARKS[mark.pattern()].1 else {
                plain.push(mark.start());
                continue;
            };
            let Some(start) = mark.start().checked_sub(before) else { continue };
            if start < decoded_until[start % 4] || !text[start..mark.start()].iter().copied().all(is_base64) {
                continue;
            }
            let end = run(text, start, is_base64);
            decoded_until[start % 4] = end;
            let decoded = base64_decoded(&text[start..end]);
            for inside in tokens_at(&decoded, memchr::memmem::find_iter(&decoded, "eyJ")) {
                let range = start + inside.start / 3 * 4..end.min(start + inside.end.div_ceil(3) * 4);
                found.push(Found {
                    range,
                    secret: SecretKind::Jwt,
                    hash: self.key.hash_one(&decoded[inside]),
                });
            }
        }
        found.extend(tokens_at(text, plain.into_iter()).into_iter().map(|range| Found {
            hash: self.key.hash_one(&text[range.clone()]),
            range,
            secret: SecretKind::Jwt,
        }));
        found
    }
}

impl Search<'_> {
    /// The secrets of a text, in order and apart.
    pub(super) fn find(&self, text: &[u8], quotes: Quotes) -> Vec<Found> {
        // Methods, lengths and yes or no are too short for a JWT, the shortest of which is `eyJ..`.
        if text.len() < 5 && self.known().next().is_none() {
            return Vec::new();
        }
        let mut found = self.find_escaped(text, LEVELS);
        if quotes == Quotes::Some && self.known().next().is_some() {
            found.extend(memmem::find_iter(text, "…").filter_map(|end| self.find_cut(text, end)));
        }
        found.sort_by_key(|found| (found.range.start, usize::MAX - found.range.end));
        found.dedup_by(|next, found| {
            let overlaps = next.range.start < found.range.end;
            if overlaps {
                found.range.end = found.range.end.max(next.range.end);
            }
            overlaps
        });
        found
    }

    fn known(&self) -> impl Iterator<Item = &Known> {
        self.finder.known.iter().chain(self.remembered.iter().map(Arc::as_ref))
    }

    fn find_escaped(&self, text: &[u8], levels: usize) -> Vec<Found> {
        let mut found = self.finder.tokens(text);
        for known in self.known() {
            let value = |(range, hash)| Found { range, secret: SecretKind::Value, hash };
            found.extend(known.find(text).map(value));
        }
        if levels > 0
            && let Some(unescaped) = Unescaped::of(text)
        {
            let mut inside = self.find_escaped(&unescaped.text, levels - 1);
            unescaped.place(inside.iter_mut().map(|found| &mut found.range));
            found.append(&mut inside);
        }
        found
    }

    /// A value whose beginning stands at the end of a quote.
    fn find_cut(&self, text: &[u8], end: usize) -> Option<Found> {
        /// The most bytes that a quote has; each character may be an escape.
        const LONGEST: usize = 1024;
        let start = end.saturating_sub(LONGEST);
        let first = self.cut(&text[start..end], LEVELS)?;
        Some(Found { range: start + first.0..end, secret: SecretKind::Value, hash: first.1 })
    }

    fn cut(&self, text: &[u8], levels: usize) -> Option<(usize, u64)> {
        let text = &text[..escapes::without_cut_escape(text)];
        let plain = self.known().filter_map(|known| known.cut(text));
        let escaped = (levels > 0).then(|| Unescaped::of(text)).flatten().and_then(|unescaped| {
            let (start, hash) = self.cut(&unescaped.text, levels - 1)?;
            let mut place = start..start;
            unescaped.place([&mut place].into_iter());
            Some((place.start, hash))
        });
        plain.chain(escaped).min()
    }
}

/// The JWTs among what begins like one at these places, which are in order.
fn tokens_at(text: &[u8], starts: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
    let mut tokens = Vec::new();
    let mut seen = 0;
    for start in starts {
        if start < seen {
            continue;
        }
        let header = run(text, start, is_base64url);
        seen = header;
        let is_dot = |at: usize| text.get(at) == Some(&b'.');
        if !is_dot(header) {
            continue;
        }
        let payload = run(text, header + 1, is_base64url);
        // Cut off before its signature, it is told by its payload.
        if !is_dot(payload) && !text[header + 1..payload].starts_with(b"ey") {
            continue;
        }
        // One that is encrypted has five parts.
        seen = payload;
        for _ in 2..5 {
            if is_dot(seen) {
                seen = run(text, seen + 1, is_base64url);
            }
        }
        tokens.push(start..seen);
    }
    tokens
}

/// The end of the characters of one kind that start at a place.
fn run(text: &[u8], start: usize, is_one: impl Fn(u8) -> bool) -> usize {
    text[start..].iter().position(|&byte| !is_one(byte)).map_or(text.len(), |length| start + length)
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn is_base64(byte: u8) -> bool {
    is_base64url(byte) || matches!(byte, b'+' | b'/')
}

/// Decodes either alphabet, as far as whole groups go.
fn base64_decoded(text: &[u8]) -> Vec<u8> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let length = if text.len() % 4 == 1 { text.len() - 1 } else { text.len() };
    let standard: Vec<u8> = text[..length]
        .iter()
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .collect();
    LENIENT.decode(standard).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

    use super::*;
    use crate::token::Secret;

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJhcHBJZCI6ImNzLTEifQ.c2lnbmF0dXJl";

    fn finder() -> Finder {
        Finder::new(&Secrets::default().value(Secret::new("pa\"ss wörd")), RandomState::new())
    }

    /// The text with a `#` for each secret.
    fn hidden(text: &str) -> String {
        let mut text = text.as_bytes().to_vec();
        for found in finder().search().find(&text, Quotes::Some).into_iter().rev() {
            text.splice(found.range, *b"#");
        }
        String::from_utf8(text).unwrap()
    }

    fn percent(text: &str) -> String {
        text.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02x}"))
    }

    fn escaped(text: &str) -> String {
        text.chars().fold(String::new(), |text, character| text + &format!("\\u{:04X}", u32::from(character)))
    }

    #[test]
    fn a_token_is_found_however_it_is_written() {
        for (text, expected) in [
            (TOKEN.to_owned(), "#"),
            (format!("Bearer {TOKEN}, more"), "Bearer #, more"),
            (format!("/a/{TOKEN}?x={TOKEN}&y=1"), "/a/#?x=#&y=1"),
            (format!(r#"{{"a":"{TOKEN}"}}"#), r##"{"a":"#"}"##),
            (TOKEN.replace('.', "%2E"), "#"),
            (format!("?a={}&b=1", percent(TOKEN)), "?a=#&b=1"),
            (format!("?a={}&b=1", percent(&percent(TOKEN))), "?a=#&b=1"),
            (format!(r#"{{"a":"{}"}}"#, escaped(TOKEN)), r##"{"a":"#"}"##),
            (format!(r#"{{"a":"{}"}}"#, TOKEN.replacen('e', r"\u0065", 1)), r##"{"a":"#"}"##),
            (percent(&escaped(TOKEN)), "#"),
            // Cut off in its payload, unsigned, encrypted.
            ("eyJhbGciOiJIUzI1NiJ9.eyJhcHBJ…".to_owned(), "#…"),
            ("eyJhbGciOiJub25lIn0.eyJhIjoxfQ.".to_owned(), "#"),
            ("eyJhbGciOiJkaXIifQ..c2ln.Zm9v.YmFy x".to_owned(), "# x"),
        ] {
            assert_eq!(hidden(&text), expected, "{text}");
        }
    }

    #[test]
    fn a_token_is_found_in_base64_wherever_it_starts() {
        for before in ["", "u", "us", "user:", "ü"] {
            let text = format!("{before}{TOKEN}\nmore");
            for encoded in [BASE64_STANDARD_NO_PAD.encode(&text), BASE64_URL_SAFE_NO_PAD.encode(&text)] {
                let shown = hidden(&format!(r#""{encoded}=""#));
                assert!(shown.contains('#'), "{before}: {shown}");
                let left: String = shown.chars().filter(char::is_ascii_alphanumeric).collect();
                assert!(left.len() < 20, "{before}: {shown}");
            }
        }
    }

    #[test]
    fn a_known_value_is_found_however_it_is_written() {
        let secret = "pa\"ss wörd";
        for text in [
            secret.to_owned(),
            r#"pa\"ss wörd"#.to_owned(),
            percent(secret),
            escaped(secret),
            escaped(secret).replace('\\', r"\\"),
            "pa%22ss%20w%C3%B6rd".to_owned(),
        ] {
            assert_eq!(hidden(&format!("a={text}&b")), "a=#&b", "{text}");
        }
        for before in ["", "a", "ab", "abc"] {
            let shown = hidden(&BASE64_STANDARD_NO_PAD.encode(format!("{before}{secret} and more")));
            assert!(shown.contains('#'), "{shown}");
        }
    }

    #[test]
    fn the_beginning_of_a_known_value_is_found_at_the_end_of_a_quote() {
        for (text, expected) in [
            ("`x pa\"ss w…`".to_owned(), "`x #…`"),
            (r#"{"found":"`pa\"ss…`"}"#.to_owned(), r#"{"found":"`#…`"}"#),
            (format!("`{}…`", &percent("pa\"ss wörd")[..20]), "`#…`"),
            (format!("`{}…`", &escaped("pa\"ss wörd")[..28]), "`#…`"),
            ("`pa\"ss…` and `pa\"s…`".to_owned(), "`#…` and `#…`"),
            ("`pa\"…`".to_owned(), "`pa\"…`"),
            ("`pa\"ss`".to_owned(), "`pa\"ss`"),
        ] {
            assert_eq!(hidden(&text), expected, "{text}");
        }
    }

    #[test]
    fn the_tokens_that_were_used_last_are_remembered() {
        let finder = finder();
        let token = |number: usize| format!("an opaque token {number:02}");
        let is_found = |number| !finder.search().find(token(number).as_bytes(), Quotes::None).is_empty();

        (0..REMEMBERED).for_each(|number| finder.remember(token(number).as_bytes()));
        assert!((0..REMEMBERED).all(is_found));

        finder.remember(token(0).as_bytes());
        finder.remember(token(50).as_bytes());
        assert!(is_found(0) && is_found(50) && !is_found(1));
        assert!((2..REMEMBERED).all(is_found));
    }

    #[test]
    fn what_is_no_token_of_usual_length_or_found_anyway_is_not_remembered() {
        let finder = finder();
        for token in ["fifteen letters", &"x".repeat(257), TOKEN, "pa\"ss wörd"] {
            finder.remember(token.as_bytes());
            assert!(finder.search().remembered.is_empty(), "{token}");
        }
        for token in [&*"x".repeat(16), &"y".repeat(256), "eyJhbGciOiJIUzI1NiJ9", r#"with "quotes" in it"#] {
            finder.remember(token.as_bytes());
            assert!(!finder.search().find(token.as_bytes(), Quotes::None).is_empty(), "{token}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "",
            "eyJ",
            "eyJhbGciOiJIUzI1NiJ9",
            "eyJhbGciOiJIUzI1NiJ9.",
            "eyJhbGciOiJIUzI1NiJ9.example",
            "www.example.com/a.b.c?100%&%zz&%4",
            "V5S ZXlK leU aleU",
            "ada@example.com 1.2.3",
        ] {
            assert_eq!(hidden(text), text);
        }
    }

    #[test]
    fn the_same_secret_has_the_same_hash_however_it_is_written() {
        let finder = finder();
        let hash = |text: &str| finder.search().find(text.as_bytes(), Quotes::None)[0].hash;

        assert_eq!(hash(TOKEN), finder.key.hash_one(TOKEN.as_bytes()));
        assert_eq!(hash(TOKEN), hash(&percent(TOKEN)));
        assert_eq!(hash(TOKEN), hash(&BASE64_STANDARD_NO_PAD.encode(TOKEN)));
        assert_ne!(hash(TOKEN), hash(&format!("{TOKEN}A")));
    }

    #[test]
    fn what_looks_like_many_secrets_is_looked_at_a_few_times_only() {
        // A quadratic search of these takes minutes.
        for piece in [
            "eyJ",
            "ZXlK",
            "V5S",
            "leU",
            "aleU",
            "eyJ.",
            "%65yJ",
            "ZXlKZXlK.",
            r"\u0065yJ",
            r"\\",
            "…",
            "pa…",
        ] {
            let text = piece.repeat(50_000);
            assert!(finder().search().find(text.as_bytes(), Quotes::Some).len() <= text.len());
        }
    }

    #[test]
    fn a_short_value_is_not_looked_for() {
        let finder = Finder::new(&Secrets::default().value(Secret::new("abc")), RandomState::new());
        assert_eq!(finder.search().find(b"abc", Quotes::None), []);
    }
}
