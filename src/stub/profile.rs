//! The one mapping from what is wrong to a status and a body.

use bytes::Bytes;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

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
        let place: &[&str] = match self.errors {
            Errors::Rfc => &[],
            Errors::Vendor => &["errors", "0"],
        };
        let detailed = Detailed { value: refusal.body(), place: Some(place), findings };
        // Writing JSON to memory does not fail.
        let body = serde_json::to_vec(&detailed).unwrap_or_default();
        self.reply(refusal.status, &refusal.headers, Bytes::from(body))
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

/// The body of a refusal, or a part of it, with the violations written into the object at a place of it.
struct Detailed<'a> {
    value: &'a Value,
    /// The names and indices that lead there; none when the place is in another part.
    place: Option<&'a [&'a str]>,
    findings: &'a Findings,
}

impl Serialize for Detailed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { value, place, findings } = *self;
        match (value, place) {
            (Value::Object(members), Some([])) => {
                let mut map = serializer.serialize_map(None)?;
                // What a sample of the contract has of its own gives way.
                let is_ours =
                    |name: &str| name == "violations" || name == "moreViolations" && findings.truncated;
                for (name, value) in members.iter().filter(|(name, _)| !is_ours(name)) {
                    map.serialize_entry(name, value)?;
                }
                let violations: Vec<_> = findings.violations.iter().map(Said::from).collect();
                map.serialize_entry("violations", &violations)?;
                if findings.truncated {
                    map.serialize_entry("moreViolations", &true)?;
                }
                map.end()
            }
            (Value::Object(members), Some([next, rest @ ..])) => {
                serializer.collect_map(members.iter().map(|(name, value)| {
                    let place = (name == next).then_some(rest);
                    (name, Self { value, place, findings })
                }))
            }
            (Value::Array(items), Some([next, rest @ ..])) => {
                let next = next.parse().ok();
                serializer.collect_seq(items.iter().enumerate().map(|(index, value)| {
                    let place = (next == Some(index)).then_some(rest);
                    Self { value, place, findings }
                }))
            }
            _ => value.serialize(serializer),
        }
    }
}

/// A violation as a refusal says it.
#[derive(Serialize)]
struct Said<'a> {
    pointer: &'a str,
    rule: Rule,
    message: String,
    source: &'a str,
}

impl<'a> From<&'a Violation> for Said<'a> {
    fn from(violation: &'a Violation) -> Self {
        let Violation { pointer, rule, source, .. } = violation;
        Self { pointer, rule: *rule, message: violation.message(), source }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn violations_stand_once_in_a_refusal_whatever_its_sample_has() {
        let violation = Violation {
            pointer: "/body".into(),
            rule: Rule::Json,
            expected: "JSON".into(),
            found: "nothing".into(),
            source: String::new(),
        };
        let findings = Findings::from(violation);
        let value = json!({"errors": [{"msg": "m", "violations": []}, {"violations": 1}], "a": 2});

        let body = Detailed { value: &value, place: Some(&["errors", "0"]), findings: &findings };

        let said =
            r#"{"pointer":"/body","rule":"json","message":"expected JSON, but found nothing","source":""}"#;
        assert_eq!(
            serde_json::to_string(&body).unwrap(),
            format!(r#"{{"errors":[{{"msg":"m","violations":[{said}]}},{{"violations":1}}],"a":2}}"#)
        );
    }
}
