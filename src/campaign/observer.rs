//! Who hears what a campaign does while it does it.

use super::{Finding, Secrets, Trial, Verdict};

/// Hears what a campaign does while it does it. What is not asked for goes nowhere.
pub trait Observer {
    /// It begins; these are the secrets of its requests, which findings do not have, and trials do.
    fn begun(&mut self, _secrets: &Secrets) {}

    /// A request was sent, and this is what the checks say of its answer; those that were silent are not listed.
    fn tried(&mut self, _trial: &Trial, _verdicts: &[Verdict]) {}

    /// A finding was confirmed and made small.
    fn found(&mut self, _finding: &Finding) {}

    /// How far it is; called often, so that whoever shows it says how often.
    fn progressed(&mut self, _progress: &Progress) {}

    /// Something that a person ought to know, such as that the server limits requests.
    fn noted(&mut self, _note: &str) {}
}

impl Observer for () {}

/// How far a campaign is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    /// How many operations are done.
    pub operations: usize,
    /// How many operations there are.
    pub all_operations: usize,
    /// At how many places rules were tried.
    pub places: u64,
    /// How many such places there are.
    pub all_places: u64,
    /// How many requests were sent.
    pub sent: u64,
    /// How many of them were cases.
    pub cases: u64,
    /// How many cases are to be sent, when that is limited.
    pub budget: Option<u64>,
    /// How many findings there are.
    pub findings: usize,
}
