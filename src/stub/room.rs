//! What a request gets that there is no room for beside what its own session has.

use super::{Findings, Stub};
use crate::{Exchange, Rule, Step, Violation, contract::Cause};

impl Stub {
    /// The refusal of a request that was decided, and whose change there is no room for: in words, what may be at most,
    /// and what it would be. A script's reply is gone with what it was to replace; its delay and its fault hold for the refusal.
    pub fn no_room(&self, mut exchange: Exchange, expected: String, found: String) -> Exchange {
        let source = "assumed: no page says what a full service answers".to_owned();
        let violation =
            Violation { pointer: "/body".to_owned(), rule: Rule::Capacity, expected, found, source };
        let operations = self.contract.operations();
        let index =
            operations.iter().position(|operation| Some(&operation.id) == exchange.operation.as_ref());
        let findings = Findings::from(violation);
        let mut reply = self.profile.refusal(index, Cause::Full, &findings);
        self.say_of_request(&mut reply, &exchange);
        exchange.reply = reply;
        exchange.step = Step::State;
        if let Some(scripted) = &mut exchange.scripted {
            scripted.decided = None;
            scripted.breaches.clear();
        }
        exchange.violations = findings.violations;
        if let Some(state) = &mut exchange.state {
            state.after = state.before;
            state.resource = None;
        }
        exchange
    }
}
