//! A state as JSON: what a session writes is read back, and what is wrong with one that people write is said at once.

mod state_support;

use serde_json::{Value, json};
use standin::{Bounds, Contract, Session, StateSettings};
use state_support::{library, library_document};

fn start(snapshot: &Value) -> Result<Session, Vec<String>> {
    start_as(snapshot, &StateSettings::default())
}

fn start_as(snapshot: &Value, settings: &StateSettings) -> Result<Session, Vec<String>> {
    let client = library(StateSettings::default());
    Session::start(client.stub.contract(), snapshot, settings)
        .map_err(|violations| violations.iter().map(ToString::to_string).collect())
}

/// A state with these resources.
fn state(resources: Value) -> Value {
    let mut state = json!({"standin": "state", "format": 1});
    state["resources"] = resources;
    state
}

#[test]
fn what_may_be_twice_may_be_twice_beside_what_may_not() {
    let mut document = library_document();
    let accepted = json!({"is": "accept", "choice": "L99", "x-assumed": "nothing says it"});
    let entry = json!({"id": "L99", "kind": "note", "title": "t", "says": [], "reading": "r"});
    document["x-ledger"].as_array_mut().expect("a ledger").push(entry);
    document["x-resources"]["book"]["unique"]["/title"] = accepted;
    let contract = Contract::from_document(document).expect("a contract");
    let books = |isbn: &str| {
        let records =
            json!([{"id": "b-1", "title": "T", "isbn": "1"}, {"id": "b-2", "title": "T", "isbn": isbn}]);
        let snapshot = state(json!({"book": [{"scope": {"library": "main"}, "records": records}]}));
        let read = Session::start(&contract, &snapshot, &StateSettings::default());
        read.map(drop).map_err(|wrong| wrong.iter().map(|wrong| wrong.pointer.clone()).collect::<Vec<_>>())
    };

    assert_eq!(books("2"), Ok(()));
    let both = [0, 1].map(|index| format!("/resources/book/0/records/{index}/isbn"));
    assert_eq!(books("1"), Err(both.to_vec()));
}

#[test]
fn what_is_chosen_holds_for_a_start_state_too() {
    let books = json!([{"id": "b-1", "title": "A", "isbn": "1"}, {"id": "b-2", "title": "B", "isbn": "1"}]);
    let snapshot = state(json!({"book": [{"scope": {"library": "main"}, "records": books}]}));
    let assume = [("L4".to_owned(), "accept".to_owned())].into();
    let lenient = StateSettings { assume, ..StateSettings::default() };

    assert_eq!(start(&snapshot).map(drop).unwrap_err().len(), 2);
    assert_eq!(start_as(&snapshot, &lenient).map(|session| session.resources()), Ok(2));
}

#[test]
fn a_start_state_is_what_operations_then_find() {
    let snapshot = state(json!({
        "shelf": [{"scope": {"library": "main"}, "records": [{"id": "s-1", "name": "one"}]}],
        "label": [{"scope": {"library": "main", "shelf": "s-1"}, "records": [{"id": "l-1", "text": "x", "colors": ["r"]}]}],
        "book": [
            {"scope": {"library": "main"}, "records": [{"id": "b-1", "title": "T", "isbn": "1", "language": "fr", "place": {"shelf": "s-1"}}]},
            {"scope": {"library": "other"}, "records": []},
        ],
    }));
    let mut client = library(StateSettings::default());
    client.session = start(&snapshot).expect("a session");
    assert_eq!(client.session.resources(), 3);
    assert_eq!(client.ok("GET", "/main/books/b-1", None)["book"]["language"], "fr");
    assert_eq!(client.ok("GET", "/main/shelves/s-1/labels", None)[0]["shelf"], "s-1");
    assert_eq!(
        client.send("POST", "/main/books", Some(json!({"title": "T", "isbn": "1"}))).reply.status,
        409
    );
    assert_eq!(client.session.version(), 0);
}

