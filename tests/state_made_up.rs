//! A contract from outside says what its operations remember; nothing of it is in Rust.

mod state_support;

use serde_json::{Value, json};
use standin::{Bounds, References, Settings, StateSettings};
use state_support::{Client, library, library_document, library_with};

/// A book that is on no shelf.
fn book(title: &str, isbn: &str) -> Value {
    json!({"title": title, "author": "Ada", "isbn": isbn, "language": "en"})
}

fn pointers(exchange: &standin::Exchange) -> Vec<(&str, &str)> {
    exchange.violations.iter().map(|violation| (violation.pointer.as_str(), violation.rule.name())).collect()
}

#[test]
fn what_is_created_is_read_listed_updated_and_deleted() {
    let mut client = library(StateSettings::default());
    let created = client.ok("POST", "/main/books", Some(book("Notes", "1")));
    let id = created["id"].as_str().expect("an id").to_owned();
    assert!(id.starts_with("b-") && id.len() == 10, "{id}");
    assert_eq!(created["heading"], "Notes by Ada");
    assert_eq!(created["added"], "1970-01-01T00:00:01.000Z");

    let place = format!("/main/books/{id}");
    let read = client.ok("GET", &place, None);
    assert_eq!(read["server"], "one", "the rest of the sample stays");
    assert_eq!((&read["book"]["title"], &read["book"]["added"]), (&created["title"], &created["added"]));
    let list = client.ok("GET", "/main/books", None);
    assert_eq!(
        (&list["found"][0]["title"], &list["total"], &list["more"]),
        (&json!("Notes"), &json!(1), &json!(false))
    );

    let updated = client.ok("PUT", &place, Some(json!({"title": "More notes"})));
    assert_eq!(
        (&updated["title"], &updated["author"], &updated["added"]),
        (&json!("More notes"), &json!("Ada"), &created["added"])
    );
    assert!(updated["changed"].as_str() > created["changed"].as_str(), "{updated}");
    assert_eq!(client.ok("GET", &place, None)["book"]["changed"], updated["changed"]);

    assert_eq!(client.ok("DELETE", &place, None), json!({"dropped": true}));
    for (method, body) in [("GET", None), ("DELETE", None), ("PUT", Some(json!({"title": "x"})))] {
        let exchange = client.send(method, &place, body);
        assert_eq!(
            (exchange.reply.status, pointers(&exchange)),
            (404, vec![("/path/book", "reference")]),
            "{method}"
        );
        assert_eq!(
            exchange.violations[0].message(),
            format!("expected the id of a book that is there, but found `{id}`")
        );
        assert_eq!(exchange.outcome(), standin::Outcome::Refused);
    }
    assert_eq!(client.ok("GET", "/main/books", None)["total"], 0);
    let again = client.ok("POST", "/main/books", Some(book("Notes", "1")));
    assert_ne!(again["id"], id.as_str(), "an id is never used again");
}

#[test]
fn a_reply_has_what_was_stored_else_what_was_made_else_the_sample() {
    let mut client = library(StateSettings::default());
    let sent = json!({"title": "T", "pages": "many", "shelf": "s-9", "note": "secret", "id": "mine", "added": "mine", "unknown": 1});
    let created = client.ok("POST", "/main/books", Some(sent));
    assert_eq!(created["author"], "Anon", "the sample's, as nothing was sent");
    assert_eq!(created["pages"], 1, "the sample's, as what was stored does not fit the reply");
    assert_eq!(created["shelf"], "s-9", "shown under another name than it is stored");
    assert_ne!(created["id"], "mine");
    assert_ne!(created["added"], "mine");
    assert_eq!(created.get("unknown"), None, "the reply knows no such member");
    assert_eq!(
        created["heading"], "A sample by Anon",
        "it follows from two members, one of which is missing"
    );
    let stored = &client.session.snapshot()["resources"]["book"][0]["records"][0];
    assert_eq!(stored["place"], json!({"shelf": "s-9"}));
    assert_eq!((&stored["unknown"], stored.get("note"), &stored["pages"]), (&json!(1), None, &json!("many")));
}

