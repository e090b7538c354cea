//! The things that requests are about: made where they are missing, kept in mind, let go of, deleted in the end.

use std::collections::HashMap;

use super::{
    Sent, Step, Trial, Why,
    ground::{Named, Ready},
    source,
    state::{MOST_KEPT, MOST_THINGS, Made},
    worker::Worker,
};
use crate::{
    contract::{Does, Segment},
    percent,
};

impl<'c> Worker<'c, '_> {
    /// Makes what a request of the operation is about, where nothing of that kind is there yet.
    pub(super) async fn ensure(&mut self, ready: &Ready) {
        let course = self.course;
        for named in &ready.named {
            let Some(maker) = self.missing(named) else { continue };
            for above in &maker.named {
                if let Some(first) = self.missing(above) {
                    self.make(first).await;
                }
            }
            self.make(maker).await;
            if course.is_called_off() {
                return;
            }
        }
    }

    /// The operation that makes what is named, when it is not there and can be made.
    fn missing(&self, named: &Named) -> Option<&'c Ready> {
        let is_there = named.is_set || self.things.contains_key(&named.resource);
        let is_barren = self.barren.get(&named.resource).is_some_and(|times| *times >= MAKES);
        if is_there || is_barren { None } else { self.course.ground.making(named.resource) }
    }

    async fn make(&mut self, maker: &Ready) {
        let Some((resource, _)) = &maker.makes else { return };
        if let Some(case) = &maker.control {
            let sent = self.prepare(maker, case);
            self.trial(maker, &case.label, sent, Why::Setup).await;
        }
        if !self.things.contains_key(resource) {
            *self.barren.entry(*resource).or_default() += 1;
        }
    }

    /// Keeps in mind what an accepted request made or deleted.
    pub(super) fn keep_in_mind(&mut self, ready: &Ready, trial: &Trial) {
        if let Some((resource, id)) = Self::id_of(ready, trial) {
            let mut state = self.course.state.borrow_mut();
            state.made += 1;
            let is_new = !state.things.iter().any(|made| made.resource == resource && made.id == id);
            if is_new && state.things.len() < MOST_KEPT {
                let path = trial.sent.request.path().to_owned();
                state.things.push_back(Made { resource, id: id.clone(), path, by: ready.position });
            }
            if trial.why == Why::Setup || matches!(trial.why, Why::Sequence { .. }) {
                state.in_use.insert((resource, id.clone()));
                drop(state);
                self.release(resource);
                self.things.insert(resource, id);
            }
        }
        if self.does(ready) == Some(Does::Delete)
            && let Some(named) = ready.named.iter().find(|named| named.is_key)
        {
            let id = Self::segment(trial, named);
            let mut state = self.course.state.borrow_mut();
            let before = state.things.len();
            state.things.retain(|made| !(made.resource == named.resource && Some(&made.id) == id.as_ref()));
            state.deleted += u64::from(state.things.len() < before);
            drop(state);
            if self.things.get(&named.resource) == id.as_ref() {
                self.release(named.resource);
            }
        }
    }

    /// What an accepted request made, when its reply tells the id.
    pub(super) fn id_of(ready: &Ready, trial: &Trial) -> Option<(usize, String)> {
        let (resource, pointer) = ready.makes.as_ref()?;
        let reply = trial.answer.reply.as_ref().filter(|_| trial.answer.is_accepted())?;
        let id =
            source::json(&reply.body)?.pointer(pointer)?.as_str().filter(|id| !id.is_empty())?.to_owned();
        Some((*resource, id))
    }

    /// A trial as a step before another one.
    pub(super) fn step_made(ready: &Ready, trial: &Trial) -> Step {
        let made = Self::id_of(ready, trial).map(|(_, id)| id);
        let made_at = ready.makes.as_ref().filter(|_| made.is_some()).map(|(_, pointer)| pointer.clone());
        Step {
            operation: trial.operation.clone(),
            sent: trial.sent.clone(),
            made,
            made_at: made_at.unwrap_or_default(),
        }
    }

    /// The steps that make what the path of a request names, as far as the campaign made it: who sends the request again
    /// later needs them, as what was made is deleted at the end.
    pub(super) fn steps_before(&self, ready: &Ready, sent: &Sent) -> Vec<Step> {
        self.steps_with(&self.things, ready, sent)
    }

    /// The same of things that were there when the request was sent.
    pub(super) fn steps_with(
        &self,
        things: &HashMap<usize, String>,
        ready: &Ready,
        sent: &Sent,
    ) -> Vec<Step> {
        let mut steps = Vec::new();
        for named in ready.named.iter().filter(|named| !named.is_set) {
            let Some(id) = things.get(&named.resource) else { continue };
            let maker = self.course.ground.making(named.resource);
            let Some((maker, control)) = maker.and_then(|maker| Some((maker, maker.control.as_ref()?)))
            else {
                continue;
            };
            if sent.request.target.contains(&*percent::encode(id)) {
                steps.push(Step {
                    operation: maker.generator.operation().to_string(),
                    sent: self.prepare(maker, control),
                    made: Some(id.clone()),
                    made_at: maker.makes.as_ref().map(|(_, pointer)| pointer.clone()).unwrap_or_default(),
                });
            }
        }
        steps
    }

    /// Lets go of the thing that requests are about, and of what is in it.
    pub(super) fn release(&mut self, resource: usize) {
        let resources = self.course.contract.resources();
        let is_in_it = |other: &usize| {
            resources[*other].parent.as_ref().is_some_and(|parent| parent.resource == resource)
        };
        let gone: Vec<_> =
            self.things.keys().copied().filter(|other| *other == resource || is_in_it(other)).collect();
        let mut state = self.course.state.borrow_mut();
        for resource in gone {
            if let Some(id) = self.things.remove(&resource) {
                state.in_use.remove(&(resource, id));
            }
        }
    }

    /// The value of a path's segment in a request.
    fn segment(trial: &Trial, named: &Named) -> Option<String> {
        let sent = trial.sent.request.path().split('/').nth(named.segment + 1)?;
        percent::decode(sent).ok().map(std::borrow::Cow::into_owned)
    }

    /// Whether the things that a request names in its path are set, made, or those that the server took before.
    pub(super) fn knows(&self, ready: &Ready, trial: &Trial) -> bool {
        ready.named.iter().all(|named| {
            let Some(id) = Self::segment(trial, named) else { return false };
            let own = self.things.get(&named.resource);
            let is_made = own.is_some() && !named.is_set;
            // Whether a server keeps what it is told is asked by sequences.
            let is_gone = is_made && trial.answer.status() == Some(404);
            let usual = || {
                let control = ready.control.as_ref()?.request.path().split('/').nth(named.segment + 1)?;
                Some(percent::decode(control).ok()?.as_ref() == id)
            };
            !is_gone
                && (own == Some(&id)
                    || (!is_made && self.does(ready) != Some(Does::Delete) && usual() == Some(true)))
        })
    }

    /// Whether an id is that of a thing that was made.
    pub(super) fn has(&self, id: &str) -> bool {
        self.things.values().any(|own| own == id)
    }

    /// Deletes what was made and is not in use, until no more than `most` things are left.
    pub(super) async fn clean_up(&mut self, most: usize) {
        let course = self.course;
        let mut passes = course.state.borrow().things.len();
        let mut failures = 0;
        let is_last = most == 0;
        while passes > 0 && (is_last || failures < FAILURES) {
            passes -= 1;
            let next = {
                let state = &mut *course.state.borrow_mut();
                let things = &mut state.things;
                if things.len() <= most {
                    break;
                }
                // What was made last may be in what was made first. What cannot be deleted stays at the other end.
                let next = if is_last {
                    things.rotate_right(1);
                    things.front()
                } else {
                    things.rotate_left(1);
                    things.back()
                };
                let is_free =
                    |made: &&Made| is_last || !state.in_use.contains(&(made.resource, made.id.clone()));
                next.filter(is_free).cloned()
            };
            let Some(made) = next else { continue };
            if self.delete(&made).await {
                course.state.borrow_mut().things.retain(|other| *other != made);
                failures = 0;
            } else {
                failures += 1;
            }
        }
        let mut state = course.state.borrow_mut();
        state.clean_at = MOST_THINGS.max(state.things.len() + MOST_THINGS / 2);
    }

    async fn delete(&mut self, made: &Made) -> bool {
        let course = self.course;
        let Some(ready) = course.ground.doing(course.contract, Does::Delete, made.resource) else {
            return false;
        };
        let Some(case) = &ready.control else { return false };
        let mut sent = self.prepare(ready, case);
        let maker = &course.contract.operations()[made.by];
        let own = &course.contract.operations()[ready.position];
        let key = ready.named.iter().find(|named| named.is_key).map(|named| named.segment);
        let path = made.path.split('/').skip(1);
        let sent_for =
            |name: &Segment| maker.segments.iter().zip(path.clone()).find(|(other, _)| *other == name);
        // It is where it was made, whatever the request that made it called that.
        let target = sent.request.path().split('/').skip(1).zip(&own.segments).enumerate().map(
            |(at, (usual, segment))| match (Some(at) == key, segment) {
                (true, _) => percent::encode(&made.id).into_owned(),
                (false, Segment::Parameter(_)) => {
                    sent_for(segment).map_or(usual, |(_, sent)| sent).to_owned()
                }
                (false, Segment::Literal(literal)) => literal.clone(),
            },
        );
        sent.request.target = target.fold(String::new(), |target, segment| format!("{target}/{segment}"));
        sent.wire = ready.generator.wire(&sent.request, false);
        let answer = self.send((ready.position, None), &sent, false).await;
        course.state.borrow_mut().deleted += u64::from(answer.is_accepted());
        answer.is_accepted() || answer.status() == Some(404)
    }
}

/// So many failures in a row say that nothing can be deleted now.
const FAILURES: u32 = 3;
/// How often it is tried to make a thing of a kind.
const MAKES: u32 = 3;
