//! Why a campaign could not begin.

use std::fmt;

use crate::BaseUrlError;

/// Why a campaign could not begin: one sentence, in lower case and without a full stop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CampaignError {
    /// The URL, an option or a value is wrong.
    Usage(String),
    /// The options are fine, and the server cannot be reached or a file cannot be used.
    CouldNotRun(String),
}

impl fmt::Display for CampaignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::CouldNotRun(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for CampaignError {}

impl From<BaseUrlError> for CampaignError {
    fn from(error: BaseUrlError) -> Self {
        Self::Usage(error.to_string())
    }
}
