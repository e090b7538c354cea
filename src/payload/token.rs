//! A reader of tokens for the proof.

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{
    credentials::{Credentials, Tokens},
    json::{Json, Tree},
};
use crate::{Rule, contract::JsonType, token::Secret};

/// Trailing bits may be anything: the documentation's own sample has some.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// The rule that a token breaks. With `verified`, its signature and time count too.
pub(super) fn fault(value: &[u8], tokens: &Tokens, verified: bool, now: i64) -> Option<Rule> {
    if tokens.valid.iter().any(|token| token.as_bytes() == value) {
        // A test proves each of them.
        return None;
    }
    rule(value, tokens.claim.as_deref(), &tokens.secret, verified, now)
}

fn rule(value: &[u8], claim: Option<&str>, secret: &Secret, verified: bool, now: i64) -> Option<Rule> {
    let parts: Vec<&[u8]> = value.split(|byte| *byte == b'.').collect();
    let &[header, payload, signature] = parts.as_slice() else {
        return Some(Rule::Format);
    };
    let (Ok(header_json), Ok(claims), Ok(signature)) =
        (BASE64.decode(header), BASE64.decode(payload), BASE64.decode(signature))
    else {
        return Some(Rule::Format);
    };
    let (Some(header), Some(payload)) = (Object::read(&header_json), Object::read(&claims)) else {
        return Some(Rule::Format);
    };
    if header.is_ambiguous(&["alg"])
        || payload.is_ambiguous(&["exp", "nbf"])
        || claim.is_some_and(|claim| payload.is_ambiguous(&[claim]))
    {
        return Some(Rule::Format);
    }
    let names_client =
        |claim| payload.get(claim).is_some_and(|id| id.kind() == JsonType::String && !id.text().is_empty());
    if !claim.is_none_or(names_client) {
        return Some(Rule::Token);
    }
    if !verified {
        return None;
    }
    let signed = &value[..value.len() - parts[2].len() - 1];
    let is_signed = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes())
        .is_ok_and(|mac| mac.chain_update(signed).verify_slice(&signature).is_ok());
    let is_hs256 =
        header.get("alg").is_some_and(|alg| alg.kind() == JsonType::String && alg.text() == "HS256");
    // Seconds since the epoch are far below the 2^53 up to which f64 is exact.
    #[allow(clippy::cast_precision_loss)]
    let now = now as f64;
    let time =
        |claim: Json| matches!(claim.kind(), JsonType::Integer | JsonType::Number).then(|| claim.number());
    let in_time = payload.get("exp").is_none_or(|expires| time(expires).is_some_and(|expires| now < expires))
        && payload.get("nbf").is_none_or(|starts| time(starts).is_some_and(|starts| starts <= now));
    (!(is_signed && is_hs256 && in_time)).then_some(Rule::Token)
}

/// What [`rule`] says of any value.
///
/// # Errors
///
/// When a part of it looks like a JSON object and is not quite JSON.
pub(super) fn verdict(
    value: &[u8],
    claim: Option<&str>,
    credentials: &Credentials,
    verified: bool,
    now: i64,
) -> Result<Option<Rule>, Undecided> {
    let looks = |json: &[u8]| json.trim_ascii_start().starts_with(b"{");
    let is_odd =
        |part: &[u8]| BASE64.decode(part).is_ok_and(|json| looks(&json) && Object::read(&json).is_none());
    if value.split(|byte| *byte == b'.').any(is_odd) {
        return Err(Undecided);
    }
    if value.is_empty() {
        return Ok(Some(Rule::Required));
    }
    Ok(rule(value, claim, &credentials.secret, verified, now))
}

/// Readers of JSON differ on it.
pub(crate) struct Undecided;

/// A JSON object.
struct Object<'a>(Tree<'a>);

impl<'a> Object<'a> {
    fn read(json: &'a [u8]) -> Option<Self> {
        Tree::read(json).ok().filter(|tree| tree.root().kind() == JsonType::Object).map(Self)
    }

    fn get(&self, name: &str) -> Option<Json<'_>> {
        self.0.root().member(name)
    }

    /// Whether one of the members is there twice, which a token must not have.
    fn is_ambiguous(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.0.root().children().filter(|member| member.name() == *name).count() > 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{Credentials, RECEIVED};

    #[test]
    fn the_tokens_of_valid_requests_are_verified_ones() {
        let tokens = Tokens::new("auth", Some("appId"), &Credentials::default());
        for token in &tokens.valid {
            assert_eq!(
                rule(token.as_bytes(), Some("appId"), &tokens.secret, true, RECEIVED.as_second()),
                None,
                "{token}"
            );
        }
    }
}
