//! A plan: what has to be known of an operation to make and to judge its requests, prepared once.
//!
//! The operation's schemas become one list of nodes, references and branches resolved. A plan owns everything,
//! so a generator needs no contract beside it.

use std::{collections::HashSet, sync::Arc};

use serde_json::Value;

use super::{
    Credentials, Operator,
    head::Tokens,
    operator::{self, Target},
    shape::Texts,
};
use crate::{
    Operation, Rule,
    contract::{Branch, JsonType, Place, Schema, Segment, escape, pattern::Pattern},
};

/// The position of a node in [`Plan::nodes`].
pub(super) type NodeId = usize;

/// What is known of an operation.
pub(super) struct Plan {
    pub(super) id: Arc<str>,
    pub(super) method: String,
    pub(super) segments: Vec<Segment>,
    pub(super) parameters: Vec<Slot>,
    pub(super) body: Option<NodeId>,
    pub(super) nodes: Vec<Node>,
    pub(super) token: Option<Tokens>,
    /// Method and path of each operation of the contract.
    pub(super) routes: Vec<(String, Vec<Segment>)>,
    /// The places where an operator can act, by operator.
    pub(super) sites: Vec<(Operator, Vec<Site>)>,
    /// Whether everything that the contract says is in it; if not, nothing is made from it.
    pub(super) is_whole: bool,
}

/// A parameter.
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) required: bool,
    pub(super) accepts: Vec<String>,
    pub(super) node: NodeId,
}

/// One place of a request body, or one parameter.
pub(super) struct Node {
    /// The object or list that it is in.
    pub(super) parent: Option<NodeId>,
    /// Its canonical name; empty for a list's items and the body itself.
    pub(super) name: String,
    /// `"name":`, ready to be written.
    pub(super) key: String,
    pub(super) required: bool,
    /// Other spellings of the name.
    pub(super) accepts: Vec<String>,
    pub(super) types: Vec<JsonType>,
    pub(super) values: Vec<Value>,
    pub(super) patterns: Vec<Pattern>,
    pub(super) min_length: usize,
    pub(super) max_length: Option<usize>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    pub(super) properties: Vec<NodeId>,
    pub(super) items: Option<NodeId>,
    pub(super) branches: Vec<Fork>,
    /// The nodes that lead to the member that the branches test.
    pub(super) selector: Vec<NodeId>,
    /// The parameters whose value it ought to have.
    pub(super) same_as: Vec<usize>,
    pub(super) texts: Texts,
    /// Whether a request can have it: not where a branch always says something else of it.
    pub(super) is_reachable: bool,
    /// Numbers as they stand in samples.
    pub(super) numbers: Vec<String>,
    /// Objects as they stand in samples, where the schema says nothing about their members.
    pub(super) objects: Vec<String>,
}

/// What holds when the selector has one of some values.
pub(super) struct Fork {
    pub(super) values: Vec<String>,
    /// The members, those that hold without the branch included.
    pub(super) properties: Vec<NodeId>,
}

/// A place where an operator can act.
pub(super) struct Site {
    pub(super) target: Target,
    /// The rule that is broken there; none when the request stays valid.
    pub(super) rule: Option<Rule>,
    /// The nodes from the body to the target; all of them must be there.
    pub(super) path: Vec<NodeId>,
}

impl Plan {
    pub(super) fn new(operation: &Operation, credentials: &Credentials) -> Self {
        let mut builder = Builder { nodes: Vec::new(), operation, is_full: false };
        let parameters = operation.parameters.iter().map(|parameter| {
            let node = builder.node(&[&parameter.schema], None, &parameter.name, true, &[]);
            let mut samples: Vec<String> = parameter.example.iter().cloned().collect();
            samples.append(&mut builder.nodes[node].texts.samples);
            builder.nodes[node].texts.samples = samples;
            Slot {
                name: parameter.name.clone(),
                place: parameter.place,
                required: parameter.required,
                accepts: parameter.accepts.clone(),
                node,
            }
        });
        let parameters: Vec<_> = parameters.collect();
        let body = operation.body.as_ref().map(|body| {
            let root = builder.node(&[&body.schema], None, "", body.required, &[]);
            for example in &body.examples {
                builder.learn(root, &example.value);
            }
            root
        });
        let is_full = builder.is_full;
        let mut nodes = builder.nodes;
        for node in &mut nodes {
            let mut texts = std::mem::take(&mut node.texts);
            texts.prepare(node);
            node.texts = texts;
        }
        let mut plan = Self {
            id: Arc::clone(&operation.id),
            method: operation.method.clone(),
            segments: operation.segments.clone(),
            parameters,
            body,
            nodes,
            token: operation
                .shared
                .token_header
                .as_ref()
                .map(|header| Tokens::new(header, operation.shared.token_claim.as_deref(), credentials)),
            routes: operation.shared.routes.clone(),
            sites: Vec::new(),
            is_whole: !is_full,
        };
        if plan.is_whole {
            plan.sites = operator::sites(&plan);
        }
        plan
    }

    /// The nodes from the body to `node`, both included.
    pub(super) fn path(&self, node: NodeId) -> Vec<NodeId> {
        let mut path = vec![node];
        while let Some(parent) = self.nodes[path[path.len() - 1]].parent {
            path.push(parent);
        }
        path.reverse();
        path
    }

    /// The members of an object: those of the branch, when one applies.
    pub(super) fn members(&self, node: NodeId, fork: Option<usize>) -> &[NodeId] {
        let node = &self.nodes[node];
        fork.map_or(&node.properties, |fork| &node.branches[fork].properties)
    }
}

