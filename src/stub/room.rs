//! What a request gets that there is no room for beside what its own session has.

use super::{Findings, Stub};
use crate::{Exchange, Rule, Step, Violation, contract::Cause};

impl Stub {
    /// The refusal of a request that was decided, and whose change there is no room for: in words, what may be at most,
    /// and what it would be.
    pub fn no_room(&self, mut exchange: Exchange, expected: String, found: String) -> Exchange {
        let source = "assumed: no page says what a full service answers".to_owned();
        let violation =
            Violation { pointer: "/body".to_owned(), rule: Rule::Capacity, expected, found, source };
        let operations = self.contract.operations();
        let index =
            operations.iter().position(|operation| Some(&operation.id) == exchange.operation.as_ref());
        let findings = Findings::from(violation);
        exchange.reply = self.profile.refusal(index, Cause::Full, &findings);
        exchange.step = Step::State;
        exchange.violations = findings.violations;
        if let Some(state) = &mut exchange.state {
            state.after = state.before;
            state.resource = None;
        }
        exchange
    }
}
