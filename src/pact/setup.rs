//! Provider states made to hold, where there is state: a thing is put into a session's snapshot, or taken out of it.

use serde_json::{Map, Value, json};

use super::{
    sample,
    states::{State, is_collection_of, needed},
};
use crate::{
    Contract, Operation,
    contract::{Place, Resource, Segment, Source},
};

/// Has a provider state hold in a snapshot. `values` are those of path parameters, as far as they are known; for others,
/// what the samples have counts. A state that is about nothing which operations make holds anyway.
pub(crate) fn set_up(contract: &Contract, state: &str, values: &Map<String, Value>, snapshot: &mut Value) {
    for operation in contract.operations() {
        for State { name, parameter } in needed(contract, operation) {
            if name != state {
                continue;
            }
            let found = match &parameter {
                Some(parameter) => Thing::of(contract, operation, parameter, values)
                    .map(|thing| thing.put(snapshot, &value(operation, parameter, values))),
                None => contract
                    .operations()
                    .iter()
                    .filter(|other| is_collection_of(operation, other))
                    .find_map(|other| match other.segments.last() {
                        Some(Segment::Parameter(parameter)) => Thing::of(contract, other, parameter, values),
                        _ => None,
                    })
                    .map(|thing| thing.remove_all(snapshot)),
            };
            if found.is_some() {
                return;
            }
        }
    }
}

/// A resource, and whose it is.
struct Thing<'a> {
    resource: &'a Resource,
    scope: Map<String, Value>,
}

impl<'a> Thing<'a> {
    /// What a parameter of an operation names, when that is something which operations make.
    fn of(
        contract: &'a Contract,
        operation: &Operation,
        parameter: &str,
        values: &Map<String, Value>,
    ) -> Option<Self> {
        let effect = operation.effect.as_ref().filter(|effect| is_path(effect.key.as_ref(), parameter))?;
        let resource = &contract.resources()[effect.kinds.first()?.resource];
        if !resource.fixed.is_empty() {
            return None;
        }
        let mut scope = Map::new();
        for name in &resource.scope {
            let mut parameters = operation.parameters_in(Place::Path);
            let own = parameters.find(|parameter| parameter.scope.as_ref() == Some(name))?;
            scope.insert(name.clone(), value(operation, &own.name, values).into());
        }
        if let Some(parent) = &resource.parent {
            let parameters = operation.parameters_in(Place::Path);
            let other = parameters.filter(|it| it.scope.is_none() && it.name != parameter).last()?;
            let name = contract.resources()[parent.resource].name.to_string();
            scope.insert(name, value(operation, &other.name, values).into());
        }
        Some(Self { resource, scope })
    }

    /// Puts one with this id there, unless there is one; all else of it is the sample's.
    fn put(&self, snapshot: &mut Value, id: &str) {
        let places = &mut snapshot["resources"][&*self.resource.name];
        if !places.is_array() {
            *places = json!([]);
        }
        let Some(places) = places.as_array_mut() else { return };
        let own = places.iter().position(|place| place["scope"].as_object() == Some(&self.scope));
        let place = own.unwrap_or(places.len());
        if own.is_none() {
            places.push(json!({"scope": self.scope, "records": []}));
        }
        if let Some(records) = places[place]["records"].as_array_mut()
            && !records.iter().any(|record| record[&self.resource.id] == id)
        {
            records.push(json!({&self.resource.id: id}));
        }
    }

    /// Takes all of them out, and what is in them.
    fn remove_all(&self, snapshot: &mut Value) {
        let Some(resources) = snapshot["resources"].as_object_mut() else { return };
        let is_within = |scope: &Value| self.scope.iter().all(|(name, value)| scope[name] == *value);
        for (name, places) in resources {
            let Some(places) = places.as_array_mut() else { continue };
            let is_own = *name == *self.resource.name;
            let is_part = |scope: &Value| scope.get(&*self.resource.name).is_some();
            places.retain(|place| !(is_within(&place["scope"]) && (is_own || is_part(&place["scope"]))));
        }
    }
}

fn is_path(source: Option<&Source>, parameter: &str) -> bool {
    matches!(source, Some(Source::Path(name)) if name == parameter)
}

/// The value of a path parameter: the one that was given, or the sample's.
fn value(operation: &Operation, parameter: &str, values: &Map<String, Value>) -> String {
    match values.get(parameter) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => sample::value(operation, Place::Path, parameter).to_owned(),
    }
}
