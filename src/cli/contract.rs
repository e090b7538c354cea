//! `standin contract`.

mod ledger;
mod list;
mod show;

use clap::{Args, Subcommand, ValueEnum};

use super::{ContractSource, Error, Exit, check, output, serve::ErrorsArg, suggested, wrap};
use crate::contract::Audience;

/// How many characters a line of text has where no terminal says so.
const WIDTH: usize = 100;

/// Show what is served: operations, the OpenAPI document, contradictions
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  standin contract show                    the operations
  standin contract show updateAgent        its fields, with their sources
  standin contract openapi > openapi.json  for other tools
  standin contract openapi --for generators > client.json
  standin contract ledger                  the documentation's contradictions")]
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
        /// Whom it is for: exact for validators, or in the usual spellings only for client generators
        #[arg(long = "for", value_name = "WHOM", value_enum, default_value_t = Whom::Validators, env = "STANDIN_FOR")]
        whom: Whom,
        /// The wording of refusals that a generated client reads
        #[arg(long, value_name = "PROFILE", value_enum, default_value_t = ErrorsArg::Vendor, env = "STANDIN_ERRORS")]
        errors: ErrorsArg,
        /// With links from each operation that makes a thing to those that read, change and delete it, as serve --state has
        #[arg(long, env = "STANDIN_STATE")]
        state: bool,
        #[command(flatten)]
        contract: ContractSource,
    },
    /// Print the contradictions of the documentation and how each is read
    Ledger {
        #[command(flatten)]
        contract: ContractSource,
    },
}

/// Whom the OpenAPI document is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Whom {
    /// Whoever wants all of it, exactly
    Validators,
    /// Client generators: usual spellings, named schemas, one type of refusal
    Generators,
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
            What::Openapi { whom, errors, state, contract } => {
                let audience = match whom {
                    Whom::Generators => Audience::Generators((*errors).into()),
                    Whom::Validators => Audience::Exact,
                };
                let contract = contract.load()?;
                let text = if *state { contract.linked(audience) } else { contract.published(audience) };
                String::from_utf8_lossy(text).into_owned()
            }
            What::Ledger { contract } => ledger::text(contract.load()?.ledger(), width.unwrap_or(WIDTH)),
        };
        output::print(&text)?;
        Ok(Exit::Fine)
    }
}
