//! Step 5 where there is state: what an operation does with the resources of a session, as its `x-effect` says.

mod give;
mod import;
mod list;
mod splice;
mod take;

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

pub(super) use splice::Splice;

use serde_json::{Map, Value};

use super::{findings::Findings, inputs::Inputs, spellings};
use crate::{
    Contract, Operation, Reading, Rule, TouchedResource, Violation,
    contract::{self, Cause, Choice, Does, Effect, Kind, Resource, Source, Way},
    json,
    state::{
        Change, Draft, Place, References, Scope, StateSettings, dangling, parsed, part_of, unique_key,
        unique_keys, unique_keys_of_text,
    },
    violation::quote,
};

/// An operation at work.
pub(super) struct Run<'a> {
    pub(super) contract: &'a Contract,
    pub(super) operation: &'a Operation,
    pub(super) effect: &'a Effect,
    pub(super) settings: &'a StateSettings,
    pub(super) inputs: &'a Inputs,
    pub(super) draft: Draft<'a>,
    /// By how many bytes the session may grow.
    pub(super) room: usize,
    pub(super) readings: &'a mut Vec<Reading>,
    /// How records become the operation's replies, once that is known.
    pub(super) splice: &'a OnceLock<Option<Splice>>,
}

/// The body of a reply.
pub(super) enum Shown {
    Text(String),
    Value(Value),
}

/// What it did.
pub(super) struct Done {
    /// The body of the reply; none when a sample answers.
    pub(super) shown: Option<Shown>,
    pub(super) change: Change,
    pub(super) touched: Option<TouchedResource>,
}

/// Why it did nothing.
pub(super) struct Refused {
    pub(super) cause: Cause,
    pub(super) findings: Findings,
}

/// Why it went no further.
enum Stop {
    /// It is refused.
    Refused(Refused),
    /// Nothing changes, and the sample answers.
    Sample,
}

impl Stop {
    fn refused(cause: Cause, violation: Violation) -> Self {
        Self::Refused(Refused { cause, findings: violation.into() })
    }
}

/// What is shown, and what was changed.
type Step = Result<(Option<Shown>, Option<TouchedResource>), Stop>;

/// Where a record is stored, and what it is.
struct Home<'a> {
    resource: &'a Resource,
    scope: Scope,
    place: Place,
}

impl Home<'_> {
    fn new(resource: &Resource, scope: Scope) -> Home<'_> {
        let place = Place::new(resource, &scope);
        Home { resource, scope, place }
    }

    /// Where the children of a record are stored.
    fn of_children<'r>(&self, child: &'r Resource, id: &str) -> Home<'r> {
        let mut scope = self.scope.clone();
        scope.extend([self.resource.name.to_string(), id.to_owned()]);
        Home::new(child, scope)
    }
}

