//! How often scripts have matched, in each session.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// How often each script has matched, in each session. What a session has that nobody has heard of for the longest time is
/// forgotten when there are too many.
#[derive(Debug, Default)]
pub(super) struct Counts {
    sessions: BTreeMap<Arc<str>, Session>,
    /// It grows with each match, and tells which session was there last.
    tick: u64,
}

#[derive(Debug, Default)]
struct Session {
    last: u64,
    scripts: HashMap<u64, u64>,
}

impl Counts {
    /// How many sessions are kept.
    pub(super) const SESSIONS: usize = 256;

    /// Counts one match more of each of these scripts, and tells how many that makes.
    pub(super) fn next(&mut self, session: &str, scripts: impl Iterator<Item = u64>) -> Vec<u64> {
        self.tick += 1;
        if !self.sessions.contains_key(session) {
            if self.sessions.len() >= Self::SESSIONS
                && let Some(name) =
                    self.sessions.iter().min_by_key(|(_, own)| own.last).map(|(name, _)| Arc::clone(name))
            {
                self.sessions.remove(&name);
            }
            self.sessions.insert(session.into(), Session::default());
        }
        let own = self.sessions.entry(session.into()).or_default();
        own.last = self.tick;
        let count = |script| {
            let count = own.scripts.entry(script).or_insert(0_u64);
            *count = count.saturating_add(1);
            *count
        };
        scripts.map(count).collect()
    }

    /// Forgets a script that has gone.
    pub(super) fn forget(&mut self, script: u64) {
        for own in self.sessions.values_mut() {
            own.scripts.remove(&script);
        }
    }

    /// Forgets all scripts.
    pub(super) fn clear(&mut self) {
        self.sessions.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(counts: &mut Counts, session: &str, script: u64) -> u64 {
        counts.next(session, [script].into_iter())[0]
    }

    #[test]
    fn each_session_counts_for_itself() {
        let mut counts = Counts::default();

        assert_eq!(next(&mut counts, "a", 1), 1);
        assert_eq!(next(&mut counts, "a", 1), 2);
        assert_eq!(next(&mut counts, "b", 1), 1);
        assert_eq!(next(&mut counts, "a", 2), 1);
        counts.forget(1);
        assert_eq!(next(&mut counts, "a", 1), 1);
        assert_eq!(next(&mut counts, "a", 2), 2);
    }

    #[test]
    fn the_session_that_was_not_heard_of_for_the_longest_time_is_forgotten_first() {
        let mut counts = Counts::default();
        for session in 0..Counts::SESSIONS {
            next(&mut counts, &session.to_string(), 1);
        }
        next(&mut counts, "0", 1);
        next(&mut counts, "another", 1);

        assert_eq!(counts.sessions.len(), Counts::SESSIONS);
        assert_eq!(next(&mut counts, "0", 1), 3);
        assert_eq!(next(&mut counts, "1", 1), 1);
    }
}
