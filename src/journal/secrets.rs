//! What a journal must not hold, and where it stands in a text.

use std::{collections::hash_map::RandomState, hash::BuildHasher, ops::Range};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};

use crate::{Contract, SecretKind, token::Secret};

/// What a journal does not hold, beside the headers that carry credentials by HTTP's own rules and whatever has the
/// form of a JWT.
///
/// ```
/// use standin::{Contract, Journal, JournalLimits, Secrets, token::Secret};
///
/// let secrets = Secrets::of(&Contract::builtin()).value(Secret::new("client secret"));
/// let journal = Journal::new(JournalLimits::default()).hiding(secrets);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    token_header: Option<String>,
    token_claim: Option<String>,
    values: Vec<Secret>,
    are_kept: bool,
}

impl Secrets {
    /// The token of this contract: the values of the header that carries it.
    pub fn of(contract: &Contract) -> Self {
        Self {
            token_header: contract.token_header().map(str::to_ascii_lowercase),
            token_claim: contract.token_claim().map(str::to_owned),
            ..Self::default()
        }
    }

    /// The token is in this header.
    #[must_use]
    pub fn token_in(mut self, header: &str) -> Self {
        self.token_header = Some(header.to_ascii_lowercase());
        self
    }

    /// Nothing is secret: the journal holds every byte as it was sent.
    pub fn kept() -> Self {
        Self { are_kept: true, ..Self::default() }
    }

    /// This value too, wherever it stands, plain or percent-encoded or in base64. One of less than
    /// [`Secrets::SHORTEST`] bytes would be found everywhere, and is not looked for.
    #[must_use]
    pub fn value(mut self, value: Secret) -> Self {
        if value.reveal().len() >= Self::SHORTEST {
            self.values.push(value);
        }
        self
    }

    /// The shortest value that is looked for, in bytes.
    pub const SHORTEST: usize = 4;

    pub(super) fn are_kept(&self) -> bool {
        self.are_kept
    }

    pub(super) fn token_header(&self) -> Option<&str> {
        self.token_header.as_deref()
    }

    /// The claim whose value is shown of a token.
    pub(super) fn token_claim(&self) -> Option<&str> {
        self.token_claim.as_deref()
    }

    /// Why all of a header's value is a secret, when it is; the name is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<SecretKind> {
        if self.token_header.as_deref() == Some(name) {
            return Some(SecretKind::Token);
        }
        CREDENTIALS.contains(&name).then_some(SecretKind::Credential)
    }
}

/// The headers whose values are credentials by the standards of HTTP.
const CREDENTIALS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "set-cookie"];

/// Finds secrets in any text, in a pass or two when there are none.
pub(super) struct Finder {
    /// What a JWT begins with: see [`MARKS`].
    marks: AhoCorasick,
    /// Each secret value in all its forms, when there are any.
    values: Option<Known>,
    key: RandomState,
}

struct Known {
    forms: AhoCorasick,
    /// The hash of the value that each form stands for.
    hashes: Vec<u64>,
}

/// A secret in a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Found {
    pub(super) range: Range<usize>,
    pub(super) secret: SecretKind,
    /// A hash of the secret as it is when nothing encodes it.
    pub(super) hash: u64,
}

/// A JWT begins with `{"` and a letter in base64url, which is `eyJ`. Base64 of that differs by how many bytes are before
/// it in its group of three. With each text, how many characters its group of four has before it.
const MARKS: [(&str, Option<usize>); 4] =
    [("eyJ", None), ("ZXlK", Some(0)), ("V5S", Some(2)), ("leU", Some(3))];

/// How often a text is percent-decoded at most.
const PERCENT_LEVELS: usize = 3;

impl Finder {
    pub(super) fn new(secrets: &Secrets, key: RandomState) -> Self {
        let mut forms: Vec<(String, u64)> = Vec::new();
        for value in &secrets.values {
            let hash = key.hash_one(value.reveal().as_bytes());
            forms.extend(encodings(value.reveal()).into_iter().map(|form| (form, hash)));
        }
        let (texts, hashes): (Vec<_>, Vec<_>) = forms.into_iter().unzip();
        let values = (!texts.is_empty()).then(|| Known { forms: automaton(&texts), hashes });
        Self { marks: automaton(&MARKS.map(|(text, _)| text)), values, key }
    }

    /// The secrets of a text, in order and apart.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Found> {
        let mut found = self.find_encoded(text, PERCENT_LEVELS);
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

