//! `method_refused`: a method that the path does not have gets a status from 400 to 499, or 501.
//!
//! Silent where the request has a method that the path has.

use super::{Look, View};
use crate::{Rule, campaign::Trial};

pub(super) fn look(trial: &Trial, view: &View) -> Look {
    if super::rule(&trial.label) != Some(Rule::Method) {
        return Look::Silent;
    }
    if trial.answer.status() == Some(501) {
        return Look::Passed;
    }
    let method = &trial.sent.request.method;
    super::must_be_refused(trial, view, format!("a status from 400 to 499, as the path has no `{method}`"))
}
