//! Numbers by chance, which are the same in every run.

use sha2::{Digest, Sha256};

/// What falls to one match of a script: some numbers that follow from the seed, the session, the script's id and how many
/// matches there were, and from nothing else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Draw {
    /// Decides whether the script acts; from 0 up, and less than 1.
    pub(super) acts: f64,
    /// How much of a range there is.
    pub(super) share: f64,
    /// A number of the standard normal distribution.
    pub(super) normal: f64,
}

impl Draw {
    pub(super) fn new(seed: u64, session: &str, id: &str, count: u64) -> Self {
        let mut digest = Sha256::new();
        digest.update(seed.to_le_bytes());
        digest.update(count.to_le_bytes());
        // No session has such a byte in its name.
        digest.update(session);
        digest.update([0]);
        digest.update(id);
        let bytes = digest.finalize();
        let mut units = bytes.chunks_exact(8).map(unit);
        let mut next = || units.next().unwrap_or_default();
        let (acts, share, radius, angle) = (next(), next(), next(), next());
        // Box and Muller's method; 0 has no logarithm.
        let normal = (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos();
        Self { acts, share, normal }
    }
}

/// Eight bytes as a number from 0 up that is less than 1; a double has 53 bits for it.
#[allow(clippy::cast_precision_loss)] // 53 bits are what a double holds
fn unit(bytes: &[u8]) -> f64 {
    let number = bytes.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_follows_from_seed_session_script_and_count_alone() {
        let one = Draw::new(1, "a", "flaky", 1);

        assert_eq!(Draw::new(1, "a", "flaky", 1), one);
        for other in [
            Draw::new(2, "a", "flaky", 1),
            Draw::new(1, "b", "flaky", 1),
            Draw::new(1, "a", "flaky-2", 1),
            Draw::new(1, "a", "flaky", 2),
        ] {
            assert_ne!(other, one);
        }
    }

    #[test]
    fn draws_are_spread_evenly() {
        let draws: Vec<_> = (0..10_000).map(|count| Draw::new(7, "default", "x", count)).collect();
        for part in 0..10 {
            let from = f64::from(part) / 10.0;
            let within = |number: f64| number >= from && number < from + 0.1;
            for count in [
                draws.iter().filter(|draw| within(draw.acts)).count(),
                draws.iter().filter(|draw| within(draw.share)).count(),
            ] {
                assert!((850..1150).contains(&count), "{part}: {count}");
            }
        }
        assert!(draws.iter().all(|draw| draw.normal.is_finite()));
    }
}
