//! `GET requests/stream`: server-sent events, one per exchange.
//!
//! A reader has a position in the journal and nothing else, so a slow one costs nothing. When it falls so far behind that
//! exchanges have gone which it has not seen, an event `dropped` says how many.

use std::{sync::Arc, time::Duration};

use hyper::{
    Response, StatusCode,
    header::{HeaderName, HeaderValue},
    http::request::Parts,
};
use tokio::{sync::watch, time::timeout};

use super::{
    ControlState,
    body::{self, ControlBody},
    params::{Params, unexpected},
    reply::{self, Problem},
};
use crate::{Filter, Journal, render::ndjson, server::stop::Stop};

/// Starts past `Last-Event-ID`, which a browser sends when it connects again, or past `after`, or with the oldest
/// exchange that is kept.
pub(super) fn stream(
    state: &ControlState,
    parts: &Parts,
    params: &Params,
) -> Result<Response<ControlBody>, Problem> {
    let mut filter = params.filter(state)?;
    if let Some(value) = parts.headers.get(LAST_EVENT_ID) {
        filter.after = value.to_str().ok().and_then(|text| text.trim().parse().ok()).ok_or_else(|| {
            let found = String::from_utf8_lossy(value.as_bytes());
            unexpected("last-event-id", "the number of an exchange", &found)
        })?;
    }
    let reader = Reader {
        position: filter.after,
        filter,
        grown: state.grown.subscribe(),
        journal: Arc::clone(&state.journal),
        started: false,
        stop: Arc::clone(&state.stop),
    };
    Ok(reply::with_body(
        StatusCode::OK,
        HeaderValue::from_static("text/event-stream"),
        body::unfold(reader, Reader::next),
    ))
}

struct Reader {
    filter: Filter,
    grown: watch::Receiver<u64>,
    journal: Arc<Journal>,
    position: u64,
    started: bool,
    stop: Arc<Stop>,
}

impl Reader {
    /// The next event. None when the server stops: that is the one body which has no other end.
    async fn next(mut self) -> Option<(String, Self)> {
        if !self.started {
            self.started = true;
            return Some(("retry: 1000\n\n".to_owned(), self));
        }
        loop {
            if self.stop.is_set() {
                return None;
            }
            if let Some(event) = self.look() {
                return Some((event, self));
            }
            let heard = tokio::select! {
                heard = timeout(HEARTBEAT, self.grown.changed()) => heard,
                () = Arc::clone(&self.stop).wait() => return None,
            };
            match heard {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                // A comment: it shows whether the reader is still there.
                Err(_) => return Some((":\n\n".to_owned(), self)),
            }
        }
    }

    /// Moves to the next exchange that matches, or to the end.
    fn look(&mut self) -> Option<String> {
        loop {
            let chunk = self.journal.read(self.position, LOOK);
            let oldest = chunk.exchanges.first().map(|recorded| recorded.id);
            if chunk.dropped > 0 {
                let dropped = chunk.dropped;
                self.position = oldest.map_or(chunk.last, |oldest| oldest - 1);
                return Some(format!(
                    "id: {}\nevent: dropped\ndata: {{\"dropped\":{dropped}}}\n\n",
                    self.position
                ));
            }
            if oldest.is_none() {
                self.position = self.position.max(chunk.last);
                return None;
            }
            for recorded in chunk.exchanges {
                self.position = recorded.id;
                if self.filter.matches(&recorded) {
                    return Some(format!(
                        "id: {}\nevent: exchange\ndata: {}\n\n",
                        recorded.id,
                        ndjson::line(&recorded)
                    ));
                }
            }
        }
    }
}

/// How many exchanges are looked at together; all but the first are for naught when nothing is filtered.
const LOOK: usize = 16;
const HEARTBEAT: Duration = Duration::from_secs(15);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
