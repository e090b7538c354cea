//! From a request to a record.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Map, Value};

use super::{Home, Run};
use crate::{
    contract::{Does, Kind, Pointer, Resource, Source, Take, Way, wording},
    pointer::unescape,
    state::parsed,
};

impl Run<'_> {
    /// The record that these members of a body, or of an item, make: a new one, or `before` with changes.
    pub(super) fn taken(
        &self,
        kind: &Kind,
        take: &Take,
        home: &Home,
        members: Map<String, Value>,
        before: Option<&Arc<str>>,
    ) -> Value {
        let resource = home.resource;
        let mut record = before.and_then(parsed).unwrap_or_else(|| Value::Object(Map::new()));
        if before.is_some() && self.settings.way(&self.effect.left_out) == Way::Clear {
            self.clear_left_out(kind, resource, &mut record);
        }
        let mut body = Value::Object(members);
        let placed: Vec<(&Pointer, Value)> = take
            .iter()
            .filter_map(|(source, to)| {
                let value = match source {
                    Source::Body(at) | Source::Item(at) => at.remove(&mut body),
                    other => self.text(other).map(|text| text.into_owned().into()),
                };
                to.as_ref().zip(value)
            })
            .collect();
        let Value::Object(members) = body else {
            return record;
        };
        let is_import = self.effect.does == Does::Import;
        let members = members.into_iter().filter(|(name, _)| is_import || !resource.is_made(name));
        if let Value::Object(record) = &mut record {
            record.extend(members);
        }
        for (at, value) in placed {
            at.set(&mut record, value);
        }
        fit(resource, &mut record, before);
        record
    }

    /// Takes away what an update can send and does not have to.
    fn clear_left_out(&self, kind: &Kind, resource: &Resource, record: &mut Value) {
        let Some(body) = self.operation.body.as_ref() else {
            return;
        };
        let is_moved = |name: &str| {
            kind.take.iter().any(
                |(source, _)| matches!(source, Source::Body(at) if at.member().is_some_and(|own| own == name)),
            )
        };
        let names = body.schema.properties.iter().map(|property| property.name.as_str());
        for name in names.filter(|name| !resource.is_made(name) && !is_moved(name)) {
            if let Some(record) = record.as_object_mut() {
                record.shift_remove(name);
            }
        }
        for (_, to) in kind.take.iter().filter(|(source, _)| matches!(source, Source::Body(_))) {
            if let Some(to) = to {
                to.remove(record);
            }
        }
    }
}

/// How many levels a member may have, so that a snapshot, which has some around it, is read like any JSON.
const DEEPEST: usize = 100;

fn is_shallow(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| is_shallow(item, levels - 1)),
        Value::Object(members) => levels > 0 && members.values().all(|value| is_shallow(value, levels - 1)),
        _ => true,
    }
}

/// What does not fit the resource's schema, or nests too deep, is not stored; what was there before stays.
fn fit(resource: &Resource, record: &mut Value, before: Option<&Arc<str>>) {
    if let Some(members) = record.as_object_mut() {
        members.retain(|_, value| is_shallow(value, DEEPEST));
    }
    if resource.judge().is_valid(record) {
        return;
    }
    let wrong: BTreeSet<String> = {
        let errors = resource.judge().iter_errors(record);
        let places = errors.filter_map(|error| wording::Breach::of(&error).map(|breach| breach.place));
        places.filter_map(|place| place.split('/').nth(1).map(str::to_owned)).collect()
    };
    let mut before = before.and_then(parsed);
    for name in wrong {
        let name = unescape(&name).into_owned();
        let old = before.as_mut().and_then(|before| before.get_mut(&name)).map(Value::take);
        match (record.as_object_mut(), old) {
            (Some(members), Some(old)) => drop(members.insert(name, old)),
            (Some(members), None) => drop(members.shift_remove(&name)),
            (None, _) => {}
        }
    }
}
