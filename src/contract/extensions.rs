//! The document's own keywords: only those that are known, and only ids that the ledger has.

use serde_json::Value;

use super::{ContractError, LedgerEntry, reader::Node, role::Role};

const OURS: [&str; 11] = [
    "x-source",
    "x-assumed",
    "x-rules",
    "x-ledger",
    "x-accepts",
    "x-same-as",
    "x-claim",
    "x-scope",
    "x-rate-limit",
    "x-resources",
    "x-effect",
];

/// Fails on any `x-` keyword that is not one of ours, and on any `x-ledger` that names no entry, outside of samples.
pub(super) fn check(root: &Node, ledger: &[LedgerEntry]) -> Result<(), ContractError> {
    check_in(root, Role::Keywords, ledger)
}

fn check_in(node: &Node, role: Role, ledger: &[LedgerEntry]) -> Result<(), ContractError> {
    match node.value {
        _ if role == Role::Data => Ok(()),
        Value::Object(members) => {
            for (key, value) in members {
                let child = node.other(value);
                if role.has_keywords() {
                    match key.as_str() {
                        "x-ledger" if node.is_root() => continue,
                        "x-ledger" => known_ids(&child, ledger)?,
                        key if key.starts_with("x-") && !OURS.contains(&key) => {
                            return Err(child.complain(&format!(
                                "this keyword is unknown; the document's own keywords are {}",
                                OURS.join(", ")
                            )));
                        }
                        _ => {}
                    }
                }
                check_in(&child, role.of_member(key, value), ledger)?;
            }
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(|value| check_in(&node.other(value), role, ledger)),
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
