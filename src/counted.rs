//! How many there are of something, in words.

use std::fmt::Display;

/// The number and the noun, which is the singular: `1 warning`, `2 warnings`, `at least 1 exchange`.
pub(crate) fn counted(count: impl Display, noun: &str) -> String {
    let count = count.to_string();
    let is_one = count.rsplit(' ').next() == Some("1");
    format!("{count} {noun}{}", if is_one { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_not_several() {
        let words = |count: &str| counted(count, "exchange");
        assert_eq!(words("1"), "1 exchange");
        assert_eq!(words("at least 1"), "at least 1 exchange");
        assert_eq!(words("0"), "0 exchanges");
        assert_eq!(words("0 to 11"), "0 to 11 exchanges");
    }
}
