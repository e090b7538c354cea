//! What a run of `standin verify` is about to do: which interactions, and what they do to the service.

use std::fmt::Write;

use serde_json::Value;

use super::super::{Error, error::one_line, style, wrap};
use crate::{
    BaseUrl, Contract, Operation, near,
    pact::{Filling, Source},
};

/// The interactions to verify, by pact.
pub(super) struct Plan<'a> {
    pub(super) pacts: Vec<(&'a Source, Vec<Planned<'a>>)>,
}

/// An interaction to verify.
pub(super) struct Planned<'a> {
    /// Its position in the pact.
    pub(super) number: usize,
    /// As it stands in the pact.
    pub(super) json: &'a Value,
    /// Whether it is reported without being counted.
    pub(super) is_pending: bool,
    operation: Option<&'a Operation>,
}

/// What a plan takes of the pacts.
pub(super) struct Choice<'a> {
    /// Names of interactions, all of them when there are none.
    pub(super) only: &'a [String],
    /// Names of interactions to leave out.
    pub(super) skip: &'a [String],
    /// Whether interactions that are pending in their pact count like others.
    pub(super) counts_pending: bool,
}

impl<'a> Plan<'a> {
    /// The chosen interactions; a name that no interaction has is a mistake.
    pub(super) fn new(contract: &'a Contract, sources: &'a [Source], choice: &Choice) -> Result<Self, Error> {
        let all = sources.iter().map(|source| {
            let interactions = source.interactions().iter().enumerate();
            let planned = interactions.map(|(number, json)| Planned {
                number,
                json,
                is_pending: json["pending"] == true && !choice.counts_pending,
                operation: operation_of(contract, json),
            });
            (source, planned.collect())
        });
        let mut plan = Self { pacts: all.collect() };
        for name in choice.only.iter().chain(choice.skip) {
            if !plan.interactions().any(|planned| planned.is_called(name)) {
                let known = plan.interactions().flat_map(Planned::names);
                let hint = near::hint(name, known);
                return Err(Error::usage(format!(
                    "no interaction and no operation of one is called `{}`{}; `standin verify --list` shows their names",
                    one_line(name),
                    one_line(&hint)
                )));
            }
        }
        for (_, interactions) in &mut plan.pacts {
            interactions.retain(|planned| {
                let is_named = |names: &[String]| names.iter().any(|name| planned.is_called(name));
                (choice.only.is_empty() || is_named(choice.only)) && !is_named(choice.skip)
            });
        }
        if plan.interactions().next().is_none() {
            return Err(Error::usage("--skip leaves no interaction to verify"));
        }
        Ok(plan)
    }

    fn interactions(&self) -> impl Iterator<Item = &Planned<'a>> {
        self.pacts.iter().flat_map(|(_, interactions)| interactions)
    }

    /// The names, a line each.
    pub(super) fn list(&self) -> String {
        self.lines(|_, planned| {
            let mark = if planned.is_pending { " (pending)" } else { "" };
            let operation = planned.operation.map_or("", |operation| &operation.id);
            (format!("{operation:<13} "), format!("{}{mark}", planned.description()))
        })
    }

    /// The requests, a line each.
    pub(super) fn dry_run(&self, provider: &BaseUrl, filling: &Filling) -> String {
        self.lines(|source, planned| {
            let filled = source.single(planned.number, filling);
            let interaction = &filled["interactions"][0];
            let status = &interaction["response"]["status"];
            let (method, url, target) = (method(interaction), provider.to_string(), target(interaction));
            let text = format!("{method} {url}{target} expects {status}: {}", planned.description());
            (String::new(), text)
        })
    }

    /// Lines for the interactions, below those of their pacts: each a text beside how it starts.
    fn lines(&self, line: impl Fn(&Source, &Planned) -> (String, String)) -> String {
        let width = wrap::width();
        let mut text = String::new();
        for (source, interactions) in self.pacts.iter().filter(|(_, interactions)| !interactions.is_empty()) {
            let _ = writeln!(text, "{}", pact_line(source));
            for planned in interactions {
                let (start, rest) = line(source, planned);
                text += &wrap::beside(&one_line(&format!("  {start}")), &one_line(&rest), width);
            }
        }
        text
    }

    /// What will be different at the service afterwards; nothing when it is only asked.
    pub(super) fn warning(&self, provider: &BaseUrl) -> Option<String> {
        let changing: Vec<_> = self.interactions().filter(|planned| planned.changes()).collect();
        let mut names: Vec<String> = Vec::new();
        for planned in &changing {
            let name = planned.operation.map_or_else(
                || format!("{} {}", method(planned.json), target(planned.json)),
                |operation| operation.id.to_string(),
            );
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let (count, all) = (changing.len(), self.interactions().count());
        (count > 0).then(|| {
            one_line(&format!(
                "{count} of {all} interactions create, change, delete or import something at {}: they call {}",
                provider,
                names.join(", ")
            ))
        })
    }
}

