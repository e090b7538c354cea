//! Operators that change the token. Labels do not repeat it.

use serde_json::json;

use super::{
    change::{Change, recased},
    definition::{Act, Edit, Effect, operators},
};
use crate::{
    Rule,
    payload::{RECEIVED, credentials::Tokens, plan::Plan},
    token::{self, Secret},
};

operators! {
    /// Says `alg: none` in the token; refused only where tokens are verified.
    TOKEN_ALGORITHM = "tokenAlgorithm" {
        acts: &[Act::Request {
            at: |plan| with_token(plan, Effect::BreaksWhenVerified(Rule::Token)),
            change: |edit| {
                replace(edit, |tokens, _| {
                    let unsigned = tokens.sign(r#"{"alg":"none","typ":"JWT"}"#, &tokens.claims());
                    let stripped = format!("{}.", Parts::of(&unsigned)?.signed);
                    let other = tokens.sign(r#"{"alg":"HS512","typ":"JWT"}"#, &tokens.claims());
                    Some(vec![unsigned, stripped, other])
                })
            },
        }],
    }

    /// Writes the token's `appId` with other capitals.
    TOKEN_APP_ID_CASE = "tokenAppIdCase" {
        acts: &[Act::Request {
            at: |plan| with_claim(plan, |claim| !recased(claim).is_empty()),
            change: |edit| {
                replace(edit, |tokens, _| {
                    let names = recased(tokens.claim.as_deref()?);
                    let token = |name: String| tokens.sign(Tokens::HEADER, &json!({name: tokens.app_id}));
                    Some(names.into_iter().map(token).collect())
                })
            },
        }],
    }

    /// Leaves out the token's `appId`.
    TOKEN_APP_ID_MISSING = "tokenAppIdMissing" {
        acts: &[Act::Request {
            at: |plan| with_claim(plan, |_| true),
            change: |edit| {
                replace(edit, |tokens, _| {
                    let claim = tokens.claim.as_deref()?;
                    let claims = [
                        json!({"sub": "1234567890"}),
                        json!({"sub": "1234567890", claim: ""}),
                        json!({"sub": "1234567890", claim: 7}),
                    ];
                    Some(claims.iter().map(|claims| tokens.sign(Tokens::HEADER, claims)).collect())
                })
            },
        }],
    }

    /// Makes a part of the token something else than base64url.
    TOKEN_ENCODING = "tokenEncoding" {
        acts: &[Act::Request {
            at: |plan| with_token(plan, Effect::Breaks(Rule::Format)),
            change: |edit| {
                replace(edit, |_, Parts { header, payload, signature, .. }| {
                    Some(vec![
                        format!("{header}.{payload}!.{signature}"),
                        format!("{header}=.{payload}.{signature}"),
                        format!("{header}.{payload}.{signature}+"),
                        format!("{{}}.{payload}.{signature}"),
                    ])
                })
            },
        }],
    }

    /// Sends a token whose time is over; refused only where tokens are verified.
    TOKEN_EXPIRED = "tokenExpired" {
        acts: &[Act::Request {
            at: |plan| with_token(plan, Effect::BreaksWhenVerified(Rule::Token)),
            change: |edit| {
                replace(edit, |tokens, _| {
                    let now = RECEIVED.as_second();
                    Some(vec![tokens.mint(now - 7200, Some(now - 3600)), tokens.mint(0, Some(0))])
                })
            },
        }],
    }

    /// Leaves out the token.
    TOKEN_MISSING = "tokenMissing" {
        acts: &[Act::Request {
            at: |plan| with_token(plan, Effect::Breaks(Rule::Required)),
            change: |edit| {
                let (tokens, at) = position(edit)?;
                let headers = &mut edit.base.draft.headers;
                if edit.choices.one_in(3) {
                    headers[at].1.clear();
                } else {
                    headers.remove(at);
                }
                Some(Change::new(tokens.pointer()))
            },
        }],
    }

    /// Sends a token that has not three parts.
    TOKEN_PARTS = "tokenParts" {
        acts: &[Act::Request {
            at: |plan| with_token(plan, Effect::Breaks(Rule::Format)),
            change: |edit| {
                replace(edit, |_, Parts { signed, header, signature, .. }| {
                    Some(vec![
                        signed.to_owned(),
                        format!("{signed}.{signature}.{signature}"),
                        header.to_owned(),
                        "token".into(),
                    ])
                })
            },
        }],
    }

    /// Sends the token twice.
    TOKEN_REPEATED = "tokenRepeated" {
        is_assumed: true,
        acts: &[Act::Request {
            at: |plan| with_token(plan, Effect::Breaks(Rule::Repeated)),
            change: |edit| {
                let (tokens, at) = position(edit)?;
                let headers = &mut edit.base.draft.headers;
                headers.push(headers[at].clone());
                Some(Change::new(tokens.pointer()))
            },
        }],
    }

    /// Puts a scheme such as `Bearer` before the token.
    TOKEN_SCHEME = "tokenScheme" {
        is_assumed: true,
        acts: &[Act::Request {
            at: |plan| with_token(plan, Effect::Breaks(Rule::Format)),
            change: |edit| {
                replace(edit, |_, Parts { signed, signature, .. }| {
                    let schemes = ["Bearer", "JWT", "bearer"];
                    Some(schemes.map(|scheme| format!("{scheme} {signed}.{signature}")).into())
                })
            },
        }],
    }

    /// Signs the token with another secret; refused only where tokens are verified.
    TOKEN_SECRET = "tokenSecret" {
        acts: &[Act::Request {
            at: |plan| with_token(plan, Effect::BreaksWhenVerified(Rule::Token)),
            change: |edit| {
                replace(edit, |tokens, _| {
                    let other = Secret::new(format!("not {}", tokens.secret.reveal()));
                    Some(vec![token::sign(Tokens::HEADER, &tokens.claims().to_string(), &other)])
                })
            },
        }],
    }
}

fn with_token(plan: &Plan, effect: Effect) -> Option<Effect> {
    plan.token.as_ref().map(|_| effect)
}

/// Where the token must name the client.
fn with_claim(plan: &Plan, holds: impl Fn(&str) -> bool) -> Option<Effect> {
    let claim = plan.token.as_ref()?.claim.as_deref()?;
    holds(claim).then_some(Effect::Breaks(Rule::Token))
}

/// A token taken to pieces.
struct Parts<'a> {
    /// What is signed: header and payload.
    signed: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn of(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        Some(Self { signed, header, payload, signature })
    }
}

/// The position of the token among the headers.
fn position<'a>(edit: &Edit<'a, '_>) -> Option<(&'a Tokens, usize)> {
    let tokens = edit.plan.token.as_ref()?;
    let at = edit.base.draft.headers.iter().position(|(name, _)| *name == tokens.header)?;
    Some((tokens, at))
}

/// Sends one of some other values in the token's stead.
fn replace(edit: &mut Edit, others: fn(&Tokens, Parts) -> Option<Vec<String>>) -> Option<Change> {
    let (tokens, at) = position(edit)?;
    let value = &mut edit.base.draft.headers[at].1;
    let valid = std::str::from_utf8(value).ok()?;
    let others = others(tokens, Parts::of(valid)?)?;
    *value = edit.choices.pick(&others).clone().into_bytes();
    Some(Change::new(tokens.pointer()))
}
