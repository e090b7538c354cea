//! `standin serve`.

use std::{
    io,
    mem::ManuallyDrop,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::{Args, ValueEnum};
use serde_json::json;
use tokio::runtime::Runtime;

use super::{
    ContractSource, Error, Exit,
    error::{one_line, reason},
    journal_file::JournalFile,
    log::{self, Log},
    output,
    script_options::ScriptArgs,
    secret::{ClientSecret, ControlToken},
    signals,
    state_options::StateArgs,
    value::{address, entries, host_name, origin, size, time},
};
use crate::{
    Checks, Config, Contract, ControlConfig, Errors, JournalLimits, JournalWriter, Settings, StateSettings,
    TokenPolicy, counted::counted, token::Secret,
};

/// Serve the API: answer, check and record requests
///
/// Prints one line on standard output when it is ready, and one line per request on standard error.
/// Ctrl-C, SIGTERM, SIGHUP or `standin stop` ends it within a second; a second Ctrl-C ends it at once.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  standin serve
  standin serve --listen 127.0.0.1:0 --log json   a free port, which it prints
  standin serve --checks report                   refuse nothing for its values
  standin serve --journal-file run.ndjson         keep what was sent
  standin serve --token verified --client-secret-file secret.txt
  standin serve --state                           remember what is created
  standin serve --scripts flaky                   some requests fail
  standin serve --start-state team.json --state-file sessions.json

A token to call it with: standin token
What was received: http://127.0.0.1:8484/__standin/requests")]
pub(super) struct Serve {
    /// Address and port to listen on; port 0 picks a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8484", value_parser = address, env = "STANDIN_LISTEN")]
    listen: String,

    #[command(flatten)]
    contract: ContractSource,

    /// How refusals look: as the vendor's services word them, or RFC 9457 problem details
    #[arg(long, value_name = "PROFILE", default_value = "vendor", env = "STANDIN_ERRORS")]
    errors: ErrorsArg,

    /// What happens to a request that breaks the contract
    #[arg(long, value_name = "LEVEL", default_value = "enforce", env = "STANDIN_CHECKS")]
    checks: ChecksArg,

    /// Whether a refusal lists what is wrong beside the vendor's own words
    #[arg(long, value_name = "WHETHER", default_value = "on", env = "STANDIN_DETAIL")]
    detail: Switch,

    /// Which tokens are accepted in the header `auth`
    #[arg(long, value_name = "POLICY", default_value = "well-formed", env = "STANDIN_TOKEN_POLICY")]
    token: TokenArg,

    #[command(flatten)]
    client_secret: ClientSecret,

    /// How many exchanges the journal keeps; the oldest go first
    #[arg(long, value_name = "N", default_value = "10000", value_parser = entries, env = "STANDIN_JOURNAL_ENTRIES")]
    journal_entries: usize,

    /// How much memory the journal takes at most
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = size, env = "STANDIN_JOURNAL_BYTES")]
    journal_bytes: usize,

    /// Keep secrets: tokens and credentials stay in the journal, its exports and the log as they were sent
    #[arg(long, env = "STANDIN_KEEP_SECRETS")]
    keep_secrets: bool,

    /// Write the journal to this file as exchanges come, a line each, after what is there
    ///
    /// `standin journal FILE` reads it. Nobody waits for the file: what it cannot take in time is missing, and it says how much.
    #[arg(long, value_name = "FILE", env = "STANDIN_JOURNAL_FILE")]
    journal_file: Option<PathBuf>,

    /// Move the journal file to FILE.1 rather than let it have more than this, and begin a new one
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size, env = "STANDIN_JOURNAL_FILE_BYTES")]
    journal_file_bytes: usize,

    /// The largest body that is accepted
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = size, env = "STANDIN_MAX_BODY")]
    max_body: usize,

    /// The longest delay of a reply, whoever asks for it: a script, or `Prefer: delay=1500ms` of a request
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = time, env = "STANDIN_MAX_DELAY")]
    max_delay: Duration,

    /// An origin whose pages may call the API; any when none is given (repeatable; the variable is comma separated)
    ///
    /// With it, a page of another origin reads nothing, and what it sends to change something is refused with 403.
    #[arg(long = "origin", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin, env = "STANDIN_ORIGIN")]
    origins: Vec<String>,

    /// Another host name under which the control API may be called (repeatable; the variable is comma separated)
    ///
    /// IP addresses and localhost always may.
    #[arg(long = "control-host", value_name = "NAME", value_delimiter = ',', value_parser = host_name, env = "STANDIN_CONTROL_HOST")]
    control_hosts: Vec<String>,

    /// An origin whose pages may call the control API (repeatable; the variable is comma separated)
    #[arg(long = "control-origin", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin, env = "STANDIN_CONTROL_ORIGIN")]
    control_origins: Vec<String>,

    #[command(flatten)]
    control_token: ControlToken,

    /// How the ready line and the log are written
    #[arg(long, value_name = "FORMAT", default_value = "text", env = "STANDIN_LOG")]
    log: Format,

    /// Which events have a line, as directives of `tracing`: `standin=debug` adds connections and control calls
    #[arg(long, value_name = "DIRECTIVES", default_value = "standin=info", value_parser = log::filter, env = "STANDIN_LOG_FILTER")]
    log_filter: String,

    // The last, as their headings are for all that comes after them.
    #[command(flatten)]
    state: StateArgs,

    #[command(flatten)]
    scripts: ScriptArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ErrorsArg {
    /// The vendor's envelope, {"errors": […]}
    Vendor,
    /// RFC 9457 problem details
    Rfc,
}

