//! Sequences: requests of which each is about what the one before it did.

use serde_json::Value;

use super::{
    Place, Sent, Step, Trial, Why,
    checks::{Check, Look},
    ground::Ready,
    schedule::How,
    source::{self, Source},
    worker::{Tried, Worker},
};
use crate::{
    contract::Does,
    payload::{Case, Choices, Expect, Label},
};

impl Worker<'_, '_> {
    /// The case that a sequence begins with.
    pub(super) fn first_of(&self, ready: &Ready, how: How, index: u64) -> Option<Case> {
        let seed = self.course.options.seed;
        if how != How::CreateAgain {
            return ready.generator.valid_at(seed, index);
        }
        // A member that is wrong is found late, when something may have been made already.
        let is_unique =
            |pointer: &str| ready.unique.iter().any(|names| pointer == format!("/body/{}", names.join("/")));
        let fits = |place: &&crate::payload::Place| {
            place.expect == Expect::Refused
                && place.pointer.starts_with("/body/")
                && !is_unique(&place.pointer)
        };
        let places: Vec<_> = ready.places.iter().filter(fits).collect();
        let mut choices = Choices::seeded(&format!("{} failed", ready.generator.operation()), seed, index);
        let place = places.get(choices.below(places.len()))?;
        ready.generator.mutant_of(place, &mut choices)
    }

    /// What is changed of what a case makes: the same each time that it is repeated.
    fn change_after(&self, updater: &Ready, case: &Case) -> Option<Case> {
        let stream = String::from_utf8_lossy(&case.request.body);
        updater.generator.valid(&mut Choices::seeded(&stream, self.course.options.seed, 0))
    }

    pub(super) async fn sequence(&mut self, ready: &Ready, case: &Case, how: How) -> Tried {
        let mut course = Sequence { name: how.name().unwrap_or_default(), steps: Vec::new() };
        if how == How::CreateAgain {
            return self.create_again(ready, case, course).await;
        }
        self.ensure(ready).await;
        let first = self.step(&mut course, ready, case).await;
        let Some((resource, _)) = Self::id_of(ready, &first) else {
            return silent(first, course);
        };
        let doing = |does| self.course.ground.doing(self.course.contract, does, resource);
        let (reader, updater, deleter) = (doing(Does::Read), doing(Does::Update), doing(Does::Delete));
        let Some((reader, read)) = reader.and_then(|reader| Some((reader, reader.control.as_ref()?))) else {
            return silent(first, course);
        };
        match how {
            How::ReadUpdated => {
                let before = self.step(&mut course, reader, read).await;
                let Some(updater) = updater else { return silent(before, course) };
                let Some(update) = self.change.clone().or_else(|| self.change_after(updater, case)) else {
                    return silent(before, course);
                };
                let change = self.step(&mut course, updater, &update).await;
                let after = self.step(&mut course, reader, read).await;
                let look = self.reads_updated(ready, &before, &change, &after);
                self.told_of(ready, after, Check::CreatedIsReadable, look, course)
            }
            How::ReadDeleted => {
                let Some((deleter, delete)) =
                    deleter.and_then(|ready| Some((ready, ready.control.as_ref()?)))
                else {
                    return silent(first, course);
                };
                // Deleting lets go of the thing, and what is read is what was deleted.
                let thing = self.things.get(&resource).cloned();
                let end = self.step(&mut course, deleter, delete).await;
                if !end.answer.is_accepted() {
                    return silent(end, course);
                }
                if let Some(thing) = thing {
                    self.things.insert(resource, thing);
                }
                let after = self.step(&mut course, reader, read).await;
                self.release(resource);
                let look = if after.answer.is_accepted() {
                    let reply = after.answer.reply.as_ref();
                    self.failed(
                        ready,
                        "that what was deleted cannot be read",
                        &reply.map_or(0, |reply| reply.status),
                        "/reply/status",
                    )
                } else if after.answer.is_verdict() {
                    Look::Passed
                } else {
                    Look::Silent
                };
                self.told_of(ready, after, Check::DeletedIsGone, look, course)
            }
            _ => {
                let after = self.step(&mut course, reader, read).await;
                let look = if after.answer.is_accepted() {
                    Look::Passed
                } else if after.answer.is_verdict() {
                    let status = after.answer.status().unwrap_or_default();
                    self.failed(ready, "that what was created can be read", &status, "/reply/status")
                } else {
                    Look::Silent
                };
                self.told_of(ready, after, Check::CreatedIsReadable, look, course)
            }
        }
    }

