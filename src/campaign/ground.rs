//! What a campaign knows before it begins: the operations with their generators, and how they hang together.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::Value;

use super::{CampaignError, Options};
use crate::{
    Contract, Operation, Rule,
    contract::{self, Does, JsonType, Parameter, Segment, Source},
    near,
    payload::{self, Case, Choices, Credentials, Generator},
    token,
};

/// How long a token that is made for a campaign is valid, in seconds.
const TOKEN_TIME: i64 = 24 * 3600;

/// Everything that does not change while a campaign runs.
pub(super) struct Ground {
    /// All operations of the contract, in its order.
    pub(super) operations: Vec<Ready>,
    /// The tokens of valid requests.
    pub(super) tokens: Vec<String>,
}

/// An operation that is ready to be tried.
pub(super) struct Ready {
    pub(super) position: usize,
    /// Whether it was asked for; the others help to set up and to clean up.
    pub(super) is_chosen: bool,
    pub(super) generator: Generator,
    /// The places at which rules are tried.
    pub(super) places: Vec<payload::Place>,
    /// The simplest valid request.
    pub(super) control: Option<Case>,
    /// The things that its path names.
    pub(super) named: Vec<Named>,
    /// What it makes, and where the id is in the reply.
    pub(super) makes: Option<(usize, String)>,
    /// The members of its body that no two things may have alike.
    pub(super) unique: Vec<Vec<String>>,
    /// Where its body has ids of other things.
    pub(super) references: Vec<contract::Pointer>,
    /// Whether the caller has set every id that its simplest request names.
    pub(super) is_all_set: bool,
}

/// A thing that a path names.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) resource: usize,
    pub(super) parameter: String,
    /// The position of its segment in the path.
    pub(super) segment: usize,
    /// Whether the caller has set it.
    pub(super) is_set: bool,
    /// Whether it is what the operation is about, and not what that is in.
    pub(super) is_key: bool,
}

impl Ground {
    pub(super) fn new(options: &Options) -> Result<Self, CampaignError> {
        let contract = &*options.contract;
        for name in &options.operations {
            if contract.operation(name).is_none() {
                let names: Vec<_> = contract.operations().iter().map(|operation| &*operation.id).collect();
                return Err(CampaignError::Usage(format!(
                    "there is no operation `{name}`{}; the operations are {}",
                    near::hint(name, names.iter().copied()),
                    names.join(", ")
                )));
            }
        }
        let values = Values::new(contract, options);
        let credentials = credentials(contract, options);
        let mut operations = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for (position, operation) in contract.operations().iter().enumerate() {
            let is_chosen =
                options.operations.is_empty() || options.operations.iter().any(|name| *name == *operation.id);
            let ready = Ready::new(contract, position, is_chosen, &values, &credentials, options)?;
            names.extend(ready.generator.names());
            operations.push(ready);
        }
        if let Some((name, _)) = options.set.iter().find(|(name, _)| !names.contains(name)) {
            names.sort_unstable();
            names.dedup();
            return Err(CampaignError::Usage(format!(
                "there is no value `{name}` to set; the names are {}",
                names.join(", ")
            )));
        }
        let ground = Self { operations, tokens: credentials.tokens(contract) };
        if !options.rules.is_empty() && ground.chosen().all(|ready| ready.places.is_empty()) {
            return Err(CampaignError::Usage(format!(
                "no request of these operations can break {}",
                options.rules.iter().map(|rule| rule.name()).collect::<Vec<_>>().join(", ")
            )));
        }
        Ok(ground)
    }

    /// The operations that were asked for.
    pub(super) fn chosen(&self) -> impl Iterator<Item = &Ready> {
        self.operations.iter().filter(|ready| ready.is_chosen)
    }

    /// How many places there are at which rules are tried.
    pub(super) fn places(&self) -> usize {
        self.chosen().map(|ready| ready.places.len()).sum()
    }

    /// The operation that does this with things of a resource, and names them in its path.
    pub(super) fn doing(&self, contract: &Contract, does: Does, resource: usize) -> Option<&Ready> {
        self.operations.iter().find(|ready| {
            let effect = contract.operations()[ready.position].effect.as_ref();
            let is_it = effect.is_some_and(|effect| {
                effect.does == does && effect.kinds.first().is_some_and(|kind| kind.resource == resource)
            });
            is_it
                && ready.control.is_some()
                && ready.named.iter().any(|named| named.is_key && named.resource == resource)
        })
    }

