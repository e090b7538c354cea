//! The front end for fuzzers: `Case` from arbitrary bytes.

use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};

use super::{Case, Choices, Generator};
use crate::Contract;

/// A generator for each operation of the built-in contract.
static GENERATORS: LazyLock<Vec<Generator>> =
    LazyLock::new(|| Contract::builtin().operations().iter().map(Generator::new).collect());

/// A case of any operation of the built-in contract. Bytes that run out make a simple case.
impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let mut draw = |count: u32| u.int_in_range(0..=count - 1).unwrap_or(0);
        let mut choices = Choices::drawn(&mut draw);
        let generator = choices.pick(&GENERATORS);
        let case = if choices.below(4) == 0 {
            generator.valid(&mut choices)
        } else {
            generator.mutant(&mut choices)
        };
        case.or_else(|| generator.valid(&mut Choices::recorded(&[]))).ok_or(arbitrary::Error::IncorrectFormat)
    }

    fn size_hint(_depth: usize) -> (usize, Option<usize>) {
        // Every byte counts up to a point; none is needed.
        (0, Some(2048))
    }
}
