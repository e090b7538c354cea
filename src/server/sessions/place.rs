//! Where a session is.

use std::sync::{Arc, Mutex, MutexGuard};

use super::lock;
use crate::Session;

/// Where a session is; empty before it comes and after it went.
#[derive(Debug, Default)]
pub(super) struct Place(Mutex<Option<Session>>);

/// A place that nobody else is at.
pub(super) struct Held<'a>(MutexGuard<'a, Option<Session>>);

impl Place {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(super) fn lock(&self) -> Held<'_> {
        Held(lock(&self.0))
    }
}

impl Held<'_> {
    /// The session, unless it has gone.
    pub(super) fn session(&mut self) -> Option<&mut Session> {
        self.0.as_mut()
    }

    pub(super) fn fill(&mut self, session: Session) {
        *self.0 = Some(session);
    }

    pub(super) fn take(&mut self) -> Option<Session> {
        self.0.take()
    }
}
