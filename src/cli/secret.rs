//! Secrets as options: in a variable, in a file, or on the command line, where others can read along.

use std::path::Path;

use clap::Args;

use super::error::reason;
use crate::{bounded, token::Secret};

/// What tokens are signed with.
#[derive(Args, Debug)]
pub(super) struct ClientSecret {
    /// The secret that tokens are signed with
    ///
    /// On the command line, other users of this machine can read it in the list of processes, and the shell
    /// remembers it. Better put it into the variable or a file.
    #[arg(long, value_name = "SECRET", env = "STANDIN_CLIENT_SECRET", hide_env_values = true)]
    client_secret: Option<Secret>,

    /// A file that holds that secret; a line end after it does not count
    #[arg(
        long,
        value_name = "FILE",
        value_parser = read,
        env = "STANDIN_CLIENT_SECRET_FILE",
        conflicts_with = "client_secret"
    )]
    client_secret_file: Option<Secret>,
}

impl ClientSecret {
    pub(super) fn value(&self) -> Option<&Secret> {
        self.client_secret.as_ref().or(self.client_secret_file.as_ref())
    }
}

/// What the control API asks for.
#[derive(Args, Debug)]
pub(super) struct ControlToken {
    /// The bearer token that callers of the control API need
    ///
    /// On the command line, other users of this machine can read it in the list of processes, and the shell
    /// remembers it. Better put it into the variable or a file.
    #[arg(long, value_name = "TOKEN", env = "STANDIN_CONTROL_TOKEN", hide_env_values = true)]
    control_token: Option<Secret>,

    /// A file that holds that token; a line end after it does not count
    #[arg(
        long,
        value_name = "FILE",
        value_parser = read,
        env = "STANDIN_CONTROL_TOKEN_FILE",
        conflicts_with = "control_token"
    )]
    control_token_file: Option<Secret>,
}

impl ControlToken {
    pub(super) fn value(&self) -> Option<&Secret> {
        self.control_token.as_ref().or(self.control_token_file.as_ref())
    }
}

/// The secret that a file holds.
fn read(file: &str) -> Result<Secret, String> {
    let text = bounded::text(Path::new(file), MAX_FILE).map_err(|error| reason(&error))?;
    let secret = text.strip_suffix('\n').map_or(&*text, |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(Secret::new(secret))
}

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 64 * 1024;
