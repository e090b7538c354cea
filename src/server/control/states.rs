//! `POST provider-states`: what Pact's verifiers call before and after an interaction.
//!
//! Without state, the stand-in answers the same whatever came before, so every state that it knows holds already. What
//! the call is good for then is the states that it does not know: a contract that needs one is not verified by accident.
//! With state, it makes them hold: "an agent exists" makes that agent exist.

use std::sync::{Arc, PoisonError};

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Answer, ControlState,
    ask::Ask,
    load::Task,
    reply::{self, Refused},
};
use crate::{
    contract::Place,
    pact::{self, States},
    session_name,
};

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
pub(super) async fn change(ask: Ask<'_>) -> Answer {
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
        Some(Action::Teardown) => return Ok(reply::json(StatusCode::OK, &Map::new())),
    };
    if let Some(sessions) = &ask.state.sessions {
        let place = ask.state.load.place(Task::State, ask.caller)?;
        let _text = ask.state.load.text().await;
        let name = ask.params.text("session").unwrap_or(session_name::DEFAULT).to_owned();
        let known = remembered(ask.state, &params);
        let (sessions, contract, state) =
            (Arc::clone(sessions), Arc::clone(&ask.state.contract), change.state);
        let set_up = move |snapshot: &mut Value| pact::set_up(&contract, &state, &known, snapshot);
        place.part(true, move || sessions.change(&name, set_up)).await??;
    }
    Ok(reply::json(StatusCode::OK, &params))
}

/// The values of path parameters that are known now: verifiers give each with the state that it is about, the stream
/// before the agent that is in it.
fn remembered(state: &ControlState, params: &Map<String, Value>) -> Map<String, Value> {
    let parameters =
        || state.contract.operations().iter().flat_map(|operation| operation.parameters_in(Place::Path));
    let mut known = state.known.lock().unwrap_or_else(PoisonError::into_inner);
    for (name, value) in params {
        let is_short = value.is_number() || value.as_str().is_some_and(|text| text.len() <= LONGEST);
        if is_short && parameters().any(|parameter| parameter.name == *name) {
            known.insert(name.clone(), value.clone());
        }
    }
    known.clone()
}

/// The longest value that is remembered, in bytes.
const LONGEST: usize = 4096;
