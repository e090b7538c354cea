//! `answers_in_time`: an answer comes within the time that `--timeout` gives it.
//!
//! Silent where the connection ended otherwise.

use super::{Look, View};
use crate::campaign::{Failure, Trial, source::Source};

pub(super) fn look(trial: &Trial, view: &View) -> Look {
    match trial.answer.failure {
        Some(Failure::TimedOut) => view.failed(
            super::place(&trial.label),
            format!("an answer within {:?}", view.timeout),
            "none".into(),
            Source::assumed("a request that hangs helps nobody"),
        ),
        Some(_) => Look::Silent,
        None => Look::Passed,
    }
}
