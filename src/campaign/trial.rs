//! One request that was sent, why, and what came back.

use serde::{Deserialize, Serialize};

use super::{Answer, Sent};
use crate::payload::Label;

/// One request that was sent, and what came back.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trial {
    /// Its number in the campaign, from 0.
    pub number: u64,
    /// The operation that it is for.
    pub operation: String,
    /// Why it was sent.
    pub why: Why,
    /// What is known of it.
    pub label: Label,
    /// The request.
    pub sent: Sent,
    /// What came back.
    pub answer: Answer,
}

/// Why a request was sent.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Why {
    /// A case of the generator: of this index for the campaign's seed.
    Case {
        /// The index.
        index: u64,
    },
    /// To see whether the server still answers, or whether it takes the ids that the campaign uses.
    Control,
    /// A finding was sent again, as it was or smaller.
    Repeat,
    /// The documentation's own sample.
    Sample,
    /// A step of a sequence.
    Sequence {
        /// The sequence's name, such as `createThenRead`.
        name: String,
        /// The position of the step, from 0.
        step: usize,
    },
    /// It makes something that later requests are about.
    Setup,
}
