//! `never_5xx`: whatever is sent, a status from 500 says that the server has failed, not the request; one from 600 is
//! none of HTTP's, and is taken so too.
//!
//! Silent where there is no reply; on 501 for a method that the path does not have; on 503 with `Retry-After`, which is a
//! limit; and on 507, with which a server says that it is full.

use super::{Look, View};
use crate::{
    Rule,
    campaign::{Trial, source::Source},
};

pub(super) fn look(trial: &Trial, view: &View) -> Look {
    let Some(reply) = &trial.answer.reply else {
        return Look::Silent;
    };
    let is_limit = reply.status == 503 && reply.headers.all("retry-after").next().is_some();
    let is_method = super::rule(&trial.label) == Some(Rule::Method) && reply.status == 501;
    match reply.status {
        507 => Look::Silent,
        _ if is_limit || is_method => Look::Silent,
        500.. => view.failed(
            super::place(&trial.label),
            "a reply that is no fault of the server".into(),
            view.excerpt(reply),
            Source::assumed("no request may make a server fail"),
        ),
        _ => Look::Passed,
    }
}
