//! A stand-in for the Kore.ai agentassist public API.
//!
//! The program `standin` serves it from the command line; this library does the same inside a test.
//! [`Server::start`] listens on a free port, hands out its URL and its journal, and stops when it is dropped:
//!
//! ```
//! use standin::{Config, Expectation, Server};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::start(Config::default())?;
//!
//! // The client under test takes the place of these lines.
//! let reply = ureq::post(format!("{}/agentassist/api/v1/public/st-1/agents", server.url()))
//!     .header("auth", server.token())
//!     .header("accountId", "a-1")
//!     .content_type("application/json")
//!     .send(r#"{"emailId": "ada@example.com", "firstName": "Ada", "lastName": "L", "roleId": "r-1"}"#)?;
//! assert_eq!(reply.status(), 200);
//!
//! let created = Expectation::from_json(br#"{"operation": "createAgent", "outcome": "answered", "count": 1}"#)?;
//! server.verify(&created)?;
//! assert_eq!(server.last().unwrap().exchange.request.path(), "/agentassist/api/v1/public/st-1/agents");
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
//! taken of each ([`LedgerEntry`]). [`Contract::builtin`] has the documented operations, [`Contract::load`] reads
//! another document of the same kind.
//!
//! # What is not emulated
//!
//! There is no TLS, and a rate limit only where it is asked for. State is there when [`Settings::state`] asks for it: then
//! what operations create is what they read, in sessions ([`Server::session`]). Replies wait, break or are others where a
//! [`Script`] says so. Nothing is served beyond the contract and the control API, and a server makes no calls to anywhere.

#[cfg(any(feature = "campaign", feature = "cli", feature = "verify"))]
mod base_url;
mod bounded;
#[cfg(feature = "campaign")]
pub mod campaign;
#[cfg(feature = "cli")]
pub mod cli;
pub mod contract;
mod counted;
mod course;
mod exchange;
#[cfg(feature = "payload")]
#[doc(hidden)]
pub mod fuzzing;
mod journal;
mod json;
pub mod judge;
mod matching;
mod near;
pub mod pact;
#[cfg(feature = "payload")]
pub mod payload;
mod percent;
mod pointer;
pub mod render;
mod script;
mod server;
mod session_name;
mod state;
mod stub;
pub mod token;
mod violation;

#[cfg(any(feature = "campaign", feature = "cli", feature = "verify"))]
pub use base_url::{BaseUrl, BaseUrlError};
pub use contract::{Contract, ContractError, Errors, LedgerEntry, LedgerKind, Operation};
pub use course::{Course, Fault};
pub use exchange::{
    BodyEnd, Delivery, DeliveryCell, Exchange, Headers, Outcome, Reading, Recorded, Redaction, Reply,
    Request, Scripted, SecretKind, Step, Timing, Touched, TouchedResource,
};
pub use journal::{
    Counts, Ended as JournalEnded, Expectation, Filter, Journal, Limits as JournalLimits, Miss, Page,
    Secrets, Unmet, Verdict, Writer as JournalWriter, Written as JournalWritten,
};
pub use matching::{Difference, Matcher, MatcherError, Named};
pub use script::{Mistake, Preset, Script, ScriptError, ScriptSettings, Scripts, script_schema};
pub use server::{
    Config, ControlConfig, Kept, Limits, ScriptGuard, Server, SessionError, SessionHandle, SessionLimits,
    Sessions, serve,
};
pub use session_name::SessionNameError;
pub use state::{Bounds, Change, References, Session, StateSettings};
pub use stub::{BodyCheck, Checked, Checks, Settings, Stub, TokenPolicy, check_body};
pub use violation::{Breach, Rule, Violation};

/// The README's examples in Rust.
#[cfg(all(doctest, feature = "payload"))]
#[doc = include_str!("../README.md")]
struct Readme;
