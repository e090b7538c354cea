//! The control API under `/__standin/`: what was received, waiting for it, verifying it, exporting it.
//!
//! A page of another origin can change nothing here: what changes something is never a request that a browser sends
//! without asking first, and the answer is no unless the origin is configured. See [`access`].

mod access;
mod body;
mod export;
mod params;
mod reply;
mod requests;
mod states;
mod stream;
#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use bytes::Bytes;
use hyper::{
    Method, Response, StatusCode,
    header::{ALLOW, HeaderValue},
    http::request::Parts,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{ControlConfig, Counters, stop::Stop};
use crate::{Contract, Journal};

use access::Access;
pub(crate) use body::ControlBody;
use params::Params;
use reply::{Problem, json_text};

/// What the control API knows.
pub(crate) struct ControlState {
    access: Access,
    contract: Arc<Contract>,
    counters: Arc<Counters>,
    /// Changes with every exchange that is recorded while somebody listens.
    grown: Arc<watch::Sender<u64>>,
    journal: Arc<Journal>,
    started: Instant,
    stop: Arc<Stop>,
}

impl ControlState {
    pub(crate) fn new(
        contract: Arc<Contract>,
        journal: Arc<Journal>,
        counters: Arc<Counters>,
        stop: Arc<Stop>,
        config: ControlConfig,
    ) -> Self {
        let grown = Arc::new(watch::Sender::new(0));
        let sender = Arc::clone(&grown);
        journal.on_record(Box::new(move |recorded| {
            // Whoever listens subscribes before looking at the journal, so nobody misses this.
            if sender.receiver_count() > 0 {
                sender.send_replace(recorded.id);
            }
        }));
        let access = Access::new(config);
        Self { access, contract, counters, grown, journal, started: Instant::now(), stop }
    }
}

/// Answers a call of the control API. A wait ends when the server stops or the future is dropped.
pub(crate) async fn respond(state: &ControlState, parts: &Parts, body: Bytes) -> Response<ControlBody> {
    let answered = tokio::select! {
        answered = answer(state, parts, &body) => answered,
        () = Arc::clone(&state.stop).wait() => {
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping"))
        }
    };
    finished(state, parts, answered)
}

/// Answers a call whose body did not come in whole.
pub(crate) fn refuse(
    state: &ControlState,
    parts: &Parts,
    status: StatusCode,
    error: &str,
) -> Response<ControlBody> {
    finished(state, parts, Err(Problem::new(status, error)))
}

fn finished(
    state: &ControlState,
    parts: &Parts,
    answered: Result<Response<ControlBody>, Problem>,
) -> Response<ControlBody> {
    let mut response = answered.unwrap_or_else(Problem::response);
    reply::seal(&mut response);
    state.access.open(parts, &mut response);
    response
}

async fn answer(state: &ControlState, parts: &Parts, body: &[u8]) -> Result<Response<ControlBody>, Problem> {
    state.access.check_host(parts)?;
    if access::is_preflight(parts) {
        return state.access.preflight(parts);
    }
    let path = parts.uri.path();
    if path == STATES {
        state.access.check_token_or(parts, states::token(parts)?.as_deref())?;
    } else {
        state.access.check_token(parts)?;
    }
    let resource = Resource::of(path)?;
    // Like GET; hyper leaves the body out.
    let method = match parts.method {
        Method::HEAD => &Method::GET,
        ref method => method,
    };
    let params = |known: &[&'static str]| Params::parse(parts.uri.query(), known);
    match (resource, method) {
        (Resource::Health, &Method::GET) => {
            params(&[])?;
            Ok(health(state))
        }
        (Resource::Requests, &Method::GET) => {
            let params = params(&params::REQUESTS)?;
            requests::list_or_wait(state, &params).await
        }
        (Resource::Requests, &Method::DELETE) => {
            params(&[])?;
            Ok(requests::clear(state))
        }
        (Resource::Request(id), &Method::GET) => {
            params(&[])?;
            requests::one(state, id)
        }
        (Resource::Verify, &Method::POST) => {
            params(&[])?;
            requests::verify(state, parts, body).await
        }
        (Resource::States, &Method::POST) => states::change(state, parts, body),
        (Resource::Stream, &Method::GET) => {
            let params = params(&params::STREAM)?;
            stream::stream(state, parts, &params)
        }
        (Resource::Export, &Method::GET) => {
            let params = params(&params::EXPORT)?;
            export::export(state, parts, &params).await
        }
        (Resource::OpenApi, &Method::GET) => {
            params(&[])?;
            Ok(reply::whole(StatusCode::OK, state.contract.published().clone()))
        }
        (Resource::Ledger, &Method::GET) => {
            params(&[])?;
            Ok(reply::json(StatusCode::OK, state.contract.ledger()))
        }
        (resource, method) => Err(resource.refuse(method)),
    }
}

/// What a path names.
#[derive(Clone, Copy)]
enum Resource<'a> {
    Export,
    Health,
    Ledger,
    OpenApi,
    Request(&'a str),
    Requests,
    States,
    Stream,
    Verify,
}

impl<'a> Resource<'a> {
    fn of(path: &'a str) -> Result<Self, Problem> {
        let name = path.strip_prefix("/__standin").unwrap_or(path);
        Ok(match name {
            "/export" => Self::Export,
            "/health" => Self::Health,
            "/ledger" => Self::Ledger,
            "/openapi.json" => Self::OpenApi,
            "/provider-states" => Self::States,
            "/requests" => Self::Requests,
            "/requests/stream" => Self::Stream,
            "/requests/verify" => Self::Verify,
            _ => match name.strip_prefix("/requests/") {
                Some(id) if !id.is_empty() && !id.contains('/') => Self::Request(id),
                _ => {
                    return Err(Problem::new(
                        StatusCode::NOT_FOUND,
                        format!("expected a path of the control API, but found `{path}`"),
                    )
                    .with("paths", paths()));
                }
            },
        })
    }

    fn refuse(self, method: &Method) -> Problem {
        let allowed = match self {
            Self::Requests => "GET, HEAD, DELETE",
            Self::States | Self::Verify => "POST",
            _ => "GET, HEAD",
        };
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("expected {allowed}, but found `{method}`"))
            .header(ALLOW, HeaderValue::from_static(allowed))
    }
}

fn health(state: &ControlState) -> Response<ControlBody> {
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
        "unparsed": state.counters.unparsed.load(Ordering::Relaxed),
    });
    reply::whole(StatusCode::OK, json_text(&body))
}

/// Where Pact's verifiers announce the state that they need.
const STATES: &str = "/__standin/provider-states";

/// What there is to call, for whoever asked for something else.
fn paths() -> Value {
    CALLS.iter().map(|(method, path, _)| format!("{method} {path}")).collect()
}

/// Method, path and purpose of each call.
pub(crate) const CALLS: [(&str, &str, &str); 10] = [
    ("GET", "/__standin/health", "whether it serves, and its counts"),
    ("GET", "/__standin/requests", "recorded exchanges; wait=N waits for them"),
    ("GET", "/__standin/requests/ID", "one exchange"),
    ("DELETE", "/__standin/requests", "forget all exchanges"),
    ("POST", "/__standin/requests/verify", "assert which requests were received"),
    ("GET", "/__standin/requests/stream", "server-sent events, one per exchange"),
    ("GET", "/__standin/export?format=ndjson|har|curl|pact", "the journal as a file"),
    ("POST", STATES, "what Pact's verifiers call"),
    ("GET", "/__standin/openapi.json", "the contract as OpenAPI 3.1"),
    ("GET", "/__standin/ledger", "where the documentation contradicts itself"),
];
