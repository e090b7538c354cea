//! `GET export`: the journal as a file.

use std::iter;

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
};
use crate::render::{curl, har, ndjson};

/// What is in the journal at this moment; it stays alive until the file is written.
pub(super) fn export(
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
        Some(format) => return Err(unexpected("format", FORMATS, format)),
        None => return Err(unexpected("format", FORMATS, "")),
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

const FORMATS: &str = "ndjson, har or curl";
