//! The one mapping from what is wrong to a status and a body.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::validate::Findings;
use crate::{Contract, Headers, Reply, Rule, Step, Violation, contract::Example};

/// The wording of refusals.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Errors {
    /// Problem details as of RFC 9457, with the status codes that HTTP has for each case.
    Rfc,
    /// The vendor's envelope and status codes, as observed on its other services.
    Vendor,
}

/// Why a request is refused, as far as status and message can tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cause {
    Credentials,
    Incomplete,
    Json,
    MediaType,
    Method,
    Path,
    Size,
    Timeout,
    Token,
    Violations,
}

impl Cause {
    const ALL: [Self; 10] = [
        Self::Credentials,
        Self::Incomplete,
        Self::Json,
        Self::MediaType,
        Self::Method,
        Self::Path,
        Self::Size,
        Self::Timeout,
        Self::Token,
        Self::Violations,
    ];

    pub(super) fn of(step: Step, violation: &Violation) -> Self {
        match (step, violation.rule) {
            (Step::Route, Rule::Method) => Self::Method,
            (Step::Route, _) => Self::Path,
            (Step::Authorize, Rule::Format) => Self::Token,
            (Step::Authorize, _) => Self::Credentials,
            (Step::Body, Rule::Incomplete) => Self::Incomplete,
            (Step::Body, Rule::Size) => Self::Size,
            (Step::Body, Rule::Timeout) => Self::Timeout,
            (Step::Body, _) if violation.pointer.starts_with("/header/") => Self::MediaType,
            (Step::Body, _) => Self::Json,
            (Step::Validate | Step::Answer, _) => Self::Violations,
        }
    }

    /// The name of the sample refusal in the contract, the status with `--errors vendor`, and that with `--errors rfc`.
    fn row(self) -> (&'static str, u16, u16) {
        match self {
            Self::Credentials => ("credentials", 401, 401),
            Self::Incomplete => ("incomplete", 400, 400),
            Self::Json => ("json", 412, 400),
            Self::MediaType => ("mediaType", 412, 415),
            Self::Method => ("method", 405, 405),
            Self::Path => ("path", 404, 404),
            Self::Size => ("size", 413, 413),
            Self::Timeout => ("timeout", 408, 408),
            Self::Token => ("token", 401, 401),
            Self::Violations => ("violations", 412, 400),
        }
    }
}

/// How refusals are worded.
#[derive(Debug)]
pub(super) struct Profile {
    errors: Errors,
    detail: bool,
    /// The contract's sample body for each cause; empty when it has none.
    samples: Vec<Option<Value>>,
    /// The `WWW-Authenticate` header of a 401 with `--errors rfc`.
    challenge: String,
}

impl Profile {
    pub(super) fn new(contract: &Contract, errors: Errors, detail: bool) -> Self {
        let sample = |cause: &Cause| {
            let (name, vendor, rfc) = cause.row();
            let own = (errors == Errors::Rfc).then(|| contract.refusal(rfc, name)).flatten();
            own.or_else(|| contract.refusal(vendor, name)).map(|example| example.value.clone())
        };
        let header = contract.token_header().unwrap_or("authorization");
        Self {
            errors,
            detail,
            samples: Cause::ALL.iter().map(sample).collect(),
            challenge: format!("JWT realm=\"agentassist\", header=\"{header}\""),
        }
    }

    /// The reply to a request that is refused.
    pub(super) fn refusal(&self, cause: Cause, findings: &Findings) -> Reply {
        let (_, vendor, rfc) = cause.row();
        let status = match self.errors {
            Errors::Rfc => rfc,
            Errors::Vendor => vendor,
        };
        let sample = self.samples[cause as usize].as_ref();
        let mut body = self.body(status, sample);
        if self.detail {
            let target = match self.errors {
                Errors::Rfc => body.as_object_mut(),
                Errors::Vendor => body.pointer_mut("/errors/0").and_then(Value::as_object_mut),
            };
            if let Some(target) = target {
                detail(target, findings);
            }
        }
        self.reply(status, &body)
    }

    /// A sample reply with an error status, in this wording.
    pub(super) fn sample(&self, status: u16, example: &Example) -> Reply {
        let body = self.body(status, Some(&example.value));
        self.reply(status, &body)
    }

    fn reply(&self, status: u16, body: &Value) -> Reply {
        let media = match self.errors {
            Errors::Rfc => "application/problem+json",
            Errors::Vendor => "application/json",
        };
        let mut headers = Headers::from_iter([("content-type", media)]);
        if status == 401 && self.errors == Errors::Rfc {
            headers.push("www-authenticate", self.challenge.as_bytes());
        }
        Reply { status, headers, body: Bytes::from(body.to_string()) }
    }

    fn body(&self, status: u16, sample: Option<&Value>) -> Value {
        let message = sample.and_then(|sample| sample.pointer("/errors/0/msg")).and_then(Value::as_str);
        match (self.errors, sample) {
            (Errors::Vendor, Some(sample)) => sample.clone(),
            (Errors::Vendor, None) => json!({"errors": [{"msg": title(status), "code": status}]}),
            (Errors::Rfc, _) => {
                let mut body = json!({"type": "about:blank", "title": title(status), "status": status});
                if let Some(message) = message {
                    body["detail"] = message.into();
                }
                body
            }
        }
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
    if findings.more {
        target.insert("moreViolations".into(), true.into());
    }
}

/// The phrase that HTTP has for a status code.
fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Error",
    }
}
