//! A stand-in for the Kore.ai agentassist public API.

pub mod cli;
mod contract;
mod exchange;
mod stub;
pub mod token;
mod violation;

pub use contract::{Contract, ContractError, LedgerEntry, LedgerKind, Operation, Says};
pub use exchange::{
    BodyEnd, Delivery, DeliveryCell, Exchange, Headers, Outcome, Reading, Recorded, Reply, Request,
    Step,
};
pub use stub::{Checks, Errors, Settings, Stub, TokenPolicy};
pub use violation::{Rule, Violation};
