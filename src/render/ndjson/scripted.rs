//! What a script did to a reply, in JSON.

use std::{borrow::Cow, num::NonZeroU64, ops::Not, time::Duration};

use serde::{Deserialize, Serialize};

use super::{ParseError, ReplyPart};
use crate::{Breach, Course, Fault, Scripted, exchange::micros};

/// Only what there is of it is written.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScriptedPart<'a> {
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    script: Option<Cow<'a, str>>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    decided: Option<ReplyPart<'a>>,
    #[serde(default, skip_serializing_if = "is_zero")]
    delay_micros: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    throttle: Option<NonZeroU64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
    #[serde(default, skip_serializing_if = "Not::not")]
    discarded: bool,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    breaches: Cow<'a, [Breach]>,
}

impl<'a> ScriptedPart<'a> {
    pub(super) fn new(scripted: &'a Scripted) -> Self {
        let Scripted { script, decided, course, discarded, breaches } = scripted;
        let Course { delay, throttle, fault } = course;
        Self {
            script: script.as_deref().map(Cow::Borrowed),
            decided: decided.as_ref().map(ReplyPart::new),
            delay_micros: micros(*delay),
            throttle: *throttle,
            fault: *fault,
            discarded: *discarded,
            breaches: breaches.as_slice().into(),
        }
    }

    pub(super) fn into_scripted(self) -> Result<Scripted, ParseError> {
        let delay = Duration::from_micros(self.delay_micros);
        Ok(Scripted {
            script: self.script.as_deref().map(Into::into),
            decided: self.decided.map(|reply| reply.into_reply("/scripted/decided")).transpose()?,
            course: Course { delay, throttle: self.throttle, fault: self.fault },
            discarded: self.discarded,
            breaches: self.breaches.into_owned(),
        })
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for it
pub(super) fn is_zero(number: &u64) -> bool {
    *number == 0
}
