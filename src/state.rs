//! What operations create and later requests read. Today every request gets its page's sample, so there is nothing.

/// What one client, test or team has created so far.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Session {}

/// What an exchange changes in its session.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Change {}
