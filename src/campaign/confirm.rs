//! From a failure to a finding: it is traced to what causes it, repeated, made small, and told once.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::{
    Answer, Check, Ended, Finding, Place, Sent, Severity, Trial, Why,
    checks::Observation,
    ground::Ready,
    schedule::How,
    shrink, source,
    worker::{Tried, Worker, is_about},
};
use crate::payload::{Case, Choices, Label};

/// How often a failure is repeated.
pub(super) const REPEATS: u32 = 3;
/// How many requests it may take to make a finding small.
const SHRINKING: usize = 80;
/// How much of a reply a finding keeps, in bytes.
const KEPT: usize = 64 * 1024;

impl Worker<'_, '_> {
    /// Makes a finding of what a check says of an answer, when it is a failure, happens again and is not known yet.
    pub(super) async fn confirm(
        &mut self,
        ready: &Ready,
        case: &Case,
        how: How,
        check: Check,
        first: &Tried,
    ) {
        let Some(observation) = observed(first, check) else { return };
        let key = |place: &Place| (check, ready.position, place.clone());
        if self.course.state.borrow_mut().is_known(key(&observation.place)) {
            return;
        }
        if self.course.is_called_off() {
            self.unconfirmed(ready, check, first, 0);
            return;
        }
        let (case, place) = self.trace(ready, case, how, check, &observation.place).await;
        let is_known = place != observation.place && self.course.state.borrow_mut().is_known(key(&place));
        if !is_known && let Some(finding) = self.repeat(ready, &case, how, check, &place, first).await {
            self.keep(ready, finding);
            return;
        }
        let mut state = self.course.state.borrow_mut();
        state.let_go(&key(&observation.place));
        if !is_known {
            state.let_go(&key(&place));
        }
    }

    /// A failure that did not happen again, or that could not be repeated as there was no going on after it.
    fn unconfirmed(&self, ready: &Ready, check: Check, first: &Tried, repeated: u32) {
        // A valid request may be refused once because what it is about has just gone.
        let seen = observed(first, check).filter(|_| check != Check::ValidAccepted);
        let Some(mut observation) = seen else { return };
        if let Some(Ended::GaveUp { why }) = &self.course.state.borrow().ended {
            observation.found = format!("{}; after that {why}", observation.found);
        }
        let label = first.trial.label.clone();
        let finding = self.finding(ready, check, observation, first.clone(), label, (0, repeated));
        self.course.state.borrow_mut().keep_flaky(finding);
    }

    /// Repeats a failure and makes it small: the finding, when it happens each time.
    async fn repeat(
        &mut self,
        ready: &Ready,
        case: &Case,
        how: How,
        check: Check,
        place: &Place,
        first: &Tried,
    ) -> Option<Finding> {
        let mut last: Option<(Tried, Observation)> = None;
        let mut failed = 0;
        let mut repeated = 0;
        while repeated < REPEATS && !self.course.is_called_off() {
            repeated += 1;
            let again = self.attempt(ready, case, how, Why::Repeat).await;
            if let Some(observation) = observed_at(&again, check, place) {
                failed += 1;
                last = Some((again, observation));
            }
        }
        let Some((mut tried, mut seen)) = last else {
            self.unconfirmed(ready, check, first, repeated);
            return None;
        };
        if check == Check::ValidAccepted {
            let was_accepted = self.course.state.borrow().accepted[ready.position].is_some();
            // Where nothing was accepted yet, only what the caller has set is known to be there.
            if was_accepted || !ready.is_all_set {
                let control = self.control(ready).await;
                if was_accepted && control.as_ref().and_then(Answer::status) == Some(401) {
                    self.course.give_up("the token is no longer accepted");
                }
                if !control.is_some_and(|answer| answer.is_accepted()) {
                    // Something that it is about has gone, or the server takes nothing at all any more.
                    return None;
                }
            }
        }
        let mut label = case.label.clone();
        if failed == repeated && !How::SEQUENCES.contains(&how) {
            let (small, smaller) = self.shrink(ready, case.clone(), how, check, place).await;
            if let Some((again, observation)) = smaller {
                (tried, seen) = (again, observation);
                label = small.label;
            }
        }
        seen.place = place.clone();
        let finding = self.finding(ready, check, seen, tried, label, (failed, repeated));
        if failed < repeated {
            self.course.state.borrow_mut().keep_flaky(finding);
            return None;
        }
        Some(finding)
    }

