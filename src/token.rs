//! JSON Web Tokens: read, check, mint, redact. Nothing else decodes one.
//!
//! The vendor's tokens are signed HS256 with the client secret; their payload names the client as `appId`,
//! spelt exactly so (API introduction page).

use std::{collections::hash_map::RandomState, fmt, hash::BuildHasher, str::FromStr};

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use sha2::Sha256;

/// The vendor's own sample token ends in non-zero padding bits (I11), so those are not looked at.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// A value that must not be printed; its `Debug` form hides it.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(secret: &str) -> Result<Self, Self::Err> {
        Ok(Self::new(secret))
    }
}

/// A token that was taken apart; its signature is not checked yet.
pub struct Token<'a> {
    header: Header,
    payload: Payload,
    /// The payload's JSON.
    claims: Vec<u8>,
    signed: &'a str,
    signature: Vec<u8>,
}

/// The members of a token's header that matter.
#[derive(Deserialize)]
struct Header {
    alg: Option<Value>,
}

/// The members of a token's payload that matter.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    app_id: Option<Value>,
    exp: Option<Value>,
    nbf: Option<Value>,
}

/// Why a value is no token, or a token is not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// The payload has no `appId`.
    AppIdMissing,
    /// The payload spells `appId` in another way.
    AppIdMisspelt,
    /// `alg` is not `HS256`.
    Algorithm,
    /// `exp` is over.
    Expired,
    /// The header is not a JSON object in base64url.
    Header,
    /// `exp` or `nbf` is not a number.
    NoTime,
    /// `nbf` is still to come.
    NotYet,
    /// There are not three parts.
    Parts,
    /// The payload is not a JSON object in base64url.
    Payload,
    /// The value starts with a scheme such as `Bearer`.
    Scheme,
    /// The signature is not base64url.
    Signature,
    /// The signature does not fit the secret.
    WrongSecret,
}

impl Problem {
    /// Whether the value is no JWT at all; otherwise it is one that is not accepted.
    pub fn is_malformed(self) -> bool {
        matches!(self, Self::Header | Self::Parts | Self::Payload | Self::Scheme | Self::Signature)
    }

    /// What was found, as a phrase that completes "but found …".
    pub fn found(self) -> &'static str {
        match self {
            Self::AppIdMissing => "a payload whose `appId` is missing or not a string",
            Self::AppIdMisspelt => "a payload that spells `appId` in another way",
            Self::Algorithm => "another `alg` in its header",
            Self::Expired => "one whose `exp` is over",
            Self::Header => "a header that is not a JSON object in base64url",
            Self::NoTime => "an `exp` or `nbf` that is not a number",
            Self::NotYet => "one whose `nbf` is still to come",
            Self::Parts => "a value without three parts separated by dots",
            Self::Payload => "a payload that is not a JSON object in base64url",
            Self::Scheme => "a value that starts with a scheme such as `Bearer`; send the token alone",
            Self::Signature => "a signature that is not base64url",
            Self::WrongSecret => "a signature made with another secret",
        }
    }
}

/// Takes a token apart: three base64url parts, of which header and payload are JSON objects.
///
/// # Errors
///
/// The [`Problem`] that makes it no JWT.
pub fn read(value: &[u8]) -> Result<Token<'_>, Problem> {
    let text = std::str::from_utf8(value).map_err(|_| Problem::Parts)?;
    if text.contains(' ') {
        return Err(Problem::Scheme);
    }
    let (signed, signature) = text.rsplit_once('.').ok_or(Problem::Parts)?;
    let (header, payload) = signed.split_once('.').ok_or(Problem::Parts)?;
    if payload.contains('.') {
        return Err(Problem::Parts);
    }
    let claims = decode(payload).ok_or(Problem::Payload)?;
    Ok(Token {
        header: decode(header).and_then(|json| object(&json)).ok_or(Problem::Header)?,
        payload: object(&claims).ok_or(Problem::Payload)?,
        claims,
        signed,
        signature: BASE64.decode(signature).map_err(|_| Problem::Signature)?,
    })
}

fn decode(part: &str) -> Option<Vec<u8>> {
    BASE64.decode(part).ok()
}

/// Reads a JSON object. Serde would take an array for a struct too, hence the look at the first character.
fn object<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    let starts = json.trim_ascii_start().starts_with(b"{");
    starts.then(|| serde_json::from_slice(json).ok()).flatten()
}

