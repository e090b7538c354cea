//! What a refusal adds for people who are nearly right: the operation that was meant, the contradiction of the
//! documentation that led there. Nothing here decides anything.

use serde_json::Value;

use super::{findings::Findings, spellings, validate};
use crate::{
    Contract, LedgerEntry, Operation, Reading, Rule, Violation,
    contract::{Body, Says},
    json,
};

/// Says so when the body is one that another operation takes and an entry of the ledger is about both samples.
pub(super) fn other_operation(
    contract: &Contract,
    operation: &Operation,
    value: Option<&Value>,
    findings: &mut Findings,
    readings: &mut Vec<Reading>,
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
        spellings::rename(&body.schema, &mut value, &mut Vec::new());
        validate::body(&body.schema, &value, &mut other_findings);
        if other_findings.violations.is_empty() {
            let note = format!("the body is one for {}, `{} {}`", other.id, other.method, other.path);
            violation.found = format!("{}; {note} (ledger: {})", violation.found, shared.join(", "));
            readings.extend(shared.into_iter().map(|id| Reading {
                ledger: id.to_owned(),
                pointer: "/body".into(),
                note: note.clone(),
            }));
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

#[cfg(test)]
mod tests {
    use super::*;

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
