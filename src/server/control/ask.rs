//! What a call of the control API is given.

use bytes::Bytes;
use hyper::http::request::Parts;

use super::{ControlState, params::Params};
use crate::server::watch::InFlight;

/// A call under way.
pub(super) struct Ask<'a> {
    pub(super) state: &'a ControlState,
    pub(super) parts: &'a Parts,
    pub(super) body: &'a Bytes,
    /// The request, as its connection knows it.
    pub(super) caller: &'a InFlight,
    pub(super) params: Params,
    /// What stands for `ID` in the path.
    pub(super) id: &'a str,
}
