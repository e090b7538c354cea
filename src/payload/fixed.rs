//! Values that the caller sets, such as the ids of a real account, in the place of made-up ones.

use std::ops::Range;

use super::{
    field::{Field, FieldId, Fixed},
    json::Tree,
    plan::Plan,
    proof,
    valid::{can_be_sent, quote},
};
use crate::{Rule, contract::JsonType};

impl Plan {
    /// The names under which values can be set: those of parameters, and of members with a dot between the levels.
    pub(super) fn names(&self) -> Vec<String> {
        let parameters = self.parameters.iter().map(|slot| slot.name.clone());
        let members = self.members_of_body().filter(|id| is_plain(&self.fields[*id]));
        let mut names: Vec<_> = parameters.chain(members.map(|id| self.name(id))).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Sets a value wherever there is something of that name. What the contract does not allow there is refused.
    pub(super) fn fix(&mut self, name: &str, value: &str) -> Result<(), String> {
        let mut fixed: Vec<(FieldId, Fixed)> = Vec::new();
        for slot in self.parameters.iter().filter(|slot| slot.name == name) {
            if !can_be_sent(slot.place, value) {
                return Err(format!("expected a value that a {} can have", slot.place.name()));
            }
            if let Some(rule) = proof::parameter_rule(&self.fields[slot.field], value) {
                return Err(breaks(rule, slot.place.name()));
            }
            fixed.push((slot.field, Fixed { text: value.to_owned(), json: Vec::new() }));
        }
        for id in self.members_of_body().filter(|id| is_plain(&self.fields[*id]) && self.name(*id) == name) {
            let field = &self.fields[id];
            let json = json(field, value);
            let rule = match Tree::read(&json) {
                Ok(tree) if field.allows(tree.root().kind()) => proof::scalar_rule(field, tree.root()),
                _ => Some(Rule::Type),
            };
            if let Some(rule) = rule {
                return Err(breaks(rule, "body"));
            }
            fixed.push((id, Fixed { text: value.to_owned(), json }));
        }
        for (id, value) in fixed {
            self.fields[id].fixed = Some(value);
        }
        Ok(())
    }

    fn members_of_body(&self) -> Range<FieldId> {
        self.body.map_or(0..0, |root| root + 1..self.fields.len())
    }

    /// The names that lead to a member, with a dot between the levels; lists have none.
    fn name(&self, id: FieldId) -> String {
        let path = self.path(id).into_iter().map(|id| self.fields[id].name.as_str());
        path.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(".")
    }
}

/// Whether it holds a text, a number or a boolean.
fn is_plain(field: &Field) -> bool {
    field.properties.is_empty() && field.items.is_none() && field.branches.is_empty() && !field.is_container()
}

/// The value as JSON: a string where there can be one.
fn json(field: &Field, value: &str) -> Vec<u8> {
    if !field.allows(JsonType::String) {
        return value.into();
    }
    let mut quoted = Vec::new();
    quote(value, false, &mut quoted);
    quoted
}

fn breaks(rule: Rule, place: &str) -> String {
    format!("expected a value that the contract allows in the {place}, but found one that breaks `{rule}`")
}

#[cfg(test)]
mod tests {
    use crate::{
        Contract,
        payload::{Credentials, Generator, Label},
    };

    fn generator(operation: &str, values: &[(&str, &str)]) -> Result<Generator, String> {
        let contract = Contract::builtin();
        let values: Vec<_> = values.iter().map(|(name, value)| (*name, *value)).collect();
        Generator::setting(contract.operation(operation).unwrap(), &Credentials::default(), &values)
    }

    #[test]
    fn values_stand_where_the_contract_has_their_names_and_everything_else_varies() {
        let values = [("streamId", "st-7"), ("accountId", "a 7"), ("emailId", "é@example.com")];
        let generator = generator("createAgent", &values).unwrap();
        let mut bodies = std::collections::BTreeSet::new();
        for index in 0..50 {
            let case = generator.valid_at(1, index).unwrap();
            assert_eq!(case.request.path(), "/agentassist/api/v1/public/st-7/agents");
            assert_eq!(case.request.headers.all("accountid").collect::<Vec<_>>(), [b"a 7"]);
            let body: serde_json::Value = serde_json::from_slice(&case.request.body).unwrap();
            let members = body.as_object().unwrap();
            assert!(members.values().any(|value| value == "é@example.com"), "{body}");
            bodies.insert(case.request.body.to_vec());
        }
        assert!(bodies.len() > 40);
    }

    #[test]
    fn a_mutant_has_the_values_but_where_it_is_changed() {
        let generator = generator("updateAgent", &[("streamId", "st-7"), ("groupId", "ag-7")]).unwrap();
        let mut proved = 0;
        for index in 0..300 {
            let Some(case) = generator.mutant_at(1, index) else {
                continue;
            };
            proved += 1;
            let Label::Mutant { pointer, .. } = &case.label else {
                panic!("{case}");
            };
            if !pointer.starts_with("/path") {
                assert!(case.request.path().contains("/st-7/"), "{case}");
            }
            if !pointer.starts_with("/query") {
                assert!(case.request.query().unwrap().contains("=ag-7"), "{case}");
            }
        }
        assert!(proved > 290, "{proved}");
    }

    #[test]
    fn what_the_contract_does_not_allow_is_refused() {
        let refused = |operation, name, value| generator(operation, &[(name, value)]).unwrap_err();
        assert_eq!(
            refused("importDataV2", "type", "nothing"),
            "type=nothing: expected a value that the contract allows in the query, but found one that breaks `enum`"
        );
        assert_eq!(
            refused("createAgent", "streamId", ""),
            "streamId=: expected a value that a path can have"
        );
        // A name of another operation is no mistake.
        assert!(generator("createQueue", &[("groupId", "ag-7")]).is_ok());
    }

    #[test]
    fn a_token_of_ones_own_is_sent_by_all_but_those_that_change_it() {
        let contract = Contract::builtin();
        let credentials =
            Credentials { token: Some("my.own.token".parse().unwrap()), ..Credentials::default() };
        let generator = Generator::with(contract.operation("createQueue").unwrap(), &credentials);
        for index in 0..100 {
            let case = generator.mutant_at(1, index).unwrap();
            let sends = case.request.headers.all("auth").any(|value| value == b"my.own.token");
            match &case.label {
                Label::Mutant { pointer, .. } if pointer == "/header/auth" => {}
                _ => assert!(sends, "{case}"),
            }
        }
    }
}
