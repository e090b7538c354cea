//! A JSON Schema that describes scripts, for editors.

use serde_json::{Value, json};

use super::preset;
use crate::{Contract, Fault, Outcome};

/// A JSON Schema of documents with scripts, with the operations of a contract in it. What it cannot say, such as whether a
/// sample is one that the operation has, `standin script check` finds.
///
/// # Panics
///
/// Never: the text that it is made from is JSON, as a test shows.
pub fn schema(contract: &Contract) -> Value {
    let mut schema: Value =
        serde_json::from_str(include_str!("schema.json")).expect("it is JSON, as a test shows");
    let operations: Vec<_> = contract.operations().iter().map(|operation| &*operation.id).collect();
    let outcomes = [Outcome::Answered, Outcome::Refused, Outcome::Unmatched].map(Outcome::name);
    for (pointer, names) in [
        (
            "/$defs/when/properties/operation",
            json!(operations.iter().map(Some).chain([None]).collect::<Vec<_>>()),
        ),
        ("/$defs/outcome", json!(outcomes)),
        ("/$defs/preset/properties/preset", json!(preset::names())),
        (
            "/$defs/then/properties/fault/anyOf/0",
            json!(Fault::plain_words().iter().map(Some).chain([None]).collect::<Vec<_>>()),
        ),
    ] {
        if let Some(place) = schema.pointer_mut(pointer).and_then(Value::as_object_mut) {
            place.insert("enum".to_owned(), names);
        }
    }
    schema
}
