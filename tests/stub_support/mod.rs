//! What the tests of the stub share: the pages' sample calls as plain values, ready to be changed.

#![allow(dead_code)] // Each test binary uses a part of it.

use std::sync::{Arc, OnceLock};

use serde_json::Value;
use standin::{
    Contract, Exchange, Request, Settings, Stub,
    contract::{Place, Segment},
};

/// The sample token of the v1 import page, as it stands there (I11).
pub const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwiYXBwSWQiOiJjcy0zOWNkNmJhMC1mNmVlLTViYWUtOWI3ZC03M2I0YmE5N2FjOGIifQ.LAiNcKfUNeDaAtPei1nD6JZJbnEGsv1BKo1pQUexxxx";

/// The ids of all operations.
pub fn operations() -> impl Iterator<Item = &'static str> {
    contract().operations().iter().map(|operation| &*operation.id)
}

/// The ids of the operations that take a body.
pub fn operations_with_body() -> impl Iterator<Item = &'static str> {
    let taking = contract().operations().iter().filter(|operation| operation.body.is_some());
    taking.map(|operation| &*operation.id)
}

/// A call in parts, so that a test can change any of them.
#[derive(Clone)]
pub struct Call {
    pub method: String,
    /// The path's segments, not encoded.
    pub path: Vec<String>,
    /// Names and values of the query, not encoded.
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body; null for none.
    pub body: Value,
}

