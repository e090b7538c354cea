//! `POST provider-states`: what Pact's verifiers call before and after an interaction.
//!
//! The stand-in answers the same whatever came before, so every state that it knows holds already. What the call is
//! good for is the states that it does not know: a contract that needs one is not verified by accident.

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Answer,
    ask::Ask,
    reply::{self, Refused},
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

/// Answers with the state's parameters, which a verifier takes as the values to fill in.
pub(super) fn change(ask: &Ask<'_>) -> Answer {
    // By way of a map: serde would take a list for a struct, too.
    let change =
        serde_json::from_slice::<Map<_, _>>(ask.body).and_then(|map| serde_json::from_value(map.into()));
    let change: Change = change.map_err(|error| {
        Refused::bad(format!(
            "expected {{\"state\": …, \"params\": {{…}}, \"action\": \"setup\" or \"teardown\"}}, but found {error}"
        ))
    })?;
    let states = States::of(&ask.state.contract);
    if !change.state.is_empty() && !states.names().contains(&change.state) {
        return Err(Refused::bad(format!(
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
