//! Findings in SARIF 2.1.0, as code scanners hand them on.

use serde_json::{Map, Value, json};

use super::{came_back, curl, promise, title};
use crate::{
    Headers,
    campaign::{Check, Finding, Outcome, Severity},
};

/// A log with one run. Results have fingerprints that are the same in every run that finds the same; findings that were
/// known before are `unchanged`, and those that are gone `absent`. What is flaky is `open`.
pub fn sarif(outcome: &Outcome) -> Value {
    let has_baseline = !outcome.gone.is_empty() || outcome.findings.iter().any(|finding| finding.is_known);
    let state = |state: &'static str| has_baseline.then_some(state);
    let mut results = Vec::new();
    for finding in &outcome.findings {
        let state = state(if finding.is_known { "unchanged" } else { "new" });
        results.push(result(finding, outcome, Some(finding.severity.name()), state));
    }
    results.extend(outcome.flaky.iter().map(|flaky| result(flaky, outcome, None, state("new"))));
    let gone = outcome.gone.iter();
    results
        .extend(gone.map(|finding| result(finding, outcome, Some(finding.severity.name()), Some("absent"))));
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "standin",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": Check::ALL.map(rule),
            }},
            "invocations": [{
                "executionSuccessful": outcome.ended.is_whole(),
                "properties": {"ended": outcome.ended},
            }],
            "properties": {"target": outcome.target, "seed": outcome.seed, "sent": outcome.sent},
            "results": results,
        }],
    })
}

fn rule(check: Check) -> Value {
    let level = if check.severity() == Severity::Error { "error" } else { "warning" };
    json!({
        "id": check.name(),
        "shortDescription": {"text": promise(check)},
        "defaultConfiguration": {"level": level},
    })
}

/// A result; without a level it is one that nothing follows from.
fn result(finding: &Finding, outcome: &Outcome, level: Option<&str>, state: Option<&str>) -> Value {
    let Finding { check, operation, place, expected, found, source, .. } = finding;
    let text = format!("{}: expected {expected}, but found {found} ({source})", title(finding));
    let mut result = json!({
        "ruleId": check.name(),
        "ruleIndex": Check::ALL.iter().position(|other| other == check),
        "kind": if level.is_some() { "fail" } else { "open" },
        "level": level.unwrap_or("none"),
        "message": {"text": literal(&text)},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": outcome.target}},
            "logicalLocations": [{
                "name": operation,
                "fullyQualifiedName": format!("{operation}{}", place.pointer),
                "kind": "member",
            }],
        }],
        "partialFingerprints": {"standinFinding/v1": finding.fingerprint},
        "occurrenceCount": finding.count.max(1),
        "webRequest": request(finding),
        "webResponse": response(finding),
        "properties": {
            "rule": place.rule,
            "pointer": place.pointer,
            "basis": finding.basis,
            "source": source,
            "seed": finding.seed,
            "failed": finding.failed,
            "repeated": finding.repeated,
            "label": finding.label,
            "cameBack": came_back(&finding.answer),
            "curl": curl(finding, &outcome.target),
        },
    });
    if let Some(state) = state {
        result["baselineState"] = state.into();
    }
    result
}

/// A text as a message of SARIF, which shows it as it is: braces stand for arguments (3.11.5), and brackets may begin a
/// link (3.11.6), which a reply that is quoted must not bring in.
fn literal(text: &str) -> String {
    let mut message = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '{' | '}' => message.push(character),
            '[' | ']' | '\\' => message.push('\\'),
            _ => {}
        }
        message.push(character);
    }
    message
}

fn request(finding: &Finding) -> Value {
    let request = &finding.sent.request;
    json!({
        "protocol": "HTTP",
        "version": "1.1",
        "target": request.target,
        "method": request.method,
        "headers": headers(&request.headers),
        "body": body(&request.body),
    })
}

fn response(finding: &Finding) -> Value {
    match &finding.answer.reply {
        None => json!({"noResponseReceived": true}),
        Some(reply) => json!({
            "protocol": "HTTP",
            "statusCode": reply.status,
            "headers": headers(&reply.headers),
            "body": body(&reply.body),
        }),
    }
}

/// SARIF has an object here; values of one name are joined as HTTP allows it.
fn headers(headers: &Headers) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, value) in headers.iter() {
        let value = String::from_utf8_lossy(value);
        let joined = match map.get(name).and_then(Value::as_str) {
            Some(first) => format!("{first}, {value}"),
            None => value.into_owned(),
        };
        map.insert(name.to_owned(), joined.into());
    }
    map
}

fn body(bytes: &[u8]) -> Value {
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    match std::str::from_utf8(bytes) {
        Ok(text) => json!({"text": text}),
        Err(_) => json!({"binary": BASE64_STANDARD.encode(bytes)}),
    }
}
