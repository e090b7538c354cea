//! The head of a request: its tokens, and the parts that it is put together from.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{RECEIVED, plan::Plan};
use crate::{
    BodyEnd, Headers, Request,
    contract::{Place, Segment},
    percent,
    token::{self, Secret},
};

/// What valid requests are signed with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The client id, sent as `appId` in the token.
    pub app_id: String,
    /// The secret that signs the token.
    pub secret: Secret,
    /// A token that is sent instead of signed ones, whatever it is. Mutants that are about the token are signed all
    /// the same.
    pub token: Option<Secret>,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            app_id: "cs-00000000-0000-4000-8000-000000000000".into(),
            secret: Secret::new(token::DEVELOPMENT_SECRET),
            token: None,
        }
    }
}

/// How an operation is told who calls, with valid tokens made once.
pub(super) struct Tokens {
    /// The header, in lower case.
    pub(super) header: String,
    /// The claim that names the client; none when any token will do.
    pub(super) claim: Option<String>,
    pub(super) app_id: String,
    pub(super) secret: Secret,
    pub(super) valid: Vec<String>,
}

impl Tokens {
    /// The header of the usual token.
    pub(super) const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

    pub(super) fn new(header: &str, claim: Option<&str>, credentials: &Credentials) -> Self {
        let Credentials { app_id, secret, token } = credentials.clone();
        let claim = claim.map(str::to_owned);
        let mut tokens = Self { header: header.to_owned(), claim, app_id, secret, valid: Vec::new() };
        if let Some(token) = token {
            tokens.valid = vec![token.reveal().to_owned()];
            return tokens;
        }
        let plain = tokens.claims();
        let mut extra = plain.clone();
        extra["jti"] = "6f1c".into();
        extra["name"] = "Zoë".into();
        tokens.valid = vec![
            tokens.sign(Self::HEADER, &plain),
            tokens.mint(RECEIVED.as_second(), None),
            tokens.sign(r#"{"alg":"HS256"}"#, &extra),
        ];
        tokens
    }

    /// The claims of a plain token.
    pub(super) fn claims(&self) -> Value {
        let mut claims = json!({"sub": "1234567890"});
        if let Some(claim) = &self.claim {
            claims[claim] = self.app_id.as_str().into();
        }
        claims
    }

    /// A token with this header and these claims.
    pub(super) fn sign(&self, header: &str, claims: &Value) -> String {
        token::sign(header, &claims.to_string(), &self.secret)
    }

    /// A token as `standin token` makes it.
    pub(super) fn mint(&self, issued: i64, expires: Option<i64>) -> String {
        token::mint(self.claim.as_deref(), &self.app_id, &self.secret, issued, expires)
    }

    /// The pointer into a request.
    pub(super) fn pointer(&self) -> String {
        format!("/header/{}", self.header)
    }
}

/// A request in parts, still to be changed.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) method: String,
    /// The path's segments as they are sent.
    pub(super) segments: Vec<String>,
    /// Names and values of the query as they are sent, with the parameter's position.
    pub(super) query: Vec<(String, String, usize)>,
    /// Names in lower case.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

impl Draft {
    /// The request that the parts make.
    pub(super) fn request(&self) -> Request {
        let mut target = String::with_capacity(160);
        for segment in &self.segments {
            target.push('/');
            target.push_str(segment);
        }
        for (index, (name, value, _)) in self.query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(name);
            target.push('=');
            target.push_str(value);
        }
        let mut headers = Headers::with_capacity(self.headers.len(), 400);
        for (name, value) in &self.headers {
            headers.push(name, value);
        }
        Request {
            method: self.method.clone(),
            target,
            headers,
            body: Bytes::copy_from_slice(&self.body),
            body_end: BodyEnd::Complete,
            received: RECEIVED,
        }
    }

    /// The head for these parameters' texts.
    pub(super) fn new(
        plan: &Plan,
        texts: &[Option<String>],
        token: Option<&str>,
        media: Option<&str>,
    ) -> Self {
        let text = |place: Place, name: &str| {
            let index = plan.parameters.iter().position(|slot| slot.place == place && slot.name == name)?;
            texts[index].as_deref()
        };
        let segments = plan.segments.iter().map(|segment| match segment {
            Segment::Literal(literal) => literal.clone(),
            Segment::Parameter(name) => percent_encode(text(Place::Path, name).unwrap_or_default(), false),
        });
        let mut draft = Self {
            method: plan.method.clone(),
            segments: segments.collect(),
            query: Vec::new(),
            headers: Vec::with_capacity(6),
            body: Vec::new(),
        };
        if let (Some(tokens), Some(token)) = (&plan.token, token) {
            draft.headers.push((tokens.header.clone(), token.into()));
        }
        if let Some(media) = media {
            draft.headers.push(("content-type".into(), media.into()));
        }
        for (index, (slot, text)) in plan.parameters.iter().zip(texts).enumerate() {
            match (slot.place, text) {
                (Place::Query, Some(text)) => {
                    draft.query.push((percent_encode(&slot.name, true), percent_encode(text, true), index));
                }
                (Place::Header, Some(text)) => {
                    draft.headers.push((slot.name.to_ascii_lowercase(), text.clone().into_bytes()));
                }
                _ => {}
            }
        }
        draft
    }
}

/// Writes a text for a place of the target: everything but letters, digits and `-._~` as `%XX`.
pub(super) fn percent_encode(text: &str, plus: bool) -> String {
    if plus { percent::encode_form(text) } else { percent::encode(text) }.into_owned()
}
