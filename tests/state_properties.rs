//! Whatever is done, a session is what a model of a few lines says, and can be replayed.

mod state_support;

use std::collections::BTreeMap;

use proptest::{collection::vec, option, prelude::*};
use serde_json::{Value, json};
use standin::{Contract, Exchange, Session, Settings, StateSettings, Step, Stub, payload::Generator};
use state_support::{Client, library};

/// A request about books; a position names one of the ids that were given out, deleted ones too, or none.
#[derive(Clone, Debug)]
enum Action {
    Add(String, Option<u8>),
    Change(usize, Option<String>, Option<u8>),
    Drop(usize),
    Get(usize),
    List(usize, usize),
    Import(Vec<(usize, Option<u8>)>),
    Export,
}

fn action() -> impl Strategy<Value = Action> {
    let title = "[a-z]{1,3}";
    let number = || option::of(0..6_u8);
    prop_oneof![
        4 => (title, number()).prop_map(|(title, isbn)| Action::Add(title, isbn)),
        3 => (0..12_usize, option::of(title), number()).prop_map(|(at, title, isbn)| Action::Change(at, title, isbn)),
        3 => (0..12_usize).prop_map(Action::Drop),
        2 => (0..12_usize).prop_map(Action::Get),
        2 => (1..4_usize, 1..4_usize).prop_map(|(page, limit)| Action::List(page, limit)),
        1 => vec((0..12_usize, number()), 0..4).prop_map(Action::Import),
        1 => Just(Action::Export),
    ]
}

/// The books in order: id, title and number.
#[derive(Default)]
struct Model(Vec<(String, Option<String>, Option<u8>)>);

impl Model {
    fn at(&mut self, id: &str) -> Option<&mut (String, Option<String>, Option<u8>)> {
        self.0.iter_mut().find(|book| book.0 == id)
    }

    fn is_taken(&self, id: &str, isbn: Option<u8>) -> bool {
        isbn.is_some() && self.0.iter().any(|book| book.0 != id && book.2 == isbn)
    }
}

/// A client beside the model of its session.
struct Both {
    client: Client,
    model: Model,
    ids: Vec<String>,
    exchanges: Vec<Exchange>,
}

impl Both {
    fn new() -> Self {
        let client = library(StateSettings::default());
        Self { client, model: Model::default(), ids: Vec::new(), exchanges: Vec::new() }
    }

    fn send(&mut self, method: &str, target: &str, body: Option<Value>) -> (u16, Value) {
        let exchange = self.client.send(method, target, body);
        let reply = (exchange.reply.status, serde_json::from_slice(&exchange.reply.body).expect("JSON"));
        self.exchanges.push(exchange);
        reply
    }

    fn id(&self, at: usize) -> String {
        self.ids.get(at).cloned().unwrap_or_else(|| format!("b-unknown{at}"))
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Add(title, isbn) => {
                let (status, reply) = self.send("POST", "/l/books", Some(members(Some(&title), isbn)));
                assert_eq!(status, if self.model.is_taken("", isbn) { 409 } else { 200 });
                if status == 200 {
                    let id = reply["id"].as_str().expect("an id").to_owned();
                    assert!(!self.ids.contains(&id), "{id} was given out before");
                    self.ids.push(id.clone());
                    self.model.0.push((id, Some(title), isbn));
                }
            }
            Action::Change(at, title, isbn) => {
                let id = self.id(at);
                let body = members(title.as_deref(), isbn);
                let (status, reply) = self.send("PUT", &format!("/l/books/{id}"), Some(body));
                let is_taken = self.model.is_taken(&id, isbn);
                match self.model.at(&id) {
                    None => assert_eq!(status, 404),
                    Some(_) if is_taken => assert_eq!(status, 409),
                    Some(book) => {
                        book.1 = title.or(book.1.take());
                        book.2 = isbn.or(book.2);
                        assert_eq!((status, &reply["title"]), (200, &shown(book.1.as_deref())));
                    }
                }
            }
            Action::Drop(at) => {
                let id = self.id(at);
                let (status, _) = self.send("DELETE", &format!("/l/books/{id}"), None);
                assert_eq!(status, if self.model.at(&id).is_some() { 200 } else { 404 });
                self.model.0.retain(|book| book.0 != id);
            }
            Action::Get(at) => {
                let id = self.id(at);
                let (status, reply) = self.send("GET", &format!("/l/books/{id}"), None);
                match self.model.at(&id) {
                    None => assert_eq!(status, 404),
                    Some(book) => {
                        assert_eq!((status, &reply["book"]["title"]), (200, &shown(book.1.as_deref())));
                    }
                }
            }
            Action::List(page, limit) => {
                let (_, reply) = self.send("GET", &format!("/l/books?page={page}&limit={limit}"), None);
                let found: Vec<_> = reply["found"]
                    .as_array()
                    .expect("a list")
                    .iter()
                    .map(|book| book["id"].clone())
                    .collect();
                let known: Vec<_> = self.model.0.iter().map(|book| json!(book.0)).collect();
                let expected: Vec<_> = known.iter().skip((page - 1) * limit).take(limit).cloned().collect();
                assert_eq!((found, &reply["total"]), (expected, &json!(known.len())));
                assert_eq!(reply["more"], page * limit < known.len());
            }
            Action::Import(items) => {
                let items: Vec<_> = items.into_iter().map(|(at, isbn)| (self.id(at), isbn)).collect();
                let sent: Vec<_> = items
                    .iter()
                    .map(|(id, isbn)| {
                        let mut item = members(None, *isbn);
                        item["id"] = json!(id);
                        item
                    })
                    .collect();
                let (status, _) = self.send("PUT", "/l/stock", Some(json!({"what": "books", "items": sent})));
                let before = self.model.0.clone();
                let mut is_whole = true;
                for (id, isbn) in items {
                    is_whole &= !self.model.is_taken(&id, isbn);
                    match self.model.at(&id) {
                        Some(book) => *book = (id, None, isbn),
                        None => self.model.0.push((id, None, isbn)),
                    }
                }
                assert_eq!(status, if is_whole { 200 } else { 409 });
                if !is_whole {
                    self.model.0 = before;
                }
            }
            Action::Export => {
                let (_, reply) = self.send("GET", "/l/stock?what=books", None);
                let numbers: Vec<_> =
                    reply.as_array().expect("a list").iter().map(|book| book.get("isbn").cloned()).collect();
                let known = self.model.0.iter().map(|book| book.2.map(|isbn| json!(isbn.to_string())));
                assert_eq!(numbers, known.collect::<Vec<_>>());
            }
        }
        assert_eq!(self.client.session.resources(), self.model.0.len());
    }
}

