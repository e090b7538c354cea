//! `POST provider-states`: what Pact's verifiers call before and after an interaction.
//!
//! The stand-in answers the same whatever came before, so every state that it knows holds already. What the call is
//! good for is the states that it does not know: a contract that needs one is not verified by accident.

use hyper::{Response, StatusCode, http::request::Parts};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    ControlBody, ControlState, Problem,
    params::{self, Params},
    reply,
};
use crate::pact::States;

/// What a verifier posts.
#[derive(Deserialize)]
struct Change {
    /// Verifiers post an empty name for an interaction that names no state.
    #[serde(default)]
    state: String,
    #[serde(default)]
    params: Option<Map<String, Value>>,
    #[serde(default)]
    action: Option<Action>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Setup,
    Teardown,
}

/// The control token in the query: a verifier is given a URL, and has no place for a header.
pub(super) fn token(parts: &Parts) -> Result<Option<String>, Problem> {
    Ok(Params::parse(parts.uri.query(), &params::STATES)?.take("token"))
}

/// Answers with the state's parameters, which a verifier takes as the values to fill in.
pub(super) fn change(
    state: &ControlState,
    parts: &Parts,
    body: &[u8],
) -> Result<Response<ControlBody>, Problem> {
    reply::expect_json(parts)?;
    // By way of a map: serde would take a list for a struct, too.
    let change = serde_json::from_slice::<Map<_, _>>(body).and_then(|map| serde_json::from_value(map.into()));
    let change: Change = change.map_err(|error| {
        Problem::bad(format!(
            "expected {{\"state\": …, \"params\": {{…}}, \"action\": \"setup\" or \"teardown\"}}, but found {error}"
        ))
    })?;
    let states = States::of(&state.contract);
    if !change.state.is_empty() && !states.names().contains(&change.state) {
        return Err(Problem::bad(format!(
            "state: expected one of the states of this contract, but found `{}`",
            change.state
        ))
        .with("states", json!(states.names())));
    }
    let params = match change.action {
        None | Some(Action::Setup) => change.params.unwrap_or_default(),
        Some(Action::Teardown) => Map::new(),
    };
    Ok(reply::json(StatusCode::OK, &params))
}
