//! What stands in a journal for secrets.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use serde::de::IgnoredAny;

use super::{
    finder::{Finder, Quotes, Search},
    secrets::Secrets,
};
use crate::{Exchange, Headers, Redaction, Reply, SecretKind, Step, token};

/// Replaces secrets by what may be shown of them, and says where.
pub(super) struct Redactor {
    secrets: Secrets,
    finder: Finder,
    key: RandomState,
    /// The hash and the replacement of the value that came last: clients send one token again and again.
    last: Mutex<(u64, Arc<str>)>,
    /// The hash of the token that was accepted last.
    accepted: AtomicU64,
    nothing: Arc<[Redaction]>,
    /// What most exchanges have.
    token_alone: Arc<[Redaction]>,
}

/// What was done to an exchange.
pub(super) struct Redacted {
    pub(super) redactions: Arc<[Redaction]>,
    /// The reply as it was, when secrets in it were replaced.
    pub(super) reply: Option<Reply>,
}

impl Redactor {
    pub(super) fn new(secrets: Secrets) -> Self {
        let key = RandomState::new();
        let nothing = (key.hash_one(b"".as_slice()), token::redact(b"", secrets.token_claim(), &key).into());
        let token_alone = secrets.token_header().map(|header| Redaction {
            pointer: format!("{REQUEST_HEADER}{header}"),
            secret: SecretKind::Token,
        });
        Self {
            finder: Finder::new(&secrets, key.clone()),
            secrets,
            key,
            last: Mutex::new(nothing),
            accepted: AtomicU64::new(0),
            nothing: Arc::new([]),
            token_alone: token_alone.into_iter().collect(),
        }
    }

    /// Replaces every secret of an exchange. What has none is not copied.
    pub(super) fn redact(&self, exchange: &mut Exchange) -> Redacted {
        if self.secrets.are_kept() {
            return Redacted { redactions: Arc::clone(&self.nothing), reply: None };
        }
        self.remember_token(exchange);
        let mut pass = Pass { redactor: self, search: self.finder.search(), redactions: Vec::new() };
        let Exchange { request, reply, step, violations, readings, state, scripted, .. } = exchange;
        let (has_token, _) = pass.headers(REQUEST_HEADER, &mut request.headers);
        pass.string("/request/method", &mut request.method, Quotes::None);
        pass.string("/request/target", &mut request.target, Quotes::None);
        pass.body("/request/body", &mut request.body, Quotes::None);
        let (reply_has_token, headers) = pass.headers("/reply/header/", &mut reply.headers);
        // An answer quotes nothing; what it repeats can be long, and full of what looks like the end of a quote.
        let quotes = if *step == Step::Answer { Quotes::None } else { Quotes::Some };
        let body = pass.body("/reply/body", &mut reply.body, quotes);
        let is_changed = headers.is_some() || body.is_some();
        let as_it_was = is_changed.then(|| Reply {
            status: reply.status,
            headers: headers.unwrap_or_else(|| reply.headers.clone()),
            body: body.unwrap_or_else(|| reply.body.clone()),
        });
        for violation in violations {
            pass.string("/violations", &mut violation.pointer, Quotes::Some);
            pass.string("/violations", &mut violation.expected, Quotes::Some);
            pass.string("/violations", &mut violation.found, Quotes::Some);
        }
        for reading in readings {
            pass.string("/readings", &mut reading.pointer, Quotes::Some);
            pass.string("/readings", &mut reading.note, Quotes::Some);
        }
        if let Some(resource) = state.as_mut().and_then(|state| state.resource.as_mut()) {
            pass.string("/state/resource/id", &mut resource.id, Quotes::None);
            if let Some(before) = &mut resource.before {
                pass.string("/state/resource/before", before, Quotes::None);
            }
            if let Some(after) = &mut resource.after {
                pass.string("/state/resource/after", after, Quotes::None);
            }
        }
        let mut decided_has_token = false;
        if let Some(scripted) = scripted {
            if let Some(decided) = &mut scripted.decided {
                (decided_has_token, _) = pass.headers("/scripted/decided/header/", &mut decided.headers);
                pass.body("/scripted/decided/body", &mut decided.body, quotes);
            }
            for breach in &mut scripted.breaches {
                pass.string("/scripted/breaches", &mut breach.pointer, Quotes::Some);
                pass.string("/scripted/breaches", &mut breach.message, Quotes::Some);
            }
        }
        if decided_has_token && let Some(header) = self.secrets.token_header() {
            pass.note(format!("/scripted/decided/header/{header}"), SecretKind::Token);
        }
        if reply_has_token && let Some(header) = self.secrets.token_header() {
            pass.note(format!("/reply/header/{header}"), SecretKind::Token);
        }
        let redactions = match (has_token, pass.redactions.is_empty()) {
            (false, true) => Arc::clone(&self.nothing),
            (true, true) => Arc::clone(&self.token_alone),
            (_, false) => {
                let token = self.token_alone.iter().filter(|_| has_token).cloned();
                token.chain(pass.redactions).collect()
            }
        };
        Redacted { redactions, reply: as_it_was }
    }

