//! Contracts in Pact's format (version 4 of its specification): written from exchanges, read for verification.
//!
//! A pact is written here as JSON, without any of Pact's own libraries. What may vary in a request or reply is
//! taken from the [`Contract`]: types, formats and enumerations become matching rules, see `rules.rs`; what belongs to
//! one account, its ids above all, can be filled in by whoever verifies, see `fillable.rs`. The tests have Pact's own
//! libraries read what is written.

mod fillable;
mod interaction;
mod rules;
mod sample;
mod setup;
mod source;
mod states;
mod traffic;
#[cfg(feature = "verify")]
pub mod verify;

use serde_json::{Value, json};

pub use interaction::interaction;
pub use sample::sample;
pub(crate) use setup::set_up;
pub use source::{Filling, Source, SourceError};
pub use states::States;
pub(crate) use traffic::Traffic;
pub use traffic::from_exchanges;

use crate::Contract;

/// The name of the provider in every pact that is written here.
pub const PROVIDER: &str = "agentassist";

/// The name of the consumer in a pact of recorded traffic, unless another is given.
pub const CONSUMER: &str = "recorded-client";

/// A pact of these interactions, as JSON.
pub fn document(consumer: &str, interactions: &[Value]) -> Value {
    json!({
        "consumer": {"name": consumer},
        "interactions": interactions,
        "metadata": {"pactSpecification": {"version": "4.0"}},
        "provider": {"name": PROVIDER},
    })
}

/// What stands in a pact for any token: the contract's sample, or one of no value when it has none.
fn stand_in_token(contract: &Contract) -> String {
    contract.sample_token().map_or_else(
        || {
            crate::token::mint(
                contract.token_claim(),
                "sample",
                &crate::token::Secret::new("sample"),
                0,
                None,
            )
        },
        str::to_owned,
    )
}
