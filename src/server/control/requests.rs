//! What was received: listing it, waiting for it, forgetting it, verifying it.

use std::{collections::VecDeque, iter, sync::Arc, time::Duration};

use hyper::{Response, StatusCode};
use jiff::Timestamp;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::{
    Answer, ControlState,
    ask::Ask,
    body::{self, ControlBody},
    listeners::Listener,
    load::{Place, Task},
    numbers::{Layout, Numbers},
    params::{check_matcher, unexpected},
    reply::{self, Refused},
    search::{Search, matching},
};
use crate::{Expectation, Filter, Journal, Verdict, counted::counted, journal::Verification, render::ndjson};

/// `GET requests`, with or without `wait`.
pub(super) async fn list_or_wait(ask: Ask<'_>) -> Answer {
    let Ask { state, params, caller, .. } = ask;
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
            let place = state.load.place(Task::Wait, caller)?;
            wait(state, &place, filter, n, timeout, limit.unwrap_or(bound)).await
        }
        (None, Some(_)) => {
            Err(Refused::bad("expected a timeout only together with wait, but found it alone"))
        }
        (None, None) => {
            let needs_place = Search::needs_place(&filter);
            let place = needs_place.then(|| state.load.place(Task::Search, caller)).transpose()?;
            list(state, place.as_ref(), filter, limit.unwrap_or(LIMIT.min(bound))).await
        }
    }
}

async fn list(state: &ControlState, place: Option<&Place>, filter: Filter, limit: usize) -> Answer {
    let until = state.journal.counts().recorded;
    let after = filter.after;
    let mut found = matching(&state.journal, place, filter, until, limit).await?;
    let last = if found.len() >= limit {
        found.truncate(limit);
        found.last().copied().unwrap_or(after)
    } else {
        until.max(after)
    };
    Ok(listing(state, StatusCode::OK, None, found, last))
}

async fn wait(
    state: &ControlState,
    place: &Place,
    filter: Filter,
    n: usize,
    timeout: Duration,
    limit: usize,
) -> Answer {
    let deadline = Instant::now() + timeout;
    let listener = Listener::new(&state.listeners, &state.journal, &filter.matcher, u64::MAX);
    let after = filter.after;
    let mut search = Search::new(&state.journal, filter);
    let mut found = VecDeque::new();
    let mut is_late = false;
    let (status, error) = loop {
        loop {
            let slice = search.next(Some(place)).await?;
            found.extend(slice.found);
            if slice.is_end || found.len() >= n {
                break;
            }
        }
        forget_gone(&state.journal, &mut found);
        if found.len() >= n {
            found.truncate(n);
            break (StatusCode::OK, None);
        }
        if is_late {
            let error = format!(
                "expected {} within {timeout:?}, but found {}",
                counted(n, "matching exchange"),
                found.len()
            );
            break (StatusCode::EXPECTATION_FAILED, Some(error));
        }
        // After the last tick there is one more look: they may have come with it.
        let heard = listener.heard(search.position, n - found.len());
        is_late = timeout_at(deadline, heard).await.is_err();
    };
    found.truncate(limit);
    let last = found.back().copied().unwrap_or(after);
    Ok(listing(state, status, error, found.into(), last))
}

/// Takes out the numbers of those that are not kept any more.
fn forget_gone(journal: &Journal, found: &mut VecDeque<u64>) {
    let oldest = journal.read(0, 1).exchanges.first().map_or(u64::MAX, |kept| kept.id);
    while found.front().is_some_and(|&id| id < oldest) {
        found.pop_front();
    }
}

/// `GET requests/ID`.
pub(super) fn one(ask: &Ask<'_>) -> Answer {
    let Ask { state, id, .. } = ask;
    let not_found = |error: String| Err(Refused::new(StatusCode::NOT_FOUND, error));
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
pub(super) fn clear(ask: &Ask<'_>) -> Response<ControlBody> {
    let forgotten = ask.state.journal.clear();
    reply::json(StatusCode::OK, &json!({"forgotten": forgotten}))
}

/// `POST requests/verify`.
pub(super) async fn verify(ask: Ask<'_>) -> Answer {
    let Ask { state, body, caller, .. } = ask;
    let expectation = Expectation::from_json(body).map_err(|error| Refused::bad(error.to_string()))?;
    check_matcher(state, &expectation.matcher, "/")?;
    let place = state.load.place(Task::Search, caller)?;
    let expected = counted(expectation.amount(), "matching exchange");
    let mut verification = Verification::new(&state.journal, expectation);
    loop {
        let journal = Arc::clone(&state.journal);
        let step = move || {
            let is_more = verification.step(&journal);
            (verification, is_more)
        };
        let is_more;
        (verification, is_more) = place.part(true, step).await?;
        if !is_more {
            break;
        }
    }
    // A test that waits for a fault which never came proves nothing.
    let never_acted = state.scripts.never_acted(Timestamp::now());
    let never_acted = (!never_acted.is_empty()).then(|| json!(never_acted));
    match verification.verdict() {
        Verdict::Held { ids } => {
            let mut held = json!({"verdict": "held", "count": ids.len(), "ids": ids});
            if let Some(never_acted) = never_acted {
                held["neverActed"] = never_acted;
            }
            Ok(reply::json(StatusCode::OK, &held))
        }
        Verdict::Failed { ids, misses } => {
            let error = format!("expected {expected}, but found {}", ids.len());
            let refused = Refused::new(StatusCode::EXPECTATION_FAILED, error)
                .with("verdict", json!("failed"))
                .with("count", json!(ids.len()))
                .with("ids", json!(ids))
                .with("nearest", json!(misses));
            Err(match never_acted {
                Some(never_acted) => refused.with("neverActed", never_acted),
                None => refused,
            })
        }
        Verdict::Unknown { dropped, forgotten } => Err(Refused::new(
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

/// Exchanges as one JSON object, rendered while they are sent. Those that went before their turn came are counted in it.
fn listing(
    state: &ControlState,
    status: StatusCode,
    error: Option<String>,
    found: Vec<u64>,
    last: u64,
) -> Response<ControlBody> {
    let head = match error {
        Some(error) => format!(r#"{{"error":{},"exchanges":["#, json!(error)),
        None => r#"{"exchanges":["#.to_owned(),
    };
    let dropped = state.journal.counts().dropped;
    let pieces = Numbers::these(&state.journal, found).text(Layout {
        separator: ",",
        render: ndjson::line,
        gap: |_| String::new(),
        tail: move |gone| {
            let gone = if gone > 0 { format!(r#","gone":{gone}"#) } else { String::new() };
            format!("],\"dropped\":{dropped},\"last\":{last}{gone}}}\n")
        },
    });
    reply::with_body(status, reply::JSON, body::pieces(iter::once(head).chain(pieces)))
}

/// How many exchanges are listed when nothing else is asked for.
const LIMIT: usize = 100;
const DEFAULT_WAIT: Duration = Duration::from_secs(5);
const MAX_WAIT: Duration = Duration::from_secs(60);
