//! Scripts: what happens to some replies instead of, or beside, what the stub decided: another reply, a delay, a fault.
//!
//! A script is JSON, and has one reader; what it does follows from the requests and a seed, without clock or chance.

mod act;
mod builder;
mod check;
mod counts;
mod delay;
mod draw;
mod limit;
mod list;
mod mistake;
mod plan;
mod preset;
mod reader;
mod schema;

pub use builder::Script;
pub(crate) use list::Entry;
pub use list::{ScriptSettings, Scripts};
pub use mistake::{Mistake, ScriptError};
pub use preset::Preset;
pub use schema::schema as script_schema;

/// What an exchange has in the place of a script's id, when the account has sent too many requests.
const RATE_LIMIT: &str = "rate-limit";
