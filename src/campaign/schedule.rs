//! What is tried, in which order.

use super::ground::Ground;

/// How many valid cases of an operation come first.
const VALID: u64 = 30;
/// How often every sequence is tried before chance decides.
const SEQUENCES: u64 = 3;

/// One thing to try.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Job {
    /// The sample of this position.
    Sample { operation: usize, sample: usize },
    /// A valid case.
    Valid { operation: usize, index: u64 },
    /// A place of the operation.
    Place { operation: usize, place: usize },
    /// A mutant wherever chance has it.
    Mutant { operation: usize, index: u64 },
    /// A sequence of requests about one resource.
    Sequence { operation: usize, how: How, index: u64 },
}

/// How a case is tried.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum How {
    /// It is sent.
    Once,
    /// It is sent, and then something valid on the same connection.
    Followed,
    /// It is sent twice.
    Twice,
    /// What it makes is read.
    ReadCreated,
    /// What it makes is changed and read.
    ReadUpdated,
    /// What it makes is deleted and read.
    ReadDeleted,
    /// It is refused, and what it would have made can be made afterwards.
    CreateAgain,
}

impl How {
    pub(super) const SEQUENCES: [Self; 4] =
        [Self::ReadCreated, Self::ReadUpdated, Self::ReadDeleted, Self::CreateAgain];

    /// The sequence's name; none where it is no sequence.
    pub(super) fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Followed | Self::Once | Self::Twice => return None,
            Self::ReadCreated => "createThenRead",
            Self::ReadUpdated => "createThenUpdate",
            Self::ReadDeleted => "createThenDelete",
            Self::CreateAgain => "failedCreate",
        })
    }
}

/// The order of everything: samples, valid cases, every place, sequences, and then chance where there is a budget.
pub(super) struct Schedule {
    /// What is known beforehand.
    planned: Vec<Job>,
    at: usize,
    operations: Vec<usize>,
    /// The operations for chance to choose among.
    among: Vec<usize>,
    sequences: Vec<(usize, How)>,
    /// Whether chance goes on when everything planned is done.
    goes_on: bool,
    only_mutants: bool,
    drawn: u64,
}

impl Schedule {
    pub(super) fn new(
        ground: &Ground,
        samples: impl Fn(usize) -> usize,
        sequences: Vec<(usize, How)>,
        goes_on: bool,
        only_mutants: bool,
    ) -> Self {
        let operations: Vec<_> = ground.chosen().map(|ready| ready.position).collect();
        let mut planned = Vec::new();
        for &operation in &operations {
            planned.extend((0..samples(operation)).map(|sample| Job::Sample { operation, sample }));
        }
        let valid = if only_mutants { 1 } else { VALID };
        for &operation in &operations {
            planned.extend((0..valid).map(|index| Job::Valid { operation, index }));
        }
        for ready in ground.chosen() {
            let operation = ready.position;
            planned.extend((0..ready.places.len()).map(|place| Job::Place { operation, place }));
        }
        for index in 0..SEQUENCES {
            planned.extend(sequences.iter().map(|&(operation, how)| Job::Sequence { operation, how, index }));
        }
        let has_any = |ready: &&super::ground::Ready| !only_mutants || !ready.places.is_empty();
        let among = ground.chosen().filter(has_any).map(|ready| ready.position).collect();
        Self { planned, at: 0, operations, among, sequences, goes_on, only_mutants, drawn: 0 }
    }

    /// The operation whose places are tried now, as a position among those chosen.
    pub(super) fn operation(&self) -> usize {
        let job = self.planned.get(self.at).copied();
        let operation = match job {
            Some(Job::Place { operation, .. }) => operation,
            Some(Job::Sample { .. } | Job::Valid { .. }) => return 0,
            _ => return self.operations.len(),
        };
        self.operations.iter().position(|other| *other == operation).unwrap_or_default()
    }

    pub(super) fn next(&mut self) -> Option<Job> {
        if let Some(job) = self.planned.get(self.at) {
            self.at += 1;
            return Some(*job);
        }
        if !self.goes_on || self.among.is_empty() {
            return None;
        }
        let drawn = self.drawn;
        self.drawn += 1;
        let count = self.among.len() as u64;
        let operation = self.among[usize::try_from(drawn % count).unwrap_or_default()];
        let round = drawn / count;
        if round % 32 == 31 && !self.sequences.is_empty() {
            let at = usize::try_from((round / 32 * count + drawn % count) % self.sequences.len() as u64);
            let (operation, how) = self.sequences[at.unwrap_or_default()];
            return Some(Job::Sequence { operation, how, index: SEQUENCES + round });
        }
        Some(if round.is_multiple_of(2) && !self.only_mutants {
            Job::Valid { operation, index: VALID + round }
        } else {
            Job::Mutant { operation, index: round }
        })
    }
}
