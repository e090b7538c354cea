//! What stands in a journal for the values of secret headers.

use std::collections::hash_map::RandomState;

use crate::{Headers, token};

/// Replaces the values of secret headers by what may be shown of them. An empty value holds no secret and stays.
pub(super) fn redact(headers: &mut Headers, key: &RandomState) {
    if !headers.iter().any(|(name, _)| Headers::is_secret(name)) {
        return;
    }
    let bytes = headers
        .iter()
        .map(|(name, value)| name.len() + if Headers::is_secret(name) { REPLACEMENT } else { value.len() })
        .sum();
    let mut redacted = Headers::with_capacity(headers.len(), bytes);
    for (name, value) in headers.iter() {
        if Headers::is_secret(name) && !value.is_empty() {
            redacted.push(name, token::redact(value, key).as_bytes());
        } else {
            redacted.push(name, value);
        }
    }
    *headers = redacted;
}

/// About as long as a replacement is.
const REPLACEMENT: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_replaced_in_place_and_equal_ones_stay_equal() {
        let key = RandomState::new();
        let mut headers = Headers::from_iter([
            ("accept", "a"),
            ("auth", "sesame"),
            ("cookie", "sesame"),
            ("auth", "other"),
            ("authorization", ""),
            ("x-auth", "kept"),
        ]);

        redact(&mut headers, &key);

        let values: Vec<_> =
            headers.iter().map(|(name, value)| (name, String::from_utf8_lossy(value).into_owned())).collect();
        assert_eq!(values[0], ("accept", "a".to_owned()));
        assert_eq!(values[1].0, "auth");
        assert_eq!(values[1].1, values[2].1);
        assert_ne!(values[1].1, values[3].1);
        assert!(!values[1].1.contains("sesame"));
        assert_eq!(values[4], ("authorization", String::new()));
        assert_eq!(values[5], ("x-auth", "kept".to_owned()));
    }

    #[test]
    fn journals_do_not_share_their_hashes() {
        let redacted = |key| {
            let mut headers = Headers::from_iter([("auth", "sesame")]);
            redact(&mut headers, key);
            headers
        };

        assert_ne!(redacted(&RandomState::new()), redacted(&RandomState::new()));
    }
}
