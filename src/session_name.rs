//! Which session a request belongs to: its name, in a header or at the beginning of its path.

use std::fmt;

use crate::violation::quote;

/// The header that names a session.
pub(crate) const HEADER: &str = "x-standin-session";

/// The session of requests that name none.
pub(crate) const DEFAULT: &str = "default";

/// What a session's name is made of, in words.
pub(crate) const EXPECTED: &str = "1 to 64 letters, digits, dots, underscores and hyphens";

/// Why a request names no session that there can be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionNameError(String);

impl fmt::Display for SessionNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SessionNameError {}

/// Whether a session can have this name.
pub(crate) fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=64).contains(&text.len()) && text.bytes().all(is_part)
}

/// The path without the session before it: `/agents` of `/@NAME/agents`, `/` of `/@NAME`. What only looks like a name
/// is a part of the path.
pub(crate) fn stripped(path: &str) -> &str {
    match prefix(path) {
        Some((name, "")) if is_name(name) => "/",
        Some((name, rest)) if is_name(name) => rest,
        _ => path,
    }
}

/// The name after the `/@` that a path or a target begins with, whether or not there can be such, and the rest.
fn prefix(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix("/@")?;
    Some(text.split_at(text.find(['/', '?']).unwrap_or(text.len())))
}

/// The session that a request names by its target, or by the values of its header [`HEADER`].
pub(crate) fn of<'a>(
    target: &'a str,
    mut values: impl Iterator<Item = &'a [u8]>,
) -> Result<Option<&'a str>, SessionNameError> {
    let in_path = match prefix(target) {
        Some((name, _)) if !is_name(name) => {
            let found = if name.is_empty() { "nothing".to_owned() } else { quote(name) };
            return Err(SessionNameError(format!(
                "path: expected the name of a session after `/@`, {EXPECTED}, but found {found}"
            )));
        }
        named => named.map(|(name, _)| name),
    };
    let (Some(value), more) = (values.next(), values.next()) else {
        return Ok(in_path);
    };
    if more.is_some() {
        return Err(SessionNameError(
            "header X-Standin-Session: expected it once, but found it more than once".into(),
        ));
    }
    let Some(name) = std::str::from_utf8(value).ok().filter(|name| is_name(name)) else {
        let found =
            if value.is_empty() { "nothing".to_owned() } else { quote(&String::from_utf8_lossy(value)) };
        return Err(SessionNameError(format!(
            "header X-Standin-Session: expected the name of a session, {EXPECTED}, but found {found}"
        )));
    };
    match in_path {
        Some(other) if other != name => Err(SessionNameError(format!(
            "header X-Standin-Session: expected `{other}`, as the path has, but found `{name}`"
        ))),
        _ => Ok(Some(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(target: &str, headers: &[&str]) -> Result<Option<String>, String> {
        let values = headers.iter().map(|value| value.as_bytes());
        of(target, values).map(|name| name.map(str::to_owned)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_session_is_named_by_a_header_or_by_the_path() {
        let longest = "x".repeat(64);
        for (target, headers, name) in [
            ("/agents", &[] as &[_], None),
            ("/a/@b", &[], None),
            ("/agents?/@a", &[], None),
            ("/%40a/agents", &[], None),
            ("/agents", &["suite-1"], Some("suite-1")),
            ("/@suite_2.b/agents?x=/y", &[], Some("suite_2.b")),
            ("/@a", &[], Some("a")),
            ("/@a?b", &[], Some("a")),
            ("/@a/b", &["a"], Some("a")),
            ("/b", &[&longest], Some(&longest)),
        ] {
            assert_eq!(named(target, headers), Ok(name.map(str::to_owned)), "{target}");
        }
    }

    #[test]
    fn the_path_is_what_comes_after_the_session() {
        for (target, path) in [
            ("/agents?a", "/agents"),
            ("/@a/agents?a", "/agents"),
            ("/@a", "/"),
            ("/@a/", "/"),
            ("/@a//b", "//b"),
            ("/@a/@b", "/@b"),
            ("/@/agents", "/@/agents"),
            ("/@a%20/agents", "/@a%20/agents"),
        ] {
            assert_eq!(stripped(target.split('?').next().unwrap()), path, "{target}");
        }
    }

    #[test]
    fn err_session_name() {
        let e = |target: &str, headers: &[&str]| named(target, headers).unwrap_err();
        let long = "x".repeat(65);

        assert_eq!(
            e("/@/agents", &[]),
            "path: expected the name of a session after `/@`, 1 to 64 letters, digits, dots, underscores and hyphens, but found nothing"
        );
        assert!(e("/@", &[]).ends_with("but found nothing"));
        assert!(e("/@a%20b/agents", &[]).ends_with("but found `a%20b`"));
        assert!(e(&format!("/@{long}"), &[]).starts_with("path: expected the name of a session"));
        assert_eq!(
            e("/agents", &["a b"]),
            "header X-Standin-Session: expected the name of a session, 1 to 64 letters, digits, dots, underscores and hyphens, but found `a b`"
        );
        assert!(e("/agents", &[""]).ends_with("but found nothing"));
        assert!(e("/agents", &[&long]).starts_with("header X-Standin-Session: expected the name"));
        assert_eq!(
            e("/@a/agents", &["b"]),
            "header X-Standin-Session: expected `a`, as the path has, but found `b`"
        );
        assert_eq!(
            e("/agents", &["a", "a"]),
            "header X-Standin-Session: expected it once, but found it more than once"
        );
    }
}
