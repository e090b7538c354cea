//! `no_echo_of_secrets`: no reply has the token of the request in it, nor its signature.
//!
//! Silent where the request has no token, or one too short to be told from other text.

use super::{Look, View};
use crate::campaign::{Place, Trial, source::Source};

/// Fewer bytes may be there by chance.
const LEAST: usize = 16;

pub(super) fn look(trial: &Trial, view: &View) -> Look {
    let (Some(reply), Some(header)) = (&trial.answer.reply, view.contract.token_header()) else {
        return Look::Silent;
    };
    let mut look = Look::Silent;
    for token in trial.sent.request.headers.all(header) {
        let signature = token.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
        let secret = if signature.len() >= LEAST { signature } else { token };
        if secret.len() < LEAST {
            continue;
        }
        let has = |text: &[u8]| memchr::memmem::find(text, secret).is_some();
        let header = reply.headers.iter().find(|(_, value)| has(value)).map(|(name, _)| name);
        // The server chooses the names of its headers, and may choose other ones each time.
        let (pointer, found) = match header {
            Some(name) => ("/reply/header", format!("the token of the request in {}", view.quote(name))),
            None if has(&reply.body) => ("/reply/body", "the token of the request at /reply/body".into()),
            None => {
                look = Look::Passed;
                continue;
            }
        };
        return view.failed(
            Place { rule: None, pointer: pointer.into() },
            "a reply without the token".into(),
            found,
            Source::assumed("a token is a secret"),
        );
    }
    look
}
