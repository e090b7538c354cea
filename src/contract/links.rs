//! OpenAPI links: from what makes a thing to what reads, changes and deletes it, and makes or lists what is in it.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{
    ContractError, Operation, Place, Resource,
    effect::{Does, Effect, Source},
};
use crate::pointer::escape;

/// The published document with its links.
pub(super) fn add(
    text: &Bytes,
    operations: &[Operation],
    resources: &[Resource],
) -> Result<Bytes, ContractError> {
    let mut document: Value =
        serde_json::from_slice(text).map_err(|error| ContractError::new(error.to_string()))?;
    for operation in operations {
        let links = of(operation, operations, resources);
        let Some(replies) = operation.replies.get(operation.success()).filter(|_| !links.is_empty()) else {
            continue;
        };
        let method = operation.method.to_ascii_lowercase();
        document["paths"][&operation.path][method]["responses"][replies.status.to_string()]["links"] =
            links.into();
    }
    Ok(format!("{document:#}\n").into())
}

/// The links from one operation.
fn of(operation: &Operation, operations: &[Operation], resources: &[Resource]) -> Map<String, Value> {
    let Some((resource, id)) = made(operation, resources) else {
        return Map::new();
    };
    operations.iter().filter_map(|target| link(operation, target, resources, (resource, &id))).collect()
}

/// The resource that an operation makes, and where its id is in the reply, as a pointer.
pub(crate) fn made(operation: &Operation, resources: &[Resource]) -> Option<(usize, String)> {
    let effect = operation.effect.as_ref().filter(|effect| effect.does == Does::Create)?;
    let kind = effect.kinds.first()?;
    let give = kind.give.as_ref()?;
    let id = &resources[kind.resource].id;
    let moved = give.members.iter().find(|(from, _)| from.member() == Some(id));
    let shown = match moved {
        Some((_, to)) => to.as_ref()?.text().to_owned(),
        None => format!("/{}", escape(id)),
    };
    Some((kind.resource, format!("{}{shown}", give.at.text())))
}

fn link(
    from: &Operation,
    to: &Operation,
    resources: &[Resource],
    (resource, id): (usize, &str),
) -> Option<(String, Value)> {
    let Effect { does, kinds, key, parent, .. } = to.effect.as_ref()?;
    let own = kinds.first()?.resource;
    let is_in_it = resources[own].parent.as_ref().is_some_and(|parent| parent.resource == resource);
    let (named, purpose) = match does {
        Does::Read if own == resource => (key, "read it"),
        Does::Update if own == resource => (key, "change it"),
        Does::Delete if own == resource => (key, "delete it"),
        Does::Create if is_in_it => (parent, "make something in it"),
        Does::List if is_in_it => (parent, "list what is in it"),
        _ => return None,
    };
    let Some(Source::Path(key)) = named else {
        return None;
    };
    let mut parameters = Map::new();
    for parameter in &to.parameters {
        let place = match parameter.place {
            Place::Path => "path",
            Place::Header => "header",
            Place::Query => "query",
        };
        let is_same =
            from.parameters.iter().any(|it| it.place == parameter.place && it.name == parameter.name);
        let value = if parameter.place == Place::Path && parameter.name == *key {
            format!("$response.body#{id}")
        } else if is_same && parameter.required {
            format!("$request.{place}.{}", parameter.name)
        } else if parameter.required && parameter.place == Place::Path {
            return None;
        } else {
            continue;
        };
        parameters.insert(format!("{place}.{}", parameter.name), value.into());
    }
    let link = json!({"operationId": &*to.id, "description": purpose, "parameters": parameters});
    Some((to.id.to_string(), link))
}
