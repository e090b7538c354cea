//! Where a generator's decisions come from: a seed, a recorded list, or a fuzzer's bytes.
//!
//! A case is a function of its choices. The smallest choice is always the simplest one, so a list of choices that
//! is made shorter or smaller makes a simpler case, and a source that has run out goes on with zeros.

/// A source of decisions.
pub struct Choices<'a>(Source<'a>);

enum Source<'a> {
    /// Somebody else decides: the number drawn is below the one given.
    Drawn(&'a mut dyn FnMut(u32) -> u32),
    /// A list, and how much of it is used.
    Recorded(&'a [u32], usize),
    /// A pseudo-random sequence.
    Seeded(SplitMix),
    /// A pseudo-random sequence, with the choices made so far.
    Recording(SplitMix, Vec<u32>),
}

impl<'a> Choices<'a> {
    /// The choices of the case `index` for `seed`; `stream` keeps sequences for different purposes apart.
    ///
    /// The sequence is the same on every machine and does not depend on the version of any crate.
    pub fn seeded(stream: &str, seed: u64, index: u64) -> Self {
        Self(Source::Seeded(SplitMix::new(stream, seed, index)))
    }

    /// Pseudo-random choices that can be asked for afterwards.
    pub(super) fn recording(seed: u64) -> Self {
        Self(Source::Recording(SplitMix(seed), Vec::new()))
    }

    /// The choices of this list, then zeros.
    pub fn recorded(list: &'a [u32]) -> Self {
        Self(Source::Recorded(list, 0))
    }

    /// Choices that `draw` makes: it is given a number above zero and answers a smaller one.
    pub fn drawn(draw: &'a mut dyn FnMut(u32) -> u32) -> Self {
        Self(Source::Drawn(draw))
    }

    /// How many choices were recorded or used, and the list of them when it was recorded here.
    pub(super) fn into_list(self) -> Vec<u32> {
        match self.0 {
            Source::Recording(_, list) => list,
            Source::Recorded(list, used) => list[..used.min(list.len())].to_vec(),
            Source::Drawn(_) | Source::Seeded(_) => Vec::new(),
        }
    }

    /// A number below `count`; 0 when `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if count < 2 {
            return 0;
        }
        let random = match &mut self.0 {
            Source::Drawn(draw) => return draw(count).min(count - 1) as usize,
            Source::Recorded(list, used) => {
                let choice = list.get(*used).copied().unwrap_or(0);
                *used += 1;
                choice
            }
            Source::Seeded(random) => random.next(),
            Source::Recording(random, list) => {
                let choice = random.next();
                list.push(choice);
                choice
            }
        };
        // Monotonous in the choice, unlike a remainder: a smaller choice is a simpler one.
        ((u64::from(random) * u64::from(count)) >> 32) as usize
    }

    /// True once in `count` times; not for the smallest choice.
    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) + 1 == count
    }

    /// One of the texts of `list`, which is not empty.
    pub(super) fn word<'t, S: AsRef<str>>(&mut self, list: &'t [S]) -> &'t str {
        self.pick(list).as_ref()
    }

    /// One of `list`, which is not empty.
    pub fn pick<'t, T>(&mut self, list: &'t [T]) -> &'t T {
        &list[self.below(list.len())]
    }
}

/// Sebastiano Vigna's `SplitMix64`: small, and the same for ever.
struct SplitMix(u64);

impl SplitMix {
    fn new(stream: &str, seed: u64, index: u64) -> Self {
        let mut state = Self(fnv(stream));
        for part in [seed, index] {
            state.0 ^= part;
            state.0 = state.mix();
        }
        state
    }

    fn mix(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn next(&mut self) -> u32 {
        (self.mix() >> 32) as u32
    }
}

/// The hash FNV-1a of a text.
fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_of_a_seed_never_changes() {
        let mut choices = Choices::seeded("test", 7, 0);
        let drawn: Vec<_> = (0..8).map(|_| choices.below(1000)).collect();
        let known = [94, 733, 343, 663, 350, 232, 707, 527];
        assert_eq!(
            drawn, known,
            "change this only with a note in the changelog: every seed gives other cases then"
        );
    }

    #[test]
    fn a_list_that_has_run_out_goes_on_with_zeros() {
        let mut choices = Choices::recorded(&[u32::MAX]);
        assert_eq!((choices.below(10), choices.below(10), choices.one_in(10)), (9, 0, false));
    }

    #[test]
    fn recorded_choices_can_be_replayed() {
        let mut choices = Choices::recording(3);
        let first: Vec<_> = (2..9).map(|count| choices.below(count)).collect();
        let list = choices.into_list();
        let mut choices = Choices::recorded(&list);
        assert_eq!(first, (2..9).map(|count| choices.below(count)).collect::<Vec<_>>());
    }
}
