//! JSON Web Tokens: read, check, mint, redact. Nothing else decodes one.
//!
//! The vendor's tokens are signed HS256 with the client secret. The contract says which claim of their payload names
//! the client ([`Contract::token_claim`](crate::Contract::token_claim)).

use std::{collections::hash_map::RandomState, fmt, hash::BuildHasher, str::FromStr};

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use hmac::{Hmac, KeyInit, Mac};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Value, json};
use sha2::Sha256;

/// The vendor's own sample token ends in non-zero padding bits (I11), so those are not looked at.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// The client that the documentation's sample token names.
pub(crate) const SAMPLE_CLIENT: &str = "cs-39cd6ba0-f6ee-5bae-9b7d-73b4ba97ac8b";

/// What signs when no secret is given: fit for a stand-in on one's own machine, and for nothing else.
pub(crate) const DEVELOPMENT_SECRET: &str = "standin-development-secret";

/// The headers whose values are credentials by the standards of HTTP.
pub(crate) const CREDENTIALS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "set-cookie"];

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
    signed: &'a str,
    signature: Vec<u8>,
}

/// The members of a token's header that matter.
#[derive(Deserialize)]
struct Header {
    alg: Option<Value>,
}

/// The members of a token's payload that matter.
#[derive(Default)]
struct Payload {
    /// The claim that names the client.
    client: Option<Value>,
    /// Whether there is one whose name differs from that in case alone.
    has_misspelt: bool,
    exp: Option<Value>,
    nbf: Option<Value>,
}

/// Reads a [`Payload`] in which the client is named by this claim.
struct PayloadReader<'a>(Option<&'a str>);

/// Why a value is no token, or a token is not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TokenError {
    /// `alg` is not `HS256`.
    Algorithm,
    /// The payload does not have the claim that names the client.
    ClaimMissing,
    /// The payload spells that claim in another way.
    ClaimMisspelt,
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

impl TokenError {
    /// Whether the value is no JWT at all; otherwise it is one that is not accepted.
    pub fn is_malformed(self) -> bool {
        matches!(self, Self::Header | Self::Parts | Self::Payload | Self::Scheme | Self::Signature)
    }

    /// What was found where the client is named by `claim`, as a phrase that completes "but found …".
    pub fn found(self, claim: &str) -> String {
        let found = match self {
            Self::ClaimMissing => return format!("a payload whose `{claim}` is missing or not a string"),
            Self::ClaimMisspelt => return format!("a payload that spells `{claim}` in another way"),
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
        };
        found.to_owned()
    }
}

/// Takes a token apart: three base64url parts, of which header and payload are JSON objects. The client is named by
/// the payload's `claim`.
///
/// # Errors
///
/// The [`TokenError`] that makes it no JWT.
pub fn read<'a>(value: &'a [u8], claim: Option<&str>) -> Result<Token<'a>, TokenError> {
    let text = std::str::from_utf8(value).map_err(|_| TokenError::Parts)?;
    if text.contains(' ') {
        return Err(TokenError::Scheme);
    }
    let (signed, signature) = text.rsplit_once('.').ok_or(TokenError::Parts)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenError::Parts)?;
    if payload.contains('.') {
        return Err(TokenError::Parts);
    }
    let payload = decode(payload).ok_or(TokenError::Payload)?;
    // Serde would take an array for a struct too, hence the look at the first character.
    let header = decode(header).filter(|json| json.trim_ascii_start().starts_with(b"{"));
    Ok(Token {
        payload: PayloadReader(claim).read(&payload).ok_or(TokenError::Payload)?,
        header: header.and_then(|json| serde_json::from_slice(&json).ok()).ok_or(TokenError::Header)?,
        signed,
        signature: BASE64.decode(signature).map_err(|_| TokenError::Signature)?,
    })
}

fn decode(part: &str) -> Option<Vec<u8>> {
    BASE64.decode(part).ok()
}

impl PayloadReader<'_> {
    fn read(self, json: &[u8]) -> Option<Payload> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let payload = self.deserialize(&mut reader).ok()?;
        reader.end().ok().map(|()| payload)
    }
}