impl Planned<'_> {
    pub(super) fn description(&self) -> &str {
        self.json["description"].as_str().unwrap_or("without a description")
    }

    fn is_called(&self, name: &str) -> bool {
        self.names().any(|own| fits(name, own))
    }

    /// What it is called: its description, and its operation's id.
    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.description()).chain(self.operation.map(|operation| &*operation.id))
    }

    /// Whether it asks for more than information, and expects to get it.
    fn changes(&self) -> bool {
        let only_asks = ["GET", "HEAD", "OPTIONS"].contains(&method(self.json).as_str());
        !only_asks && self.json["response"]["status"].as_u64().is_none_or(|status| status < 300)
    }
}

/// The line above the interactions of a pact.
pub(super) fn pact_line(source: &Source) -> String {
    let line = format!("{} calls {}: {}", source.consumer(), source.provider(), source.name());
    let fitting = wrap::beside("", &one_line(&line), wrap::width());
    style::paint(style::HEADING, fitting.trim_end())
}

/// The operation of an interaction, or one that has the path when only the method is wrong.
fn operation_of<'a>(contract: &'a Contract, interaction: &Value) -> Option<&'a Operation> {
    let path = interaction["request"]["path"].as_str()?;
    let method = method(interaction);
    let fitting = || contract.operations().iter().filter(|operation| operation.path_values(path).is_some());
    fitting().find(|operation| operation.method == method).or_else(|| fitting().next())
}

fn method(interaction: &Value) -> String {
    interaction["request"]["method"].as_str().unwrap_or("GET").to_ascii_uppercase()
}

/// Path and query with the values that the interaction's states have for them.
fn target(interaction: &Value) -> String {
    let request = &interaction["request"];
    let generators = &request["generators"];
    let filled = |generator: &Value, example: &Value| {
        let expression = generator["expression"].as_str();
        let text = expression.map(|expression| evaluate(expression, interaction));
        text.unwrap_or_else(|| example.as_str().unwrap_or_default().to_owned())
    };
    let mut target = filled(&generators["path"], &request["path"]);
    let mut separator = '?';
    match &request["query"] {
        Value::String(query) => {
            let _ = write!(target, "?{query}");
        }
        query => {
            for (name, values) in query.as_object().into_iter().flatten() {
                for value in values.as_array().into_iter().flatten() {
                    let value = filled(&generators["query"][name], value);
                    let _ = write!(target, "{separator}{name}={value}");
                    separator = '&';
                }
            }
        }
    }
    target
}

/// An expression such as `/agents/${agentId}`; a name that no state has stays as it is.
fn evaluate(expression: &str, interaction: &Value) -> String {
    let states = interaction["providerStates"].as_array().map_or(&[][..], Vec::as_slice);
    let mut parts = expression.split("${");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        match states.iter().rev().find_map(|state| state["params"].get(name)) {
            Some(Value::String(value)) => text.push_str(value),
            Some(value) => text.push_str(&value.to_string()),
            None => {
                let _ = write!(text, "${{{name}}}");
            }
        }
        text.push_str(rest);
    }
    text
}

/// Whether a text is what a name says, in which `*` stands for anything.
fn fits(name: &str, text: &str) -> bool {
    let Some((first, rest)) = name.split_once('*') else { return name == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<_> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = text.split_once(part) else { return false };
        text = after;
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (name, text) in [
            ("create an agent", "create an agent"),
            ("create*", "create an agent"),
            ("*agent", "create an agent"),
            ("*an*", "create an agent"),
            ("c*an*t", "create an agent"),
            ("*", ""),
            ("**", "a"),
        ] {
            assert!(fits(name, text), "{name} {text}");
        }
        for (name, text) in [
            ("create", "create an agent"),
            ("a*a", "a"),
            ("*x*", "abc"),
            ("b*", "abc"),
            ("", "a"),
            ("*ab*b", "ab"),
        ] {
            assert!(!fits(name, text), "{name} {text}");
        }
    }

    #[test]
    fn a_target_is_filled_in_from_the_states() {
        let interaction = json!({
            "providerStates": [{"name": "one", "params": {"a": "1", "b": 2}}],
            "request": {
                "path": "/x/y",
                "query": {"c": ["3"], "d": ["4", "5"]},
                "generators": {
                    "path": {"type": "ProviderState", "expression": "/${a}/${b}/${z}"},
                    "query": {"c": {"type": "ProviderState", "expression": "${a}"}},
                },
            },
        });
        assert_eq!(target(&interaction), "/1/2/${z}?c=1&d=4&d=5");
        assert_eq!(target(&json!({"request": {"path": "/x", "query": "a=b"}})), "/x?a=b");
    }
}
