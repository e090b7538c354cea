//! `standin script`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::{
    ContractSource, Error, Exit,
    error::{one_line, reason},
    output, style,
    table::Table,
    wrap,
};
use crate::{Preset, ScriptError, ScriptSettings, Scripts, counted::counted, json};

/// Check scripts for serve --scripts, and see those that have a name
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  standin script check retry.json
  standin script presets
  standin script presets flaky > flaky.json

Exit codes: 0 fine, 1 a file is wrong, 2 wrong usage, 3 it could not be read.")]
pub(super) struct Script {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say everything that is wrong with files of scripts, with its place
    ///
    /// A file has 1000 scripts at most, each of up to 1 MiB, and 16 MiB of them in all. Times are a day at most; what
    /// serve --max-delay allows is not asked here, and samples may be of any wording.
    Check {
        /// Files such as serve --scripts takes; - is standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,

        #[command(flatten)]
        contract: ContractSource,
    },
    /// List the presets, or print the scripts of one of them
    Presets {
        /// The preset, such as flaky
        #[arg(value_name = "NAME", value_parser = super::suggested::preset())]
        name: Option<String>,
    },
}

impl Script {
    pub(super) fn run(&self) -> Result<Exit, Error> {
        match &self.command {
            Command::Check { files, contract } => check(files, contract),
            Command::Presets { name: Some(name) } => {
                let preset =
                    Preset::find(name).map_err(|error| Error::usage(one_line(&error.to_string())))?;
                output::print(&format!("{:#}\n", preset.document()))?;
                Ok(Exit::Fine)
            }
            Command::Presets { name: None } => {
                let mut table = Table::new(["preset", "what a client meets"]);
                for preset in Preset::all() {
                    table.row([preset.name.clone(), preset.summary.clone()]);
                }
                output::print(&table.render(wrap::width()))?;
                Ok(Exit::Fine)
            }
        }
    }
}

fn check(files: &[PathBuf], contract: &ContractSource) -> Result<Exit, Error> {
    output::check_stdin(files)?;
    let contract = contract.load()?;
    let mut exit = Exit::Fine;
    for file in files {
        let name = one_line(&output::name_of(file));
        let text = output::read(file, LONGEST).map_err(|error| {
            Error::could_not_run(format!("cannot read {name}: {}; correct the name", reason(&error)))
        })?;
        // Longer waits are a matter of serve --max-delay.
        let settings = ScriptSettings { max_delay: Duration::MAX, ..ScriptSettings::default() };
        let scripts = Scripts::new(&contract, settings);
        let wrong = match load(&scripts, &text) {
            Ok(()) => {
                let count = scripts.count(Timestamp::now());
                let ok = format!("{}: ok, {}\n", style::paint(style::GOOD, &name), counted(count, "script"));
                output::print_painted(&ok)?;
                continue;
            }
            Err(ScriptError::Wrong(mistakes)) => mistakes.iter().map(ToString::to_string).collect(),
            Err(other) => vec![other.to_string()],
        };
        exit = Exit::Findings;
        for line in wrong {
            output::print_painted(&format!("{}: {}\n", style::paint(style::BAD, &name), one_line(&line)))?;
        }
    }
    Ok(exit)
}

/// Adds the scripts that a text has.
pub(super) fn load(scripts: &Scripts, text: &[u8]) -> Result<(), ScriptError> {
    let document = json::parse(text).map_err(|error| ScriptError::wrong(error.to_string()))?;
    scripts.add_all(&document, Timestamp::now()).map(drop)
}

/// The longest file that is read, in bytes: with spaces, more than all scripts may have.
pub(super) const LONGEST: u64 = 4 * Scripts::MOST_BYTES as u64;