impl Token<'_> {
    /// The client id.
    ///
    /// # Errors
    ///
    /// When the payload has no `appId` that is a string, or spells it in another way.
    pub fn app_id(&self) -> Result<&str, Problem> {
        if let Some(app_id) = self.payload.app_id.as_ref().and_then(Value::as_str).filter(|id| !id.is_empty())
        {
            return Ok(app_id);
        }
        let claims: Option<Map<String, Value>> = object(&self.claims);
        let misspelt = |key: &String| key != "appId" && key.eq_ignore_ascii_case("appId");
        if claims.is_some_and(|claims| claims.keys().any(misspelt)) {
            return Err(Problem::AppIdMisspelt);
        }
        Err(Problem::AppIdMissing)
    }

    /// Checks algorithm, signature and, when they are there, `exp` and `nbf` against `now` in seconds since the Unix epoch.
    ///
    /// # Errors
    ///
    /// The first [`Problem`] found.
    pub fn verify(&self, secret: &Secret, now: i64) -> Result<(), Problem> {
        if self.header.alg.as_ref().and_then(Value::as_str) != Some("HS256") {
            return Err(Problem::Algorithm);
        }
        let mut mac = mac(secret);
        mac.update(self.signed.as_bytes());
        mac.verify_slice(&self.signature).map_err(|_| Problem::WrongSecret)?;
        // Seconds since the epoch are far below the 2^53 up to which f64 is exact.
        #[allow(clippy::cast_precision_loss)]
        let now = now as f64;
        if time(self.payload.exp.as_ref())?.is_some_and(|expires| now >= expires) {
            return Err(Problem::Expired);
        }
        if time(self.payload.nbf.as_ref())?.is_some_and(|starts| now < starts) {
            return Err(Problem::NotYet);
        }
        Ok(())
    }
}

fn time(claim: Option<&Value>) -> Result<Option<f64>, Problem> {
    claim.map(|claim| claim.as_f64().ok_or(Problem::NoTime)).transpose()
}

fn mac(secret: &Secret) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret.reveal().as_bytes()).expect("HMAC takes keys of any length")
}

