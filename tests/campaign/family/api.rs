//! The sound part of a server, with what bugs need to get around it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use standin::{
    Change, Checks, Contract, Exchange, Headers, Reply, Request, Session, Settings, StateSettings, Step,
    Stub, TokenPolicy, Violation, token::Secret,
};

use super::{SECRET, Sound};

/// What a server does with a request.
pub enum Answer {
    /// It answers.
    Reply(Reply),
    /// It closes the connection.
    Close,
    /// It says that the body is longer than it is, and closes the connection.
    Cut(Reply),
    /// It does nothing, until the client is gone.
    Hang,
    /// It answers without having read the body, which then stands before the next request.
    Unread(Reply),
}

pub struct Api {
    stub: Stub,
    /// The same, and it looks at nothing but route and JSON.
    blind: Stub,
    session: Mutex<Session>,
    /// How often a bug has seen something.
    seen: Mutex<HashMap<String, u32>>,
    /// Replies that a bug has kept, by target.
    kept: Mutex<HashMap<String, Reply>>,
}

impl Api {
    pub fn new(sound: Sound) -> Self {
        let contract = Contract::builtin();
        let state = (sound == Sound::State).then(StateSettings::default);
        let stub = |checks, token| {
            let settings = Settings { checks, token, state: state.clone(), ..Settings::default() };
            Stub::new(Arc::clone(&contract), settings)
        };
        let token = match sound {
            Sound::Verified => TokenPolicy::Verified(Secret::new(SECRET)),
            Sound::Samples | Sound::State => TokenPolicy::WellFormed,
        };
        Self {
            stub: stub(Checks::Enforce, token),
            blind: stub(Checks::Off, TokenPolicy::Any),
            session: Mutex::new(Session::new("family")),
            seen: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// The right answer.
    pub fn respond(&self, request: Request) -> Exchange {
        let mut session = lock(&self.session);
        let (exchange, change) = self.stub.decide(&session, self.stub.check(request));
        session.apply(change);
        exchange
    }

    /// The right answer as far as can be told without doing it.
    pub fn decide(&self, request: Request) -> (Exchange, Change) {
        self.stub.decide(&lock(&self.session), self.stub.check(request))
    }

    /// What would be answered if nothing were wrong with the request.
    pub fn accept(&self, request: Request) -> Exchange {
        let mut session = lock(&self.session);
        let (exchange, change) = self.blind.decide(&session, self.blind.check(request));
        session.apply(change);
        exchange
    }

    /// The answer of a server that overlooks some violations: where there are no others, it accepts.
    pub fn overlook(
        &self,
        request: Request,
        is_overlooked: impl Fn(&Exchange, &Violation) -> bool,
    ) -> Answer {
        let exchange = self.respond(request.clone());
        let is_refused = matches!(exchange.step, Step::Authorize | Step::Validate);
        let overlooked = |violation| is_overlooked(&exchange, violation);
        Answer::Reply(if is_refused && exchange.violations.iter().all(overlooked) {
            self.accept(request).reply
        } else {
            exchange.reply
        })
    }

    /// The answer of a server that refuses one violation in its own way.
    pub fn instead(
        &self,
        request: Request,
        is_meant: impl Fn(&Violation) -> bool,
        answer: impl FnOnce(Reply) -> Answer,
    ) -> Answer {
        let exchange = self.respond(request);
        if exchange.violations.iter().any(is_meant) {
            answer(exchange.reply)
        } else {
            Answer::Reply(exchange.reply)
        }
    }

    /// The answer of a server whose replies to one operation are others, when it accepts.
    pub fn reshape(&self, request: Request, operation: &str, reshape: impl FnOnce(&mut Value)) -> Answer {
        let Exchange { mut reply, operation: id, .. } = self.respond(request);
        if reply.status == 200 && id.as_deref() == Some(operation) {
            let mut value = serde_json::from_slice(&reply.body).unwrap_or_default();
            reshape(&mut value);
            reply.body = value.to_string().into();
        }
        Answer::Reply(reply)
    }

    /// How often this was asked about the same thing before.
    pub fn times_before(&self, thing: String) -> u32 {
        let mut seen = lock(&self.seen);
        let times = seen.entry(thing).or_default();
        *times += 1;
        *times - 1
    }

    /// The reply that was kept for a target; when there is none, this one is.
    pub fn keep(&self, target: String, reply: Reply) -> Reply {
        lock(&self.kept).entry(target).or_insert(reply).clone()
    }

    /// Keeps nothing for a target.
    pub fn forget(&self, target: &str) {
        lock(&self.kept).remove(target);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether an exchange is of this operation.
pub fn is_of(exchange: &Exchange, operation: &str) -> bool {
    exchange.operation.as_deref() == Some(operation)
}

/// The body as JSON; null when it is none.
pub fn json(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap_or_default()
}

/// The value in the body that a violation is about.
pub fn value(request: &Request, violation: &Violation) -> Option<Value> {
    let pointer = violation.pointer.strip_prefix("/body")?;
    json(request).pointer(pointer).cloned()
}

/// The request with a change to the members of its body; as it is when that is no object.
pub fn with_members(
    mut request: Request,
    change: impl FnOnce(&mut serde_json::Map<String, Value>),
) -> Request {
    if let Value::Object(mut members) = json(&request) {
        change(&mut members);
        request.body = Value::Object(members).to_string().into();
    }
    request
}

/// The request with one header of this name, and no other.
pub fn with_header(mut request: Request, name: &str, value: &[u8]) -> Request {
    let mut headers: Headers = request.headers.iter().filter(|(other, _)| *other != name).collect();
    headers.push(name, value);
    request.headers = headers;
    request
}

/// A reply of this status, with a body of this media type.
pub fn reply(status: u16, media_type: &str, body: impl Into<bytes::Bytes>) -> Reply {
    let headers = Headers::from_iter([("content-type", media_type)]);
    Reply { status, headers, body: body.into() }
}

/// What servers answer when they have failed.
pub fn failure() -> Answer {
    let body = r#"{"errors":[{"msg":"Internal Server Error","code":500}]}"#;
    Answer::Reply(reply(500, "application/json", body))
}
