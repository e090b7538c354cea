//! A worker: one connection, the things that its requests are about, and one job after the other.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;

use super::{
    Answer, Place, Sent, Step, Trial, TriedOutcome, Verdict, Why,
    checks::{Check, Look, same_answer_twice},
    client::Lane,
    course::Course,
    ground::Ready,
    plain,
    schedule::{How, Job},
    sending::limit,
    source,
    state::MOST_THINGS,
};
use crate::{
    contract::Does,
    payload::{Case, Choices, Expect, Label, Wire},
    percent,
};

/// So many cases show which readings the server takes.
const READINGS: u64 = 4000;
/// So often a server is asked whether it still answers.
const ASKED: usize = 3;

pub(super) struct Worker<'c, 'a> {
    pub(super) course: &'c Course<'a>,
    pub(super) lane: Lane,
    /// What its requests are about, by resource.
    pub(super) things: HashMap<usize, String>,
    /// How often making a thing of a resource came to nothing.
    pub(super) barren: HashMap<usize, u32>,
    /// The change that a sequence makes, where it is that of a finding.
    pub(super) change: Option<Case>,
    /// Whether the next request goes on the connection of the one before it, whatever that got.
    pub(super) goes_on: bool,
}

/// A request that was tried, with those that it took before it.
#[derive(Clone)]
pub(super) struct Tried {
    pub(super) trial: Trial,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) steps: Vec<Step>,
}

impl<'c, 'a> Worker<'c, 'a> {
    pub(super) fn new(course: &'c Course<'a>) -> Self {
        Self {
            course,
            lane: Lane::default(),
            things: HashMap::new(),
            barren: HashMap::new(),
            change: None,
            goes_on: false,
        }
    }

    /// Does one job after the other, until there are no more.
    pub(super) async fn run(&mut self) {
        while let Some(job) = self.course.next() {
            self.job(job).await;
            let is_full = {
                let state = self.course.state.borrow();
                state.things.len() > state.clean_at
            };
            if is_full && !self.course.options.keep {
                self.clean_up(MOST_THINGS / 2).await;
            }
        }
    }

    async fn job(&mut self, job: Job) {
        let course = self.course;
        let seed = course.options.seed;
        let ready = |operation: usize| &course.ground.operations[operation];
        match job {
            Job::Sample { operation, sample } => {
                let ready = ready(operation);
                if let Some(case) = self.sample(ready, sample) {
                    self.once(ready, &case, Why::Sample, true).await;
                }
            }
            Job::Valid { operation, index } => {
                let ready = ready(operation);
                if let Some(mut case) = ready.generator.valid_at(seed, index) {
                    // Those that leave no doubt show what is refused, the others what is made of them.
                    let accepted = course.state.borrow().accepted[operation].clone();
                    if index / 2 % 2 == 1
                        && let Some(accepted) = accepted
                        && let Some(plain) =
                            plain::plain(&course.contract.operations()[operation], ready, &accepted, &case)
                    {
                        case = plain;
                    }
                    self.once(ready, &case, Why::Case { index }, index % 8 < 4).await;
                }
            }
            Job::Mutant { operation, index } => {
                let ready = ready(operation);
                let Some(place) =
                    ready.places.get(choices(ready, "mutant", seed, index).below(ready.places.len()))
                else {
                    return;
                };
                if let Some(case) =
                    ready.generator.mutant_of(place, &mut choices(ready, "random", seed, index))
                {
                    self.once(ready, &case, Why::Case { index }, false).await;
                }
            }
            Job::Place { operation, place } => {
                let ready = ready(operation);
                if course.state.borrow().is_limited((operation, ready.places[place].rule)) {
                    return;
                }
                let stream = format!("{} place {place}", ready.generator.operation());
                let made =
                    ready.generator.mutant_of(&ready.places[place], &mut Choices::seeded(&stream, seed, 0));
                let Some(case) = made else {
                    course.state.borrow_mut().tried(operation, place, TriedOutcome::Unproved, None);
                    return;
                };
                let answer = self.once(ready, &case, Why::Case { index: place as u64 }, false).await;
                let outcome = match answer {
                    answer if limit(&answer).is_some() => TriedOutcome::NotTried,
                    answer if answer.is_accepted() => TriedOutcome::Accepted,
                    answer if answer.is_refused() => TriedOutcome::Refused,
                    _ => TriedOutcome::Other,
                };
                let pointer = match &case.label {
                    Label::Mutant { pointer, .. } => Some(source::general(pointer)),
                    Label::Valid => None,
                };
                course.state.borrow_mut().tried(operation, place, outcome, pointer);
            }
            Job::Sequence { operation, how, index } => {
                let ready = ready(operation);
                if let Some(case) = self.first_of(ready, how, index) {
                    let tried = self.attempt(ready, &case, how, Why::Case { index }).await;
                    self.look_into(ready, &case, how, tried).await;
                }
            }
        }
    }

