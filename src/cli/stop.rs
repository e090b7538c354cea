//! `standin stop`.

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
};

/// How long it may take to answer, and how long to be gone.
const LIMIT: Duration = Duration::from_secs(10);
/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(20);

/// End a stand-in, and wait until it is gone
///
/// When the command is done, the server has written its journal file, and its port is free.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  standin stop
  standin stop http://127.0.0.1:9000

Without --control-token, a stand-in lets itself be stopped from its own machine only.

Exit codes: 0 it is gone, 1 it is not, or there was none, 2 wrong usage, 3 standard output cannot be written.")]
pub(super) struct Stop {
    #[command(flatten)]
    running: Running,
}

impl Stop {
    pub(super) fn run(&self) -> Result<Exit, Error> {
        match self.stop() {
            Ok(()) => {
                let line = one_line(&format!("{} has stopped", self.running.place));
                output::print_painted(&format!("{}\n", style::paint(style::GOOD, &line)))?;
                Ok(Exit::Fine)
            }
            Err(why) => {
                let line = one_line(&format!("{} was not stopped: {why}", self.running.place));
                output::say(style::BAD, &line);
                Ok(Exit::Findings)
            }
        }
    }

    fn stop(&self) -> Result<(), String> {
        check(&self.running.call("POST", "/__standin/stop", LIMIT)?)?;
        let asked = Instant::now();
        // Its port is taken until it has ended: who connects in the meantime is kept waiting, and sees the connection end
        // with it.
        while self.running.place.wait_for_end(LIMIT.saturating_sub(asked.elapsed())) {
            if asked.elapsed() >= LIMIT {
                return Err(format!(
                    "it was asked to stop, and something still listens there after {LIMIT:?}"
                ));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }
}

/// What the reply says when it is not that of a stand-in that stops.
fn check(answer: &Answer) -> Result<(), String> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let status = answer.status;
    if status == 200 && body["status"] == "stopping" {
        return Ok(());
    }
    Err(answer.complaint().unwrap_or_else(|| {
        format!("expected a stand-in that stops, but found another reply with status {status}")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stand_in_that_says_so_stops() {
        let answer = |status, body: &str| Answer { status, body: body.as_bytes().to_vec() };

        assert_eq!(check(&answer(200, r#"{"status":"stopping"}"#)), Ok(()));
        for (status, body, says) in [
            (200, "", "expected a stand-in that stops, but found another reply with status 200"),
            (200, r#"{"status": "serving"}"#, "expected a stand-in that stops, but found"),
            (401, "{}", "set --control-token"),
            (403, r#"{"error": "no"}"#, "it answers 403: no"),
            (404, "<p>", "another reply with status 404"),
        ] {
            let error = check(&answer(status, body)).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
