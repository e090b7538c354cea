//! `standin health`.

use std::{
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use serde_json::Value;

use super::{
    Error, Exit,
    call::{Answer, Running},
    error::one_line,
    output, style,
    value::timeout,
};
use crate::counted::counted;

/// How long a single question may take.
const LIMIT: Duration = Duration::from_secs(5);
/// How long to wait before asking again.
const PAUSE: Duration = Duration::from_millis(50);

/// Ask whether a stand-in serves: for scripts, and for a container's health check
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  standin health
  standin health http://standin:8484   a name needs serve --control-host
  standin serve & standin health --wait 20s && npm test

Exit codes: 0 it serves, 1 it does not, 2 wrong usage, 3 standard output cannot be written.")]
pub(super) struct Health {
    #[command(flatten)]
    running: Running,

    /// Ask again until it serves, for at most this long
    #[arg(long, value_name = "TIME", value_parser = timeout, env = "STANDIN_WAIT")]
    wait: Option<Duration>,
}

/// Why it does not serve.
#[derive(Debug)]
enum Trouble {
    /// Waiting may help.
    NotYet(String),
    /// It does not.
    Final(String),
}

impl Health {
    pub(super) fn run(&self) -> Result<Exit, Error> {
        let began = Instant::now();
        let wait = self.wait.unwrap_or_default();
        loop {
            let left = wait.saturating_sub(began.elapsed());
            let limit = if self.wait.is_some() { left.clamp(PAUSE, LIMIT) } else { LIMIT };
            let why = match self.ask(limit) {
                Ok(line) => {
                    output::print_painted(&format!("{}\n", style::paint(style::GOOD, &one_line(&line))))?;
                    return Ok(Exit::Fine);
                }
                Err(Trouble::NotYet(_)) if began.elapsed() < wait => {
                    thread::sleep(PAUSE.min(wait.saturating_sub(began.elapsed())));
                    continue;
                }
                Err(Trouble::NotYet(why) | Trouble::Final(why)) => why,
            };
            let line = one_line(&format!("{} does not serve: {why}", self.running.place));
            output::say(style::BAD, &line);
            return Ok(Exit::Findings);
        }
    }

    /// The line that says how it is.
    fn ask(&self, limit: Duration) -> Result<String, Trouble> {
        let answer = self.running.call("GET", "/__standin/health", limit).map_err(Trouble::NotYet)?;
        read(&answer).map(|health| format!("{} serves: {health}", self.running.place))
    }
}

/// What the reply says about the stand-in.
fn read(answer: &Answer) -> Result<String, Trouble> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let status = answer.status;
    match (status, body["status"].as_str()) {
        (200, Some("serving")) => {
            let operations = body["contract"]["operations"].as_array().map_or(0, Vec::len);
            Ok(format!(
                "standin {}, {}, {} recorded, up {} s",
                body["version"].as_str().unwrap_or("of an unknown version"),
                counted(operations, "operation"),
                counted(&body["exchanges"]["recorded"], "exchange"),
                body["uptimeSeconds"],
            ))
        }
        (500.., _) => Err(Trouble::NotYet(format!("it answers {status}"))),
        _ => Err(Trouble::Final(answer.complaint().unwrap_or_else(|| {
            format!("expected the health of a stand-in, but found another reply with status {status}")
        }))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stand_in_that_serves_is_healthy() {
        let answer = |status, body: &str| Answer { status, body: body.as_bytes().to_vec() };
        let good = r#"{"status": "serving", "version": "1", "uptimeSeconds": 2,
            "contract": {"operations": ["a"]}, "exchanges": {"recorded": 3}}"#;

        assert_eq!(read(&answer(200, good)).unwrap(), "standin 1, 1 operation, 3 exchanges recorded, up 2 s");
        for (status, body) in [(500, ""), (503, good)] {
            assert!(matches!(read(&answer(status, body)), Err(Trouble::NotYet(_))), "{status}");
        }
        for (status, body) in
            [(200, ""), (200, "<p>"), (200, r#"{"status": "UP"}"#), (401, good), (403, "{}"), (404, "")]
        {
            assert!(matches!(read(&answer(status, body)), Err(Trouble::Final(_))), "{status} {body}");
        }
    }
}
