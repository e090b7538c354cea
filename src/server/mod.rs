//! The server.

use std::sync::atomic::AtomicU64;

use crate::token::Secret;

#[allow(dead_code)] // until the server mounts it
pub(crate) mod control;

/// Who may use the control API.
#[derive(Clone, Debug, Default)]
pub struct ControlConfig {
    /// Host names that are accepted besides `localhost` and IP addresses.
    pub hosts: Vec<String>,
    /// Origins whose pages may read its replies.
    pub origins: Vec<String>,
    /// The bearer token that it asks for.
    pub token: Option<Secret>,
}

/// What is counted beside the journal.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// What was refused before it was a request.
    pub(crate) unparsed: AtomicU64,
}
