//! What is wrong with a server, said once.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Answer, Check, Sent};
use crate::{Rule, payload::Label};

/// What is wrong with a server: confirmed, made small, and told once for its check, operation, rule and place.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The same in every run that finds the same: made of check, operation, rule and place.
    pub fingerprint: String,
    /// The check that failed.
    pub check: Check,
    /// How bad it is.
    pub severity: Severity,
    /// The operation.
    pub operation: String,
    /// What it is about.
    pub place: Place,
    /// Where the rule comes from: `pages`, `vendor` or `assumed`.
    pub basis: String,
    /// The page and row that says so, `observed`, or why it is assumed.
    pub source: String,
    /// What was expected, as a sentence.
    pub expected: String,
    /// What was found, as a sentence.
    pub found: String,
    /// What is known of the request.
    pub label: Label,
    /// The requests that come before it, when it takes any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// The smallest request that was found to do it.
    pub sent: Sent,
    /// What came back for it; of a body, the first 64 KiB.
    pub answer: Answer,
    /// How often it failed when it was repeated.
    pub failed: u32,
    /// How often it was repeated.
    pub repeated: u32,
    /// How many requests failed in the same way.
    pub count: u64,
    /// The campaign's seed.
    pub seed: u64,
    /// Whether it was known before, by a [`Baseline`](super::Baseline).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_known: bool,
}

/// What a finding is about.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The rule that the request breaks, or that it keeps in a way that was not understood; none where it is not about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// Where, as a pointer into the request or the reply; positions in lists are `*`.
    pub pointer: String,
}

/// A request that comes before that of a finding.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The operation.
    pub operation: String,
    /// The request.
    pub sent: Sent,
    /// The id that its reply had. Whoever sends the steps again puts the new one in its place in what follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<String>,
    /// Where in the body of the reply that id is, as a JSON pointer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub made_at: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The server does not do what the documentation says.
    Error,
    /// Those who use it would be better off if it did otherwise.
    Warning,
}

impl Finding {
    /// The fingerprint of what a check finds at a place.
    pub fn fingerprint_of(check: Check, operation: &str, place: &Place) -> String {
        let rule = place.rule.map_or("", Rule::name);
        let text = format!("{check}\n{operation}\n{rule}\n{}", place.pointer);
        Sha256::digest(text).iter().take(8).fold(String::with_capacity(16), |mut hex, byte| {
            // Writing to a string does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

impl Severity {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}
