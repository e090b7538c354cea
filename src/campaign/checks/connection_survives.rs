//! `connection_survives`: a request gets a well-formed reply. That the connection takes the next request after a refusal
//! is asked by [`Worker::follow`](crate::campaign::worker::Worker).
//!
//! Silent where the answer only came too late, where it is too large to be looked at, and where no connection could be
//! made: a server that stays away ends the campaign.

use super::{Look, View};
use crate::campaign::{Failure, Trial, source::Source};

pub(super) fn look(trial: &Trial, view: &View) -> Look {
    match trial.answer.failure {
        None => Look::Passed,
        Some(Failure::Refused | Failure::TimedOut | Failure::Tls | Failure::TooLarge) => Look::Silent,
        Some(failure) => view.failed(
            super::place(&trial.label),
            "a well-formed reply".into(),
            failure.to_string(),
            Source::assumed("HTTP answers every request"),
        ),
    }
}