impl From<ErrorsArg> for Errors {
    fn from(errors: ErrorsArg) -> Self {
        match errors {
            ErrorsArg::Rfc => Self::Rfc,
            ErrorsArg::Vendor => Self::Vendor,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ChecksArg {
    /// It is refused
    Enforce,
    /// It is answered, and the violations are recorded
    Report,
    /// It is answered; nobody looks
    Off,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Switch {
    /// Yes
    On,
    /// No
    Off,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum TokenArg {
    /// Anything, as long as it is there once
    Any,
    /// A JWT with an appId
    WellFormed,
    /// A JWT signed with the client secret and not expired
    Verified,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// Sentences for people
    Text,
    /// One JSON object per line, for programs
    Json,
}

impl Serve {
    pub(super) fn run(&self) -> Result<Exit, Error> {
        let token = self.token_policy()?;
        let control_token = self.control_token()?;
        let contract = self.contract.load()?;
        let state = self.state.settings(&contract)?;
        let mut config = self.config(Arc::clone(&contract), token, control_token, state);
        contract.words(config.settings.errors).map_err(|error| {
            Error::usage(format!("--errors rfc: {error}; add them, or leave --errors out"))
        })?;
        config.scripts = Some(self.scripts.scripts(&contract, self.max_delay, self.errors.into())?);
        let state_file = match &config.settings.state {
            Some(settings) => {
                let sessions = Arc::new(self.state.sessions(&contract, settings)?);
                config.sessions = Some(Arc::clone(&sessions));
                self.state.file(&sessions)?.map(|file| (file, sessions))
            }
            None => None,
        };
        let journal_file = match &self.journal_file {
            Some(file) => Some(JournalFile::open(file, self.journal_file_bytes as u64)?),
            None => None,
        };
        let (listener, address) = self.bind()?;
        // Its port is taken until this process has ended, which is how `standin stop` finds out that it has.
        let _until_the_end = listener.try_clone();
        let runtime = Runtime::new()
            .map_err(|error| Error::could_not_run(format!("cannot start threads: {}", reason(&error))))?;
        if !address.ip().is_loopback() && self.control_token.value().is_none() {
            self.warn(&format!(
                "whoever can reach {address} can read and clear the journal; set STANDIN_CONTROL_TOKEN or --control-token-file, or listen on 127.0.0.1"
            ));
        }

        let keeping = state_file.map(|(file, sessions)| file.keep(sessions)).transpose()?;
        let writer = journal_file.map(JournalFile::start).transpose()?;
        config.journal_writer.clone_from(&writer);
        let log = Log::start(
            match self.log {
                Format::Json => log::Format::Json,
                Format::Text => log::Format::Text,
            },
            &self.log_filter,
        );
        let mut asked_to_stop = None;
        let journal = runtime
            .block_on(async {
                // The signals are caught before anybody can know that there is something to stop.
                let stop = signals::first()?;
                let _ = output::print(&self.ready_line(address, &contract));
                let stop = async {
                    stop.await;
                    asked_to_stop = Some(Instant::now());
                };
                crate::serve(listener, config, stop).await
            })
            .map_err(|error| Error::could_not_run(format!("cannot serve: {}", reason(&error))))?;
        // The process ends soon; freeing a full journal piece by piece would take seconds.
        let _journal = ManuallyDrop::new(journal);
        // What still runs after the drain is cut off here.
        runtime.shutdown_background();
        let time = || match asked_to_stop {
            Some(asked) => SOON.saturating_sub(asked.elapsed()),
            None => PATIENT,
        };
        let kept = keeping.map_or(Ok(()), |keeping| keeping.finish(time()));
        let written = writer.map_or(Ok(()), |writer| self.finish(&writer, time()));
        log.flush(FLUSH);
        kept.and(written).map(|()| Exit::Fine)
    }

    /// Ends the journal file, within this time, and says what is missing there.
    fn finish(&self, writer: &JournalWriter, limit: Duration) -> Result<(), Error> {
        let ended = writer.finish(limit);
        let file = self.journal_file.as_deref().map(|file| file.display().to_string()).unwrap_or_default();
        let all = ended.written + ended.missing;
        let missing = format!("{} of {all} exchanges are missing there", ended.missing);
        match ended.error {
            Some(error) => {
                Err(Error::could_not_run(one_line(&format!("cannot write {file}: {error}; {missing}"))))
            }
            None if ended.missing > 0 => {
                tracing::warn!(target: "standin::server", "{file} could not be written fast enough: {missing}");
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The token policy, with the secret that it needs.
    fn token_policy(&self) -> Result<TokenPolicy, Error> {
        let secret = self.client_secret.value().filter(|secret| !secret.reveal().is_empty());
        match (self.token, secret) {
            (TokenArg::Any, _) => Ok(TokenPolicy::Any),
            (TokenArg::Verified, Some(secret)) => Ok(TokenPolicy::Verified(secret.clone())),
            (TokenArg::Verified, None) => Err(Error::usage(
                "--token verified needs the secret that tokens are signed with; set STANDIN_CLIENT_SECRET or --client-secret-file",
            )),
            (TokenArg::WellFormed, _) => Ok(TokenPolicy::WellFormed),
        }
    }

    /// An empty token would leave the control API open to everybody while it looks closed.
    fn control_token(&self) -> Result<Option<Secret>, Error> {
        match self.control_token.value() {
            Some(token) if token.reveal().is_empty() => Err(Error::usage(
                "the control token is empty; set STANDIN_CONTROL_TOKEN or --control-token-file, or leave both out",
            )),
            token => Ok(token.cloned()),
        }
    }

    fn bind(&self) -> Result<(TcpListener, SocketAddr), Error> {
        let refuse = |error: &io::Error| {
            let why = match error.kind() {
                io::ErrorKind::AddrInUse => {
                    "another program listens there; stop it, or take a free port with --listen 127.0.0.1:0"
                        .into()
                }
                io::ErrorKind::PermissionDenied => {
                    "permission denied; take a port from 1024 up with --listen".into()
                }
                _ => format!("{}; choose another address with --listen", reason(error)),
            };
            Error::could_not_run(format!("cannot listen on {}: {why}", self.listen.escape_debug()))
        };
        let listener = TcpListener::bind(&self.listen).map_err(|e| refuse(&e))?;
        let address = listener.local_addr().map_err(|e| refuse(&e))?;
        Ok((listener, address))
    }

    fn config(
        &self,
        contract: Arc<Contract>,
        token: TokenPolicy,
        control_token: Option<Secret>,
        state: Option<StateSettings>,
    ) -> Config {
        Config {
            contract,
            control: ControlConfig {
                hosts: self.control_hosts.clone(),
                origins: self.control_origins.clone(),
                stop: true,
                token: control_token,
            },
            keep_secrets: self.keep_secrets,
            journal: JournalLimits { entries: self.journal_entries, bytes: self.journal_bytes },
            origins: self.origins.clone(),
            secrets: self.client_secret.value().cloned().into_iter().collect(),
            settings: Settings {
                errors: self.errors.into(),
                checks: match self.checks {
                    ChecksArg::Enforce => Checks::Enforce,
                    ChecksArg::Off => Checks::Off,
                    ChecksArg::Report => Checks::Report,
                },
                detail: self.detail == Switch::On,
                token,
                max_body: self.max_body,
                max_delay: self.max_delay,
                state,
            },
            ..Config::default()
        }
    }

    fn warn(&self, message: &str) {
        output::complain(&match self.log {
            Format::Text => format!("warning: {message}"),
            Format::Json => json!({ "warning": message }).to_string(),
        });
    }

    fn ready_line(&self, address: SocketAddr, contract: &Contract) -> String {
        let url = format!("http://{}", reachable(address));
        let operations = contract.operations().len();
        match self.log {
            Format::Text => format!(
                "standin is ready at {url} ({}; control API at {url}/__standin/)\n",
                counted(operations, "operation")
            ),
            Format::Json => {
                let line = json!({
                    "event": "ready",
                    "url": url,
                    "listen": address.to_string(),
                    "contract": self.contract.name(),
                    "operations": operations,
                    "control": format!("{url}/__standin/"),
                });
                format!("{line}\n")
            }
        }
    }
}

/// An address that a client on this machine can call: every interface is also the loopback interface.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// How long after a signal the journal file may still be written.
const SOON: Duration = Duration::from_millis(800);

/// How long it may after a call of the control API, whose caller waits.
const PATIENT: Duration = Duration::from_secs(5);

/// How long the end waits for the log to be written.
const FLUSH: Duration = Duration::from_millis(150);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interface_is_announced_as_an_address_that_can_be_called() {
        let url = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(url("0.0.0.0:80"), "127.0.0.1:80");
        assert_eq!(url("[::]:80"), "[::1]:80");
        assert_eq!(url("10.0.0.1:80"), "10.0.0.1:80");
    }
}
