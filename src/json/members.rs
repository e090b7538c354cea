//! An object taken apart without being read.

use memchr::memchr2;

/// The members of an object that this program wrote, each with the text of its value; none when a name has escapes.
pub(crate) fn members(object: &str) -> Option<Vec<(&str, &str)>> {
    let mut rest = object.strip_prefix('{')?;
    let mut members = Vec::with_capacity(48);
    while let Some(after) = rest.strip_prefix('"') {
        let end = memchr2(b'"', b'\\', after.as_bytes())?;
        let (name, after) = (&after[..end], after[end..].strip_prefix("\":")?);
        let (text, after) = after.split_at(value_end(after.as_bytes())?);
        members.push((name, text));
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    (rest == "}").then_some(members)
}

/// Where the value ends that a text begins with, within an object.
fn value_end(text: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        match text.get(at)? {
            b'"' => {
                at += 1;
                loop {
                    at += memchr2(b'"', b'\\', text.get(at..)?)?;
                    if text[at] == b'"' {
                        break;
                    }
                    at += 2;
                }
            }
            b'[' | b'{' => depth += 1,
            b',' | b'}' if depth == 0 => return Some(at),
            b']' | b'}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_taken_apart_whatever_its_values_have() {
        let text = r#"{"a":"x\"},{","b":[{"c":[1,"]"]},{}],"ü":-1.5,"d":{},"e":"\\","":null}"#;
        let expected = [
            ("a", r#""x\"},{""#),
            ("b", r#"[{"c":[1,"]"]},{}]"#),
            ("ü", "-1.5"),
            ("d", "{}"),
            ("e", r#""\\""#),
            ("", "null"),
        ];
        assert_eq!(members(text).as_deref(), Some(expected.as_slice()));
        assert_eq!(members("{}"), Some(Vec::new()));
        for other in ["", "{", r#"{"a\"":1}"#, r#"{"a":1"#, r#"{"a":"#, r#"{"a":"x\"#, r#"{"a":]"#, "[1]"] {
            assert_eq!(members(other), None, "{other}");
        }
    }
}
