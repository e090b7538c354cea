//! The bodies of the fuzz targets: each takes any bytes and panics when a promise is broken.
//!
//! They are here so that `cargo test` runs them over the seeds; `fuzz/` has targets of one line.
#![allow(clippy::missing_panics_doc)] // panicking is what they are for

mod contract;
mod http;
mod request;
mod verdicts;

use std::{collections::hash_map::RandomState, sync::LazyLock};

use arbitrary::{Arbitrary, Unstructured};

pub use contract::contract;
pub use http::http;
pub use verdicts::Verdicts;

use crate::{
    Contract, Exchange, Request, Step, Stub,
    judge::Judge,
    payload::{Case, RECEIVED, token_rule},
    token::redact,
};

/// The name of each target and its body.
pub const TARGETS: [(&str, Body); 5] =
    [("case", case), ("contract", contract), ("http", http), ("respond", respond), ("token", token)];

/// What a target does with its input.
pub type Body = fn(&[u8]);

static JUDGE: LazyLock<Judge> =
    LazyLock::new(|| Judge::new(&Contract::builtin()).expect("the built-in reply schemas compile"));

static VERDICTS: LazyLock<Verdicts> = LazyLock::new(|| Verdicts::new(&Contract::builtin()));

/// Target `case`: the stub's verdict on any case is what the label says.
pub fn case(bytes: &[u8]) {
    if let Ok(case) = Case::arbitrary_take_rest(Unstructured::new(bytes)) {
        VERDICTS.confirm(&case);
    }
}

/// Target `respond`: the bytes are a request as it stands on the wire; any request gets a sound answer.
pub fn respond(bytes: &[u8]) {
    let exchange = sound(&VERDICTS.default, request::parse(bytes));
    let Exchange { reply, operation, .. } = &exchange;
    let breaches = JUDGE.judge(operation.as_deref(), reply.status, &reply.headers, &reply.body);
    assert!(breaches.is_empty(), "{breaches:?}");
}

/// Panics unless the reply is one that the contract knows, is the JSON it claims to be, and comes again.
fn sound(stub: &Stub, request: Request) -> Exchange {
    let exchange = stub.respond(request.clone());
    assert_eq!(exchange, stub.respond(request), "another answer to the same request");
    let Exchange { reply, violations, step, operation, .. } = &exchange;
    let mut known = stub.contract().operations().iter().flat_map(|operation| &operation.replies);
    let is_known = known.any(|replies| replies.status == reply.status);
    assert!(is_known, "status {} is not in the contract", reply.status);
    assert_eq!(*step == Step::Answer, violations.is_empty(), "{violations:?}");
    assert_eq!(operation.is_none(), *step == Step::Route);
    if reply.status != 204 {
        let media: Vec<_> = reply.headers.all("content-type").collect();
        assert_eq!(media, [b"application/json"]);
        serde_json::from_slice::<serde::de::IgnoredAny>(&reply.body).expect("the reply is JSON");
    }
    for violation in violations {
        assert!(violation.pointer.starts_with('/'), "{violation:?}");
        assert!(!violation.expected.is_empty() && !violation.found.is_empty(), "{violation:?}");
    }
    exchange
}

/// Target `token`: the bytes are the value of the token's header. The stub and the proof of labels agree on any value,
/// and what a journal shows of it does not give it away.
pub fn token(bytes: &[u8]) {
    let target = "/agentassist/api/v1/public/st-1/agents";
    let mut request = Request::new("POST", target).header("auth", bytes).header("accountId", "a");
    request.received = RECEIVED;
    let claim = VERDICTS.default.contract().token_claim();
    for (stub, verified) in [(&VERDICTS.default, false), (&VERDICTS.verified, true)] {
        let exchange = stub.respond(request.clone());
        let found = exchange.violations.iter().find(|violation| violation.pointer == "/header/auth");
        if let Ok(wanted) = token_rule(bytes, claim, verified) {
            let value = bytes.escape_ascii().to_string();
            assert_eq!(found.map(|violation| violation.rule), wanted, "{value}");
        }
    }
    let shown = redact(bytes, claim, &RandomState::new());
    let gives_away = bytes.len() > 100 && shown.as_bytes().windows(bytes.len()).any(|window| window == bytes);
    assert!(!gives_away, "{shown}");
}
