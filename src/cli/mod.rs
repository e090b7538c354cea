//! The command line: clap types, one file per subcommand, and the exit codes.
//!
//! Data goes to standard output, everything else to standard error. No other part of the crate prints.
//! House rules for the types: a doc comment is the help text; every flag has an environment variable;
//! a secret is a [`Secret`](crate::token::Secret) and hides the value of its variable.

// Doc comments of the types are help text, where a code mark is noise.
#![allow(clippy::doc_markdown)]

mod call;
mod check;
mod completions;
#[cfg(any(feature = "campaign", feature = "verify"))]
mod consent;
mod contract;
mod credentials;
mod error;
#[cfg(feature = "campaign")]
mod fuzz;
mod generate;
mod health;
mod journal;
mod journal_file;
mod junit;
mod log;
mod output;
mod private_file;
mod report_file;
mod script;
mod script_options;
mod secret;
mod serve;
mod signals;
mod state;
mod state_file;
mod state_options;
mod stop;
mod style;
mod suggested;
mod table;
mod token;
mod value;
mod verify;
mod wrap;

use std::{ffi::OsString, path::PathBuf, process::ExitCode, sync::Arc};

use clap::{Args, CommandFactory, Parser, Subcommand, error::ErrorKind};

use error::{Error, Exit};

use crate::Contract;

/// A stand-in for the Kore.ai agentassist public API.
///
/// It answers the documented requests with the documented replies, refuses what breaks the
/// documentation and says why, and keeps a record of every request.
#[derive(Debug, Parser)]
#[command(name = "standin", version, long_version = LONG_VERSION, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    /// Whether to use colour
    #[arg(
        long,
        global = true,
        display_order = 1000,
        value_name = "WHEN",
        default_value = "auto",
        env = "STANDIN_COLOR"
    )]
    color: style::Color,

    #[command(subcommand)]
    command: Command,
}

/// What was built, of which commit, with which cargo features.
const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (commit ",
    env!("STANDIN_COMMIT"),
    "; features: ",
    env!("STANDIN_FEATURES"),
    ")"
);

const EXAMPLES: &str = "\
Examples:
  standin serve                            answer on http://127.0.0.1:8484
  standin contract show createAgent        what it takes, and which page says so
  standin check createAgent agent.json     does this body keep to the pages?
  standin token                            a token to call it with
  standin generate createAgent --mutants   requests with one fault each
  standin fuzz http://127.0.0.1:8484       does it do what the pages say?
  standin verify http://127.0.0.1:8484     does it do what the contracts say?

Exit codes: 0 fine, 1 findings, 2 wrong usage, 3 could not run.";

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<serve::Serve>),
    Contract(contract::Command),
    Check(check::Check),
    Token(token::Token),
    Generate(generate::Generate),
    #[cfg(feature = "campaign")]
    Fuzz(Box<fuzz::Fuzz>),
    Verify(Box<verify::Verify>),
    Journal(journal::Convert),
    State(state::State),
    Script(script::Script),
    Health(health::Health),
    Stop(stop::Stop),
    Completions(completions::Completions),
}

/// Runs the program with these arguments, the program's name first, and returns its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let result = match Cli::try_parse_from(&arguments) {
        Ok(cli) => {
            cli.color.apply();
            cli.command.run()
        }
        Err(error) => asked_or_wrong(&error, &arguments),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            output::say(style::BAD, &error.to_string());
            error.exit().into()
        }
    }
}

impl Command {
    fn run(self) -> Result<Exit, Error> {
        match self {
            Self::Serve(serve) => serve.run(),
            Self::Contract(contract) => contract.run(),
            Self::Check(check) => check.run(),
            Self::Token(token) => token.run(),
            Self::Generate(generate) => generate.run(),
            #[cfg(feature = "campaign")]
            Self::Fuzz(fuzz) => fuzz.run(),
            Self::Verify(verify) => verify.run(),
            Self::Journal(journal) => journal.run(),
            Self::State(state) => state.run(),
            Self::Script(script) => script.run(),
            Self::Health(health) => health.run(),
            Self::Stop(stop) => stop.run(),
            Self::Completions(completions) => completions.run(),
        }
    }
}

/// Which contract a command works with.
#[derive(Args, Debug)]
struct ContractSource {
    /// Use this contract document instead of the built-in one
    ///
    /// An OpenAPI 3.1 document of the same kind as `contracts/agentassist.openapi.json`, in JSON, with its samples beside it.
    #[arg(long, value_name = "FILE", env = "STANDIN_CONTRACT")]
    contract: Option<PathBuf>,
}

