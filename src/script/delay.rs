//! How long a reply waits.

use std::time::Duration;

use super::draw::Draw;

/// How long a reply waits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Delay {
    /// Not at all.
    #[default]
    None,
    /// Any time from the first to the second, each as likely as the other.
    Between(Duration, Duration),
    /// Always the same.
    Fixed(Duration),
    /// As networks and services do, now and then much longer: half of all waits are not above `median`, and one in twenty is
    /// above `p95`.
    LogNormal { median: Duration, p95: Duration },
}

impl Delay {
    /// The time that falls to a match, in whole microseconds; as much as there is of a time that is out of bounds.
    pub(super) fn drawn(self, draw: &Draw) -> Duration {
        let seconds = match self {
            Self::None => return Duration::ZERO,
            Self::Fixed(time) => return time,
            Self::Between(from, to) => {
                from.as_secs_f64() + to.saturating_sub(from).as_secs_f64() * draw.share
            }
            Self::LogNormal { median, p95 } => {
                let median = median.as_secs_f64();
                let deviation = (p95.as_secs_f64() / median).ln() / Z95;
                median * (deviation * draw.normal).exp()
            }
        };
        let time = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        // More would only be noise, and no clock would show it.
        Duration::from_micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
    }

    /// The longest that is asked for by name.
    pub(super) fn longest(self) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Between(_, longest) | Self::Fixed(longest) | Self::LogNormal { p95: longest, .. } => {
                longest
            }
        }
    }
}

/// What 95 % of the standard normal distribution lie below.
const Z95: f64 = 1.644_853_626_951_472_2;

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(delay: Delay) -> Vec<Duration> {
        let mut times: Vec<_> =
            (0..10_000).map(|count| delay.drawn(&Draw::new(3, "default", "slow", count))).collect();
        times.sort_unstable();
        times
    }

    fn near(found: Duration, expected: Duration) -> bool {
        let ratio = found.as_secs_f64() / expected.as_secs_f64();
        (0.95..1.05).contains(&ratio)
    }

    #[test]
    fn a_log_normal_delay_has_the_median_and_the_p95_that_were_asked_for() {
        for (median, p95) in [(200, 1000), (50, 60), (1, 5000)] {
            let (median, p95) = (Duration::from_millis(median), Duration::from_millis(p95));
            let times = drawn(Delay::LogNormal { median, p95 });
            let wide = (p95.as_secs_f64() / median.as_secs_f64()).ln() / Z95;
            // The steeper the distribution, the more two draws beside each other differ.
            let bound = |expected: Duration| expected.mul_f64((0.05 * wide).exp());
            for (found, expected) in [(times[5_000], median), (times[9_500], p95)] {
                assert!(
                    found <= bound(expected) && expected <= bound(found) || near(found, expected),
                    "{median:?} {p95:?}: {found:?}, {expected:?}"
                );
            }
        }
    }

    #[test]
    fn a_range_is_kept_to_and_used_evenly() {
        let (from, to) = (Duration::from_secs(1), Duration::from_secs(3));
        let times = drawn(Delay::Between(from, to));

        assert!(times[0] >= from && times[9_999] <= to);
        assert!(near(times[5_000], Duration::from_secs(2)), "{:?}", times[5_000]);
    }

    #[test]
    fn a_fixed_delay_is_the_same_each_time() {
        let time = Duration::from_millis(1500);
        assert!(drawn(Delay::Fixed(time)).iter().all(|drawn| *drawn == time));
        assert!(drawn(Delay::None).iter().all(Duration::is_zero));
    }

    #[test]
    fn a_median_that_is_the_p95_is_a_fixed_delay() {
        let time = Duration::from_millis(5);
        assert!(drawn(Delay::LogNormal { median: time, p95: time }).iter().all(|drawn| *drawn == time));
    }
}
