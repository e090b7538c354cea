//! A plan: what has to be known of an operation to make and to judge its requests, prepared once.
//!
//! The operation's schemas become one list of fields, references and branches resolved. A plan owns everything,
//! so a generator needs no contract beside it.

use std::{collections::HashSet, sync::Arc};

use serde_json::Value;

use super::{
    Credentials,
    credentials::Tokens,
    field::{Field, FieldId, Fork, Slot, Texts},
};
use crate::{
    Operation,
    contract::{Branch, JsonType, Place, Schema, Segment, pattern::Pattern},
    pointer::escape,
};

/// What is known of an operation.
pub(super) struct Plan {
    pub(super) id: Arc<str>,
    pub(super) method: String,
    pub(super) segments: Vec<Segment>,
    pub(super) parameters: Vec<Slot>,
    pub(super) body: Option<FieldId>,
    pub(super) fields: Vec<Field>,
    pub(super) token: Option<Tokens>,
    /// Method and path of each operation of the contract.
    pub(super) routes: Vec<(String, Vec<Segment>)>,
    /// Whether everything that the contract says is in it; if not, nothing is made from it.
    pub(super) is_whole: bool,
}

/// A part of requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Target {
    /// A place of the body.
    Field(FieldId),
    /// The parameter of this position.
    Parameter(usize),
    /// The request as a whole.
    Request,
}

impl Plan {
    pub(super) fn new(operation: &Operation, credentials: &Credentials) -> Self {
        let mut builder = Builder { fields: Vec::new(), operation, is_full: false };
        let parameters = operation.parameters.iter().map(|parameter| {
            let field = builder.field(&[&parameter.schema], None, &parameter.name, true, &[]);
            let mut samples: Vec<String> = parameter.example.iter().cloned().collect();
            samples.append(&mut builder.fields[field].texts.samples);
            builder.fields[field].texts.samples = samples;
            Slot {
                name: parameter.name.clone(),
                place: parameter.place,
                required: parameter.required,
                accepts: parameter.accepts.clone(),
                field,
            }
        });
        let parameters: Vec<_> = parameters.collect();
        let body = operation.body.as_ref().map(|body| {
            let root = builder.field(&[&body.schema], None, "", body.required, &[]);
            for example in &body.examples {
                builder.learn(root, &example.value);
            }
            root
        });
        let is_full = builder.is_full;
        let mut fields = builder.fields;
        for field in &mut fields {
            let mut texts = std::mem::take(&mut field.texts);
            texts.prepare(field);
            field.texts = texts;
        }
        Self {
            id: Arc::clone(&operation.id),
            method: operation.method.clone(),
            segments: operation.segments.clone(),
            parameters,
            body,
            fields,
            token: operation
                .shared
                .token_header
                .as_ref()
                .map(|header| Tokens::new(header, operation.shared.token_claim.as_deref(), credentials)),
            routes: operation.shared.routes.clone(),
            is_whole: !is_full,
        }
    }

    /// The fields from the body to `field`, both included.
    pub(super) fn path(&self, field: FieldId) -> Vec<FieldId> {
        let mut path = vec![field];
        while let Some(parent) = self.fields[path[path.len() - 1]].parent {
            path.push(parent);
        }
        path.reverse();
        path
    }

    /// Whether the path ends with this parameter.
    pub(super) fn ends_with(&self, slot: &Slot) -> bool {
        self.segment(slot).is_some_and(|at| at + 1 == self.segments.len())
    }

    /// The position of a parameter's segment in the path; none when its place is another.
    pub(super) fn segment(&self, slot: &Slot) -> Option<usize> {
        let is_its = |segment: &Segment| matches!(segment, Segment::Parameter(name) if *name == slot.name);
        (slot.place == Place::Path).then(|| self.segments.iter().position(is_its))?
    }

    /// The members of an object: those of the branch, when one applies.
    pub(super) fn members(&self, field: FieldId, fork: Option<usize>) -> &[FieldId] {
        let field = &self.fields[field];
        fork.map_or(&field.properties, |fork| &field.branches[fork].properties)
    }
}

