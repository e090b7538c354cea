//! The sessions of a server that has state.
//!
//! A session takes a place at its first change; before that, it is what every session starts with. Deciding, changing
//! and recording are one critical section of the session, so that the journal's order is the order of its changes.

mod document;
mod error;
mod place;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

use serde::Serialize;
use serde_json::{Value, json};

use crate::{Change, Checked, Contract, Exchange, Session, StateSettings, Stub, Violation, session_name};

pub use error::SessionError;
use place::{Held, Place};

/// How much all sessions of a server may hold together. What one of them may hold is a setting of the stub.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SessionLimits {
    /// Sessions that have been changed.
    pub sessions: usize,
    /// Bytes of their states.
    pub bytes: usize,
}

impl Default for SessionLimits {
    /// 256 sessions, 256 MiB.
    fn default() -> Self {
        Self { sessions: 256, bytes: 256 * 1024 * 1024 }
    }
}

/// The sessions of a server.
pub struct Sessions {
    contract: Arc<Contract>,
    settings: StateSettings,
    limits: SessionLimits,
    /// What every session starts with.
    start: Session,
    places: Mutex<BTreeMap<Arc<str>, Arc<Place>>>,
    /// One at a time is looked at that has no place yet: the last one that there was, with its name.
    newcomer: Mutex<(Arc<str>, Session)>,
    /// The bytes of all that have a place.
    bytes: AtomicUsize,
    /// How many changes there were, of whatever session.
    changes: AtomicU64,
    /// What whoever keeps the sessions somewhere has said last.
    kept: Mutex<Option<Kept>>,
}

/// How far whoever keeps the sessions somewhere, in a file, has come.
#[derive(Clone, Debug)]
pub struct Kept {
    /// How many changes there were, as [`Sessions::changes`] counts, when what is kept was taken.
    pub changes: u64,
    /// When that was.
    pub at: Instant,
    /// Why a later attempt failed, when one did.
    pub error: Option<String>,
}

/// What is told of a session.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Told {
    name: String,
    version: u64,
    resources: usize,
    bytes: usize,
}

impl Sessions {
    /// Sessions that start with what a snapshot has, by the settings of the stub that is to answer from them.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the snapshot, with its places.
    pub fn new(
        contract: &Arc<Contract>,
        settings: &StateSettings,
        limits: SessionLimits,
        start: &Value,
    ) -> Result<Self, Vec<Violation>> {
        let start = Session::start(contract, start, settings)?;
        Ok(Self::starting_with(start, contract, settings, limits))
    }

    /// Sessions that start with nothing.
    pub fn empty(contract: &Arc<Contract>, settings: &StateSettings, limits: SessionLimits) -> Self {
        Self::starting_with(Session::new(session_name::DEFAULT), contract, settings, limits)
    }

    fn starting_with(
        start: Session,
        contract: &Arc<Contract>,
        settings: &StateSettings,
        limits: SessionLimits,
    ) -> Self {
        Self {
            contract: Arc::clone(contract),
            settings: settings.clone(),
            limits,
            newcomer: Mutex::new((session_name::DEFAULT.into(), start.clone().named(session_name::DEFAULT))),
            start,
            places: Mutex::default(),
            bytes: AtomicUsize::new(0),
            changes: AtomicU64::new(0),
            kept: Mutex::new(None),
        }
    }

    /// Has the stub decide about a request in the session of this name and lets `act` see to what was decided, changes the
    /// session and calls `record`, before anything else happens in that session.
    pub(crate) fn decide<R>(
        &self,
        stub: &Stub,
        name: &str,
        mut checked: Checked,
        act: impl FnOnce(&mut Exchange, &mut Change),
        record: impl FnOnce(Exchange) -> R,
    ) -> R {
        // What takes long is decided about a clone, which holds for as long as the session does not change.
        for _ in 0..ASIDE {
            if !stub.looks_at_many(&checked) {
                break;
            }
            let Some(place) = self.place(name) else { break };
            let Some(seen) = place.lock().see() else { break };
            let (mut exchange, mut change) = stub.decide_within(&seen.session, checked, 0);
            let held = place.lock();
            if held.is_as(&seen) {
                act(&mut exchange, &mut change);
                return record(exchange);
            }
            drop(held);
            checked = stub.check(exchange.request);
        }
        loop {
            if let Some(place) = self.place(name) {
                let mut held = place.lock();
                // It can have gone since it was looked up.
                let Some(session) = held.session() else { continue };
                let (mut exchange, mut change) = stub.decide_within(session, checked, self.room());
                act(&mut exchange, &mut change);
                if !change.is_empty() {
                    match self.reserve(change.growth()) {
                        Ok(()) => {
                            session.apply(change);
                            self.changed();
                        }
                        Err((expected, found)) => exchange = stub.no_room(exchange, expected, found),
                    }
                }
                return record(exchange);
            }
            let mut newcomer = lock(&self.newcomer);
            if self.place(name).is_some() {
                continue;
            }
            if &*newcomer.0 != name {
                *newcomer = (name.into(), self.start.clone().named(name));
            }
            let (mut exchange, mut change) = stub.decide_within(&newcomer.1, checked, self.room());
            act(&mut exchange, &mut change);
            if change.is_empty() {
                return record(exchange);
            }
            let mut session = newcomer.1.clone();
            let size = session.bytes().saturating_add_signed(change.growth());
            let place = Place::new();
            let mut held = place.lock();
            return match self.settle(name, &place, size) {
                Ok(()) => {
                    session.apply(change);
                    held.fill(session);
                    self.changed();
                    record(exchange)
                }
                Err((expected, found)) => record(stub.no_room(exchange, expected, found)),
            };
        }
    }

