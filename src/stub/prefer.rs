//! The `Prefer` header (RFC 7240), as far as it chooses a reply.

use crate::Request;

/// What the `Prefer` headers ask for. Anything that is not understood is passed over, as the RFC says.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Wish {
    /// The status code.
    pub(super) code: Option<u16>,
    /// The name of the example.
    pub(super) example: Option<String>,
}

impl Wish {
    pub(super) fn of(request: &Request) -> Self {
        let mut wish = Self::default();
        let (mut code_seen, mut example_seen) = (false, false);
        for value in request.headers.all("prefer") {
            let Ok(value) = std::str::from_utf8(value) else {
                continue;
            };
            for preference in split(value, ',') {
                // What follows a semicolon are parameters, of which there are none here.
                let own = split(preference, ';').next().unwrap_or_default();
                let (name, value) = own.split_once('=').unwrap_or((own, ""));
                // Of the same preference sent twice, the first counts.
                match name.trim().to_ascii_lowercase().as_str() {
                    "code" if !code_seen => {
                        code_seen = true;
                        wish.code = unquote(value.trim()).parse().ok();
                    }
                    "example" if !example_seen => {
                        example_seen = true;
                        wish.example = Some(unquote(value.trim()));
                    }
                    _ => {}
                }
            }
        }
        wish
    }
}

/// The parts of a header value between separators, those within quoted strings left alone.
fn split(value: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |c: char| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => return c == separator && !quoted,
        }
        false
    })
}

/// The text of a token or of a quoted string.
fn unquote(word: &str) -> String {
    let Some(inner) = word.strip_prefix('"').and_then(|word| word.strip_suffix('"')) else {
        return word.to_owned();
    };
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        text.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    text
}

/// A text as a quoted string.
pub(super) fn word(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(values: &[&str]) -> (Option<u16>, Option<String>) {
        let request = Request::new("GET", "/");
        let request = values.iter().fold(request, |request, value| request.header("Prefer", value));
        let wish = Wish::of(&request);
        (wish.code, wish.example)
    }

    #[test]
    fn a_wish_is_read_as_the_rfc_writes_it() {
        let cases: [(&[&str], Option<u16>, Option<&str>); 15] = [
            (&[], None, None),
            (&["code=429"], Some(429), None),
            (&["CODE = \"429\""], Some(429), None),
            (&["example=created"], None, Some("created")),
            (&["code=401, example=token"], Some(401), Some("token")),
            (&["code=401", "example=token"], Some(401), Some("token")),
            (&["code=401;foo=1; bar, example=token;x"], Some(401), Some("token")),
            (&["respond-async, wait=10, code=500"], Some(500), None),
            (&["example=\"a, code=401; b\", code=500"], Some(500), Some("a, code=401; b")),
            (&[r#"example="a \"quoted\" name""#], None, Some(r#"a "quoted" name"#)),
            (&["code=401, code=500"], Some(401), None),
            (&["code=many, code=500"], None, None),
            (&["code", "example"], None, Some("")),
            (&["code=99999999"], None, None),
            (&["example=\"open, code=500"], None, Some("\"open, code=500")),
        ];
        for (values, code, example) in cases {
            assert_eq!(wish(values), (code, example.map(str::to_owned)), "{values:?}");
        }
    }

    #[test]
    fn a_word_is_read_back_as_it_was() {
        for text in ["", "sample", "a, b", r#"a "b" \"#] {
            assert_eq!(wish(&[&format!("example={}", word(text))]).1.as_deref(), Some(text));
        }
    }
}
