//! Requests go out: when their turn has come, and again where the server asks to wait.

use std::time::Duration;

use super::{Answer, Failure, Sent, Trial, Verdict, Why, client::Lane, ground::Ready, worker::Worker};
use crate::payload::Label;

/// How often a server may limit the same request.
const MOST_LIMITS: u32 = 12;
/// How many requests in a row may be limited for good.
const MOST_LIMITED: u32 = 3;
/// How long a server may ask to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
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
        let answer = self.send(&sent, is_case).await;
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
    /// time for cases, for repeats and cleaning up a while longer.
    pub(super) async fn send(&mut self, sent: &Sent, is_case: bool) -> Answer {
        let course = self.course;
        let (mut knocks, mut limits) = (0, 0);
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
                let is_late = if is_case { course.is_late(wait) } else { course.is_too_late(wait) };
                if course.is_called_off() || is_late {
                    return answer;
                }
                if limits > MOST_LIMITS {
                    let mut state = course.state.borrow_mut();
                    state.limited += 1;
                    let all_are = state.limited >= MOST_LIMITED;
                    drop(state);
                    if all_are {
                        course.give_up("the server limits every request");
                    }
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

/// How long a server asks to wait; none when it does not.
pub(super) fn limit(answer: &Answer) -> Option<Duration> {
    let reply = answer.reply.as_ref()?;
    let after = reply.headers.all("retry-after").next();
    if reply.status != 429 && !(reply.status == 503 && after.is_some()) {
        return None;
    }
    let seconds = after.and_then(|value| std::str::from_utf8(value).ok()?.trim().parse::<u64>().ok());
    Some(Duration::from_secs(seconds.unwrap_or(1)).min(LONGEST_WAIT))
}
