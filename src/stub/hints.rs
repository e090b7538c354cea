//! What a refusal adds for people who are nearly right: the name that was meant, the operation that was meant, the
//! contradiction of the documentation that led there. Nothing here decides anything.

use serde_json::Value;

use super::{readings, validate, validate::Findings};
use crate::{
    Contract, LedgerEntry, Operation, Request, Rule, Violation,
    contract::{Body, Parameter, Place, Says, Schema, escape},
    json,
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

/// Says so when the body is one that another operation takes and an entry of the ledger is about both samples.
pub(super) fn other_operation(
    contract: &Contract,
    operation: &Operation,
    value: Option<&Value>,
    findings: &mut Findings,
) {
    let (Some(own), Some(members)) = (&operation.body, value.and_then(Value::as_object)) else {
        return;
    };
    let top_level = |violation: &&mut Violation| {
        let name = violation.pointer.strip_prefix("/body/");
        violation.rule == Rule::Required && name.is_some_and(|name| !name.contains('/'))
    };
    let Some(violation) = findings.violations.iter_mut().find(top_level) else {
        return;
    };
    for other in contract.operations() {
        let Some(body) = other.body.as_ref().filter(|_| other.id != operation.id) else {
            continue;
        };
        let shared: Vec<_> =
            sample_ledger(own).filter(|id| sample_ledger(body).any(|other| other == *id)).collect();
        let mut required = body.schema.properties.iter().filter(|property| property.required);
        // Looked at first, because it costs nothing.
        if shared.is_empty() || !required.all(|property| members.contains_key(&property.name)) {
            continue;
        }
        let mut other_findings = Findings::default();
        let mut value = Value::Object(members.clone());
        readings::rename(&body.schema, &mut value, &mut Vec::new());
        validate::body(&body.schema, &value, &mut other_findings);
        if other_findings.violations.is_empty() {
            violation.found = format!(
                "{}; the body is one for {}, `{} {}` (ledger: {})",
                violation.found,
                other.id,
                other.method,
                other.path,
                shared.join(", ")
            );
            return;
        }
    }
}

/// The entry of the ledger about a sample that is not JSON for the same reason as this text.
pub(super) fn broken_sample<'a>(body: &'a Body, sent: &[u8]) -> Option<&'a str> {
    if body.broken.is_empty() {
        return None;
    }
    // A single character says too little.
    let word = json::faulty_word(str::from_utf8(sent).ok()?).filter(|word| word.len() > 1);
    let same = |sample: &str| word.is_some() && json::faulty_word(sample) == word;
    body.broken.iter().find(|(_, sample)| same(sample)).map(|(id, _)| id.as_str())
}

/// The entry of the ledger, and its source, that names this path without a page for it.
pub(super) fn named_path<'a>(ledger: &'a [LedgerEntry], path: &str) -> Option<(&'a LedgerEntry, &'a Says)> {
    let entry = ledger.iter().find(|entry| entry.paths.iter().any(|end| path.ends_with(end)))?;
    let end = entry.paths.iter().find(|end| path.ends_with(*end))?;
    let says = entry.says.iter().find(|says| says.text.contains(end)).or(entry.says.first())?;
    Some((entry, says))
}

/// The ids of the ledger entries about the samples of a request body.
fn sample_ledger(body: &Body) -> impl Iterator<Item = &str> {
    body.examples.iter().flat_map(|example| &example.ledger).map(String::as_str)
}

fn nothing(near: Option<&str>) -> String {
    near.map_or_else(
        || "nothing".to_owned(),
        |near| format!("nothing; is {} meant for it?", super::quote(near)),
    )
}

/// The most names that are compared, so that a request of nothing but names costs no more.
const MOST_NAMES: usize = 1000;

/// The name among `sent` that is nearly `name` or one of its other spellings: but for its case before all else.
fn nearest<'a>(name: &str, accepts: &[String], sent: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let spellings = || std::iter::once(name).chain(accepts.iter().map(String::as_str));
    let mut best: Option<(usize, &str)> = None;
    for other in sent.take(MOST_NAMES).filter(|other| other.len() <= 64) {
        let distance = spellings().filter_map(|spelling| distance(spelling, other)).min();
        if let Some(distance) = distance
            && best.is_none_or(|(least, _)| distance < least)
        {
            best = Some((distance, other));
        }
    }
    best.map(|(_, name)| name)
}

/// How far a name is from another that it may be meant for; none when it is too far.
fn distance(meant: &str, sent: &str) -> Option<usize> {
    if meant.eq_ignore_ascii_case(sent) {
        return Some(0);
    }
    let plain = |name: &str| {
        let letters = name.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect::<String>()
    };
    let (meant, sent) = (plain(meant), plain(sent));
    let edits = strsim::damerau_levenshtein(&meant, &sent);
    let (short, long) = if meant.len() < sent.len() { (&meant, &sent) } else { (&sent, &meant) };
    // `email` for `emailId`, `authorization` for `auth`.
    let is_part = short.len() >= 4 && (long.starts_with(short.as_str()) || long.ends_with(short.as_str()));
    let few = edits <= short.len() / 4;
    (is_part || few).then_some(edits + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_near_when_case_a_letter_or_a_part_of_it_differs() {
        let near = |name, sent: &[&'static str]| nearest(name, &[], sent.iter().copied());
        assert_eq!(near("emailId", &["emailld", "emailid", "emailIdd"]), Some("emailid"));
        assert_eq!(near("firstName", &["frist_name", "lastName"]), Some("frist_name"));
        assert_eq!(near("auth", &["authorization", "accept"]), Some("authorization"));
        assert_eq!(near("groupId", &["agentGroupId"]), Some("agentGroupId"));
        assert_eq!(near("accountId", &["account-id"]), Some("account-id"));
        for (name, sent) in
            [("roleId", "rule"), ("_id", "iId"), ("id", "x"), ("data", "date-of-birth"), ("a", "")]
        {
            assert_eq!(near(name, &[sent]), None, "{name} {sent}");
        }
        assert_eq!(
            nearest("groupId", &["agentgroupId".into()], ["AGENTGROUPID"].into_iter()),
            Some("AGENTGROUPID")
        );
    }

    #[test]
    fn a_path_is_named_by_its_last_segments() {
        let contract = Contract::builtin();
        let named =
            |path| named_path(contract.ledger(), path).map(|(entry, says)| (&*entry.id, &*says.source));
        assert_eq!(
            named("/agentassist/api/v1/public/st-1/roles"),
            Some(("U16", "Update a specific agent › Body Parameters › roleId"))
        );
        assert_eq!(named("/roles/1"), None);
        assert_eq!(named("/myroles"), None);
    }
}
