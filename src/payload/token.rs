//! A reader of tokens for the proof.

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::head::Tokens;
use crate::Rule;

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
    rule(value, tokens, verified, now)
}

fn rule(value: &[u8], tokens: &Tokens, verified: bool, now: i64) -> Option<Rule> {
    let parts: Vec<&[u8]> = value.split(|byte| *byte == b'.').collect();
    let &[header, payload, signature] = parts.as_slice() else {
        return Some(Rule::Format);
    };
    let (Some(header), Some(payload), Ok(signature)) =
        (object(header), object(payload), BASE64.decode(signature))
    else {
        return Some(Rule::Format);
    };
    if payload.get("appId").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Some(Rule::Token);
    }
    if !verified {
        return None;
    }
    let signed = &value[..value.len() - parts[2].len() - 1];
    let is_signed = Hmac::<Sha256>::new_from_slice(tokens.secret.reveal().as_bytes())
        .is_ok_and(|mac| mac.chain_update(signed).verify_slice(&signature).is_ok());
    let is_over =
        payload.get("exp").is_some_and(|expires| expires.as_i64().is_none_or(|expires| expires <= now));
    let is_fine = header.get("alg").is_some_and(|alg| alg == "HS256") && is_signed && !is_over;
    (!is_fine).then_some(Rule::Token)
}

fn object(part: &[u8]) -> Option<Value> {
    let json = BASE64.decode(part).ok()?;
    serde_json::from_slice(&json).ok().filter(Value::is_object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{Credentials, RECEIVED};

    #[test]
    fn the_tokens_of_valid_requests_are_verified_ones() {
        let tokens = Tokens::new("auth", &Credentials::default());
        for token in &tokens.valid {
            assert_eq!(rule(token.as_bytes(), &tokens, true, RECEIVED.as_second()), None, "{token}");
        }
    }
}
