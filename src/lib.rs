//! A stand-in for the Kore.ai agentassist public API.

pub mod cli;
pub mod contract;
mod exchange;
mod journal;
pub mod pact;
pub mod render;
mod server;
mod stub;
pub mod token;
mod violation;

pub use contract::{Contract, ContractError, LedgerEntry, LedgerKind, Operation};
pub use exchange::{
    BodyEnd, Delivery, DeliveryCell, Exchange, Headers, Outcome, Reading, Recorded, Reply, Request, Step,
};
pub use journal::{
    Counts, Difference, Expectation, ExpectationError, Filter, Journal, Limits as JournalLimits, Miss, Page,
    Verdict,
};
pub use server::{Config, ControlConfig, Limits, Log, LogFormat, Server, serve};
pub use stub::{BodyCheck, Checks, Errors, Settings, Stub, TokenPolicy, check_body};
pub use violation::{Rule, Violation};
