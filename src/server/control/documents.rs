//! The contract document, as it was asked for.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::contract::Audience;

/// The documents that were asked for first. They are kept, so that any number of clients can have them at a time and
/// none takes memory of its own.
#[derive(Debug, Default)]
pub(super) struct Documents(Mutex<Vec<Document>>);

#[derive(Debug)]
struct Document {
    audience: Audience,
    url: String,
    text: Bytes,
}

impl Documents {
    /// The document for an audience whose server is at `url`, which `make` makes.
    pub(super) fn get(&self, audience: Audience, url: &str, make: impl FnOnce() -> Bytes) -> Bytes {
        let mut documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = documents.iter().find(|one| one.audience == audience && one.url == url) {
            return same.text.clone();
        }
        let text = make();
        // A server has a name or two. Whoever makes up more gets documents that are made anew.
        if documents.len() < MOST {
            documents.push(Document { audience, url: url.to_owned(), text: text.clone() });
        }
        text
    }
}

/// How many documents are kept.
const MOST: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_made_once_as_long_as_there_are_few() {
        let documents = Documents::default();
        let get = |number: usize| {
            let url = format!("http://127.0.0.1:{number}");
            documents.get(Audience::Exact, &url, || url.clone().into())
        };
        let is_made_once = |number| get(number).as_ptr() == get(number).as_ptr();

        assert!((0..MOST).all(is_made_once));
        assert!(!is_made_once(MOST));
        assert!(is_made_once(0));
        assert_ne!(get(0), get(1));
    }
}
