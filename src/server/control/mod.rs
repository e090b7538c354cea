//! The control API under `/__standin/`: what was received, waiting for it, verifying it, exporting it.
//!
//! A page of another origin can neither change nor find out anything here: what changes something is never a request that
//! a browser sends without asking first, and what comes from such a page is refused before any work, unless its origin is
//! configured. See [`access`].

mod access;
mod ask;
mod body;
mod calls;
mod documents;
mod export;
mod listeners;
mod load;
mod numbers;
mod params;
mod reply;
mod requests;
mod scripts;
mod search;
mod sessions;
mod states;
mod stream;
#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Instant,
};

use bytes::Bytes;
use hyper::{Method, Response, StatusCode, http::request::Parts};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::{ControlConfig, Counters, cors, index::Index, sessions::Sessions, watch::InFlight};
use crate::{Contract, Errors, Journal, Scripts, Stub, contract::Audience};

use access::{Access, Pages, Token};
use ask::Ask;
pub(crate) use body::ControlBody;
#[cfg(test)]
pub(crate) use calls::CALLS;
pub(crate) use calls::list;
use calls::{Call, Handler};
use documents::Documents;
use listeners::Listeners;
use load::{Load, Task};
use params::Params;
use reply::{Refused, json_text};

/// What a call is answered with.
type Answer = Result<Response<ControlBody>, Refused>;

/// What the control API knows.
pub(crate) struct ControlState {
    access: Access,
    contract: Arc<Contract>,
    counters: Arc<Counters>,
    documents: Documents,
    errors: Errors,
    index: Index,
    journal: Arc<Journal>,
    /// The values of path parameters that provider states came with.
    known: Mutex<Map<String, Value>>,
    listeners: Arc<Listeners>,
    load: Arc<Load>,
    scripts: Arc<Scripts>,
    /// The sessions, when they have a state.
    sessions: Option<Arc<Sessions>>,
    started: Instant,
    stop: CancellationToken,
}

impl ControlState {
    pub(crate) fn new(
        stub: &Stub,
        journal: Arc<Journal>,
        counters: Arc<Counters>,
        stop: CancellationToken,
        scripts: Arc<Scripts>,
        sessions: Option<Arc<Sessions>>,
        config: ControlConfig,
    ) -> Self {
        let listeners = Arc::<Listeners>::default();
        let heard = Arc::clone(&listeners);
        journal.on_record(Box::new(move |recorded| heard.recorded(recorded)));
        Self {
            access: Access::new(config),
            contract: Arc::clone(stub.contract()),
            counters,
            documents: Documents::default(),
            errors: stub.settings().errors,
            index: Index::new(&[list()]),
            journal,
            known: Mutex::default(),
            listeners,
            load: Load::new(),
            scripts,
            sessions,
            started: Instant::now(),
            stop,
        }
    }
}

/// Answers a call of the control API. A wait ends when the server stops or the future is dropped.
pub(super) async fn respond(
    state: &ControlState,
    parts: &Parts,
    body: Bytes,
    caller: &InFlight,
) -> Response<ControlBody> {
    let answered = tokio::select! {
        answered = answer(state, parts, &body, caller) => answered,
        () = state.stop.cancelled() => {
            Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping"))
        }
    };
    finished(state, parts, answered)
}

/// How long the body of a call may be, when it is longer than those of others. Only for a caller who may send it.
pub(crate) fn body_limit(state: &ControlState, parts: &Parts) -> Option<usize> {
    match calls::find(parts).ok()?.0.handler {
        Handler::Brings(longest, _) if state.access.may_call(parts) => Some(longest(state)),
        _ => None,
    }
}

/// Answers a call whose body did not come in whole.
pub(crate) fn refuse(
    state: &ControlState,
    parts: &Parts,
    status: StatusCode,
    error: &str,
) -> Response<ControlBody> {
    finished(state, parts, Err(Refused::new(status, error)))
}

fn finished(state: &ControlState, parts: &Parts, answered: Answer) -> Response<ControlBody> {
    let mut response = answered.unwrap_or_else(Refused::response);
    reply::seal(&mut response);
    state.access.open(parts, calls::pages(parts), &mut response);
    response
}