impl ContractSource {
    fn load(&self) -> Result<Arc<Contract>, Error> {
        match &self.contract {
            None => Ok(Contract::builtin()),
            Some(path) => Contract::load(path).map(Arc::new).map_err(|error| {
                Error::could_not_run(format!(
                    "cannot use the contract {}; correct the file or its name, or leave --contract out for the built-in contract",
                    error::one_line(&error::without_numbers(&error.to_string())),
                ))
            }),
        }
    }

    /// The name of the contract for people.
    fn name(&self) -> String {
        self.contract.as_ref().map_or_else(|| "built-in".into(), |path| path.display().to_string())
    }
}

/// Help and version go to standard output; a mistake becomes one line.
fn asked_or_wrong(error: &clap::Error, arguments: &[OsString]) -> Result<Exit, Error> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            output::print_painted(&error.render().ansi().to_string())?;
            Ok(Exit::Fine)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            output::complain(error.render().ansi().to_string().trim_end());
            Ok(Exit::Usage)
        }
        _ => {
            let help = help_for(arguments);
            let line = usage_line(&error.render().to_string());
            Err(Error::usage(format!("{line}; see `{help}`")))
        }
    }
}

/// The command that prints the help of the subcommand that was meant.
fn help_for(arguments: &[OsString]) -> String {
    let mut command = &Cli::command();
    let mut words = vec!["standin"];
    for argument in arguments.iter().skip(1).filter_map(|argument| argument.to_str()) {
        match command.find_subcommand(argument) {
            Some(subcommand) => command = subcommand,
            None => break,
        }
        words.push(command.get_name());
    }
    words.push("--help");
    words.join(" ")
}

/// One line out of clap's paragraphs: what is wrong, and the tip.
fn usage_line(rendered: &str) -> String {
    let parts = rendered
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .map(|line| line.strip_prefix("error: ").unwrap_or(line))
        .map(|line| line.strip_prefix("tip: ").unwrap_or(line))
        .filter(|line| !line.is_empty());
    let mut text = String::new();
    for part in parts {
        if !text.is_empty() {
            text.push_str(if part.starts_with('[') || text.ends_with(':') { " " } else { "; " });
        }
        text.push_str(part);
    }
    error::one_line(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(arguments: &[&str]) -> String {
        let arguments: Vec<_> = ["standin"].iter().chain(arguments).map(OsString::from).collect();
        let error = Cli::try_parse_from(&arguments).unwrap_err();
        asked_or_wrong(&error, &arguments).unwrap_err().to_string()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_has_an_environment_variable_and_every_secret_hides_it() {
        for command in Cli::command().get_subcommands_mut() {
            let nested: Vec<_> = command.get_subcommands().cloned().collect();
            for command in nested.iter().chain([&*command]) {
                for arg in command.get_arguments() {
                    if arg.get_long().is_none() {
                        continue;
                    }
                    let name = format!("{} --{}", command.get_name(), arg.get_long().unwrap());
                    let env = arg.get_env().unwrap_or_else(|| panic!("{name}: no variable"));
                    let env = env.to_str().unwrap();
                    assert!(env.starts_with("STANDIN_"), "{name}: {env}");
                    let secret =
                        ["SECRET", "TOKEN", "PASSWORD", "STATES_URL"].iter().any(|end| env.ends_with(end));
                    assert_eq!(arg.is_hide_env_values_set(), secret, "{name}");
                }
            }
        }
    }

    #[test]
    fn examples_fit_a_terminal_so_that_they_can_be_copied() {
        let mut command = Cli::command();
        let commands: Vec<_> = command.get_subcommands_mut().map(|command| command.clone()).collect();
        for command in commands.iter().chain([&command]) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines().filter(|line| line.starts_with("  ")) {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
            }
        }
    }

    #[test]
    fn a_mistake_is_one_line_that_says_what_to_do() {
        assert_eq!(
            refused(&["serve", "--lisen", "x"]),
            "unexpected argument '--lisen' found; a similar argument exists: '--listen'; see `standin serve --help`"
        );
        assert_eq!(
            refused(&["check"]),
            "the following required arguments were not provided: <OPERATION>; <FILE>...; see `standin check --help`"
        );
        assert_eq!(
            refused(&["serve", "--errors", "nice"]),
            "invalid value 'nice' for '--errors <PROFILE>' [possible values: vendor, rfc]; see `standin serve --help`"
        );
    }
}
