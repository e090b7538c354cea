//! Where the rule of a label comes from, out of the contract.

use serde_json::Value;

use crate::{
    Contract, Operation, Request, Rule,
    contract::{Basis, Pointer, Replies, Schema},
    payload::Label,
    pointer::escape,
};

/// Where a rule comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Source {
    /// The page and row that says so, `observed`, or why it is assumed.
    pub(super) text: String,
    pub(super) basis: Basis,
}

impl Source {
    /// What no page says, and why it is asked all the same.
    pub(super) fn assumed(why: &str) -> Self {
        Self { text: format!("assumed: {why}"), basis: Basis::Assumed }
    }

    pub(super) fn new(contract: &Contract, text: String) -> Self {
        Self { basis: contract.basis(&text), text }
    }

    /// Where it comes from that a request with this label must be refused or accepted.
    pub(super) fn of(contract: &Contract, operation: &Operation, label: &Label, request: &Request) -> Self {
        let Label::Mutant { operator, pointer, rule, .. } = label else {
            return Self::new(contract, operation.source.clone());
        };
        if operator.is_assumed() {
            return Self::assumed("no page says what becomes of such a request");
        }
        match rule {
            Some(rule) => Self::new(contract, of_rule(contract, operation, pointer, *rule, &request.body)),
            None if operator.name() == "headerCase" => {
                Self { text: "RFC 9110 › 5.1 Field Names".into(), basis: Basis::Vendor }
            }
            None => Self::assumed("no page says what becomes of such a request"),
        }
    }
}

/// The text of the source of a rule at a place.
fn of_rule(contract: &Contract, operation: &Operation, pointer: &str, rule: Rule, sent: &[u8]) -> String {
    if pointer == "/method" {
        // As the contract's own samples of that refusal have it.
        return "observed".into();
    }
    if pointer == "/path" {
        return "assumed: no page says what another path gets".into();
    }
    if contract.token_header().is_some_and(|header| pointer == format!("/header/{header}")) {
        return crate::contract::origin::on_page(contract.token_source(), &operation.source);
    }
    let body = operation.body.as_ref();
    if pointer == "/header/Content-Type" || pointer == "/body" && !matches!(rule, Rule::Type) {
        return body.map(|body| body.source.clone()).unwrap_or_default();
    }
    if let Some(place) = pointer.strip_prefix("/body") {
        let schema = body.and_then(|body| find(&body.schema, place, rule, sent));
        return schema.map_or_else(String::new, |schema| schema.source_of(rule));
    }
    let parameter = operation
        .parameters
        .iter()
        .find(|parameter| pointer == format!("/{}/{}", parameter.place.name(), escape(&parameter.name)));
    parameter.map_or_else(String::new, |parameter| parameter.schema.source_of(rule))
}

/// The schema of a place: that of the branch which applies to what was sent, else of any.
fn find<'a>(schema: &'a Schema, place: &str, rule: Rule, sent: &[u8]) -> Option<&'a Schema> {
    let all = || Some(Pointer::parse(place)?.schemas(schema));
    if let Some([only]) = all().as_deref() {
        return Some(only);
    }
    let mut found = Vec::new();
    let steps: Vec<_> = place.split('/').skip(1).collect();
    in_force(schema, json(sent).as_ref(), &steps, &mut found);
    if found.is_empty() {
        found = all()?;
    }
    let says = |schema: &&&Schema| match rule {
        Rule::Enum => !schema.values.is_empty(),
        Rule::MaxLength => schema.max_length.is_some(),
        Rule::MinLength => schema.min_length.is_some(),
        Rule::Format => schema.pattern.is_some(),
        Rule::Type => !schema.types.is_empty(),
        _ => true,
    };
    found.iter().find(says).or(found.first()).copied()
}

/// The schemas of a place below a value in those branches that apply to it.
fn in_force<'a>(schema: &'a Schema, value: Option<&Value>, steps: &[&str], found: &mut Vec<&'a Schema>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(schema);
        return;
    };
    match value {
        Some(value @ Value::Object(members)) => {
            for property in schema.properties_for(value).filter(|property| property.name == *step) {
                in_force(&property.schema, members.get(*step), rest, found);
            }
        }
        Some(Value::Array(list)) => {
            if let Some(items) = schema.items.as_deref() {
                let item = step.parse().ok().and_then(|position: usize| list.get(position));
                in_force(items, item, rest, found);
            }
        }
        _ => {}
    }
}

/// A pointer in which positions in lists are `*`, so that it is the same for every item.
pub(super) fn general(pointer: &str) -> String {
    let step = |step: &str| {
        if !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) {
            "*".to_owned()
        } else {
            step.to_owned()
        }
    };
    pointer.split('/').map(step).collect::<Vec<_>>().join("/")
}

/// A place in a reply, by its pointer: names that the contract does not have are `*` too, as a server may choose them anew
/// each time.
pub(super) fn in_reply(replies: Option<&Replies>, pointer: &str) -> String {
    let Some(place) = pointer.strip_prefix("/body") else {
        return format!("/reply{pointer}");
    };
    let schemas = || replies.into_iter().flat_map(|replies| [&replies.schema, &replies.problem_schema]);
    let (mut own, mut general) = (String::new(), String::from("/reply/body"));
    for step in place.split('/').skip(1) {
        own.extend(["/", step]);
        let pointer = Pointer::parse(&own).unwrap_or_default();
        let is_known = schemas().flatten().any(|schema| !pointer.schemas(schema).is_empty());
        let is_position = step.bytes().all(|byte| byte.is_ascii_digit());
        general.extend(["/", if is_known && !is_position { step } else { "*" }]);
    }
    general
}

/// Whether a body is JSON, however deep.
pub(super) fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// The value of a body, when it is JSON.
pub(super) fn json(body: &[u8]) -> Option<Value> {
    crate::json::parse(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Settings, Stub, payload::Generator};

    #[test]
    fn sources_are_those_that_refusals_name() {
        let contract = Contract::builtin();
        let stub = Stub::new(contract.clone(), Settings::default());
        for operation in contract.operations() {
            let generator = Generator::new(operation);
            for place in generator.places().filter(|place| !place.operator.is_assumed()) {
                let mut choices = crate::payload::Choices::recorded(&[]);
                let Some(case) = generator.mutant_of(&place, &mut choices) else { continue };
                let Some((pointer, _)) = case.label.violation() else { continue };
                let exchange = stub.respond(case.request.clone());
                let source = Source::of(&contract, operation, &case.label, &case.request);
                let own = contract.basis(&exchange.violations[0].source);
                assert_eq!(
                    source.basis, own,
                    "{case} {pointer}: {} {}",
                    source.text, exchange.violations[0].source
                );
            }
        }
    }

    #[test]
    fn a_place_in_a_reply_has_the_names_of_the_contract_alone() {
        let contract = Contract::builtin();
        let replies = &contract.operation("listQueues").unwrap().replies[0];
        for (pointer, expected) in [
            ("/header/content-type", "/reply/header/content-type"),
            ("/body", "/reply/body"),
            ("/body/results/12/name", "/reply/body/results/*/name"),
            ("/body/results/0/x9f3/name", "/reply/body/results/*/*/*"),
            ("/body/eyJh/b~1c", "/reply/body/*/*"),
        ] {
            assert_eq!(in_reply(Some(replies), pointer), expected);
        }
        assert_eq!(in_reply(None, "/body/a"), "/reply/body/*");
    }

    #[test]
    fn positions_in_lists_are_stars() {
        assert_eq!(general("/body/queues/12/id"), "/body/queues/*/id");
        assert_eq!(general(""), "");
    }
}
