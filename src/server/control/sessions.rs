//! `sessions`: which there are, and their states.

use std::{iter, sync::Arc};

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{
    Answer, ControlState,
    ask::Ask,
    body,
    load::Task,
    reply::{self, Refused},
};
use crate::{
    json,
    server::sessions::{SessionError, Sessions},
};

/// `GET sessions`.
pub(super) fn list(ask: &Ask<'_>) -> Answer {
    let sessions = sessions(ask.state)?;
    Ok(reply::json(StatusCode::OK, &json!({"sessions": sessions.list()})))
}

/// `DELETE sessions/NAME`.
pub(super) fn remove(ask: &Ask<'_>) -> Answer {
    sessions(ask.state)?.remove(ask.id)?;
    Ok(reply::json(StatusCode::OK, &json!({"removed": ask.id})))
}

/// `GET sessions/NAME/state`. The text is made at once; one that takes several pieces counts until the last has left.
pub(super) async fn get(ask: Ask<'_>) -> Answer {
    let sessions = Arc::clone(sessions(ask.state)?);
    let place = ask.state.load.place(Task::State, ask.caller)?;
    let held = ask.state.load.text().await;
    let name = ask.id.to_owned();
    let text = place.part(true, move || sessions.get(&name).map(|session| format!("{}\n", session.json())));
    let text = text.await??;
    if text.len() <= PIECE {
        return Ok(reply::whole(StatusCode::OK, text.into()));
    }
    Ok(reply::with_body(StatusCode::OK, reply::JSON, body::pieces(in_pieces(text, (place, held)))))
}

/// `PUT sessions/NAME/state`.
pub(super) async fn put(ask: Ask<'_>) -> Answer {
    let sessions = Arc::clone(sessions(ask.state)?);
    let place = ask.state.load.place(Task::State, ask.caller)?;
    let (name, body) = (ask.id.to_owned(), ask.body.clone());
    let done = place.part(true, move || {
        let snapshot = json::parse(&body).map_err(|error| Refused::bad(error.to_string()))?;
        let state = sessions.read(&name, &snapshot)?;
        sessions.put(&name, state).map_err(Refused::from)
    });
    done.await??;
    told(&ask, ask.id)
}

/// `DELETE sessions/NAME/state`.
pub(super) fn empty(ask: &Ask<'_>) -> Answer {
    sessions(ask.state)?.clear(ask.id)?;
    told(ask, ask.id)
}

/// `POST sessions/NAME/reset`.
pub(super) fn reset(ask: &Ask<'_>) -> Answer {
    sessions(ask.state)?.reset(ask.id)?;
    told(ask, ask.id)
}

/// `POST sessions/NAME/fork`.
pub(super) fn fork(ask: &Ask<'_>) -> Answer {
    let sessions = sessions(ask.state)?;
    let to = ask
        .params
        .text("to")
        .ok_or_else(|| Refused::bad("to: expected the name of the session to make, but found nothing"))?;
    sessions.fork(ask.id, to)?;
    told(ask, to)
}

/// How long the body of a call may be that brings a state: as long as a session allows.
pub(super) fn longest(state: &ControlState) -> usize {
    state.sessions.as_ref().map_or(0, |sessions| sessions.longest_snapshot())
}

/// What there is to tell of a session after a call.
fn told(ask: &Ask<'_>, name: &str) -> Answer {
    Ok(reply::json(StatusCode::OK, &sessions(ask.state)?.told(name)))
}

fn sessions(state: &ControlState) -> Result<&Arc<Sessions>, Refused> {
    state.sessions.as_ref().ok_or_else(|| {
        let error =
            "expected a server that keeps state, but found one that answers samples; start it with --state";
        Refused::new(StatusCode::CONFLICT, error)
    })
}

/// The text in pieces that are sent one by one, and what is held until they have been.
fn in_pieces<H: Send + Unpin>(text: String, held: H) -> impl Iterator<Item = String> + Send + Unpin {
    let mut position = 0;
    iter::from_fn(move || {
        let _ = &held;
        let end =
            (position + PIECE..text.len()).find(|&end| text.is_char_boundary(end)).unwrap_or(text.len());
        let piece = text.get(position..end).filter(|piece| !piece.is_empty())?;
        position = end;
        Some(piece.to_owned())
    })
}

impl From<SessionError> for Refused {
    fn from(error: SessionError) -> Self {
        let status = match &error {
            SessionError::Name(_) | SessionError::State(_) => StatusCode::BAD_REQUEST,
            SessionError::Unknown(..) => StatusCode::NOT_FOUND,
            SessionError::Taken(_) => StatusCode::CONFLICT,
            SessionError::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
        };
        let refused = Self::new(status, error.to_string());
        match error {
            SessionError::State(violations) => {
                let list: Vec<Value> = violations
                    .iter()
                    .map(|violation| json!({"pointer": violation.pointer, "message": violation.message()}))
                    .collect();
                refused.with("violations", list.into())
            }
            SessionError::Unknown(_, names) => refused.with("sessions", names.into()),
            _ => refused,
        }
    }
}

/// How much of a state is sent at once, in bytes.
const PIECE: usize = 64 * 1024;
