//! Verification of a provider by Pact's own verifier library, one interaction at a time.

mod broker;
mod provider;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use pact_models::{pact::load_pact_from_json, provider_states::ProviderState};
use pact_verifier::{
    FilterInfo, MismatchResult, NullRequestFilterExecutor, ProviderInfo, ProviderTransport,
    VerificationOptions,
    callback_executors::{HttpRequestProviderStateExecutor, ProviderStateExecutor},
    verification_result::VerificationMismatchResult,
    verify_pact_internal,
};
use serde_json::Value;

use crate::BaseUrl;

pub use broker::{Broker, BrokerAuth, Offer};

/// How a provider is verified.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the states that interactions need are posted; nowhere without it.
    pub states_url: Option<String>,
    /// How long an interaction may take.
    pub timeout: Duration,
}

/// What came of an interaction.
#[derive(Debug)]
pub struct Verification {
    /// What is wrong; nothing when the interaction holds.
    pub mismatches: Vec<Mismatch>,
    /// How long it took.
    pub time: Duration,
    /// Whether no connection to the provider could be had.
    pub is_unreachable: bool,
    /// What the provider replied, when that is not what was expected.
    pub reply: Option<String>,
    /// The same for a broker.
    result: Result<(), VerificationMismatchResult>,
}

/// One way in which a provider does not do what the contract says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mismatch {
    /// Where: `status`, `header NAME`, `body PATH`, or `request` when there was no reply at all.
    pub place: String,
    /// What the contract says.
    pub expected: String,
    /// What the provider did.
    pub found: String,
    /// The verifier's sentence, when it says more.
    pub message: String,
}

/// Verifies a provider with a pact of one interaction.
///
/// The verifier runs on a thread of its own, which is left to itself when it takes longer than it may.
pub fn interaction(provider: &BaseUrl, options: &Options, pact: Value) -> Verification {
    let began = Instant::now();
    let (sender, receiver) = mpsc::sync_channel(1);
    let states = Arc::new(StateCalls::new(options));
    let failed_state = Arc::clone(&states);
    let (to, timeout) = (provider.clone(), options.timeout);
    let verifier = thread::Builder::new().name("pact".into()).spawn(move || {
        let _ = sender.send(run(&to, timeout, &states, &pact));
    });
    let result = match verifier {
        Err(error) => Err(error.to_string()),
        // The verifier keeps the limit itself for each of its requests; this is for what else it may do.
        Ok(_) => match receiver.recv_timeout(timeout.saturating_mul(2).saturating_add(GRACE)) {
            Ok(result) => result,
            Err(mpsc::RecvTimeoutError::Timeout) => Err(slow(timeout)),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err("the verifier broke off".to_owned()),
        },
    };
    let time = began.elapsed();
    let Verified { result, reply } =
        result.unwrap_or_else(|error| Verified { result: Err(broken(error)), reply: None });
    let mut outcome = Verification { mismatches: Vec::new(), time, is_unreachable: false, reply, result };
    outcome.explain(provider, options, &failed_state);
    outcome
}

/// What the verifier says, as far as it may leave its thread.
struct Verified {
    result: Result<(), VerificationMismatchResult>,
    reply: Option<String>,
}

fn broken(error: String) -> VerificationMismatchResult {
    VerificationMismatchResult::Error { error, interaction_id: None }
}

fn run(
    provider: &BaseUrl,
    timeout: Duration,
    states: &Arc<StateCalls>,
    pact: &Value,
) -> Result<Verified, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let pact = load_pact_from_json("pact", pact).map_err(|error| format!("{error:#}"))?;
    let options: VerificationOptions<NullRequestFilterExecutor> = VerificationOptions {
        coloured_output: false,
        // A reply is what the provider itself answers; where it sends its client instead is a mismatch.
        follow_redirects: false,
        request_timeout: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
        ..VerificationOptions::default()
    };
    let transport = ProviderTransport {
        transport: "http".into(),
        port: Some(provider.port()),
        path: Some(provider.prefix().to_owned()),
        scheme: Some(provider.scheme().to_owned()),
    };
    let info = ProviderInfo {
        name: pact.provider().name,
        host: provider.host().to_owned(),
        transports: vec![transport],
        ..ProviderInfo::default()
    };
    let verified = runtime.block_on(verify_pact_internal(
        &info,
        &FilterInfo::None,
        pact,
        &options,
        states,
        false,
        Duration::ZERO,
    ));
    let results = verified.map_err(|error| format!("{error:#}"))?.results;
    let result = results.into_iter().next().ok_or("the verifier found no interaction")?.result;
    let reply = match &result {
        Err(MismatchResult::Mismatches { actual, .. }) => actual.as_v4_http(),
        _ => None,
    };
    Ok(Verified {
        result: result.as_ref().copied().map_err(VerificationMismatchResult::from),
        reply: reply.map(|actual| actual.response.body.display_string()),
    })
}

