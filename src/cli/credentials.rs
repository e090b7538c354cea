//! What a program sends to somebody else's service to be let in, as options.

use clap::Args;

use super::secret::ClientSecret;
use crate::token::{SAMPLE_CLIENT, Secret};

/// A token that is there, or what one is made of.
#[derive(Args, Debug)]
pub(super) struct Credentials {
    /// The token to send, except where a request is to have another
    #[arg(
        long,
        value_name = "TOKEN",
        env = "STANDIN_TOKEN",
        hide_env_values = true,
        conflicts_with_all = ["client_secret", "client_secret_file"]
    )]
    pub(super) token: Option<Secret>,

    #[command(flatten)]
    pub(super) client_secret: ClientSecret,

    /// The client id in tokens that are signed with the client secret
    #[arg(long, value_name = "ID", default_value = SAMPLE_CLIENT, env = "STANDIN_APP_ID")]
    pub(super) app_id: String,
}