    /// Tries a case, and again where the answer must be the same.
    async fn once(&mut self, ready: &Ready, case: &Case, why: Why, twice: bool) -> Answer {
        let tried = self.attempt(ready, case, How::Once, why).await;
        let answer = tried.trial.answer.clone();
        if case.label.expect() == Expect::Valid && self.course.state.borrow().number < READINGS {
            self.course.read(ready, &tried.trial, self);
        }
        let is_fine = tried.verdicts.iter().all(|verdict| verdict.failed.is_none());
        if is_fine && self.is_to_be_followed(ready, &tried.trial) {
            let look = self.follow(ready, &tried.trial).await;
            let verdicts = Verdict::new(Check::ConnectionSurvives, look).into_iter().collect();
            let steps = self.steps_before(ready, &tried.trial.sent);
            let followed = Tried { trial: tried.trial.clone(), verdicts, steps };
            self.confirm(ready, case, How::Followed, Check::ConnectionSurvives, &followed).await;
        }
        self.look_into(ready, case, How::Once, tried).await;
        let is_skipped = self.course.options.skip.contains(&Check::SameAnswerTwice);
        if twice
            && is_fine
            && !is_skipped
            && same_answer_twice::applies(&case.request.method)
            && !self.course.is_over()
        {
            let tried = self.attempt(ready, case, How::Twice, Why::Repeat).await;
            self.look_into(ready, case, How::Twice, tried).await;
        }
        answer
    }

    /// Whether it is not known yet if a connection survives such a request: its body may be left unread.
    fn is_to_be_followed(&self, ready: &Ready, trial: &Trial) -> bool {
        let Label::Mutant { rule, .. } = &trial.label else { return false };
        let mut state = self.course.state.borrow_mut();
        trial.answer.is_refused()
            && trial.sent.wire == Wire::Any
            && !trial.sent.request.body.is_empty()
            && !self.course.options.skip.contains(&Check::ConnectionSurvives)
            && state.accepted[ready.position].is_some()
            && state.followed.insert((ready.position, *rule))
    }

    /// Whether a valid request is answered on the connection that another one has had before it.
    async fn follow(&mut self, ready: &Ready, trial: &Trial) -> Look {
        let accepted = self.course.state.borrow().accepted[ready.position].clone();
        let Some(case) = accepted.filter(|_| trial.answer.reply.is_some()) else { return Look::Silent };
        if self.attempt_valid(ready, &case).await {
            return Look::Passed;
        }
        self.lane = Lane::default();
        if !self.attempt_valid(ready, &case).await {
            return Look::Silent;
        }
        self.lane = Lane::default();
        self.course.view(ready, &|_| false).failed(
            Place::default(),
            "that the next request on the connection is answered".into(),
            "another answer than on a connection of its own".into(),
            source::Source::assumed("a connection that is kept takes the next request"),
        )
    }

    /// Whether a valid request is accepted on the connection that there is.
    async fn attempt_valid(&mut self, ready: &Ready, case: &Case) -> bool {
        self.goes_on = true;
        self.ensure(ready).await;
        let sent = self.prepare(ready, case);
        let trial = self.unjudged(ready, &case.label, sent, Why::Control).await;
        self.goes_on = false;
        trial.answer.is_accepted()
    }