#[test]
fn the_same_name_gives_the_same_ids_and_another_name_others() {
    let id = |name: &str| {
        let mut client = library(StateSettings::default());
        client.session = Session::new(name);
        client.ok("POST", "/main/books", Some(json!({"title": "T"})))["id"].clone()
    };
    assert_eq!(id("one"), id("one"));
    assert_ne!(id("one"), id("two"));
}

#[test]
fn a_session_that_is_read_back_goes_on_with_its_ids_and_its_clock() {
    let mut client = library(StateSettings::default());
    let first = client.ok("POST", "/main/books", Some(json!({"title": "T", "language": "unknown"})));
    let restored = start(&client.session.snapshot()).expect("a session, though an id names nothing");
    assert_eq!(restored, client.session);
    assert_eq!(restored.snapshot(), client.session.snapshot());
    client.session = restored;
    let mut early = client.request("POST", "/main/books", Some(json!({"title": "U"})));
    early.received = jiff::Timestamp::from_second(-5).expect("a time");
    let second: Value = serde_json::from_slice(&client.exchange(early).reply.body).expect("JSON");
    assert_ne!(second["id"], first["id"]);
    assert_eq!(second["added"], first["added"], "never earlier than what was told before");
}

#[test]
fn an_id_that_is_there_already_is_not_made_again() {
    let mut client = library(StateSettings::default());
    let id = client.ok("POST", "/main/books", Some(json!({"title": "T"})))["id"].clone();
    let mut other = library(StateSettings::default());
    other.ok("PUT", "/main/stock", Some(json!({"what": "books", "items": [{"id": id}]})));
    assert_ne!(other.ok("POST", "/main/books", Some(json!({"title": "T"})))["id"], id);
}

#[test]
fn what_is_wrong_with_a_state_is_said_all_at_once_with_its_place() {
    let e = |snapshot: Value| start(&snapshot).expect_err("violations");
    let book = |records: Value| state(json!({"book": [{"scope": {"library": "main"}, "records": records}]}));
    let cases = [
        (json!([]), ": expected an object, but found an array"),
        (json!({}), "/standin: expected `state`, but found nothing"),
        (json!({"standin": "journal", "format": 1}), "/standin: expected `state`, but found `journal`"),
        (json!({"standin": "state"}), "/format: expected `1`, but found nothing"),
        (
            json!({"standin": "state", "format": 2, "unknown": 1}),
            "/format: expected a state in format 1, the newest that this version knows, but found `2`",
        ),
        (
            json!({"standin": "state", "format": 1, "resource": {}}),
            "/resource: expected one of standin, format, references, seed, counter, clock, version, resources, but found `resource` (did you mean resources?)",
        ),
        (
            json!({"standin": "state", "format": 1, "clock": "noon"}),
            "/clock: expected a time as of RFC 3339, but found `noon`",
        ),
        (
            json!({"standin": "state", "format": 1, "seed": 5}),
            "/seed: expected a number in hexadecimal digits, but found `5`",
        ),
        (
            json!({"standin": "state", "format": 1, "counter": -1}),
            "/counter: expected a number from 0 on, but found `-1`",
        ),
        (
            state(json!({"boook": []})),
            "/resources/boook: expected one of book, shelf, label, but found `boook` (did you mean book?)",
        ),
        (
            state(json!({"language": []})),
            "/resources/language: expected one of book, shelf, label, but found `language`",
        ),
        (state(json!({"book": {}})), "/resources/book: expected an array, but found an object"),
        (state(json!({"book": [5]})), "/resources/book/0: expected an object, but found `5`"),
        (
            state(json!({"book": [{"scope": {"town": "x", "library": 5}, "records": []}]})),
            "/resources/book/0/scope/town: expected library, but found `town`; /resources/book/0/scope/library: expected a string, but found `5`",
        ),
        (
            state(json!({"book": [{"record": []}]})),
            "/resources/book/0/record: expected scope or records, but found `record`; /resources/book/0/scope/library: expected a string, but found nothing; /resources/book/0/records: expected an array, but found nothing",
        ),
        (
            book(json!([{"title": 5}, {"id": ""}, 7])),
            "/resources/book/0/records/0/title: expected a string, but found `5`; /resources/book/0/records/0/id: expected an id, but found nothing; /resources/book/0/records/1/id: expected an id, but found ``; /resources/book/0/records/2: expected an object, but found `7`",
        ),
        (
            book(json!([{"id": "b-1"}, {"id": "b-1"}])),
            "/resources/book/0/records/1/id: expected an id that no other book has, but found `b-1`",
        ),
        (
            book(json!([{"id": "b-1", "isbn": "1"}, {"id": "b-2", "isbn": "1"}])),
            "/resources/book/0/records/0/isbn: expected a value that no other book has, but found `1`; /resources/book/0/records/1/isbn: expected a value that no other book has, but found `1`",
        ),
        (
            book(json!([{"id": "b-1", "language": "tlh", "place": {"shelf": "s-0"}}])),
            "/resources/book/0/records/0/language: expected the id of a language that is there, but found `tlh`; /resources/book/0/records/0/place/shelf: expected the id of a shelf that is there, but found `s-0`",
        ),
        (
            state(
                json!({"label": [{"scope": {"library": "main", "shelf": "s-0"}, "records": [{"id": "l-1"}]}]}),
            ),
            "/resources/label/0/scope/shelf: expected the id of a shelf that is there, but found `s-0`",
        ),
    ];
    for (snapshot, expected) in cases {
        assert_eq!(e(snapshot).join("; "), expected);
    }
    let many: Vec<_> = (0..500).map(|_| json!({})).collect();
    assert_eq!(e(book(json!(many))).len(), 100, "a list of mistakes has an end");
}

