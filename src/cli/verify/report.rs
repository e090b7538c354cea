//! What `standin verify` says about a run: lines for people, JSON and JUnit for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{
    super::{
        error::one_line,
        junit::{Case, CaseResult, Suite},
        style, wrap,
    },
    plan::Planned,
};
use crate::{
    Contract,
    pact::{
        Source,
        verify::{Mismatch, Verification},
    },
};

/// How many characters of a value a line shows.
const WIDTH: usize = 200;

/// A run.
pub(super) struct Report {
    pub(super) url: String,
    pub(super) pacts: Vec<(Source, Vec<Verified>)>,
}

/// An interaction that was verified.
pub(super) struct Verified {
    description: String,
    states: Vec<String>,
    /// Whether it is reported without being counted.
    is_pending: bool,
    mismatches: Vec<Mismatch>,
    /// What else helps to see why.
    notes: Vec<String>,
    seconds: f64,
}

impl Verified {
    /// Each of `secrets` is masked wherever it comes up.
    pub(super) fn new(
        contract: &Contract,
        planned: &Planned,
        outcome: &Verification,
        secrets: &[&str],
    ) -> Self {
        let interaction = planned.json;
        let mask =
            |text: &str| secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "…"));
        let mut notes = Vec::new();
        if planned.is_pending {
            let comments = interaction["comments"]["text"].as_array().into_iter().flatten();
            notes.extend(comments.filter_map(Value::as_str).map(str::to_owned));
        }
        if !outcome.holds() {
            let path = interaction["request"]["path"].as_str().unwrap_or_default();
            if !is_known(contract, path) {
                notes.push(format!("no operation of the contract has the path `{path}`"));
            }
            let is_other = outcome.mismatches.iter().any(|mismatch| !mismatch.place.starts_with("body $"));
            if let Some(reply) = outcome.reply.as_deref().filter(|reply| is_other && !reply.is_empty()) {
                notes.push(format!("the reply was {}", mask(reply)));
            }
        }
        let states = interaction["providerStates"].as_array().into_iter().flatten();
        Self {
            description: planned.description().to_owned(),
            is_pending: planned.is_pending,
            states: states.filter_map(|state| state["name"].as_str()).map(str::to_owned).collect(),
            mismatches: outcome
                .mismatches
                .iter()
                .map(|mismatch| Mismatch {
                    place: mismatch.place.clone(),
                    expected: mask(&mismatch.expected),
                    found: mask(&mismatch.found),
                    message: mask(&mismatch.message),
                })
                .collect(),
            notes,
            seconds: outcome.time.as_secs_f64(),
        }
    }

    fn holds(&self) -> bool {
        self.mismatches.is_empty()
    }

    /// What is wrong, a line each.
    fn complaints(&self) -> Vec<String> {
        let mismatches = self.mismatches.iter().map(|mismatch| {
            let (expected, found) = (cut(&mismatch.expected), cut(&mismatch.found));
            let message = match mismatch.message.as_str() {
                "" => String::new(),
                message => format!(" ({})", cut(message)),
            };
            one_line(&format!("{}: expected {expected}, but found {found}{message}", mismatch.place))
        });
        let notes = self.notes.iter().map(|note| one_line(&format!("note: {}", cut(note))));
        mismatches.chain(notes).collect()
    }
}

impl Report {
    /// Whether every interaction holds.
    pub(super) fn holds(&self) -> bool {
        self.failed() == 0
    }

    /// The interactions that count.
    fn counted(&self) -> impl Iterator<Item = &Verified> {
        self.interactions().filter(|interaction| !interaction.is_pending)
    }

    fn interactions(&self) -> impl Iterator<Item = &Verified> {
        self.pacts.iter().flat_map(|(_, interactions)| interactions)
    }

    fn failed(&self) -> usize {
        self.counted().filter(|interaction| !interaction.holds()).count()
    }

    pub(super) fn to_json(&self) -> Value {
        let pacts: Vec<_> = self
            .pacts
            .iter()
            .map(|(source, interactions)| {
                let interactions: Vec<_> = interactions
                    .iter()
                    .map(|interaction| {
                        let mismatches: Vec<_> = interaction
                            .mismatches
                            .iter()
                            .map(|mismatch| {
                                json!({
                                    "where": mismatch.place,
                                    "expected": mismatch.expected,
                                    "found": mismatch.found,
                                    "message": mismatch.message,
                                })
                            })
                            .collect();
                        json!({
                            "description": interaction.description,
                            "states": interaction.states,
                            "pending": interaction.is_pending,
                            "holds": interaction.holds(),
                            "mismatches": mismatches,
                            "notes": interaction.notes,
                            "seconds": interaction.seconds,
                        })
                    })
                    .collect();
                json!({
                    "pact": source.name(),
                    "consumer": source.consumer(),
                    "provider": source.provider(),
                    "interactions": interactions,
                })
            })
            .collect();
        let count = self.interactions().count();
        json!({
            "url": self.url,
            "holds": self.holds(),
            "interactions": count,
            "failed": self.failed(),
            "pending": count - self.counted().count(),
            "pacts": pacts,
        })
    }

    pub(super) fn to_junit(&self) -> String {
        let cases = self.pacts.iter().flat_map(|(source, interactions)| {
            interactions.iter().map(|interaction| Case {
                name: format!("{}: {}", source.consumer(), interaction.description),
                result: match (interaction.is_pending, interaction.holds()) {
                    (true, holds) => CaseResult::Skipped(
                        std::iter::once(pending_words(holds).to_owned())
                            .chain(interaction.complaints())
                            .collect(),
                    ),
                    (false, true) => CaseResult::Passed,
                    (false, false) => CaseResult::Failed(interaction.complaints()),
                },
            })
        });
        let suite = Suite {
            name: format!("standin verify {}", self.url),
            class: "standin.verify".into(),
            cases: cases.collect(),
        };
        suite.to_xml()
    }
}

/// The lines about an interaction.
pub(super) fn interaction_lines(interaction: &Verified) -> String {
    let (style, word, end) = match (interaction.is_pending, interaction.holds()) {
        (true, holds) => (style::NOTED, "pending", format!(" ({})", pending_words(holds))),
        (false, true) => (style::GOOD, "holds", String::new()),
        (false, false) => (style::BAD, "FAILS", String::new()),
    };
    let width = wrap::width();
    let description = one_line(&format!("{}{end}", interaction.description));
    let first = wrap::beside(&format!("  {word}  "), &description, width);
    let mut lines = first.replacen(word, &style::paint(style, word), 1);
    for complaint in interaction.complaints() {
        lines += &wrap::beside("         ", &complaint, width);
    }
    lines
}

/// What came of an interaction that does not count.
fn pending_words(holds: bool) -> &'static str {
    if holds { "holds, and does not count" } else { "fails, and does not count" }
}

/// The last line.
pub(super) fn summary_line(report: &Report) -> String {
    let (count, failed) = (report.counted().count(), report.failed());
    let url = &report.url;
    let mut line = match failed {
        0 if count == 1 => format!("{url}: the one interaction holds"),
        0 => format!("{url}: all {count} interactions hold"),
        _ => format!("{url}: {} of {count} interactions hold, {failed} fail", count - failed),
    };
    match report.interactions().count() - count {
        0 => {}
        1 => line.push_str("; 1 more is pending and does not count"),
        pending => {
            let _ = write!(line, "; {pending} more are pending and do not count");
        }
    }
    line
}

/// Whether an operation has this path.
fn is_known(contract: &Contract, path: &str) -> bool {
    contract.operations().iter().any(|operation| operation.fit(path).is_some())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(WIDTH) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
