//! Names that are nearly right: what a refusal says where something is missing that was sent under another name.

use serde_json::Value;

use super::findings::Findings;
use crate::{
    Operation, Request, Rule,
    contract::{Parameter, Place, Schema},
    near::nearest,
    pointer::escape,
    violation::quote,
};

/// What was found where the member `name` of `object` is missing: nothing, or a name that is nearly it.
pub(super) fn missing_member(schema: Option<&Schema>, object: Option<&Value>, name: &str) -> String {
    let Some((schema, members)) = schema.zip(object.and_then(Value::as_object)) else {
        return nothing(None);
    };
    let branches = schema.branches.iter().flat_map(|branch| &branch.then.properties);
    let known = |sent: &str| {
        let mut all = schema.properties.iter().chain(branches.clone());
        all.any(|property| property.name == sent || property.accepts.iter().any(|other| other == sent))
    };
    let property = schema.property(name);
    let accepts = property.map_or(&[][..], |property| &property.accepts);
    nothing(nearest(name, accepts, members.keys().map(String::as_str).filter(|sent| !known(sent))))
}

/// Adds to the violations about parameters and the token that are missing the names that are nearly theirs.
pub(super) fn parameters(
    operation: &Operation,
    token_header: Option<&str>,
    request: &Request,
    findings: &mut Findings,
) {
    for violation in findings.violations.iter_mut().filter(|violation| violation.rule == Rule::Required) {
        let Some((place, name)) = violation.pointer[1..].split_once('/') else {
            continue;
        };
        let is = |parameter: &&Parameter| parameter.place.name() == place && escape(&parameter.name) == name;
        let parameter = operation.parameters.iter().find(is);
        let name = parameter.map_or(name, |parameter| parameter.name.as_str());
        let accepts = parameter.map_or(&[][..], |parameter| &parameter.accepts);
        let known = |at: Place, sent: &str| {
            operation.parameters_in(at).any(|parameter| {
                parameter.name.eq_ignore_ascii_case(sent)
                    || parameter.accepts.iter().any(|other| other.eq_ignore_ascii_case(sent))
            })
        };
        let near = match place {
            "query" => {
                let names = request.query().unwrap_or_default().split('&');
                let names = names.map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
                let exact = |sent: &str| {
                    operation.parameters_in(Place::Query).any(|parameter| {
                        parameter.name == sent || parameter.accepts.iter().any(|other| other == sent)
                    })
                };
                nearest(name, accepts, names.filter(|sent| !exact(sent)))
            }
            "header" => {
                let names = request.headers.iter().map(|(name, _)| name);
                let names = names.filter(|sent| {
                    !known(Place::Header, sent)
                        && token_header.is_none_or(|token| !token.eq_ignore_ascii_case(sent))
                });
                nearest(name, accepts, names)
            }
            _ => continue,
        };
        if near.is_some() {
            violation.found = nothing(near);
        }
    }
}

fn nothing(near: Option<&str>) -> String {
    near.map_or_else(|| "nothing".to_owned(), |near| format!("nothing; is {} meant for it?", quote(near)))
}