impl<'de> DeserializeSeed<'de> for PayloadReader<'_> {
    type Value = Payload;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Payload, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PayloadReader<'_> {
    type Value = Payload;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Payload, A::Error> {
        let mut payload = Payload::default();
        while let Some(name) = members.next_key::<String>()? {
            let slot = match name.as_str() {
                "exp" => &mut payload.exp,
                "nbf" => &mut payload.nbf,
                name if Some(name) == self.0 => &mut payload.client,
                name => {
                    payload.has_misspelt |= self.0.is_some_and(|claim| claim.eq_ignore_ascii_case(name));
                    members.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            // Readers differ on which of two counts.
            if slot.replace(members.next_value()?).is_some() {
                return Err(A::Error::custom("a claim is there twice"));
            }
        }
        Ok(payload)
    }
}

impl Token<'_> {
    /// The client that the claim names.
    ///
    /// # Errors
    ///
    /// When the payload does not have the claim as a string, or spells it in another way.
    pub fn client(&self) -> Result<&str, TokenError> {
        let client = self.payload.client.as_ref().and_then(Value::as_str).filter(|client| !client.is_empty());
        client.ok_or(if self.payload.has_misspelt {
            TokenError::ClaimMisspelt
        } else {
            TokenError::ClaimMissing
        })
    }

    /// Checks algorithm, signature and, when they are there, `exp` and `nbf` against `now` in seconds since the Unix epoch.
    ///
    /// # Errors
    ///
    /// The first [`TokenError`] found.
    pub fn verify(&self, secret: &Secret, now: i64) -> Result<(), TokenError> {
        if self.header.alg.as_ref().and_then(Value::as_str) != Some("HS256") {
            return Err(TokenError::Algorithm);
        }
        let mut mac = mac(secret);
        mac.update(self.signed.as_bytes());
        mac.verify_slice(&self.signature).map_err(|_| TokenError::WrongSecret)?;
        // Seconds since the epoch are far below the 2^53 up to which f64 is exact.
        #[allow(clippy::cast_precision_loss)]
        let now = now as f64;
        if time(self.payload.exp.as_ref())?.is_some_and(|expires| now >= expires) {
            return Err(TokenError::Expired);
        }
        if time(self.payload.nbf.as_ref())?.is_some_and(|starts| now < starts) {
            return Err(TokenError::NotYet);
        }
        Ok(())
    }
}

fn time(claim: Option<&Value>) -> Result<Option<f64>, TokenError> {
    let claim = claim.filter(|claim| !claim.is_null());
    claim.map(|claim| claim.as_f64().ok_or(TokenError::NoTime)).transpose()
}

fn mac(secret: &Secret) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret.reveal().as_bytes()).expect("HMAC takes keys of any length")
}

