//! Requests go out: when their turn has come, and again where the server asks to wait.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};

use super::{
    Answer, Failure, Sent, Trial, Verdict, Why, checks, client::Lane, course::Course, ground::Ready,
    state::Kind, worker::Worker,
};
use crate::payload::Label;

/// How often a server may limit the same request.
const MOST_LIMITS: u32 = 12;
/// How many requests in a row may be limited for good.
const MOST_LIMITED: u32 = 3;
/// How long is waited before a request is sent again, whatever the server asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How long a request waits in all.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long is waited where a server does not say it in a way that is understood.
const USUAL_WAIT: Duration = Duration::from_secs(1);
/// How often a connection that is refused is tried again, a tenth of a second apart.
const KNOCKS: u32 = 30;

impl Worker<'_, '_> {
    /// Sends a request and has the checks look at the answer.
    pub(super) async fn trial(
        &mut self,
        ready: &Ready,
        label: &Label,
        sent: Sent,
        why: Why,
    ) -> (Trial, Vec<Verdict>) {
        let trial = self.unjudged(ready, label, sent, why).await;
        let verdicts = self.course.judge(ready, &trial, self);
        (trial, verdicts)
    }

    /// Sends a request, and keeps in mind what it made or deleted.
    pub(super) async fn unjudged(&mut self, ready: &Ready, label: &Label, sent: Sent, why: Why) -> Trial {
        let is_case = match why {
            Why::Case { .. } | Why::Sample => true,
            // These belong to a repeat when all cases are sent.
            Why::Control | Why::Sequence { .. } | Why::Setup => !self.course.is_over(),
            Why::Repeat => false,
        };
        let answer = self.send((ready.position, checks::rule(label)), &sent, is_case).await;
        let number = {
            let mut state = self.course.state.borrow_mut();
            state.number += 1;
            state.replied[ready.position] |= answer.is_answered() && *label == Label::Valid;
            state.number - 1
        };
        let trial = Trial {
            number,
            operation: ready.generator.operation().to_string(),
            why,
            label: label.clone(),
            sent,
            answer,
        };
        if trial.answer.is_accepted() {
            self.keep_in_mind(ready, &trial);
        }
        trial
    }

    /// Sends a request when its turn has come, and again where the server asks to wait: for a case as long as there is
    /// time for cases, for repeats and cleaning up a while longer. When one of a kind has waited long enough, no other one
    /// waits.
    pub(super) async fn send(&mut self, kind: Kind, sent: &Sent, is_case: bool) -> Answer {
        let course = self.course;
        let (mut knocks, mut limits, mut waited) = (0, 0, Duration::ZERO);
        loop {
            course.pace.turn().await;
            if course.state.borrow().is_brittle && !self.goes_on {
                self.lane = Lane::default();
            }
            let answer = course.client.send(&mut self.lane, sent).await;
            course.state.borrow_mut().sent += 1;
            if let Some(wait) = limit(&answer) {
                course.note("the server limits requests; they wait as `Retry-After` says");
                limits += 1;
                waited += wait;
                if course.is_called_off() || !course.has_time(wait, is_case) {
                    return answer;
                }
                if limits > MOST_LIMITS || waited > PATIENCE || course.state.borrow().is_limited(kind) {
                    course.limited(kind);
                    return answer;
                }
                course.pace.hold(wait);
                continue;
            }
            if answer.failure == Some(Failure::Refused) {
                if knocks < KNOCKS && !course.is_called_off() {
                    knocks += 1;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
                course.give_up("nobody listens there any more");
            }
            if answer.failure == Some(Failure::TooLarge) {
                course.note("some replies have more than 4 MiB; they are not looked at");
            }
            course.state.borrow_mut().limited = 0;
            return answer;
        }
    }
}

impl Course<'_> {
    /// Whether there is time for a wait; where there is none for that of a case, the cases end.
    fn has_time(&self, wait: Duration, is_case: bool) -> bool {
        if !is_case {
            return !self.is_too_late(wait);
        }
        let was_over = self.is_over();
        let is_late = self.is_late(wait);
        if is_late && !was_over {
            self.state.borrow_mut().cut_short = Some(wait);
        }
        !is_late
    }

    /// A request was limited however long it waited.
    fn limited(&self, kind: Kind) {
        let (operation, rule) = kind;
        let mut state = self.state.borrow_mut();
        if !state.keep_limited(kind) {
            return;
        }
        state.limited += 1;
        let all_are = state.limited >= MOST_LIMITED;
        drop(state);
        let operation = &self.contract.operations()[operation].id;
        self.note(&match rule {
            Some(rule) => format!(
                "{operation}: requests that break `{rule}` are limited however long they wait; the rest of them is left out"
            ),
            None => format!(
                "{operation}: requests that are valid are limited however long they wait; they wait no longer"
            ),
        });
        if all_are {
            self.give_up("the server limits every request");
        }
    }
}

/// How long a server asks to wait, and a minute at most; none when it does not.
pub(super) fn limit(answer: &Answer) -> Option<Duration> {
    let reply = answer.reply.as_ref()?;
    let after = reply.headers.all("retry-after").next();
    if reply.status != 429 && !(reply.status == 503 && after.is_some()) {
        return None;
    }
    let asked = after.and_then(|value| wait(value, Timestamp::now()));
    Some(asked.unwrap_or(USUAL_WAIT).min(LONGEST_WAIT))
}

/// How long a `Retry-After` says to wait: so many seconds, or until a date in the form that HTTP prefers.
fn wait(after: &[u8], now: Timestamp) -> Option<Duration> {
    let after = std::str::from_utf8(after).ok()?.trim();
    if let Ok(seconds) = after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = rfc2822::DateTimeParser::new().parse_timestamp(after).ok()?;
    // A date that is over asks for no wait.
    Some(until.duration_since(now).try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_seconds_or_by_a_date() {
        let now = Timestamp::new(784_111_770, 0).unwrap();
        for (after, seconds) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(wait(after.as_bytes(), now), seconds.map(Duration::from_secs), "{after}");
        }
    }
}
