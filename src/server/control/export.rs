//! `GET export`: the journal as a file.

use std::{iter, sync::Arc};

use hyper::{
    StatusCode,
    header::{CONTENT_DISPOSITION, HeaderValue},
};

use super::{
    Answer, ControlState, access,
    ask::Ask,
    body,
    load::{Place, Task},
    numbers::{Layout, Numbers},
    params::unexpected,
    reply::{self, Refused},
    search::{Search, matching},
};
use crate::{
    Filter, Journal, Recorded,
    pact::{self, Traffic},
    render::{curl, har, ndjson},
    server::watch::InFlight,
};

/// What is asked for of the journal as it is at this moment, as far as it is still there when its turn to be written
/// comes; the file says how much was not.
pub(super) async fn export(ask: Ask<'_>) -> Answer {
    let Ask { state, parts, params, caller, .. } = ask;
    let filter = params.filter(state)?;
    let format = params
        .text("format")
        .ok_or_else(|| Refused::bad(format!("format: expected {FORMATS}, but found nothing")))?;
    let (media_type, disposition, body) = match format {
        "ndjson" => {
            let lines = asked_for(state, caller, filter).await?.text(Layout {
                separator: "",
                render: |recorded: &Recorded| ndjson::line(recorded) + "\n",
                gap: |gone| ndjson::gap(gone) + "\n",
                tail: |_| String::new(),
            });
            ("application/x-ndjson", "attachment; filename=\"standin.ndjson\"", body::pieces(lines))
        }
        "har" => {
            let (head, tail) = har::frame();
            let entries = asked_for(state, caller, filter).await?.text(Layout {
                separator: ",\n",
                render: |recorded: &Recorded| har::entry(recorded).to_string(),
                gap: |_| String::new(),
                tail: move |gone| {
                    let comment =
                        if gone > 0 { format!(",\"comment\":\"{}\"", missing(gone)) } else { String::new() };
                    format!("\n]{comment}{tail}\n")
                },
            });
            let pieces = iter::once(head).chain(entries);
            ("application/json", "attachment; filename=\"standin.har\"", body::pieces(pieces))
        }
        "curl" => {
            // Where this call came to is where the commands go to.
            let base_url = format!("http://{}", access::host(parts).unwrap_or("localhost"));
            let commands = asked_for(state, caller, filter).await?.text(Layout {
                separator: "\n",
                render: move |recorded: &Recorded| curl::paragraph(recorded, &base_url),
                gap: |gone| format!("# {}\n", missing(gone)),
                tail: |_| String::new(),
            });
            ("text/plain; charset=utf-8", "attachment; filename=\"standin.sh\"", body::pieces(commands))
        }
        "pact" => {
            let place = state.load.place(Task::Search, caller)?;
            let consumer = params.text("consumer").unwrap_or(pact::CONSUMER);
            let pact = traffic(state, &place, filter, consumer).await?;
            let disposition = "attachment; filename=\"standin.pact.json\"";
            ("application/json", disposition, body::whole(pact.into()))
        }
        other => return Err(unexpected("format", FORMATS, other)),
    };
    let media_type = HeaderValue::from_static(media_type);
    let mut response = reply::with_body(StatusCode::OK, media_type, body);
    response.headers_mut().insert(CONTENT_DISPOSITION, HeaderValue::from_static(disposition));
    Ok(response)
}

/// The exchanges that are asked for.
async fn asked_for(state: &ControlState, caller: &InFlight, filter: Filter) -> Result<Numbers, Refused> {
    let place = Search::needs_place(&filter).then(|| state.load.place(Task::Search, caller)).transpose()?;
    let until = state.journal.counts().recorded;
    let found = matching(&state.journal, place.as_ref(), filter, until, usize::MAX).await?;
    Ok(Numbers::these(&state.journal, found))
}

/// A pact of what is asked for of the journal as it is at this moment, as far as it is still there when its turn comes.
async fn traffic(
    state: &ControlState,
    place: &Place,
    filter: Filter,
    consumer: &str,
) -> Result<String, Refused> {
    let mut traffic = Traffic::new(&state.contract, consumer);
    let until = state.journal.counts().recorded;
    let mut position = filter.after;
    let filter = Arc::new(filter);
    while position < until {
        let chunk = state.journal.read(position, Journal::CHUNK).one_look();
        let Some(newest) = chunk.exchanges.last().map(|newest| newest.id) else { break };
        let filter = Arc::clone(&filter);
        let part = move || {
            let matching = chunk.exchanges.iter().filter(|recorded| filter.matches(recorded));
            for recorded in matching.filter(|recorded| recorded.id <= until) {
                traffic.add(&recorded.exchange);
                if traffic.is_too_large() {
                    break;
                }
            }
            traffic
        };
        traffic = place.part(true, part).await?;
        if traffic.is_too_large() {
            return Err(Refused::bad(
                "expected shapes that fit into a pact of 8 MiB, but found more; ask for fewer with operation=, after= or another condition",
            ));
        }
        position = newest;
    }
    place.part(true, move || format!("{:#}\n", traffic.pact())).await
}

fn missing(gone: u64) -> String {
    format!("{gone} exchanges are missing: they left the journal before they could be written")
}

const FORMATS: &str = "ndjson, har, curl or pact";