    /// Those that have a place, by name.
    pub(crate) fn list(&self) -> Vec<Told> {
        let names: Vec<_> = lock(&self.places).keys().cloned().collect();
        names.iter().filter_map(|name| self.told(name)).collect()
    }

    /// What is told of one session.
    pub(crate) fn told(&self, name: &str) -> Option<Told> {
        let place = self.place(name)?;
        let mut held = place.lock();
        let session = held.session()?;
        let (version, resources, bytes) = (session.version(), session.resources(), session.bytes());
        Some(Told { name: name.into(), version, resources, bytes })
    }

    /// How long the text of a state may be that is sent to be put: names, numbers and signs come to what its resources
    /// take in memory.
    pub(crate) fn longest_snapshot(&self) -> usize {
        self.settings.bounds.bytes
    }

    /// The state of a session; `default` is there from the start.
    pub(crate) fn get(&self, name: &str) -> Result<Session, SessionError> {
        check_name(name)?;
        if let Some(session) = self.place(name).and_then(|place| place.lock().session().cloned()) {
            return Ok(session);
        }
        if name == session_name::DEFAULT { Ok(self.fresh(name)) } else { Err(self.unknown(name)) }
    }

    /// What a session of this name is before its first change.
    pub(crate) fn fresh(&self, name: &str) -> Session {
        self.start.clone().named(name)
    }

    /// Reads a snapshot as a state that a session of this name can have.
    pub(crate) fn read(&self, name: &str, snapshot: &Value) -> Result<Session, SessionError> {
        check_name(name)?;
        let session =
            Session::start(&self.contract, snapshot, &self.settings).map_err(SessionError::State)?;
        Ok(session.named(name))
    }

    /// Gives a session another state; it takes a place if it has none.
    pub(crate) fn put(&self, name: &str, state: Session) -> Result<(), SessionError> {
        let mut state = Some(state);
        self.replace(name, |_| Ok(state.take()))
    }

    /// Changes the state of a session as JSON; one change, if it is a change.
    pub(crate) fn change(&self, name: &str, change: impl Fn(&mut Value)) -> Result<(), SessionError> {
        let make = |session: &Session| {
            let mut snapshot = session.snapshot();
            change(&mut snapshot);
            let state = self.read(name, &snapshot)?;
            Ok((state != *session).then(|| state.changed()))
        };
        // What takes long is made of a clone, which holds for as long as the session does not change.
        let place = self.place(name);
        for _ in 0..ASIDE {
            let Some(place) = &place else { break };
            let Some(seen) = place.lock().see() else { break };
            let Some(state) = make(&seen.session)? else { return Ok(()) };
            let mut held = place.lock();
            if held.is_as(&seen) {
                self.reserve(growth(seen.session.bytes(), state.bytes())).map_err(full)?;
                let before = held.replace(state);
                self.changed();
                drop(held);
                drop(before);
                return Ok(());
            }
        }
        self.replace(name, make)
    }

    /// Gives a session the state that is made of the one it has, if any; it takes a place if it has none.
    fn replace(
        &self,
        name: &str,
        make: impl FnOnce(&Session) -> Result<Option<Session>, SessionError>,
    ) -> Result<(), SessionError> {
        check_name(name)?;
        let newcomer = lock(&self.newcomer);
        // Nobody takes a place meanwhile, and what goes makes room.
        let known = self.place(name);
        let mut held = known.as_ref().map(|place| place.lock());
        if let Some(session) = held.as_mut().and_then(Held::session) {
            drop(newcomer);
            let Some(state) = make(session)? else { return Ok(()) };
            self.reserve(growth(session.bytes(), state.bytes())).map_err(full)?;
            // What was there is freed once the session is free.
            let before = held.as_mut().and_then(|held| held.replace(state));
            self.changed();
            drop(held);
            drop(before);
            return Ok(());
        }
        let Some(state) = make(&self.fresh(name))? else { return Ok(()) };
        let place = Place::new();
        let mut held = place.lock();
        self.settle(name, &place, state.bytes()).map_err(full)?;
        held.fill(state);
        self.changed();
        drop(newcomer);
        Ok(())
    }

