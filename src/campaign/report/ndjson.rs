//! Every trial as a line of JSON.

use serde::Serialize;

use crate::{
    campaign::{Trial, Verdict},
    render::ndjson,
};

/// A trial as one line of JSON, without the line's end: the trial's own members, and in `verdicts` what the checks say
/// of its answer. Checks that were silent are not in it.
pub fn line(trial: &Trial, verdicts: &[Verdict]) -> String {
    // Serializing strings, numbers and lists to a string cannot fail.
    ndjson::unbroken(serde_json::to_string(&Line { trial, verdicts }).unwrap_or_default())
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    trial: &'a Trial,
    verdicts: &'a [Verdict],
}
