//! The target `contract`.

use std::sync::Arc;

use serde_json::Value;

use super::{Verdicts, sound};
use crate::{Contract, Request, contract::Audience, payload::Generator};

/// Target `contract`: the bytes are a contract document. Either it is refused with one line that names a place, or it
/// can be used: requests are answered, and what is generated from it is judged as its label says.
pub fn contract(bytes: &[u8]) {
    let Ok(document) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let contract = match Contract::from_document(document) {
        Ok(contract) => Arc::new(contract),
        Err(error) => {
            let line = error.to_string();
            assert!(line.contains(": ") && !line.contains('\n'), "{line}");
            return;
        }
    };
    assert!(!contract.published(Audience::Exact).is_empty());
    let verdicts = Verdicts::new(&contract);
    for operation in contract.operations() {
        verdicts.default.respond(Request::new(operation.method.as_str(), operation.path.as_str()));
        let generator = Generator::new(operation);
        for index in 0..4 {
            for case in [generator.valid_at(0, index), generator.mutant_at(0, index)].into_iter().flatten() {
                verdicts.confirm(&case);
            }
        }
    }
    sound(&verdicts.default, Request::new("GET", "/"));
}
