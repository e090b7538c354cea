//! What a test expects to have been received, and whether it was.

use std::cmp::Reverse;

use serde::Serialize;

use super::Journal;
use crate::{Difference, Matcher, MatcherError, Recorded, matching::Members};

/// What a test expects to have been received: how many exchanges that look like this.
///
/// ```
/// use standin::{Contract, Expectation, Journal, JournalLimits, Request, Settings, Stub, Verdict};
///
/// let stub = Stub::new(Contract::builtin(), Settings::default());
/// let journal = Journal::new(JournalLimits::default());
/// let request = Request::new("POST", "/nowhere").body(r#"{"firstName": "Ada", "lastName": "L"}"#);
/// journal.record(stub.respond(request));
///
/// let expectation = Expectation::from_json(br#"{"body": {"firstName": "Ada"}, "count": 1}"#)?;
/// assert_eq!(journal.verify(&expectation), Verdict::Held { ids: vec![1] });
/// # Ok::<(), standin::MatcherError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// What they look like.
    pub matcher: Matcher,
    /// Only exchanges with a higher number count; everything since the latest clear when it is not set.
    pub after: Option<u64>,
    /// The fewest exchanges that it takes.
    pub at_least: u64,
    /// The most exchanges that are fine.
    pub at_most: Option<u64>,
}

impl Default for Expectation {
    /// At least one exchange, of any kind.
    fn default() -> Self {
        Self { matcher: Matcher::default(), after: None, at_least: 1, at_most: None }
    }
}

/// Whether an [`Expectation`] is met.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It is not, whatever has gone from the journal.
    Failed {
        /// The exchanges that match.
        ids: Vec<u64>,
        /// The exchanges that come nearest, best first; none when there are too many matches rather than too few.
        misses: Vec<Miss>,
    },
    /// It is, whatever has gone from the journal.
    Held {
        /// The exchanges that match.
        ids: Vec<u64>,
    },
    /// It depends on exchanges that have gone.
    Unknown {
        /// Exchanges past `after` that went for want of room.
        dropped: u64,
        /// Exchanges past `after` that went with a clear; none unless `after` is set.
        forgotten: u64,
    },
}

/// An exchange that nearly matched.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Miss {
    /// Its number.
    pub id: u64,
    /// How many of the expected values it has.
    pub matching: u64,
    /// What differs, at most [`Matcher::MAX_DIFFERENCES`] of it.
    pub differences: Vec<Difference>,
}

impl Expectation {
    /// Reads the members of a [`Matcher`] and `{"after", "count" | "atLeast", "atMost"}`, each of them optional; null is
    /// as good as absent.
    pub fn from_json(json: &[u8]) -> Result<Self, MatcherError> {
        let mut members = Members::parse(json)?;
        let matcher = members.matcher()?;
        let mut number = |name| members.read::<u64>(name, "a number that is not negative");
        let (after, count) = (number("after")?, number("count")?);
        let (at_least, at_most) = (number("atLeast")?, number("atMost")?);
        members.end(&["after", "count", "atLeast", "atMost"])?;
        let (at_least, at_most) = match (count, at_least, at_most) {
            (Some(count), None, None) => (count, Some(count)),
            (Some(_), _, _) => {
                return Err(MatcherError::new("expected either count or atLeast and atMost, but found both"));
            }
            (None, None, Some(at_most)) => (at_most.min(1), Some(at_most)),
            (None, at_least, at_most) => (at_least.unwrap_or(1), at_most),
        };
        if let Some(at_most) = at_most.filter(|&at_most| at_most < at_least) {
            return Err(MatcherError::new(format!(
                "/atMost: expected at least {at_least}, as atLeast says, but found `{at_most}`"
            )));
        }
        Ok(Self { matcher, after, at_least, at_most })
    }

    /// How many exchanges it takes, in words.
    pub(crate) fn amount(&self) -> String {
        let at_least = self.at_least;
        match self.at_most {
            None => format!("at least {at_least}"),
            Some(at_most) if at_most == at_least => at_most.to_string(),
            Some(at_most) => format!("{at_least} to {at_most}"),
        }
    }

    /// None when the exchange matches.
    fn miss(&self, recorded: &Recorded) -> Option<Miss> {
        let comparison = self.matcher.compare(&recorded.exchange);
        (!comparison.agrees()).then_some(Miss {
            id: recorded.id,
            matching: comparison.matching,
            differences: comparison.differences,
        })
    }
}

/// A verification under way: it goes through the journal in steps, and whoever does not want it any more drops it.
///
/// A verdict is given only when those exchanges that have gone could not change it. What a clear forgot is out of question
/// unless the expectation names an earlier `after`: then it was needed.
pub(crate) struct Verification {
    expectation: Expectation,
    /// The newest number at the start; those past it are none of our business.
    until: u64,
    /// The number up to which it has looked.
    position: u64,
    dropped: u64,
    forgotten: u64,
    ids: Vec<u64>,
    nearest: Nearest,
}