#[test]
fn what_is_read_as_it_was_stored_is_the_same_whatever_it_holds() {
    let mut client = library(StateSettings::default());
    // What is created, and what the card of it shows.
    let cases = [
        (
            json!({"title": "T", "author": "A"}),
            json!({"title": "T", "author": "A", "pages": 1, "heading": "T by A"}),
        ),
        (json!({"title": "\"\\,}\n", "pages": 1e2}), json!({"title": "\"\\,}\n", "pages": 100.0})),
        (json!({"title": "ü€𝄞", "pages": "]{"}), json!({"title": "ü€𝄞", "pages": "]{"})),
        (json!({"title": "too long for a card"}), json!({"title": "A sample"})),
    ];
    for (sent, shown) in cases {
        let created = client.ok("POST", "/main/books", Some(sent));
        let card = client.ok("GET", &format!("/main/books/{}/card", created["id"].as_str().unwrap()), None);
        assert_eq!((&card["id"], &card["server"]), (&created["id"], &json!("one")));
        for (name, value) in shown.as_object().unwrap() {
            assert_eq!(&card[name], value, "{name}");
        }
        assert_eq!(card.get("isbn"), None, "the card knows no such member");
    }
}

#[test]
fn what_is_shown_whole_has_members_that_no_schema_names() {
    let mut client = library(StateSettings::default());
    let shelf = json!({"key": "s-1", "name": "N", "room~/": null, "lamp": {"watts": [1.50, "]"]}});
    client.ok("PUT", "/main/stock", Some(json!({"what": "shelves", "items": [shelf]})));

    let read = client.ok("GET", "/main/shelves/s-1", None);

    assert_eq!(read, json!({"id": "s-1", "name": "N", "room~/": null, "lamp": {"watts": [1.5, "]"]}}));
}

#[test]
fn a_list_comes_by_pages_in_the_order_of_creation() {
    let mut client = library(StateSettings::default());
    let ids: Vec<_> = (0..25)
        .map(|number| {
            client.ok("POST", "/main/books", Some(book(&number.to_string(), &number.to_string())))["id"]
                .clone()
        })
        .collect();
    let deleted = ids[3].as_str().expect("an id");
    client.ok("DELETE", &format!("/main/books/{deleted}"), None);
    let cases = [
        ("", (0, 10), (1, 10, 0, true, 3)),
        ("?page=3", (20, 24), (3, 10, 20, false, 3)),
        ("?page=4", (24, 24), (4, 10, 30, false, 3)),
        ("?page=2&limit=7", (7, 14), (2, 7, 7, true, 4)),
        ("?limit=500", (0, 24), (1, 50, 0, false, 1)),
        ("?limit=0", (0, 1), (1, 1, 0, true, 24)),
        ("?skip=20", (20, 24), (3, 10, 20, false, 3)),
        (
            "?page=9999999999999999",
            (24, 24),
            (9_999_999_999_999_999_u64, 10, 99_999_999_999_999_980_u64, false, 3),
        ),
        ("?skip=18446744073709551615&limit=1", (24, 24), (u64::MAX, 1, u64::MAX, false, 24)),
        ("?page=9223372036854775807", (24, 24), (9_223_372_036_854_775_807, 10, u64::MAX, false, 3)),
    ];
    let left: Vec<_> = ids.iter().filter(|id| **id != deleted).collect();
    for (query, (from, to), (page, limit, skip, more, pages)) in cases {
        let list = client.ok("GET", &format!("/main/books{query}"), None);
        let found: Vec<_> =
            list["found"].as_array().expect("a list").iter().map(|book| &book["id"]).collect();
        assert_eq!(found, left[from..to], "{query}");
        let told = json!({"page": page, "limit": limit, "skip": skip, "more": more, "pageCount": pages, "total": 24});
        for (name, value) in told.as_object().expect("an object") {
            assert_eq!(&list[name], value, "{query} {name}");
        }
    }
}