    /// An accepted token is a secret from now on, wherever it stands.
    fn remember_token(&self, exchange: &Exchange) {
        if !matches!(exchange.step, Step::Route | Step::Authorize)
            && let Some(header) = self.secrets.token_header()
        {
            for token in exchange.request.headers.all(header) {
                let hash = self.key.hash_one(token);
                // Whoever finds the hash here finds the token among what is searched for.
                if self.accepted.load(Ordering::Acquire) != hash {
                    self.finder.remember(token);
                    self.accepted.store(hash, Ordering::Release);
                }
            }
        }
    }

    /// What stands for all of a header's value.
    fn replacement(&self, value: &[u8]) -> Arc<str> {
        let hash = self.key.hash_one(value);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0 != hash {
            *last = (hash, token::redact(value, self.secrets.token_claim(), &self.key).into());
        }
        Arc::clone(&last.1)
    }
}

/// What stands for a secret within a text: nothing in it has a meaning in URLs, forms, JSON or base64.
fn mark(secret: SecretKind, hash: u64) -> String {
    let kind = if secret == SecretKind::Jwt { "jwt" } else { "secret" };
    format!("redacted-{kind}-{hash:016x}")
}

/// An exchange on its way into the journal.
struct Pass<'a> {
    redactor: &'a Redactor,
    search: Search<'a>,
    redactions: Vec<Redaction>,
}

impl Pass<'_> {
    /// A text without its secrets; none when it has none.
    fn text(&self, text: &[u8], quotes: Quotes) -> Option<(Vec<u8>, SecretKind)> {
        let found = self.search.find(text, quotes);
        let kind = found.first()?.secret;
        let mut redacted = Vec::with_capacity(text.len());
        let mut position = 0;
        for found in found {
            redacted.extend_from_slice(&text[position..found.range.start]);
            redacted.extend_from_slice(mark(found.secret, found.hash).as_bytes());
            position = found.range.end;
        }
        redacted.extend_from_slice(&text[position..]);
        Some((redacted, kind))
    }

    fn note(&mut self, pointer: String, secret: SecretKind) {
        let redaction = Redaction { pointer, secret };
        if !self.redactions.contains(&redaction) {
            self.redactions.push(redaction);
        }
    }

    /// Replaces the values that are secret, and secrets within the others. An empty value holds none. Answers whether
    /// the header of the token was among them, which is not noted here, and what there was if it is replaced.
    fn headers(&mut self, place: &str, headers: &mut Headers) -> (bool, Option<Headers>) {
        let Redactor { secrets, .. } = self.redactor;
        let kind = |name: &[u8], value: &[u8]| secrets.header(name).filter(|_| !value.is_empty());
        let mut redacted: Option<Headers> = None;
        let mut has_token = false;
        for (index, (name, value)) in headers.bytes().enumerate() {
            let whole = kind(name, value);
            let part = if whole.is_none() { self.text(value, Quotes::None) } else { None };
            if redacted.is_none() && (whole.is_some() || part.is_some()) {
                let [bytes, _] = headers.blocks();
                let mut copy = Headers::with_capacity(headers.len(), bytes);
                let before = headers.bytes().take(index).enumerate();
                before.for_each(|(index, (_, value))| copy.push_like(headers, index, value));
                redacted = Some(copy);
            }
            let Some(redacted) = &mut redacted else { continue };
            match (whole, part) {
                (Some(kind), _) => {
                    redacted.push_like(headers, index, self.redactor.replacement(value).as_bytes());
                    if kind == SecretKind::Token {
                        has_token = true;
                    } else {
                        self.note(format!("{place}{}", String::from_utf8_lossy(name)), kind);
                    }
                }
                (None, Some((value, kind))) => {
                    redacted.push_like(headers, index, &value);
                    self.note(format!("{place}{}", String::from_utf8_lossy(name)), kind);
                }
                (None, None) => redacted.push_like(headers, index, value),
            }
        }
        (has_token, redacted.map(|redacted| mem::replace(headers, redacted)))
    }

    fn string(&mut self, pointer: &str, text: &mut String, quotes: Quotes) {
        if let Some((redacted, kind)) = self.text(text.as_bytes(), quotes) {
            *text = String::from_utf8_lossy(&redacted).into_owned();
            self.note(pointer.to_owned(), kind);
        }
    }

    /// Answers what there was if it is replaced.
    fn body(&mut self, pointer: &str, body: &mut Bytes, quotes: Quotes) -> Option<Bytes> {
        let (redacted, kind) = self.text(body, quotes)?;
        let is_json = |text: &[u8]| serde_json::from_slice::<IgnoredAny>(text).is_ok();
        let redacted = if is_json(body) && !is_json(&redacted) {
            // A secret such as `1234` can be a part of a number.
            format!("\"{}\"", mark(kind, self.redactor.key.hash_one(&body[..]))).into()
        } else {
            redacted.into()
        };
        self.note(pointer.to_owned(), kind);
        Some(mem::replace(body, redacted))
    }
}

