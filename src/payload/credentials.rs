//! Who calls: the credentials of valid requests, and the tokens that are made of them.

use serde_json::{Value, json};

use super::RECEIVED;
#[cfg(feature = "campaign")]
use crate::Contract;
use crate::token::{self, Secret};

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

impl Credentials {
    /// The tokens that valid requests of this contract have.
    #[cfg(feature = "campaign")]
    pub(crate) fn tokens(&self, contract: &Contract) -> Vec<String> {
        let header = contract.token_header();
        header.map_or_else(Vec::new, |header| Tokens::new(header, contract.token_claim(), self).valid)
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
