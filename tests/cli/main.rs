//! The real binary, driven as a person does: commands, their output and their exit codes.

mod commands;
mod generate;
mod journal;
mod readme;
mod serve;
#[path = "../support/mod.rs"]
mod support;