    /// Reports what needs no tracing, when it happens again each time.
    pub(super) async fn report_as_it_is(
        &mut self,
        ready: &Ready,
        case: &Case,
        trial: &Trial,
        (check, severity): (Check, Severity),
        observation: Observation,
    ) {
        if self.course.options.skip.contains(&check) {
            return;
        }
        let mut same = 0;
        for _ in 0..REPEATS {
            let again = self.attempt(ready, case, How::Once, Why::Repeat).await;
            same += u32::from(again.trial.answer.status() == trial.answer.status());
        }
        let steps = self.steps_before(ready, &trial.sent);
        let tried = Tried { trial: trial.clone(), verdicts: Vec::new(), steps };
        let label = case.label.clone();
        let mut finding = self.finding(ready, check, observation, tried, label, (same, REPEATS));
        finding.severity = severity;
        if same < REPEATS {
            self.course.state.borrow_mut().keep_flaky(finding);
            return;
        }
        self.keep(ready, finding);
    }

    fn keep(&self, ready: &Ready, finding: Finding) {
        self.course.found(&finding);
        let mut state = self.course.state.borrow_mut();
        let key = (finding.check, ready.position, finding.place.clone());
        state.is_brittle |= finding.check == Check::ConnectionSurvives && finding.answer.reply.is_some();
        state.keep(key, finding);
    }

    fn finding(
        &self,
        ready: &Ready,
        check: Check,
        observation: Observation,
        Tried { trial, steps, .. }: Tried,
        label: Label,
        (failed, repeated): (u32, u32),
    ) -> Finding {
        let Observation { place, expected, found, basis, source } = observation;
        let label = as_sent(ready, label, &trial.sent);
        let mut finding = Finding {
            fingerprint: Finding::fingerprint_of(check, ready.generator.operation(), &place),
            check,
            severity: check.severity(),
            operation: ready.generator.operation().to_string(),
            place,
            basis,
            source,
            expected,
            found,
            label,
            steps,
            sent: trial.sent,
            answer: trial.answer,
            failed,
            repeated,
            count: 1,
            seed: self.course.options.seed,
            is_known: false,
        };
        self.course.secrets.hide(&mut finding);
        if let Some(reply) = &mut finding.answer.reply {
            cut(&mut reply.body);
        }
        finding
    }

    /// What a failure comes from, where the check asks the same of every request: from the plainest request, from what
    /// the label says, or from something else in the request.
    async fn trace(
        &mut self,
        ready: &Ready,
        case: &Case,
        how: How,
        check: Check,
        place: &Place,
    ) -> (Case, Place) {
        if check.is_about_labels()
            || how != How::Once
            || place.pointer.starts_with("/reply")
            || *place == Place::default()
        {
            return (case.clone(), place.clone());
        }
        if let Some(control) = &ready.control {
            let tried = self.attempt(ready, control, how, Why::Repeat).await;
            if observed(&tried, check).is_some() {
                return (control.clone(), Place::default());
            }
        }
        if let Some(simplest) = Self::simplest(ready, case) {
            let tried = self.attempt(ready, &simplest, how, Why::Repeat).await;
            if observed(&tried, check).is_some() {
                return (simplest, place.clone());
            }
        }
        (case.clone(), Place::default())
    }

    /// The simplest case that is changed by the same operator at the same place.
    fn simplest(ready: &Ready, case: &Case) -> Option<Case> {
        let Label::Mutant { operator, pointer, rule, .. } = &case.label else {
            return ready.control.clone();
        };
        let pointer = source::general(pointer);
        let places = ready.places.iter().filter(|place| {
            place.operator == *operator
                && place.rule == *rule
                && (place.pointer == pointer || place.pointer.is_empty())
        });
        places
            .filter_map(|place| ready.generator.mutant_of(place, &mut Choices::recorded(&[])))
            .find(|made| matches!(&made.label, Label::Mutant { pointer: own, .. } if source::general(own) == pointer))
    }

