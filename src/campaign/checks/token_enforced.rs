//! `token_enforced`: without a good token a request gets a status from 400 to 499, on every operation.
//!
//! A token that is missing, broken or does not name the client is never good. One that is expired, unsigned or signed
//! by somebody else is asked about only with `--client-secret`: without it, nobody says that this server verifies
//! tokens, and the check is silent.

use super::{Look, View};
use crate::{
    campaign::Trial,
    payload::{Expect, Label},
};

pub(super) fn look(trial: &Trial, view: &View) -> Look {
    let Label::Mutant { pointer, rule: Some(_), expect, operator, .. } = &trial.label else {
        return Look::Silent;
    };
    let is_certain = *expect == Expect::Refused || view.is_verified;
    if !view.is_token(pointer) || !is_certain {
        return Look::Silent;
    }
    super::must_be_refused(
        trial,
        view,
        format!("a status from 400 to 499, as the token is no good ({operator})"),
    )
}
