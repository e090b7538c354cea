//! An expectation that is not met, in words for whoever reads the output of a test.

use std::{
    error,
    fmt::{self, Write},
};

use super::{Expectation, Journal, Miss, Verdict};
use crate::{Difference, Exchange, counted::counted};

/// Why an [`Expectation`] is not met: how many exchanges were expected and found, and the nearest misses with what
/// differs in each.
///
/// Its `Debug` form is the same text, because that is what `unwrap` prints.
#[derive(Clone, Eq, PartialEq)]
pub struct Unmet(String);

/// The numbers of the exchanges that match, or why the expectation is not met.
pub(super) fn check(journal: &Journal, expectation: &Expectation) -> Result<Vec<u64>, Unmet> {
    let expected = counted(expectation.amount(), "matching exchange");
    match journal.verify(expectation) {
        Verdict::Held { ids } => Ok(ids),
        Verdict::Failed { ids, misses } => {
            let mut text = format!("expected {expected}, but found {}", ids.len());
            if misses.is_empty() && ids.is_empty() {
                text.push_str("; nothing was received");
            }
            for miss in &misses {
                tell(journal, miss, &mut text);
            }
            Err(Unmet(text))
        }
        Verdict::Unknown { dropped, forgotten } => Err(Unmet(format!(
            "expected {expected}, but it depends on exchanges that have gone: \
             {dropped} dropped for want of room, {forgotten} cleared"
        ))),
    }
}

/// Appends lines about a miss. Writing to a string does not fail.
fn tell(journal: &Journal, miss: &Miss, text: &mut String) {
    let _ = write!(text, "\n  exchange {} differs", miss.id);
    if let Some(recorded) = journal.get(miss.id) {
        let Exchange { request, reply, .. } = &recorded.exchange;
        let _ = write!(text, " ({} {}: {})", request.method, request.target, reply.status);
    }
    for Difference { pointer, expected, found } in &miss.differences {
        let _ = write!(text, "\n    {pointer}: expected {expected}, but found {found}");
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Targets and bodies come from a client, and this is read at a terminal.
        for part in self.0.split_inclusive(|c: char| c.is_control() && c != '\n') {
            let text = part.trim_end_matches(|c: char| c.is_control() && c != '\n');
            f.write_str(text)?;
            part[text.len()..].chars().try_for_each(|control| write!(f, "{}", control.escape_default()))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl error::Error for Unmet {}

#[cfg(test)]
mod tests {
    use crate::{
        Expectation, Request,
        journal::tests::{exchange, journal},
    };

    fn unmet(journal: &super::Journal, json: &str) -> String {
        let expectation = Expectation::from_json(json.as_bytes()).unwrap();
        format!("{:?}", journal.expect(&expectation).unwrap_err())
    }

    #[test]
    fn it_says_what_was_expected_and_found_and_what_came_nearest() {
        let journal = journal(1, 0);
        let json = r#"{"operation": "createAgent", "body": {"a": 1}, "count": 1}"#;
        assert_eq!(unmet(&journal, json), "expected 1 matching exchange, but found 0; nothing was received");

        let mut other = exchange("createAgent", r#"{"a":2}"#);
        other.request = Request { target: "/a\u{1b}[31m".into(), ..other.request };
        journal.record(other);
        assert_eq!(
            unmet(&journal, json),
            "expected 1 matching exchange, but found 0\n  exchange 1 differs (POST /a\\u{1b}[31m: 200)\n    \
             /body/a: expected 1, but found 2"
        );

        journal.record(exchange("createAgent", r#"{"a":3}"#));
        assert_eq!(
            unmet(&journal, r#"{"after": 0, "count": 2}"#),
            "expected 2 matching exchanges, but it depends on exchanges that have gone: \
             1 dropped for want of room, 0 cleared"
        );
    }

    #[test]
    fn it_gives_the_numbers_of_what_matches_when_it_is_met() {
        let journal = journal(9, 2);
        assert_eq!(journal.expect(&Expectation { at_least: 2, ..Expectation::default() }), Ok(vec![1, 2]));
    }
}