impl Call {
    /// The page's sample call, with the placeholders of the fixtures' README filled in.
    pub fn sample(operation: &str) -> Self {
        let (method, path, query, account) = match operation {
            "createAgent" => (
                "POST",
                "agentassist/api/v1/public/st-d2aa65cc-a2d2-5b6d-84d7-861509e2xxxx/agents",
                "",
                "649bdcaf5037ed113942xxxx",
            ),
            "updateAgent" => (
                "PUT",
                "agentassist/api/v1/public/st-d2aa65cc-a2d2-5b6d-84d7-861509e2xxxx/agents/a-1a36a7e-bb33-4bcc-ab7b-ac33773871d8",
                "groupId=ag-3234fsdf21312412123",
                "633ffa91d784f471d0b8xxxx",
            ),
            "importData" => (
                "POST",
                "agentassist/api/public/analytics/st-9a5e4e7d-f540-5cb3-83ed-639cdc4dxxxx/exportSmartAssistFunctionalities",
                "",
                "649bdcaf5037ed113942xxxx",
            ),
            "importDataV2" => (
                "POST",
                "agentassist/api/v1/public/analytics/st-d76e4023-ba1e-52af-a144-248e92c4xxxx/storeSmartAssistFunctionalities",
                "accountId=67ee382b8226ebf4d953xxxx&orgId=o-7d15bb88-f5bb-5449-9190-87a05553xxxx&type=skillGroups",
                "67ee382b8226ebf4d953xxxx",
            ),
            "createQueue" => (
                "POST",
                "agentassist/api/v1/public/st-d2aa65cc-a2d2-5b6d-84d7-861509e2xxxx/queues",
                "",
                "649bdcaf5037ed113942xxxx",
            ),
            other => return Self::of_examples(other),
        };
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').expect("a pair");
            (name.to_owned(), value.to_owned())
        };
        Self {
            method: method.into(),
            path: path.split('/').map(str::to_owned).collect(),
            query: query.split('&').filter(|text| !text.is_empty()).map(pair).collect(),
            headers: vec![
                ("auth".into(), TOKEN.into()),
                ("accountId".into(), account.into()),
                ("Content-Type".into(), "application/json".into()),
            ],
            body: fixture(&format!("{operation}/request.json")),
        }
    }

    /// The sample call of an operation around the five, made of the examples in the contract.
    fn of_examples(id: &str) -> Self {
        let operation = contract().operation(id).unwrap_or_else(|| panic!("there is no operation {id}"));
        let examples = |place| {
            let parameters = operation.parameters_in(place).filter(|parameter| parameter.required);
            parameters.map(|parameter| {
                (parameter.name.clone(), parameter.example.clone().expect("each parameter has an example"))
            })
        };
        let value =
            |name: &String| examples(Place::Path).find(|(other, _)| other == name).expect("a value").1;
        let mut headers = vec![("auth".into(), TOKEN.into())];
        headers.extend(examples(Place::Header).map(|(name, value)| (name, value.into_bytes())));
        let body = if operation.body.is_some() {
            headers.push(("Content-Type".into(), "application/json".into()));
            fixture(&format!("{id}/request.json"))
        } else {
            Value::Null
        };
        let path = operation.segments.iter().map(|segment| match segment {
            Segment::Literal(text) => text.clone(),
            Segment::Parameter(name) => value(name),
        });
        Self {
            method: operation.method.clone(),
            path: path.collect(),
            query: examples(Place::Query).collect(),
            headers,
            body,
        }
    }

    /// Sets the value at a pointer into the body; the parent must be there.
    #[must_use]
    pub fn with(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let value = value.into();
        match self.body.pointer_mut(parent) {
            Some(Value::Object(members)) => drop(members.insert(name.to_owned(), value)),
            Some(Value::Array(items)) => items[name.parse::<usize>().expect("an index")] = value,
            _ => panic!("nothing at {parent}"),
        }
        self
    }

    /// Removes the member at a pointer into the body.
    #[must_use]
    pub fn without(mut self, pointer: &str) -> Self {
        self.take(pointer);
        self
    }

    /// Gives the member at a pointer into the body another name.
    #[must_use]
    pub fn renamed(mut self, pointer: &str, name: &str) -> Self {
        let value = self.take(pointer);
        let (parent, _) = pointer.rsplit_once('/').expect("a pointer");
        self.with(&format!("{parent}/{name}"), value)
    }

    fn take(&mut self, pointer: &str) -> Value {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let members = self.body.pointer_mut(parent).and_then(Value::as_object_mut);
        members
            .and_then(|members| members.shift_remove(name))
            .unwrap_or_else(|| panic!("nothing at {pointer}"))
    }

    /// Sets the query.
    #[must_use]
    pub fn query(mut self, pairs: &[(&str, &str)]) -> Self {
        self.query = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        self
    }

    /// Sets a header to one value, whatever it was before.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.more_header(name, value)
    }

    /// Adds a header.
    #[must_use]
    pub fn more_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Leaves a header out.
    #[must_use]
    pub fn no_header(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    /// The target, with what must be encoded encoded.
    pub fn target(&self) -> String {
        let path: Vec<_> = self.path.iter().map(|segment| encode(segment)).collect();
        let query: Vec<_> =
            self.query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("/{}{mark}{}", path.join("/"), query.join("&"))
    }

    pub fn request(&self) -> Request {
        self.request_to(self.target())
    }

    /// The request with this target instead of its own.
    pub fn request_to(&self, target: impl Into<String>) -> Request {
        let body = if self.body.is_null() { String::new() } else { self.body.to_string() };
        self.request_with(body).tap(|request| request.target = target.into())
    }

    /// The request with these bytes instead of its own body.
    pub fn request_with(&self, body: impl Into<Vec<u8>>) -> Request {
        let request = Request::new(self.method.clone(), self.target()).body(body.into());
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    /// What the default stub makes of it.
    pub fn send(&self) -> Exchange {
        stub().respond(self.request())
    }
}

trait Tap: Sized {
    fn tap(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl<T> Tap for T {}

/// Percent-encodes everything but the unreserved characters.
fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let each = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(each).collect()
}

/// A fixture's value.
pub fn fixture(name: &str) -> Value {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The built-in contract, read once for all tests of a binary.
pub fn contract() -> &'static Arc<Contract> {
    static CONTRACT: OnceLock<Arc<Contract>> = OnceLock::new();
    CONTRACT.get_or_init(Contract::builtin)
}

/// The stub of the built-in contract with the default settings.
pub fn stub() -> &'static Stub {
    static STUB: OnceLock<Stub> = OnceLock::new();
    STUB.get_or_init(|| stub_with(Settings::default()))
}

/// A stub of the built-in contract.
pub fn stub_with(settings: Settings) -> Stub {
    Stub::new(Arc::clone(contract()), settings)
}

/// The body of the reply.
pub fn body(exchange: &Exchange) -> Value {
    serde_json::from_slice(&exchange.reply.body).expect("the reply is JSON")
}

/// Pointers and rules of the violations.
pub fn violations(exchange: &Exchange) -> Vec<(&str, &str)> {
    exchange.violations.iter().map(|violation| (violation.pointer.as_str(), violation.rule.name())).collect()
}

/// Ledger ids and pointers of the readings.
pub fn readings(exchange: &Exchange) -> Vec<(&str, &str)> {
    exchange.readings.iter().map(|reading| (reading.ledger.as_str(), reading.pointer.as_str())).collect()
}

/// A reply header's values.
pub fn reply_headers<'a>(exchange: &'a Exchange, name: &'a str) -> Vec<&'a str> {
    exchange
        .reply
        .headers
        .all(name)
        .map(|value| std::str::from_utf8(value).expect("a header of text"))
        .collect()
}
