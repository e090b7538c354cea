//! The one place where labels and verdicts meet.

use std::sync::Arc;

use crate::{
    Contract, Rule, Settings, Step, Stub, TokenPolicy,
    payload::{Case, Credentials, Expect, Label},
};

/// Stubs whose verdicts are compared with labels.
pub struct Verdicts {
    /// With the default settings.
    pub(super) default: Stub,
    /// With signature and time of tokens checked.
    pub(super) verified: Stub,
}

impl Verdicts {
    /// The verdicts on requests of this contract.
    pub fn new(contract: &Arc<Contract>) -> Self {
        let token = TokenPolicy::Verified(Credentials::default().secret);
        Self {
            default: Stub::new(Arc::clone(contract), Settings::default()),
            verified: Stub::new(Arc::clone(contract), Settings { token, ..Settings::default() }),
        }
    }

    /// Panics unless the verdict on a case is what its label says.
    pub fn confirm(&self, case: &Case) {
        let (rule, pointer) = match &case.label {
            Label::Mutant { rule, pointer, .. } => (*rule, pointer.as_str()),
            Label::Valid => (None, ""),
        };
        let expect = case.label.expect();
        check(case, &self.default, rule.filter(|_| expect == Expect::Refused), pointer);
        if expect == Expect::RefusedWhenVerified || pointer.starts_with("/header/") {
            check(case, &self.verified, rule, pointer);
        }
    }
}

fn check(case: &Case, stub: &Stub, rule: Option<Rule>, pointer: &str) {
    let exchange = stub.respond(case.request.clone());
    let found: Vec<_> = exchange.violations.iter().map(|v| (v.pointer.as_str(), v.rule)).collect();
    let wanted: Vec<_> = rule.map(|rule| (pointer, rule)).into_iter().collect();
    assert_eq!(found, wanted, "{case}\n{}", excerpt(case));
    assert_eq!(exchange.step == Step::Answer, rule.is_none(), "{case}\n{}", excerpt(case));
}

/// The beginning of a case's body.
fn excerpt(case: &Case) -> String {
    String::from_utf8_lossy(&case.request.body).chars().take(2000).collect()
}