const REQUEST_HEADER: &str = "/request/header/";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{journal::tests::exchange, token::Secret};

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJhcHBJZCI6ImNzLTEifQ.c2lnbmF0dXJl";

    fn redactor() -> Redactor {
        Redactor::new(Secrets::default().token_in("X-Key"))
    }

    fn pointers(redactions: &[Redaction]) -> Vec<(&str, SecretKind)> {
        redactions.iter().map(|redaction| (redaction.pointer.as_str(), redaction.secret)).collect()
    }

    #[test]
    fn secret_headers_are_replaced_in_place_and_equal_ones_stay_equal() {
        let mut exchange = exchange("createAgent", "{}");
        exchange.request.headers = Headers::from_iter([
            ("accept", "a"),
            ("x-key", "sesame"),
            ("cookie", "sesame"),
            ("x-key", "other"),
            ("authorization", ""),
            ("auth", "kept"),
        ]);
        exchange.reply.headers = Headers::from_iter([("set-cookie", "sesame")]);

        let redactions = redactor().redact(&mut exchange).redactions;

        let headers = exchange.request.headers.iter().chain(exchange.reply.headers.iter());
        let values: Vec<_> =
            headers.map(|(name, value)| (name, String::from_utf8_lossy(value).into_owned())).collect();
        assert_eq!(values[0], ("accept", "a".to_owned()));
        assert_eq!(values[1].0, "x-key");
        assert_eq!(values[1].1, values[2].1);
        assert_ne!(values[1].1, values[3].1);
        assert!(!values[1].1.contains("sesame"));
        assert_eq!(values[4], ("authorization", String::new()));
        assert_eq!(values[5], ("auth", "kept".to_owned()));
        assert_eq!(values[1].1, values[6].1);
        assert_eq!(
            pointers(&redactions),
            [
                ("/request/header/x-key", SecretKind::Token),
                ("/request/header/cookie", SecretKind::Credential),
                ("/reply/header/set-cookie", SecretKind::Credential),
            ]
        );
    }

    #[test]
    fn journals_do_not_share_their_hashes() {
        let redacted = || {
            let mut exchange = exchange("createAgent", "{}");
            exchange.request.headers = Headers::from_iter([("x-key", "sesame")]);
            redactor().redact(&mut exchange);
            exchange.request.headers
        };

        assert_ne!(redacted(), redacted());
    }

    #[test]
    fn a_body_that_was_json_stays_json() {
        let redactor = Redactor::new(Secrets::default().value(Secret::new("1234")));
        for (body, expected) in [
            (r#"{"pin":1234}"#, "\"redacted-secret-"),
            (r#"{"pin":"1234"}"#, r#"{"pin":"redacted-secret-"#),
            ("pin=1234", "pin=redacted-secret-"),
        ] {
            let mut exchange = exchange("createAgent", body);
            let redactions = redactor.redact(&mut exchange).redactions;

            let text = String::from_utf8_lossy(&exchange.request.body).into_owned();
            assert!(text.starts_with(expected), "{text}");
            assert_eq!(pointers(&redactions), [("/request/body", SecretKind::Value)]);
        }
    }

    #[test]
    fn a_token_in_the_wrong_place_is_replaced_and_the_exchange_says_where() {
        let mut exchange = exchange("createAgent", &format!(r#"{{"a":"{TOKEN}"}}"#));
        exchange.request.target = format!("/a?token={TOKEN}");
        exchange.request.headers.push("x-other", format!("Bearer {TOKEN}").as_bytes());
        exchange.request.headers.push("x-key", TOKEN.as_bytes());

        let redactions = redactor().redact(&mut exchange).redactions;

        assert!(!format!("{exchange:?}").contains("c2lnbmF0dXJl"), "{exchange:?}");
        assert!(exchange.request.target.starts_with("/a?token=redacted-jwt-"));
        assert_eq!(
            pointers(&redactions),
            [
                ("/request/header/x-key", SecretKind::Token),
                ("/request/header/x-other", SecretKind::Jwt),
                ("/request/target", SecretKind::Jwt),
                ("/request/body", SecretKind::Jwt),
            ]
        );
        // The mark in the target has the hash that stands in the token's header.
        let hash = exchange.request.target.rsplit_once('-').unwrap().1;
        let header = exchange.request.headers.all("x-key").next().unwrap();
        assert!(String::from_utf8_lossy(header).contains(hash));
    }

    #[test]
    fn what_a_script_replaced_and_what_it_broke_hold_no_secrets() {
        let mut exchange = exchange("createAgent", "{}");
        let decided = crate::Reply {
            status: 200,
            headers: Headers::from_iter([("x-key", TOKEN), ("set-cookie", "sesame")]),
            body: format!(r#"{{"a":"{TOKEN}"}}"#).into(),
        };
        let message = format!("expected a number, but found `{TOKEN}`");
        exchange.scripted = Some(Box::new(crate::Scripted {
            decided: Some(decided),
            breaches: vec![crate::Breach { pointer: "/body/a".into(), message }],
            ..crate::Scripted::default()
        }));

        let redactions = redactor().redact(&mut exchange).redactions;

        assert!(!format!("{exchange:?}").contains("c2lnbmF0dXJl"), "{exchange:?}");
        assert_eq!(
            pointers(&redactions),
            [
                ("/scripted/decided/header/set-cookie", SecretKind::Credential),
                ("/scripted/decided/body", SecretKind::Jwt),
                ("/scripted/breaches", SecretKind::Jwt),
                ("/scripted/decided/header/x-key", SecretKind::Token),
            ]
        );
    }

    #[test]
    fn an_opaque_token_is_a_secret_once_it_is_accepted() {
        const OPAQUE: &str = "0paque-t0ken-of-a-test";
        let redactor = redactor();
        let redacted = |step, header, target: &str| {
            let mut exchange = exchange("createAgent", &format!(r#"{{"a":"{OPAQUE}"}}"#));
            exchange.step = step;
            exchange.request.headers.push(header, OPAQUE.as_bytes());
            exchange.request.target = target.to_owned();
            redactor.redact(&mut exchange);
            exchange
        };

        let refused = redacted(Step::Authorize, "x-key", "/a");
        assert!(String::from_utf8_lossy(&refused.request.body).contains(OPAQUE));
        let accepted = redacted(Step::Answer, "x-key", "/a");
        assert!(!format!("{accepted:?}").contains(OPAQUE), "{accepted:?}");
        let later = redacted(Step::Route, "x-other", &format!("/nowhere?key={OPAQUE}"));
        assert!(!format!("{later:?}").contains(OPAQUE), "{later:?}");
    }

    #[test]
    fn a_secret_that_a_violation_quotes_in_part_is_replaced() {
        let secret = format!("c1ient-{}", "0123456789".repeat(12));
        let redactor = Redactor::new(Secrets::default().value(Secret::new(&secret)));
        let mut exchange = exchange("createAgent", "{}");
        exchange.step = Step::Validate;
        let found = crate::violation::quote(&format!("my {secret}"));
        exchange.reply.body = format!(r#"{{"message":"expected a number, but found {found}"}}"#).into();
        exchange.violations = vec![crate::Violation {
            pointer: "/body/a".into(),
            rule: crate::Rule::Type,
            expected: "a number".into(),
            found,
            source: String::new(),
        }];

        redactor.redact(&mut exchange);

        assert!(!format!("{exchange:?}").contains("c1ient"), "{exchange:?}");
        assert!(exchange.violations[0].found.starts_with("`my redacted-secret-"), "{exchange:?}");
        assert!(exchange.violations[0].found.ends_with("…`"), "{exchange:?}");
    }

    #[test]
    fn only_a_refusal_has_quotes_that_are_cut_off() {
        let redactor = Redactor::new(Secrets::default().value(Secret::new("s3same street")));
        for (step, expected) in [(Step::Answer, "`s3same str…`"), (Step::Validate, "`redacted-secret-")] {
            let mut exchange = exchange("createAgent", "{}");
            exchange.step = step;
            exchange.reply.body = "`s3same str…`".into();
            redactor.redact(&mut exchange);

            let text = String::from_utf8_lossy(&exchange.reply.body).into_owned();
            assert!(text.starts_with(expected), "{text}");
        }
    }

    #[test]
    fn nothing_is_replaced_where_secrets_are_kept() {
        let mut exchange = exchange("createAgent", TOKEN);
        let before = exchange.clone();

        let redactions = Redactor::new(Secrets::kept()).redact(&mut exchange).redactions;

        assert_eq!((exchange, redactions.len()), (before, 0));
    }
}
