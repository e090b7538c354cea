//! `GET export`: the journal as a file.

use std::{iter, sync::Arc};

use hyper::{
    Response, StatusCode,
    header::{CONTENT_DISPOSITION, HeaderValue},
    http::request::Parts,
};

use super::{
    ControlState, access,
    body::{self, ControlBody},
    params::{Params, unexpected},
    reply::{self, Problem},
    requests::aside,
};
use crate::{
    pact,
    render::{curl, har, ndjson},
};

/// What is in the journal at this moment; it stays alive until the file is written.
pub(super) async fn export(
    state: &ControlState,
    parts: &Parts,
    params: &Params,
) -> Result<Response<ControlBody>, Problem> {
    let exchanges = || state.journal.snapshot().into_iter();
    let (media_type, disposition, body) = match params.text("format") {
        Some("ndjson") => {
            let lines = exchanges().map(|recorded| ndjson::line(&recorded) + "\n");
            ("application/x-ndjson", "attachment; filename=\"standin.ndjson\"", body::pieces(lines))
        }
        Some("har") => {
            let (head, tail) = har_frame();
            let entries = body::separated(exchanges(), ",\n", |recorded| har::entry(recorded).to_string());
            let pieces = iter::once(head).chain(entries).chain(iter::once(tail));
            ("application/json", "attachment; filename=\"standin.har\"", body::pieces(pieces))
        }
        Some("curl") => {
            // Where this call came to is where the commands go to.
            let base_url = format!("http://{}", access::host(parts).unwrap_or("localhost"));
            let commands =
                body::separated(exchanges(), "\n", move |recorded| curl::paragraph(recorded, &base_url));
            ("text/plain; charset=utf-8", "attachment; filename=\"standin.sh\"", body::pieces(commands))
        }
        Some("pact") => {
            let (contract, journal) = (Arc::clone(&state.contract), Arc::clone(&state.journal));
            let consumer = params.text("consumer").unwrap_or(pact::CONSUMER).to_owned();
            let pact = aside(move || {
                let exchanges = journal.snapshot();
                let exchanges = exchanges.iter().map(|recorded| &recorded.exchange);
                format!("{:#}\n", pact::from_exchanges(&contract, &consumer, exchanges))
            });
            let disposition = "attachment; filename=\"standin.pact.json\"";
            ("application/json", disposition, body::whole(pact.await?.into()))
        }
        Some(format) => return Err(unexpected("format", FORMATS, format)),
        None => return Err(Problem::bad(format!("format: expected {FORMATS}, but found nothing"))),
    };
    let media_type = HeaderValue::from_static(media_type);
    let mut response = reply::with_body(StatusCode::OK, media_type, body);
    response.headers_mut().insert(CONTENT_DISPOSITION, HeaderValue::from_static(disposition));
    Ok(response)
}

/// What comes before and after the entries of a log.
fn har_frame() -> (String, String) {
    let empty = har::empty().to_string();
    match empty.rsplit_once(']') {
        Some((head, tail)) => (format!("{head}\n"), format!("\n]{tail}\n")),
        None => (empty, String::new()),
    }
}

const FORMATS: &str = "ndjson, har, curl or pact";
