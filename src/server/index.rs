//! `GET /`: what there is to call.

use bytes::Bytes;
use serde_json::json;

use super::control::CALLS;
use crate::Contract;

/// The page, or none when the contract has an operation of its own there.
pub(super) fn page(contract: &Contract) -> Option<Bytes> {
    if contract.operations().iter().any(|op| op.path == "/") {
        return None;
    }
    let operations: Vec<_> = contract
        .operations()
        .iter()
        .map(|op| {
            json!({
                "id": &*op.id,
                "method": op.method,
                "path": op.path,
                "summary": op.summary,
            })
        })
        .collect();
    let control: Vec<_> = CALLS
        .iter()
        .map(|call| json!({"method": call.method.as_str(), "path": call.shown(), "summary": call.purpose}))
        .collect();
    let page = json!({
        "name": "standin",
        "version": env!("CARGO_PKG_VERSION"),
        "operations": operations,
        "control": control,
    });
    // A value made of strings is always JSON.
    let mut text = serde_json::to_vec_pretty(&page).unwrap_or_default();
    text.push(b'\n');
    Some(text.into())
}
