//! What a journal must not hold.

use crate::{
    Contract, SecretKind,
    token::{self, Secret},
};

/// What a journal does not hold, beside the headers that carry credentials by HTTP's own rules and whatever has the
/// form of a JWT.
///
/// ```
/// use standin::{Contract, Journal, JournalLimits, Secrets, token::Secret};
///
/// let secrets = Secrets::of(&Contract::builtin()).value(Secret::new("client secret"));
/// let journal = Journal::new(JournalLimits::default()).hiding(secrets);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    token_header: Option<String>,
    token_claim: Option<String>,
    values: Vec<Secret>,
    are_kept: bool,
}

impl Secrets {
    /// The token of this contract: the values of the header that carries it.
    pub fn of(contract: &Contract) -> Self {
        Self {
            token_header: contract.token_header().map(str::to_ascii_lowercase),
            token_claim: contract.token_claim().map(str::to_owned),
            ..Self::default()
        }
    }

    /// The token is in this header.
    #[must_use]
    pub fn token_in(mut self, header: &str) -> Self {
        self.token_header = Some(header.to_ascii_lowercase());
        self
    }

    /// Nothing is secret: the journal holds every byte as it was sent.
    pub fn kept() -> Self {
        Self { are_kept: true, ..Self::default() }
    }

    /// This value too, wherever it stands, plain, percent-encoded, escaped as in JSON or in base64. One of less than
    /// [`Secrets::SHORTEST`] bytes would be found everywhere, and is not looked for.
    #[must_use]
    pub fn value(mut self, value: Secret) -> Self {
        if value.reveal().len() >= Self::SHORTEST {
            self.values.push(value);
        }
        self
    }

    /// The shortest value that is looked for, in bytes.
    pub const SHORTEST: usize = 4;

    pub(super) fn values(&self) -> &[Secret] {
        &self.values
    }

    pub(super) fn are_kept(&self) -> bool {
        self.are_kept
    }

    pub(super) fn token_header(&self) -> Option<&str> {
        self.token_header.as_deref()
    }

    /// The claim whose value is shown of a token.
    pub(super) fn token_claim(&self) -> Option<&str> {
        self.token_claim.as_deref()
    }

    /// Why all of a header's value is a secret, when it is; the name is in lower case.
    pub(crate) fn header(&self, name: &[u8]) -> Option<SecretKind> {
        if self.token_header.as_ref().is_some_and(|header| header.as_bytes() == name) {
            return Some(SecretKind::Token);
        }
        let is_credential = token::CREDENTIALS.iter().any(|header| header.as_bytes() == name);
        is_credential.then_some(SecretKind::Credential)
    }
}
