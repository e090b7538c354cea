//! The contract: the OpenAPI document, parsed once into an immutable value.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The API as its document describes it.
#[derive(Debug)]
pub struct Contract {
    operations: Vec<Operation>,
    ledger: Vec<LedgerEntry>,
    published: Bytes,
}

/// One operation.
#[derive(Debug)]
pub struct Operation {
    /// Its `operationId`, such as `createAgent`.
    pub id: Arc<str>,
    /// Its method, in capitals.
    pub method: String,
    /// Its path template, such as `/agents/{agentId}`.
    pub path: String,
    /// What it does, in a line.
    pub summary: String,
}

/// Why a document is no contract.
#[derive(Debug)]
pub struct ContractError(String);

impl std::fmt::Display for ContractError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ContractError {}

/// A contradiction of the documentation, and how it is read.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct LedgerEntry {
    /// Its id, such as `U3`.
    pub id: String,
    /// Its kind: accepted, shown or note.
    pub kind: LedgerKind,
    /// What it is about.
    pub title: String,
    /// What each source says.
    pub says: Vec<Says>,
    /// The reading taken.
    pub reading: String,
    /// What else is accepted: names, JSON types or values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepts: Vec<String>,
}

/// What a ledger entry means for requests.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LedgerKind {
    /// Another spelling, type or place is accepted and listed under `readings`.
    Accepted,
    /// A sample shows it.
    Shown,
    /// Good to know.
    Note,
}

/// What one source says.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Says {
    /// The page and row.
    pub source: String,
    /// What it says.
    pub text: String,
}

impl Contract {
    /// The built-in contract of the agentassist API.
    pub fn builtin() -> Arc<Self> {
        Arc::new(Self {
            operations: Vec::new(),
            ledger: Vec::new(),
            published: Bytes::from_static(b"{}"),
        })
    }

    /// Reads a contract document, and the samples that it names, from files.
    pub fn load(path: &Path) -> Result<Self, ContractError> {
        Err(ContractError(format!("{}: not yet", path.display())))
    }

    /// The operations, in the document's order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation with this id.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations
            .iter()
            .find(|operation| &*operation.id == id)
    }

    /// The ledger of contradictions.
    pub fn ledger(&self) -> &[LedgerEntry] {
        &self.ledger
    }

    /// The self-contained OpenAPI document for outside tools, as JSON.
    pub fn published(&self) -> &Bytes {
        &self.published
    }
}