impl Verification {
    /// Whether the provider does what the contract says.
    pub fn holds(&self) -> bool {
        self.mismatches.is_empty()
    }

    fn explain(&mut self, provider: &BaseUrl, options: &Options, states: &StateCalls) {
        let error = match &self.result {
            Ok(()) => return,
            Err(VerificationMismatchResult::Error { error, .. }) => error.clone(),
            Err(VerificationMismatchResult::Mismatches { mismatches, .. }) => {
                let read = mismatches.iter().map(|mismatch| read(&mismatch.to_json()));
                self.mismatches = without_consequences(read.collect());
                return;
            }
        };
        let (place, expected, found) = if let Some(error) = states.error() {
            ("state", "the provider to get into the state", error)
        } else if self.time >= options.timeout {
            ("request", "a reply", slow(options.timeout))
        } else if let Err(error) = provider::connect(provider, options.timeout) {
            self.is_unreachable = true;
            ("request", "a reply", error)
        } else {
            ("request", "a reply", reason(&error))
        };
        self.result = Err(broken(found.clone()));
        self.mismatches = vec![Mismatch {
            place: place.to_owned(),
            expected: expected.to_owned(),
            found,
            message: String::new(),
        }];
    }
}

/// The mismatches without those that another one explains: another status has another body, and so has another type.
fn without_consequences(mut mismatches: Vec<Mismatch>) -> Vec<Mismatch> {
    let is_type = |mismatch: &Mismatch| {
        mismatch.place == "body"
            || mismatch
                .place
                .strip_prefix("header ")
                .is_some_and(|name| name.eq_ignore_ascii_case("content-type"))
    };
    let cause = mismatches.iter().position(|mismatch| mismatch.place == "status");
    if let Some(cause) = cause.or_else(|| mismatches.iter().position(is_type)) {
        return vec![mismatches.swap_remove(cause)];
    }
    let mut seen = Vec::new();
    mismatches.retain(|mismatch| {
        let is_new = !seen.contains(mismatch);
        seen.push(mismatch.clone());
        is_new
    });
    mismatches
}

/// One of the verifier's mismatches.
fn read(mismatch: &Value) -> Mismatch {
    let text = |name: &str| match &mismatch[name] {
        Value::String(text) => text.clone(),
        Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    };
    let kind = mismatch["type"].as_str().unwrap_or_default();
    let place = match kind {
        "StatusMismatch" => "status".to_owned(),
        "HeaderMismatch" => format!("header {}", text("key")),
        "BodyMismatch" => format!("body {}", text("path")),
        _ => "body".to_owned(),
    };
    let (expected, found) = (text("expected"), text("actual"));
    // The verifier's sentence about a header has both in it.
    let message = if kind == "BodyMismatch" { text("mismatch") } else { String::new() };
    if let Some(missing) = message.strip_prefix("Actual map is missing the following keys: ") {
        return Mismatch {
            place,
            expected: format!("the members {missing}"),
            found: "none of them".to_owned(),
            message: String::new(),
        };
    }
    match types(&message) {
        Some((expected, of_found)) => {
            let is_short = ["a number", "a string", "true or false"].contains(&of_found);
            let found = if is_short { format!("{of_found}, `{found}`") } else { of_found.to_owned() };
            Mismatch { place, expected: expected.to_owned(), found, message: String::new() }
        }
        None => Mismatch { place, expected, found, message },
    }
}

/// The types in the verifier's sentence `Expected 5 (Integer) to be the same type as "x" (String)`: what was expected,
/// and what was found.
fn types(message: &str) -> Option<(&'static str, &'static str)> {
    let (found, expected) = message.split_once(" to be the same type as ")?;
    let named = |text: &str| {
        let (_, kind) = text.trim_end_matches(')').rsplit_once('(')?;
        Some(match kind {
            "Array" => "an array",
            "Boolean" => "true or false",
            "Decimal" | "Integer" | "Number" => "a number",
            "Null" => "null",
            "Object" => "an object",
            "String" => "a string",
            _ => return None,
        })
    };
    Some((named(expected)?, named(found)?))
}

