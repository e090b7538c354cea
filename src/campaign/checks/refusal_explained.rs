//! `refusal_explained`, a warning: a refusal says in JSON which member or parameter is at fault.
//!
//! Silent where the request breaks no rule at a member or parameter, and where it is not refused. One finding for an
//! operation says it all.

use super::{Look, View};
use crate::{
    Rule,
    campaign::{
        Place, Trial,
        source::{self, Source},
    },
    payload::{Expect, Label},
    pointer::unescape,
};

pub(super) fn look(trial: &Trial, view: &View) -> Look {
    let Label::Mutant { pointer, rule: Some(rule), expect: Expect::Refused, .. } = &trial.label else {
        return Look::Silent;
    };
    let Some(reply) = trial.answer.reply.as_ref().filter(|_| trial.answer.is_refused()) else {
        return Look::Silent;
    };
    let (_, name) = pointer.rsplit_once('/').unwrap_or_default();
    let is_named =
        pointer.starts_with("/body/") || pointer.starts_with("/query/") || pointer.starts_with("/header/");
    let counts =
        || view.counts(&Source::of(view.contract, view.operation, &trial.label, &trial.sent.request));
    if !is_named
        || view.is_token(pointer)
        || *rule == Rule::MediaType
        || pointer == "/header/Content-Type"
        || matches!(reply.status, 401 | 403 | 404 | 405 | 429)
        || !counts()
    {
        return Look::Silent;
    }
    // The item of a list is named by the list.
    let name = if name.bytes().all(|byte| byte.is_ascii_digit()) {
        source::general(pointer).trim_end_matches("/*").rsplit('/').next().unwrap_or_default().to_owned()
    } else {
        unescape(name).into_owned()
    };
    let text = String::from_utf8_lossy(&reply.body).to_ascii_lowercase();
    if text.contains(&name.to_ascii_lowercase()) && source::is_json(&reply.body) {
        return Look::Passed;
    }
    view.failed(
        Place::default(),
        format!("JSON that names what is at fault, such as `{name}`"),
        view.excerpt(reply),
        Source::assumed("whoever is refused has to know why"),
    )
}
