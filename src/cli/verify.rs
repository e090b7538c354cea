//! `standin verify`.

#[cfg(feature = "verify")]
mod plan;
#[cfg(feature = "verify")]
mod report;
#[cfg(feature = "verify")]
mod run;

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::{
    ContractSource, Error, Exit,
    credentials::Credentials,
    report_file::{ReportFile, ReportKind},
    value::{setting, timeout},
};
use crate::token::Secret;

/// Verify a service against contracts in Pact's format
///
/// Replays the interactions of pact files against a base URL and compares the replies with what the
/// contract says. Many of them create or change something there; it says so before it starts, and asks first
/// when a person is at the terminal and the service is not on this machine. Interactions that are pending in
/// their pact are reported and not counted; in the built-in one that is what only a sample of the documentation
/// shows, by accident. Pact's own verifier library does it, which is in builds with the feature `verify`:
/// cargo install --path . --features verify
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  standin verify http://127.0.0.1:8484
  standin verify --list
  standin verify http://127.0.0.1:8484 --only 'create*' --skip createQueue
  standin verify http://127.0.0.1:8484 --pact client.json --report junit=out.xml
  standin verify http://127.0.0.1:8484 \\
    --states-url http://127.0.0.1:8484/__standin/provider-states
  standin verify https://platform.kore.ai --client-secret-file secret.txt \\
    --app-id cs-… --set streamId=st-… --set accountId=…
  standin verify http://127.0.0.1:8484 --broker http://broker \\
    --provider-version \"$(git rev-parse HEAD)\"

Exit codes: 0 every interaction holds, 1 some do not, 2 wrong usage, 3 it could not be verified.")]
pub(super) struct Verify {
    /// The base URL of the service, such as http://127.0.0.1:8484
    #[arg(required_unless_present = "list")]
    url: Option<String>,

    /// A pact file, or a folder of them (repeatable; the variable is comma separated); without it, the built-in contracts
    #[arg(long = "pact", value_name = "FILE", value_delimiter = ',', env = "STANDIN_PACT")]
    pacts: Vec<PathBuf>,

    /// Verify only interactions that are called so, or that are about the operation of that name (repeatable; the variable has one a line)
    ///
    /// A * in the name stands for any text.
    #[arg(long, value_name = "NAME", value_delimiter = '\n', env = "STANDIN_VERIFY_ONLY")]
    only: Vec<String>,

    /// Leave out interactions that are called so, or that are about the operation of that name (repeatable; the variable has one a line)
    #[arg(long, value_name = "NAME", value_delimiter = '\n', env = "STANDIN_VERIFY_SKIP")]
    skip: Vec<String>,

    /// Count interactions that are otherwise reported only
    #[arg(long, value_name = "WHAT", value_delimiter = ',', env = "STANDIN_VERIFY_INCLUDE")]
    include: Vec<Include>,

    /// Print the names of the interactions and do no more
    #[arg(long, env = "STANDIN_VERIFY_LIST", conflicts_with = "dry_run")]
    list: bool,

    /// Print the requests with the values of --set in them, and send none
    #[arg(long, env = "STANDIN_VERIFY_DRY_RUN")]
    dry_run: bool,

    /// Do not ask before something is created or changed
    #[arg(long, short, env = "STANDIN_VERIFY_YES")]
    yes: bool,

    #[command(flatten)]
    credentials: Credentials,

    /// A value of a real account, such as streamId=st-1 (repeatable; the variable has one a line)
    ///
    /// The names are those of path, query and header parameters and of ids in bodies: streamId, agentId,
    /// groupId, accountId, orgId, emailId, queues.id and so on. A name that no pact has is refused with a list.
    #[arg(long = "set", value_name = "NAME=VALUE", value_delimiter = '\n', value_parser = setting, env = "STANDIN_SET")]
    values: Vec<(String, String)>,

    /// Post the state that an interaction needs to this URL, before and after it
    ///
    /// For `standin serve` that is its URL with /__standin/provider-states, and ?token=… when it has a control token.
    /// Values that come back count more than those of --set.
    #[arg(long, value_name = "URL", env = "STANDIN_STATES_URL", hide_env_values = true)]
    states_url: Option<String>,

    /// How long an interaction may take
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = timeout, env = "STANDIN_TIMEOUT")]
    timeout: Duration,

    /// Write a report as well: junit=FILE or json=FILE (repeatable; the variable is comma separated)
    #[arg(long = "report", value_name = "KIND=FILE", value_delimiter = ',', env = "STANDIN_VERIFY_REPORT")]
    reports: Vec<ReportFile<Kind>>,

    /// Verify the latest pacts that a Pact broker has for the provider `agentassist`, and publish the results there
    #[arg(long, value_name = "URL", env = "STANDIN_BROKER")]
    broker: Option<String>,

    /// A bearer token for the broker
    #[arg(long, value_name = "TOKEN", env = "STANDIN_BROKER_TOKEN", hide_env_values = true)]
    broker_token: Option<Secret>,

    /// A user's name for the broker
    #[arg(long, value_name = "NAME", env = "STANDIN_BROKER_USER", conflicts_with = "broker_token")]
    broker_user: Option<String>,

    /// That user's password
    #[arg(
        long,
        value_name = "PASSWORD",
        env = "STANDIN_BROKER_PASSWORD",
        hide_env_values = true,
        requires = "broker_user"
    )]
    broker_password: Option<Secret>,

    /// The version of the service, for which results are published
    #[arg(long, value_name = "VERSION", default_value = env!("CARGO_PKG_VERSION"), env = "STANDIN_PROVIDER_VERSION")]
    provider_version: String,

    /// The branch of that version
    #[arg(long, value_name = "NAME", env = "STANDIN_PROVIDER_BRANCH")]
    provider_branch: Option<String>,

    #[command(flatten)]
    contract: ContractSource,
}

/// What counts only when it is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Include {
    /// Interactions that are pending in their pact: replies that only a sample of the documentation shows
    DocumentedAccidents,
}

/// The kinds of reports on a verification.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Json,
    Junit,
}

impl ReportKind for Kind {
    const NAMES: &'static [(&'static str, Self)] = &[("junit", Self::Junit), ("json", Self::Json)];
}

impl Verify {
    #[cfg(not(feature = "verify"))]
    pub(super) fn run(&self) -> Result<Exit, Error> {
        Err(Error::could_not_run(format!(
            "this build cannot verify {}: it lacks Pact's verifier; install one that has it with \
             `cargo install --path . --features verify`",
            super::error::one_line(self.url.as_deref().unwrap_or("anything"))
        )))
    }

    #[cfg(feature = "verify")]
    pub(super) fn run(&self) -> Result<Exit, Error> {
        run::run(self)
    }
}

#[cfg(all(test, not(feature = "verify")))]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_a_verifier_says_how_to_get_one() {
        use clap::Parser;

        let cli = super::super::Cli::try_parse_from(["standin", "verify", "http://127.0.0.1:1"]).unwrap();
        let error = cli.command.run().unwrap_err();

        assert_eq!(error.exit(), Exit::CouldNotRun);
        assert!(error.to_string().contains("cargo install --path . --features verify"), "{error}");
    }
}
