//! Step 2: is there a token, and is it one that the token policy accepts?

use std::{
    fmt::{self, Write as _},
    sync::Mutex,
};

use super::TokenPolicy;
use crate::{
    Request, Rule, Violation,
    token::{self, TokenError},
};

/// The token that was taken last whoever signed it: clients send one again and again, and it stays what it is.
#[derive(Default)]
pub(super) struct Last(Mutex<Vec<u8>>);

impl Last {
    // Nobody waits for it: reading a token anew costs less.
    fn is(&self, token: &[u8]) -> bool {
        self.0.try_lock().is_ok_and(|last| *last == token)
    }

    fn set(&self, token: &[u8]) {
        if let Ok(mut last) = self.0.try_lock() {
            token.clone_into(&mut last);
        }
    }
}

impl fmt::Debug for Last {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Last(…)")
    }
}

pub(super) fn check(
    header: &str,
    claim: Option<&str>,
    source: impl Fn() -> String,
    request: &Request,
    policy: &TokenPolicy,
    last: &Last,
) -> Result<(), Violation> {
    let mut values = request.headers.all(header);
    let violation = |rule, expected: &str, found: &str| Violation {
        pointer: format!("/header/{header}"),
        rule,
        expected: expected.into(),
        found: found.into(),
        source: source(),
    };
    let Some(value) = values.next().filter(|value| !value.is_empty()) else {
        return Err(violation(Rule::Required, "a token", "nothing"));
    };
    if values.next().is_some() {
        return Err(violation(Rule::Repeated, "one token", "more than one"));
    }
    let secret = match policy {
        TokenPolicy::Any => return Ok(()),
        TokenPolicy::Verified(secret) => Some(secret),
        TokenPolicy::WellFormed if last.is(value) => return Ok(()),
        TokenPolicy::WellFormed => None,
    };
    let accepted = accept(value, claim, secret, request);
    if accepted.is_ok() && secret.is_none() {
        last.set(value);
    }
    accepted.map_err(|error| {
        let (rule, expected) = if error.is_malformed() {
            (Rule::Format, "a JWT: three base64url parts, header and payload JSON objects".to_owned())
        } else {
            let mut expected = String::from("a JWT");
            if let Some(claim) = claim {
                let _ = write!(expected, " with `{claim}` in its payload");
            }
            if secret.is_some() {
                let comma = if claim.is_some() { "," } else { "" };
                let _ = write!(expected, "{comma} signed HS256 with the client secret and in its time");
            }
            (Rule::Token, expected)
        };
        violation(rule, &expected, &error.found(claim.unwrap_or_default()))
    })
}

fn accept(
    value: &[u8],
    claim: Option<&str>,
    secret: Option<&token::Secret>,
    request: &Request,
) -> Result<(), TokenError> {
    let token = token::read(value, claim)?;
    if claim.is_some() {
        token.client()?;
    }
    secret.map_or(Ok(()), |secret| token.verify(secret, request.received.as_second()))
}
