//! Where a session is.

use std::sync::{Arc, Mutex, MutexGuard};

use super::lock;
use crate::Session;

/// Where a session is; empty before it comes and after it went.
#[derive(Debug, Default)]
pub(super) struct Place(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    session: Option<Session>,
    /// How often a state was put in the place of another, which need not show in its version.
    replaced: u64,
}

/// A place that nobody else is at.
pub(super) struct Held<'a>(MutexGuard<'a, Taken>);

/// A session as it was seen: nothing has changed it as long as its place says the same.
pub(super) struct Seen {
    pub(super) session: Session,
    replaced: u64,
}

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
        self.0.session.as_mut()
    }

    pub(super) fn fill(&mut self, session: Session) {
        self.0.session = Some(session);
    }

    /// Puts a state in the place of the one that is there, which is handed out.
    pub(super) fn replace(&mut self, session: Session) -> Option<Session> {
        self.0.replaced += 1;
        self.0.session.replace(session)
    }

    pub(super) fn take(&mut self) -> Option<Session> {
        self.0.session.take()
    }

    /// A clone of the session, unless it has gone.
    pub(super) fn see(&self) -> Option<Seen> {
        Some(Seen { session: self.0.session.clone()?, replaced: self.0.replaced })
    }

    /// Whether the session is still as it was seen.
    pub(super) fn is_as(&self, seen: &Seen) -> bool {
        let is_same = |session: &Session| session.version() == seen.session.version();
        self.0.replaced == seen.replaced && self.0.session.as_ref().is_some_and(is_same)
    }
}
