//! A stand-in for the Kore.ai agentassist public API.

pub mod contract;
mod exchange;
pub mod payload;
mod stub;
pub mod token;
mod violation;

pub use contract::{Contract, ContractError, LedgerEntry, LedgerKind, Operation};
pub use exchange::{
    BodyEnd, Delivery, DeliveryCell, Exchange, Headers, Outcome, Reading, Recorded, Reply, Request, Step,
};
pub use stub::{BodyCheck, Checks, Errors, Settings, Stub, TokenPolicy, check_body};
pub use violation::{Rule, Violation};