#[test]
fn a_list_is_filtered_and_shows_some_members_only_when_asked() {
    let mut client = library(StateSettings::default());
    client.ok("POST", "/main/books", Some(json!({"title": "A \"1\"", "author": "Ada \"L\"", "pages": 12})));
    client.ok("POST", "/main/books", Some(json!({"title": "B", "author": "Bob", "pages": "12"})));
    client.ok("POST", "/main/books", Some(json!({"title": "Ada", "author": "Cy", "pages": 123})));
    for (query, titles) in [
        ("author=Ada%20%22L%22", vec!["A \"1\""]),
        ("author=Ada", vec![]),
        ("pages=12", vec!["A \"1\"", "B"]),
        ("pages=12&author=Bob", vec!["B"]),
        ("", vec!["A \"1\"", "B", "Ada"]),
    ] {
        let list = client.ok("GET", &format!("/main/books?{query}"), None);
        let found: Vec<_> = list["found"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|book| book["title"].as_str().unwrap())
            .collect();
        assert_eq!((found, &list["total"]), (titles.clone(), &json!(titles.len())), "{query}");
    }
    let shown = |client: &mut Client, query: &str| {
        client.ok("GET", &format!("/main/books?{query}"), None)["found"][0].get("pages").cloned()
    };
    assert_eq!(shown(&mut client, "full=no"), None);
    assert_eq!(shown(&mut client, "full=yes"), Some(json!(12)));
}

#[test]
fn resources_live_in_their_scope() {
    let mut client = library(StateSettings::default());
    let created = client.ok("POST", "/main/books", Some(book("N", "1")));
    let id = created["id"].as_str().expect("an id");
    assert_eq!(client.send("GET", &format!("/other/books/{id}"), None).reply.status, 404);
    assert_eq!(client.ok("GET", "/other/books", None)["total"], 0);
    // The same number is free there, and so is a scope whose name looks like two.
    client.ok("POST", "/other/books", Some(book("N", "1")));
    assert_eq!(client.ok("GET", "/main%22,%22x/books", None)["total"], 0);
}

#[test]
fn a_value_that_only_one_may_have_is_refused_the_second_time() {
    let mut client = library(StateSettings::default());
    let first = client.ok("POST", "/main/books", Some(book("A", "1")));
    let second = client.ok("POST", "/main/books", Some(book("B", "2")));
    let refused = client.send("POST", "/main/books", Some(book("C", "1")));
    assert_eq!((refused.reply.status, pointers(&refused)), (409, vec![("/body/isbn", "unique")]));
    assert_eq!(refused.violations[0].source, "assumed: nothing says it");
    let place = |book: &Value| format!("/main/books/{}", book["id"].as_str().expect("an id"));
    assert_eq!(client.send("PUT", &place(&second), Some(json!({"isbn": "1"}))).reply.status, 409);
    client.ok("PUT", &place(&second), Some(json!({"isbn": "2", "title": "its own"})));
    client.ok("PUT", &place(&second), Some(json!({"isbn": "3"})));
    client.ok("POST", "/main/books", Some(book("C", "2")));
    client.ok("DELETE", &place(&first), None);
    client.ok("POST", "/main/books", Some(book("D", "1")));

    let mut lenient = library(assume(&[("L4", "accept")]));
    lenient.ok("POST", "/main/books", Some(book("A", "1")));
    lenient.ok("POST", "/main/books", Some(book("B", "1")));
}

fn assume(choices: &[(&str, &str)]) -> StateSettings {
    let assume = choices.iter().map(|(name, way)| ((*name).to_owned(), (*way).to_owned())).collect();
    StateSettings { assume, ..StateSettings::default() }
}

