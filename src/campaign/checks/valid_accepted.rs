//! `valid_accepted`: a valid request gets a status from 200 to 299.
//!
//! Silent where it is not certain that the request is valid for this server: where it names an id that the campaign
//! neither made nor got by `--set` nor saw accepted; where it makes use of an entry of the ledger, which is a reading;
//! where it has texts or numbers of which no page says that they are allowed, such as an empty name; on 408, 429 and
//! statuses from 500; and on statuses from 300 to 399, which `reply_matches_contract` reports. `--basis all` asks for the
//! odd texts and numbers too.

use super::{Look, View};
use crate::{
    campaign::{Trial, source::Source},
    payload::Expect,
};

pub(super) fn look(trial: &Trial, view: &View) -> Look {
    if trial.label.expect() != Expect::Valid {
        return Look::Silent;
    }
    if trial.answer.is_accepted() {
        return Look::Passed;
    }
    let source = Source::of(view.contract, view.operation, &trial.label, &trial.sent.request);
    if !trial.answer.is_verdict() || !view.counts(&source) || !(view.is_certain)(trial) {
        return Look::Silent;
    }
    let found = trial.answer.reply.as_ref().map(|reply| view.excerpt(reply)).unwrap_or_default();
    view.failed(
        super::place(&trial.label),
        "a status from 200 to 299, as the request is valid".into(),
        found,
        source,
    )
}