/// A token for `client`, whom the payload's `claim` names, signed HS256 with `secret`; `issued` and `expires` are seconds
/// since the Unix epoch.
///
/// ```
/// use standin::token::{Secret, mint, read};
///
/// let secret = Secret::new("s3cret");
/// let token = mint(Some("appId"), "cs-1", &secret, 1_700_000_000, Some(1_700_003_600));
/// let token = read(token.as_bytes(), Some("appId")).unwrap();
/// assert_eq!(token.client(), Ok("cs-1"));
/// assert!(token.verify(&secret, 1_700_000_001).is_ok());
/// ```
pub fn mint(claim: Option<&str>, client: &str, secret: &Secret, issued: i64, expires: Option<i64>) -> String {
    let mut payload = json!({"sub": client});
    if let Some(claim) = claim {
        payload[claim] = client.into();
    }
    payload["iat"] = issued.into();
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

/// The same token, signed anew so that it is over at `expires`; none when it is not signed with `secret`.
#[cfg(feature = "campaign")]
pub(crate) fn expiring(value: &[u8], secret: &Secret, expires: i64) -> Option<String> {
    let (header, payload) = texts(value)?;
    if sign(&header, &payload, secret).as_bytes() != value {
        return None;
    }
    let mut claims: Value = serde_json::from_str(&payload).ok()?;
    claims.as_object_mut()?.insert("exp".into(), expires.into());
    Some(sign(&header, &claims.to_string(), secret))
}

/// When a token is over, in seconds since the Unix epoch; none when it never is.
#[cfg(feature = "campaign")]
pub(crate) fn expires(value: &[u8]) -> Option<f64> {
    serde_json::from_str::<Value>(&texts(value)?.1).ok()?.get("exp")?.as_f64()
}

/// Header and payload of a token.
#[cfg(feature = "campaign")]
fn texts(value: &[u8]) -> Option<(String, String)> {
    let parts: Vec<_> = value.split(|byte| *byte == b'.').collect();
    let &[header, payload, _] = parts.as_slice() else { return None };
    let text = |part: &[u8]| String::from_utf8(BASE64.decode(part).ok()?).ok();
    Some((text(header)?, text(payload)?))
}

/// What stands for a secret header value in a journal: the client that the token's `claim` names, the value's length and
/// a keyed hash of it.
///
/// The hash is SipHash under a key that never leaves the process, so equal values can be told from others
/// within one journal and a value cannot be guessed from its hash.
pub fn redact(value: &[u8], claim: Option<&str>, key: &RandomState) -> String {
    let hash = key.hash_one(value);
    let length = value.len();
    match read(value, claim).as_ref().map(Token::client) {
        Ok(Ok(client)) => format!("<token of {}, {length} bytes, hash {hash:016x}>", shown(client)),
        _ => format!("<redacted, {length} bytes, hash {hash:016x}>"),
    }
}

/// Whether what [`redact`] has made of a token names this client.
pub(crate) fn is_of(redacted: &str, client: &str) -> bool {
    let parts = redacted.strip_prefix("<token of ").and_then(|rest| rest.strip_suffix('>'));
    let mut parts = parts.unwrap_or_default().rsplitn(3, ", ");
    parts.next().is_some_and(|hash| hash.starts_with("hash "))
        && parts.next().is_some_and(|length| length.ends_with(" bytes"))
        && parts.next() == Some(&shown(client))
}

/// As much of a client's name as is shown.
fn shown(client: &str) -> String {
    client.chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIM: Option<&str> = Some("appId");

    /// The token that the v1 import page shows.
    const SAMPLE: &[u8] = b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwiYXBwSWQiOiJjcy0zOWNkNmJhMC1mNmVlLTViYWUtOWI3ZC03M2I0YmE5N2FjOGIifQ.LAiNcKfUNeDaAtPei1nD6JZJbnEGsv1BKo1pQUexxxx";

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.{}", BASE64.encode(header), BASE64.encode(payload), BASE64.encode("signature"))
    }

    fn problem(value: &str) -> Option<TokenError> {
        match read(value.as_bytes(), CLAIM) {
            Err(problem) => Some(problem),
            Ok(token) => token.client().err(),
        }
    }

    #[test]
    fn the_documented_sample_token_is_read_although_its_padding_bits_are_not_zero() {
        let token = read(SAMPLE, CLAIM).map_err(|error| error.found("appId")).unwrap();
        assert_eq!(token.client(), Ok("cs-39cd6ba0-f6ee-5bae-9b7d-73b4ba97ac8b"));
    }

    #[test]
    fn what_is_wrong_with_a_token_is_said() {
        let cases = [
            ("", TokenError::Parts),
            ("a.b", TokenError::Parts),
            ("a.b.c.d", TokenError::Parts),
            ("Bearer a.b.c", TokenError::Scheme),
            ("!.e30.e30", TokenError::Header),
            ("W10.e30.e30", TokenError::Header),
            ("e30.e30=.e30", TokenError::Payload),
            ("e30.e30.*", TokenError::Signature),
            (&token("{}", "{}"), TokenError::ClaimMissing),
            (&token("{}", r#"{"appId":5}"#), TokenError::ClaimMissing),
            (&token("{}", r#"{"appid":"cs-1"}"#), TokenError::ClaimMisspelt),
            (&token("{}", r#"{"appId":"cs-1","appId":"cs-2"}"#), TokenError::Payload),
            (&token("{}", r#"{"exp":1,"appId":"cs-1","exp":2}"#), TokenError::Payload),
            (&token("{}", r#"["cs-1"]"#), TokenError::Payload),
        ];
        for (value, expected) in cases {
            assert_eq!(problem(value), Some(expected), "{value}");
        }
    }

    #[test]
    fn the_claim_that_names_the_client_is_the_one_asked_for() {
        let value = mint(Some("client"), "cs-1", &Secret::new("s"), 100, None);
        let client =
            |claim| read(value.as_bytes(), claim).and_then(|token| token.client().map(str::to_owned));
        assert_eq!(client(Some("client")).as_deref(), Ok("cs-1"));
        assert_eq!(client(Some("Client")), Err(TokenError::ClaimMisspelt));
        assert_eq!(client(CLAIM), Err(TokenError::ClaimMissing));
        assert_eq!(
            TokenError::ClaimMissing.found("client"),
            "a payload whose `client` is missing or not a string"
        );
    }

    #[test]
    fn a_verified_token_is_signed_with_the_secret_and_in_its_time() {
        let secret = Secret::new("right");
        let good = mint(CLAIM, "cs-1", &secret, 100, Some(200));
        let verify = |value: &str, secret: &Secret, now| {
            read(value.as_bytes(), CLAIM).and_then(|token| token.verify(secret, now))
        };
        assert_eq!(verify(&good, &secret, 150), Ok(()));
        assert_eq!(verify(&good, &secret, 200), Err(TokenError::Expired));
        assert_eq!(verify(&good, &Secret::new("wrong"), 150), Err(TokenError::WrongSecret));
        let unsigned = token(r#"{"alg":"none"}"#, r#"{"appId":"cs-1"}"#);
        assert_eq!(verify(&unsigned, &secret, 150), Err(TokenError::Algorithm));
    }

    #[test]
    fn the_times_of_a_token_are_looked_at_when_they_are_there() {
        let secret = Secret::new("right");
        let cases = [
            ("{}", Ok(())),
            (r#"{"exp":151,"nbf":150}"#, Ok(())),
            (r#"{"exp":150.5,"nbf":149.5}"#, Ok(())),
            (r#"{"exp":150}"#, Err(TokenError::Expired)),
            (r#"{"nbf":151}"#, Err(TokenError::NotYet)),
            (r#"{"exp":"151"}"#, Err(TokenError::NoTime)),
            (r#"{"nbf":[]}"#, Err(TokenError::NoTime)),
            (r#"{"exp":-1e300}"#, Err(TokenError::Expired)),
        ];
        for (payload, expected) in cases {
            let signed = format!("{}.{}", BASE64.encode(r#"{"alg":"HS256"}"#), BASE64.encode(payload));
            let mut mac = mac(&secret);
            mac.update(signed.as_bytes());
            let value = format!("{signed}.{}", BASE64.encode(mac.finalize().into_bytes()));
            let verdict = read(value.as_bytes(), CLAIM).and_then(|token| token.verify(&secret, 150));
            assert_eq!(verdict, expected, "{payload}");
        }
    }

    #[test]
    fn a_redacted_token_keeps_its_client_and_hides_the_rest() {
        let key = RandomState::new();
        let redacted = redact(SAMPLE, CLAIM, &key);
        assert!(
            redacted.starts_with("<token of cs-39cd6ba0-f6ee-5bae-9b7d-73b4ba97ac8b, 175 bytes, hash "),
            "{redacted}"
        );
        assert_eq!(redacted, redact(SAMPLE, CLAIM, &key));
        assert_ne!(redacted, redact(SAMPLE, CLAIM, &RandomState::new()));
        assert!(redact(b"session=1", CLAIM, &key).starts_with("<redacted, 9 bytes, hash "));
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(format!("{:?}", Secret::new("s3cret")), "Secret(…)");
    }

    #[cfg(feature = "campaign")]
    #[test]
    fn a_token_is_signed_anew_so_that_it_expires_by_those_who_signed_it() {
        let (own, other) = (Secret::new("own"), Secret::new("other"));
        let token = sign(r#"{"alg":"HS512"}"#, r#"{"appid":"cs-1"}"#, &own);
        assert_eq!(expires(token.as_bytes()), None);
        let short = expiring(token.as_bytes(), &own, 1_800_000_000).unwrap();
        assert_eq!(expires(short.as_bytes()), Some(1_800_000_000.0));
        assert_eq!(short, sign(r#"{"alg":"HS512"}"#, r#"{"appid":"cs-1","exp":1800000000}"#, &own));
        let (signed, _) = token.rsplit_once('.').unwrap();
        for stranger in [&token, signed, &format!("{signed}."), "", "a.b.c"] {
            assert_eq!(expiring(stranger.as_bytes(), &other, 0), None, "{stranger}");
        }
    }
}