    /// The operation, among those that were asked for, that makes things of a resource and tells their ids.
    pub(super) fn making(&self, resource: usize) -> Option<&Ready> {
        self.chosen().find(|ready| ready.makes.as_ref().is_some_and(|(made, _)| *made == resource))
    }
}

impl Ready {
    fn new(
        contract: &Contract,
        position: usize,
        is_chosen: bool,
        values: &Values,
        credentials: &Credentials,
        options: &Options,
    ) -> Result<Self, CampaignError> {
        let operation = &contract.operations()[position];
        let named = named(contract, operation, options);
        let deletes = operation.effect.as_ref().is_some_and(|effect| effect.does == Does::Delete);
        let own = values.of(operation, |name| {
            // What is set, or what a sample names, is not there to be deleted.
            !(deletes && named.iter().any(|named| named.is_key && named.parameter == name))
        });
        let set = |values: &[(String, String)]| Generator::setting(operation, credentials, values);
        let generator = match set(&own) {
            Ok(generator) => generator,
            // Of what was not asked for, nothing is held against the caller.
            Err(_) => set(&options.set).map_err(CampaignError::Usage)?,
        };
        let mut places: Vec<_> = generator.places().collect();
        if !options.rules.is_empty() {
            places.retain(|place| place.rule.is_some_and(|rule: Rule| options.rules.contains(&rule)));
        }
        let is_set = |name: &str| options.set.iter().any(|(set, _)| set == name);
        let fixed = |parameter: &&Parameter| is_id(parameter);
        Ok(Self {
            position,
            is_chosen,
            places,
            control: generator.valid(&mut Choices::recorded(&[])),
            makes: contract::made(operation, contract.resources()),
            unique: unique(contract, operation),
            references: references(contract, operation),
            is_all_set: operation.parameters.iter().filter(fixed).all(|parameter| is_set(&parameter.name)),
            named,
            generator,
        })
    }
}

/// The values that requests have for ids, so that they mean something to the server, or the same everywhere.
struct Values {
    /// By name: what the caller has set, else what the contract's samples have.
    by_name: BTreeMap<String, String>,
    set: Vec<(String, String)>,
}

impl Values {
    fn new(contract: &Contract, options: &Options) -> Self {
        let mut by_scope: HashMap<&str, &str> = HashMap::new();
        let parameters = || contract.operations().iter().flat_map(|operation| &operation.parameters);
        for (name, value) in &options.set {
            for parameter in parameters().filter(|parameter| parameter.name == *name) {
                if let Some(scope) = &parameter.scope {
                    by_scope.insert(scope, value);
                }
            }
        }
        let mut by_name: BTreeMap<String, String> = options.set.iter().cloned().collect();
        for parameter in parameters().filter(|parameter| is_id(parameter)) {
            let Some(example) = parameter.example.as_deref() else { continue };
            let value =
                parameter.scope.as_ref().map_or(example, |scope| *by_scope.entry(scope).or_insert(example));
            by_name.entry(parameter.name.clone()).or_insert_with(|| value.to_owned());
        }
        for operation in contract.operations() {
            for (name, value) in required_references(contract, operation) {
                by_name.entry(name).or_insert(value);
            }
        }
        Self { by_name, set: options.set.clone() }
    }

    /// Those that an operation has a place for.
    fn of(&self, operation: &Operation, wants: impl Fn(&str) -> bool) -> Vec<(String, String)> {
        let names = Generator::new(operation).names();
        let value = |name: String| {
            if !wants(&name) {
                return None;
            }
            let own = self.set.iter().find(|(set, _)| *set == name).map(|(_, value)| value);
            let last = name.rsplit('.').next().unwrap_or_default();
            let is_parameter =
                operation.parameters.iter().any(|parameter| parameter.name == name && is_id(parameter));
            let body = operation.body.as_ref();
            let is_required = || {
                let body = body?;
                let place = format!("/{}", name.replace('.', "/"));
                let (parent, member) = place.rsplit_once('/')?;
                let parents = contract::Pointer::parse(parent)?.schemas(&body.schema);
                Some(parents.iter().any(|schema| {
                    schema
                        .property(member)
                        .is_some_and(|property| property.required && property.schema.values.is_empty())
                }))
            };
            let usual = || {
                let is_wanted = is_parameter || is_required() == Some(true);
                self.by_name.get(last).filter(|_| is_wanted)
            };
            let value = own.or_else(usual)?.clone();
            Some((name, value))
        };
        names.into_iter().filter_map(value).collect()
    }
}

