//! An exchange as a curl command that sends the same request again.

use std::{borrow::Cow, fmt::Write};

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{cut_short, summary};
use crate::{Headers, Recorded, Request, SecretKind};

/// A command for a POSIX shell that sends the request to `base_url`, such as `http://127.0.0.1:8484`.
///
/// It runs as pasted once `STANDIN_TOKEN` holds the token; the journal does not. Cookies and other credentials, which
/// the journal does not hold either, are left out. A first line, which the shell ignores, says so, and says when the body
/// is cut short or a secret was replaced elsewhere; it is not a `#` comment, because an interactive zsh does not know
/// those.
pub fn command(recorded: &Recorded, base_url: &str) -> String {
    let request = &recorded.exchange.request;
    let mut notes = Vec::new();
    notes.extend(cut_short(request.body_end).map(str::to_owned));
    let mut headers = Vec::new();
    for (name, value) in request.headers.iter().filter(|(name, _)| !OWN.contains(name)) {
        let secret = recorded.redaction(&format!("/request/header/{name}")).filter(|_| !value.is_empty());
        match secret {
            Some(SecretKind::Credential) => {
                notes.push(format!("{name} is left out, because its value is not recorded"));
            }
            Some(SecretKind::Token) => headers.push((Cow::Borrowed(name), HeaderValue::Template(TOKEN))),
            Some(SecretKind::Jwt | SecretKind::Value) => {
                notes.push(format!("a secret in {name} is replaced"));
                headers.push((name.into(), HeaderValue::Sent(value)));
            }
            None => headers.push((name.into(), HeaderValue::Sent(value))),
        }
    }
    for part in ["method", "target", "body"] {
        if recorded.redaction(&format!("/request/{part}")).is_some() {
            notes.push(format!("a secret in the {part} is replaced"));
        }
    }
    let command = to_send(request, headers, base_url, "");
    if notes.is_empty() { command } else { format!("{}\n{command}", note(&notes.join("; "))) }
}

/// The value of a header as a command has it.
pub(crate) enum HeaderValue<'a> {
    /// These bytes.
    Sent(&'a [u8]),
    /// This text, in which the shell fills in [`TOKEN`] and [`SIGNATURE`].
    Template(&'a str),
}

/// The token, as a shell that has it in a variable writes it.
pub(crate) const TOKEN: &str = "$STANDIN_TOKEN";

/// The last part of that token.
pub(crate) const SIGNATURE: &str = "${STANDIN_TOKEN##*.}";

/// A command that sends exactly this request, with these headers and no others, but for those that frame it.
pub(crate) fn to_send<'a>(
    request: &Request,
    headers: impl IntoIterator<Item = (Cow<'a, str>, HeaderValue<'a>)>,
    base_url: &str,
    options: &str,
) -> String {
    let mut parts = vec![start(request, base_url, options)];
    parts.extend(headers.into_iter().map(|(name, value)| header(&name, &value)));
    let body = Body::new(request);
    for name in body.suppressed() {
        if request.headers.all(name).next().is_none() {
            parts.push(format!("-H '{name}:'"));
        }
    }
    parts.extend(body.option());
    body.source() + &parts.join(" \\\n  ")
}

/// Whether curl can send this request: what ends a line or a shell's text cannot be in it.
#[cfg(any(test, feature = "campaign", feature = "cli"))]
pub(crate) fn can_send(request: &Request) -> bool {
    let is_value = |value: &[u8]| !value.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n'));
    let is_target = request.target.bytes().all(|byte| byte.is_ascii_graphic() || !byte.is_ascii());
    is_target && request.headers.iter().all(|(_, value)| is_value(value))
}

/// The exchange as a paragraph of a script: a line that says what came of it, and the command.
pub(crate) fn paragraph(recorded: &Recorded, base_url: &str) -> String {
    format!("{}\n{}\n", note(&summary(recorded)), command(recorded, base_url))
}

/// The command without headers and body.
fn start(request: &Request, base_url: &str, options: &str) -> String {
    let base_url = base_url.trim_end_matches('/');
    let mut start = format!("curl --path-as-is -g{options}");
    let has_body = Body::new(request) != Body::None;
    match (request.method.as_str(), has_body) {
        ("GET", false) => {}
        // Told to `-X HEAD`, curl waits for the body that the reply announces.
        ("HEAD", false) => start.push_str(" --head"),
        ("HEAD", true) => start.push_str(" -X HEAD --max-time 5"),
        (method, _) => {
            start.push_str(" -X ");
            start.push_str(&word(method));
        }
    }
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#' && byte != b'\\';
    if request.target.starts_with('/') && request.target.bytes().all(plain) {
        start.push(' ');
        start.push_str(&quoted(&format!("{base_url}{}", request.target)));
    } else {
        // curl would change it on the way.
        start.push_str(" --request-target ");
        start.push_str(&quoted(&request.target));
        start.push(' ');
        start.push_str(&quoted(base_url));
    }
    start
}

