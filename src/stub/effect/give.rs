//! From a record to a reply, which always holds for its schema.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Home, Run};
use crate::{
    contract::{Derived, Does, Give, Kind, Moves, Pointer, Resource, Schema, wording},
    state::parsed,
};

impl Run<'_> {
    /// A record as the reply shows it; none when the sample answers.
    pub(super) fn show(&self, kind: &Kind, record: Value) -> Option<Value> {
        let give = kind.give.as_ref()?;
        let view = View::new(self, kind, give);
        Some(view.show(record))
    }

    /// The whole reply.
    pub(super) fn reply(&self, kind: &Kind, shown: Value) -> Value {
        let mut reply = self.placed(kind, shown);
        self.mend(kind, &mut reply);
        reply
    }

    /// The sample with what is shown in its place.
    pub(super) fn placed(&self, kind: &Kind, shown: Value) -> Value {
        let Some(give) = kind.give.as_ref().filter(|give| !give.at.text().is_empty()) else {
            return shown;
        };
        let mut reply = self.sample(kind).clone();
        give.at.set(&mut reply, shown);
        reply
    }

    /// The sample that replies of this kind are filled up from.
    pub(super) fn sample(&self, kind: &Kind) -> &Value {
        let samples = &self.operation.replies[self.operation.success()].examples;
        let named = samples.iter().find(|sample| kind.values.first() == Some(&sample.name));
        named.or(samples.first()).map_or(&Value::Null, |sample| &sample.value)
    }

    /// Puts the sample's value, or nothing, wherever the reply does not hold for its schema. The whole sample stands there
    /// when that does not help, and the result is false.
    pub(super) fn mend(&self, kind: &Kind, reply: &mut Value) -> bool {
        let judge = self.effect.judge();
        let sample = self.sample(kind);
        let at = kind.give.as_ref().map_or("", |give| give.at.text());
        // The second time is for what a member of the first one required.
        for _ in 0..2 {
            if judge.is_valid(reply) {
                return true;
            }
            let wrong: BTreeSet<(String, String)> = judge
                .iter_errors(reply)
                .filter_map(|error| Some(self.member(at, &wording::Breach::of(&error)?.place)))
                .collect();
            for (place, like) in wrong {
                let (Some(place), Some(like)) = (Pointer::parse(&place), Pointer::parse(&like)) else {
                    continue;
                };
                match like.get(sample) {
                    Some(value) => place.set(reply, value.clone()),
                    None => drop(place.remove(reply)),
                }
            }
        }
        let holds = judge.is_valid(reply);
        if !holds {
            reply.clone_from(sample);
        }
        holds
    }

    /// The member of a shown record, or else of the reply, in which a place is; and the like of it in the sample.
    fn member(&self, at: &str, place: &str) -> (String, String) {
        let Some(below) = place.strip_prefix(at).and_then(|below| below.strip_prefix('/')) else {
            return (place.to_owned(), place.to_owned());
        };
        let mut names = below.splitn(3, '/');
        let first = names.next().unwrap_or_default();
        if !self.is_list() {
            let own = format!("{at}/{first}");
            return (own.clone(), own);
        }
        match names.next() {
            Some(name) => (format!("{at}/{first}/{name}"), format!("{at}/0/{name}")),
            None => (format!("{at}/{first}"), format!("{at}/0")),
        }
    }

    fn is_list(&self) -> bool {
        matches!(self.effect.does, Does::Export | Does::List)
    }
}

/// How records of one kind are shown.
pub(super) struct View<'a> {
    run: &'a Run<'a>,
    resource: &'a Resource,
    give: &'a Give,
    schemas: Vec<&'a Schema>,
    sample: Option<&'a Map<String, Value>>,
}

impl<'a> View<'a> {
    pub(super) fn new(run: &'a Run, kind: &'a Kind, give: &'a Give) -> Self {
        let mut schemas = give.at.schemas(&run.effect.reply);
        let mut sample = give.at.get(run.sample(kind));
        if run.is_list() {
            schemas = schemas.into_iter().filter_map(|list| list.items.as_deref()).collect();
            sample = sample.and_then(|list| list.get(0));
        }
        let resource = &run.contract.resources()[kind.resource];
        Self { run, resource, give, schemas, sample: sample.and_then(Value::as_object) }
    }

    /// A record with what belongs to it, where that is shown in it.
    pub(super) fn show_with_parts(&self, home: &Home, mut record: Value) -> Value {
        let Self { run, give, .. } = self;
        for part in &give.parts {
            let child = &run.contract.resources()[part.resource];
            let id = record.get(&home.resource.id).and_then(Value::as_str).unwrap_or_default();
            let place = home.of_children(child, id).place;
            let children = run.draft.session().from(&place.name, 0).filter_map(parsed);
            let children = children.map(|own| shown_part(own, child, &part.how)).collect();
            record[&part.member] = Value::Array(children);
        }
        self.show(record)
    }

