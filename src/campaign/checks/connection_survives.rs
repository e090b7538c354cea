//! `connection_survives`: a request gets a well-formed reply on a connection that stays whole, and the server answers
//! a valid request afterwards.
//!
//! Silent where the answer only came too late, and where the connection could not be made at all: then the campaign
//! ends.

use super::{Look, View};
use crate::campaign::{Failure, Trial, source::Source};

pub(super) fn look(trial: &Trial, view: &View) -> Look {
    match trial.answer.failure {
        None => Look::Passed,
        Some(Failure::Refused | Failure::TimedOut | Failure::Tls) => Look::Silent,
        Some(failure) => view.failed(
            super::place(&trial.label),
            "a well-formed reply".into(),
            failure.to_string(),
            Source::assumed("HTTP answers every request"),
        ),
    }
}
