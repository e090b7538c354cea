//! `mutant_refused`: a request that breaks one rule gets a status from 400 to 499.
//!
//! Silent where the rule comes from a place that does not count (`--basis`), where the request is about the token or
//! the method, which have checks of their own, and where the answer is neither an acceptance nor a refusal.

use super::{Look, View};
use crate::{
    Rule,
    campaign::Trial,
    payload::{Expect, Label},
};

pub(super) fn look(trial: &Trial, view: &View) -> Look {
    let Label::Mutant { pointer, rule: Some(rule), expect: Expect::Refused, .. } = &trial.label else {
        return Look::Silent;
    };
    if *rule == Rule::Method || view.is_token(pointer) {
        return Look::Silent;
    }
    super::must_be_refused(
        trial,
        view,
        format!("a status from 400 to 499, as `{rule}` is broken at {pointer}"),
    )
}
