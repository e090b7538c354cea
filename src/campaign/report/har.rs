//! Every trial as an entry of an HTTP Archive (HAR 1.2).

use std::time::Duration;

use serde_json::{Value, json};

use super::came_back;
use crate::{
    BaseUrl,
    campaign::{Trial, Verdict},
    render::har,
};

/// A trial as an entry of a log. Without a reply the status is 0, as browsers have it. What HAR has no field for is
/// under `_standin`.
pub fn entry(trial: &Trial, verdicts: &[Verdict], target: &BaseUrl) -> Value {
    let mut entry = har::Sent {
        base_url: &target.to_string(),
        request: &trial.sent.request,
        reply: trial.answer.reply.as_ref(),
        redactions: &[],
        times: [Duration::ZERO, trial.answer.micros, Duration::ZERO],
    }
    .entry();
    if let Some(headers) = entry.pointer_mut("/request/headers") {
        let as_sent = trial.sent.headers();
        let pair = |(name, value): (_, &[u8])| json!({"name": name, "value": String::from_utf8_lossy(value)});
        *headers = as_sent.map(pair).collect();
    }
    entry["comment"] = format!("{}: {}; {}", trial.operation, trial.label, came_back(&trial.answer)).into();
    entry["_standin"] = json!({
        "number": trial.number,
        "operation": trial.operation,
        "why": trial.why,
        "label": trial.label,
        "wire": trial.sent.wire,
        "failure": trial.answer.failure,
        "verdicts": verdicts,
    });
    entry
}
