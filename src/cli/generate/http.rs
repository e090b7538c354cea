//! A case for the `.http` files that editors send requests from.

use std::fmt::Write;

use crate::{
    BaseUrl,
    payload::{Case, Wire},
    percent,
};

/// The request below its title; none when an editor would change it, or take a part of it for an instruction.
pub(super) fn request(case: &Case, title: &str, url: &BaseUrl) -> Option<String> {
    let request = &case.request;
    let body = std::str::from_utf8(&request.body).ok()?;
    let is_plain = |value: &[u8]| {
        !value.is_empty()
            && value.trim_ascii() == value
            && value.iter().all(|byte| (b' '..=b'~').contains(byte))
    };
    let is_sent_as_it_is = case.wire == Wire::Any
        && request.target.bytes().all(|byte| byte.is_ascii_graphic())
        // Some decode the target before they send it.
        && percent::decode(&request.target).is_ok()
        && request.headers.iter().all(|(_, value)| is_plain(value))
        && is_text(body);
    if !is_sent_as_it_is {
        return None;
    }
    // Writing to a string does not fail.
    let mut text = format!("### {title}\n{} {url}{}\n", request.method, request.target);
    for (name, value) in case.headers() {
        let _ = writeln!(text, "{name}: {}", String::from_utf8_lossy(value));
    }
    if !body.is_empty() {
        let _ = write!(text, "\n{body}\n");
    }
    // Two braces begin a variable.
    (!text.contains("{{")).then_some(text)
}

/// Whether a body is text from its first to its last character, and no line of it means something else.
fn is_text(body: &str) -> bool {
    body.trim() == body
        && !body.contains(|character: char| character.is_control() && character != '\n')
        && !body
            .lines()
            .any(|line| ["#", "//", "<", ">"].iter().any(|mark| line.trim_start().starts_with(mark)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Request, payload::Label};

    fn text(body: &str) -> Option<String> {
        text_to("/a?b=c", body)
    }

    fn text_to(target: &str, body: &str) -> Option<String> {
        let request = Request::new("POST", target).header("auth", "t").body(body.to_owned());
        let case = Case { operation: "a".into(), request, label: Label::Valid, wire: Wire::Any };
        super::request(&case, "title", &"http://h".parse().unwrap())
    }

    #[test]
    fn a_request_stands_below_its_title() {
        assert_eq!(text("{}").unwrap(), "### title\nPOST http://h/a?b=c\nauth: t\n\n{}\n");
        assert_eq!(text("").unwrap(), "### title\nPOST http://h/a?b=c\nauth: t\n");
    }

    #[test]
    fn what_an_editor_would_not_send_as_it_is_is_left_out() {
        for body in ["{} ", "{\r\n}", "[\n# 1\n]", "[\n // 1\n]", "<x", "{\"a\":{\"b\":\"{{c}}\"}}", "\u{1}"]
        {
            assert_eq!(text(body), None, "{body:?}");
        }
        assert!(text_to("/%C3%A9", "{}").is_some());
        for target in ["/%FF", "/%zz"] {
            assert_eq!(text_to(target, "{}"), None, "{target:?}");
        }
    }
}
