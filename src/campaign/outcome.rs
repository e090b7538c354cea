//! What came of a campaign.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Check, Finding, sent};
use crate::{BaseUrl, Rule};

/// What came of a campaign.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The base URL of the server.
    pub target: String,
    /// The seed.
    pub seed: u64,
    /// Why it ended.
    pub ended: Ended,
    /// How long it took.
    #[serde(with = "sent::micros")]
    pub micros: Duration,
    /// How many requests were sent, those that set up, repeat, shrink and clean up included.
    pub sent: u64,
    /// How many of them were cases.
    pub cases: u64,
    /// What the checks said, by operation and check.
    pub checks: BTreeMap<String, BTreeMap<Check, Tally>>,
    /// The places where rules were to be tried, and what came of it.
    pub rules: Vec<TriedRule>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What was found before and is so no longer, by a [`Baseline`](super::Baseline).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<Finding>,
    /// What failed once and not each time it was repeated, or could not be repeated as there was no going on after it.
    pub flaky: Vec<Finding>,
    /// Which reading the server takes where the documentation contradicts itself.
    pub readings: Vec<ReadingTaken>,
    /// What was made and deleted again.
    pub created: Created,
    /// What a person ought to know of the run.
    pub notes: Vec<String>,
}

/// Why a campaign ended.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Ended {
    /// The number of cases or the time is used up.
    Budget,
    /// Every rule was tried at every place.
    Exhausted,
    /// There was no point in going on, or nothing to learn, as no operation accepted a valid request.
    GaveUp {
        /// Why, as a sentence.
        why: String,
    },
    /// Somebody stopped it.
    Interrupted,
}

impl Ended {
    /// Whether it did all that it was to do, so that what it did not find is not there.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Budget | Self::Exhausted)
    }
}

/// What one check said of one operation.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// How many answers are fine.
    pub passed: u64,
    /// How many are not.
    pub failed: u64,
    /// Of how many it has nothing to say.
    pub silent: u64,
}

/// A rule at a place of an operation, and what came of breaking it there.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TriedRule {
    /// The operation.
    pub operation: String,
    /// The rule; none for an operator after which the request is still valid.
    pub rule: Option<Rule>,
    /// The operator.
    pub operator: String,
    /// Where, as a pointer into the request; positions in lists are `*`.
    pub pointer: String,
    /// What came of it.
    pub outcome: TriedOutcome,
}

/// What came of breaking a rule at a place.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TriedOutcome {
    /// It was accepted.
    Accepted,
    /// It was not tried.
    NotTried,
    /// Neither: another status, or no reply.
    Other,
    /// It was refused.
    Refused,
    /// No request could be proved to do it there.
    Unproved,
}

/// Which reading a server takes of an entry of the ledger.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadingTaken {
    /// The id of the ledger entry.
    pub ledger: String,
    /// What it is about.
    pub title: String,
    /// Which reading.
    pub takes: TakenReading,
    /// What shows it, as a sentence.
    pub evidence: String,
}

/// Which reading a server takes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TakenReading {
    /// Another one.
    Other,
    /// That of the contract.
    This,
    /// Nothing shows it.
    Unknown,
}

/// What a campaign made.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    /// How many things were made, as far as replies told an id.
    pub made: u64,
    /// How many of them were deleted again.
    pub deleted: u64,
    /// What is left: the operation that made it, and the id; the first thousand.
    pub left: Vec<(String, String)>,
}

impl Outcome {
    /// An outcome in which nothing has come out yet.
    pub(super) fn new(target: &BaseUrl, seed: u64) -> Self {
        Self {
            target: target.to_string(),
            seed,
            ended: Ended::Exhausted,
            micros: Duration::ZERO,
            sent: 0,
            cases: 0,
            checks: BTreeMap::new(),
            rules: Vec::new(),
            findings: Vec::new(),
            gone: Vec::new(),
            flaky: Vec::new(),
            readings: Vec::new(),
            created: Created::default(),
            notes: Vec::new(),
        }
    }

    /// At how many places rules were tried, and at how many there are.
    pub fn tried(&self) -> (usize, usize) {
        let is_place = |tried: &&TriedRule| tried.outcome != TriedOutcome::Unproved;
        let places = self.rules.iter().filter(is_place);
        (places.clone().filter(|tried| tried.outcome != TriedOutcome::NotTried).count(), places.count())
    }
}