impl Node {
    pub(super) fn allows(&self, kind: JsonType) -> bool {
        self.types.is_empty()
            || self.types.contains(&kind)
            || kind == JsonType::Integer && self.types.contains(&JsonType::Number)
    }

    /// Whether it is an object or a list, whatever else it may be.
    pub(super) fn is_container(&self) -> bool {
        self.types.contains(&JsonType::Object) || self.types.contains(&JsonType::Array)
    }
}

struct Builder<'a> {
    nodes: Vec<Node>,
    operation: &'a Operation,
    /// Whether there are more nodes than are made.
    is_full: bool,
}

/// The most nodes of a plan. Branches within branches multiply.
const MOST: usize = 100_000;

impl Builder<'_> {
    /// Makes the node of a value that all of `layers` describe, and the nodes below.
    fn node(
        &mut self,
        layers: &[&Schema],
        parent: Option<NodeId>,
        name: &str,
        required: bool,
        accepts: &[String],
    ) -> NodeId {
        let id = self.nodes.len();
        let node = self.leaf(layers, parent, name, required, accepts);
        self.nodes.push(node);
        if id >= MOST {
            self.is_full = true;
            return id;
        }
        self.nodes[id].properties = self.properties(layers, id, &[]);
        let items: Vec<_> = layers.iter().filter_map(|schema| schema.items.as_deref()).collect();
        if !items.is_empty() {
            self.nodes[id].items = Some(self.node(&items, Some(id), "", true, &[]));
        }
        let branches: Vec<&Branch> = layers.iter().flat_map(|schema| &schema.branches).collect();
        if let Some(first) = branches.first() {
            let mut at = id;
            for name in &first.path {
                let below = &self.nodes[at].properties;
                let Some(member) = below.iter().copied().find(|node| self.nodes[*node].name == *name) else {
                    break;
                };
                self.nodes[id].selector.push(member);
                at = member;
            }
            if self.nodes[id].selector.len() < first.path.len() {
                // Nothing is known of the member, so nothing makes the branches apply but chance.
                self.nodes[id].selector.clear();
            }
        }
        for branch in branches {
            let properties = self.properties(layers, id, &[&branch.then]);
            let fork = Fork { values: branch.values.clone(), properties };
            self.nodes[id].branches.push(fork);
        }
        self.prune(id);
        id
    }

    /// Marks the members that no request can have, because one of the branches applies always.
    fn prune(&mut self, id: NodeId) {
        let node = &self.nodes[id];
        let Some(selector) = node.selector.last() else {
            return;
        };
        let covered = |value: &Value| {
            let mut values = node.branches.iter().flat_map(|fork| &fork.values);
            values.any(|other| value == other)
        };
        let values = &self.nodes[*selector].values;
        let is_certain = node.selector.iter().all(|member| self.nodes[*member].required);
        if values.is_empty() || !is_certain || !values.iter().all(covered) {
            return;
        }
        let is_dead = |member: &NodeId| !node.branches.iter().any(|fork| fork.properties.contains(member));
        let dead: Vec<_> = node.properties.iter().copied().filter(is_dead).collect();
        for member in dead {
            self.nodes[member].is_reachable = false;
        }
    }

    /// The members that `layers` and `more` describe; those that only `layers` describe are there already when `more` is not empty.
    fn properties(&mut self, layers: &[&Schema], id: NodeId, more: &[&Schema]) -> Vec<NodeId> {
        let mut list: Vec<NodeId> = Vec::new();
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
                let known = self.nodes[id].properties.iter().copied();
                list.extend(known.filter(|node| self.nodes[*node].name == property.name));
                continue;
            }
            let required = same.iter().any(|property| property.required);
            let schemas: Vec<_> = same.iter().map(|property| &property.schema).collect();
            list.push(self.node(&schemas, Some(id), &property.name, required, &property.accepts));
        }
        list
    }

    fn leaf(
        &self,
        layers: &[&Schema],
        parent: Option<NodeId>,
        name: &str,
        required: bool,
        accepts: &[String],
    ) -> Node {
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
        let mut node = Node {
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
            numbers: Vec::new(),
            objects: Vec::new(),
        };
        node.texts.holds_json = layers.iter().any(|schema| schema.holds_json);
        for sample in samples {
            node.learn(sample);
        }
        node
    }

    /// The position of the parameter at a pointer such as `/header/accountId`.
    fn parameter(&self, pointer: &str) -> Option<usize> {
        let (place, name) = pointer.strip_prefix('/')?.split_once('/')?;
        let mut parameters = self.operation.parameters.iter();
        parameters.position(|parameter| parameter.place.name() == place && escape(&parameter.name) == name)
    }

    /// Takes the values of a sample as examples for the nodes that describe them.
    fn learn(&mut self, id: NodeId, sample: &Value) {
        self.nodes[id].learn(sample);
        match sample {
            Value::Array(list) => {
                if let Some(items) = self.nodes[id].items {
                    for item in list {
                        self.learn(items, item);
                    }
                }
            }
            Value::Object(members) => {
                let node = &self.nodes[id];
                let selected = node
                    .selector
                    .iter()
                    .try_fold(sample, |value, member| value.get(&self.nodes[*member].name));
                let selected = selected.and_then(Value::as_str).unwrap_or_default();
                let fork =
                    node.branches.iter().find(|fork| fork.values.iter().any(|value| value == selected));
                let properties = fork.map_or(&node.properties, |fork| &fork.properties).clone();
                for member in properties {
                    let names = std::iter::once(&self.nodes[member].name).chain(&self.nodes[member].accepts);
                    if let Some(value) = names.into_iter().find_map(|name| members.get(name)) {
                        self.learn(member, &value.clone());
                    }
                }
            }
            _ => {}
        }
    }
}

impl Node {
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
