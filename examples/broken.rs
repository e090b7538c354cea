//! A server with one bug, to see whether a tool finds it: `cargo run --example broken -- off-by-one` prints its URL and serves
//! until it is stopped. Without a name it lists the bugs, as lines of JSON.

#[path = "../tests/campaign/family/mod.rs"]
mod family;

use std::{
    error::Error,
    io::{self, Write},
    thread,
};

use family::{Bug, Sound};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout();
    let Some(name) = std::env::args().nth(1) else {
        for bug in Bug::all() {
            let sound = match bug.sound {
                Sound::Samples => "samples",
                Sound::State => "state",
                Sound::Verified => "verified",
            };
            let line = json!({
                "name": bug.name,
                "does": bug.does,
                "check": bug.check,
                "operation": bug.operation,
                "rule": bug.rule,
                "place": bug.place,
                "sound": sound,
            });
            writeln!(out, "{line}")?;
        }
        return Ok(());
    };
    let bug = Bug::all().find(|bug| bug.name == name);
    writeln!(out, "{}", bug.ok_or_else(|| format!("there is no bug `{name}`"))?.serve()?)?;
    loop {
        thread::park();
    }
}
