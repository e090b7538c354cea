//! What it costs to remember: one request to a session of 100 000 books, beside one to an empty session.

use std::{cell::RefCell, hint::black_box, sync::Arc};

use divan::Bencher;
use serde_json::{Value, json};
use standin::{Bounds, Contract, Request, Session, Settings, StateSettings, Stub};

fn main() {
    divan::main();
}

const SIZES: [usize; 2] = [0, 100_000];

fn stub() -> Stub {
    let document: Value = serde_json::from_str(include_str!("../tests/library.openapi.json")).unwrap();
    let bounds = Bounds { resources: usize::MAX, bytes: usize::MAX };
    let state = Some(StateSettings { bounds, ..StateSettings::default() });
    Stub::new(Arc::new(Contract::from_document(document).unwrap()), Settings { state, ..Settings::default() })
}

fn book(number: usize) -> Request {
    let book = json!({"title": format!("Book {number}"), "author": "Ada", "isbn": number.to_string(), "language": "en", "pages": 100, "shelf": "s-1"});
    Request::new("POST", "/main/books").header("content-type", "application/json").body(book.to_string())
}

/// A session with this many books, and one more whose id it is.
fn library(stub: &Stub, size: usize) -> (Session, String) {
    let mut session = Session::new("bench");
    let mut id = String::new();
    for number in 0..=size {
        let (exchange, change) = stub.decide(&session, stub.check(book(number)));
        session.apply(change);
        if number == size {
            let reply: Value = serde_json::from_slice(&exchange.reply.body).unwrap();
            reply["id"].as_str().unwrap().clone_into(&mut id);
        }
    }
    (session, id)
}

fn run(bencher: Bencher, size: usize, request: impl Fn(&str) -> Request) {
    let stub = stub();
    let (session, id) = library(&stub, size);
    let request = request(&id);
    assert_eq!(stub.decide(&session, stub.check(request.clone())).0.reply.status, 200);
    bencher.bench_local(|| stub.decide(&session, stub.check(black_box(request.clone()))));
}

#[divan::bench(args = SIZES)]
fn create(bencher: Bencher, size: usize) {
    let stub = stub();
    let session = RefCell::new((library(&stub, size).0, size));
    bencher.bench_local(|| {
        let (session, number) = &mut *session.borrow_mut();
        *number += 1;
        let (exchange, change) = stub.decide(session, stub.check(black_box(book(*number))));
        session.apply(change);
        exchange
    });
}

/// The first change after a clone, which is what a snapshot of the session is.
#[divan::bench(args = SIZES)]
fn create_beside_a_clone(bencher: Bencher, size: usize) {
    let stub = stub();
    let session = library(&stub, size).0;
    bencher.with_inputs(|| (session.clone(), stub.check(book(size + 1)))).bench_local_values(
        |(mut session, checked)| {
            let (_, change) = stub.decide(&session, checked);
            session.apply(change);
            session
        },
    );
}

#[divan::bench(args = SIZES)]
fn read(bencher: Bencher, size: usize) {
    run(bencher, size, |id| Request::new("GET", format!("/main/books/{id}")));
}

#[divan::bench(args = SIZES)]
fn update(bencher: Bencher, size: usize) {
    run(bencher, size, |id| {
        let request = Request::new("PUT", format!("/main/books/{id}"));
        request.header("content-type", "application/json").body(r#"{"author":"Bob"}"#)
    });
}

#[divan::bench(args = SIZES)]
fn last_page(bencher: Bencher, size: usize) {
    run(bencher, size, |_| Request::new("GET", format!("/main/books?page={}", size / 10 + 1)));
}

#[divan::bench(args = SIZES)]
fn filtered(bencher: Bencher, size: usize) {
    run(bencher, size, |_| Request::new("GET", "/main/books?author=Nobody"));
}

#[divan::bench(args = SIZES)]
fn clone(bencher: Bencher, size: usize) {
    let session = library(&stub(), size).0;
    bencher.bench_local(|| black_box(&session).clone());
}

#[divan::bench(args = SIZES)]
fn snapshot(bencher: Bencher, size: usize) {
    let session = library(&stub(), size).0;
    bencher.bench_local(|| black_box(&session).json().to_string());
}