fn members(title: Option<&str>, isbn: Option<u8>) -> Value {
    let mut members = json!({});
    if let Some(title) = title {
        members["title"] = json!(title);
    }
    if let Some(isbn) = isbn {
        members["isbn"] = json!(isbn.to_string());
    }
    members
}

/// The title that a reply has.
fn shown(title: Option<&str>) -> Value {
    json!(title.unwrap_or("A sample"))
}

proptest! {
    #[test]
    fn a_session_is_what_its_model_says_and_is_replayed_byte_for_byte(actions in vec(action(), 0..40)) {
        let mut both = Both::new();
        for action in actions {
            both.act(action);
        }

        // Everything again, from the requests alone.
        let stub = &both.client.stub;
        let mut session = Session::new("test");
        for exchange in &both.exchanges {
            let (again, change) = stub.decide(&session, stub.check(exchange.request.clone()));
            prop_assert_eq!(&again, exchange);
            session.apply(change);
        }
        prop_assert_eq!(&session, &both.client.session);
        prop_assert_eq!(session.snapshot().to_string(), both.client.session.snapshot().to_string());

        // What a snapshot says is all of it.
        let restored = Session::start(stub.contract(), &session.snapshot(), &StateSettings::default());
        prop_assert_eq!(restored.as_ref(), Ok(&session));
        let restored = restored.expect("a session");
        prop_assert_eq!((restored.bytes(), restored.version()), (session.bytes(), session.version()));
        let next = || both.client.stub.check(both.exchanges.first().map_or_else(
            || standin::Request::new("GET", "/l/books"),
            |exchange| exchange.request.clone(),
        ));
        prop_assert_eq!(stub.decide(&restored, next()), stub.decide(&session, next()));

        // What is deleted leaves nothing behind.
        for (id, ..) in both.model.0.split_off(0) {
            both.client.ok("DELETE", &format!("/l/books/{id}"), None);
        }
        prop_assert_eq!((both.client.session.resources(), both.client.session.bytes()), (0, 0));
        prop_assert_eq!(&both.client.session.snapshot()["resources"], &json!({}));
    }
}

#[test]
fn whatever_is_sent_gets_a_reply_that_holds_for_its_schema_and_is_replayed() {
    const CASES: u64 = 60;
    let contract = Contract::builtin();
    let generators: Vec<_> = contract.operations().iter().map(Generator::new).collect();
    for choices in [vec![], vec!["T1=create", "C6=accept", "U14=clear"]] {
        let assume: BTreeMap<_, _> =
            choices.iter().map(|text| contract.assume(text).expect("a choice")).collect();
        let state = StateSettings { assume, ..StateSettings::default() };
        let settings = Settings { state: Some(state), ..Settings::default() };
        let mut client = Client::new(Stub::new(Contract::builtin(), settings));
        let sampled = Stub::new(Contract::builtin(), Settings::default());
        let mut exchanges = Vec::new();
        for index in 0..CASES {
            for generator in &generators {
                for case in
                    [generator.valid_at(7, index), generator.mutant_at(7, index)].into_iter().flatten()
                {
                    let exchange = client.exchange(case.request.clone());
                    let plain = sampled.respond(case.request);
                    if exchange.step != Step::State {
                        assert_eq!((exchange.step, &exchange.violations), (plain.step, &plain.violations));
                    }
                    assert_eq!(exchange.step == Step::Answer, exchange.violations.is_empty());
                    exchanges.push(exchange);
                }
            }
        }
        assert!(client.session.resources() > 100, "{}", client.session.resources());
        let mut session = Session::new("test");
        for exchange in exchanges {
            let (again, change) = client.stub.decide(&session, client.stub.check(exchange.request.clone()));
            assert_eq!(again, exchange);
            session.apply(change);
        }
        assert!(session == client.session, "{}", difference(&session, &client.session));
        let restored = Session::start(&contract, &session.snapshot(), &StateSettings::default());
        let restored = restored.unwrap_or_else(|violations| panic!("{violations:?}"));
        assert!(restored == session, "{}", difference(&restored, &session));
    }
}

/// Where two sessions begin to differ; all of them would be too much.
fn difference(one: &Session, other: &Session) -> String {
    let (one, other) = (one.snapshot().to_string(), other.snapshot().to_string());
    let at = one.bytes().zip(other.bytes()).position(|(one, other)| one != other).unwrap_or_default();
    let part =
        |text: &str| String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(100)..][..200]).into_owned();
    format!("{}\n{}", part(&one), part(&other))
}
