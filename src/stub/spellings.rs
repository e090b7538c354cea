//! Other spellings of names: those that count are renamed, and each is a reading.

use serde_json::Value;

use crate::{
    Reading,
    contract::{Property, Schema},
    json::View,
    pointer::escape,
};

/// How many readings are listed at most.
pub(super) const MOST: usize = 100;

/// Gives the members of a body their canonical names: the first spelling that is there counts.
pub(super) fn rename(schema: &Schema, body: &mut Value, readings: &mut Vec<Reading>) {
    if schema.has_spellings() {
        rename_in(schema, body, "/body", readings);
    }
}

/// Whether a body has names that are spelt in another way.
pub(super) fn has_others<'v, V: View<'v>>(schema: &Schema, body: V) -> bool {
    if !schema.has_spellings() {
        return false;
    }
    if let Some(mut list) = body.items() {
        return schema.items.as_ref().is_some_and(|schema| list.any(|item| has_others(schema, item)));
    }
    schema.properties.iter().flat_map(|property| &property.accepts).any(|name| body.member(name).is_some())
        || schema.properties_of(body).filter(|property| property.schema.has_spellings()).any(|property| {
            body.member(&property.name).is_some_and(|member| has_others(&property.schema, member))
        })
}

/// The reading of a name that is spelt in another way.
pub(super) fn reading(
    schema: &Schema,
    (name, spelling): (&str, &str),
    counts: bool,
    pointer: String,
) -> Reading {
    let id = accepting(schema, spelling).or(schema.ledger.first());
    Reading {
        ledger: id.cloned().unwrap_or_default(),
        pointer,
        note: if counts {
            format!("`{spelling}` is read as `{name}`")
        } else {
            format!("`{name}` counts, `{spelling}` does not")
        },
    }
}

/// The id of the entry among those about `schema` that accepts this name, type or value.
pub(super) fn accepting<'a>(schema: &'a Schema, token: &str) -> Option<&'a String> {
    schema.variants.iter().find(|(accepted, _)| accepted == token).map(|(_, id)| id)
}

fn rename_in(schema: &Schema, value: &mut Value, pointer: &str, readings: &mut Vec<Reading>) {
    match value {
        Value::Array(list) => {
            if let Some(schema) = &schema.items {
                for (index, item) in list.iter_mut().enumerate() {
                    rename_in(schema, item, &format!("{pointer}/{index}"), readings);
                }
            }
        }
        Value::Object(members) => {
            for property in schema.properties.iter().filter(|property| !property.accepts.is_empty()) {
                let Some(spelling) = property.accepts.iter().find(|name| members.contains_key(*name)) else {
                    continue;
                };
                let counts = !members.contains_key(&property.name);
                // The member moves to the end; nothing reads their order.
                if counts && let Some(member) = members.swap_remove(spelling) {
                    members.insert(property.name.clone(), member);
                }
                if readings.len() < MOST {
                    let names = (property.name.as_str(), spelling.as_str());
                    let pointer = format!("{pointer}/{}", escape(&property.name));
                    readings.push(reading(&property.schema, names, counts, pointer));
                }
            }
            let known: Vec<&Property> =
                schema.properties_for(value).filter(|property| property.schema.has_spellings()).collect();
            for property in known {
                if let Some(member) = value.get_mut(&property.name) {
                    let pointer = format!("{pointer}/{}", escape(&property.name));
                    rename_in(&property.schema, member, &pointer, readings);
                }
            }
        }
        _ => {}
    }
}