/// A token for `app_id`, signed HS256 with `secret`; `issued` and `expires` are seconds since the Unix epoch.
///
/// ```
/// use standin::token::{Secret, mint, read};
///
/// let secret = Secret::new("s3cret");
/// let token = mint("cs-1", &secret, 1_700_000_000, Some(1_700_003_600));
/// let token = read(token.as_bytes()).unwrap();
/// assert_eq!(token.app_id(), Ok("cs-1"));
/// assert!(token.verify(&secret, 1_700_000_001).is_ok());
/// ```
pub fn mint(app_id: &str, secret: &Secret, issued: i64, expires: Option<i64>) -> String {
    let mut payload = json!({"sub": app_id, "appId": app_id, "iat": issued});
    if let Some(expires) = expires {
        payload["exp"] = expires.into();
    }
    sign(r#"{"alg":"HS256","typ":"JWT"}"#, &payload.to_string(), secret)
}

/// A token with this header and payload, both JSON, signed HS256 with `secret` whatever the header says.
pub(crate) fn sign(header: &str, payload: &str, secret: &Secret) -> String {
    let signed = format!("{}.{}", BASE64.encode(header), BASE64.encode(payload));
    let mut mac = mac(secret);
    mac.update(signed.as_bytes());
    format!("{signed}.{}", BASE64.encode(mac.finalize().into_bytes()))
}

/// What stands for a secret header value in a journal: the token's app id, the value's length and a keyed hash of it.
///
/// The hash is SipHash under a key that never leaves the process, so equal values can be told from others
/// within one journal and a value cannot be guessed from its hash.
pub fn redact(value: &[u8], key: &RandomState) -> String {
    let hash = key.hash_one(value);
    let length = value.len();
    match read(value).as_ref().map(Token::app_id) {
        Ok(Ok(app_id)) => {
            let app_id: String = app_id.chars().filter(|c| !c.is_control()).take(80).collect();
            format!("<token of {app_id}, {length} bytes, hash {hash:016x}>")
        }
        _ => format!("<redacted, {length} bytes, hash {hash:016x}>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The token that the v1 import page shows.
    const SAMPLE: &[u8] = b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwiYXBwSWQiOiJjcy0zOWNkNmJhMC1mNmVlLTViYWUtOWI3ZC03M2I0YmE5N2FjOGIifQ.LAiNcKfUNeDaAtPei1nD6JZJbnEGsv1BKo1pQUexxxx";

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.{}", BASE64.encode(header), BASE64.encode(payload), BASE64.encode("signature"))
    }

    fn problem(value: &str) -> Option<Problem> {
        match read(value.as_bytes()) {
            Err(problem) => Some(problem),
            Ok(token) => token.app_id().err(),
        }
    }

    #[test]
    fn the_documented_sample_token_is_read_although_its_padding_bits_are_not_zero() {
        let token = read(SAMPLE).map_err(Problem::found).unwrap();
        assert_eq!(token.app_id(), Ok("cs-39cd6ba0-f6ee-5bae-9b7d-73b4ba97ac8b"));
    }

    #[test]
    fn what_is_wrong_with_a_token_is_said() {
        let cases = [
            ("", Problem::Parts),
            ("a.b", Problem::Parts),
            ("a.b.c.d", Problem::Parts),
            ("Bearer a.b.c", Problem::Scheme),
            ("!.e30.e30", Problem::Header),
            ("W10.e30.e30", Problem::Header),
            ("e30.e30=.e30", Problem::Payload),
            ("e30.e30.*", Problem::Signature),
            (&token("{}", "{}"), Problem::AppIdMissing),
            (&token("{}", r#"{"appId":5}"#), Problem::AppIdMissing),
            (&token("{}", r#"{"appid":"cs-1"}"#), Problem::AppIdMisspelt),
        ];
        for (value, expected) in cases {
            assert_eq!(problem(value), Some(expected), "{value}");
        }
    }

    #[test]
    fn a_verified_token_is_signed_with_the_secret_and_in_its_time() {
        let secret = Secret::new("right");
        let good = mint("cs-1", &secret, 100, Some(200));
        let verify = |value: &str, secret: &Secret, now| {
            read(value.as_bytes()).and_then(|token| token.verify(secret, now))
        };
        assert_eq!(verify(&good, &secret, 150), Ok(()));
        assert_eq!(verify(&good, &secret, 200), Err(Problem::Expired));
        assert_eq!(verify(&good, &Secret::new("wrong"), 150), Err(Problem::WrongSecret));
        let unsigned = token(r#"{"alg":"none"}"#, r#"{"appId":"cs-1"}"#);
        assert_eq!(verify(&unsigned, &secret, 150), Err(Problem::Algorithm));
    }

    #[test]
    fn the_times_of_a_token_are_looked_at_when_they_are_there() {
        let secret = Secret::new("right");
        let cases = [
            ("{}", Ok(())),
            (r#"{"exp":151,"nbf":150}"#, Ok(())),
            (r#"{"exp":150.5,"nbf":149.5}"#, Ok(())),
            (r#"{"exp":150}"#, Err(Problem::Expired)),
            (r#"{"nbf":151}"#, Err(Problem::NotYet)),
            (r#"{"exp":"151"}"#, Err(Problem::NoTime)),
            (r#"{"nbf":[]}"#, Err(Problem::NoTime)),
            (r#"{"exp":-1e300}"#, Err(Problem::Expired)),
        ];
        for (payload, expected) in cases {
            let signed = format!("{}.{}", BASE64.encode(r#"{"alg":"HS256"}"#), BASE64.encode(payload));
            let mut mac = mac(&secret);
            mac.update(signed.as_bytes());
            let value = format!("{signed}.{}", BASE64.encode(mac.finalize().into_bytes()));
            let verdict = read(value.as_bytes()).and_then(|token| token.verify(&secret, 150));
            assert_eq!(verdict, expected, "{payload}");
        }
    }

    #[test]
    fn a_redacted_token_keeps_its_app_id_and_hides_the_rest() {
        let key = RandomState::new();
        let redacted = redact(SAMPLE, &key);
        assert!(
            redacted.starts_with("<token of cs-39cd6ba0-f6ee-5bae-9b7d-73b4ba97ac8b, 175 bytes, hash "),
            "{redacted}"
        );
        assert_eq!(redacted, redact(SAMPLE, &key));
        assert_ne!(redacted, redact(SAMPLE, &RandomState::new()));
        assert!(redact(b"session=1", &key).starts_with("<redacted, 9 bytes, hash "));
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(format!("{:?}", Secret::new("s3cret")), "Secret(…)");
    }
}
