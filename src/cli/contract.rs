//! `standin contract`.

mod ledger;
mod list;
mod show;

use clap::{Args, Subcommand};

use super::{ContractSource, Error, Exit, check, output, suggested, wrap};

/// How many characters a line of text has where no terminal says so.
const WIDTH: usize = 100;

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
        #[arg(value_parser = suggested::operation())]
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

impl Command {
    pub(super) fn run(&self) -> Result<Exit, Error> {
        let width = wrap::width();
        let text = match &self.what {
            What::Show { operation: None, contract } => show::overview(&*contract.load()?, width),
            What::Show { operation: Some(operation), contract } => {
                let contract = contract.load()?;
                let operation = check::find(&contract, operation)?;
                show::operation(&contract, operation, width.unwrap_or(WIDTH))
            }
            What::Openapi { contract } => {
                let contract = contract.load()?;
                String::from_utf8_lossy(contract.published()).trim_end().to_owned() + "\n"
            }
            What::Ledger { contract } => ledger::text(contract.load()?.ledger(), width.unwrap_or(WIDTH)),
        };
        output::print(&text)?;
        Ok(Exit::Fine)
    }
}