    /// Takes everything out of a session.
    pub(crate) fn clear(&self, name: &str) -> Result<(), SessionError> {
        self.known(name)?;
        self.put(name, Session::new(name))
    }

    /// Back to the start.
    pub(crate) fn reset(&self, name: &str) -> Result<(), SessionError> {
        self.known(name)?;
        if self.place(name).is_some() { self.put(name, self.fresh(name)) } else { Ok(()) }
    }

    /// Another session with the same state.
    pub(crate) fn fork(&self, name: &str, to: &str) -> Result<(), SessionError> {
        check_name(to)?;
        let state = self.get(name)?.named(to);
        let _newcomer = lock(&self.newcomer);
        // A session is no copy of itself, not even `default`, which is there before its first change.
        if name == to || self.place(to).is_some() {
            return Err(SessionError::Taken(to.to_owned()));
        }
        let place = Place::new();
        let mut held = place.lock();
        self.settle(to, &place, state.bytes()).map_err(full)?;
        held.fill(state);
        self.changed();
        Ok(())
    }

    /// Forgets a session, which frees its place.
    pub(crate) fn remove(&self, name: &str) -> Result<(), SessionError> {
        check_name(name)?;
        let place = lock(&self.places).remove(name);
        let Some(place) = place else {
            return if name == session_name::DEFAULT { Ok(()) } else { Err(self.unknown(name)) };
        };
        let session = place.lock().take();
        if let Some(session) = session {
            self.bytes.fetch_sub(session.bytes(), Ordering::Relaxed);
        }
        self.changed();
        Ok(())
    }

    /// How many changes there were so far, in all sessions.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Says how far the sessions are kept, for whoever asks the server how it is.
    pub fn kept(&self, kept: Kept) {
        *lock(&self.kept) = Some(kept);
    }

    /// Counts of all sessions together, and how far a file is behind them.
    pub(crate) fn totals(&self) -> Value {
        let kept = lock(&self.kept).clone();
        let file = kept.map(|kept| {
            let behind = self.changes().saturating_sub(kept.changes);
            let seconds = if behind > 0 { kept.at.elapsed().as_secs_f64() } else { 0.0 };
            json!({"behind": behind, "behindSeconds": seconds, "error": kept.error})
        });
        json!({
            "file": file,
            "sessions": lock(&self.places).len(),
            "bytes": self.bytes.load(Ordering::Relaxed),
            "changes": self.changes(),
        })
    }

    fn place(&self, name: &str) -> Option<Arc<Place>> {
        lock(&self.places).get(name).cloned()
    }

    /// Fails when there is no such session.
    fn known(&self, name: &str) -> Result<(), SessionError> {
        check_name(name)?;
        let is_known = name == session_name::DEFAULT || self.place(name).is_some();
        if is_known { Ok(()) } else { Err(self.unknown(name)) }
    }

    fn unknown(&self, name: &str) -> SessionError {
        let names = lock(&self.places).keys().map(ToString::to_string).collect();
        SessionError::Unknown(name.to_owned(), names)
    }

    /// Gives a session its place, which nobody can enter before it is unlocked; the error is what was expected and found.
    fn settle(&self, name: &str, place: &Arc<Place>, bytes: usize) -> Result<(), (String, String)> {
        let mut places = lock(&self.places);
        if places.len() >= self.limits.sessions {
            let most = self.limits.sessions;
            return Err((format!("at most {most} sessions with changes"), "another one".into()));
        }
        self.reserve(growth(0, bytes))?;
        places.insert(name.into(), Arc::clone(place));
        Ok(())
    }

    /// Takes memory for a change, or says what there is.
    fn reserve(&self, growth: isize) -> Result<(), (String, String)> {
        let most = self.limits.bytes;
        let grown = |bytes: usize| {
            let grown = bytes.saturating_add_signed(growth);
            (growth <= 0 || grown <= most).then_some(grown)
        };
        let reserved = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown);
        reserved.map(drop).map_err(|bytes| {
            let found = bytes.saturating_add_signed(growth);
            (format!("at most {most} bytes in all sessions together"), format!("{found} with this"))
        })
    }

    /// By how many bytes a session may grow. Another one can be quicker, so what grows is reserved.
    fn room(&self) -> usize {
        self.limits.bytes.saturating_sub(self.bytes.load(Ordering::Relaxed))
    }

    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }
}

/// How often a request is decided aside, before it holds up the session after all.
const ASIDE: usize = 2;

fn check_name(name: &str) -> Result<(), SessionError> {
    if session_name::is_name(name) { Ok(()) } else { Err(SessionError::Name(name.to_owned())) }
}

fn full((expected, found): (String, String)) -> SessionError {
    SessionError::Full(format!("expected {expected}, but found {found}"))
}

fn growth(before: usize, after: usize) -> isize {
    isize::try_from(after).unwrap_or(isize::MAX).saturating_sub_unsigned(before)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("limits", &self.limits).finish_non_exhaustive()
    }
}
