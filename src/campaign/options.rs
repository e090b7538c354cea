//! What a campaign is to do.

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::Check;
use crate::{
    Contract, Operation, Rule,
    contract::{self, Basis, Does},
    token::{SAMPLE_CLIENT, Secret},
};

/// What a campaign is to do; the usual is everything, until all rules were tried at all their places.
#[derive(Clone, Debug)]
pub struct Options {
    /// The contract that the server is held to.
    pub contract: Arc<Contract>,
    /// The operations to try; all when there are none.
    pub operations: Vec<String>,
    /// The rules to break; all when there are none.
    pub rules: Vec<Rule>,
    /// How many cases to send; with this or `time`, random cases follow when all rules were tried.
    pub cases: Option<u64>,
    /// How long to send cases.
    pub time: Option<Duration>,
    /// Another seed gives other cases.
    pub seed: u64,
    /// How many requests are under way at a time.
    pub concurrency: usize,
    /// How many requests are sent in a second at most.
    pub rate: Option<u32>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// The token to send.
    pub token: Option<Secret>,
    /// What tokens are signed with, when they are made here; then the server is held to verifying them.
    pub client_secret: Option<Secret>,
    /// The client id in tokens that are made here.
    pub app_id: String,
    /// Values of a real account, by the names of parameters and members.
    pub set: Vec<(String, String)>,
    /// Headers that every request has besides its own; those that it has by itself are refused.
    pub headers: Vec<(String, String)>,
    /// Whether the server keeps what it is told, so that it can be read back.
    pub stateful: bool,
    /// Whether to leave what was made.
    pub keep: bool,
    /// Checks to leave out.
    pub skip: Vec<Check>,
    /// Which rules count, by where they come from.
    pub counted: Counted,
    /// A file of certificates in PEM to trust besides the system's.
    pub ca: Option<PathBuf>,
}

/// Which rules count, by where they come from.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Counted {
    /// Everything, what is assumed included.
    All,
    /// What the pages say that the contract is about.
    Pages,
    /// That, what other pages of the vendor say, and what was observed.
    #[default]
    Vendor,
}

impl Counted {
    /// Whether a rule that comes from such a place counts.
    pub fn counts(self, basis: Basis) -> bool {
        match self {
            Self::All => true,
            Self::Pages => basis == Basis::Pages,
            Self::Vendor => basis != Basis::Assumed,
        }
    }

    /// Its name in options and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Pages => "pages",
            Self::Vendor => "vendor",
        }
    }
}

impl Options {
    /// Whether methods are sent that the paths do not have: a server that takes them may change or delete something.
    pub fn breaks_methods(&self) -> bool {
        self.rules.is_empty() || self.rules.contains(&Rule::Method)
    }

    /// The operations that change something and that a campaign calls: those that were asked for, and those that
    /// sequences and cleaning up need.
    pub fn changing(&self) -> Vec<&str> {
        let contract = &*self.contract;
        let operations = contract.operations();
        let is_chosen = |operation: &Operation| {
            self.operations.is_empty() || self.operations.iter().any(|own| **own == *operation.id)
        };
        let chosen = operations.iter().filter(|operation| is_chosen(operation));
        let made: Vec<_> =
            chosen.filter_map(|operation| contract::made(operation, contract.resources())).collect();
        let is_needed = |operation: &Operation| {
            let Some(effect) = &operation.effect else { return false };
            let is_used = match effect.does {
                Does::Delete => self.stateful || !self.keep,
                Does::Update => self.stateful,
                _ => false,
            };
            let kind = effect.kinds.first();
            is_used && kind.is_some_and(|kind| made.iter().any(|(made, _)| *made == kind.resource))
        };
        let called = operations.iter().filter(|operation| is_chosen(operation) || is_needed(operation));
        called.filter(|operation| operation.method != "GET").map(|operation| &*operation.id).collect()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            contract: Contract::builtin(),
            operations: Vec::new(),
            rules: Vec::new(),
            cases: None,
            time: None,
            seed: 0,
            concurrency: 4,
            rate: None,
            timeout: Duration::from_secs(10),
            token: None,
            client_secret: None,
            app_id: SAMPLE_CLIENT.to_owned(),
            set: Vec::new(),
            headers: Vec::new(),
            stateful: false,
            keep: false,
            skip: Vec::new(),
            counted: Counted::default(),
            ca: None,
        }
    }
}
