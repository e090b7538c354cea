//! What a call of the control API is given.

use hyper::http::request::Parts;

use super::{ControlState, params::Params};
use crate::server::watch::InFlight;

/// A call under way.
pub(super) struct Ask<'a> {
    pub(super) state: &'a ControlState,
    pub(super) parts: &'a Parts,
    pub(super) body: &'a [u8],
    /// The request, as its connection knows it.
    pub(super) caller: &'a InFlight,
    pub(super) params: Params,
    /// What stands for `ID` in the path.
    pub(super) id: &'a str,
}
