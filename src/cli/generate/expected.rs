//! What a request must get: the statuses of its reply, and where the rule that it breaks comes from.

use std::sync::Arc;

use crate::{
    Contract, Errors, Settings, Stub, TokenPolicy,
    contract::Basis,
    payload::{Case, Credentials, Expect, Label},
};

/// Says of each case what it must get, by the contract's own data.
pub(super) struct Expectations {
    contract: Arc<Contract>,
    /// The pointer of the token.
    token: String,
    /// The vendor's wording and that of RFC 9457, for whatever token.
    any: [Stub; 2],
    /// The same where tokens have to be well-formed.
    well_formed: [Stub; 2],
    /// The same where tokens are verified.
    verified: [Stub; 2],
}

/// What a request must get.
pub(super) struct Expected {
    /// The status with the vendor's errors; that of the refusal when only a server that verifies tokens refuses.
    pub(super) vendor: u16,
    /// The status with errors as of RFC 9457.
    pub(super) rfc: u16,
    /// Where the rule that is broken comes from, and the kind of that place; none when nothing is broken.
    pub(super) source: Option<(String, Basis)>,
}

impl Expectations {
    pub(super) fn new(contract: Arc<Contract>) -> Self {
        let stubs = |token: TokenPolicy| {
            [Errors::Vendor, Errors::Rfc].map(|errors| {
                let settings = Settings { errors, token: token.clone(), ..Settings::default() };
                Stub::new(Arc::clone(&contract), settings)
            })
        };
        Self {
            token: format!("/header/{}", contract.token_header().unwrap_or_default()),
            any: stubs(TokenPolicy::Any),
            well_formed: stubs(TokenPolicy::WellFormed),
            verified: stubs(TokenPolicy::Verified(Credentials::default().secret)),
            contract,
        }
    }

    pub(super) fn of(&self, case: &Case) -> Expected {
        let stubs = match &case.label {
            Label::Mutant { expect: Expect::RefusedWhenVerified, .. } => &self.verified,
            Label::Mutant { pointer, .. } if *pointer == self.token => &self.well_formed,
            // The token may be one that means nothing here.
            Label::Mutant { .. } | Label::Valid => &self.any,
        };
        let [vendor, rfc] = stubs.each_ref().map(|stub| stub.respond(case.request.clone()));
        let source = vendor.violations.first().map(|violation| violation.source.clone());
        Expected {
            vendor: vendor.reply.status,
            rfc: rfc.reply.status,
            source: source.map(|source| (source.clone(), self.contract.basis(&source))),
        }
    }
}

impl Expected {
    /// In words that complete a label.
    pub(super) fn words(&self, label: &Label) -> String {
        let other = if self.rfc == self.vendor {
            String::new()
        } else {
            format!(" ({} with --errors rfc)", self.rfc)
        };
        let when = match label.expect() {
            Expect::RefusedWhenVerified => " where tokens are verified",
            Expect::Refused | Expect::Valid => "",
        };
        format!("expects {}{other}{when}", self.vendor)
    }
}
