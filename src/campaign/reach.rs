//! What kind of server it is, before any of its mistakes is looked for: one that is there, and that can be told anything about.

use std::time::Duration;

use super::{
    CampaignError, Check, Failure, Place, Severity, Trial, Why,
    checks::Observation,
    course::Course,
    ground::Ready,
    schedule::How,
    worker::{Tried, Worker},
};
use crate::{
    Rule,
    payload::{Case, Choices},
};

impl Course<'_> {
    /// Sends the simplest valid request of every operation, and sees what kind of server this is: whether to go on.
    pub(super) async fn reach(&self) -> Result<bool, CampaignError> {
        self.client.knock().await?;
        let mut worker = Worker::new(self);
        let mut controls: Vec<(&Ready, &Case, Tried)> = Vec::new();
        for ready in self.ground.chosen() {
            let Some(case) = &ready.control else { continue };
            let tried = worker.attempt(ready, case, How::Once, Why::Control).await;
            if self.is_over() {
                return Ok(false);
            }
            controls.push((ready, case, tried));
            let is_dumb = controls.iter().all(|(.., tried)| !tried.trial.answer.is_answered());
            if is_dumb && controls.len() >= 3 {
                break;
            }
        }
        let all = |test: &dyn Fn(&Trial) -> bool| {
            !controls.is_empty() && controls.iter().all(|(.., tried)| test(&tried.trial))
        };
        let status = |trial: &Trial| trial.answer.status().unwrap_or_default();
        let Some((ready, case, tried)) = controls.first() else {
            self.give_up("there is nothing to send");
            return Ok(false);
        };
        let trial = &tried.trial;
        if all(&|trial| !trial.answer.is_answered()) {
            let check = if trial.answer.failure == Some(Failure::TimedOut) {
                Check::AnswersInTime
            } else {
                Check::ConnectionSurvives
            };
            worker.confirm(ready, case, How::Once, check, tried).await;
            self.give_up(&format!("no valid request gets a reply: {}", trial.answer));
            return Ok(false);
        }
        // A server is right to do these; what it was called with is wrong.
        if all(&|trial| matches!(status(trial), 401 | 403)) {
            let pointer = format!("/header/{}", self.contract.token_header().unwrap_or("authorization"));
            let observation = Observation {
                place: Place { rule: Some(Rule::Token), pointer },
                expected: "that a valid request is accepted by one operation at least".into(),
                found: format!("{} from every operation; look at the token", trial.answer),
                basis: self.contract.basis(self.contract.token_source()).name().to_owned(),
                source: self.contract.token_source().to_owned(),
            };
            let check = (Check::ValidAccepted, Severity::Warning);
            worker.report_as_it_is(ready, case, trial, check, observation).await;
            self.give_up("every operation refuses the token; look at --token and --client-secret");
            return Ok(false);
        }
        if all(&|trial| (300..400).contains(&status(trial))) {
            self.give_up(&format!(
                "every operation redirects with {}, and no redirect is followed; look at the URL",
                trial.answer
            ));
            return Ok(false);
        }
        if all(&|trial| trial.answer.is_accepted()) && self.takes_all(&mut worker).await {
            let observation = Observation {
                place: Place::default(),
                expected: "that something is refused".into(),
                found: format!("{} whatever is sent: another path, no token, no JSON", trial.answer),
                basis: "pages".into(),
                source: self.contract.operations()[ready.position].source.clone(),
            };
            let check = (Check::MutantRefused, Severity::Error);
            worker.report_as_it_is(ready, case, trial, check, observation).await;
            self.give_up("the server accepts whatever is sent");
            return Ok(false);
        }
        if !controls.iter().any(|(.., tried)| tried.trial.answer.is_accepted()) {
            self.note(
                "no operation accepted a valid request, so that little can be found out; look at the URL, and give the ids of an account with --set",
            );
        }
        if let Some(slow) = controls
            .iter()
            .map(|(.., tried)| tried.trial.answer.micros)
            .max()
            .filter(|slow| *slow > Duration::from_secs(1))
        {
            self.note(&format!("the server is slow: an answer took {slow:.1?}"));
        }
        Ok(true)
    }

    /// Whether the server accepts a path that does not exist, a request without a token, and a body that is no JSON.
    async fn takes_all(&self, worker: &mut Worker<'_, '_>) -> bool {
        let operators = ["literalSegment", "tokenMissing", "truncated"];
        let ready = self.ground.chosen().max_by_key(|ready| {
            ready.places.iter().filter(|place| operators.contains(&place.operator.name())).count()
        });
        let Some(ready) = ready else { return false };
        let mut count = 0;
        for place in ready.places.iter().filter(|place| operators.contains(&place.operator.name())) {
            let mut choices = Choices::recorded(&[]);
            let Some(case) = ready.generator.mutant_of(place, &mut choices) else { continue };
            let tried = worker.attempt(ready, &case, How::Once, Why::Control).await;
            if !tried.trial.answer.is_accepted() {
                return false;
            }
            count += 1;
        }
        count >= 2
    }
}
