//! Why a text is not JSON, as a phrase that completes "but found …".

use serde_json::error::Category;

use super::quote;

/// What was found where the parser gave up, with line and column.
pub(super) fn phrase(text: &str, error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let offset = offset(text, error);
    let before = &text[..offset];
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let place = format!("at line {} column {column}", error.line());
    let end =
        if error.is_eof() { format!("the end of the text at line {}", error.line()) } else { String::new() };
    let word = quote(word(text, offset));
    match message {
        "EOF while parsing a value" => format!("{end}, where a value belongs"),
        _ if error.classify() == Category::Eof => {
            format!("{end}, within {}", message.trim_start_matches("EOF while parsing "))
        }
        "expected value" => format!("{word} {place}, where a value belongs"),
        "expected ident" => format!("{word} {place}, which is no value of JSON"),
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

/// The word at which the parser gave up.
pub(super) fn word_at<'a>(text: &'a str, error: &serde_json::Error) -> &'a str {
    word(text, offset(text, error))
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

/// The run of letters, digits and the like around a place, else the one character there.
fn word(text: &str, offset: usize) -> &str {
    let is_part = |c: char| c.is_alphanumeric() || "_.+-$".contains(c);
    let start = text[..offset].char_indices().rev().take_while(|(_, c)| is_part(*c)).last();
    let after = &text[offset..];
    let Some(first) = after.chars().next() else {
        return after;
    };
    if !is_part(first) {
        return &after[..first.len_utf8()];
    }
    let length = after.find(|c| !is_part(c)).unwrap_or(after.len());
    &text[start.map_or(offset, |(index, _)| index)..offset + length]
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
            ("nil", "`nil` at line 1 column 2, which is no value of JSON"),
            ("{'a': 1}", "`'` at line 1 column 2, where a name in double quotes belongs"),
            ("{\"a\": 134xxx}", "`134xxx` at line 1 column 10, where `,` or `}` belongs"),
            ("[1 2]", "`2` at line 1 column 4, where `,` or `]` belongs"),
            ("{\"a\" 1}", "`1` at line 1 column 6, where `:` belongs"),
            ("[1,]", "a comma before `]` at line 1 column 4"),
            ("{\"a\": 1,}", "a comma before `}` at line 1 column 9"),
            ("{}}", "`}` at line 1 column 3, after the end of the value"),
            ("{} é", "`é` at line 1 column 4, after the end of the value"),
            ("\"a\tb\"", "a control character within a string at line 1 column 3"),
            ("\"\\x\"", "an escape that JSON does not have at line 1 column 3"),
            ("\"\\ud800\"", "half of a surrogate pair at line 1 column 8"),
            ("1e999", "a number that is too large at line 1 column 5"),
            ("01", "a number in a form that JSON does not have at line 1 column 2"),
        ];
        for (text, expected) in cases {
            let error = serde_json::from_str::<Value>(text).expect_err(text);
            assert_eq!(phrase(text, &error), expected, "{text} {error}");
        }
    }
}
