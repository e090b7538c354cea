//! What `standin serve` is told about state.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use clap::{Args, ValueEnum};

use super::{
    Error,
    error::{one_line, reason},
    state_file::{StateFile, listed},
    value::{entries, size},
};
use crate::{Bounds, Contract, References, SessionLimits, Sessions, StateSettings, bounded, json};

#[derive(Args, Debug)]
#[command(next_help_heading = "State")]
pub(super) struct StateArgs {
    /// Remember what is created: it can be read, listed, changed and deleted, in sessions
    ///
    /// Without it every request gets the sample of its page. --start-state and --state-file imply it.
    #[arg(long, env = "STANDIN_STATE")]
    state: bool,

    /// What every session begins with, as `standin state get` prints it
    #[arg(long, value_name = "FILE", env = "STANDIN_START_STATE")]
    start_state: Option<PathBuf>,

    /// Keep all sessions in this file, and go on with those that are in it
    ///
    /// It is written whenever there were changes, and is at most a second behind while it has up to 8 MiB.
    #[arg(long, value_name = "FILE", env = "STANDIN_STATE_FILE")]
    state_file: Option<PathBuf>,

    /// Take another choice where the documentation leaves something open (repeatable; the variable is comma separated)
    ///
    /// `standin contract ledger` tells what there is to choose.
    #[arg(long, value_name = "NAME=CHOICE", value_delimiter = ',', env = "STANDIN_ASSUME")]
    assume: Vec<String>,

    /// What happens to a request with ids that name nothing, such as those of a role or a queue
    #[arg(long, value_name = "LEVEL", default_value = "report", env = "STANDIN_REFERENCES")]
    references: ReferencesArg,

    /// How many sessions may have been changed
    #[arg(long, value_name = "N", default_value = "256", value_parser = entries, env = "STANDIN_SESSIONS")]
    sessions: usize,

    /// How many resources a session may have
    #[arg(long, value_name = "N", default_value = "100000", value_parser = entries, env = "STANDIN_SESSION_RESOURCES")]
    session_resources: usize,

    /// How much memory they may take in a session
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = size, env = "STANDIN_SESSION_BYTES")]
    session_bytes: usize,

    /// How much memory they may take in all sessions together
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size, env = "STANDIN_STATE_BYTES")]
    state_bytes: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum ReferencesArg {
    /// It is refused
    Enforce,
    /// It is answered, and the exchange says so
    Report,
}

impl StateArgs {
    /// The stub's settings; none when there is to be no state.
    pub(super) fn settings(&self, contract: &Contract) -> Result<Option<StateSettings>, Error> {
        let is_on = self.state || self.start_state.is_some() || self.state_file.is_some();
        if !is_on && !self.assume.is_empty() {
            return Err(Error::usage("--assume is about what is remembered; add --state"));
        }
        if !is_on && self.references == ReferencesArg::Enforce {
            return Err(Error::usage("--references enforce looks into what is remembered; add --state"));
        }
        let mut assume = BTreeMap::new();
        for text in &self.assume {
            let (name, choice) = contract.assume(text).map_err(|error| {
                Error::usage(one_line(&format!("--assume: {error}; see `standin contract ledger`")))
            })?;
            if let Some(other) = assume.insert(name.clone(), choice.clone()).filter(|other| *other != choice)
            {
                return Err(Error::usage(one_line(&format!(
                    "--assume: expected one choice for {name}, but found {other} and {choice}"
                ))));
            }
        }
        let references = match self.references {
            ReferencesArg::Enforce => References::Enforce,
            ReferencesArg::Report => References::Report,
        };
        let bounds = Bounds { resources: self.session_resources, bytes: self.session_bytes };
        Ok(is_on.then_some(StateSettings { assume, references, bounds }))
    }

    /// The sessions, as they are at the start.
    pub(super) fn sessions(
        &self,
        contract: &Arc<Contract>,
        settings: &StateSettings,
    ) -> Result<Sessions, Error> {
        let limits = SessionLimits { sessions: self.sessions, bytes: self.state_bytes };
        let Some(path) = &self.start_state else {
            return Ok(Sessions::empty(contract, settings, limits));
        };
        let unusable = |why: &str| {
            let path = path.display();
            let line = format!(
                "cannot use the start state {path}: {why}; correct the file, or leave --start-state out"
            );
            Error::could_not_run(one_line(&line))
        };
        let text = bounded::file(path, LONGEST).map_err(|error| unusable(&reason(&error)))?;
        let snapshot = json::parse(&text).map_err(|error| unusable(&error.to_string()))?;
        Sessions::new(contract, settings, limits, &snapshot)
            .map_err(|violations| unusable(&listed(&violations)))
    }

    /// The file that keeps the sessions, which take over what is in it.
    pub(super) fn file(&self, sessions: &Sessions) -> Result<Option<StateFile>, Error> {
        self.state_file.as_ref().map(|path| StateFile::open(path, sessions)).transpose()
    }
}

/// The largest state that is read, in bytes.
pub(super) const LONGEST: u64 = 1024 * 1024 * 1024;
