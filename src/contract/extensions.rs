//! The document's own keywords: only those that are known, and only ids that the ledger has.

use serde_json::Value;

use super::{ContractError, LedgerEntry, reader::Node};

const OURS: [&str; 7] = ["x-source", "x-assumed", "x-rules", "x-ledger", "x-accepts", "x-same-as", "x-claim"];
/// Members whose values are the API's own data.
const FREE_FORM: [&str; 4] = ["value", "example", "enum", "x-same-as"];

/// Fails on any `x-` keyword that is not one of ours, and on any `x-ledger` that names no entry, outside of samples.
pub(super) fn check(node: &Node, ledger: &[LedgerEntry]) -> Result<(), ContractError> {
    match node.value {
        Value::Object(members) => {
            // The members of `properties` have names of the API's choosing.
            let names = node.pointer.ends_with("/properties");
            for (key, value) in members {
                let child = node.at(key, value);
                let is_root = node.pointer.is_empty();
                match key.as_str() {
                    _ if names => check(&child, ledger)?,
                    "x-ledger" if is_root => {}
                    "x-ledger" => known_ids(&child, ledger)?,
                    // A list of values, unlike an object of named examples.
                    "examples" if value.is_array() => {}
                    key if key.starts_with("x-") && !OURS.contains(&key) => {
                        return Err(child.complain(&format!(
                            "this keyword is unknown; the document's own keywords are {}",
                            OURS.join(", ")
                        )));
                    }
                    key if FREE_FORM.contains(&key) => {}
                    _ => check(&child, ledger)?,
                }
            }
            Ok(())
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, value)| check(&node.at(&index.to_string(), value), ledger)),
        _ => Ok(()),
    }
}

fn known_ids(node: &Node, ledger: &[LedgerEntry]) -> Result<(), ContractError> {
    for item in node.items()? {
        let id = item.text()?;
        if !ledger.iter().any(|entry| entry.id == id) {
            return Err(
                item.complain(&format!("expected the id of an entry of the ledger, but found `{id}`"))
            );
        }
    }
    Ok(())
}