    fn show(&self, mut record: Value) -> Value {
        let is_looked_at = |name: &str| self.give.whole || self.is_known(name) || self.is_moved(name);
        derive(self.resource, &mut record, is_looked_at);
        for at in &self.give.count {
            if let Some(count) = at.get(&record).and_then(Value::as_array).map(Vec::len) {
                at.set(&mut record, count.into());
            }
        }
        let moved = taken_away(&mut record, &self.give.members);
        let Value::Object(mut members) = record else {
            return record;
        };
        if !self.give.whole {
            members.retain(|name, _| self.is_known(name));
        }
        let mut shown = Value::Object(members);
        for (to, value) in moved {
            to.set(&mut shown, value);
        }
        let Value::Object(mut members) = shown else {
            return shown;
        };
        for (name, value) in members.iter_mut().filter(|(_, value)| value.is_array() || value.is_object()) {
            if let Some(property) = self.property(name) {
                complete(property, value, self.sample.and_then(|sample| sample.get(name)));
            }
        }
        for (name, value) in self.sample.into_iter().flatten() {
            let is_wanted = !self.give.required_alone || self.requires(name);
            if is_wanted && !members.contains_key(name) {
                members.insert(name.clone(), value.clone());
            }
        }
        let mut shown = Value::Object(members);
        for (at, source, values) in &self.give.only {
            if !self.run.text(source).is_some_and(|text| values.contains(&text.into_owned())) {
                at.remove(&mut shown);
            }
        }
        shown
    }

    /// Whether a member of this name can be a part of the reply.
    fn is_known(&self, name: &str) -> bool {
        self.sample.is_some_and(|sample| sample.contains_key(name)) || self.property(name).is_some()
    }

    /// Whether some of a member goes elsewhere, or what it has is counted.
    fn is_moved(&self, name: &str) -> bool {
        let sources = self.give.members.iter().map(|(from, _)| from).chain(&self.give.count);
        sources.into_iter().any(|from| from.top() == Some(name))
    }

    fn property(&self, name: &str) -> Option<&'a Schema> {
        self.schemas.iter().find_map(|schema| schema.property(name)).map(|property| &property.schema)
    }

    fn requires(&self, name: &str) -> bool {
        self.schemas.iter().any(|schema| schema.property(name).is_some_and(|property| property.required))
    }
}

/// Adds the members that follow from others, where nothing is stored, as far as they are wanted.
fn derive(resource: &Resource, record: &mut Value, is_wanted: impl Fn(&str) -> bool) {
    for (member, derived) in &resource.derive {
        let feeds = |(_, other): &(_, Derived)| other.members().any(|from| from.top() == Some(member));
        if (is_wanted(member) || resource.derive.iter().any(feeds))
            && record.get(member).is_none()
            && let Some(value) = derived.of(record)
        {
            record[member] = value;
        }
    }
}

/// What is to be shown elsewhere; what stood at the top of the record is gone there.
fn taken_away<'m>(record: &mut Value, moves: &'m Moves) -> Vec<(&'m Pointer, Value)> {
    let taken = moves.iter().filter_map(|(from, to)| to.as_ref().zip(from.get(record).cloned())).collect();
    for (from, _) in moves.iter().filter(|(from, _)| from.member().is_some()) {
        from.remove(record);
    }
    taken
}

/// A child as it is shown in its parent: without the parent's id, which stands around it.
fn shown_part(mut record: Value, resource: &Resource, moves: &Moves) -> Value {
    derive(resource, &mut record, |_| true);
    if let (Some(parent), Some(members)) = (&resource.parent, record.as_object_mut()) {
        members.shift_remove(&parent.member);
    }
    for (to, value) in taken_away(&mut record, moves) {
        to.set(&mut record, value);
    }
    record
}

/// Gives a stored value what its schema requires below it, as the sample has it.
pub(super) fn complete(schema: &Schema, value: &mut Value, like: Option<&Value>) {
    match value {
        Value::Array(items) => {
            let (Some(schema), like) = (&schema.items, like.and_then(|like| like.get(0))) else {
                return;
            };
            for item in items {
                complete(schema, item, like);
            }
        }
        Value::Object(members) => {
            for property in &schema.properties {
                let like = like.and_then(|like| like.get(&property.name));
                match (members.get_mut(&property.name), like) {
                    (Some(value), like) => complete(&property.schema, value, like),
                    (None, Some(like)) if property.required => {
                        members.insert(property.name.clone(), like.clone());
                    }
                    (None, _) => {}
                }
            }
        }
        _ => {}
    }
}
