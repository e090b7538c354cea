//! What was received: listing it, waiting for it, forgetting it, verifying it.

use std::{iter, sync::Arc, time::Duration};

use hyper::{Response, StatusCode, http::request::Parts};
use serde_json::json;
use tokio::{task::spawn_blocking, time::timeout_at};

use super::{
    ControlState,
    body::{self, ControlBody},
    params::{Params, known_operation, unexpected},
    reply::{self, Problem},
};
use crate::{Expectation, Filter, Recorded, Verdict, journal::Waiting, render::ndjson};

/// `GET requests`, with or without `wait`.
pub(super) async fn list_or_wait(
    state: &ControlState,
    params: &Params,
) -> Result<Response<ControlBody>, Problem> {
    let filter = params.filter(state)?;
    let bound = state.journal.limits().entries;
    let at_most = |name: &str, number: usize| {
        if number <= bound {
            return Ok(number);
        }
        let expected = format!("at most {bound}, which is as many as the journal keeps");
        Err(unexpected(name, &expected, &number.to_string()))
    };
    let limit = params.number("limit")?.map(|limit| at_most("limit", limit)).transpose()?;
    let n = params.number("wait")?.map(|n| at_most("wait", n)).transpose()?;
    let timeout = params.time("timeout", MAX_WAIT)?;
    match (n, timeout) {
        (Some(n), timeout) => {
            let timeout = timeout.unwrap_or(DEFAULT_WAIT);
            wait(state, filter, n, timeout, limit.unwrap_or(bound)).await
        }
        (None, Some(_)) => {
            Err(Problem::bad("expected a timeout only together with wait, but found it alone"))
        }
        (None, None) => list(state, filter, limit.unwrap_or(LIMIT.min(bound))).await,
    }
}

