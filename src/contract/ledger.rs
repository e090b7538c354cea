//! The ledger: every place where the documentation contradicts itself, and how it is read.

use serde::{Deserialize, Serialize};

use super::{ContractError, reader::Node};

/// One contradiction of the documentation.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerEntry {
    /// Its id, such as `U3`.
    pub id: String,
    /// What it means for requests.
    pub kind: LedgerKind,
    /// What it is about, in a few words.
    pub title: String,
    /// What each source says.
    pub says: Vec<Says>,
    /// The reading that this contract takes.
    pub reading: String,
    /// What else a request may use: names, JSON types or values, spelt exactly so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepts: Vec<String>,
    /// The sample that it is about, as the page has it, when that is not JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// The ends of paths that the sources name and no page documents, such as `/roles`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}

/// What a ledger entry means for requests.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LedgerKind {
    /// A request may use another spelling, type or place; the exchange lists it under `readings`.
    Accepted,
    /// A sample shows a reply that cannot be meant; no service is held to it.
    Accident,
    /// Good to know.
    Note,
    /// A sample shows it.
    Shown,
}

/// What one source says.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Says {
    /// The page and row, or the other public page.
    pub source: String,
    /// What it says.
    pub text: String,
}

/// Reads the ledger of a document; it may have none.
pub(super) fn read(root: &Node) -> Result<Vec<LedgerEntry>, ContractError> {
    let Some(list) = root.get("x-ledger") else {
        return Ok(Vec::new());
    };
    let mut entries: Vec<LedgerEntry> = Vec::new();
    for node in list.items()? {
        let entry: LedgerEntry = serde_json::from_value(node.value.clone())
            .map_err(|error| node.complain(&format!("this is no entry of a ledger: {error}")))?;
        // Ids stand in a header, separated by commas.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if entry.id.is_empty() || !entry.id.bytes().all(is_plain) {
            return Err(node.need("id")?.error("an id of letters, digits, `-`, `.` and `_`"));
        }
        if let Some(path) = entry.paths.iter().find(|path| !path.starts_with('/')) {
            return Err(
                node.complain(&format!("expected the end of a path, from a `/` on, but found `{path}`"))
            );
        }
        if entry.sample.as_deref().is_some_and(is_json) {
            return Err(node.complain("expected a `sample` that is not JSON, but found JSON"));
        }
        if entries.iter().any(|other| other.id == entry.id) {
            return Err(node.complain(&format!("another entry has the id `{}` too", entry.id)));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}
