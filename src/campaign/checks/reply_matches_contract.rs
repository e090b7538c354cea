//! `reply_matches_contract`: status, media type and body of a reply are what the contract has for the operation.
//!
//! Silent where the contract only assumes what such a reply looks like, unless assumptions count; on replies that only
//! an accident of the documentation shows; on refusals with a status that the contract does not have, and statuses from
//! 500; and where the request has another path or method than the operation.

use super::{Look, View};
use crate::{
    Rule,
    campaign::{
        Place, Trial,
        source::{self, Source},
    },
    contract::{Basis, Errors, LedgerKind},
};

pub(super) fn look(trial: &Trial, view: &View) -> Look {
    let Some(reply) = &trial.answer.reply else {
        return Look::Silent;
    };
    if matches!(super::rule(&trial.label), Some(Rule::Path | Rule::Method)) || reply.status >= 500 {
        return Look::Silent;
    }
    let known = view.operation.replies.iter().find(|replies| replies.status == reply.status);
    let Some(replies) = known else {
        let source = Source::new(view.contract, view.operation.source.clone());
        if reply.status >= 400 || !view.counts(&source) {
            return Look::Silent;
        }
        return view.failed(
            Place { rule: None, pointer: "/reply/status".into() },
            "a status that the contract has".into(),
            format!("{}", reply.status),
            source,
        );
    };
    let samples = || Errors::ALL.into_iter().flat_map(|errors| replies.samples(errors).iter());
    let is_accident = |id: &String| {
        let mut ledger = view.contract.ledger().iter();
        ledger.any(|entry| entry.id == *id && entry.kind == LedgerKind::Accident)
    };
    if samples().any(|sample| sample.ledger.iter().any(is_accident)) {
        return Look::Silent;
    }
    let shown = samples()
        .find(|sample| sample.assumed.is_none() && view.contract.basis(&sample.source) != Basis::Assumed);
    let source = shown.map_or_else(
        || Source::assumed("no page shows such a reply"),
        |sample| Source::new(view.contract, sample.source.clone()),
    );
    if !view.counts(&source) {
        return Look::Silent;
    }
    let breaches = |body| view.judge.judge(Some(&view.operation.id), reply.status, &reply.headers, body);
    let breaches_there = breaches(&reply.body);
    let Some(breach) = breaches_there.first() else {
        return Look::Passed;
    };
    // A breach quotes the beginning of a value.
    let shown = breaches(&view.shown(reply)).into_iter().find(|other| other.pointer == breach.pointer);
    let message = shown
        .map_or("expected another value, but found one with a secret in it".to_owned(), |shown| {
            shown.message
        });
    let found = format!("{message} at {} of a reply with {}", breach.pointer, reply.status);
    let pointer = format!("/reply{}", source::general(&breach.pointer));
    view.failed(Place { rule: None, pointer }, "a reply as the contract has it".into(), found, source)
}
