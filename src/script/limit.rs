//! How many requests an account may send in a minute.

use std::{
    collections::{HashMap, VecDeque},
    num::NonZeroU32,
};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// The requests of the last minute, for each account of each session. Time is that of the requests.
#[derive(Debug)]
pub(super) struct RateLimit {
    most: usize,
    /// By what is left of session and account, of whatever length those are.
    windows: HashMap<[u8; 32], VecDeque<Timestamp>>,
}

impl RateLimit {
    /// How many accounts are kept; the one that was not heard of for the longest time goes first.
    const ACCOUNTS: usize = 1024;

    pub(super) fn new(most: NonZeroU32) -> Self {
        Self { most: usize::try_from(most.get()).unwrap_or(usize::MAX), windows: HashMap::new() }
    }

    /// Lets a request pass; the error is in how many seconds the next one may.
    pub(super) fn pass(&mut self, session: &str, account: &str, received: Timestamp) -> Result<(), u64> {
        let key: [u8; 32] =
            Sha256::new().chain_update(session).chain_update([0]).chain_update(account).finalize().into();
        if !self.windows.contains_key(&key) && self.windows.len() >= Self::ACCOUNTS {
            let oldest = self.windows.iter().min_by_key(|(_, window)| window.back().copied());
            if let Some(oldest) = oldest.map(|(key, _)| *key) {
                self.windows.remove(&oldest);
            }
        }
        let window = self.windows.entry(key).or_default();
        let last = window.back().copied().unwrap_or(received);
        let back = last.duration_since(received);
        if back > MINUTE {
            // The clock was set back, and what it says now is the time. The minute stays as full as it was.
            for time in &mut *window {
                *time = time.checked_sub(back).unwrap_or(Timestamp::MIN);
            }
        }
        // Less than that is a request that took its time to arrive.
        let now = if back > MINUTE { received } else { received.max(last) };
        while window.front().is_some_and(|first| now.duration_since(*first) >= MINUTE) {
            window.pop_front();
        }
        match window.front() {
            Some(first) if window.len() >= self.most => {
                let left = MINUTE - received.duration_since(*first);
                // A part of a second is one more to wait.
                let seconds = left.as_secs() + i64::from(left.subsec_nanos() > 0);
                Err(u64::try_from(seconds).unwrap_or(0))
            }
            _ => {
                window.push_back(now);
                Ok(())
            }
        }
    }
}

const MINUTE: SignedDuration = SignedDuration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(most: u32) -> RateLimit {
        RateLimit::new(NonZeroU32::new(most).unwrap())
    }

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    #[test]
    fn a_minute_slides_and_each_account_of_a_session_has_its_own() {
        let mut limit = limit(2);

        assert_eq!(limit.pass("a", "1", at(0)), Ok(()));
        assert_eq!(limit.pass("a", "1", at(30_000)), Ok(()));
        assert_eq!(limit.pass("a", "1", at(30_500)), Err(30));
        assert_eq!(limit.pass("a", "2", at(30_500)), Ok(()));
        assert_eq!(limit.pass("b", "1", at(30_500)), Ok(()));
        assert_eq!(limit.pass("a", "1", at(59_999)), Err(1));
        // The first is a minute old; the second is not.
        assert_eq!(limit.pass("a", "1", at(60_000)), Ok(()));
        assert_eq!(limit.pass("a", "1", at(60_001)), Err(30));
        assert_eq!(limit.pass("a", "1", at(90_000)), Ok(()));
    }

    #[test]
    fn a_clock_that_is_set_back_gives_nothing_more_and_takes_nothing() {
        let mut limit = limit(1);
        let hour = 3_600_000;

        assert_eq!(limit.pass("a", "1", at(hour)), Ok(()));
        assert_eq!(limit.pass("a", "1", at(hour - 30_000)), Err(90));
        assert_eq!(limit.pass("a", "1", at(0)), Err(60));
        assert_eq!(limit.pass("a", "1", at(59_999)), Err(1));
        assert_eq!(limit.pass("a", "1", at(60_000)), Ok(()));
    }

    #[test]
    fn accounts_have_an_end() {
        let mut limit = limit(1);
        for account in 0..2 * RateLimit::ACCOUNTS {
            assert_eq!(limit.pass("a", &account.to_string(), at(i64::try_from(account).unwrap())), Ok(()));
        }
        assert_eq!(limit.windows.len(), RateLimit::ACCOUNTS);
    }
}
