//! What the tests of state share: the contract of a made-up library, and a client that keeps a session.

#![allow(dead_code)] // Each test binary uses a part of it.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde_json::Value;
use standin::{Contract, Exchange, Request, Session, Settings, StateSettings, Stub, judge::Judge};

pub fn library_document() -> Value {
    serde_json::from_str(include_str!("../library.openapi.json")).expect("JSON")
}

fn library_contract() -> Arc<Contract> {
    static CONTRACT: OnceLock<Arc<Contract>> = OnceLock::new();
    let contract = CONTRACT.get_or_init(|| {
        Arc::new(Contract::from_document(library_document()).unwrap_or_else(|error| panic!("{error}")))
    });
    Arc::clone(contract)
}

/// A client of the library.
pub fn library(state: StateSettings) -> Client {
    library_with(Settings { state: Some(state), ..Settings::default() })
}

pub fn library_with(settings: Settings) -> Client {
    Client::new(Stub::new(library_contract(), settings))
}

/// Sends requests of one session, a second apart.
pub struct Client {
    pub stub: Stub,
    pub session: Session,
    judge: Judge,
    seconds: i64,
    /// What is sent with every request.
    pub headers: Vec<(String, String)>,
}

impl Client {
    pub fn new(stub: Stub) -> Self {
        let judge = Judge::new(stub.contract()).expect("the reply schemas compile");
        Self { stub, session: Session::new("test"), judge, seconds: 0, headers: Vec::new() }
    }

    pub fn request(&mut self, method: &str, target: &str, body: Option<Value>) -> Request {
        self.seconds += 1;
        let mut request = Request::new(method, target);
        request.received = Timestamp::from_second(self.seconds).expect("a time");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        }
    }

    /// Sends a request, applies what it changes and judges the reply.
    pub fn send(&mut self, method: &str, target: &str, body: Option<Value>) -> Exchange {
        let request = self.request(method, target, body);
        self.exchange(request)
    }

    pub fn prefer(&mut self, method: &str, target: &str, body: Option<Value>, wish: &str) -> Exchange {
        let request = self.request(method, target, body).header("prefer", wish);
        self.exchange(request)
    }

    pub fn exchange(&mut self, request: Request) -> Exchange {
        let bytes = self.session.bytes();
        let (exchange, change) = self.stub.decide(&self.session, self.stub.check(request));
        let growth = change.growth();
        self.session.apply(change);
        let grown = isize::try_from(self.session.bytes()).unwrap() - isize::try_from(bytes).unwrap();
        assert_eq!(grown, growth, "a change says how much it is");
        let Exchange { reply, operation, .. } = &exchange;
        let breaches = self.judge.judge(operation.as_deref(), reply.status, &reply.headers, &reply.body);
        assert_eq!(breaches, [], "{operation:?} {}", String::from_utf8_lossy(&reply.body));
        exchange
    }

    /// The body of the reply to a request that succeeds.
    pub fn ok(&mut self, method: &str, target: &str, body: Option<Value>) -> Value {
        let exchange = self.send(method, target, body);
        let text = String::from_utf8_lossy(&exchange.reply.body);
        assert_eq!(exchange.reply.status, 200, "{method} {target}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}
