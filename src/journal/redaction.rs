//! What stands in a journal for the values of secret headers.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{Headers, token};

/// Replaces the values of secret headers by what may be shown of them.
pub(super) struct Redactor {
    key: RandomState,
    /// The hash and the replacement of the value that came last: clients send one token again and again.
    last: Mutex<(u64, Arc<str>)>,
}

impl Redactor {
    pub(super) fn new() -> Self {
        let key = RandomState::new();
        let nothing = (key.hash_one(b""), token::redact(b"", Some("appId"), &key).into());
        Self { key, last: Mutex::new(nothing) }
    }

    /// Replaces them in `headers`. An empty value holds no secret and stays.
    pub(super) fn redact(&self, headers: &mut Headers) {
        if !headers.iter().any(|(name, _)| Headers::is_secret(name)) {
            return;
        }
        let bytes = headers
            .iter()
            .map(|(name, value)| {
                name.len() + if Headers::is_secret(name) { REPLACEMENT } else { value.len() }
            })
            .sum();
        let mut redacted = Headers::with_capacity(headers.len(), bytes);
        for (name, value) in headers.iter() {
            if Headers::is_secret(name) && !value.is_empty() {
                redacted.push(name, self.replacement(value).as_bytes());
            } else {
                redacted.push(name, value);
            }
        }
        *headers = redacted;
    }

    fn replacement(&self, value: &[u8]) -> Arc<str> {
        let hash = self.key.hash_one(value);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0 != hash {
            *last = (hash, token::redact(value, Some("appId"), &self.key).into());
        }
        Arc::clone(&last.1)
    }
}

/// About as long as a replacement is.
const REPLACEMENT: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_replaced_in_place_and_equal_ones_stay_equal() {
        let mut headers = Headers::from_iter([
            ("accept", "a"),
            ("auth", "sesame"),
            ("cookie", "sesame"),
            ("auth", "other"),
            ("authorization", ""),
            ("x-auth", "kept"),
        ]);

        Redactor::new().redact(&mut headers);

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
        let redacted = || {
            let mut headers = Headers::from_iter([("auth", "sesame")]);
            Redactor::new().redact(&mut headers);
            headers
        };

        assert_ne!(redacted(), redacted());
    }
}
