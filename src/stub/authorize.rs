//! Step 2: is there a token, and is it one that the token policy accepts?

use super::TokenPolicy;
use crate::{
    Request, Rule, Violation,
    token::{self, Problem},
};

pub(super) fn check(
    header: &str,
    source: impl Fn() -> String,
    request: &Request,
    policy: &TokenPolicy,
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
        TokenPolicy::WellFormed => None,
    };
    accept(value, secret, request).map_err(|problem| {
        let (rule, expected) = if problem.is_malformed() {
            (Rule::Format, "a JWT: three base64url parts, header and payload JSON objects")
        } else if secret.is_some() {
            (
                Rule::Token,
                "a JWT with `appId` in its payload, signed HS256 with the client secret and in its time",
            )
        } else {
            (Rule::Token, "a JWT with `appId` in its payload")
        };
        violation(rule, expected, problem.found())
    })
}

fn accept(value: &[u8], secret: Option<&token::Secret>, request: &Request) -> Result<(), Problem> {
    let token = token::read(value)?;
    token.app_id()?;
    secret.map_or(Ok(()), |secret| token.verify(secret, request.received.as_second()))
}
