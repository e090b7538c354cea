//! Labels and verdicts check each other: what the generators say of a request, the stub finds, and the other way round.

// The counts are there to be read.
#![allow(clippy::print_stdout)]

use std::{collections::BTreeMap, sync::Arc};

use standin::{
    Contract, Exchange, Rule, Settings, Step, Stub, TokenPolicy,
    payload::{Case, Choices, Credentials, Expect, Generator, Label, Operator},
};

const CASES: u64 = 20_000;

struct Judge {
    default: Stub,
    verified: Stub,
}

impl Judge {
    fn new(contract: &Arc<Contract>) -> Self {
        let token = TokenPolicy::Verified(Credentials::default().secret);
        Self {
            default: Stub::new(Arc::clone(contract), Settings::default()),
            verified: Stub::new(Arc::clone(contract), Settings { token, ..Settings::default() }),
        }
    }

    /// Panics unless the stub's verdict is the label's.
    fn agree(&self, case: &Case) {
        let (rule, pointer) = match &case.label {
            Label::Valid => (None, ""),
            Label::Mutant { rule, pointer, .. } => (*rule, pointer.as_str()),
        };
        let expect = match &case.label {
            Label::Mutant { expect, .. } => *expect,
            Label::Valid => Expect::Valid,
        };
        let by_default = self.default.respond(case.request.clone());
        check(case, &by_default, rule.filter(|_| expect == Expect::Refused), pointer);
        if expect == Expect::RefusedWhenVerified || pointer.starts_with("/header/") {
            check(case, &self.verified.respond(case.request.clone()), rule, pointer);
        }
    }
}

fn check(case: &Case, exchange: &Exchange, rule: Option<Rule>, pointer: &str) {
    let found: Vec<_> = exchange.violations.iter().map(|v| (v.pointer.as_str(), v.rule)).collect();
    let wanted: Vec<_> = rule.map(|rule| (pointer, rule)).into_iter().collect();
    let body = String::from_utf8_lossy(&case.request.body);
    let excerpt: String = body.chars().take(2000).collect();
    assert_eq!(found, wanted, "{case}\n{excerpt}");
    assert_eq!(exchange.step == Step::Answer, rule.is_none(), "{case}\n{excerpt}");
}

/// Attempts at each operator, and how many of them could not be proved.
#[derive(Default)]
struct Tally(BTreeMap<Operator, (u64, u64)>);

impl Tally {
    fn count(&mut self, operator: Operator, is_discarded: bool) {
        let (attempts, discarded) = self.0.entry(operator).or_default();
        *attempts += 1;
        *discarded += u64::from(is_discarded);
    }

    fn print(&self, title: &str) {
        println!("{title}");
        for (operator, (attempts, discarded)) in &self.0 {
            println!("  {:<20} {attempts:>7} {discarded:>6} discarded", operator.name());
        }
    }
}

fn agreement(contract: &Arc<Contract>, operation: &str, cases: u64) -> Tally {
    let judge = Judge::new(contract);
    let generator = Generator::new(contract.operation(operation).unwrap());
    let mut tally = Tally::default();
    let mut discarded = 0;
    for index in 0..cases {
        match generator.try_valid(&mut Choices::seeded("agreement valid", 1, index)) {
            Some(case) => judge.agree(&case),
            None => discarded += 1,
        }
        match generator.try_mutant(&mut Choices::seeded("agreement mutant", 1, index)) {
            Ok(case) => {
                let Label::Mutant { operator, .. } = &case.label else {
                    panic!("{case}");
                };
                tally.count(*operator, false);
                judge.agree(&case);
            }
            Err(operator) => tally.count(operator, true),
        }
    }
    tally.print(&format!("{operation}: {cases} valid ({discarded} discarded), {cases} mutants"));
    assert!(discarded * 20 < cases, "{operation}: {discarded} of {cases} valid cases are not proved");
    for operator in generator.operators() {
        let (attempts, discarded) = tally.0.get(&operator).copied().unwrap_or_default();
        assert!(attempts > discarded, "{operation}: {operator} never gave a case");
        assert!(
            discarded * 20 <= attempts,
            "{operation}: {discarded} of {attempts} cases of {operator} are not proved"
        );
    }
    tally
}

#[test]
fn labels_and_verdicts_agree_on_create_agent() {
    agreement(&Contract::builtin(), "createAgent", CASES);
}

#[test]
fn labels_and_verdicts_agree_on_update_agent() {
    agreement(&Contract::builtin(), "updateAgent", CASES);
}

#[test]
fn labels_and_verdicts_agree_on_import_data() {
    agreement(&Contract::builtin(), "importData", CASES);
}

#[test]
fn labels_and_verdicts_agree_on_import_data_v2() {
    agreement(&Contract::builtin(), "importDataV2", CASES);
}

#[test]
fn labels_and_verdicts_agree_on_create_queue() {
    agreement(&Contract::builtin(), "createQueue", CASES);
}
