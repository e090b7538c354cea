//! The `Prefer` header (RFC 7240): which reply a request would like, and what is to happen to it on its way.

use std::time::Duration;

use crate::{
    Course, Fault, Request,
    course::{text, time},
};

/// What the `Prefer` headers ask for. Preferences of another name are passed over, as the RFC says.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Wish {
    /// The status code, as it is written.
    pub(super) code: Option<String>,
    /// The name of the example.
    pub(super) example: Option<String>,
    /// How long the reply is to wait.
    delay: Option<String>,
    /// What is to break it.
    fault: Option<String>,
}

impl Wish {
    pub(super) fn of(request: &Request) -> Self {
        let mut wish = Self::default();
        for value in request.headers.all("prefer") {
            for preference in split(&String::from_utf8_lossy(value), ',') {
                // What follows a semicolon are parameters, of which there are none here.
                let own = split(preference, ';').next().unwrap_or_default();
                let (name, value) = own.split_once('=').unwrap_or((own, ""));
                // Of the same preference sent twice, the first counts.
                let wanted = match name.trim().to_ascii_lowercase().as_str() {
                    "code" => &mut wish.code,
                    "example" => &mut wish.example,
                    "delay" => &mut wish.delay,
                    "fault" => &mut wish.fault,
                    _ => continue,
                };
                wanted.get_or_insert_with(|| unquote(value.trim()));
            }
        }
        wish
    }

    /// Whether it says how long the reply is to wait, which may be up to `most`.
    pub(super) fn has_delay(&self, most: Duration) -> bool {
        self.delay.as_deref().is_some_and(|wanted| delay(wanted, most).is_some())
    }

    /// What is to happen to the reply on its way, with delays up to `most`; what is said about it goes to `applied`.
    pub(super) fn course(&self, most: Duration, applied: &mut Vec<String>) -> Course {
        let mut course = Course::default();
        if let Some(wanted) = &self.delay {
            match delay(wanted, most) {
                Some(delay) => {
                    course.delay = delay;
                    applied.push(format!("delay={}", text(delay)));
                }
                None => applied.push(ignored("delay", wanted, "delays", &[format!("0s to {}", text(most))])),
            }
        }
        if let Some(wanted) = &self.fault {
            course.fault = Fault::of(wanted);
            applied.push(match course.fault {
                Some(fault) => format!("fault={fault}"),
                None => ignored("fault", wanted, "faults", &Fault::WORDS),
            });
        }
        course
    }
}

/// A time of up to `most`.
fn delay(wanted: &str, most: Duration) -> Option<Duration> {
    time(wanted).filter(|delay| *delay <= most)
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

/// What is said about a preference that cannot be met, in the grammar of `Preference-Applied`: the preference, and what
/// could be asked for instead.
pub(super) fn ignored(name: &str, value: &str, choices: &str, known: &[impl AsRef<str>]) -> String {
    // It is whole or not there: a part of a secret would not be known as one.
    let is_long = value.len() > SHOWN;
    let shown = if is_long { format!("{} bytes", value.len()) } else { value.to_owned() };
    let mut list: Vec<_> = known.iter().take(LISTED).map(AsRef::as_ref).collect();
    let more = known.len().saturating_sub(LISTED);
    let more = format!("{more} more");
    if known.len() > LISTED {
        list.push(&more);
    }
    format!("ignored; {name}={}; {choices}={}", word(&shown), word(&list.join(", ")))
}

/// How long a value may be that is repeated, in bytes.
const SHOWN: usize = 80;

/// How many choices are listed.
const LISTED: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(values: &[&str]) -> (Option<String>, Option<String>) {
        let request = Request::new("GET", "/");
        let request = values.iter().fold(request, |request, value| request.header("Prefer", value));
        let wish = Wish::of(&request);
        (wish.code, wish.example)
    }

    #[test]
    fn a_wish_is_read_as_the_rfc_writes_it() {
        let cases: [(&[&str], Option<&str>, Option<&str>); 16] = [
            (&[], None, None),
            (&["code=429"], Some("429"), None),
            (&["CODE = \"429\""], Some("429"), None),
            (&["example=created"], None, Some("created")),
            (&["code=401, example=token"], Some("401"), Some("token")),
            (&["code=401", "example=token"], Some("401"), Some("token")),
            (&["code=401;foo=1; bar, example=token;x"], Some("401"), Some("token")),
            (&["respond-async, wait=10, code=500"], Some("500"), None),
            (&["example=\"a, code=401; b\", code=500"], Some("500"), Some("a, code=401; b")),
            (&[r#"example="a \"quoted\" name""#], None, Some(r#"a "quoted" name"#)),
            (&[r#"example="a\", code=401", code=500"#], Some("500"), Some("a\", code=401")),
            (&["code=401, code=500"], Some("401"), None),
            (&["code=many, code=500"], Some("many"), None),
            (&["code", "example"], Some(""), Some("")),
            (&["code=99999999"], Some("99999999"), None),
            (&["example=\"open, code=500"], None, Some("\"open, code=500")),
        ];
        for (values, code, example) in cases {
            assert_eq!(wish(values), (code.map(str::to_owned), example.map(str::to_owned)), "{values:?}");
        }
    }

    #[test]
    fn what_is_to_happen_on_the_way_is_said_or_why_it_is_not() {
        let cases: [(&str, &str, &str); 9] = [
            ("delay=1500ms", "delay=1500ms", "delay=1500ms"),
            ("delay=\"1.5 s\"", "delay=1500ms", "delay=1500ms"),
            ("fault=reset", "fault=reset", "fault=reset"),
            ("delay=60s, fault=cut-7", "delay=60s fault=cut-7", "delay=60s, fault=cut-7"),
            ("delay=61s", "", r#"ignored; delay="61s"; delays="0s to 60s""#),
            ("delay=soon", "", r#"ignored; delay="soon"; delays="0s to 60s""#),
            ("delay", "", r#"ignored; delay=""; delays="0s to 60s""#),
            (
                "fault=fire",
                "",
                r#"ignored; fault="fire"; faults="close, cut-N, empty, garbage, hang, reset""#,
            ),
            ("wait=10", "", ""),
        ];
        for (value, course, said) in cases {
            let wish = Wish::of(&Request::new("GET", "/").header("prefer", value));
            let mut applied = Vec::new();
            let found = wish.course(Duration::from_secs(60), &mut applied);
            assert_eq!((found.to_string().as_str(), applied.join(", ").as_str()), (course, said), "{value}");
        }
    }

    #[test]
    fn a_word_is_read_back_as_it_was() {
        for text in ["", "sample", "a, b", r#"a "b" \"#] {
            assert_eq!(wish(&[&format!("example={}", word(text))]).1.as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_said_of_a_preference_has_an_end() {
        let known: Vec<_> = (0..100).map(|n| format!("n{n}")).collect();
        let said = ignored("example", &"x".repeat(60_000), "examples", &known);

        assert!(said.len() < 400, "{said}");
        assert!(said.ends_with(", n29, 70 more\""), "{said}");
    }
}