    fn find_encoded(&self, text: &[u8], levels: usize) -> Vec<Found> {
        let mut found = self.find_plain(text);
        if levels > 0
            && let Some((decoded, positions)) = percent_decoded(text)
        {
            let inside = self.find_encoded(&decoded, levels - 1).into_iter().map(|found| Found {
                range: positions[found.range.start]..positions[found.range.end],
                ..found
            });
            found.extend(inside);
        }
        found
    }

    fn find_plain(&self, text: &[u8]) -> Vec<Found> {
        let mut all = self.tokens(text);
        if let Some(values) = &self.values {
            all.extend(values.forms.find_iter(text).map(|form| Found {
                range: form.range(),
                secret: SecretKind::Value,
                hash: values.hashes[form.pattern()],
            }));
        }
        all
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

/// A text without its percent-encoding, and for each of its bytes and its end the place in the text; none when nothing is encoded.
fn percent_decoded(text: &[u8]) -> Option<(Vec<u8>, Vec<usize>)> {
    let escape = |at: usize| {
        let digit =
            |at: usize| char::from(*text.get(at)?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        (text[at] == b'%').then(|| Some(digit(at + 1)? << 4 | digit(at + 2)?)).flatten()
    };
    memchr::memchr_iter(b'%', text).find(|&at| escape(at).is_some())?;
    let (mut decoded, mut positions) = (Vec::with_capacity(text.len()), Vec::with_capacity(text.len() + 1));
    let mut at = 0;
    while at < text.len() {
        positions.push(at);
        let byte = escape(at);
        decoded.push(byte.unwrap_or(text[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    positions.push(at);
    Some((decoded, positions))
}

/// The forms of a secret that are not told by decoding: as it is, in a JSON string, and within base64.
fn encodings(secret: &str) -> Vec<String> {
    /// Shorter pieces are found where they mean nothing.
    const SHORTEST_PIECE: usize = 6;
    let json = serde_json::Value::from(secret).to_string();
    let mut forms = vec![secret.to_owned(), json[1..json.len() - 1].to_owned()];
    for before in 0..3 {
        let bytes = [&[0; 3][..before], secret.as_bytes()].concat();
        // The characters that no byte beside the secret has a part in.
        let inner = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
        for encoded in [BASE64_STANDARD_NO_PAD.encode(&bytes), BASE64_URL_SAFE_NO_PAD.encode(&bytes)] {
            forms.extend(
                Some(encoded[inner.clone()].to_owned()).filter(|piece| piece.len() >= SHORTEST_PIECE),
            );
        }
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

fn automaton(texts: &[impl AsRef<[u8]>]) -> AhoCorasick {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(texts)
        .expect("a few short texts fit into an automaton")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJhcHBJZCI6ImNzLTEifQ.c2lnbmF0dXJl";

    fn finder() -> Finder {
        Finder::new(&Secrets::default().value(Secret::new("pa\"ss wörd")), RandomState::new())
    }

    /// The text with a `#` for each secret.
    fn hidden(text: &str) -> String {
        let mut text = text.as_bytes().to_vec();
        for found in finder().find(&text).into_iter().rev() {
            text.splice(found.range, *b"#");
        }
        String::from_utf8(text).unwrap()
    }

    fn percent(text: &str) -> String {
        text.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02x}"))
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
        let hash = |text: &str| finder.find(text.as_bytes())[0].hash;

        assert_eq!(hash(TOKEN), finder.key.hash_one(TOKEN.as_bytes()));
        assert_eq!(hash(TOKEN), hash(&percent(TOKEN)));
        assert_eq!(hash(TOKEN), hash(&BASE64_STANDARD_NO_PAD.encode(TOKEN)));
        assert_ne!(hash(TOKEN), hash(&format!("{TOKEN}A")));
    }

    #[test]
    fn what_looks_like_many_secrets_is_looked_at_a_few_times_only() {
        // A quadratic search of these takes minutes.
        for piece in ["eyJ", "ZXlK", "V5S", "leU", "aleU", "eyJ.", "%65yJ", "ZXlKZXlK."] {
            let text = piece.repeat(50_000);
            assert!(finder().find(text.as_bytes()).len() <= text.len());
        }
    }

    #[test]
    fn a_short_value_is_not_looked_for() {
        let finder = Finder::new(&Secrets::default().value(Secret::new("abc")), RandomState::new());
        assert_eq!(finder.find(b"abc"), []);
    }
}