async fn answer(state: &ControlState, parts: &Parts, body: &Bytes, caller: &InFlight) -> Answer {
    state.access.check_host(parts)?;
    if cors::is_preflight(parts) {
        return state.access.preflight(parts, calls::pages(parts));
    }
    let found = calls::find(parts);
    if calls::pages(parts) == Pages::Own {
        state.access.check_page(parts)?;
    }
    let query = |call: &Call| Params::parse(parts.uri.query(), call.filters, call.params);
    match &found {
        Ok((call, _)) if call.token == Token::None => {}
        Ok((call, _)) if call.token == Token::HeaderOrQuery => {
            let params = query(call)?;
            state.access.check_token_or(parts, params.text("token"))?;
        }
        _ => state.access.check_token(parts)?,
    }
    let (call, id) = found?;
    if call.method != Method::GET {
        reply::expect_json(parts, body)?;
    }
    let ask = Ask { state, parts, body, caller, params: query(call)?, id };
    match call.handler {
        Handler::Now(handle) => handle(&ask),
        Handler::Later(handle) | Handler::Brings(_, handle) => handle(ask).await,
    }
}

fn health(ask: &Ask<'_>) -> Response<ControlBody> {
    let state = ask.state;
    let counts = state.journal.counts();
    let limits = state.journal.limits();
    let operations: Vec<_> = state.contract.operations().iter().map(|operation| &*operation.id).collect();
    let body = json!({
        "status": "serving",
        "version": env!("CARGO_PKG_VERSION"),
        "uptimeSeconds": state.started.elapsed().as_secs(),
        "contract": {
            "operations": operations,
            "ledger": state.contract.ledger().len(),
        },
        "exchanges": {
            "recorded": counts.recorded,
            "kept": counts.kept,
            "dropped": counts.dropped,
            "forgotten": counts.forgotten,
            "bytes": counts.bytes,
        },
        "limits": {"entries": limits.entries, "bytes": limits.bytes},
        "underWay": {
            "searches": state.load.count(Task::Search),
            "states": state.load.count(Task::State),
            "streams": state.load.count(Task::Stream),
            "waits": state.load.count(Task::Wait),
        },
        "journalFile": state.journal.writer().map(|writer| {
            let counts = writer.counts();
            json!({"written": counts.written, "dropped": counts.dropped})
        }),
        "scripts": {
            "seed": state.scripts.settings().seed,
            "rateLimit": state.scripts.settings().rate_limit,
            "count": state.scripts.count(Timestamp::now()),
        },
        "state": state.sessions.as_ref().map(|sessions| sessions.totals()),
        "unparsed": state.counters.unparsed.load(Ordering::Relaxed),
        "resets": state.counters.resets.load(Ordering::Relaxed),
        "faults": state.counters.faults.load(Ordering::Relaxed),
    });
    reply::whole(StatusCode::OK, json_text(&body))
}

fn openapi(ask: &Ask<'_>) -> Answer {
    let audience = match ask.params.text("for") {
        None | Some("validators") => Audience::Exact,
        Some("generators") => Audience::Generators(ask.state.errors),
        Some(other) => return Err(params::unexpected("for", "validators or generators", other)),
    };
    // The host was looked at before; it is where this call came to.
    let url = format!("http://{}", access::host(ask.parts).unwrap_or("localhost"));
    let contract = &ask.state.contract;
    let text = ask.state.documents.get(audience, &url, || {
        let has_state = ask.state.sessions.is_some();
        if has_state { contract.linked_at(audience, &url) } else { contract.published_at(audience, &url) }
    });
    Ok(reply::whole(StatusCode::OK, text))
}

fn ledger(ask: &Ask<'_>) -> Response<ControlBody> {
    reply::json(StatusCode::OK, ask.state.contract.ledger())
}

/// Lets the server end. This call is answered first, as every request that is under way.
fn stop(ask: &Ask<'_>) -> Answer {
    ask.state.access.check_stop(ask.parts)?;
    ask.state.stop.cancel();
    Ok(reply::json(StatusCode::OK, &json!({"status": "stopping"})))
}
