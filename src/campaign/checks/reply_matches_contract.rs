//! `reply_matches_contract`: status, media type and body of a reply are what the contract has for the operation.
//!
//! Silent where the contract only assumes what such a reply looks like, or that success has the status that it has,
//! unless assumptions count; on replies that only an accident of the documentation shows; on refusals with a status that
//! the contract does not have, and statuses from 500; and where the request has another path or method than the operation.

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
        let source = source_of_status(view, reply.status);
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
    let pointer = source::in_reply(Some(replies), &breach.pointer);
    let found =
        format!("{message} at {} of a reply with {}", pointer.trim_start_matches("/reply"), reply.status);
    view.failed(Place { rule: None, pointer }, "a reply as the contract has it".into(), found, source)
}

/// Where it comes from that the operation has no such status: the contract may only assume which one success has.
fn source_of_status(view: &View, status: u16) -> Source {
    let is_success = |status| (200..300).contains(&status);
    let mut accepted = view.operation.replies.iter().filter(|replies| is_success(replies.status));
    match accepted.find_map(|replies| replies.assumed.as_deref()) {
        Some(why) if is_success(status) => Source::assumed(why),
        _ => Source::new(view.contract, view.operation.source.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{Counted, checks::tests::failed};

    #[test]
    fn another_status_of_success_is_wrong_only_where_assumptions_count() {
        let says = |operation, status, counted| {
            let observation = failed(look, operation, Ok(status), counted);
            observation.map(|observation| observation.basis)
        };
        for (operation, status) in [("createAgent", 201), ("deleteAgent", 204), ("importDataV2", 202)] {
            assert_eq!(says(operation, status, Counted::Vendor), None, "{operation} {status}");
            assert_eq!(says(operation, status, Counted::All).as_deref(), Some("assumed"), "{operation}");
        }
        assert_eq!(says("createAgent", 302, Counted::Vendor).as_deref(), Some("pages"));
        assert_eq!(says("createAgent", 418, Counted::All), None);
    }
}
