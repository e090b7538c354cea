//! The `standin` program; everything it does is in [`standin::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    standin::cli::run(std::env::args_os())
}
