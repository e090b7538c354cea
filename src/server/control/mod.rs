//! Placeholder for the control API: answers 404.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode, http::request::Parts};

use super::{ControlConfig, Counters};
use crate::{Contract, Journal};

/// What the control API knows.
pub(crate) struct ControlState {
    #[expect(dead_code, reason = "a placeholder")]
    parts: (Arc<Contract>, Arc<Journal>, Arc<Counters>, ControlConfig),
}

/// The body of a control reply.
pub(crate) type ControlBody = Full<Bytes>;

impl ControlState {
    pub(crate) fn new(
        contract: Arc<Contract>,
        journal: Arc<Journal>,
        counters: Arc<Counters>,
        config: ControlConfig,
    ) -> Self {
        Self {
            parts: (contract, journal, counters, config),
        }
    }
}

/// Answers a call of the control API.
#[expect(clippy::unused_async, reason = "a placeholder")]
pub(crate) async fn respond(_: &ControlState, _: Parts, _: Bytes) -> Response<ControlBody> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"{}")));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
