//! Percent encoding, as paths and forms have it.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::violation::quote;

/// All but the characters that stand for themselves everywhere in a URL.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Decodes a text in which a `+` is a plus, such as a segment of a path.
///
/// # Errors
///
/// What was found, as a phrase that completes "but found …".
pub(crate) fn decode(text: &str) -> Result<Cow<'_, str>, String> {
    strict(text).map_err(|found| format!("{found} in {}", quote(text)))
}

/// Decodes a text in which a `+` is a space, as in the query of a form.
///
/// # Errors
///
/// As [`decode`].
pub(crate) fn decode_form(text: &str) -> Result<Cow<'_, str>, String> {
    if !text.contains('+') {
        return decode(text);
    }
    let spaced = text.replace('+', " ");
    let decoded = strict(&spaced).map_err(|found| format!("{found} in {}", quote(text)))?;
    Ok(decoded.into_owned().into())
}

/// The names and values of a form's query, decoded; what cannot be decoded is what was sent.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let decoded = |text| decode_form(text).unwrap_or(Cow::Borrowed(text));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(move |(name, value)| (decoded(name), decoded(value)))
}

fn strict(text: &str) -> Result<Cow<'_, str>, &'static str> {
    if !text.contains('%') {
        return Ok(text.into());
    }
    // The library passes a bad escape through.
    let is_escape = |after: &str| {
        after.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_escape) {
        return Err("a bad escape");
    }
    percent_decode_str(text).decode_utf8().map_err(|_| "bytes that are not UTF-8")
}

/// Encodes a text for a segment of a path, or for a query that is not read as a form: a space becomes `%20`.
pub(crate) fn encode(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, RESERVED).into()
}

/// Encodes a text for the query of a form: a space becomes `+`.
#[cfg(any(test, feature = "payload"))]
pub(crate) fn encode_form(text: &str) -> Cow<'_, str> {
    // No `%20` can come from anything but a space.
    if text.contains(' ') { encode(text).replace("%20", "+").into() } else { encode(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_once_and_a_bad_one_is_refused() {
        let cases = [
            ("", Ok("")),
            ("a+b", Ok("a+b")),
            ("a%2Fb%2fc", Ok("a/b/c")),
            ("%2525", Ok("%25")),
            ("%00", Ok("\0")),
            ("%C3%A4", Ok("ä")),
            ("ä%20", Ok("ä ")),
            ("%", Err("a bad escape in `%`")),
            ("a%2", Err("a bad escape in `a%2`")),
            ("%zz", Err("a bad escape in `%zz`")),
            ("%%41", Err("a bad escape in `%%41`")),
            ("%+1", Err("a bad escape in `%+1`")),
            ("%ää", Err("a bad escape in `%ää`")),
            ("%ff", Err("bytes that are not UTF-8 in `%ff`")),
        ];
        for (text, expected) in cases {
            assert_eq!(decode(text).as_deref().map_err(String::as_str), expected, "{text}");
        }
    }

    #[test]
    fn a_plus_is_a_space_in_forms_alone() {
        let cases = [
            ("a+b%2B", Ok("a b+")),
            ("%+1", Err("a bad escape in `%+1`")),
            ("%2+", Err("a bad escape in `%2+`")),
        ];
        for (text, expected) in cases {
            assert_eq!(decode_form(text).as_deref().map_err(String::as_str), expected, "{text}");
        }
    }

    #[test]
    fn a_query_is_decoded_as_far_as_it_goes() {
        let pairs = |query| pairs(query).collect::<Vec<_>>();

        assert_eq!(pairs(""), []);
        assert_eq!(pairs("&a&b=1=2"), [("a".into(), "".into()), ("b".into(), "1=2".into())]);
        assert_eq!(pairs("a+b%20=%C3%BC&c=%zz+"), [("a b ".into(), "ü".into()), ("c".into(), "%zz+".into())]);
    }

    #[test]
    fn what_is_encoded_is_decoded_to_the_same_text() {
        for text in ["", "a-b._~", "a b", "+", "%20", "a/b?c=d&e#f", "ä€😀", "\0\n\"<>"] {
            assert_eq!(decode(&encode(text)).as_deref(), Ok(text));
            assert_eq!(decode_form(&encode_form(text)).as_deref(), Ok(text));
        }
        assert_eq!((encode("a b/ä"), encode_form("a b+")), ("a%20b%2F%C3%A4".into(), "a+b%2B".into()));
    }
}
