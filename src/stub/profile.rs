//! The one mapping from what is wrong to a status and a body.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::findings::Findings;
use crate::{
    Contract, Headers, Reply, Rule, Step, Violation,
    contract::{Cause, Errors, Refusals},
};

/// Why a violation that a step found ends the answer.
pub(super) fn cause(step: Step, violation: &Violation) -> Cause {
    match (step, violation.rule) {
        (Step::Route, Rule::Method) => Cause::Method,
        (Step::Route, _) => Cause::Path,
        (Step::Authorize, Rule::Format) => Cause::Token,
        (Step::Authorize, _) => Cause::Credentials,
        (Step::Body, Rule::Incomplete) => Cause::Incomplete,
        (Step::Body, Rule::Size) => Cause::Size,
        (Step::Body, Rule::Timeout) => Cause::Timeout,
        (Step::Body, _) if violation.pointer.starts_with("/header/") => Cause::MediaType,
        (Step::Body, _) => Cause::Json,
        (Step::Validate | Step::State | Step::Answer, _) => Cause::Violations,
    }
}

/// How refusals are worded.
#[derive(Debug)]
pub(super) struct Profile {
    errors: Errors,
    detail: bool,
    refusals: Refusals,
    /// The `WWW-Authenticate` header of a 401 with `--errors rfc`.
    challenge: String,
}

impl Profile {
    pub(super) fn new(contract: &Contract, errors: Errors, detail: bool) -> Self {
        let header = contract.token_header().unwrap_or("authorization");
        Self {
            errors,
            detail,
            refusals: Refusals::new(contract.operations(), errors),
            challenge: format!("JWT header=\"{header}\""),
        }
    }

    pub(super) fn errors(&self) -> Errors {
        self.errors
    }

    /// The reply to a request that the operation at a position of the contract refuses, or that reaches none.
    pub(super) fn refusal(&self, operation: Option<usize>, cause: Cause, findings: &Findings) -> Reply {
        let refusal = self.refusals.of(operation, cause);
        if !self.detail {
            return self.reply(refusal.status, &refusal.headers, Bytes::from(refusal.body().to_string()));
        }
        let mut body = refusal.body().clone();
        let place = match self.errors {
            Errors::Rfc => "",
            Errors::Vendor => "/errors/0",
        };
        if let Some(target) = body.pointer_mut(place).and_then(Value::as_object_mut) {
            detail(target, findings);
        }
        self.reply(refusal.status, &refusal.headers, Bytes::from(body.to_string()))
    }

    /// A reply with an error status and the contract's headers, in this wording.
    pub(super) fn reply(&self, status: u16, own: &[(String, String)], body: Bytes) -> Reply {
        let mut headers = Headers::from_iter([("content-type", self.errors.media())]);
        for (name, value) in own {
            headers.push(name, value.as_bytes());
        }
        if status == 401 && self.errors == Errors::Rfc {
            headers.push("www-authenticate", self.challenge.as_bytes());
        }
        Reply { status, headers, body }
    }
}

fn detail(target: &mut Map<String, Value>, findings: &Findings) {
    let violations = findings.violations.iter().map(|violation| {
        json!({
            "pointer": violation.pointer,
            "rule": violation.rule,
            "message": violation.message(),
            "source": violation.source,
        })
    });
    target.insert("violations".into(), violations.collect());
    if findings.truncated {
        target.insert("moreViolations".into(), true.into());
    }
}
