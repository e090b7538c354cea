//! The bound on a journal's bytes is a bound on memory: compared with what the allocator hands out.

use std::alloc::System;

use standin::{
    Breach, Exchange, Headers, Journal, JournalLimits, Reading, Reply, Request, Rule, Scripted, Secrets,
    Step, Violation,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What an allocator such as glibc's takes for a block beside what was asked for, at least.
const BLOCK: usize = 8;

/// The room that a journal's list of exchanges starts with, and what the last token took.
const FIXED: usize = 4 * 1024;

type Shape = (&'static str, fn() -> Exchange);

fn plain() -> Exchange {
    Exchange {
        request: Request::new("POST", "/agents"),
        reply: Reply { status: 200, headers: Headers::default(), body: "{}".into() },
        operation: None,
        step: Step::Answer,
        violations: Vec::new(),
        more_violations: false,
        readings: Vec::new(),
        state: None,
        scripted: None,
    }
}

fn spare(text: &str, capacity: usize) -> String {
    let mut string = String::with_capacity(capacity);
    string.push_str(text);
    string
}

fn violations(count: usize, text: &str) -> Vec<Violation> {
    let violation = Violation {
        pointer: spare(text, 2 * text.len()),
        rule: Rule::Enum,
        expected: text.into(),
        found: spare(text, 300),
        source: text.into(),
    };
    vec![violation; count]
}

const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJhcHBJZCI6ImNzLTEifQ.c2lnbmF0dXJl";

const SHAPES: [Shape; 15] = [
    ("plain", plain),
    ("a long body", || with_body("x".repeat(100_000))),
    ("a body of one byte", || with_body("x".to_owned())),
    ("a body with spare capacity", || with_body(spare("x", 60_000))),
    ("a body with a little spare capacity", || with_body(spare(&"x".repeat(100), 140))),
    ("a body that somebody has cloned", || {
        let exchange = with_body("x".repeat(1000));
        drop(exchange.request.body.clone());
        exchange
    }),
    ("a reply with spare capacity", || {
        let mut exchange = plain();
        exchange.reply.body = spare("{}", 50_000).into();
        exchange
    }),
    ("a method and a target with spare capacity", || {
        let mut exchange = plain();
        exchange.request.method = spare("GET", 5_000);
        exchange.request.target = spare("/", 5_000);
        exchange
    }),
    ("many headers", || {
        let mut exchange = plain();
        for index in 0..100 {
            exchange.request.headers.push(&format!("x-header-{index}"), b"value");
            exchange.reply.headers.push(&format!("x-header-{index}"), b"value");
        }
        exchange
    }),
    ("headers with spare capacity", || {
        let mut exchange = plain();
        exchange.request.headers = Headers::with_capacity(1000, 50_000);
        exchange
    }),
    ("many violations", || Exchange { violations: violations(100, "/body/some/place"), ..plain() }),
    ("violations of one letter", || Exchange { violations: violations(100, "x"), ..plain() }),
    ("readings", || {
        let reading = Reading { ledger: "U3".into(), pointer: "/body/x".into(), note: spare("x", 500) };
        Exchange { readings: vec![reading; 30], ..plain() }
    }),
    ("a script's part", || {
        let decided = Reply { status: 200, headers: plain().reply.headers, body: spare("{}", 50_000).into() };
        let breach = Breach { pointer: "/body/x".into(), message: spare("x", 500) };
        let scripted = Scripted {
            script: Some("slow".into()),
            decided: Some(decided),
            breaches: vec![breach; 30],
            ..Scripted::default()
        };
        Exchange { scripted: Some(Box::new(scripted)), ..plain() }
    }),
    ("secrets in many places", || {
        let mut exchange = with_body(format!(r#"{{"token":"{TOKEN}"}}"#));
        for name in ["auth", "cookie", "x-a", "x-b", "x-c"] {
            exchange.request.headers.push(name, TOKEN.as_bytes());
        }
        exchange.request.target = format!("/?a={TOKEN}");
        exchange
    }),
];

fn with_body(body: String) -> Exchange {
    let mut exchange = plain();
    exchange.request.body = body.into();
    exchange
}

fn journal(limits: JournalLimits) -> Journal {
    Journal::new(limits).hiding(Secrets::default().token_in("auth"))
}

/// One test alone, because the allocator is everybody's.
#[test]
fn what_a_journal_says_it_takes_is_no_less_than_what_it_takes() {
    for (name, shape) in SHAPES {
        let journal = journal(JournalLimits { entries: 1000, bytes: usize::MAX });
        let region = Region::new(ALLOCATOR);
        for _ in 0..200 {
            // A reader clones the body and lets it go again.
            let recorded = journal.record(shape());
            drop((recorded.exchange.request.body.clone(), recorded.exchange.reply.body.clone()));
        }
        let (said, taken) = (journal.counts().bytes, taken(&region));
        assert!(taken <= said + FIXED, "{name}: {taken} bytes are taken, {said} are said");
        assert!(said < 3 * taken + FIXED, "{name}: {said} bytes are said, {taken} are taken");
        drop(journal);
    }

    // Bounded by bytes, after many light exchanges and then heavy ones of every shape.
    let limits = JournalLimits { entries: 20_000, bytes: 4 * 1024 * 1024 };
    let journal = journal(limits);
    let region = Region::new(ALLOCATOR);
    for shape in
        (0..10_000).map(|_| SHAPES[0].1).chain(SHAPES.iter().cycle().take(3_000).map(|shape| shape.1))
    {
        journal.record(shape());
        let taken = taken(&region);
        assert!(taken <= limits.bytes + FIXED, "{taken} bytes are taken");
    }
    assert!(journal.counts().kept > 100);
}

/// Bytes that are allocated in a region and not freed, with what the allocator takes for each block.
fn taken(region: &Region<'_, System>) -> usize {
    let stats = region.change();
    let blocks = stats.allocations - stats.deallocations;
    stats.bytes_allocated + BLOCK * blocks - stats.bytes_deallocated
}