/// Whether a parameter names something that has to be there: every segment of the path, and every text that must be
/// sent and is not one of a list.
fn is_id(parameter: &Parameter) -> bool {
    parameter.required
        && parameter.schema.values.is_empty()
        && parameter.schema.types.contains(&JsonType::String)
}

/// The members that a body must have and that are ids of other things, with the values of a sample.
fn required_references(contract: &Contract, operation: &Operation) -> Vec<(String, String)> {
    let Some(body) = &operation.body else {
        return Vec::new();
    };
    let found = references(contract, operation).into_iter().filter_map(|pointer| {
        let name = pointer.member()?;
        let property = body.schema.property(name).filter(|property| property.required)?;
        let shown = || body.examples.iter().find_map(|example| example.value.get(name)?.as_str());
        let value = property.schema.examples.iter().find_map(Value::as_str).or_else(shown)?;
        Some((name.to_owned(), value.to_owned()))
    });
    found.collect()
}

/// The things that an operation's path names.
fn named(contract: &Contract, operation: &Operation, options: &Options) -> Vec<Named> {
    let Some(effect) = &operation.effect else {
        return Vec::new();
    };
    let Some(kind) = effect.kinds.first() else {
        return Vec::new();
    };
    let parent = contract.resources()[kind.resource].parent.as_ref().map(|parent| parent.resource);
    let both = [(&effect.parent, parent, false), (&effect.key, Some(kind.resource), true)];
    let found = both.into_iter().filter_map(|(source, resource, is_key)| {
        let Some(Source::Path(name)) = source else {
            return None;
        };
        let is_it = |segment: &Segment| matches!(segment, Segment::Parameter(own) if own == name);
        Some(Named {
            resource: resource?,
            parameter: name.clone(),
            segment: operation.segments.iter().position(is_it)?,
            is_set: options.set.iter().any(|(set, _)| set == name),
            is_key,
        })
    });
    found.collect()
}

/// The members of a body that no two things may have alike.
fn unique(contract: &Contract, operation: &Operation) -> Vec<Vec<String>> {
    let Some(effect) =
        operation.effect.as_ref().filter(|effect| matches!(effect.does, Does::Create | Does::Update))
    else {
        return Vec::new();
    };
    let resources = effect.kinds.iter().map(|kind| &contract.resources()[kind.resource]);
    let pointers = resources.flat_map(|resource| &resource.unique);
    pointers.map(|(pointer, _)| pointer.text().split('/').skip(1).map(str::to_owned).collect()).collect()
}

/// Where a body has ids of other things.
fn references(contract: &Contract, operation: &Operation) -> Vec<contract::Pointer> {
    let (Some(effect), Some(body)) = (&operation.effect, &operation.body) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for kind in &effect.kinds {
        let items = match &effect.items {
            Some(Source::Body(pointer)) => format!("{}/*", pointer.text()),
            _ => String::new(),
        };
        for reference in &contract.resources()[kind.resource].references {
            let at = reference.at.text();
            found.extend(contract::Pointer::parse(&format!("{items}{at}")));
            for (from, to) in &kind.take {
                let is_it = to.as_ref().is_some_and(|to| super::source::general(to.text()) == at);
                match from {
                    Source::Body(pointer) if is_it => found.push(pointer.clone()),
                    Source::Item(pointer) if is_it => {
                        found.extend(contract::Pointer::parse(&format!("{items}{}", pointer.text())));
                    }
                    _ => {}
                }
            }
        }
    }
    found.retain(|pointer| !pointer.schemas(&body.schema).is_empty());
    found
}

/// What requests are signed with.
fn credentials(contract: &Contract, options: &Options) -> Credentials {
    let mut credentials = Credentials::default();
    if let Some(secret) = &options.client_secret {
        credentials.app_id.clone_from(&options.app_id);
        credentials.secret = secret.clone();
        let now = Timestamp::now().as_second();
        let minted =
            token::mint(contract.token_claim(), &options.app_id, secret, now, Some(now + TOKEN_TIME));
        credentials.token = Some(token::Secret::new(minted));
    }
    if options.token.is_some() {
        credentials.token.clone_from(&options.token);
    }
    credentials
}
