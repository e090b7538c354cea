//! `GET /`: what there is to call.

use bytes::Bytes;
use serde_json::json;

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
    let control: Vec<_> = CONTROL
        .iter()
        .map(|(method, path, summary)| json!({"method": method, "path": path, "summary": summary}))
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

const CONTROL: [(&str, &str, &str); 9] = [
    ("GET", "/__standin/health", "whether it serves, and its counts"),
    ("GET", "/__standin/requests", "recorded exchanges; wait=N waits for them"),
    ("GET", "/__standin/requests/ID", "one exchange"),
    ("DELETE", "/__standin/requests", "forget all exchanges"),
    ("POST", "/__standin/requests/verify", "assert which requests were received"),
    ("GET", "/__standin/requests/stream", "server-sent events, one per exchange"),
    ("GET", "/__standin/export?format=ndjson|har|curl|pact", "the journal as a file"),
    ("GET", "/__standin/openapi.json", "the contract as OpenAPI 3.1"),
    ("GET", "/__standin/ledger", "where the documentation contradicts itself"),
];