    /// Looks into what failed.
    async fn look_into(&mut self, ready: &Ready, case: &Case, how: How, tried: Tried) {
        if !tried.trial.answer.is_answered() && !self.course.is_called_off() {
            self.see_whether_it_lives(ready).await;
        }
        for verdict in &tried.verdicts {
            self.confirm(ready, case, how, verdict.check, &tried).await;
        }
    }

    /// After a failure, sends what is valid, of this operation first, and of others that have had a reply to that; a
    /// server that does not answer any of it is not tried any further. An operation that never answers is no such server.
    async fn see_whether_it_lives(&mut self, ready: &Ready) {
        let course = self.course;
        let replied = course.state.borrow().replied.clone();
        let has_replied = |other: &&Ready| replied[other.position] && other.control.is_some();
        let others = course.ground.chosen().filter(|other| other.position != ready.position);
        let live: Vec<_> = std::iter::once(&course.ground.operations[ready.position])
            .chain(others)
            .filter(has_replied)
            .collect();
        for other in live.iter().cycle().take(ASKED) {
            let Some(case) = &other.control else { continue };
            if self.attempt(other, case, How::Once, Why::Control).await.trial.answer.is_answered() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        if !live.is_empty() {
            course.give_up("the server does not answer valid requests any more");
        }
    }

    /// Sends a case in its way, and has the checks look at the answer.
    pub(super) async fn attempt(&mut self, ready: &Ready, case: &Case, how: How, why: Why) -> Tried {
        match how {
            How::Once => {
                if case.label.expect() == Expect::Valid && self.does(ready) == Some(Does::Delete) {
                    // What is deleted is made for it.
                    ready
                        .named
                        .iter()
                        .filter(|named| named.is_key)
                        .for_each(|named| self.release(named.resource));
                }
                self.ensure(ready).await;
                let sent = self.prepare(ready, case);
                // What is deleted is not there any more when somebody asks how it was made.
                let things = self.things.clone();
                let (trial, verdicts) = self.trial(ready, &case.label, sent, why).await;
                if trial.answer.is_accepted() && matches!(case.label, Label::Valid) {
                    self.course.state.borrow_mut().accepted[ready.position]
                        .get_or_insert_with(|| case.clone());
                }
                let has_failed = verdicts.iter().any(|verdict| verdict.failed.is_some());
                let steps =
                    if has_failed { self.steps_with(&things, ready, &trial.sent) } else { Vec::new() };
                Tried { trial, verdicts, steps }
            }
            How::Followed => {
                self.ensure(ready).await;
                self.lane = Lane::default();
                let sent = self.prepare(ready, case);
                let trial = self.unjudged(ready, &case.label, sent, why).await;
                let look = self.follow(ready, &trial).await;
                self.told(ready, trial, Check::ConnectionSurvives, look, Vec::new())
            }
            How::Twice => {
                self.ensure(ready).await;
                let sent = self.prepare(ready, case);
                let first = self.unjudged(ready, &case.label, sent.clone(), why.clone()).await;
                let second = self.unjudged(ready, &case.label, sent, why).await;
                let look =
                    same_answer_twice::look(&first, &second.answer, &self.course.view(ready, &|_| false));
                let step = Self::step_made(ready, &first);
                self.told(ready, second, Check::SameAnswerTwice, look, vec![step])
            }
            how => self.sequence(ready, case, how).await,
        }
    }

    /// A trial of which one check alone says something. The steps get what they need before them.
    pub(super) fn told(
        &self,
        ready: &Ready,
        trial: Trial,
        check: Check,
        look: Look,
        steps: Vec<Step>,
    ) -> Tried {
        let is_skipped = self.course.options.skip.contains(&check);
        let verdict = Verdict::new(check, look).filter(|_| !is_skipped);
        if let Some(verdict) = &verdict {
            self.course.say(ready, &trial, verdict);
        }
        let has_failed = verdict.as_ref().is_some_and(|verdict| verdict.failed.is_some());
        let mut before = Vec::new();
        if has_failed {
            before = self.steps_before(ready, steps.first().map_or(&trial.sent, |step| &step.sent));
        }
        before.extend(steps);
        Tried { trial, verdicts: verdict.into_iter().collect(), steps: before }
    }

    /// What an operation does.
    pub(super) fn does(&self, ready: &Ready) -> Option<Does> {
        self.course.contract.operations()[ready.position].effect.as_ref().map(|effect| effect.does)
    }

    /// A case as it is sent now: about the things that are there, with fresh values where no two may be alike.
    pub(super) fn prepare(&self, ready: &Ready, case: &Case) -> Sent {
        self.prepare_with(ready, case, |was| self.course.fresh(was))
    }

    /// The same with a text of the caller's where no two may be alike.
    pub(super) fn prepare_with(&self, ready: &Ready, case: &Case, fresh: impl Fn(&str) -> String) -> Sent {
        let about = self.about_things(ready, case).and_then(|about| {
            // The proof of a text is one of the path as well.
            let renewed = renewed(ready, &about, &fresh);
            renewed.or_else(|| ready.generator.holds(&about.request, &about.label).then_some(about))
        });
        let case = about.or_else(|| renewed(ready, case, &fresh)).unwrap_or_else(|| case.clone());
        let mut case = self.course.short_lived(ready, case);
        for (name, value) in &self.course.options.headers {
            let name = name.to_ascii_lowercase();
            if case.request.headers.all(&name).next().is_none() {
                case.request.headers.push(&name, value.as_bytes());
            }
        }
        case.into()
    }

    /// A case whose path names the things that are there, not proved yet; none when there are none for it.
    fn about_things(&self, ready: &Ready, case: &Case) -> Option<Case> {
        let changes = |name: &str| matches!(&case.label, Label::Mutant { pointer, .. } if *pointer == format!("/path/{name}"));
        let ids: Vec<_> = ready
            .named
            .iter()
            .filter(|named| !named.is_set && !changes(&named.parameter))
            .filter_map(|named| Some((named.segment, self.things.get(&named.resource)?)))
            .collect();
        if ids.is_empty() {
            return None;
        }
        let target = &case.request.target;
        let (path, query) =
            target.split_once('?').map_or((target.as_str(), None), |(path, query)| (path, Some(query)));
        let mut segments: Vec<_> = path.split('/').map(std::borrow::Cow::from).collect();
        for (segment, id) in ids {
            if let Some(own) = segments.get_mut(segment + 1).filter(|own| !own.is_empty()) {
                *own = percent::encode(id);
            }
        }
        let path = segments.join("/");
        let mut case = case.clone();
        case.request.target = query.map_or(path.clone(), |query| format!("{path}?{query}"));
        Some(case)
    }

    /// A sample of the documentation as a case.
    fn sample(&self, ready: &Ready, sample: usize) -> Option<Case> {
        let operation = &self.course.contract.operations()[ready.position];
        let example = operation.body.as_ref()?.examples.get(sample)?;
        let mut case = ready.control.clone()?;
        case.request.body = Bytes::clone(&example.text);
        if case.request.headers.all("content-type").next().is_none() {
            case.request.headers.push("content-type", b"application/json");
        }
        case.wire = Wire::Any;
        ready.generator.holds(&case.request, &Label::Valid).then_some(case)
    }
}

/// The choices of a case that chance makes.
fn choices(ready: &Ready, purpose: &str, seed: u64, index: u64) -> Choices<'static> {
    Choices::seeded(&format!("{} {purpose}", ready.generator.operation()), seed, index)
}

/// Whether a label says that something is wrong with the member of a body that the names lead to.
pub(super) fn is_about(label: &Label, names: &[String]) -> bool {
    matches!(label, Label::Mutant { pointer, .. } if *pointer == format!("/body/{}", names.join("/")))
}

/// A case with other texts where no two may be alike; none when there are no such texts in it.
fn renewed(ready: &Ready, case: &Case, fresh: impl Fn(&str) -> String) -> Option<Case> {
    let mut renewed: Option<Case> = None;
    for names in &ready.unique {
        let case = renewed.as_ref().unwrap_or(case);
        let next = ready.generator.with_text(case, names, &fresh).or_else(|| {
            // What is wrong with the text may be in the part that is replaced.
            let is_wrong = is_about(&case.label, names);
            let longer = |was: &str| format!("{}{was}", fresh(""));
            is_wrong.then(|| ready.generator.with_text(case, names, longer)).flatten()
        });
        renewed = next.or(renewed);
    }
    renewed
}
