//! A contract out of recorded traffic.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write,
    sync::Arc,
};

use serde_json::Value;

use super::{document, interaction, rules::schemas_of};
use crate::{
    BodyEnd, Checks, Contract, Exchange, Operation, Request, Settings, Step, Stub, TokenPolicy,
    contract::{Place, Schema},
    percent,
};

/// A pact of what was recorded: one interaction for each operation and shape among the exchanges that are valid.
///
/// Valid are those that the contract lets pass and that got a success, whatever checks were on at the time. A reply
/// chosen with `Prefer` says nothing about the provider and is left out, and so is what a pact cannot hold. The
/// shape of an exchange is which parameters and members it has, the types of their values, and those values that the
/// contract enumerates.
///
/// ```
/// use std::sync::Arc;
///
/// use standin::{Contract, Settings, Stub, pact};
///
/// let contract = Contract::builtin();
/// let stub = Stub::new(Arc::clone(&contract), Settings::default());
/// let operation = contract.operation("updateAgent").unwrap();
/// let request = pact::sample(&contract, operation, Some(&operation.body.as_ref().unwrap().examples[0]));
/// let exchanges = [stub.respond(request.clone()), stub.respond(request)];
///
/// let pact = pact::from_exchanges(&contract, "my-client", &exchanges);
/// assert_eq!(pact["interactions"].as_array().unwrap().len(), 1);
/// ```
pub fn from_exchanges<'a>(
    contract: &Arc<Contract>,
    consumer: &str,
    exchanges: impl IntoIterator<Item = &'a Exchange>,
) -> Value {
    let mut traffic = Traffic::new(contract, consumer);
    for exchange in exchanges {
        traffic.add(exchange);
    }
    traffic.pact()
}

/// A pact of what was recorded, under way: exchanges are added one by one.
pub(crate) struct Traffic {
    contract: Arc<Contract>,
    consumer: String,
    judge: Stub,
    shapes: HashSet<String>,
    /// How many shapes each summary has.
    counts: HashMap<String, usize>,
    interactions: Vec<Value>,
    /// How many bytes the shapes and the interactions have.
    bytes: usize,
}

impl Traffic {
    pub(crate) fn new(contract: &Arc<Contract>, consumer: &str) -> Self {
        let settings = Settings {
            checks: Checks::Enforce,
            // Whether the token was right is known from the reply; what is recorded of it is not one.
            token: TokenPolicy::Any,
            max_body: usize::MAX,
            ..Settings::default()
        };
        Self {
            contract: Arc::clone(contract),
            consumer: consumer.to_owned(),
            judge: Stub::new(Arc::clone(contract), settings),
            shapes: HashSet::new(),
            counts: HashMap::new(),
            interactions: Vec::new(),
            bytes: 0,
        }
    }

    /// Adds an exchange, if it is valid and of a shape that is not there yet.
    pub(crate) fn add(&mut self, exchange: &Exchange) {
        let Some(operation) = valid(&self.contract, &self.judge, exchange) else { return };
        let shape = shape(operation, exchange);
        let bytes = shape.len();
        if !self.shapes.insert(shape) {
            return;
        }
        self.bytes += bytes;
        let summary = lower_first(&operation.summary);
        let count = self.counts.get(&summary).copied().unwrap_or(0);
        let description = match count {
            0 => summary.clone(),
            n => format!("{summary}, another shape ({})", n + 1),
        };
        if let Ok(interaction) = interaction(&self.contract, &description, exchange) {
            self.bytes += interaction.to_string().len();
            self.interactions.push(interaction);
            self.counts.insert(summary, count + 1);
        }
    }

    /// Whether it has become larger than a pact of ours is, which has 8 MiB at most.
    pub(crate) fn is_too_large(&self) -> bool {
        self.bytes > MOST
    }

    /// The pact of those that were added.
    pub(crate) fn pact(self) -> Value {
        document(&self.consumer, &self.interactions)
    }
}

/// The most bytes of a pact, roughly. Real clients have a few shapes, of kilobytes; a fuzzer's have no end.
const MOST: usize = 8 * 1024 * 1024;

/// The operation of an exchange that is valid.
fn valid<'a>(contract: &'a Contract, judge: &Stub, exchange: &Exchange) -> Option<&'a Operation> {
    let is_success = (200..300).contains(&exchange.reply.status);
    let is_chosen = exchange.reply.headers.all("preference-applied").next().is_some();
    if exchange.step != Step::Answer || !is_success || is_chosen || !exchange.violations.is_empty() {
        return None;
    }
    // What a script has made of a reply is not what a provider has to give.
    if exchange.scripted.as_ref().is_some_and(|by| by.decided.is_some() || by.course.fault.is_some()) {
        return None;
    }
    let request: Request = exchange.request.clone();
    if request.body_end != BodyEnd::Complete {
        return None;
    }
    let judged = judge.respond(request);
    if judged.step != Step::Answer {
        return None;
    }
    contract.operation(&judged.operation?)
}

/// What two exchanges have in common when one of them is enough.
fn shape(operation: &Operation, exchange: &Exchange) -> String {
    let mut shape = format!("{} {}", operation.id, exchange.reply.status);
    let query = exchange.request.query().unwrap_or_default();
    let mut pairs: Vec<_> = percent::pairs(query).collect();
    pairs.sort_unstable();
    for (name, value) in &pairs {
        let known = operation
            .parameters_in(Place::Query)
            .find(|parameter| parameter.name == *name || parameter.accepts.iter().any(|other| other == name));
        if let Some(parameter) = known {
            let value = if parameter.schema.values.is_empty() { "" } else { value.as_ref() };
            let _ = write!(shape, " {name}={value}");
        }
    }
    let schemas: Vec<_> = operation.body.iter().map(|body| &body.schema).collect();
    if let Ok(body) = serde_json::from_slice(&exchange.request.body) {
        outline(&schemas, &body, &mut shape);
    }
    if let Ok(body) = serde_json::from_slice(&exchange.reply.body) {
        outline(&[], &body, &mut shape);
    }
    shape
}

/// Writes what a value is made of: names and types, and the values that are enumerated.
fn outline(schemas: &[&Schema], value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            let below: Vec<_> = schemas.iter().filter_map(|schema| schema.items.as_deref()).collect();
            let mut outlines: Vec<_> = items
                .iter()
                .map(|item| {
                    let mut text = String::new();
                    outline(&below, item, &mut text);
                    text
                })
                .collect();
            outlines.sort_unstable();
            outlines.dedup();
            let _ = write!(out, "[{}]", outlines.join(","));
        }
        Value::Bool(_) => out.push('b'),
        Value::Null => out.push('0'),
        Value::Number(_) => out.push('n'),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (key, member) in members {
                let _ = write!(out, "{key:?}:");
                outline(&schemas_of(schemas, key, value), member, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::String(text) => {
            if schemas.iter().any(|schema| !schema.values.is_empty()) {
                let _ = write!(out, "{text:?}");
            } else {
                out.push('s');
            }
        }
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
