//! A script as it is carried out.

use std::{num::NonZeroU64, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{delay::Delay, draw::Draw};
use crate::{Exchange, Fault, Headers, Matcher, Reply, Stub, contract::Errors, json, matching::Body};

/// A script that was read.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The JSON text that it was read from.
    pub(super) source: Box<str>,
    pub(super) id: Option<String>,
    /// The one session that it is for.
    pub(super) session: Option<String>,
    pub(super) when: Matcher,
    /// How many matches it lets pass.
    pub(super) after: u64,
    /// It acts on one in so many of those that come then; 0 and 1 are all.
    pub(super) every: u64,
    /// How many of those there are at most.
    pub(super) times: Option<u64>,
    /// Its chance to act on one of them; always, when there is none.
    pub(super) probability: Option<f64>,
    /// How long it is there.
    pub(super) lifetime: Option<Duration>,
    pub(super) then: Then,
    /// Whether the session is changed, whatever is sent.
    pub(super) commit: Option<bool>,
}

/// What a script does.
#[derive(Debug, Default)]
pub(super) struct Then {
    pub(super) reply: Option<ReplyPlan>,
    /// A JSON merge patch on the body.
    pub(super) patch: Option<Value>,
    pub(super) delay: Delay,
    pub(super) throttle: Option<NonZeroU64>,
    pub(super) fault: Option<Fault>,
}

/// What is sent in place of the reply that was decided.
#[derive(Debug, Default)]
pub(super) struct ReplyPlan {
    pub(super) status: Option<u16>,
    /// The name of a sample of the contract.
    pub(super) example: Option<String>,
    /// Headers, in place of those of the same name; in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Bytes>,
}

impl Plan {
    /// What it takes, in bytes: its text, and the values that are kept to compare or merge with.
    pub(super) fn weight(&self) -> usize {
        let kept = self.when.body.iter().chain(&self.then.patch);
        self.source.len() + kept.map(|value| values(value) * size_of::<Value>()).sum::<usize>()
    }

    /// Whether an exchange of a session is one that it is about.
    pub(super) fn matches(
        &self,
        exchange: &Exchange,
        session: &str,
        body: &Body,
        until: Option<Timestamp>,
    ) -> bool {
        // Most scripts are for another operation, which is quick to see.
        let operation = exchange.operation.as_deref();
        self.when.operation.as_deref().is_none_or(|own| operation == Some(own))
            && self.session.as_deref().is_none_or(|own| own == session)
            && until.is_none_or(|until| exchange.request.received < until)
            && self.when.matches_with(exchange, body)
    }

    /// Whether it acts on the match with this number, the first of which is 1.
    pub(super) fn acts_on(&self, count: u64, draw: impl FnOnce() -> Draw) -> bool {
        let every = self.every.max(1);
        let Some(number) = count.checked_sub(self.after).filter(|number| *number > 0) else {
            return false;
        };
        number.is_multiple_of(every)
            && self.times.is_none_or(|times| number / every <= times)
            && self.probability.is_none_or(|chance| draw().acts < chance)
    }
}

impl Then {
    /// The reply that is sent in place of the one that was decided, when it is another.
    pub(super) fn reply(&self, stub: &Stub, exchange: &Exchange) -> Option<Reply> {
        let errors = stub.settings().errors;
        let mut reply = match &self.reply {
            Some(plan) => plan.reply(stub, exchange),
            None if self.patch.is_some() => exchange.reply.clone(),
            None => return None,
        };
        if Reply::is_bodiless(reply.status) {
            reply.body = Bytes::new();
        } else if let Some(patch) = &self.patch {
            let mut body = json::parse(&reply.body).unwrap_or_default();
            merge(&mut body, patch);
            reply.body = Bytes::from(body.to_string());
            with_media(&mut reply, errors);
        }
        (reply != exchange.reply).then_some(reply)
    }
}

impl ReplyPlan {
    fn reply(&self, stub: &Stub, exchange: &Exchange) -> Reply {
        let decided = &exchange.reply;
        let is_decided = self.example.is_none() && self.status.is_none_or(|own| own == decided.status);
        let mut reply = if is_decided { decided.clone() } else { self.sample(stub, exchange) };
        if let Some(body) = &self.body {
            reply.body.clone_from(body);
        }
        reply.headers = with(&reply.headers, &self.headers);
        if !reply.body.is_empty() && !Reply::is_bodiless(reply.status) {
            with_media(&mut reply, stub.settings().errors);
        }
        reply
    }

    /// The sample that is asked for; an empty body where the contract has none with this status.
    fn sample(&self, stub: &Stub, exchange: &Exchange) -> Reply {
        let sample = stub.sample(exchange.operation.as_deref(), self.status, self.example.as_deref());
        let status = self.status.unwrap_or(exchange.reply.status);
        let empty = || Reply { status, headers: Headers::default(), body: Bytes::new() };
        let mut reply = sample.unwrap_or_else(empty);
        stub.say_of_request(&mut reply, exchange);
        reply
    }
}

/// Headers with others in place of those of the same name.
pub(super) fn with(headers: &Headers, own: &[(String, String)]) -> Headers {
    let mut all = Headers::default();
    for (name, value) in headers.iter().filter(|(name, _)| own.iter().all(|(other, _)| other != name)) {
        all.push(name, value);
    }
    for (name, value) in own {
        all.push(name, value.as_bytes());
    }
    all
}

/// Says that the body is JSON, where nothing is said.
fn with_media(reply: &mut Reply, errors: Errors) {
    if reply.headers.all("content-type").next().is_none() {
        let media = if reply.status >= 400 { errors.media() } else { Errors::Vendor.media() };
        reply.headers.push("content-type", media.as_bytes());
    }
}

/// How many values there are in one, itself included.
fn values(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(values).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(values).sum::<usize>(),
        _ => 1,
    }
}

/// Does what a JSON merge patch says (RFC 7396).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(members) = target.as_object_mut() else { return };
    for (name, change) in changes {
        if change.is_null() {
            // The others stay in their order.
            members.shift_remove(name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The numbers of those among the first ten matches that a script acts on.
    fn acts(plan: &Plan) -> Vec<u64> {
        (1..=10).filter(|count| plan.acts_on(*count, || Draw::new(0, "default", "x", *count))).collect()
    }

    #[test]
    fn after_every_and_times_say_which_matches_it_acts_on() {
        for (after, every, times, expected) in [
            (0, 0, None, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10][..]),
            (0, 1, Some(2), &[1, 2]),
            (3, 0, None, &[4, 5, 6, 7, 8, 9, 10]),
            (1, 0, Some(1), &[2]),
            (0, 10, None, &[10]),
            (0, 3, None, &[3, 6, 9]),
            (1, 3, Some(2), &[4, 7]),
            (10, 0, None, &[]),
            (u64::MAX, 0, None, &[]),
        ] {
            let plan = Plan { after, every, times, ..Plan::default() };
            assert_eq!(acts(&plan), expected, "{after} {every} {times:?}");
        }
    }

    #[test]
    fn a_patch_is_merged_as_the_rfc_says() {
        for (target, patch, expected) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, &patch);
            assert_eq!(merged, expected, "{target} {patch}");
        }
    }
}
