//! Findings are sent again: what has become of them?

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{
    CampaignError, Check, Counted, Ended, Finding, Options, Sent, Step, Verdict, Why,
    confirm::{REPEATS, observed, observed_at},
    course::Course,
    ground::Ready,
    schedule::How,
    secrets::restore,
    worker::Worker,
};
use crate::{
    BaseUrl,
    payload::{Case, Label},
    token::Secret,
};

/// How long cleaning up may take.
const CLEANUP: Duration = Duration::from_secs(30);

/// What has become of a finding.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Replayed {
    /// The answer says neither that it is fixed nor that it is not.
    CannotTell {
        /// Why, as a phrase.
        why: String,
    },
    /// The check passed each time.
    Fixed,
    /// The check failed again.
    StillFailing {
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
}

/// Sends findings again.
pub(super) async fn run(
    url: &str,
    findings: &[Finding],
    options: &Options,
) -> Result<Vec<Replayed>, CampaignError> {
    let target: BaseUrl = url.parse()?;
    let own = findings.iter().flat_map(|finding| {
        let steps = finding.steps.iter().map(|step| &step.operation);
        steps.chain([&finding.operation])
    });
    let mut operations: Vec<_> =
        own.filter(|name| options.contract.operation(name).is_some()).cloned().collect();
    operations.sort_unstable();
    operations.dedup();
    if operations.is_empty() {
        let why = "the contract has no such operation";
        return Ok(findings.iter().map(|_| Replayed::CannotTell { why: why.into() }).collect());
    }
    let options = Options {
        operations,
        rules: Vec::new(),
        skip: Vec::new(),
        cases: None,
        time: None,
        // Whatever counted when it was found counts now.
        counted: Counted::All,
        ..options.clone()
    };
    let mut observer = ();
    let course = Course::new(&target, &options, &mut observer, Instant::now()).await?;
    let goes_on = course.reach().await? || course.takes_whatever().is_some();
    if goes_on {
        course.state.borrow_mut().ended = None;
    }
    let mut worker = Worker::new(&course);
    let mut replayed = Vec::new();
    for finding in findings {
        replayed.push(if goes_on { worker.replay(finding).await } else { course.gave_up_on(finding) });
    }
    if !options.keep {
        let _ = tokio::time::timeout(CLEANUP, worker.clean_up(0)).await;
    }
    Ok(replayed)
}

impl Course<'_> {
    /// What has become of a finding when not even valid requests got anywhere.
    fn gave_up_on(&self, finding: &Finding) -> Replayed {
        let state = self.state.borrow();
        match state.findings.iter().find(|now| now.fingerprint == finding.fingerprint) {
            Some(now) => Replayed::StillFailing { expected: now.expected.clone(), found: now.found.clone() },
            None => Replayed::CannotTell {
                why: match &state.ended {
                    Some(Ended::GaveUp { why }) => why.clone(),
                    _ => "valid requests get no answer".into(),
                },
            },
        }
    }

    /// That the server accepts whatever is sent, when that was found: then each finding shows by itself what it is now.
    fn takes_whatever(&self) -> Option<Replayed> {
        let state = self.state.borrow();
        let now = state.findings.iter().find(|now| is_of_whatever(now))?;
        Some(Replayed::StillFailing { expected: now.expected.clone(), found: now.found.clone() })
    }
}

impl Worker<'_, '_> {
    async fn replay(&mut self, finding: &Finding) -> Replayed {
        let course = self.course;
        let ready = |operation: &str| {
            course.ground.operations.iter().find(|ready| **ready.generator.operation() == *operation)
        };
        let operation = &finding.operation;
        let Some(own) = ready(operation) else {
            return Replayed::CannotTell { why: format!("the contract has no operation `{operation}`") };
        };
        let refuses_all =
            || Replayed::CannotTell { why: format!("a valid request of {operation} is refused as well") };
        if is_of_whatever(finding) {
            // That has been tried already.
            if let Some(failing) = course.takes_whatever() {
                return failing;
            }
            return if self.takes_control(own).await { Replayed::Fixed } else { refuses_all() };
        }
        let (how, first, change) = told_by(finding);
        let case = |ready: &Ready, sent: &Sent, label: &Label| {
            let mut sent = sent.clone();
            restore(&mut sent, &Secret::new(course.ground.tokens.first().map_or("", String::as_str)));
            Case {
                operation: Arc::clone(ready.generator.operation()),
                request: sent.request,
                label: label.clone(),
                wire: sent.wire,
            }
        };
        self.change = change.and_then(|step| Some(case(ready(&step.operation)?, &step.sent, &Label::Valid)));
        let case = case(own, first, &finding.label);
        if course.has_run_out(&case) {
            let why = "its token is over by now; --client-secret signs it anew";
            return Replayed::CannotTell { why: why.into() };
        }
        for _ in 0..REPEATS {
            let tried = self.attempt(own, &case, how, Why::Repeat).await;
            if let Some(now) = observed_at(&tried, finding.check, &finding.place) {
                return Replayed::StillFailing { expected: now.expected, found: now.found };
            }
            let is_fine = |verdict: &&Verdict| verdict.check == finding.check && verdict.failed.is_none();
            if tried.verdicts.iter().find(is_fine).is_none() {
                let why = match observed(&tried, finding.check) {
                    Some(now) => format!(
                        "{} fails in another way now: expected {}, but found {}",
                        finding.check, now.expected, now.found
                    ),
                    None => {
                        format!("{} has nothing to say of the answer: {}", finding.check, tried.trial.answer)
                    }
                };
                return Replayed::CannotTell { why };
            }
        }
        // A refusal of everything, for example of the token, mends nothing.
        if finding.check != Check::ValidAccepted && !self.takes_control(own).await {
            return refuses_all();
        }
        Replayed::Fixed
    }
}

/// Whether a finding is that the server accepts whatever is sent.
fn is_of_whatever(finding: &Finding) -> bool {
    finding.check == Check::MutantRefused && finding.label == Label::Valid
}

/// How a finding came about, the first request of that, and the step that changes something where it has one. What these
/// need is made as in a campaign.
fn told_by(finding: &Finding) -> (How, &Sent, Option<&Step>) {
    // Steps before that make what the first request names.
    let begin = finding.steps.iter().rposition(|step| step.operation == finding.operation);
    let steps = begin.map_or(&[][..], |begin| &finding.steps[begin..]);
    let how = match finding.check {
        Check::SameAnswerTwice => How::Twice,
        // The reply itself was fine.
        Check::ConnectionSurvives if finding.answer.reply.is_some() => How::Followed,
        Check::DeletedIsGone => How::ReadDeleted,
        Check::FailedCreateLeftNothing => How::CreateAgain,
        Check::CreatedIsReadable if steps.len() >= 3 => How::ReadUpdated,
        Check::CreatedIsReadable => How::ReadCreated,
        _ => How::Once,
    };
    let first =
        steps.first().filter(|_| How::SEQUENCES.contains(&how)).map_or(&finding.sent, |step| &step.sent);
    (how, first, steps.get(2).filter(|_| how == How::ReadUpdated))
}