struct Builder<'a> {
    fields: Vec<Field>,
    operation: &'a Operation,
    /// Whether there are more fields than are made.
    is_full: bool,
}

/// The most fields of a plan. Branches within branches multiply.
const MOST: usize = 100_000;

impl Builder<'_> {
    /// Makes the field of a value that all of `layers` describe, and the fields below.
    fn field(
        &mut self,
        layers: &[&Schema],
        parent: Option<FieldId>,
        name: &str,
        required: bool,
        accepts: &[String],
    ) -> FieldId {
        let id = self.fields.len();
        let field = self.leaf(layers, parent, name, required, accepts);
        self.fields.push(field);
        if id >= MOST {
            self.is_full = true;
            return id;
        }
        self.fields[id].properties = self.properties(layers, id, &[]);
        let items: Vec<_> = layers.iter().filter_map(|schema| schema.items.as_deref()).collect();
        if !items.is_empty() {
            self.fields[id].items = Some(self.field(&items, Some(id), "", true, &[]));
        }
        let branches: Vec<&Branch> = layers.iter().flat_map(|schema| &schema.branches).collect();
        if let Some(first) = branches.first() {
            let mut at = id;
            for name in &first.path {
                let below = &self.fields[at].properties;
                let Some(member) = below.iter().copied().find(|field| self.fields[*field].name == *name)
                else {
                    break;
                };
                self.fields[id].selector.push(member);
                at = member;
            }
            if self.fields[id].selector.len() < first.path.len() {
                // Nothing is known of the member, so nothing makes the branches apply but chance.
                self.fields[id].selector.clear();
            }
        }
        for branch in branches {
            let properties = self.properties(layers, id, &[&branch.then]);
            let fork = Fork { values: branch.values.clone(), properties };
            self.fields[id].branches.push(fork);
        }
        self.prune(id);
        id
    }

    /// Marks the members that no request can have, because one of the branches applies always.
    fn prune(&mut self, id: FieldId) {
        let field = &self.fields[id];
        let Some(selector) = field.selector.last() else {
            return;
        };
        let covered = |value: &Value| {
            let mut values = field.branches.iter().flat_map(|fork| &fork.values);
            values.any(|other| value == other)
        };
        let values = &self.fields[*selector].values;
        let is_certain = field.selector.iter().all(|member| self.fields[*member].required);
        if values.is_empty() || !is_certain || !values.iter().all(covered) {
            return;
        }
        let is_dead = |member: &FieldId| !field.branches.iter().any(|fork| fork.properties.contains(member));
        let dead: Vec<_> = field.properties.iter().copied().filter(is_dead).collect();
        for member in dead {
            self.fields[member].is_reachable = false;
        }
    }

    /// The members that `layers` and `more` describe; those that only `layers` describe are there already when `more` is not empty.
    fn properties(&mut self, layers: &[&Schema], id: FieldId, more: &[&Schema]) -> Vec<FieldId> {
        let mut list: Vec<FieldId> = Vec::new();
        let all = || layers.iter().chain(more).copied();
        let mut done = HashSet::new();
        for property in all().flat_map(|schema| &schema.properties) {
            if !done.insert(&property.name) {
                continue;
            }
            let same: Vec<_> =
                all().flat_map(|schema| &schema.properties).filter(|p| p.name == property.name).collect();
            let is_new = more.iter().flat_map(|schema| &schema.properties).any(|p| p.name == property.name);
            if !more.is_empty() && !is_new {
                let known = self.fields[id].properties.iter().copied();
                list.extend(known.filter(|field| self.fields[*field].name == property.name));
                continue;
            }
            let required = same.iter().any(|property| property.required);
            let schemas: Vec<_> = same.iter().map(|property| &property.schema).collect();
            list.push(self.field(&schemas, Some(id), &property.name, required, &property.accepts));
        }
        list
    }

    fn leaf(
        &self,
        layers: &[&Schema],
        parent: Option<FieldId>,
        name: &str,
        required: bool,
        accepts: &[String],
    ) -> Field {
        let mut types: Vec<JsonType> = Vec::new();
        let mut values: Vec<Value> = Vec::new();
        for schema in layers {
            if types.is_empty() {
                types.clone_from(&schema.types);
            } else if !schema.types.is_empty() {
                types.retain(|kind| schema.types.contains(kind));
            }
            if values.is_empty() {
                values.clone_from(&schema.values);
            } else if !schema.values.is_empty() {
                values.retain(|value| schema.values.contains(value));
            }
        }
        let size = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
        let limit = |number: &serde_json::Number| number.as_f64();
        let twins = layers.iter().flat_map(|schema| &schema.same_as);
        let samples: Vec<&Value> = layers.iter().flat_map(|schema| &schema.examples).collect();
        let mut field = Field {
            parent,
            name: name.to_owned(),
            key: if name.is_empty() { String::new() } else { format!("{}:", Value::from(name)) },
            required,
            accepts: accepts.to_vec(),
            types,
            values,
            patterns: layers.iter().filter_map(|schema| Pattern::new(schema.pattern.as_deref()?)).collect(),
            min_length: layers.iter().filter_map(|schema| schema.min_length).max().map_or(0, size),
            max_length: layers.iter().filter_map(|schema| schema.max_length).min().map(size),
            minimum: layers.iter().filter_map(|s| s.minimum.as_ref().and_then(limit)).reduce(f64::max),
            maximum: layers.iter().filter_map(|s| s.maximum.as_ref().and_then(limit)).reduce(f64::min),
            properties: Vec::new(),
            items: None,
            branches: Vec::new(),
            selector: Vec::new(),
            same_as: twins.filter_map(|(pointer, _)| self.parameter(pointer)).collect(),
            texts: Texts::default(),
            is_reachable: true,
            fixed: None,
            numbers: Vec::new(),
            objects: Vec::new(),
        };
        field.texts.holds_json = layers.iter().any(|schema| schema.holds_json);
        for sample in samples {
            field.learn(sample);
        }
        field
    }

    /// The position of the parameter at a pointer such as `/header/accountId`.
    fn parameter(&self, pointer: &str) -> Option<usize> {
        let (place, name) = pointer.strip_prefix('/')?.split_once('/')?;
        let mut parameters = self.operation.parameters.iter();
        parameters.position(|parameter| parameter.place.name() == place && escape(&parameter.name) == name)
    }

    /// Takes the values of a sample as examples for the fields that describe them.
    fn learn(&mut self, id: FieldId, sample: &Value) {
        self.fields[id].learn(sample);
        match sample {
            Value::Array(list) => {
                if let Some(items) = self.fields[id].items {
                    for item in list {
                        self.learn(items, item);
                    }
                }
            }
            Value::Object(members) => {
                let field = &self.fields[id];
                let selected = field
                    .selector
                    .iter()
                    .try_fold(sample, |value, member| value.get(&self.fields[*member].name));
                let selected = selected.and_then(Value::as_str).unwrap_or_default();
                let fork =
                    field.branches.iter().find(|fork| fork.values.iter().any(|value| value == selected));
                let properties = fork.map_or(&field.properties, |fork| &fork.properties).clone();
                for member in properties {
                    let names =
                        std::iter::once(&self.fields[member].name).chain(&self.fields[member].accepts);
                    if let Some(value) = names.into_iter().find_map(|name| members.get(name)) {
                        self.learn(member, &value.clone());
                    }
                }
            }
            _ => {}
        }
    }
}

impl Field {
    fn learn(&mut self, sample: &Value) {
        fn add(list: &mut Vec<String>, text: String) {
            if !list.contains(&text) && list.len() < 20 {
                list.push(text);
            }
        }
        match sample {
            Value::String(text) => add(&mut self.texts.samples, text.clone()),
            Value::Number(number) => add(&mut self.numbers, number.to_string()),
            Value::Object(_) if self.properties.is_empty() && self.branches.is_empty() => {
                add(&mut self.objects, sample.to_string());
            }
            _ => {}
        }
    }
}
