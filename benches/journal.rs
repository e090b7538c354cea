//! What the journal costs as it fills: recording one more exchange, looking for one among all, waiting for one that is
//! there; and how much memory an exchange takes.

use std::{
    collections::BTreeMap,
    hint::black_box,
    io::{self, Write},
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use divan::Bencher;
use standin::{Contract, Exchange, Filter, Journal, JournalLimits, Matcher, Request, Settings, Stub};

fn main() {
    divan::main();
}

const SIZES: [usize; 3] = [10, 10_000, 1_000_000];

/// An exchange that is refused at once: what is measured is the journal.
fn exchange() -> Exchange {
    static STUB: LazyLock<Stub> = LazyLock::new(|| Stub::new(Contract::builtin(), Settings::default()));
    STUB.respond(Request::new("GET", "/nowhere").header("host", "localhost").header("accept", "*/*"))
}

/// A journal that is full with this many exchanges; made once, as the largest takes seconds.
fn full(size: usize) -> Arc<Journal> {
    static JOURNALS: Mutex<BTreeMap<usize, Arc<Journal>>> = Mutex::new(BTreeMap::new());
    let mut journals = JOURNALS.lock().unwrap();
    let journal = journals.entry(size).or_insert_with(|| {
        let journal = Journal::new(JournalLimits { entries: size, bytes: usize::MAX });
        let exchange = exchange();
        for _ in 0..size {
            journal.record(exchange.clone());
        }
        let bytes = journal.counts().bytes;
        let mib = bytes / 1024 / 1024;
        let mut out = io::stdout().lock();
        writeln!(out, "{size} exchanges take {mib} MiB, {} bytes each", bytes / size).unwrap();
        Arc::new(journal)
    });
    Arc::clone(journal)
}

/// One more, at the expense of the oldest.
#[divan::bench(args = SIZES)]
fn record(bencher: Bencher, size: usize) {
    let journal = full(size);
    bencher.with_inputs(exchange).bench_local_values(|exchange| journal.record(black_box(exchange)));
}

/// A look at all of them, which finds nothing.
#[divan::bench(args = SIZES)]
fn query(bencher: Bencher, size: usize) {
    let journal = full(size);
    let matcher = Matcher { contains: Some("nobody sent this".to_owned()), ..Matcher::default() };
    let filter = Filter { matcher, after: 0 };
    bencher.bench_local(|| assert!(journal.list(black_box(&filter), 10).exchanges.is_empty()));
}

/// A wait for the newest, which is there.
#[divan::bench(args = SIZES)]
fn wait(bencher: Bencher, size: usize) {
    let journal = full(size);
    let filter = Filter { matcher: Matcher::default(), after: journal.counts().recorded - 1 };
    bencher.bench_local(|| journal.wait(black_box(&filter), 1, Duration::ZERO).unwrap());
}
