//! Why a text is not JSON, as a phrase that completes "but found …".

use serde::de::IgnoredAny;
use serde_json::error::Category;

/// What was found where the parser gave up, with line and column.
pub(super) fn phrase(text: &str, error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let (start, word) = word(text, offset(text, error));
    let column = text[..start].rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let place = format!("at line {} column {column}", error.line());
    let end = format!("the end of the text at line {}", error.line());
    let word = quote(word);
    match message {
        "EOF while parsing a value" => format!("{end}, where a value belongs"),
        _ if error.classify() == Category::Eof => {
            format!("{end}, within {}", message.trim_start_matches("EOF while parsing "))
        }
        "expected ident" | "expected value" => format!("{word} {place}, where a value belongs"),
        "expected `:`" | "expected `,` or `}`" | "expected `,` or `]`" => {
            format!("{word} {place}, where {} belongs", &message["expected ".len()..])
        }
        "key must be a string" => format!("{word} {place}, where a name in double quotes belongs"),
        "trailing comma" => format!("a comma before {word} {place}"),
        "trailing characters" => format!("{word} {place}, after the end of the value"),
        "invalid escape" => format!("an escape that JSON does not have {place}"),
        "number out of range" => format!("a number that is too large {place}"),
        "invalid number" => format!("a number in a form that JSON does not have {place}"),
        "lone leading surrogate in hex escape" | "unexpected end of hex escape" => {
            format!("half of a surrogate pair {place}")
        }
        _ if message.starts_with("control character") => {
            format!("a control character within a string {place}")
        }
        other => format!("a fault {place}: {other}"),
    }
}

/// The word at which a text stops being JSON.
pub(crate) fn faulty_word(text: &str) -> Option<&str> {
    let error = serde_json::from_str::<IgnoredAny>(text).err()?;
    Some(word(text, offset(text, &error)).1)
}

/// The place of an error in bytes, at the start of a character.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let line = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let mut offset = (line + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// The run of letters, digits and the like around a place, else the one character there; with where it starts.
fn word(text: &str, offset: usize) -> (usize, &str) {
    let is_part = |c: char| c.is_alphanumeric() || "_.+-$".contains(c);
    let after = &text[offset..];
    let Some(first) = after.chars().next().filter(|first| is_part(*first)) else {
        return (offset, &after[..after.chars().next().map_or(0, char::len_utf8)]);
    };
    let before = text[..offset].char_indices().rev().take_while(|(_, c)| is_part(*c)).last();
    let start = before.map_or(offset, |(index, _)| index);
    let rest = &after[first.len_utf8()..];
    let end = text.len() - rest.trim_start_matches(is_part).len();
    (start, &text[start..end])
}

/// A word for people, cut when it is long.
fn quote(word: &str) -> String {
    const MOST: usize = 40;
    let cut = if word.chars().nth(MOST).is_some() { "…" } else { "" };
    let plain = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let start: String = word.chars().take(MOST).map(plain).collect();
    format!("`{start}{cut}`")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_fault_is_a_phrase_with_its_place() {
        let cases = [
            ("", "the end of the text at line 1, where a value belongs"),
            ("{\"a\": [1,\n2", "the end of the text at line 2, within a list"),
            ("{", "the end of the text at line 1, within an object"),
            ("\"a", "the end of the text at line 1, within a string"),
            ("firstName=nov05", "`firstName` at line 1 column 1, where a value belongs"),
            ("{\"é\":\n undefined}", "`undefined` at line 2 column 2, where a value belongs"),
            ("nil", "`nil` at line 1 column 1, where a value belongs"),
            ("{'a': 1}", "`'` at line 1 column 2, where a name in double quotes belongs"),
            ("{\"a\": 134xxx}", "`134xxx` at line 1 column 7, where `,` or `}` belongs"),
            ("[1 2]", "`2` at line 1 column 4, where `,` or `]` belongs"),
            ("{\"a\" 1}", "`1` at line 1 column 6, where `:` belongs"),
            ("[1,]", "a comma before `]` at line 1 column 4"),
            ("{\"a\": 1,}", "a comma before `}` at line 1 column 9"),
            ("{}}", "`}` at line 1 column 3, after the end of the value"),
            ("{} é", "`é` at line 1 column 4, after the end of the value"),
            ("\"a\tb\"", "a control character within a string at line 1 column 3"),
            ("\"\\x\"", "an escape that JSON does not have at line 1 column 3"),
            ("\"\\ud800\"", "half of a surrogate pair at line 1 column 8"),
            ("1e999", "a number that is too large at line 1 column 1"),
            ("01", "a number in a form that JSON does not have at line 1 column 1"),
        ];
        for (text, expected) in cases {
            let error = serde_json::from_str::<Value>(text).expect_err(text);
            assert_eq!(phrase(text, &error), expected, "{text} {error}");
        }
    }
}