/// What is behind the verifier's words for a reply that did not come.
fn reason(error: &str) -> String {
    if error.starts_with("error sending request") {
        "that the connection ended before the reply, or something that is not HTTP".to_owned()
    } else if error.contains("body") {
        "that the reply ended before its end".to_owned()
    } else {
        error.to_owned()
    }
}

fn slow(timeout: Duration) -> String {
    format!("none within {timeout:?}")
}

/// Posts states as Pact does, and remembers what went wrong: the verifier only says that something did.
#[derive(Debug)]
struct StateCalls {
    http: Arc<HttpRequestProviderStateExecutor>,
    error: Mutex<Option<String>>,
}

impl StateCalls {
    fn new(options: &Options) -> Self {
        let http = HttpRequestProviderStateExecutor {
            state_change_url: options.states_url.clone(),
            state_change_teardown: options.states_url.is_some(),
            retries: 0,
            ..HttpRequestProviderStateExecutor::default()
        };
        Self { http: Arc::new(http), error: Mutex::new(None) }
    }

    fn error(&self) -> Option<String> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl ProviderStateExecutor for StateCalls {
    async fn call(
        self: Arc<Self>,
        id: Option<String>,
        state: &ProviderState,
        setup: bool,
        client: Option<&reqwest::Client>,
    ) -> anyhow::Result<HashMap<String, Value>> {
        let result = Arc::clone(&self.http).call(id, state, setup, client).await;
        if let Err(error) = &result {
            let what = if setup { "" } else { "the teardown of " };
            let error = error.to_string();
            let error = error.strip_prefix("Provider state failed: ").unwrap_or(&error);
            let mut slot = self.error.lock().unwrap_or_else(PoisonError::into_inner);
            slot.get_or_insert_with(|| format!("{what}`{}` answered with: {error}", state.name));
        }
        result
    }

    fn teardown(&self) -> bool {
        self.http.teardown()
    }
}

/// How much longer than its limit a verifier may take before it is left to itself.
const GRACE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mismatch(place: &str) -> Mismatch {
        let text = || String::from("x");
        Mismatch { place: place.to_owned(), expected: text(), found: text(), message: text() }
    }

    #[test]
    fn what_another_mismatch_explains_is_left_out() {
        let left = |places: &[&str]| -> Vec<String> {
            let mismatches = places.iter().map(|place| mismatch(place)).collect();
            without_consequences(mismatches).into_iter().map(|mismatch| mismatch.place).collect()
        };
        assert_eq!(left(&["body $.a", "header Content-Type", "status"]), ["status"]);
        assert_eq!(left(&["body", "header content-type"]), ["body"]);
        assert_eq!(
            left(&["body $.a", "header x", "body $.a", "body $.b"]),
            ["body $.a", "header x", "body $.b"]
        );
        assert_eq!(left(&[]), [""; 0]);
    }

    #[test]
    fn a_mismatch_says_each_thing_once() {
        let body = |expected: &str, found: &str, words: &str| {
            let read = read(&json!({
                "type": "BodyMismatch", "path": "$.a", "expected": expected, "actual": found, "mismatch": words,
            }));
            format!("{}: expected {}, but found {} ({})", read.place, read.expected, read.found, read.message)
        };
        assert_eq!(
            body("[\"a\"]", "[]", "Actual map is missing the following keys: a, b"),
            "body $.a: expected the members a, b, but found none of them ()"
        );
        assert_eq!(
            body("x", "5", "Type mismatch: Expected 5 (Integer) to be the same type as \"x\" (String)"),
            "body $.a: expected a string, but found a number, `5` ()"
        );
        assert_eq!(
            body("{}", "[]", "Type mismatch: Expected [] (Array) to be the same type as {} (Object)"),
            "body $.a: expected an object, but found an array ()"
        );
        assert_eq!(
            body("[1]", "[]", "Expected [] (size 0) to have minimum size of 1"),
            "body $.a: expected [1], but found [] (Expected [] (size 0) to have minimum size of 1)"
        );
    }
}
