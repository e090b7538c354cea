//! `standin contract`.

mod ledger;
mod list;
mod show;

use clap::{Args, Subcommand};

use super::{ContractSource, Error, Exit, check, output};

/// How many characters a line of text has where no terminal says so.
const WIDTH: usize = 100;
/// The narrowest and the widest lines that are written for a terminal.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=160;

/// Show what is served: operations, the OpenAPI document, contradictions
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  standin contract show                    the operations
  standin contract show updateAgent        its parameters and fields, with their sources
  standin contract openapi > openapi.json  for other tools
  standin contract ledger                  where the documentation contradicts itself")]
pub(super) struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print the operations, or one of them with its parameters and fields
    Show {
        /// The operation, such as createAgent; without it, all of them in a line each
        operation: Option<String>,
        #[command(flatten)]
        contract: ContractSource,
    },
    /// Print the self-contained OpenAPI 3.1 document
    Openapi {
        #[command(flatten)]
        contract: ContractSource,
    },
    /// Print the contradictions of the documentation and how each is read
    Ledger {
        #[command(flatten)]
        contract: ContractSource,
    },
}

/// How wide lines are: what `COLUMNS` says, else the terminal, else [`WIDTH`].
fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    columns.or_else(terminal).map_or(WIDTH, |width| width.clamp(*WIDTHS.start(), *WIDTHS.end()))
}

impl Command {
    pub(super) fn run(&self) -> Result<Exit, Error> {
        let text = match &self.what {
            What::Show { operation: None, contract } => show::overview(&*contract.load()?),
            What::Show { operation: Some(operation), contract } => {
                let contract = contract.load()?;
                let operation = check::find(&contract, operation)?;
                show::operation(&contract, operation, width())
            }
            What::Openapi { contract } => {
                let contract = contract.load()?;
                String::from_utf8_lossy(contract.published()).trim_end().to_owned() + "\n"
            }
            What::Ledger { contract } => ledger::text(contract.load()?.ledger(), width()),
        };
        output::print(&text)?;
        Ok(Exit::Fine)
    }
}
