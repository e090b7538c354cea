//! Texts that fit a regular expression, made from the expression itself.

use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind};

/// The longest text that is made.
const LONGEST: usize = 5000;

/// A regular expression and what it consists of.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    hir: Hir,
}

impl Pattern {
    /// Reads an expression; none when it is not one.
    pub(crate) fn new(pattern: &str) -> Option<Self> {
        Some(Self { regex: Regex::new(pattern).ok()?, hir: regex_syntax::parse(pattern).ok()? })
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Appends a text that matches, but for what the expression says about the text around it.
    /// `below` decides: it is given a number above zero and answers a smaller one.
    pub(crate) fn write(&self, below: &mut dyn FnMut(usize) -> usize, out: &mut String) {
        let end = out.len() + LONGEST;
        expand(&self.hir, below, end, out);
    }
}

/// Whether ECMA 262, Python and Rust read the expression alike: no classes such as `\\d`, of which each has its own idea,
/// no sets within sets, no groups but plain ones.
pub(crate) fn is_common(pattern: &str) -> bool {
    let mut rest = pattern.chars().peekable();
    let mut in_set = false;
    while let Some(character) = rest.next() {
        match character {
            '\\' if rest.next().is_none_or(is_special) => return false,
            '[' if in_set => return false,
            '[' => {
                in_set = true;
                rest.next_if_eq(&'^');
                // One that stands first is the end to some, and a member to others.
                if rest.peek() == Some(&']') {
                    return false;
                }
            }
            ']' => in_set = false,
            '&' | '-' | '~' if in_set && rest.peek() == Some(&character) => return false,
            '(' if !in_set && rest.next_if_eq(&'?').is_some() && rest.next() != Some(':') => return false,
            _ => {}
        }
    }
    Pattern::new(pattern).is_some()
}

/// Whether a character after a backslash means more than itself, or a line's end.
fn is_special(character: char) -> bool {
    character.is_alphanumeric() && !matches!(character, 'n' | 'r' | 't')
}

/// A text that fits `pattern`, with a length between the two; none when a search finds none.
pub(crate) fn witness(pattern: &Pattern, shortest: usize, longest: usize) -> Option<String> {
    const TRIES: usize = 200;
    let mut state = 1_u64;
    let mut text = String::new();
    for attempt in 0..TRIES {
        text.clear();
        let mut below = |count: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // The first attempts are the simplest text, and the longest.
            match attempt {
                0 => 0,
                1 => count - 1,
                _ => usize::try_from(state >> 33).unwrap_or(0) % count,
            }
        };
        pattern.write(&mut below, &mut text);
        let length = text.chars().count();
        if length < shortest && length > 0 && shortest <= LONGEST {
            // An expression that is not bound to the text's ends allows more of the same.
            let last = text.chars().next_back().unwrap_or('m');
            text.extend(std::iter::repeat_n(last, shortest - length));
        }
        if pattern.is_match(&text) && (shortest..=longest).contains(&text.chars().count()) {
            return Some(text);
        }
    }
    None
}

fn expand(pattern: &Hir, below: &mut dyn FnMut(usize) -> usize, end: usize, out: &mut String) {
    if out.len() >= end {
        return;
    }
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(Class::Unicode(class)) => {
            // What can be printed, when there is such.
            let wanted = char::from(b'!' + u8::try_from(below(94)).unwrap_or(0));
            if class.iter().any(|range| (range.start()..=range.end()).contains(&wanted)) {
                out.push(wanted);
                return;
            }
            let ranges = class.ranges();
            if !ranges.is_empty() {
                let range = ranges[below(ranges.len())];
                let span = u32::from(range.end()) - u32::from(range.start());
                let offset = u32::try_from(below(span as usize + 1)).unwrap_or(0);
                out.push(char::from_u32(u32::from(range.start()) + offset).unwrap_or(range.start()));
            }
        }
        HirKind::Class(Class::Bytes(class)) => {
            if let Some(range) = class.iter().next() {
                out.push(char::from(range.start()));
            }
        }
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(repetition.min.saturating_add(8));
            let more = most.saturating_sub(repetition.min).min(64);
            let count = repetition.min as usize + below(more as usize + 1);
            for _ in 0..count {
                if out.len() >= end {
                    return;
                }
                let before = out.len();
                expand(&repetition.sub, below, end, out);
                if out.len() == before {
                    // Nothing, however often it is repeated.
                    return;
                }
            }
        }
        HirKind::Capture(capture) => expand(&capture.sub, below, end, out),
        HirKind::Concat(parts) => {
            for part in parts {
                expand(part, below, end, out);
            }
        }
        HirKind::Alternation(parts) => expand(&parts[below(parts.len())], below, end, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_languages_read_differently_is_told() {
        for pattern in ["^[^@ ]+@[^@ ]+$", "^(?:a|b){2}$", r"^\.[a-z\-\]]*$", r"a\n", "^[^a-]$", "()"] {
            assert!(is_common(pattern), "{pattern}");
        }
        for pattern in [
            r"\d", r"^\w+$", r"\bx", r"\p{L}", "[a[0-9]", "[a&&b]", "[a--b]", "(?i)a", "(?=a)", "[]a]", "(",
            r"a\",
        ] {
            assert!(!is_common(pattern), "{pattern}");
        }
    }

    #[test]
    fn a_text_is_found_for_a_pattern() {
        for (pattern, shortest, longest) in [
            ("^[^@ ]+@[^@ ]+$", 0, 20),
            ("^[A-Z]{3}-[0-9]{2,4}$", 7, 7),
            ("a|b", 5, 5),
            ("^(x|yz)*$", 4, 4),
            ("", 0, 0),
            ("^[α-ω]+$", 1, 3),
        ] {
            let pattern = Pattern::new(pattern).unwrap();
            let text = witness(&pattern, shortest, longest);
            assert!(text.is_some_and(|text| pattern.is_match(&text)), "{pattern:?}");
        }
        assert_eq!(witness(&Pattern::new("^a{3}$").unwrap(), 4, 9), None);
        assert_eq!(witness(&Pattern::new("a^b").unwrap(), 0, 9), None);
    }
}
