//! What a journal keeps, and what it says of it.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::{Headers, Matcher, Request, Step};

/// An answered exchange of `operation` with `body`.
pub(crate) fn exchange(operation: &str, body: &str) -> Exchange {
    Exchange {
        request: Request::new("POST", format!("/{operation}"))
            .header("content-type", "application/json")
            .body(body.to_owned()),
        reply: Reply {
            status: 200,
            headers: Headers::from_iter([("content-type", "application/json")]),
            body: "{}".into(),
        },
        operation: Some(operation.into()),
        step: Step::Answer,
        violations: Vec::new(),
        more_violations: false,
        readings: Vec::new(),
        state: None,
        scripted: None,
    }
}

pub(crate) fn ids(exchanges: &[Arc<Recorded>]) -> Vec<u64> {
    exchanges.iter().map(|recorded| recorded.id).collect()
}

/// A journal that holds at most `entries` exchanges and has seen `n`.
pub(crate) fn journal(entries: usize, n: usize) -> Journal {
    let journal = Journal::new(Limits { entries, ..Limits::default() });
    for _ in 0..n {
        journal.record(exchange("createAgent", "{}"));
    }
    journal
}

#[test]
fn the_oldest_go_first_and_are_counted() {
    let journal = journal(3, 5);

    assert_eq!(ids(&journal.snapshot()), [3, 4, 5]);
    let counts = journal.counts();
    assert_eq!((counts.recorded, counts.kept, counts.dropped), (5, 3, 2));
    assert!(journal.get(2).is_none());
    assert_eq!(journal.get(4).unwrap().id, 4);
    assert!(journal.get(6).is_none());
}

#[test]
fn bytes_are_bounded_too() {
    let journal = Journal::new(Limits { entries: 1000, bytes: 20_000 });
    for _ in 0..100 {
        journal.record(exchange("createAgent", &"x".repeat(1000)));
        assert!(journal.counts().bytes <= 20_000);
    }
    assert!(journal.counts().kept > 3);
}

#[test]
fn an_exchange_heavier_than_the_bound_is_recorded_and_dropped() {
    let journal = Journal::new(Limits { entries: 10, bytes: 5_000 });
    journal.record(exchange("createAgent", "{}"));
    let heavy = journal.record(exchange("createAgent", &"x".repeat(5000)));
    journal.record(exchange("createAgent", "{}"));

    assert_eq!(heavy.id, 2);
    assert_eq!(ids(&journal.snapshot()), [3]);
    assert_eq!(journal.counts().dropped, 2);
}

#[test]
fn numbers_go_on_after_a_clear_and_what_went_counts_as_forgotten() {
    let journal = journal(3, 5);

    assert_eq!(journal.clear(), 3);
    journal.record(exchange("createAgent", "{}"));

    assert_eq!(ids(&journal.snapshot()), [6]);
    let counts = journal.counts();
    assert_eq!((counts.dropped, counts.forgotten), (2, 3));
}

#[test]
fn a_page_says_where_to_go_on() {
    let journal = journal(10, 7);
    let mut filter = Filter::default();

    let page = journal.list(&filter, 4);
    assert_eq!((ids(&page.exchanges), page.last), (vec![1, 2, 3, 4], 4));

    filter.after = page.last;
    let page = journal.list(&filter, 4);
    assert_eq!((ids(&page.exchanges), page.last), (vec![5, 6, 7], 7));

    filter.after = page.last;
    let page = journal.list(&filter, 4);
    assert_eq!((ids(&page.exchanges), page.last), (vec![], 7));
}

#[test]
fn a_page_goes_on_past_what_one_look_covers() {
    let journal = journal(1000, 700);
    journal.record(exchange("createQueue", "{}"));
    let operation = |id: &str| Matcher { operation: Some(id.to_owned()), ..Matcher::default() };
    let filter = Filter { matcher: operation("createQueue"), after: 0 };

    assert_eq!(ids(&journal.list(&filter, 5).exchanges), [701]);
}

#[test]
fn the_end_of_time_is_a_place_to_read_from() {
    let journal = journal(3, 2);
    let filter = Filter { after: u64::MAX, ..Filter::default() };

    assert!(journal.list(&filter, 5).exchanges.is_empty());
    assert!(journal.get(u64::MAX).is_none());
    assert!(journal.get(0).is_none());
}

#[test]
fn waiting_in_vain_gives_what_is_there() {
    let journal = journal(3, 2);

    let found = journal.wait(&Filter::default(), 3, Duration::from_millis(1));

    assert_eq!(ids(&found.unwrap_err()), [1, 2]);
}

#[test]
fn every_hook_hears_of_every_exchange() {
    let journal = journal(1, 0);
    let heard = Arc::new(AtomicU64::new(0));
    for factor in [1, 100] {
        let heard = Arc::clone(&heard);
        journal.on_record(Box::new(move |recorded| {
            heard.fetch_add(factor * recorded.id, Ordering::Relaxed);
        }));
    }

    journal.record(exchange("createAgent", "{}"));
    journal.record(exchange("createAgent", "{}"));

    assert_eq!(heard.load(Ordering::Relaxed), 303);
}
