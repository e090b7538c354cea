//! Long text in short lines.

use std::io;

use terminal_size::{Height, Width, terminal_size_of};

/// The words of a text in lines of at most `width` characters; a word that is longer has a line of its own.
pub(super) fn lines(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        match lines.last_mut() {
            Some(line) if used + 1 + length <= width => {
                line.push(' ');
                line.push_str(word);
                used += 1 + length;
            }
            _ => {
                lines.push(word.to_owned());
                used = length;
            }
        }
    }
    lines
}

/// The text beside `start`, in lines of at most `width` characters as far as words allow; in one line without a width.
pub(super) fn beside(start: &str, text: &str, width: Option<usize>) -> String {
    let Some(width) = width else {
        return format!("{start}{text}\n");
    };
    let indent = start.chars().count();
    let mut beside = String::from(start);
    for (number, line) in lines(text, width.saturating_sub(indent)).iter().enumerate() {
        if number > 0 {
            beside.push('\n');
            beside.extend(std::iter::repeat_n(' ', indent));
        }
        beside.push_str(line);
    }
    beside.push('\n');
    beside
}

/// How long lines may be: what `COLUMNS` says, else as wide as the terminal is; without one there is no limit.
pub(super) fn width() -> Option<usize> {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.map(clamped).or_else(|| of(terminal_size_of(io::stdout())))
}

/// How long lines on standard error may be: as wide as the terminal is, if it is one.
pub(super) fn error_width() -> Option<usize> {
    of(terminal_size_of(io::stderr()))
}

fn of(size: Option<(Width, Height)>) -> Option<usize> {
    size.map(|(width, _)| clamped(width.0.into()))
}

fn clamped(width: usize) -> usize {
    width.clamp(*WIDTHS.start(), *WIDTHS.end())
}

/// The narrowest and the widest lines that are written for a terminal.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=160;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(lines("eins  zwei drei", 9), ["eins zwei", "drei"]);
        assert_eq!(lines("é é é", 3), ["é é", "é"]);
        assert_eq!(lines("a unbreakable b", 5), ["a", "unbreakable", "b"]);
        assert_eq!(lines(" ", 5), [""; 0]);
    }

    #[test]
    fn a_text_stands_beside_its_start() {
        assert_eq!(beside("ab  ", "eins zwei drei", Some(13)), "ab  eins zwei\n    drei\n");
        assert_eq!(beside("ab  ", "eins  zwei", None), "ab  eins  zwei\n");
        assert_eq!(beside("ab", "", Some(13)), "ab\n");
    }
}