async fn list(state: &ControlState, filter: Filter, limit: usize) -> Result<Response<ControlBody>, Problem> {
    let journal = Arc::clone(&state.journal);
    let page = aside(move || journal.list(&filter, limit)).await?;
    let tail = format!(r#"],"dropped":{},"last":{}}}"#, page.dropped, page.last);
    Ok(listing(StatusCode::OK, r#"{"exchanges":["#.to_owned(), page.exchanges, tail))
}

async fn wait(
    state: &ControlState,
    filter: Filter,
    n: usize,
    timeout: Duration,
    limit: usize,
) -> Result<Response<ControlBody>, Problem> {
    let deadline = tokio::time::Instant::now() + timeout;
    // Before the first look, so that nothing comes between.
    let mut grown = state.grown.subscribe();
    let after = filter.after;
    let mut waiting = Waiting::new(filter, n);
    let (status, error, mut exchanges) = loop {
        let journal = Arc::clone(&state.journal);
        let (looked, found) = aside(move || {
            let found = waiting.poll(&journal);
            (waiting, found)
        })
        .await?;
        waiting = looked;
        if let Some(found) = found {
            break (StatusCode::OK, None, found);
        }
        if !matches!(timeout_at(deadline, grown.changed()).await, Ok(Ok(()))) {
            // It may have come with the last tick.
            if let Some(found) = waiting.poll(&state.journal) {
                break (StatusCode::OK, None, found);
            }
            let found = waiting.found(&state.journal);
            let error =
                format!("expected {n} matching exchanges within {timeout:?}, but found {}", found.len());
            break (StatusCode::EXPECTATION_FAILED, Some(error), found);
        }
    };
    exchanges.truncate(limit);
    let last = exchanges.last().map_or(after, |recorded| recorded.id);
    let head = match error {
        Some(error) => format!(r#"{{"error":{},"exchanges":["#, json!(error)),
        None => r#"{"exchanges":["#.to_owned(),
    };
    let dropped = state.journal.counts().dropped;
    let tail = format!(r#"],"dropped":{dropped},"last":{last}}}"#);
    Ok(listing(status, head, exchanges, tail))
}

/// `GET requests/ID`.
pub(super) fn one(state: &ControlState, id: &str) -> Result<Response<ControlBody>, Problem> {
    let not_found = |error: String| Err(Problem::new(StatusCode::NOT_FOUND, error));
    let Ok(number) = id.parse::<u64>() else {
        return not_found(format!("expected the number of an exchange, stream or verify, but found `{id}`"));
    };
    if let Some(recorded) = state.journal.get(number) {
        let line = ndjson::line(&recorded) + "\n";
        return Ok(reply::whole(StatusCode::OK, line.into()));
    }
    let newest = state.journal.counts().recorded;
    if (1..=newest).contains(&number) {
        not_found(format!(
            "exchange {number} is not kept any more: it was dropped for want of room, or forgotten by a DELETE"
        ))
    } else {
        not_found(format!("exchange {number} is not recorded; the newest is {newest}"))
    }
}

/// `DELETE requests`.
pub(super) fn clear(state: &ControlState) -> Response<ControlBody> {
    let forgotten = state.journal.clear();
    reply::json(StatusCode::OK, &json!({"forgotten": forgotten}))
}

/// `POST requests/verify`.
pub(super) async fn verify(
    state: &ControlState,
    parts: &Parts,
    body: &[u8],
) -> Result<Response<ControlBody>, Problem> {
    reply::expect_json(parts)?;
    let expectation = Expectation::from_json(body).map_err(|error| Problem::bad(error.to_string()))?;
    if let Some(operation) = &expectation.matcher.operation {
        known_operation(state, operation)
            .map_err(|expected| unexpected("/operation", &expected, operation))?;
    }
    let journal = Arc::clone(&state.journal);
    let expected = amount(&expectation);
    match aside(move || journal.verify(&expectation)).await? {
        Verdict::Held { ids } => Ok(reply::json(
            StatusCode::OK,
            &json!({"verdict": "held", "count": ids.len(), "ids": ids}),
        )),
        Verdict::Failed { ids, misses } => Err(Problem::new(
            StatusCode::EXPECTATION_FAILED,
            format!(
                "expected {expected} matching exchanges, but found {}",
                ids.len()
            ),
        )
        .with("verdict", json!("failed"))
        .with("count", json!(ids.len()))
        .with("ids", json!(ids))
        .with("nearest", json!(misses))),
        Verdict::Unknown { dropped, forgotten } => Err(Problem::new(
            StatusCode::CONFLICT,
            format!(
                "it depends on exchanges that have gone: {dropped} dropped for want of room, {forgotten} forgotten by a DELETE; \
                 start standin with higher --journal-entries and --journal-bytes, or use a later after"
            ),
        )
        .with("verdict", json!("unknown"))
        .with("dropped", json!(dropped))
        .with("forgotten", json!(forgotten))),
    }
}

fn amount(expectation: &Expectation) -> String {
    let at_least = expectation.at_least;
    match expectation.at_most {
        None => format!("at least {at_least}"),
        Some(at_most) if at_most == at_least => at_most.to_string(),
        Some(at_most) => format!("{at_least} to {at_most}"),
    }
}

/// Exchanges between two texts, rendered while they are sent.
fn listing(
    status: StatusCode,
    head: String,
    exchanges: Vec<Arc<Recorded>>,
    tail: String,
) -> Response<ControlBody> {
    let body = iter::once(head)
        .chain(body::separated(exchanges.into_iter(), ",", |recorded| ndjson::line(recorded)))
        .chain(iter::once(tail + "\n"));
    reply::with_body(status, reply::JSON, body::pieces(body))
}

/// Runs what may take a while on a thread of its own: searching the whole journal takes longer than a request may wait.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    spawn_blocking(work)
        .await
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

/// How many exchanges are listed when nothing else is asked for.
const LIMIT: usize = 100;
const DEFAULT_WAIT: Duration = Duration::from_secs(5);
const MAX_WAIT: Duration = Duration::from_secs(60);
