//! `scripts`: which there are, and what they have done.

use std::sync::Arc;

use hyper::{Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Answer,
    ask::Ask,
    body::ControlBody,
    load::Task,
    reply::{self, Refused},
};
use crate::{Preset, ScriptError, Scripts, json, script_schema};

/// `GET scripts`.
pub(super) async fn list(ask: Ask<'_>) -> Answer {
    let place = ask.state.load.place(Task::State, ask.caller)?;
    let scripts = Arc::clone(&ask.state.scripts);
    let text = place.part(true, move || {
        let now = Timestamp::now();
        let (seed, idle) = (scripts.settings().seed, json!(scripts.never_acted(now)));
        format!("{{\"seed\":{seed},\"scripts\":{},\"neverActed\":{idle}}}\n", scripts.told(now))
    });
    Ok(reply::whole(StatusCode::OK, text.await?.into()))
}

/// `POST scripts`.
pub(super) async fn add(ask: Ask<'_>) -> Answer {
    let added = brought(&ask, Scripts::add).await?;
    Ok(reply::json(StatusCode::OK, &json!({"added": added})))
}

/// `PUT scripts`.
pub(super) async fn replace(ask: Ask<'_>) -> Answer {
    let added = brought(&ask, Scripts::replace).await?;
    Ok(reply::json(StatusCode::OK, &json!({"added": added})))
}

/// `DELETE scripts`.
pub(super) fn clear(ask: &Ask<'_>) -> Response<ControlBody> {
    reply::json(StatusCode::OK, &json!({"removed": ask.state.scripts.clear(Timestamp::now())}))
}

/// `GET scripts/ID`.
pub(super) fn one(ask: &Ask<'_>) -> Answer {
    Ok(reply::json(StatusCode::OK, &ask.state.scripts.get(ask.id, Timestamp::now())?))
}

/// `PUT scripts/ID`.
pub(super) async fn put(ask: Ask<'_>) -> Answer {
    let id = ask.id.to_owned();
    brought(&ask, move |scripts, sent, now| scripts.put(&id, sent, now)).await?;
    one(&ask)
}

/// `DELETE scripts/ID`.
pub(super) fn remove(ask: &Ask<'_>) -> Answer {
    ask.state.scripts.remove(ask.id, Timestamp::now())?;
    Ok(reply::json(StatusCode::OK, &json!({"removed": ask.id})))
}

/// `GET scripts/presets`.
pub(super) fn presets(_: &Ask<'_>) -> Response<ControlBody> {
    reply::json(StatusCode::OK, &json!({"presets": Preset::all()}))
}

/// `GET scripts/schema.json`.
pub(super) fn schema(ask: &Ask<'_>) -> Response<ControlBody> {
    reply::json(StatusCode::OK, &script_schema(&ask.state.contract))
}

/// Has scripts taken that a call brings, in a place of its own: there can be many of them, and they can be long.
async fn brought(
    ask: &Ask<'_>,
    take: impl FnOnce(&Scripts, &Value, Timestamp) -> Result<Vec<String>, ScriptError> + Send + 'static,
) -> Result<Vec<String>, Refused> {
    let place = ask.state.load.place(Task::State, ask.caller)?;
    let (scripts, body) = (Arc::clone(&ask.state.scripts), ask.body.clone());
    let done = place.part(true, move || {
        let sent = json::parse(&body).map_err(|error| Refused::bad(error.to_string()))?;
        take(&scripts, &sent, Timestamp::now()).map_err(Refused::from)
    });
    done.await?
}

impl From<ScriptError> for Refused {
    fn from(error: ScriptError) -> Self {
        let status = match &error {
            ScriptError::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
            ScriptError::Taken(_) => StatusCode::CONFLICT,
            ScriptError::Unknown(..) => StatusCode::NOT_FOUND,
            ScriptError::Wrong(_) => StatusCode::BAD_REQUEST,
        };
        let refused = Self::new(status, error.to_string());
        match error {
            ScriptError::Wrong(mistakes) => refused.with("mistakes", json!(mistakes)),
            ScriptError::Unknown(_, ids) => refused.with("scripts", ids.into()),
            ScriptError::Full(_) | ScriptError::Taken(_) => refused,
        }
    }
}