/// Pages vary in how they write numbers; what is told is a number all the same.
#[test]
fn what_a_list_tells_may_be_written_otherwise_in_its_sample() {
    let mut document = library_document();
    let replies = &mut document["paths"]["/{library}/books"]["get"]["responses"]["200"];
    replies["content"]["application/json"]["examples"]["sample"]["value"]["total"] = json!("1");
    let contract = std::sync::Arc::new(standin::Contract::from_document(document).expect("a contract"));
    let settings = Settings { state: Some(StateSettings::default()), ..Settings::default() };
    let mut client = Client::new(standin::Stub::new(contract, settings));

    client.ok("POST", "/main/books", Some(book("A", "1")));

    let list = client.ok("GET", "/main/books", None);
    assert_eq!((&list["found"][0]["title"], &list["total"]), (&json!("A"), &json!(1)));
}

#[test]
fn what_is_left_open_is_taken_as_chosen() {
    let mut client = library(assume(&[("L1", "sample"), ("L2", "shown"), ("L3", "clear")]));
    let sample = client.ok("GET", "/main/books/unknown", None);
    assert_eq!(sample["book"]["id"], "b-sample");
    assert_eq!(client.ok("DELETE", "/main/books/unknown", None), json!({"dropped": true}));
    let created = client.ok("POST", "/main/books", Some(book("A", "1")));
    assert_eq!(created["isbn"], "1");
    let place = format!("/main/books/{}", created["id"].as_str().expect("an id"));
    client.ok("PUT", &place, Some(json!({"title": "B"})));
    let stored = client.session.snapshot()["resources"]["book"][0]["records"][0].clone();
    assert_eq!((stored.get("isbn"), stored.get("author")), (None, None));
    assert_eq!((&stored["id"], &stored["added"]), (&created["id"], &created["added"]));

    let mut client = library(assume(&[("L1", "create")]));
    assert_eq!(client.ok("PUT", "/main/books/b-new", Some(json!({"title": "B"})))["id"], "b-new");
    assert_eq!(client.ok("GET", "/main/books/b-new", None)["book"]["title"], "B");
    assert_eq!(client.send("GET", "/main/books/b-other", None).reply.status, 404, "a read cannot create");
}

#[test]
fn parts_belong_to_what_they_are_a_part_of() {
    let mut client = library(StateSettings::default());
    let shelf = |client: &mut Client| {
        let shelf = client.ok("POST", "/main/shelves", Some(json!({"name": "S", "extra": [1]})));
        assert_eq!((&shelf["name"], &shelf["extra"]), (&json!("S"), &json!([1])), "all of it is shown");
        shelf["id"].as_str().expect("an id").to_owned()
    };
    let (one, two) = (shelf(&mut client), shelf(&mut client));
    let label = client.ok(
        "POST",
        &format!("/main/shelves/{one}/labels"),
        Some(json!({"text": "x", "colors": ["r", "g"]})),
    );
    assert_eq!((&label["shelf"], &label["colors"]), (&json!(one), &json!(2)));
    assert_eq!(client.ok("GET", &format!("/main/shelves/{one}/labels"), None), json!([label]));
    assert_eq!(client.ok("GET", &format!("/main/shelves/{two}/labels"), None), json!([]));
    for method in ["GET", "POST"] {
        let body = (method == "POST").then(|| json!({"text": "x"}));
        let exchange = client.send(method, "/main/shelves/s-0/labels", body);
        assert_eq!((exchange.reply.status, pointers(&exchange)), (404, vec![("/path/shelf", "reference")]));
    }
    client.ok("DELETE", &format!("/main/shelves/{one}"), None);
    assert_eq!(client.session.resources(), 1, "its labels went with it");

    let mut strict = library(assume(&[("L5", "refuse")]));
    let one = shelf(&mut strict);
    strict.ok("POST", &format!("/main/shelves/{one}/labels"), Some(json!({"text": "x"})));
    let refused = strict.send("DELETE", &format!("/main/shelves/{one}"), None);
    assert_eq!((refused.reply.status, pointers(&refused)), (409, vec![("/path/shelf", "reference")]));
    assert_eq!(strict.session.resources(), 2);
}

