//! `standin completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Error, Exit, output};

/// Print a completion script for a shell
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  source <(standin completions bash)
  standin completions fish > ~/.config/fish/completions/standin.fish")]
pub(super) struct Completions {
    /// The shell to write for
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Result<Exit, Error> {
        // Into a buffer first: the generator panics when its writer fails.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "standin", &mut script);
        output::print(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Fine)
    }
}
