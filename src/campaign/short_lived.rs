//! Faulty tokens that are signed with a real secret. Reports show them as they were sent, and a server that takes one would
//! do so for ever: so they are over soon.

use jiff::Timestamp;

use super::{course::Course, ground::Ready};
use crate::{
    Request,
    payload::{Case, Label},
    token,
};

/// For how long such a token is good, in seconds.
const LIFE: i64 = 10 * 60;

impl Course<'_> {
    /// A case whose faulty token, where it is signed with the caller's secret, is over soon. Its label holds as before.
    pub(super) fn short_lived(&self, ready: &Ready, case: Case) -> Case {
        let (Some(secret), true) = (&self.options.client_secret, self.is_lasting(&case.label)) else {
            return case;
        };
        let expires = Timestamp::now().as_second() + LIFE;
        let is_valid = |value: &[u8]| self.ground.tokens.iter().any(|token| token.as_bytes() == value);
        let shown = |(name, value): (_, &[u8])| {
            let is_faulty = Some(name) == self.contract.token_header() && !is_valid(value);
            let short = is_faulty.then(|| token::expiring(value, secret, expires)).flatten();
            (name, short.map_or_else(|| value.to_vec(), String::into_bytes))
        };
        let headers = case.request.headers.iter().map(shown).collect();
        let short = Case { request: Request { headers, ..case.request.clone() }, ..case.clone() };
        if ready.generator.holds(&short.request, &short.label) { short } else { case }
    }

    /// Whether the faulty token of a case was good for a time that is over, and cannot be signed anew.
    pub(super) fn has_run_out(&self, case: &Case) -> bool {
        let now = Timestamp::now().as_second();
        // Seconds since the epoch are far below the 2^53 up to which f64 is exact.
        #[expect(clippy::cast_precision_loss)]
        let is_over = |value: &[u8]| token::expires(value).is_some_and(|expires| expires <= now as f64);
        let header = self.contract.token_header().unwrap_or_default();
        self.options.client_secret.is_none()
            && self.is_lasting(&case.label)
            && case.request.headers.all(header).any(is_over)
    }

    /// Whether a label is about the token, and not about its time.
    fn is_lasting(&self, label: &Label) -> bool {
        let Label::Mutant { operator, pointer, .. } = label else { return false };
        let header = pointer.strip_prefix("/header/");
        header.is_some() && header == self.contract.token_header() && operator.name() != "tokenExpired"
    }
}
