//! What the documentation leaves open: what is taken for it, and what may be taken instead.

use std::collections::BTreeMap;

use super::{ContractError, LedgerEntry, reader::Node};
use crate::near;

/// One of the ways to take something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    Accept,
    Clear,
    Create,
    Delete,
    Empty,
    Hidden,
    Keep,
    Refuse,
    Sample,
    Shown,
}

/// How something is taken, and under which name another way can be chosen.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    is: Way,
    name: Option<String>,
    ways: &'static [Way],
    /// The page that says it, or why it is assumed.
    pub(crate) source: String,
}

/// Something that the documentation leaves open, under the id of its entry in the ledger.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Assumption {
    /// The id of the ledger entry about it, such as `C6`.
    pub name: String,
    /// What is taken unless something else is chosen.
    pub usual: &'static str,
    /// Everything that can be chosen.
    pub choices: Vec<&'static str>,
    /// Why the usual choice is assumed.
    pub assumed: String,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Clear => "clear",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Empty => "empty",
            Self::Hidden => "hidden",
            Self::Keep => "keep",
            Self::Refuse => "refuse",
            Self::Sample => "sample",
            Self::Shown => "shown",
        }
    }
}

impl Choice {
    /// A choice that nobody has.
    pub(super) fn fixed(is: Way) -> Self {
        Self { is, name: None, ways: &[], source: String::new() }
    }

    /// What it is, where these choices were made.
    pub(crate) fn taken(&self, assume: &BTreeMap<String, String>) -> Way {
        let chosen = self.name.as_ref().and_then(|name| assume.get(name));
        let way = chosen.and_then(|chosen| self.ways.iter().find(|way| way.name() == chosen));
        way.copied().unwrap_or(self.is)
    }

    /// Whether it is, or may be taken as, this.
    pub(super) fn may_be(&self, way: Way) -> bool {
        self.is == way || self.name.is_some() && self.ways.contains(&way)
    }
}

/// Reads choices, and gathers what they leave open.
pub(super) struct ChoiceReader<'a> {
    pub(super) ledger: &'a [LedgerEntry],
    pub(super) assumptions: Vec<Assumption>,
}

impl ChoiceReader<'_> {
    /// One of `ways`: as text, or as `{"is": WAY, "choice": ID}`.
    pub(super) fn read(&mut self, node: &Node, ways: &'static [Way]) -> Result<Choice, ContractError> {
        let is_open = node.value.is_object();
        let way = if is_open { node.need("is")? } else { *node };
        let text = way.text()?;
        let is = ways.iter().copied().find(|other| other.name() == text).ok_or_else(|| {
            let names: Vec<_> = ways.iter().map(|way| way.name()).collect();
            way.error(&format!("one of {}", names.join(", ")))
        })?;
        if !is_open {
            return Ok(Choice { is, name: None, ways, source: String::new() });
        }
        node.only("a choice", &["is", "choice"])?;
        let source = node.origin()?;
        let Some(choice) = node.get("choice") else {
            return Ok(Choice { is, name: None, ways, source });
        };
        let name = choice.text()?.to_owned();
        if !self.ledger.iter().any(|entry| entry.id == name) {
            return Err(choice.error("the id of an entry of the ledger"));
        }
        let assumed = node.need("x-assumed")?.text()?.to_owned();
        match self.assumptions.iter_mut().find(|other| other.name == name) {
            Some(known) if known.usual != is.name() => {
                return Err(way.error(&format!("`{}`, as at the other places of {name}", known.usual)));
            }
            Some(known) => {
                for way in ways {
                    if !known.choices.contains(&way.name()) {
                        known.choices.push(way.name());
                    }
                }
            }
            None => {
                let choices = ways.iter().map(|way| way.name()).collect();
                self.assumptions.push(Assumption { name: name.clone(), usual: is.name(), choices, assumed });
            }
        }
        Ok(Choice { is, name: Some(name), ways, source })
    }
}

/// Reads `NAME=CHOICE`.
pub(super) fn assume(assumptions: &[Assumption], text: &str) -> Result<(String, String), ContractError> {
    let (name, chosen) = text.split_once('=').ok_or_else(|| {
        ContractError::new(format!("expected NAME=CHOICE, such as C6=accept, but found `{text}`"))
    })?;
    let names = || assumptions.iter().map(|assumption| assumption.name.as_str());
    let Some(known) = assumptions.iter().find(|assumption| assumption.name == name) else {
        if assumptions.is_empty() {
            let complaint =
                format!("expected nothing, as this contract leaves nothing open, but found `{name}`");
            return Err(ContractError::new(complaint));
        }
        let all: Vec<_> = names().collect();
        let hint = near::hint(name, names());
        return Err(ContractError::new(format!(
            "expected the name of a choice, one of {}, but found `{name}`{hint}",
            all.join(", ")
        )));
    };
    if !known.choices.contains(&chosen) {
        let hint = near::hint(chosen, known.choices.iter().copied());
        return Err(ContractError::new(format!(
            "expected {name} to be one of {}, but found `{chosen}`{hint}",
            known.choices.join(", ")
        )));
    }
    Ok((name.to_owned(), chosen.to_owned()))
}