fn header(name: &str, value: &HeaderValue<'_>) -> String {
    let value = match value {
        HeaderValue::Template(TOKEN) if is_word(name) => return format!("-H \"{name}: {TOKEN}\""),
        HeaderValue::Template(text) => return format!("-H {}", filled(&format!("{name}: {text}"))),
        HeaderValue::Sent(value) => *value,
    };
    if value.is_empty() {
        return format!("-H {}", quoted(&format!("{name};")));
    }
    match std::str::from_utf8(value) {
        Ok(value) if !value.contains(char::is_control) => {
            format!("-H {}", quoted(&format!("{name}: {value}")))
        }
        _ => format!("-H \"$(printf '{}: {}')\"", octal(name.as_bytes()), octal(value)),
    }
}

/// How the body gets to curl.
#[derive(Eq, PartialEq)]
enum Body<'a> {
    /// There is none.
    None,
    /// As an argument.
    Argument(&'a str),
    /// On standard input, because it is too long for an argument.
    Long(&'a str),
    /// On standard input, by way of base64, because a shell or a terminal would change it.
    Binary(&'a [u8]),
}

impl<'a> Body<'a> {
    /// Linux takes arguments of up to 128 KiB; quoting can make them longer.
    const ARGUMENT: usize = 30 * 1024;

    fn new(request: &'a Request) -> Self {
        let body = &request.body;
        let announced = |headers: &Headers| headers.all("content-length").next().is_some();
        match std::str::from_utf8(body) {
            Ok("") if announced(&request.headers) => Self::Argument(""),
            Ok("") => Self::None,
            Ok(text) if text.contains(|c: char| c.is_control() && c != '\n' || c == '\u{feff}') => {
                Self::Binary(body)
            }
            Ok(text) if text.len() > Self::ARGUMENT => Self::Long(text),
            Ok(text) => Self::Argument(text),
            Err(_) => Self::Binary(body),
        }
    }

    /// What writes the body to curl's standard input. `printf` is a part of the shell, so no argument is too long for it.
    fn source(&self) -> String {
        match self {
            Self::None | Self::Argument(_) => String::new(),
            Self::Long(text) => format!("printf %s {} |\n", quoted(text)),
            Self::Binary(bytes) => {
                format!("printf %s {} | base64 -d |\n", BASE64_STANDARD.encode(bytes))
            }
        }
    }

    fn option(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Argument(text) => Some(format!("--data-raw {}", quoted(text))),
            Self::Long(_) | Self::Binary(_) => Some("--data-binary @-".to_owned()),
        }
    }

    /// Headers that curl would add by itself.
    fn suppressed(&self) -> &'static [&'static str] {
        match self {
            Self::None => &["accept", "user-agent"],
            _ => &["accept", "user-agent", "content-type", "expect"],
        }
    }
}

/// A line that the shell ignores.
pub(crate) fn note(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!(": {}", quoted(&line))
}

/// In single quotes, within which a shell changes nothing.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A file or a URL as it is where a shell takes it so, else in single quotes.
#[cfg(any(feature = "campaign", feature = "cli"))]
pub(crate) fn argument(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+,".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) { text.into() } else { quoted(text).into() }
}

/// The same, but for what the shell fills in.
fn filled(text: &str) -> String {
    let mut word = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let next = [TOKEN, SIGNATURE].iter().filter_map(|mark| Some((rest.find(mark)?, *mark))).min();
        let (at, mark) = next.unwrap_or((rest.len(), ""));
        if at > 0 {
            word += &quoted(&rest[..at]);
        }
        if !mark.is_empty() {
            let _ = write!(word, "\"{mark}\"");
        }
        rest = &rest[at + mark.len()..];
    }
    word
}

/// As it is where a shell takes it so.
fn word(text: &str) -> Cow<'_, str> {
    if is_word(text) { text.into() } else { quoted(text).into() }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// For `printf`, within single quotes.
fn octal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|&byte| match byte {
            b'%' => "%%".to_owned(),
            b'\\' | b'\'' => format!("\\{byte:03o}"),
            b' '..=b'~' => char::from(byte).to_string(),
            _ => format!("\\{byte:03o}"),
        })
        .collect()
}