#[test]
fn what_is_imported_comes_out_as_it_went_in() {
    let mut client = library(StateSettings::default());
    let shelves = json!([
        {"key": "s-1", "name": "one", "meta": {"n": 1}, "owner": "me", "labels": [{"key": "l-1", "text": "a"}, {"key": "l-2", "odd": null}]},
        {"key": "s-2", "owner": "you", "labels": []},
    ]);
    let bring = |what: &str, items: &Value| json!({"what": what, "items": items});
    assert_eq!(client.ok("PUT", "/main/stock", Some(bring("shelves", &shelves))), json!({"brought": true}));
    assert_eq!(client.ok("GET", "/main/stock?what=Shelves", None), shelves);
    assert_eq!(client.session.resources(), 4);

    // What was created comes out, too, with what the reply requires from the sample.
    let created = client.ok("POST", "/main/shelves", Some(json!({"name": "new"})));
    let out = client.ok("GET", "/main/stock?what=shelves", None);
    assert_eq!(out[2], json!({"key": created["id"], "name": "new", "owner": "city", "labels": []}));

    // An item replaces the one that has its id, with all of its parts; the others stay.
    let again = json!([{"key": "s-1", "owner": "me", "labels": [{"key": "l-2", "text": "b"}]}]);
    client.ok("PUT", "/main/stock", Some(bring("Shelves", &json!(again.to_string()))));
    let out = client.ok("GET", "/main/stock?what=shelves", None);
    assert_eq!((&out[0], &out[1]), (&again[0], &shelves[1]));
    assert_eq!(out.as_array().map(Vec::len), Some(3));

    // Twice in one import: the last counts, and its parts alone.
    let twice = json!([{"key": "s-9", "labels": [{"key": "l-8"}]}, {"key": "s-9", "owner": "x", "labels": [{"key": "l-9"}]}]);
    client.ok("PUT", "/main/stock", Some(bring("shelves", &twice)));
    assert_eq!(client.ok("GET", "/main/stock?what=shelves", None)[3], twice[1]);

    assert_eq!(client.ok("GET", "/main/stock?what=books", None), json!([]));
    assert_eq!(client.ok("GET", "/main/stock?what=maps", None)[0]["key"], "s-sample", "no such kind");
    let before = client.session.clone();
    client.ok("PUT", "/main/stock", Some(bring("maps", &shelves)));
    client.ok("PUT", "/main/stock", Some(bring("shelves", &json!("no list"))));
    assert_eq!(client.session, before);
}

#[test]
fn an_import_is_all_or_nothing() {
    let mut client = library(StateSettings::default());
    client.ok("POST", "/main/books", Some(book("A", "1")));
    let before = client.session.clone();
    let items = json!([{"id": "b-1", "isbn": "5"}, {"isbn": "1"}]);
    let refused = client.send("PUT", "/main/stock", Some(json!({"what": "books", "items": items})));
    assert_eq!((refused.reply.status, pointers(&refused)), (409, vec![("/body/items/1/isbn", "unique")]));
    let within = json!([{"id": "b-1", "isbn": "7"}, {"id": "b-2", "isbn": "7"}]);
    assert_eq!(
        client.send("PUT", "/main/stock", Some(json!({"what": "books", "items": within}))).reply.status,
        409
    );
    assert_eq!(client.session, before);
    let swapped = json!([{"id": "b-1", "isbn": "7"}, {"id": "b-1", "isbn": "8"}, {"id": "b-2", "isbn": "7"}, {"isbn": "9"}]);
    client.ok("PUT", "/main/stock", Some(json!({"what": "books", "items": swapped})));
    assert_eq!(client.session.resources(), 4);
}

