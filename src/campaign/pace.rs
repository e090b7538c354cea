//! How fast requests may follow each other.

use std::{cell::Cell, time::Duration};

use tokio::time::{Instant, sleep_until};

/// Lets requests go one after the other where a rate or the server asks for it.
pub(super) struct Pace {
    interval: Option<Duration>,
    /// When the next request may go by the rate.
    next: Cell<Instant>,
    /// Until when nothing goes, as the server asks.
    held: Cell<Instant>,
}

impl Pace {
    /// So many requests in a second at most; as many as there are without.
    pub(super) fn new(rate: Option<u32>) -> Self {
        let interval = rate.filter(|rate| *rate > 0).map(|rate| Duration::from_secs(1) / rate);
        let now = Instant::now();
        Self { interval, next: Cell::new(now), held: Cell::new(now) }
    }

    /// Waits until a request may go.
    pub(super) async fn turn(&self) {
        loop {
            let now = Instant::now();
            let turn = now.max(self.next.get()).max(self.held.get());
            if let Some(interval) = self.interval {
                self.next.set(turn + interval);
            }
            if turn > now {
                sleep_until(turn).await;
            }
            // The server may have asked to wait longer meanwhile.
            if self.held.get() <= turn {
                return;
            }
        }
    }

    /// Nothing goes for a time.
    pub(super) fn hold(&self, time: Duration) {
        self.held.set(self.held.get().max(Instant::now() + time));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_follow_each_other_as_the_rate_says() {
        // The clock of the runtime stands still but for what is waited for.
        let start = tokio::time::Instant::now();
        let pace = Pace::new(Some(10));
        for _ in 0..5 {
            pace.turn().await;
        }
        assert!(start.elapsed() >= Duration::from_millis(300), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_turn_heeds_what_the_server_asks_meanwhile() {
        for rate in [None, Some(10)] {
            let start = Instant::now();
            let pace = Pace::new(rate);
            pace.turn().await;
            pace.hold(Duration::from_millis(50));
            let wait = async {
                pace.turn().await;
                start.elapsed()
            };
            let (waited, ()) = tokio::join!(wait, async { pace.hold(Duration::from_secs(5)) });
            assert!(waited >= Duration::from_secs(5), "{rate:?}: {waited:?}");
        }
    }
}