/// What a thing is called: `skillGroup` is a skill group.
fn words(resource: &Resource) -> String {
    let mut words = String::new();
    for letter in resource.name.chars() {
        if letter.is_uppercase() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// The same with its article.
fn noun(resource: &Resource) -> String {
    let words = words(resource);
    let article = if words.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {words}")
}

/// The refusal of what a session has no room for.
fn full(found: String) -> Refused {
    let violation = Violation {
        pointer: "/body".into(),
        rule: Rule::Capacity,
        expected: "no more than a session may hold".into(),
        found,
        source: "assumed: no page says how much an account may hold".into(),
    };
    Refused { cause: Cause::Full, findings: violation.into() }
}

impl<'a> Run<'a> {
    /// Does it. What is taken from the body is missing there afterwards.
    pub(super) fn run(mut self, body: &mut Option<Value>) -> Result<Done, Refused> {
        let step = match self.effect.does {
            Does::Create => self.create(body),
            Does::Delete => self.delete(),
            Does::Export => self.export(body.as_ref()),
            Does::Import => self.import(body),
            Does::List => self.list(body.as_ref()),
            Does::Read => self.read(),
            Does::Update => self.update(body),
        };
        let (shown, touched) = match step {
            Ok(done) => done,
            Err(Stop::Sample) => return Ok(Done { shown: None, change: Change::default(), touched: None }),
            Err(Stop::Refused(refused)) => return Err(refused),
        };
        self.draft.check(&self.settings.bounds, self.room).map_err(full)?;
        Ok(Done { shown, change: self.draft.finish(), touched })
    }

    fn create(&mut self, body: &mut Option<Value>) -> Step {
        let kind = &self.effect.kinds[0];
        let home = self.home(kind)?;
        let members = object(body.take());
        let record = self.taken(kind, &kind.take, &home, members, None);
        let id = self.draft.make_id(&home.place, &home.resource.id_shape);
        let (record, touched) = self.create_as(&home, &id, record)?;
        Ok((self.reply_with(kind, &home, &id, record), Some(touched)))
    }

    /// The reply with a record that was stored under an id; none when the sample answers.
    fn reply_with(&self, kind: &Kind, home: &Home, id: &str, record: Value) -> Option<Shown> {
        let spliced = self.draft.get(&home.place, id).and_then(|text| self.spliced(kind, text));
        spliced.map(Shown::Text).or_else(|| self.shown(kind, record).map(Shown::Value))
    }

    /// Stores a new record under an id, with all that is made with it.
    fn create_as(
        &mut self,
        home: &Home,
        id: &str,
        mut record: Value,
    ) -> Result<(Value, TouchedResource), Stop> {
        let resource = home.resource;
        record[&resource.id] = id.into();
        for (index, (member, shape)) in (1..).zip(&resource.make) {
            record[member] = self.draft.make(shape, index).into();
        }
        self.stamp(&mut record, &resource.created);
        self.stamp(&mut record, &resource.updated);
        if let (Some(parent), Some(own)) = (&resource.parent, home.scope.last()) {
            record[&parent.member] = own.as_str().into();
        }
        let touched = self.store(home, id, &record, "/body")?;
        Ok((record, touched))
    }

    fn update(&mut self, body: &mut Option<Value>) -> Step {
        let kind = &self.effect.kinds[0];
        let home = self.home(kind)?;
        let id = self.id().into_owned();
        let Some(before) = self.draft.get(&home.place, &id).map(Arc::clone) else {
            if self.settings.way(&self.effect.missing) == Way::Create && !id.is_empty() {
                let record = self.taken(kind, &kind.take, &home, object(body.take()), None);
                let (record, touched) = self.create_as(&home, &id, record)?;
                return Ok((self.reply_with(kind, &home, &id, record), Some(touched)));
            }
            return Err(self.missing(self.effect.key.as_ref(), &home, &id));
        };
        let members = object(body.take());
        let mut record = self.taken(kind, &kind.take, &home, members, Some(&before));
        self.stamp(&mut record, &home.resource.updated);
        let touched = self.store(&home, &id, &record, "/body")?;
        Ok((self.reply_with(kind, &home, &id, record), Some(touched)))
    }

    fn read(&mut self) -> Step {
        let kind = &self.effect.kinds[0];
        let home = self.home(kind)?;
        let stored = self.draft.get(&home.place, &self.id()).filter(|_| home.resource.fixed.is_empty());
        if let Some(text) = stored.and_then(|text| self.spliced(kind, text)) {
            return Ok((Some(Shown::Text(text)), None));
        }
        let (id, record) = self.found(&home);
        let record = record.ok_or_else(|| self.missing(self.effect.key.as_ref(), &home, &id))?;
        Ok((self.shown(kind, record).map(Shown::Value), None))
    }

    fn delete(&mut self) -> Step {
        let kind = &self.effect.kinds[0];
        let home = self.home(kind)?;
        let id = self.id().into_owned();
        let before = self.draft.get(&home.place, &id).map(Arc::clone);
        let before = before.ok_or_else(|| self.missing(self.effect.key.as_ref(), &home, &id))?;
        let contract = self.contract;
        for child in contract.resources() {
            let Some(parent) = child.parent.as_ref() else {
                continue;
            };
            if !std::ptr::eq(&raw const contract.resources()[parent.resource], home.resource) {
                continue;
            }
            let children = home.of_children(child, &id);
            let refuses = self.settings.way(&parent.gone) == Way::Refuse;
            if refuses && self.draft.session().count(&children.place.name) > 0 {
                return Err(Stop::refused(
                    Cause::InUse,
                    Violation {
                        pointer: self.effect.key.as_ref().map_or_else(String::new, Source::pointer),
                        rule: Rule::Reference,
                        expected: format!("the id of {} without any {}", noun(home.resource), words(child)),
                        found: quote(&id),
                        source: parent.gone.source.clone(),
                    },
                ));
            }
            self.draft.clear(&children.place, child);
        }
        self.draft.remove(&home.place, &id, unique_keys_of_text(home.resource, &before));
        let touched = TouchedResource::new(&home.resource.name, &id, Some(&before), None);
        let spliced = self.spliced(kind, &before).map(Shown::Text);
        let shown = spliced.or_else(|| self.shown(kind, parsed(&before)?).map(Shown::Value));
        Ok((shown, Some(touched)))
    }

    /// Stores a record in place of the one that was there before, when nothing speaks against it. `sent` is where in
    /// the request it is.
    fn store(&mut self, home: &Home, id: &str, record: &Value, sent: &str) -> Result<TouchedResource, Stop> {
        let resource = home.resource;
        let before = self.draft.get(&home.place, id).map(Arc::clone);
        let keys = unique_keys(resource, record);
        let gone = before.as_deref().map(|before| unique_keys_of_text(resource, before)).unwrap_or_default();
        for (index, (at, choice)) in resource.unique.iter().enumerate() {
            let Some(key) = unique_key(index, at, record).filter(|key| !gone.contains(key)) else {
                continue;
            };
            if self.settings.way(choice) == Way::Refuse && self.draft.is_taken(&home.place, &key) {
                let found = at.get(record).map(ToString::to_string).unwrap_or_default();
                return Err(Stop::refused(
                    Cause::Taken,
                    Violation {
                        pointer: self.sent_at(sent, at.text()),
                        rule: Rule::Unique,
                        expected: format!("a value that no other {} has", words(resource)),
                        found: quote(found.trim_matches('"')),
                        source: choice.source.clone(),
                    },
                ));
            }
        }
        self.references(home, record, before.as_ref(), sent)?;
        let text: Arc<str> = json::text(record).into();
        let touched = TouchedResource::new(&resource.name, id, before.as_deref(), Some(&text));
        self.draft.put(&home.place, id, text, keys, gone);
        Ok(touched)
    }

    /// Says which ids of a record name nothing, as far as they were not there before.
    fn references(
        &mut self,
        home: &Home,
        record: &Value,
        before: Option<&Arc<str>>,
        sent: &str,
    ) -> Result<(), Stop> {
        let (mut findings, mut found) = (Findings::default(), Vec::new());
        // What was there before, as far as it was needed last: ids at one place follow each other.
        let (mut top, mut part) = (String::new(), None);
        dangling(self.contract, home.resource, self.draft.session(), &home.scope, record, |wrong| {
            let own = wrong.reference.at.top().unwrap_or_default();
            if own != top {
                own.clone_into(&mut top);
                part = before.and_then(|before| part_of(before, |name| name == own));
            }
            let known = part.as_ref().and_then(|part| part.pointer(wrong.at)?.as_str());
            if known == Some(wrong.id) {
                return;
            }
            let pointer = self.sent_at(sent, wrong.at);
            let what = noun(wrong.resource);
            match self.settings.references {
                References::Enforce => findings.push(Violation {
                    pointer,
                    rule: Rule::Reference,
                    expected: format!("the id of {what} that is there"),
                    found: quote(wrong.id),
                    source: wrong.reference.source.clone(),
                }),
                References::Report if found.len() == spellings::MOST => {}
                References::Report => found.push(Reading {
                    ledger: wrong.reference.ledger.clone(),
                    pointer,
                    note: format!("{} is the id of {what} that is not there", quote(wrong.id)),
                }),
            }
        });
        if !findings.violations.is_empty() {
            return Err(Stop::Refused(Refused { cause: Cause::Violations, findings }));
        }
        let room = spellings::MOST.saturating_sub(self.readings.len());
        self.readings.extend(found.into_iter().take(room));
        Ok(())
    }

    /// Where in the request the value at a pointer of the record was sent.
    fn sent_at(&self, sent: &str, at: &str) -> String {
        let takes = self.effect.kinds.iter().flat_map(|kind| &kind.take);
        let source = takes.rev().find_map(|(source, to)| {
            let own = to.as_ref().is_some_and(|to| to.text() == at);
            let is_sent = || self.text(source).is_some() || matches!(source, Source::Body(_));
            (own && is_sent()).then(|| source.pointer())
        });
        source.unwrap_or_else(|| format!("{sent}{at}"))
    }

    /// The reply with a record; none when the sample answers.
    fn shown(&self, kind: &Kind, record: Value) -> Option<Value> {
        let is_shown = |choice: &Choice| self.settings.way(choice) == Way::Shown;
        let also = self.effect.also.iter();
        let also: Vec<_> =
            also.map(|(at, choice)| (at, at.get(&record).filter(|_| is_shown(choice)).cloned())).collect();
        let mut shown = self.show(kind, record)?;
        for (at, value) in also {
            match value {
                Some(value) => at.set(&mut shown, value),
                None => drop(at.remove(&mut shown)),
            }
        }
        Some(self.reply(kind, shown))
    }

    /// The id that the request names.
    fn id(&self) -> Cow<'a, str> {
        self.effect.key.as_ref().and_then(|key| self.text(key)).unwrap_or_default()
    }

    /// The id that the request names, and its record.
    fn found(&self, home: &Home) -> (String, Option<Value>) {
        let id = self.id().into_owned();
        let resource = home.resource;
        let is_it = |record: &&Map<String, Value>| record.get(&resource.id).is_some_and(|own| own == &id);
        if let Some(record) = resource.fixed.iter().find(is_it) {
            return (id, Some(Value::Object(record.clone())));
        }
        let text = self.draft.get(&home.place, &id);
        let record = text.and_then(parsed);
        (id, record)
    }

    /// What happens when an id names nothing.
    fn missing(&self, source: Option<&Source>, home: &Home, id: &str) -> Stop {
        missing(&self.effect.missing, self.settings, source, home.resource, id)
    }

    /// Where records of this kind are stored; their parent has to be there.
    fn home(&self, kind: &Kind) -> Result<Home<'a>, Stop> {
        let resource = &self.contract.resources()[kind.resource];
        let mut scope = Scope::new();
        for (name, parameter) in resource.scope.iter().zip(&kind.scope) {
            let value = self.inputs.get(contract::Place::Path, parameter).unwrap_or_default();
            scope.extend([name.clone(), value.to_owned()]);
        }
        let (Some(parent), Some(source)) = (&resource.parent, &self.effect.parent) else {
            return Ok(Home::new(resource, scope));
        };
        let id = self.text(source).unwrap_or_default().into_owned();
        let above = Home::new(&self.contract.resources()[parent.resource], scope);
        if self.draft.get(&above.place, &id).is_none() {
            return Err(missing(&self.effect.missing, self.settings, Some(source), above.resource, &id));
        }
        let mut scope = above.scope;
        scope.extend([above.resource.name.to_string(), id]);
        Ok(Home::new(resource, scope))
    }

    fn stamp(&mut self, record: &mut Value, members: &[String]) {
        if !members.is_empty() {
            let now = format!("{:.3}", self.draft.now());
            for member in members {
                record[member] = now.as_str().into();
            }
        }
    }

    /// What was sent for a parameter.
    fn text(&self, source: &Source) -> Option<Cow<'a, str>> {
        self.inputs.of_source(source).map(Cow::Borrowed)
    }
}

fn missing(
    choice: &Choice,
    settings: &StateSettings,
    source: Option<&Source>,
    resource: &Resource,
    id: &str,
) -> Stop {
    if settings.way(choice) != Way::Refuse {
        return Stop::Sample;
    }
    Stop::refused(
        Cause::Missing,
        Violation {
            pointer: source.map_or_else(|| "/path".into(), Source::pointer),
            rule: Rule::Reference,
            expected: format!("the id of {} that is there", noun(resource)),
            found: quote(id),
            source: choice.source.clone(),
        },
    )
}

/// The text of a scalar.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Array(_) | Value::Null | Value::Object(_) => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The members of a body; none when it is no object, which it can be where nobody checks.
fn object(body: Option<Value>) -> Map<String, Value> {
    match body {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    }
}
