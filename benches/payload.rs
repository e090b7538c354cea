//! How fast cases are made: valid ones, and mutants with their proof.

use std::hint::black_box;

use divan::{Bencher, counter::ItemsCount};
use standin::{Contract, payload::Generator};

fn main() {
    divan::main();
}

const OPERATIONS: [&str; 5] = ["createAgent", "updateAgent", "importData", "importDataV2", "createQueue"];
const BATCH: u64 = 1000;

#[divan::bench(args = OPERATIONS)]
fn valid(bencher: Bencher, operation: &str) {
    let generator = Generator::new(Contract::builtin().operation(operation).unwrap());
    bencher.counter(ItemsCount::new(BATCH)).bench(|| {
        for index in 0..BATCH {
            black_box(generator.valid_at(1, index));
        }
    });
}

#[divan::bench(args = OPERATIONS)]
fn mutants(bencher: Bencher, operation: &str) {
    let generator = Generator::new(Contract::builtin().operation(operation).unwrap());
    bencher.counter(ItemsCount::new(BATCH)).bench(|| {
        for index in 0..BATCH {
            black_box(generator.mutant_at(1, index));
        }
    });
}