#[test]
fn an_id_that_names_nothing_is_a_reading_or_a_violation() {
    let with = |language: &str, shelf: &str| json!({"title": "T", "language": language, "shelf": shelf});
    let mut client = library(StateSettings::default());
    let exchange = client.send("POST", "/main/books", Some(with("tlh", "s-0")));
    assert_eq!(exchange.reply.status, 200);
    let readings: Vec<_> = exchange
        .readings
        .iter()
        .map(|reading| (reading.ledger.as_str(), reading.pointer.as_str(), reading.note.as_str()))
        .collect();
    assert_eq!(
        readings,
        [
            ("L6", "/body/language", "`tlh` is the id of a language that is not there"),
            ("", "/body/shelf", "`s-0` is the id of a shelf that is not there")
        ]
    );

    let enforce = StateSettings { references: References::Enforce, ..StateSettings::default() };
    let mut client = library(enforce);
    let exchange = client.send("POST", "/main/books", Some(with("tlh", "s-0")));
    assert_eq!(
        (exchange.reply.status, pointers(&exchange)),
        (400, vec![("/body/language", "reference"), ("/body/shelf", "reference")])
    );
    assert_eq!(client.session.resources(), 0);
    let shelf = client.ok("POST", "/main/shelves", Some(json!({})));
    let shelf = shelf["id"].as_str().expect("an id").to_owned();
    let created = client.ok("POST", "/main/books", Some(with("fr", &shelf)));
    client.ok("DELETE", &format!("/main/shelves/{shelf}"), None);
    // What was there before is no fault of an update.
    client.ok(
        "PUT",
        &format!("/main/books/{}", created["id"].as_str().expect("an id")),
        Some(json!({"title": "U"})),
    );
}

#[test]
fn records_that_are_fixed_are_listed() {
    let mut client = library(StateSettings::default());
    assert_eq!(
        client.ok("GET", "/languages?kind=romance", None),
        json!({"languages": [{"_id": "fr", "kind": "romance"}]})
    );
    assert_eq!(client.ok("GET", "/languages", None)["languages"].as_array().map(Vec::len), Some(2));
}

#[test]
fn past_its_bounds_a_session_refuses_and_loses_nothing() {
    let bounds = Bounds { resources: 2, bytes: 1000 };
    let mut client = library(StateSettings { bounds, ..StateSettings::default() });
    client.ok("POST", "/main/books", Some(book("A", "1")));
    let created = client.ok("POST", "/main/books", Some(book("B", "2")));
    let before = client.session.clone();
    let refused = client.send("POST", "/main/books", Some(book("C", "3")));
    assert_eq!((refused.reply.status, pointers(&refused)), (507, vec![("/body", "capacity")]));
    assert_eq!(
        refused.violations[0].message(),
        "expected no more than a session may hold, but found 3 resources in a session that may have 2"
    );
    let place = format!("/main/books/{}", created["id"].as_str().expect("an id"));
    let long = json!({"author": "x".repeat(1000)});
    assert_eq!(client.send("PUT", &place, Some(long)).reply.status, 507);
    assert_eq!(client.session, before);
    client.ok("DELETE", &place, None);
    client.ok("POST", "/main/books", Some(book("C", "3")));

    // Nobody waits for the rest of an import that is too large by far.
    let many = vec![json!({}); 1000];
    let refused = client.send("PUT", "/main/stock", Some(json!({"what": "shelves", "items": many})));
    assert_eq!(
        refused.violations[0].message(),
        "expected no more than a session may hold, but found 5 resources in a session that may have 2"
    );

    let mut client = library(StateSettings::default());
    let request = client.request("PUT", "/main/stock", Some(json!({"what": "shelves", "items": [{}]})));
    let (exchange, change) =
        client.stub.decide_within(&client.session, client.stub.check(request.clone()), 10);
    assert_eq!((exchange.reply.status, change.is_empty()), (507, true));
    let (_, change) = client.stub.decide_within(&client.session, client.stub.check(request), 1000);
    assert!(change.growth() > 100 && change.growth() < 400, "{}", change.growth());
}

