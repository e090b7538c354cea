//! The front end for proptest: a case is made from a list of choices, and shrinks with the list.

use proptest::{
    prelude::Rng,
    strategy::{NewTree, Strategy, ValueTree},
    test_runner::TestRunner,
};

use super::{Case, Choices, Generator};
use crate::Operation;

/// Valid requests of an operation, as a proptest strategy.
pub fn valid(operation: &Operation) -> Cases {
    Cases { generator: Generator::new(operation), mutants: false }
}

/// Requests of an operation with one change each, as a proptest strategy.
///
/// Whether a mutant must be refused, where and by which rule is in its label, and stays true while it shrinks:
///
/// ```
/// use proptest::prelude::*;
/// use standin::{Contract, Settings, Stub, payload};
///
/// let contract = Contract::builtin();
/// let stub = Stub::new(contract.clone(), Settings::default());
/// let operation = contract.operation("updateAgent").unwrap();
///
/// proptest!(ProptestConfig::with_cases(32), |(case in payload::mutants(operation))| {
///     let exchange = stub.respond(case.request.clone());
///     let found = exchange.violations.first().map(|v| (v.pointer.as_str(), v.rule));
///     prop_assert_eq!(found, case.label.violation(), "{}", case);
/// });
/// ```
pub fn mutants(operation: &Operation) -> Cases {
    Cases { generator: Generator::new(operation), mutants: true }
}

/// A strategy that makes the cases of a [`Generator`].
#[derive(Clone, Debug)]
pub struct Cases {
    generator: Generator,
    mutants: bool,
}

impl Cases {
    fn make(&self, choices: &mut Choices) -> Option<Case> {
        if self.mutants { self.generator.try_mutant(choices).ok() } else { self.generator.try_valid(choices) }
    }
}

impl Strategy for Cases {
    type Tree = CaseTree;
    type Value = Case;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        for _ in 0..super::generator::ATTEMPTS {
            let mut choices = Choices::recording(runner.rng().next_u64());
            if let Some(case) = self.make(&mut choices) {
                let list = choices.into_list();
                return Ok(CaseTree { cases: self.clone(), case, list, step: Step::Cut(8), before: None });
            }
        }
        Err("no case could be proved".into())
    }
}

/// A case and the choices that make it.
#[derive(Clone, Debug)]
pub struct CaseTree {
    cases: Cases,
    case: Case,
    list: Vec<u32>,
    step: Step,
    /// What there was before the last step.
    before: Option<(Case, Vec<u32>)>,
}

/// The next thing to try in order to make the case simpler.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Leave out the last choices: the list's length halved this many times.
    Cut(u32),
    /// Make a run of choices zero: its length as a power of two, and where it starts.
    Zero(u32, usize),
    /// Halve the choice at this position.
    Halve(usize),
    Done,
}

impl ValueTree for CaseTree {
    type Value = Case;

    fn current(&self) -> Case {
        self.case.clone()
    }

    fn simplify(&mut self) -> bool {
        while let Some(list) = self.next() {
            if let Some(case) = self.cases.make(&mut Choices::recorded(&list))
                && case != self.case
            {
                let case = std::mem::replace(&mut self.case, case);
                let list = std::mem::replace(&mut self.list, list);
                self.before = Some((case, list));
                return true;
            }
        }
        false
    }

    fn complicate(&mut self) -> bool {
        let Some((case, list)) = self.before.take() else {
            return false;
        };
        self.case = case;
        self.list = list;
        // That did not work; on to the next.
        self.step = match self.step {
            Step::Halve(at) => Step::Halve(at + 1),
            step => step,
        };
        self.simplify()
    }
}

impl CaseTree {
    /// The list that the next step makes; none when there are no more steps.
    fn next(&mut self) -> Option<Vec<u32>> {
        loop {
            let length = self.list.len();
            match self.step {
                Step::Cut(halvings) => {
                    self.step = if halvings > 0 { Step::Cut(halvings - 1) } else { Step::Zero(5, 0) };
                    let keep = length - (length >> halvings);
                    if keep < length {
                        return Some(self.list[..keep].to_vec());
                    }
                }
                Step::Zero(power, at) => {
                    let run = 1 << power;
                    if at >= length {
                        self.step = if power == 0 { Step::Halve(0) } else { Step::Zero(power - 1, 0) };
                        continue;
                    }
                    self.step = Step::Zero(power, at + run);
                    let end = (at + run).min(length);
                    if self.list[at..end].iter().any(|choice| *choice > 0) {
                        let mut list = self.list.clone();
                        list[at..end].fill(0);
                        return Some(list);
                    }
                }
                Step::Halve(at) => {
                    if at >= length {
                        self.step = Step::Done;
                    } else if self.list[at] < 1 << 20 {
                        self.step = Step::Halve(at + 1);
                    } else {
                        let mut list = self.list.clone();
                        list[at] /= 2;
                        return Some(list);
                    }
                }
                Step::Done => return None,
            }
        }
    }
}