    /// Whether what was changed is what is read afterwards. A server need not take every change; it fails when it took
    /// the request and shows the old value of all that was changed.
    fn reads_updated(&self, ready: &Ready, before: &Trial, change: &Trial, after: &Trial) -> Look {
        let read = |trial: &Trial| {
            let reply = trial.answer.reply.as_ref().filter(|_| trial.answer.is_accepted())?;
            source::json(&reply.body)
        };
        let (Some(before), Some(after), true) = (read(before), read(after), change.answer.is_accepted())
        else {
            return Look::Silent;
        };
        let Some(Value::Object(sent)) = source::json(&change.sent.request.body) else {
            return Look::Silent;
        };
        let changed = |(name, value): &(&String, &Value)| {
            value.is_string()
                && before.get(*name).is_some_and(|before| before.is_string() && before != *value)
        };
        let changed: Vec<_> = sent.iter().filter(changed).collect();
        let Some((name, _)) = changed.first() else { return Look::Silent };
        if changed.iter().all(|(name, _)| after.get(*name) == before.get(*name)) {
            let pointer = "/reply/body";
            let found = format!("the old value of `{name}`");
            return self.failed(ready, "that what was changed is what is read", &found, pointer);
        }
        Look::Passed
    }

    /// What was refused has made nothing: the value that no two things may have alike is still free.
    async fn create_again(&mut self, ready: &Ready, case: &Case, mut course: Sequence) -> Tried {
        let Some(control) = &ready.control else {
            let sent = self.prepare(ready, case);
            let trial = self.unjudged(ready, &case.label, sent, Why::Repeat).await;
            return silent(trial, course);
        };
        let value = std::cell::RefCell::new(String::new());
        let first = |was: &str| {
            let mut value = value.borrow_mut();
            if value.is_empty() {
                *value = self.course.fresh(was);
            }
            value.clone()
        };
        // Whatever the mutant has there, the control has the same.
        let again = self.prepare_with(ready, control, first);
        let refused = self.prepare_with(ready, case, first);
        let refused = self.step_of(&mut course, ready, &case.label, refused).await;
        if refused.answer.is_accepted() || !refused.answer.is_verdict() {
            return silent(refused, course);
        }
        let again = self.step_of(&mut course, ready, &control.label, again).await;
        if again.answer.is_accepted() || !again.answer.is_verdict() {
            let look = if again.answer.is_accepted() { Look::Passed } else { Look::Silent };
            return self.told_of(ready, again, Check::FailedCreateLeftNothing, look, course);
        }
        let fresh = self.prepare(ready, control);
        let fresh = self.unjudged(ready, &control.label, fresh, Why::Control).await;
        let look = if fresh.answer.is_accepted() {
            let status = again.answer.status().unwrap_or_default();
            self.failed(ready, "that what a refused request named is still free", &status, "")
        } else {
            Look::Silent
        };
        self.told_of(ready, again, Check::FailedCreateLeftNothing, look, course)
    }

    fn failed(&self, ready: &Ready, expected: &str, found: &dyn std::fmt::Display, pointer: &str) -> Look {
        let place = Place { rule: None, pointer: pointer.to_owned() };
        let source = Source::assumed("a server that keeps what it is told keeps it (--stateful)");
        self.course.view(ready, &|_| false).failed(place, expected.to_owned(), found.to_string(), source)
    }

    async fn step(&mut self, course: &mut Sequence, ready: &Ready, case: &Case) -> Trial {
        let sent = self.prepare(ready, case);
        self.step_of(course, ready, &case.label, sent).await
    }

    async fn step_of(&mut self, course: &mut Sequence, ready: &Ready, label: &Label, sent: Sent) -> Trial {
        let why = Why::Sequence { name: course.name.to_owned(), step: course.steps.len() };
        let trial = self.unjudged(ready, label, sent, why).await;
        course.steps.push(Self::step_made(ready, &trial));
        trial
    }

    fn told_of(&self, ready: &Ready, trial: Trial, check: Check, look: Look, mut course: Sequence) -> Tried {
        // The last step is the trial itself.
        course.steps.pop();
        self.told(ready, trial, check, look, course.steps)
    }
}

struct Sequence {
    name: &'static str,
    steps: Vec<Step>,
}

fn silent(trial: Trial, mut course: Sequence) -> Tried {
    course.steps.pop();
    Tried { trial, verdicts: Vec::new(), steps: course.steps }
}
