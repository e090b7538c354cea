//! Long text in short lines.

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
}