#[test]
fn a_state_beyond_its_bounds_is_refused() {
    let snapshot =
        state(json!({"shelf": [{"scope": {"library": "m"}, "records": [{"id": "1"}, {"id": "2"}]}]}));
    let within = |resources, bytes| {
        let settings = StateSettings { bounds: Bounds { resources, bytes }, ..StateSettings::default() };
        start_as(&snapshot, &settings)
    };
    let session = start(&snapshot).expect("a session");
    let expected = [
        "/resources: expected at most 1 resources, but found 2".to_owned(),
        format!("/resources: expected a session of at most 10 bytes, but found {} bytes", session.bytes()),
    ];
    assert_eq!(within(1, 10), Err(expected.into()));
    assert_eq!(within(2, session.bytes()), Ok(session));
}

#[test]
fn what_a_document_says_of_resources_is_checked_with_its_place() {
    let book = "/x-resources/book";
    let cases: Vec<(String, Value, &str)> = vec![
        (
            format!("{book}/ids"),
            json!(1),
            "this is no member of a resource, which has schema, scope, id, make, derive, created, updated, unique, references, parent, fixed",
        ),
        (format!("{book}/id/at"), json!("/idd"), "the schema knows no `/idd`"),
        (format!("{book}/id/at"), json!("/place/shelf"), "expected a member at the top of the record"),
        (
            format!("{book}/id/make"),
            json!("b-{hex:2}"),
            "expected a text with at least 8 digits that are made, but found the string `b-{hex:2}`",
        ),
        (format!("{book}/derive/~1heading"), json!("{/titel}"), "the schema knows no `/titel`"),
        (
            format!("{book}/unique/~1isbn"),
            json!("perhaps"),
            "expected one of refuse, accept, but found the string `perhaps`",
        ),
        (
            format!("{book}/unique/~1isbn/choice"),
            json!("L99"),
            "expected the id of an entry of the ledger, but found the string `L99`",
        ),
        (
            format!("{book}/references/~1language/resource"),
            json!("tongue"),
            "expected the name of a resource, one of book, shelf, label, language, but found the string `tongue`",
        ),
        (
            "/x-resources/language/fixed/example".into(),
            json!("none"),
            "expected the name of one of its replies' examples, but found the string `none`",
        ),
    ];
    each_is_refused(cases);
}