impl Verification {
    pub(crate) fn new(journal: &Journal, expectation: Expectation) -> Self {
        let start = journal.read(0, 0);
        Self {
            until: start.last,
            position: expectation.after.unwrap_or(start.cleared),
            expectation,
            dropped: 0,
            forgotten: 0,
            ids: Vec::new(),
            nearest: Nearest::default(),
        }
    }

    /// Looks at the next part of the journal; false when there is none left.
    pub(crate) fn step(&mut self, journal: &Journal) -> bool {
        if self.position >= self.until {
            return false;
        }
        let chunk = journal.read(self.position, Journal::CHUNK).one_look();
        // Exchanges can go while we look.
        let ahead = self.until - self.position;
        self.forgotten += chunk.forgotten.min(ahead);
        self.dropped += chunk.dropped.min(ahead - chunk.forgotten.min(ahead));
        for recorded in &chunk.exchanges {
            if recorded.id > self.until {
                return false;
            }
            match self.expectation.miss(recorded) {
                None => self.ids.push(recorded.id),
                Some(miss) => self.nearest.offer(miss),
            }
            self.position = recorded.id;
        }
        !chunk.exchanges.is_empty()
    }

    /// What it has come to, once there is no step left.
    pub(crate) fn verdict(self) -> Verdict {
        let Self { expectation, dropped, forgotten, ids, nearest, .. } = self;
        let Expectation { at_least, at_most, .. } = expectation;
        let count = ids.len() as u64;
        let gone = dropped + forgotten;
        if at_most.is_some_and(|at_most| count > at_most) {
            let misses = Vec::new();
            Verdict::Failed { ids, misses }
        } else if count + gone < at_least {
            let misses = nearest.0;
            Verdict::Failed { ids, misses }
        } else if count >= at_least && at_most.is_none_or(|at_most| count + gone <= at_most) {
            Verdict::Held { ids }
        } else {
            Verdict::Unknown { dropped, forgotten }
        }
    }
}

/// The best few misses: most matching values first, and of equals the newest.
#[derive(Default)]
struct Nearest(Vec<Miss>);

impl Nearest {
    const MAX: usize = 3;

