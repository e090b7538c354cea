//! `standin state`.

use std::{fmt::Write, path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{
    Error, Exit,
    call::{Answer, Place},
    error::{one_line, reason},
    output,
    secret::ControlToken,
    state_options::LONGEST,
    table::Table,
};

/// How long a call may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Read and change what the sessions of a stand-in have, which was started with --state
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  standin state list
  standin state get > before.json
  standin state put before.json
  standin state fork --to suite-2
  standin state reset --session suite-2
  standin state get http://127.0.0.1:9000 --session suite-2

A state is JSON of the same form as that of serve --start-state.

Exit codes: 0 fine, 2 wrong usage, 3 it could not be done.")]
pub(super) struct State {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The sessions that have been changed
    List(At),
    /// Print the state of a session
    Get(Of),
    /// Give a session another state
    Put(Put),
    /// Let a session be as it was at the start
    Reset(Of),
    /// Make another session with the same state
    Fork(Fork),
    /// Forget a session
    Remove(Of),
}

#[derive(Args, Debug)]
struct At {
    /// Where it is: a URL, or an address and a port as for serve --listen
    #[arg(value_name = "URL", default_value = "127.0.0.1:8484", env = "STANDIN_LISTEN")]
    place: Place,

    #[command(flatten)]
    control_token: ControlToken,
}

#[derive(Args, Debug)]
struct Of {
    #[command(flatten)]
    at: At,

    /// The session
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = name, env = "STANDIN_SESSION")]
    session: String,
}

#[derive(Args, Debug)]
struct Put {
    /// The state, as `get` prints it; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    of: Of,
}

#[derive(Args, Debug)]
struct Fork {
    #[command(flatten)]
    of: Of,

    /// The name of the new session
    #[arg(long, value_name = "NAME", value_parser = name, env = "STANDIN_TO")]
    to: String,
}

impl State {
    pub(super) fn run(&self) -> Result<Exit, Error> {
        match &self.command {
            Command::List(at) => list(at)?,
            Command::Get(of) => {
                let body = of.call("GET", "/state", b"")?;
                output::print(&String::from_utf8_lossy(&body))?;
            }
            Command::Put(put) => {
                let body = output::read(&put.file, LONGEST).map_err(|error| {
                    let file = one_line(&output::name_of(&put.file));
                    Error::could_not_run(format!("cannot read {file}: {}", reason(&error)))
                })?;
                put.of.call("PUT", "/state", &body)?;
            }
            Command::Reset(of) => drop(of.call("POST", "/reset", b"")?),
            Command::Fork(fork) => drop(fork.of.call("POST", &format!("/fork?to={}", fork.to), b"")?),
            Command::Remove(of) => drop(of.call("DELETE", "", b"")?),
        }
        Ok(Exit::Fine)
    }
}

impl At {
    fn call(&self, method: &str, path: &str, body: &[u8]) -> Result<Vec<u8>, Error> {
        let path = format!("/__standin/sessions{path}");
        let answer = self.place.send(method, &path, self.control_token.value(), body, LIMIT, LONGEST);
        answer
            .and_then(whole)
            .map_err(|why| Error::could_not_run(one_line(&format!("{}: {why}", self.place))))
    }
}

impl Of {
    fn call(&self, method: &str, path: &str, body: &[u8]) -> Result<Vec<u8>, Error> {
        self.at.call(method, &format!("/{}{path}", self.session), body)
    }
}

fn list(at: &At) -> Result<(), Error> {
    let reply: Value = serde_json::from_slice(&at.call("GET", "", b"")?).unwrap_or_default();
    let mut table = Table::new(["session", "version", "resources", "bytes"]);
    for session in reply["sessions"].as_array().into_iter().flatten() {
        let text = |name: &str| match &session[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        table.row([text("name"), text("version"), text("resources"), text("bytes")]);
    }
    output::print(&table.render(None))
}

/// The body of a reply that says that it was done.
fn whole(answer: Answer) -> Result<Vec<u8>, String> {
    if answer.status == 200 && serde_json::from_slice::<IgnoredAny>(&answer.body).is_ok() {
        return Ok(answer.body);
    }
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let mut why = answer.complaint().unwrap_or_else(|| {
        format!("expected a stand-in, but found another reply with status {}", answer.status)
    });
    for violation in body["violations"].as_array().into_iter().flatten() {
        let text = |name: &str| violation[name].as_str().unwrap_or_default();
        let _ = write!(why, "; {}: {}", text("pointer"), text("message"));
    }
    Err(why)
}

fn name(text: &str) -> Result<String, String> {
    let expected = || format!("expected the name of a session, {}", crate::session_name::EXPECTED);
    crate::session_name::is_name(text).then(|| text.to_owned()).ok_or_else(expected)
}
