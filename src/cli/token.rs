//! `standin token`.

use clap::Args;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use super::{Error, Exit, output, secret::ClientSecret};
use crate::{
    Contract,
    token::{DEVELOPMENT_SECRET, SAMPLE_CLIENT, Secret, mint},
};

/// Print a token (a JWT) to call the API with
///
/// The token is signed HS256, with `standin-development-secret` when there is no other, and goes into the request
/// header `auth`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  standin token
  standin token --expires 1h --client-secret-file secret.txt
  standin token --expires=-1h              an expired one
  curl --header \"auth: $(standin token)\" …")]
pub(super) struct Token {
    /// The client id of the app, which the API looks for in `appId`
    #[arg(long, value_name = "ID", default_value = SAMPLE_CLIENT, env = "STANDIN_APP_ID")]
    app_id: String,

    #[command(flatten)]
    client_secret: ClientSecret,

    /// How long it is valid, such as 1h, 30m or 7d; without it, the token never expires
    #[arg(long, value_name = "TIME", value_parser = duration, allow_hyphen_values = true, env = "STANDIN_EXPIRES")]
    expires: Option<SignedDuration>,
}

impl Token {
    pub(super) fn run(&self) -> Result<Exit, Error> {
        let now = Timestamp::now();
        let expires = match self.expires {
            None => None,
            Some(after) => Some(
                now.checked_add(after)
                    .map_err(|_| Error::usage("--expires is too far away; use at most some thousand years"))?
                    .as_second(),
            ),
        };
        let secret = match self.client_secret.value() {
            Some(secret) if secret.reveal().is_empty() => {
                return Err(Error::usage(
                    "the client secret is empty; set STANDIN_CLIENT_SECRET or --client-secret-file, or leave both out",
                ));
            }
            Some(secret) => secret.clone(),
            None => Secret::new(DEVELOPMENT_SECRET),
        };
        let token = mint(Contract::builtin().token_claim(), &self.app_id, &secret, now.as_second(), expires);
        output::print(&format!("{token}\n"))?;
        Ok(Exit::Fine)
    }
}

/// A length of time as people write it; a day has 24 hours.
fn duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("expected a time such as 90s, 30m, 1h or 7d, but found `{text}`");
    let span: Span = text.parse().map_err(|_| wrong())?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_people_do() {
        assert_eq!(duration("1h"), Ok(SignedDuration::from_hours(1)));
        assert_eq!(duration("7d"), Ok(SignedDuration::from_hours(7 * 24)));
        assert_eq!(duration("-90s"), Ok(SignedDuration::from_secs(-90)));
        assert_eq!(
            duration("soon"),
            Err("expected a time such as 90s, 30m, 1h or 7d, but found `soon`".into())
        );
    }
}
