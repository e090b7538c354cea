//! The documentation's sample requests, as requests.

use crate::{
    Contract, Operation, Request,
    contract::{Example, Place, Segment},
    percent,
};

/// The request that the documentation shows for an operation: the values of the contract's parameters, its sample
/// token, and `example` as the body.
///
/// ```
/// use standin::{Contract, Settings, Stub, pact};
///
/// let contract = Contract::builtin();
/// let operation = contract.operation("createAgent").unwrap();
/// let example = &operation.body.as_ref().unwrap().examples[0];
///
/// let request = pact::sample(&contract, operation, Some(example));
///
/// let stub = Stub::new(contract.clone(), Settings::default());
/// assert_eq!(stub.respond(request).reply.status, 200);
/// ```
pub fn sample(contract: &Contract, operation: &Operation, example: Option<&Example>) -> Request {
    let mut target = String::new();
    for segment in &operation.segments {
        target.push('/');
        match segment {
            Segment::Literal(text) => target.push_str(text),
            Segment::Parameter(name) => {
                target.push_str(&percent::encode(value(operation, Place::Path, name)));
            }
        }
    }
    let mut separator = '?';
    for parameter in operation.parameters_in(Place::Query) {
        if let Some(example) = &parameter.example {
            target.push(separator);
            target.push_str(&parameter.name);
            target.push('=');
            target.push_str(&percent::encode(example));
            separator = '&';
        }
    }
    let mut request = Request::new(operation.method.as_str(), target);
    if let (Some(header), Some(token)) = (contract.token_header(), contract.sample_token()) {
        request = request.header(header, token);
    }
    for parameter in operation.parameters_in(Place::Header) {
        if let Some(example) = &parameter.example {
            request = request.header(&parameter.name, example);
        }
    }
    match example {
        Some(example) => request.header("content-type", "application/json").body(example.text.clone()),
        None => request,
    }
}

pub(super) fn value<'a>(operation: &'a Operation, place: Place, name: &str) -> &'a str {
    let named = operation.parameters_in(place).find(|parameter| parameter.name == name);
    named.and_then(|parameter| parameter.example.as_deref()).unwrap_or("1")
}
