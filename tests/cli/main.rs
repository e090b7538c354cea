//! The real binary, driven as a person does: commands, their output and their exit codes.

mod commands;
mod generate;
mod health;
mod journal;
mod journal_file;
mod readme;
mod serve;
mod stop;
#[path = "../support/mod.rs"]
mod support;
