//! The edges of what the journal keeps, lists, waits for and says of an expectation.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use standin::{
    Contract, Expectation, Filter, Journal, JournalLimits, Miss, Recorded, Request, Settings, Stub, Verdict,
};

/// A journal of these limits that has seen these bodies, posted to no operation.
fn journal(limits: JournalLimits, bodies: &[&str]) -> Journal {
    let stub = Stub::new(Contract::builtin(), Settings::default());
    let journal = Journal::new(limits);
    for body in bodies {
        journal.record(stub.respond(Request::new("POST", "/nowhere").body((*body).to_owned())));
    }
    journal
}

fn entries(entries: usize) -> JournalLimits {
    JournalLimits { entries, ..JournalLimits::default() }
}

fn about(text: &str, after: u64) -> Filter {
    Filter { contains: Some(text.into()), after, ..Filter::default() }
}

fn ids(exchanges: &[Arc<Recorded>]) -> Vec<u64> {
    exchanges.iter().map(|recorded| recorded.id).collect()
}

#[test]
fn what_fits_exactly_is_kept_and_a_byte_less_is_too_little() {
    let bodies = ["\"a body\""; 3];
    for count in 1..=3 {
        let bytes = journal(JournalLimits::default(), &bodies[..count]).counts().bytes;
        for (bytes, kept) in [(bytes, count), (bytes - 1, count - 1), (0, 0)] {
            let counts = journal(JournalLimits { bytes, ..entries(10) }, &bodies[..count]).counts();
            assert_eq!((counts.kept, counts.dropped), (kept, (count - kept) as u64), "{count} in {bytes}");
            assert!(counts.bytes <= bytes);
        }
    }
    for (limit, kept) in [(0, 0), (1, 1), (2, 2), (3, 3), (4, 3)] {
        assert_eq!(journal(entries(limit), &bodies).counts().kept, kept);
    }
}

#[test]
fn a_page_ends_at_its_last_match_when_it_is_full_and_at_the_newest_when_it_is_not() {
    let journal = journal(entries(10), &["\"x\"", "\"y\"", "\"x\"", "\"y\"", "\"x\"", "\"y\""]);
    for (after, limit, found, last) in [
        (0, 0, &[] as &[u64], 0),
        (3, 0, &[], 3),
        (0, 1, &[1], 1),
        (0, 2, &[1, 3], 3),
        (1, 2, &[3, 5], 5),
        (0, 3, &[1, 3, 5], 5),
        (0, 4, &[1, 3, 5], 6),
        (5, 1, &[], 6),
        (6, 1, &[], 6),
        (9, 1, &[], 9),
    ] {
        let page = journal.list(&about("\"x\"", after), limit);
        assert_eq!((ids(&page.exchanges).as_slice(), page.last), (found, last), "after {after}, {limit}");
    }
}

#[test]
fn a_wait_takes_the_first_of_those_that_are_still_there() {
    let journal = journal(entries(4), &["\"x\"", "\"x\"", "\"y\"", "\"x\"", "\"x\"", "\"x\""]);
    let now = Duration::ZERO;
    let cases: [(_, _, Result<&[_], &[_]>); 9] = [
        (0, 0, Ok(&[])),
        (0, 1, Ok(&[4])),
        (0, 2, Ok(&[4, 5])),
        (0, 3, Ok(&[4, 5, 6])),
        (4, 2, Ok(&[5, 6])),
        (0, 4, Err(&[4, 5, 6])),
        (5, 2, Err(&[6])),
        (6, 1, Err(&[])),
        (u64::MAX, 1, Err(&[])),
    ];
    for (after, n, found) in cases {
        let outcome = journal.wait(&about("\"x\"", after), n, now);
        let outcome = outcome.map(|found| ids(&found)).map_err(|found| ids(&found));
        assert_eq!(outcome.as_deref().map_err(Vec::as_slice), found, "after {after}, {n}");
    }
}

#[test]
fn a_number_that_is_not_kept_is_not_found() {
    let journal = journal(entries(3), &["1"; 5]);
    let found = (0..8).filter(|id| journal.get(*id).is_some_and(|recorded| recorded.id == *id));
    assert_eq!(found.collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(journal.clear(), 3);
    assert_eq!(journal.clear(), 0);
    assert!((0..8).all(|id| journal.get(id).is_none()));
    let counts = journal.counts();
    assert_eq!((counts.recorded, counts.kept, counts.dropped, counts.forgotten), (5, 0, 2, 3));
    assert_eq!(counts.bytes, 0);
}

#[test]
fn the_number_of_matches_decides_at_both_ends() {
    let journal = journal(entries(10), &[r#"{"a":1}"#, r#"{"a":1}"#, r#"{"a":2}"#]);
    for (json, held) in [
        ("{}", true),
        (r#"{"operation":null,"body":null,"after":null,"count":null,"atLeast":null,"atMost":null}"#, true),
        (r#"{"body":{"a":1}}"#, true),
        (r#"{"body":{"a":3}}"#, false),
        (r#"{"body":{"a":3},"atMost":5}"#, false),
        (r#"{"body":{"a":3},"atLeast":0,"atMost":5}"#, true),
        (r#"{"body":{"a":1},"count":1}"#, false),
        (r#"{"body":{"a":1},"count":2}"#, true),
        (r#"{"body":{"a":1},"count":3}"#, false),
        (r#"{"body":{"a":1},"atLeast":2}"#, true),
        (r#"{"body":{"a":1},"atLeast":3}"#, false),
        (r#"{"body":{"a":1},"atMost":2}"#, true),
        (r#"{"body":{"a":1},"atMost":1}"#, false),
        (r#"{"body":{"a":1},"atLeast":2,"atMost":2}"#, true),
        (r#"{"body":{"a":1},"after":1,"count":1}"#, true),
        (r#"{"body":{"a":1},"after":2,"count":0}"#, true),
        (r#"{"operation":"createAgent"}"#, false),
    ] {
        let verdict = journal.verify(&Expectation::from_json(json.as_bytes()).expect("it is one"));
        assert_eq!(matches!(verdict, Verdict::Held { .. }), held, "{json}: {verdict:?}");
        assert!(!matches!(verdict, Verdict::Unknown { .. }), "{json}: {verdict:?}");
    }
}

#[test]
fn the_three_nearest_misses_are_told_with_twenty_differences_at_most() {
    let journal = journal(entries(10), &["{}", r#"{"a":1}"#, "{}", r#"{"a":1,"b":1}"#, "{}"]);
    let mut body = json!({"a": 1, "b": 1});
    for n in 0..25 {
        body[format!("m{n}")] = 1.into();
    }

    let expectation = Expectation { body: Some(body), ..Expectation::default() };
    let Verdict::Failed { ids, misses } = journal.verify(&expectation) else {
        panic!("nothing has all of it");
    };

    assert_eq!(ids, [0; 0]);
    let told: Vec<_> = misses.iter().map(|miss| (miss.id, miss.matching, miss.differences.len())).collect();
    assert_eq!(told, [(4, 2, Miss::MAX_DIFFERENCES), (2, 1, 20), (5, 0, 20)]);
}
