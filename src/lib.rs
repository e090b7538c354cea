//! A stand-in for the Kore.ai agentassist public API.
//!
//! The program `standin` serves it from the command line; this library does the same inside a test.
//! [`Server::start`] listens on a free port, hands out its URL and its journal, and stops when it is dropped:
//!
//! ```
//! use std::{io::{Read, Write}, net::TcpStream};
//!
//! use standin::{Config, Outcome, Server};
//!
//! # fn main() -> std::io::Result<()> {
//! let server = Server::start(Config::default())?;
//!
//! // The client under test takes the place of these lines.
//! let mut client = TcpStream::connect(server.url().trim_start_matches("http://"))?;
//! client.write_all(b"POST /agentassist/api/v1/public/st-1/agents HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")?;
//! let mut reply = String::new();
//! client.read_to_string(&mut reply)?;
//!
//! assert!(reply.starts_with("HTTP/1.1 401 Unauthorized"));
//! let exchange = &server.journal().snapshot()[0].exchange;
//! assert_eq!(exchange.operation.as_deref(), Some("createAgent"));
//! assert_eq!(exchange.outcome(), Outcome::Refused);
//! assert_eq!(exchange.violations[0].pointer, "/header/auth");
//! # Ok(())
//! # }
//! ```
//!
//! Without any socket, [`Stub::respond`] takes a [`Request`] and gives the [`Exchange`]: the request, the reply to it,
//! and the [`Violation`]s that are the reason. The server, the benchmarks and the fuzz targets call that same function.
//!
//! # Where the answers come from
//!
//! Everything about the API is data: a [`Contract`] is read from an OpenAPI 3.1 document in which each parameter,
//! property and example names its source, and carries the list of the documentation's contradictions with the reading
//! taken of each ([`LedgerEntry`]). [`Contract::builtin`] has the five documented operations, [`Contract::load`] reads
//! another document of the same kind.
//!
//! # What is not emulated
//!
//! There is no state, no rate limit and no TLS; identifiers are not looked up. Nothing is served beyond the contract
//! and the control API, and no calls are made to anywhere.

pub mod cli;
pub mod contract;
mod exchange;
#[doc(hidden)]
pub mod fuzzing;
mod journal;
mod json;
pub mod pact;
pub mod payload;
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

/// The README's examples in Rust.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
