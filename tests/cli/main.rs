//! The real binary, driven as a person does: commands, their output and their exit codes.

mod commands;
#[cfg(feature = "campaign")]
mod fuzz_reports;
mod generate;
mod health;
mod inputs;
mod journal;
mod journal_file;
mod readme;
mod script;
mod serve;
mod state;
mod state_file;
mod stop;
#[path = "../support/mod.rs"]
mod support;
