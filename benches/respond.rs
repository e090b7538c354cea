//! What the stub's answer costs, beside what parsing the same body costs.

use std::hint::black_box;

use bytes::Bytes;
use divan::{Bencher, counter::BytesCount};
use serde_json::{Map, Value};
use standin::{Contract, Request, Settings, Stub};

fn main() {
    divan::main();
}

const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwiYXBwSWQiOiJjcy0zOWNkNmJhMC1mNmVlLTViYWUtOWI3ZC03M2I0YmE5N2FjOGIifQ.LAiNcKfUNeDaAtPei1nD6JZJbnEGsv1BKo1pQUexxxx";

fn agent() -> Request {
    request(
        "/agentassist/api/v1/public/st-d2aa65cc-a2d2-5b6d-84d7-861509e2xxxx/agents",
        include_str!("../fixtures/createAgent/request.json").to_owned(),
    )
}

/// An import of this many skill groups, of which the first so many lack what they need.
fn import(count: usize, wrong: usize) -> Request {
    let mut body: Value =
        serde_json::from_str(include_str!("../fixtures/importDataV2/request.json")).unwrap();
    let item = body["data"][0].clone();
    let mut items = vec![item; count];
    items[..wrong].fill(Value::Object(Map::new()));
    body["data"] = items.into();
    request(
        "/agentassist/api/v1/public/analytics/st-d76e4023-ba1e-52af-a144-248e92c4xxxx/storeSmartAssistFunctionalities?accountId=67ee382b8226ebf4d953xxxx&orgId=o-7d15bb88-f5bb-5449-9190-87a05553xxxx&type=skillGroups",
        serde_json::to_string_pretty(&body).unwrap(),
    )
}

fn request(target: &str, body: String) -> Request {
    Request::new("POST", target)
        .header("auth", TOKEN)
        .header("accountId", "649bdcaf5037ed113942xxxx")
        .header("content-type", "application/json")
        .body(Bytes::from(body))
}

fn parse(bencher: Bencher, request: &Request) {
    let body = request.body.clone();
    bencher
        .counter(BytesCount::new(body.len()))
        .bench(|| serde_json::from_slice::<Value>(black_box(&body)).unwrap());
}

fn respond(bencher: Bencher, request: &Request) {
    let stub = Stub::new(Contract::builtin(), Settings::default());
    assert_eq!(stub.respond(request.clone()).reply.status, 200);
    bencher.counter(BytesCount::new(request.body.len())).bench(|| stub.respond(black_box(request.clone())));
}

#[divan::bench]
fn agent_parse(bencher: Bencher) {
    parse(bencher, &agent());
}

#[divan::bench]
fn agent_respond(bencher: Bencher) {
    respond(bencher, &agent());
}

#[divan::bench(args = [1, 10, 100, 1000])]
fn import_parse(bencher: Bencher, count: usize) {
    parse(bencher, &import(count, 0));
}

#[divan::bench(args = [1, 10, 100, 1000])]
fn import_respond(bencher: Bencher, count: usize) {
    respond(bencher, &import(count, 0));
}

/// An import of a thousand skill groups, so many of which break the contract: the first hundred violations are listed.
#[divan::bench(args = [1, 10, 100, 1000])]
fn import_refused(bencher: Bencher, wrong: usize) {
    let request = import(1000, wrong);
    let stub = Stub::new(Contract::builtin(), Settings::default());
    let exchange = stub.respond(request.clone());
    assert_eq!((exchange.reply.status, exchange.violations.len() >= wrong.min(100)), (412, true));
    bencher.bench(|| stub.respond(black_box(request.clone())));
}
