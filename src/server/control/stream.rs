//! `GET requests/stream`: server-sent events, one per exchange.
//!
//! A reader has a position in the journal and nothing else, so a slow one costs nothing. When it falls so far behind that
//! exchanges have gone which it has not seen, an event `dropped` says how many.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use hyper::{
    StatusCode,
    header::{HeaderName, HeaderValue},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{
    Answer,
    ask::Ask,
    body,
    listeners::Listener,
    load::{Place, Task},
    params::unexpected,
    reply::{self, Refused},
    search::Search,
};
use crate::{Journal, render::ndjson};

/// Starts past `Last-Event-ID`, which a browser sends when it connects again, or past `after`, or with the oldest
/// exchange that is kept.
pub(super) fn stream(ask: &Ask<'_>) -> Answer {
    let state = ask.state;
    let mut filter = ask.params.filter(state)?;
    if let Some(value) = ask.parts.headers.get(LAST_EVENT_ID) {
        filter.after = value.to_str().ok().and_then(|text| text.trim().parse().ok()).ok_or_else(|| {
            let found = String::from_utf8_lossy(value.as_bytes());
            unexpected("last-event-id", "the number of an exchange", &found)
        })?;
    }
    let reader = Reader {
        found: VecDeque::new(),
        journal: Arc::clone(&state.journal),
        listener: Listener::new(&state.listeners, &state.journal, &filter.matcher, MOST),
        place: state.load.place(Task::Stream, ask.caller)?,
        search: Search::new(&state.journal, filter),
        started: false,
        stop: state.stop.clone(),
    };
    Ok(reply::with_body(
        StatusCode::OK,
        HeaderValue::from_static("text/event-stream"),
        body::unfold(reader, Reader::next),
    ))
}

struct Reader {
    /// Numbers that matched and were not sent yet; a handful, so there is nothing to gain by more.
    found: VecDeque<u64>,
    journal: Arc<Journal>,
    listener: Listener,
    place: Place,
    search: Search,
    started: bool,
    stop: CancellationToken,
}

impl Reader {
    /// The next event. None when the server stops: that is the one body which has no other end.
    async fn next(mut self) -> Option<(String, Self)> {
        if !self.started {
            self.started = true;
            return Some(("retry: 1000\n\n".to_owned(), self));
        }
        let stop = self.stop.clone();
        loop {
            let looked = tokio::select! {
                looked = self.look() => looked,
                () = stop.cancelled() => return None,
            };
            // A search that broke is the end; its reader connects again and goes on where it was.
            if let Some(event) = looked.ok()? {
                return Some((event, self));
            }
            let heard = tokio::select! {
                heard = timeout(HEARTBEAT, self.listener.heard(self.search.position, 1)) => heard,
                () = stop.cancelled() => return None,
            };
            if heard.is_err() {
                // A comment: it shows whether the reader is still there.
                return Some((":\n\n".to_owned(), self));
            }
        }
    }

    /// Moves to the next exchange that matches, or to the end.
    async fn look(&mut self) -> Result<Option<String>, Refused> {
        loop {
            if let Some(id) = self.found.pop_front() {
                if let Some(recorded) = self.journal.get(id) {
                    let line = ndjson::line(&recorded);
                    return Ok(Some(format!("id: {id}\nevent: exchange\ndata: {line}\n\n")));
                }
                // It has gone, and others with it: the next look counts them.
                self.found.clear();
                self.search.position = id - 1;
            }
            let slice = self.search.next(Some(&self.place)).await?;
            self.found = slice.found.into();
            if slice.dropped > 0 {
                let dropped = slice.dropped;
                let id = slice.from;
                return Ok(Some(format!("id: {id}\nevent: dropped\ndata: {{\"dropped\":{dropped}}}\n\n")));
            }
            if slice.is_end {
                return Ok(None);
            }
        }
    }
}

/// So many exchanges are passed over at most before it looks: they must not leave the journal meanwhile and count as missed.
const MOST: u64 = 32;

const HEARTBEAT: Duration = Duration::from_secs(15);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
