//! The stub: one synchronous function decides what a request gets.
//!
//! The steps stand in the order in which they answer: [`route`], [`authorize`], [`body`], [`validate`], [`answer`].
//! The first that finds something wrong ends it, and [`profile`] words the refusal.

mod answer;
mod authorize;
mod body;
mod hints;
mod prefer;
mod profile;
mod readings;
mod route;
mod validate;
mod values;

use std::sync::Arc;

use answer::Prepared;
use profile::{Cause, Profile};
use validate::Findings;
use values::Values;

pub use body::{BodyCheck, check_body};
pub use profile::Errors;
pub(crate) use values::percent_decode;

use crate::{
    Contract, Exchange, Operation, Reading, Reply, Request, Step, Violation, contract::origin, token::Secret,
};

/// Answers requests by a contract, without sockets, clock, threads or randomness: the same request always
/// gets the same exchange.
///
/// ```
/// use standin::{Contract, Request, Settings, Stub};
///
/// let stub = Stub::new(Contract::builtin(), Settings::default());
/// let exchange = stub.respond(Request::new("GET", "/nowhere"));
/// assert_eq!(exchange.reply.status, 404);
/// assert_eq!(exchange.violations[0].pointer, "/path");
/// ```
#[derive(Debug)]
pub struct Stub {
    contract: Arc<Contract>,
    settings: Settings,
    profile: Profile,
    /// The prepared replies of each operation, in the contract's order.
    replies: Vec<Prepared>,
}

/// How strict a stub is, and how it words its refusals.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The wording of refusals.
    pub errors: Errors,
    /// What the validation step does.
    pub checks: Checks,
    /// Whether refusals carry the violations.
    pub detail: bool,
    /// Which tokens are accepted.
    pub token: TokenPolicy,
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
            max_body: 1024 * 1024,
        }
    }
}

/// What the validation step does. Routing, token and JSON are enforced always.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Checks {
    /// Refuse what breaks the contract.
    Enforce,
    /// Do not look.
    Off,
    /// Answer the sample all the same, and record the violations.
    Report,
}

/// Which tokens are accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TokenPolicy {
    /// Any value, as long as it is there once.
    Any,
    /// A JWT signed HS256 with this secret, not expired, with an `appId`.
    Verified(Secret),
    /// A JWT with an `appId`, whoever signed it.
    WellFormed,
}

impl Stub {
    /// A stub that answers by `contract`.
    pub fn new(contract: Arc<Contract>, settings: Settings) -> Self {
        let profile = Profile::new(&contract, settings.errors, settings.detail);
        let replies =
            contract.operations().iter().map(|operation| Prepared::new(operation, &profile)).collect();
        Self { contract, settings, profile, replies }
    }

    /// The contract that it answers by.
    pub fn contract(&self) -> &Arc<Contract> {
        &self.contract
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Decides what a request gets, and says why.
    pub fn respond(&self, request: Request) -> Exchange {
        let route = match route::find(&self.contract, &request) {
            Ok(route) => route,
            Err(refusal) => return self.refuse(request, None, Step::Route, *refusal),
        };
        let operation = route.operation;
        if let Some(header) = self.contract.token_header()
            && let Err(violation) = authorize::check(
                header,
                || origin::on_page(self.contract.token_source(), &operation.source),
                &request,
                &self.settings.token,
            )
        {
            return self.refuse(request, Some(operation), Step::Authorize, violation.into());
        }
        let mut body = match body::read(operation, &request, self.settings.max_body) {
            Ok(body) => body,
            Err(violation) => {
                return self.refuse(request, Some(operation), Step::Body, violation.into());
            }
        };
        let mut findings = Findings::default();
        let mut readings = Vec::new();
        if self.settings.checks != Checks::Off {
            let values = Values::of(operation, &route.path_values, &request, &mut findings, &mut readings);
            validate::parameters(&values, &mut findings);
            if let (Some(spec), Some(value)) = (&operation.body, &mut body) {
                readings::rename(&spec.schema, value, &mut readings);
                validate::body(&spec.schema, value, &mut findings);
            }
            readings::find(operation, &values, body.as_ref(), &mut readings);
            if !findings.violations.is_empty() {
                hints::parameters(operation, self.contract.token_header(), &request, &mut findings);
                hints::other_operation(&self.contract, operation, body.as_ref(), &mut findings);
            }
            if self.settings.checks == Checks::Enforce && !findings.violations.is_empty() {
                let reply = self.profile.refusal(Cause::Violations, &findings);
                return exchange(request, reply, operation, Step::Validate, findings, readings);
            }
        }
        let reply = self.replies[route.index].choose(operation, &request, body.as_ref(), &mut readings);
        exchange(request, reply, operation, Step::Answer, findings, readings)
    }

    fn refuse(
        &self,
        request: Request,
        operation: Option<&Operation>,
        step: Step,
        refusal: Refusal,
    ) -> Exchange {
        let cause = Cause::of(step, &refusal.violation);
        let mut findings = Findings::from(refusal.violation);
        if let Some(operation) = operation {
            hints::parameters(operation, self.contract.token_header(), &request, &mut findings);
        }
        let mut reply = self.profile.refusal(cause, &findings);
        if let Some(allow) = refusal.allow {
            reply.headers.push("allow", allow.as_bytes());
        }
        Exchange {
            request,
            reply,
            operation: operation.map(|operation| Arc::clone(&operation.id)),
            step,
            violations: findings.violations,
            more_violations: findings.more,
            readings: Vec::new(),
        }
    }
}

/// Why a step ends the answer.
struct Refusal {
    violation: Violation,
    /// The methods that the path has, when it lacks the one that was sent.
    allow: Option<String>,
}

impl From<Violation> for Refusal {
    fn from(violation: Violation) -> Self {
        Self { violation, allow: None }
    }
}

fn exchange(
    request: Request,
    reply: Reply,
    operation: &Operation,
    step: Step,
    findings: Findings,
    readings: Vec<Reading>,
) -> Exchange {
    Exchange {
        request,
        reply,
        operation: Some(Arc::clone(&operation.id)),
        step,
        violations: findings.violations,
        more_violations: findings.more,
        readings,
    }
}

/// A value as a phrase for messages, cut when it is long.
fn quote(text: &str) -> String {
    const MOST: usize = 80;
    let mut quoted: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    // Quotes need no escape between backticks.
    quoted = quoted.replace("\\\"", "\"").replace("\\'", "'");
    if text.chars().nth(MOST).is_some() {
        quoted.push('…');
    }
    format!("`{quoted}`")
}