#[test]
fn what_a_document_says_of_effects_is_checked_with_its_place() {
    let add = "/paths/~1{library}~1books/post/x-effect";
    let list = "/paths/~1{library}~1books/get/x-effect";
    let stock = "/paths/~1{library}~1stock/put/x-effect";
    let cases: Vec<(String, Value, &str)> = vec![
        (
            format!("{add}/does"),
            json!("make"),
            "expected one of create, read, list, update, delete, import, export, but found the string `make`",
        ),
        (
            format!("{add}/key"),
            json!("/path/library"),
            "this is no member of an effect that is `create`, which has does, resource, parent, take, give, also, missing",
        ),
        (
            format!("{add}/resource"),
            json!("bok"),
            "expected the name of a resource, one of book, shelf, label, language, but found the string `bok`",
        ),
        (
            format!("{add}/resource"),
            json!("language"),
            "the records of this resource are fixed; they can be read and listed",
        ),
        (
            "/paths/~1{library}~1shelves/post/x-effect/resource".into(),
            json!("label"),
            "expected a member `parent`, but found none",
        ),
        (format!("{add}/parent"), json!("/path/library"), "this resource has no parent"),
        (format!("{add}/take/~1body~1shelf"), json!("/place/rack"), "the schema knows no `/place/rack`"),
        (
            format!("{add}/take/~1body~1shelv"),
            json!("/title"),
            "the schema of the request knows no `/shelv` here",
        ),
        (
            format!("{add}/take/~1header~1town"),
            json!("/title"),
            "the operation has no header parameter `town`",
        ),
        (
            format!("{add}/give/members/~1place~1shelf"),
            json!("/rack"),
            "the schema of the reply knows no `/rack` here",
        ),
        (format!("{add}/take/~1body~1shelf"), json!(""), "the schema knows no ``"),
        (
            "/paths/~1{library}~1shelves~1{shelf}~1labels/get/x-effect/tells".into(),
            json!({}),
            "expected `give` with the list `at` a place beside what is told",
        ),
        (format!("{list}/give/at"), json!("/total"), "expected `at` to name an array of the reply"),
        (
            format!("{list}/tells/~1total"),
            json!("sum"),
            "expected one of limit, more, number, pages, skip, total, but found the string `sum`",
        ),
        (format!("{list}/page/size"), json!(0), "expected a number above 0, but found `0`"),
        (format!("{stock}/items"), json!("/query/x"), "the operation has no query parameter `x`"),
        (format!("{stock}/kinds/1/values"), json!([]), "expected at least one text, but found an array"),
        (
            format!("{stock}/kinds/1/parts"),
            json!({"/labels": {"resource": "label"}}),
            "expected a resource whose parent this one is",
        ),
    ];
    each_is_refused(cases);
}

/// A document with this value there fails with this complaint about that place.
fn each_is_refused(cases: Vec<(String, Value, &str)>) {
    for (place, value, expected) in cases {
        let mut document = library_document();
        let (parent, name) = place.rsplit_once('/').expect("a pointer");
        let name = name.replace("~1", "/");
        document.pointer_mut(parent).unwrap_or_else(|| panic!("{parent}"))[name] = value;
        let error = standin::Contract::from_document(document).expect_err(&place).to_string();
        let (found_at, complaint) = error.split_once(": ").expect("a place");
        assert_eq!(complaint, expected, "{place}");
        assert!(place.starts_with(found_at) || found_at.starts_with(parent), "{place}: {found_at}");
    }
}

#[test]
fn a_document_has_the_refusals_that_its_effects_can_give() {
    let mut document = library_document();
    let responses = document.pointer_mut("/paths/~1{library}~1books/post/responses").expect("responses");
    responses.as_object_mut().expect("an object").shift_remove("507");
    let error = standin::Contract::from_document(document).expect_err("no refusal").to_string();
    assert!(error.starts_with("/paths: expected an example `full` under application/json"), "{error}");
}
