//! Provider states: what has to be so at the provider before an interaction.

use serde_json::{Map, Value, json};

use crate::{
    Contract, Operation,
    contract::{Place, Segment},
};

/// The account's token is one that the provider accepts.
const TOKEN: &str = "the account's token is valid";

/// The provider states that the interactions of a contract name.
///
/// They are derived from the paths: an operation on one thing needs that thing, one that adds to the collection of
/// such things needs none of them, and all need a token.
///
/// ```
/// use standin::{Contract, pact::States};
///
/// let states = States::of(&Contract::builtin());
/// assert_eq!(states.names()[..3], ["the account's token is valid", "no agents", "an agent exists"]);
/// ```
#[derive(Clone, Debug)]
pub struct States(Vec<String>);

impl States {
    /// The states of all operations of a contract.
    pub fn of(contract: &Contract) -> Self {
        let mut names: Vec<String> = Vec::new();
        for operation in contract.operations() {
            for state in needed(contract, operation) {
                if !names.contains(&state.name) {
                    names.push(state.name);
                }
            }
        }
        Self(names)
    }

    /// Their names, in the contract's order.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

/// A state that an operation needs.
pub(super) struct State {
    pub(super) name: String,
    /// The path parameter that names the thing, when the state is about one.
    pub(super) parameter: Option<String>,
}

/// The `providerStates` of an interaction: each value goes with the state that it is about.
pub(super) fn of(contract: &Contract, operation: Option<&Operation>, values: &Map<String, Value>) -> Value {
    let states = operation.map_or_else(|| vec![token()], |operation| needed(contract, operation));
    let about = |name: &String| states.iter().position(|state| state.parameter.as_ref() == Some(name));
    let entries = states.iter().enumerate().map(|(position, state)| {
        let params: Map<_, _> = values
            .iter()
            .filter(|(name, _)| about(name).unwrap_or(0) == position)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if params.is_empty() {
            json!({"name": state.name})
        } else {
            json!({"name": state.name, "params": params})
        }
    });
    entries.collect()
}

fn token() -> State {
    State { name: TOKEN.to_owned(), parameter: None }
}

pub(super) fn needed(contract: &Contract, operation: &Operation) -> Vec<State> {
    let mut states = vec![token()];
    if operation.method == "POST"
        && contract.operations().iter().any(|other| is_collection_of(operation, other))
        && let Some(Segment::Literal(things)) = operation.segments.last()
    {
        states.push(State { name: format!("no {}", words(things)), parameter: None });
    }
    for parameter in parameters(operation) {
        let name = looked_up(operation, parameter).unwrap_or_else(|| {
            let thing = words(parameter.strip_suffix("Id").unwrap_or(parameter));
            let article = if thing.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
            format!("{article} {thing} exists")
        });
        states.push(State { name, parameter: Some(parameter.to_owned()) });
    }
    states
}

/// The parameters of the path that name a thing, in the path's order; one with a scope is what the token is about.
fn parameters(operation: &Operation) -> impl Iterator<Item = &str> {
    let has_scope = |name: &str| {
        operation
            .parameters_in(Place::Path)
            .any(|parameter| parameter.name == name && parameter.scope.is_some())
    };
    operation.segments.iter().filter_map(move |segment| match segment {
        Segment::Parameter(name) if !has_scope(name) => Some(name.as_str()),
        Segment::Literal(_) | Segment::Parameter(_) => None,
    })
}

/// A name as the words that it is made of: `skill groups` for `skill-groups`, `skill group` for `skillGroup`.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 1);
    for character in name.chars() {
        match character {
            '-' | '_' => words.push(' '),
            upper if upper.is_ascii_uppercase() && !words.is_empty() => {
                words.push(' ');
                words.push(upper.to_ascii_lowercase());
            }
            other => words.push(other),
        }
    }
    words
}

/// The state of things that are looked up by a member other than their id: `agents/customId/{customId}`.
fn looked_up(operation: &Operation, parameter: &str) -> Option<String> {
    operation.segments.windows(3).find_map(|window| match window {
        [Segment::Literal(things), Segment::Literal(member), Segment::Parameter(name)]
            if name == parameter && member == parameter =>
        {
            Some(format!("{} with this {parameter} exist", words(things)))
        }
        _ => None,
    })
}

/// Whether `item`'s path is that of `collection` with one parameter more.
pub(super) fn is_collection_of(collection: &Operation, item: &Operation) -> bool {
    matches!(item.segments.strip_prefix(collection.segments.as_slice()), Some([Segment::Parameter(_)]))
}
