//! The stub: one synchronous function decides what a request gets.

use std::sync::Arc;

use crate::{Contract, Exchange, Headers, Reply, Request, Step, token::Secret};

/// Answers requests by a contract, without sockets, clock, threads or randomness.
#[derive(Debug)]
pub struct Stub {
    contract: Arc<Contract>,
    settings: Settings,
}

/// How strict a stub is and how it words its refusals.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The wording of refusals.
    pub errors: Errors,
    /// What step 4 does.
    pub checks: Checks,
    /// Whether refusals carry the violations.
    pub detail: bool,
    /// Which tokens are accepted.
    pub token: TokenPolicy,
    /// The secret that `TokenPolicy::Verified` checks signatures with.
    pub client_secret: Option<Secret>,
    /// The largest body, in bytes.
    pub max_body: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            errors: Errors::Vendor,
            checks: Checks::Enforce,
            detail: true,
            token: TokenPolicy::WellFormed,
            client_secret: None,
            max_body: 1024 * 1024,
        }
    }
}

/// The wording of refusals.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Errors {
    /// As the vendor's services do.
    Vendor,
    /// RFC 9457 problem details.
    Rfc,
}

/// What the validation step does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Checks {
    /// Refuse what breaks the contract.
    Enforce,
    /// Answer the sample, record the violations.
    Report,
    /// Do not look.
    Off,
}

/// Which tokens are accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenPolicy {
    /// Anything, as long as it is there once.
    Any,
    /// A JWT with an `appId`.
    WellFormed,
    /// A JWT signed with the client secret and not expired.
    Verified,
}

impl Stub {
    /// A stub for `contract`.
    pub fn new(contract: Arc<Contract>, settings: Settings) -> Self {
        Self { contract, settings }
    }

    /// The contract it answers by.
    pub fn contract(&self) -> &Arc<Contract> {
        &self.contract
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Answers a request.
    pub fn respond(&self, request: Request) -> Exchange {
        Exchange {
            request,
            reply: Reply {
                status: 200,
                headers: Headers::from_iter([("content-type", "application/json")]),
                body: "{}".into(),
            },
            operation: None,
            step: Step::Route,
            violations: Vec::new(),
            more_violations: false,
            readings: Vec::new(),
        }
    }
}
