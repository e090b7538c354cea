//! What the journal promises while many record at once.

use std::{
    collections::BTreeSet,
    sync::{Arc, Barrier, mpsc},
    thread,
    time::Duration,
};

use standin::{
    Delivery, Exchange, Expectation, Filter, Headers, Journal, JournalLimits, Reply, Request, Step, Verdict,
    render::{curl, har, ndjson},
};

const RECORDERS: usize = 64;
const EACH: usize = 100;
const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJhcHBJZCI6ImNzLTEifQ.c2lnbmF0dXJl";

fn exchange(target: &str) -> Exchange {
    Exchange {
        request: Request::new("POST", target).body(r#"{"firstName":"Ada"}"#),
        reply: Reply { status: 200, headers: Headers::default(), body: "{}".into() },
        operation: None,
        step: Step::Answer,
        violations: Vec::new(),
        more_violations: false,
        readings: Vec::new(),
    }
}

/// Starts every recorder at the same moment; each records `EACH` exchanges and hands its numbers back.
fn record_from_many_threads(journal: &Arc<Journal>) -> Vec<Vec<u64>> {
    let start = Arc::new(Barrier::new(RECORDERS));
    let recorders: Vec<_> = (0..RECORDERS)
        .map(|recorder| {
            let (journal, start) = (Arc::clone(journal), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                (0..EACH).map(|n| journal.record(exchange(&format!("/{recorder}/{n}"))).id).collect()
            })
        })
        .collect();
    recorders.into_iter().map(|recorder| recorder.join().unwrap()).collect()
}

#[test]
fn numbers_are_unique_and_without_gaps_and_in_order_for_each_recorder() {
    let journal = Arc::new(Journal::new(JournalLimits::default()));

    let numbers = record_from_many_threads(&journal);

    for numbers in &numbers {
        assert!(numbers.is_sorted());
    }
    let all: BTreeSet<u64> = numbers.into_iter().flatten().collect();
    let total = (RECORDERS * EACH) as u64;
    assert_eq!(all, (1..=total).collect());
    let kept: Vec<u64> = journal.snapshot().iter().map(|it| it.id).collect();
    assert_eq!(kept, (1..=total).collect::<Vec<_>>());
}

#[test]
fn the_bounds_hold_at_every_moment() {
    let limits = JournalLimits { entries: 50, bytes: 40_000 };
    let journal = Arc::new(Journal::new(limits));
    let (stop, stopped) = mpsc::channel::<()>();
    let watcher = thread::spawn({
        let journal = Arc::clone(&journal);
        move || {
            while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
                let counts = journal.counts();
                assert!(counts.kept <= limits.entries && counts.bytes <= limits.bytes);
                assert_eq!(counts.recorded, counts.dropped + counts.kept as u64);
                let kept = journal.snapshot();
                assert!(kept.windows(2).all(|two| two[0].id + 1 == two[1].id));
            }
        }
    });

    record_from_many_threads(&journal);
    drop(stop);
    watcher.join().unwrap();

    let counts = journal.counts();
    assert_eq!(counts.recorded, (RECORDERS * EACH) as u64);
    assert!(counts.kept > 0);
}

#[test]
fn a_wait_is_woken_by_what_it_waits_for() {
    let journal = Arc::new(Journal::new(JournalLimits::default()));
    let filter = Filter { contains: Some("/wanted".to_owned()), ..Filter::default() };
    let waiters: Vec<_> = (0..8)
        .map(|_| {
            let (journal, filter) = (Arc::clone(&journal), filter.clone());
            thread::spawn(move || journal.wait(&filter, 3, Duration::from_secs(600)))
        })
        .collect();

    for target in ["/wanted/1", "/other", "/wanted/2", "/other", "/wanted/3"] {
        journal.record(exchange(target));
    }

    for waiter in waiters {
        let found = waiter.join().unwrap().unwrap();
        let numbers: Vec<u64> = found.iter().map(|it| it.id).collect();
        assert_eq!(numbers, [1, 3, 5]);
    }
}

#[test]
fn a_verdict_is_never_guessed_while_exchanges_go() {
    let journal = Arc::new(Journal::new(JournalLimits { entries: 20, ..JournalLimits::default() }));
    let recorder = thread::spawn({
        let journal = Arc::clone(&journal);
        move || record_from_many_threads(&journal)
    });
    // Every exchange matches, so from the start there are always as many as were recorded when it was asked.
    let expectation =
        |n| Expectation { after: Some(0), at_least: n, at_most: Some(n), ..Expectation::default() };

    while !recorder.is_finished() {
        let before = journal.counts().recorded;
        let verdict = journal.verify(&expectation(before));
        let after = journal.counts().recorded;
        match verdict {
            Verdict::Held { ids } => assert_eq!(ids.len() as u64, before),
            Verdict::Failed { .. } => assert!(after > before),
            Verdict::Unknown { dropped, forgotten } => {
                assert!(dropped > 0 && dropped <= after && forgotten == 0);
            }
        }
    }

    recorder.join().unwrap();
    let total = journal.counts().recorded;
    assert_eq!(journal.verify(&expectation(total)), Verdict::Unknown { dropped: total - 20, forgotten: 0 });
}

#[test]
fn a_secret_is_in_no_rendering() {
    let journal = Journal::new(JournalLimits::default());
    let mut exchange = exchange("/agents");
    for name in ["auth", "Auth", "authorization", "Proxy-Authorization", "cookie", "set-cookie"] {
        exchange.request = exchange.request.header(name, TOKEN);
    }

    let recorded = journal.record(exchange);
    recorded.delivery.settle(Delivery::Sent);

    let renderings = [
        ndjson::line(&recorded),
        har::log(&journal.snapshot()).to_string(),
        curl::command(&recorded, "http://localhost"),
        format!("{recorded:?}"),
        format!("{journal:?}"),
    ];
    for rendering in &renderings {
        for part in TOKEN.split('.').chain([TOKEN]) {
            assert!(!rendering.contains(part), "{rendering}");
        }
    }
    assert!(renderings[2].contains("-H \"auth: $STANDIN_TOKEN\""));
}

#[test]
fn a_journal_written_and_read_is_the_same() {
    let journal = Journal::new(JournalLimits::default());
    for target in ["/a", "/b?c=%20", "*"] {
        journal.record(exchange(target));
    }
    let lines: Vec<String> = journal.snapshot().iter().map(|recorded| ndjson::line(recorded)).collect();

    let read = ndjson::read(&lines.join("\n")).unwrap();

    let again: Vec<String> = read.iter().map(ndjson::line).collect();
    assert_eq!(again, lines);
}