#[test]
fn a_preferred_sample_keeps_the_change_and_a_preferred_refusal_discards_it() {
    let mut client = library(StateSettings::default());
    let exchange = client.prefer("POST", "/main/books", Some(book("A", "1")), "example=sample");
    assert!(String::from_utf8_lossy(&exchange.reply.body).contains("b-sample"));
    assert_eq!(client.session.resources(), 1);
    let exchange = client.prefer("POST", "/main/books", Some(book("B", "2")), "code=409");
    assert_eq!((exchange.reply.status, client.session.resources()), (409, 1));
    let state = exchange.state.expect("a state");
    assert_eq!((state.before, state.after, state.resource), (1, 1, None));
    let exchange = client.prefer("POST", "/main/books", Some(book("C", "3")), "code=200");
    assert!(String::from_utf8_lossy(&exchange.reply.body).contains("\"C\""));
    assert_eq!(exchange.reply.headers.all("preference-applied").collect::<Vec<_>>(), [b"code=200"]);
}

#[test]
fn an_exchange_names_the_versions_and_what_it_changed() {
    let mut client = library(StateSettings::default());
    let created = client.send("POST", "/main/books", Some(book("A", "1"))).state.expect("a state");
    let resource = created.resource.expect("a resource");
    assert_eq!((created.before, created.after, &*resource.name), (0, 1, "book"));
    assert_eq!(resource.before, None);
    let place = format!("/main/books/{}", resource.id);
    let updated = client.send("PUT", &place, Some(json!({"title": "B"}))).state.expect("a state");
    let changed = updated.resource.expect("a resource");
    assert_eq!((updated.before, updated.after, changed.before), (1, 2, resource.after));
    let read = client.send("GET", &place, None).state.expect("a state");
    assert_eq!((read.before, read.after, read.resource), (2, 2, None));
    let long =
        client.send("PUT", &place, Some(json!({"author": "x".repeat(65_536)}))).state.expect("a state");
    let resource = long.resource.expect("a resource");
    assert_eq!((resource.cut, resource.before, resource.after), (true, None, None));
    let gone = client.send("DELETE", &place, None).state.expect("a state").resource.expect("a resource");
    assert_eq!((gone.cut, gone.after), (true, None));
    assert_eq!(client.send("GET", "/nowhere", None).state, None);
}

#[test]
fn without_state_every_request_gets_its_sample() {
    let mut client = library_with(Settings::default());
    assert_eq!(client.ok("POST", "/main/books", Some(book("A", "1")))["id"], "b-sample");
    let exchange = client.send("GET", "/main/books/any", None);
    assert_eq!((exchange.reply.status, exchange.state), (200, None));
    assert_eq!(client.session.version(), 0);
}

#[test]
fn what_nests_too_deep_for_a_snapshot_is_not_stored() {
    let mut client = library(StateSettings::default());
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let body = format!(r#"{{"title":"T","deep":{},"deeper":{}}}"#, nested(100), nested(101));
    let mut request = client.request("POST", "/main/books", Some(json!({})));
    request.body = body.into();
    assert_eq!(client.exchange(request).reply.status, 200);
    let snapshot = client.session.snapshot();
    let record = &snapshot["resources"]["book"][0]["records"][0];
    assert!(record["deep"].is_array() && record.get("deeper").is_none(), "{record}");
    let read: Value = serde_json::from_str(&snapshot.to_string()).expect("JSON that is not too deep");
    assert_eq!(read, snapshot);
}

#[test]
fn where_nobody_checks_any_body_is_taken_for_what_it_is() {
    let settings = Settings {
        checks: standin::Checks::Off,
        state: Some(StateSettings::default()),
        ..Settings::default()
    };
    let mut client = library_with(settings);
    for body in [json!(null), json!([1]), json!("x"), json!({"title": 5, "place": "nowhere"})] {
        let created = client.ok("POST", "/main/books", Some(body.clone()));
        assert_eq!(created["title"], "A sample", "{body}: what does not fit is not stored");
        client.ok("PUT", "/main/stock", Some(json!({"what": "shelves", "items": [body]})));
        client.ok("PUT", "/main/stock", Some(body));
    }
    assert_eq!(client.send("GET", "/main/books/%FF", None).reply.status, 404);
    let restored = standin::Session::start(
        client.stub.contract(),
        &client.session.snapshot(),
        &StateSettings::default(),
    );
    assert_eq!(restored.as_ref(), Ok(&client.session));
}
