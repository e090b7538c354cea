//! Which exchanges are asked for.

use crate::{Outcome, Recorded};

/// Which exchanges are asked for: those that meet every condition that is set.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Filter {
    /// The operation's id.
    pub operation: Option<String>,
    /// The status of the reply.
    pub status: Option<u16>,
    /// What became of the request.
    pub outcome: Option<Outcome>,
    /// A part of the target, of the request's body, or of a violation's pointer or message.
    pub contains: Option<String>,
    /// Only exchanges with a higher number.
    pub after: u64,
}

impl Filter {
    /// Whether the exchange meets every condition that is set.
    pub fn matches(&self, recorded: &Recorded) -> bool {
        let exchange = &recorded.exchange;
        recorded.id > self.after
            && self.status.is_none_or(|status| status == exchange.reply.status)
            && self.outcome.is_none_or(|outcome| outcome == exchange.outcome())
            && self
                .operation
                .as_deref()
                .is_none_or(|operation| exchange.operation.as_deref() == Some(operation))
            && self.contains.as_deref().is_none_or(|text| contains(recorded, text))
    }
}

fn contains(recorded: &Recorded, text: &str) -> bool {
    let exchange = &recorded.exchange;
    exchange.request.target.contains(text)
        || find(&exchange.request.body, text)
        || exchange
            .violations
            .iter()
            .any(|violation| violation.pointer.contains(text) || violation.message().contains(text))
}

fn find(body: &[u8], text: &str) -> bool {
    match std::str::from_utf8(body) {
        Ok(body) => body.contains(text),
        Err(_) if text.is_empty() => true,
        Err(_) => body.windows(text.len()).any(|window| window == text.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Delivery, DeliveryCell, Rule, Step, Violation, journal::tests::exchange};

    fn recorded() -> Recorded {
        let mut exchange = exchange("createAgent", r#"{"emailId":"foo"}"#);
        exchange.step = Step::Validate;
        exchange.reply.status = 412;
        exchange.violations.push(Violation {
            pointer: "/body/emailId".into(),
            rule: Rule::Format,
            expected: "an e-mail address".into(),
            found: "`foo`".into(),
            source: "observed".into(),
        });
        Recorded { id: 7, exchange, delivery: DeliveryCell::new(Delivery::Sent) }
    }

    #[track_caller]
    fn check(expected: bool, filter: &Filter) {
        assert_eq!(filter.matches(&recorded()), expected, "{filter:?}");
    }

    #[test]
    fn no_condition_takes_everything() {
        check(true, &Filter::default());
    }

    #[test]
    fn each_condition_takes_and_leaves() {
        for (expected, operation) in [(true, "createAgent"), (false, "createQueue")] {
            let operation = Some(operation.to_owned());
            check(expected, &Filter { operation, ..Filter::default() });
        }
        for (expected, status) in [(true, 412), (false, 200)] {
            let status = Some(status);
            check(expected, &Filter { status, ..Filter::default() });
        }
        for (expected, outcome) in [(true, Outcome::Refused), (false, Outcome::Answered)] {
            let outcome = Some(outcome);
            check(expected, &Filter { outcome, ..Filter::default() });
        }
        for (expected, after) in [(true, 6), (false, 7)] {
            check(expected, &Filter { after, ..Filter::default() });
        }
    }

    #[test]
    fn a_text_is_looked_for_in_target_body_pointer_and_message() {
        for (expected, text) in [
            (true, "/createAgent"),
            (true, r#"emailId":"f"#),
            (true, "/body/emailId"),
            (true, "but found `foo`"),
            (false, "application/json"),
        ] {
            let contains = Some(text.to_owned());
            check(expected, &Filter { contains, ..Filter::default() });
        }
    }

    #[test]
    fn a_text_is_found_in_a_body_that_is_no_text() {
        assert!(find(b"\xff\x00guru\xfe", "guru"));
        assert!(!find(b"\xff", "guru"));
        assert!(find(b"\xff", ""));
    }
}
