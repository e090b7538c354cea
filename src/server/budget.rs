//! Memory that all connections share: of bodies that come in, and of replies that wait to be taken.
//!
//! When it is used up, whoever needs more waits. So that all who have a part of it and want more cannot wait for each
//! other for ever, one at a time goes on beyond it; and so that nobody keeps a part without using it, who is slow while
//! others wait loses it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// An amount of memory that is shared.
#[derive(Debug)]
pub(super) struct Budget {
    left: Arc<Semaphore>,
    total: usize,
    /// For the one that goes beyond.
    lane: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// How long somebody may take for [`PACE`] bytes while others wait.
    pub(super) pace: Duration,
}

/// What somebody has of a budget.
#[derive(Debug, Default)]
pub(super) struct Hold {
    permit: Option<OwnedSemaphorePermit>,
    /// Held by the one that goes beyond the budget.
    lane: Option<OwnedSemaphorePermit>,
}

impl Budget {
    pub(super) fn new(bytes: usize, pace: Duration) -> Self {
        let total = bytes.min(Semaphore::MAX_PERMITS);
        Self {
            left: Arc::new(Semaphore::new(total)),
            total,
            lane: Arc::new(Semaphore::new(1)),
            waiting: AtomicUsize::new(0),
            pace,
        }
    }

    /// Whether somebody waits.
    pub(super) fn is_short(&self) -> bool {
        self.waiting.load(Relaxed) > 0
    }

    /// Makes `hold` one of `bytes`, once that is possible.
    pub(super) async fn grow(&self, hold: &mut Hold, bytes: usize) {
        if self.try_grow(hold, bytes) {
            return;
        }
        let _waiting = Waiting::new(self);
        let left = Arc::clone(&self.left).acquire_many_owned(self.lack(hold, bytes));
        let lane = Arc::clone(&self.lane).acquire_owned();
        tokio::select! {
            biased;
            permit = left => hold.add(permit.ok()),
            lane = lane => hold.lane = lane.ok(),
        }
    }

    /// Makes `hold` one of `bytes` if that is possible at once.
    pub(super) fn try_grow(&self, hold: &mut Hold, bytes: usize) -> bool {
        if hold.covers(bytes) {
            return true;
        }
        match Arc::clone(&self.left).try_acquire_many_owned(self.lack(hold, bytes)) {
            Ok(permit) => hold.add(Some(permit)),
            Err(_) => return false,
        }
        true
    }

    /// A hold of `bytes`, or of everything when that is less, once that is possible.
    pub(super) async fn take(&self, bytes: usize) -> Hold {
        let mut hold = Hold::default();
        if !self.try_grow(&mut hold, bytes) {
            let _waiting = Waiting::new(self);
            let permit = Arc::clone(&self.left).acquire_many_owned(self.lack(&hold, bytes));
            hold.add(permit.await.ok());
        }
        hold
    }

    fn lack(&self, hold: &Hold, bytes: usize) -> u32 {
        let lack = bytes.min(self.total).saturating_sub(hold.bytes());
        u32::try_from(lack).unwrap_or(u32::MAX)
    }
}

impl Hold {
    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes() == 0 && self.lane.is_none()
    }

    /// Gives back what goes beyond `bytes`.
    pub(super) fn shrink(&mut self, bytes: usize) {
        let held = self.bytes();
        if held >= bytes {
            self.lane = None;
            // What is split off is given back.
            drop(self.permit.as_mut().and_then(|permit| permit.split(held - bytes)));
        }
    }

    /// Whether it is one of `bytes` or more.
    pub(super) fn covers(&self, bytes: usize) -> bool {
        self.lane.is_some() || self.bytes() >= bytes
    }

    fn bytes(&self) -> usize {
        self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    fn add(&mut self, more: Option<OwnedSemaphorePermit>) {
        match (&mut self.permit, more) {
            (Some(permit), Some(more)) => permit.merge(more),
            (permit, more) => *permit = permit.take().or(more),
        }
    }
}

/// Somebody who waits.
struct Waiting<'a>(&'a Budget);

impl<'a> Waiting<'a> {
    fn new(budget: &'a Budget) -> Self {
        budget.waiting.fetch_add(1, Relaxed);
        Self(budget)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Relaxed);
    }
}

/// How many bytes one has to bring or take in [`Budget::pace`] while others wait.
pub(super) const PACE: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Waker},
    };

    use super::*;

    fn is_ready(future: std::pin::Pin<&mut impl Future<Output = ()>>) -> bool {
        future.poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn one_at_a_time_goes_beyond_the_budget_so_that_nobody_waits_for_ever() {
        let budget = Budget::new(100, Duration::ZERO);
        let [mut first, mut second, mut third] = [(); 3].map(|()| Hold::default());
        assert!(budget.try_grow(&mut first, 60));
        assert!(budget.try_grow(&mut second, 40));
        assert!(!budget.is_short());

        // All have a part and want more.
        assert!(is_ready(pin!(budget.grow(&mut first, 80))));
        assert!(is_ready(pin!(budget.grow(&mut first, 1000))));
        {
            let mut grow = pin!(budget.grow(&mut second, 80));
            let mut begin = pin!(budget.grow(&mut third, 10));
            assert!(!is_ready(grow.as_mut()));
            assert!(!is_ready(begin.as_mut()));
            assert!(budget.is_short());
            drop(first);
            assert!(is_ready(grow));
            assert!(is_ready(begin));
        }
        assert!(!budget.is_short());
        drop((second, third));
        assert!(budget.try_grow(&mut Hold::default(), 100));
    }

    #[test]
    fn what_is_given_back_is_there_for_others() {
        let budget = Budget::new(100, Duration::ZERO);
        let [mut first, mut second] = [(); 2].map(|()| Hold::default());
        assert!(budget.try_grow(&mut first, 100));
        assert!(!budget.try_grow(&mut second, 1));

        first.shrink(30);
        assert!(budget.try_grow(&mut second, 70));
        assert!(!budget.try_grow(&mut second, 71));
        first.shrink(0);
        assert!(first.is_empty());
        assert!(budget.try_grow(&mut second, 100));
    }

    #[test]
    fn more_than_everything_is_everything() {
        let budget = Budget::new(100, Duration::ZERO);
        let mut hold = Hold::default();
        assert!(budget.try_grow(&mut hold, usize::MAX));
        assert!(!budget.try_grow(&mut Hold::default(), 1));
    }
}
