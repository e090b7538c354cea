//! The real binary, driven as a person does: commands, their output and their exit codes.

mod commands;
mod generate;
mod health;
mod inputs;
mod journal;
mod journal_file;
mod readme;
mod serve;
mod state;
mod state_file;
mod stop;
#[path = "../support/mod.rs"]
mod support;