    fn offer(&mut self, miss: Miss) {
        self.0.push(miss);
        self.0.sort_by_key(|miss| (Reverse(miss.matching), Reverse(miss.id)));
        self.0.truncate(Self::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::{exchange, journal};

    fn expectation(json: &str) -> Expectation {
        Expectation::from_json(json.as_bytes()).unwrap()
    }

    fn agents(bodies: &[&str]) -> Journal {
        let journal = journal(100, 0);
        for body in bodies {
            journal.record(exchange("createAgent", body));
        }
        journal
    }

    #[track_caller]
    fn held(journal: &Journal, json: &str, expected: &[u64]) {
        match journal.verify(&expectation(json)) {
            Verdict::Held { ids } => assert_eq!(ids, expected),
            other => panic!("{json}: {other:?}"),
        }
    }

    #[track_caller]
    fn failed(journal: &Journal, json: &str) -> Vec<Miss> {
        match journal.verify(&expectation(json)) {
            Verdict::Failed { misses, .. } => misses,
            other => panic!("{json}: {other:?}"),
        }
    }

    #[track_caller]
    fn unknown(journal: &Journal, json: &str) -> (u64, u64) {
        match journal.verify(&expectation(json)) {
            Verdict::Unknown { dropped, forgotten } => (dropped, forgotten),
            other => panic!("{json}: {other:?}"),
        }
    }

    #[test]
    fn it_counts_what_matches() {
        let journal = agents(&[r#"{"a":1,"b":2}"#, r#"{"a":2}"#, r#"{"a":1}"#]);
        journal.record(exchange("createQueue", r#"{"a":1}"#));

        held(&journal, r#"{"body":{"a":1}}"#, &[1, 3, 4]);
        held(&journal, r#"{"operation":"createAgent","body":{"a":1},"count":2}"#, &[1, 3]);
        held(&journal, r#"{"body":{"a":1},"after":1,"atLeast":1,"atMost":2}"#, &[3, 4]);
        held(&journal, r#"{"body":{"a":9},"count":0}"#, &[]);
        held(&journal, r#"{"body":{"a":9},"atMost":0}"#, &[]);
        failed(&journal, r#"{"body":{"a":1},"count":4}"#);
        assert_eq!(failed(&journal, r#"{"body":{"a":1},"atMost":2}"#), []);
    }

    #[test]
    fn a_failure_names_the_nearest_misses_and_what_differs() {
        let journal = agents(&[
            r#"{"firstName":"Ada"}"#,
            r#"{"firstName":"Ada","emailId":"bob@example.com","age":3}"#,
            "[1",
        ]);

        let misses = failed(
            &journal,
            r#"{"operation":"createAgent","body":{"firstName":"Ada","emailId":"ada@example.com","age":3}}"#,
        );

        assert_eq!(misses.iter().map(|miss| miss.id).collect::<Vec<_>>(), [2, 1, 3]);
        assert_eq!(
            misses[0].differences,
            [Difference {
                pointer: "/body/emailId".to_owned(),
                expected: r#""ada@example.com""#.to_owned(),
                found: r#""bob@example.com""#.to_owned(),
            }]
        );
        assert_eq!(misses[1].differences[1].found, "nothing");
        assert_eq!(misses[2].differences[0].pointer, "/body");
    }

    #[test]
    fn another_operation_is_the_farthest_miss() {
        let journal = agents(&["{}"]);
        journal.record(exchange("createQueue", r#"{"a":1}"#));

        let misses = failed(&journal, r#"{"operation":"createAgent","body":{"a":1}}"#);

        assert_eq!(misses[0].id, 1);
        assert_eq!(misses[1].differences[0].pointer, "/operation");
        assert_eq!(misses[1].differences[0].found, "createQueue");
    }

    #[test]
    fn what_was_dropped_makes_it_unknown_only_where_it_matters() {
        let journal = journal(3, 5);

        assert_eq!(unknown(&journal, r#"{"count":3}"#), (2, 0));
        assert_eq!(unknown(&journal, r#"{"atLeast":4}"#), (2, 0));
        assert_eq!(unknown(&journal, r#"{"after":1,"atMost":3}"#), (1, 0));
        held(&journal, r#"{"after":2,"count":3}"#, &[3, 4, 5]);
        held(&journal, r#"{"atLeast":3}"#, &[3, 4, 5]);
        held(&journal, r#"{"atLeast":3,"atMost":5}"#, &[3, 4, 5]);
        failed(&journal, r#"{"atMost":2}"#);
        failed(&journal, r#"{"atLeast":6}"#);
    }

    #[test]
    fn a_clear_starts_over_but_an_after_before_it_is_not_answered_by_guessing() {
        let journal = journal(3, 5);
        journal.clear();
        journal.record(exchange("createAgent", "{}"));

        held(&journal, r#"{"count":1}"#, &[6]);
        held(&journal, r#"{"after":5,"count":1}"#, &[6]);
        assert_eq!(unknown(&journal, r#"{"after":3,"count":1}"#), (0, 2));
    }

    #[test]
    fn nothing_is_past_the_newest() {
        let journal = journal(3, 2);

        held(&journal, r#"{"after":2,"count":0}"#, &[]);
        held(&journal, r#"{"after":18446744073709551615,"count":0}"#, &[]);
        failed(&journal, r#"{"after":2,"atLeast":18446744073709551615}"#);
    }

    #[test]
    fn it_goes_through_large_bodies_in_small_steps() {
        let body = format!("[\"{}\"]", "x".repeat(400 * 1024));
        let journal = agents(&[body.as_str(); 5]);
        let mut verification = Verification::new(&journal, Expectation::default());

        let mut counts = Vec::new();
        while verification.step(&journal) {
            counts.push(verification.ids.len());
            // It came after the question.
            journal.record(exchange("createAgent", "{}"));
        }

        assert_eq!(counts, [2, 4]);
        assert_eq!(verification.verdict(), Verdict::Held { ids: vec![1, 2, 3, 4, 5] });
    }

    #[test]
    fn err_expectation() {
        let e = |json: &str| Expectation::from_json(json.as_bytes()).unwrap_err().to_string();

        assert_eq!(e(r#"{"count":-1}"#), "/count: expected a number that is not negative, but found `-1`");
        assert_eq!(
            e(r#"{"cuont":1}"#),
            "expected operation, outcome, status, session, script, path, header, query, contains, body, after, count, atLeast or atMost, but found `cuont`"
        );
        assert_eq!(
            e(r#"{"count":1,"atMost":1}"#),
            "expected either count or atLeast and atMost, but found both"
        );
        assert_eq!(
            e(r#"{"atLeast":3,"atMost":2}"#),
            "/atMost: expected at least 3, as atLeast says, but found `2`"
        );
    }

    #[test]
    fn how_many_are_expected_is_said_in_words() {
        let cases =
            [("{}", "at least 1"), (r#"{"count":2}"#, "2"), (r#"{"atLeast":2,"atMost":5}"#, "2 to 5")];
        for (expected, amount) in cases {
            let expectation = Expectation::from_json(expected.as_bytes()).unwrap();
            assert_eq!(expectation.amount(), amount);
        }
    }
}
