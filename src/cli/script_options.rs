//! What `standin serve` is told about scripts.

use std::{num::NonZeroU32, path::Path, sync::Arc, time::Duration};

use clap::Args;
use jiff::Timestamp;

use super::{
    Error,
    error::{one_line, reason},
    script::{LONGEST, load},
};
use crate::{Contract, Errors, Preset, ScriptSettings, Scripts, bounded};

#[derive(Args, Debug)]
#[command(next_help_heading = "Scripts")]
pub(super) struct ScriptArgs {
    /// Let some replies wait, break or be others, as this file says, or the preset of this name (repeatable, or
    /// separated by commas)
    ///
    /// `standin script presets` lists the presets. A file with the name of one is meant by ./NAME.
    #[arg(long, value_name = "FILE|PRESET", value_delimiter = ',', env = "STANDIN_SCRIPTS")]
    scripts: Vec<String>,

    /// What chance is drawn from: the same seed gives the same faults and delays
    #[arg(long, value_name = "N", default_value_t = 0, env = "STANDIN_SEED")]
    seed: u64,

    /// How many requests an account may send in a minute; the documentation says 60
    ///
    /// What comes beyond is refused with the documented message, 429 and Retry-After.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000), env = "STANDIN_RATE_LIMIT")]
    rate_limit: Option<u32>,
}

impl ScriptArgs {
    /// The scripts, as they are at the start.
    pub(super) fn scripts(
        &self,
        contract: &Arc<Contract>,
        max_delay: Duration,
        errors: Errors,
    ) -> Result<Arc<Scripts>, Error> {
        if self.rate_limit.is_some() && !contract.has_rate_limit() {
            return Err(Error::usage(
                "--rate-limit: the contract does not say what is sent then; add x-rate-limit, or leave it out",
            ));
        }
        let rate_limit = self.rate_limit.and_then(NonZeroU32::new);
        let settings = ScriptSettings { seed: self.seed, rate_limit, max_delay, errors: Some(errors) };
        let scripts = Scripts::new(contract, settings);
        for name in &self.scripts {
            let unusable = |why: &str| {
                let line = format!("cannot use the scripts {name}: {why}; see `standin script --help`");
                Error::could_not_run(one_line(&line))
            };
            let added = if let Ok(preset) = Preset::find(name) {
                scripts.add_all(&preset.document(), Timestamp::now()).map(drop)
            } else {
                let text =
                    bounded::file(Path::new(name), LONGEST).map_err(|error| unusable(&reason(&error)))?;
                load(&scripts, &text)
            };
            added.map_err(|error| unusable(&error.to_string()))?;
        }
        Ok(Arc::new(scripts))
    }
}
