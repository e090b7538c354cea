//! Names that shells can complete: those of the built-in contract. Others are taken as they are, since `--contract` may
//! have them.

use std::ffi::OsStr;

use clap::{
    Arg, Command,
    builder::{PossibleValue, StringValueParser, TypedValueParser},
};

use crate::{Contract, Preset, Rule};

/// A parser of any text that knows the usual ones.
#[derive(Clone)]
pub(super) struct Suggested(fn() -> Vec<PossibleValue>);

/// The operations.
pub(super) fn operation() -> Suggested {
    Suggested(|| {
        let contract = Contract::builtin();
        let operations = contract.operations().iter();
        operations
            .map(|operation| PossibleValue::new(operation.id.to_string()).help(operation.summary.clone()))
            .collect()
    })
}

/// The presets of scripts.
pub(super) fn preset() -> Suggested {
    Suggested(|| {
        let presets = Preset::all().iter();
        presets.map(|preset| PossibleValue::new(&preset.name).help(preset.summary.as_str())).collect()
    })
}

/// The rules.
pub(super) fn rule() -> Suggested {
    Suggested(|| Rule::ALL.iter().map(|rule| PossibleValue::new(rule.name())).collect())
}

impl TypedValueParser for Suggested {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.0)().into_iter()))
    }
}