/// Headers that curl sets from the URL and the body, or that belong to the connection.
const OWN: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{BodyEnd, Redaction, render::tests::full};

    const URL: &str = "http://127.0.0.1:8484/";

    fn of(request: Request) -> String {
        let mut recorded = full();
        recorded.exchange.request = request;
        command(&recorded, URL)
    }

    #[test]
    fn a_command_has_everything_but_the_token() {
        assert_eq!(
            command(&full(), URL),
            r#"curl --path-as-is -g -X POST 'http://127.0.0.1:8484/agents?a=1&b=x%20y' \
  -H "auth: $STANDIN_TOKEN" \
  -H "$(printf 'x-latin: caf\351')" \
  -H 'content-type: application/json' \
  -H 'x-twice: 1' \
  -H 'x-twice: 2' \
  -H 'accept:' \
  -H 'user-agent:' \
  -H 'expect:' \
  --data-raw '{"name":"it'\''s ü"}'"#
        );
    }

    #[test]
    fn the_token_is_the_shells_in_whatever_header_it_was() {
        for (name, option) in
            [("x-api_key", r#"-H "x-api_key: $STANDIN_TOKEN""#), ("x-$a", r#"-H 'x-$a: '"$STANDIN_TOKEN""#)]
        {
            let mut recorded = full();
            recorded.exchange.request.headers.push(name, b"<redacted>");
            let pointer = format!("/request/header/{name}");
            recorded.redactions = Arc::new([Redaction { pointer, secret: SecretKind::Token }]);

            let command = command(&recorded, URL);

            assert!(command.contains(option), "{command}");
        }
    }

    #[test]
    fn what_the_shell_fills_in_stands_between_what_it_leaves_alone() {
        for (value, option) in [
            ("Bearer $STANDIN_TOKEN", r#"-H 'auth: Bearer '"$STANDIN_TOKEN""#),
            ("a'.b!.${STANDIN_TOKEN##*.}=", r#"-H 'auth: a'\''.b!.'"${STANDIN_TOKEN##*.}"'='"#),
            (
                "$STANDIN_TOKEN.${STANDIN_TOKEN##*.}",
                r#"-H 'auth: '"$STANDIN_TOKEN"'.'"${STANDIN_TOKEN##*.}""#,
            ),
        ] {
            assert_eq!(header("auth", &HeaderValue::Template(value)), option);
        }
    }

    #[test]
    fn what_would_end_a_line_is_not_for_curl() {
        for (expected, request) in [
            (true, Request::new("GET", "/#ü").header("x", "a\tb")),
            (false, Request::new("GET", "/a b")),
            (false, Request::new("GET", "/").header("x", "a\nb")),
            (false, Request::new("GET", "/").header("x", "\0")),
        ] {
            assert_eq!(can_send(&request), expected, "{request:?}");
        }
    }

    #[test]
    fn what_curl_would_add_is_suppressed_unless_it_was_sent() {
        assert_eq!(
            of(Request::new("GET", "/").header("accept", "*/*").header("x-empty", "")),
            "curl --path-as-is -g 'http://127.0.0.1:8484/' \\\n  -H 'accept: */*' \\\n  -H 'x-empty;' \\\n  -H 'user-agent:'"
        );
    }

    #[test]
    fn other_credentials_are_left_out_and_a_body_cut_short_says_so() {
        let mut request = Request::new("PUT", "/").header("cookie", "<…>").body("{");
        request.body_end = BodyEnd::Broken;
        let redaction = |pointer: &str, secret| Redaction { pointer: pointer.to_owned(), secret };
        let mut recorded = full();
        recorded.exchange.request = request;
        recorded.redactions = Arc::new([
            redaction("/request/header/cookie", SecretKind::Credential),
            redaction("/request/body", SecretKind::Jwt),
        ]);

        let command = command(&recorded, URL);

        assert_eq!(
            command.lines().next().unwrap(),
            ": 'the body is cut short: the client went away before its end; cookie is left out, because its value is not recorded; a secret in the body is replaced'"
        );
        assert!(!command.contains("-H 'cookie"));
    }

    #[test]
    fn a_body_that_a_shell_would_change_goes_by_way_of_base64() {
        for body in [b"\0".as_slice(), b"\xff", b"a\tb", b"\x1b[2J"] {
            let command = of(Request::new("PUT", "/").body(body.to_vec()));

            let base64 = BASE64_STANDARD.encode(body);
            assert!(command.starts_with(&format!("printf %s {base64} | base64 -d |\ncurl")), "{command}");
            assert!(command.ends_with("--data-binary @-"));
        }
        let long = of(Request::new("PUT", "/").body("x".repeat(200_000)));
        assert!(long.starts_with("printf %s 'xxx"));
    }

    #[test]
    fn odd_targets_and_methods_arrive_as_they_are() {
        for (method, target, start) in [
            ("HEAD", "/a/../b", "curl --path-as-is -g --head 'http://127.0.0.1:8484/a/../b'"),
            ("GET", "/[a]{b}'$(x)", r"curl --path-as-is -g 'http://127.0.0.1:8484/[a]{b}'\''$(x)'"),
            ("OPTIONS", "*", "curl --path-as-is -g -X OPTIONS --request-target '*' 'http://127.0.0.1:8484'"),
            ("A'B", "/#", r"curl --path-as-is -g -X 'A'\''B' --request-target '/#' 'http://127.0.0.1:8484'"),
        ] {
            let command = of(Request::new(method, target));
            assert!(command.starts_with(&format!("{start} \\\n")), "{command}");
        }
    }

    #[test]
    fn a_paragraph_of_a_script_starts_with_what_came_of_it() {
        let mut recorded = full();
        recorded.exchange.request.target = "/'; rm x\n".to_owned();

        let paragraph = paragraph(&recorded, URL);

        assert!(paragraph.starts_with(r": '7 POST /'\''; rm x : 412 refused;"), "{paragraph}");
    }
}