    /// Whether a valid request that was accepted is accepted now.
    pub(super) async fn takes_control(&mut self, ready: &Ready) -> bool {
        self.control(ready).await.is_some_and(|answer| answer.is_accepted())
    }

    /// What a valid request that was accepted gets now, or the simplest one where none was.
    async fn control(&mut self, ready: &Ready) -> Option<Answer> {
        let accepted = self.course.state.borrow().accepted[ready.position].clone();
        let case = accepted.or_else(|| ready.control.clone())?;
        Some(self.attempt(ready, &case, How::Once, Why::Control).await.trial.answer)
    }

    /// Makes a case smaller as long as the same check fails at the same place.
    async fn shrink(
        &mut self,
        ready: &Ready,
        mut case: Case,
        how: How,
        check: Check,
        place: &Place,
    ) -> (Case, Option<(Tried, Observation)>) {
        let mut best = None;
        let mut budget = SHRINKING;
        let is_slow = matches!(check, Check::AnswersInTime);
        if is_slow {
            budget = 6;
        }
        let simplest =
            Self::simplest(ready, &case).filter(|simplest| shrink::size(simplest) < shrink::size(&case));
        if let Some(simplest) = simplest {
            budget -= 1;
            if let Some(tried) = self.still(ready, &simplest, how, check, place).await {
                best = Some(tried);
                case = simplest;
            }
        }
        let mut steps = shrink::Steps::new(&case);
        // That all cases are sent is no reason to stop.
        while budget > 0 && !self.course.is_called_off() && !self.course.is_late(Duration::ZERO) {
            let Some(smaller) = steps.next(&case) else { break };
            if shrink::size(&smaller) >= shrink::size(&case)
                || !ready.generator.holds(&smaller.request, &smaller.label)
            {
                continue;
            }
            budget -= 1;
            if let Some(tried) = self.still(ready, &smaller, how, check, place).await {
                best = Some(tried);
                case = smaller;
                steps.worked();
            }
        }
        case.wire = ready.generator.wire(&case.request, case.label.is_in_capitals());
        (case, best)
    }

    /// Whether a smaller case fails in the same way.
    async fn still(
        &mut self,
        ready: &Ready,
        case: &Case,
        how: How,
        check: Check,
        place: &Place,
    ) -> Option<(Tried, Observation)> {
        let tried = self.attempt(ready, case, how, Why::Repeat).await;
        let observation = observed_at(&tried, check, place)?;
        Some((tried, observation))
    }
}

/// Keeps the beginning of what came back; a text stays one.
fn cut(body: &mut Bytes) {
    let mut end = KEPT;
    while end > KEPT - 4 && body.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    body.truncate(end);
}

/// The label of a request in which a text was replaced that no two requests may have alike.
fn as_sent(ready: &Ready, mut label: Label, sent: &Sent) -> Label {
    let replaced = ready.unique.iter().find(|names| is_about(&label, names));
    if let Some(names) = replaced
        && let Some(body) = source::json(&sent.request.body)
        && let Some(text @ Value::String(_)) = body.pointer(&format!("/{}", names.join("/")))
    {
        label.became(text.to_string().as_bytes());
    }
    label
}

/// What a check observed.
pub(super) fn observed(tried: &Tried, check: Check) -> Option<Observation> {
    tried.verdicts.iter().find(|verdict| verdict.check == check)?.failed.clone()
}

/// The same at a place; what is about no place in particular is so wherever it is seen.
pub(super) fn observed_at(tried: &Tried, check: Check, place: &Place) -> Option<Observation> {
    let is_same = |observation: &Observation| {
        observation.place == *place || !check.is_about_labels() && *place == Place::default()
    };
    observed(tried, check).filter(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_cut_between_characters() {
        for (was, expected) in [
            ("é".repeat(KEPT), KEPT),
            (format!("a{}", "é".repeat(KEPT)), KEPT - 1),
            ("a".repeat(KEPT), KEPT),
            ("a".into(), 1),
        ] {
            let mut body = Bytes::from(was);
            cut(&mut body);
            assert_eq!((body.len(), std::str::from_utf8(&body).is_ok()), (expected, true));
        }
        let mut bytes = Bytes::from(vec![0x80; 2 * KEPT]);
        cut(&mut bytes);
        assert_eq!(bytes.len(), KEPT - 4);
    }
}
