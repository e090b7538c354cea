//! Values that are secret, and what they look like in a text.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::prelude::*;
use memchr::memmem;

/// Secret values in all forms that are not told by taking escapes back.
pub(super) struct Known {
    /// With each form, the hash of the value that it stands for.
    forms: Vec<(Vec<u8>, u64)>,
    automaton: AhoCorasick,
}

impl Known {
    /// None when there are no values; with each of them, its hash.
    pub(super) fn of<'a>(values: impl IntoIterator<Item = (&'a [u8], u64)>) -> Option<Self> {
        let values = values.into_iter();
        let forms: Vec<_> = values
            .flat_map(|(value, hash)| encodings(value).into_iter().map(move |form| (form, hash)))
            .collect();
        if forms.is_empty() {
            return None;
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            // The other kinds search faster, and take megabytes and milliseconds to make.
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(forms.iter().map(|(form, _)| form))
            .expect("a few short texts fit into an automaton");
        Some(Self { forms, automaton })
    }

    /// Where the values stand, each with its hash.
    pub(super) fn find(&self, text: &[u8]) -> impl Iterator<Item = (Range<usize>, u64)> {
        self.automaton.find_iter(text).map(|found| (found.range(), self.forms[found.pattern()].1))
    }

    /// Where a value begins that is cut off at the end of the text, and its hash.
    pub(super) fn cut(&self, text: &[u8]) -> Option<(usize, u64)> {
        let begins = |(form, hash): &(Vec<u8>, u64)| {
            let mut starts = memmem::find_iter(text, &form[..super::Secrets::SHORTEST.min(form.len())]);
            starts.find(|&start| form.starts_with(&text[start..])).map(|start| (start, *hash))
        };
        self.forms.iter().filter_map(begins).min()
    }

    /// Whether it has a value of this hash.
    pub(super) fn has(&self, hash: u64) -> bool {
        self.forms.iter().any(|form| form.1 == hash)
    }
}

/// As it is, in a JSON string, and within base64.
fn encodings(secret: &[u8]) -> Vec<Vec<u8>> {
    /// Shorter pieces are found where they mean nothing.
    const SHORTEST_PIECE: usize = 6;
    let mut forms = vec![secret.to_owned()];
    if let Ok(secret) = std::str::from_utf8(secret) {
        let json = serde_json::Value::from(secret).to_string();
        forms.push(json[1..json.len() - 1].into());
    }
    for before in 0..3 {
        let bytes = [&[0; 3][..before], secret].concat();
        // The characters that no byte beside the secret has a part in.
        let inner = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
        for encoded in [BASE64_STANDARD_NO_PAD.encode(&bytes), BASE64_URL_SAFE_NO_PAD.encode(&bytes)] {
            forms.extend(
                Some(encoded[inner.clone()].into()).filter(|piece: &Vec<u8>| piece.len() >= SHORTEST_PIECE),
            );
        }
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        Known::of([(b"sesame street".as_slice(), 1), (b"open".as_slice(), 2)]).unwrap()
    }

    #[test]
    fn a_value_is_found_as_it_is_and_within_base64() {
        assert_eq!(known().find(b"a sesame street").collect::<Vec<_>>(), [(2..15, 1)]);
        let encoded = BASE64_STANDARD.encode("to sesame street");
        assert_eq!(known().find(encoded.as_bytes()).map(|found| found.1).collect::<Vec<_>>(), [1]);
        assert_eq!(known().find(b"sesame").count(), 0);
    }

    #[test]
    fn a_value_that_is_cut_off_is_told_by_its_first_characters() {
        for (text, expected) in [
            ("to sesame str", Some((3, 1))),
            ("sesa", Some((0, 1))),
            ("ses", None),
            ("sesame, ", None),
            ("sesasesame", Some((4, 1))),
            ("it is open", Some((6, 2))),
        ] {
            assert_eq!(known().cut(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn no_values_need_no_search() {
        assert!(Known::of([]).is_none());
    }
}
