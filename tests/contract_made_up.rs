//! A contract document of one's own is served without a change to the program.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Value, json};
use standin::{
    BodyEnd, Config, Contract, Errors, Exchange, Request, Server, Settings, Stub,
    judge::Judge,
    pact::States,
    token::{Secret, mint},
};

fn made_up_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/made-up.openapi.json")
}

fn made_up() -> Value {
    serde_json::from_slice(&fs::read(made_up_file()).expect("the file")).expect("JSON")
}

/// Puts the sample into the document.
fn inline(document: &mut Value) {
    let place = "/paths/~1shop~1items/get/responses/200/content/application~1json/examples/some";
    *document.pointer_mut(place).expect("the example") = json!({"value": []});
}

fn stub() -> Stub {
    let contract = Contract::load(&made_up_file()).expect("the made-up contract");
    Stub::new(Arc::new(contract), Settings::default())
}

fn order(body: &Value) -> Exchange {
    let request = Request::new("POST", "/shop/5/orders").header("Content-Type", "application/json");
    stub().respond(request.body(body.to_string()))
}

fn violations(exchange: &Exchange) -> Vec<(&str, &str)> {
    exchange.violations.iter().map(|violation| (violation.pointer.as_str(), violation.rule.name())).collect()
}

#[test]
fn made_up_operations_are_served_without_a_change_to_the_program() {
    let stub = stub();
    let send = |method: &str, target: &str| stub.respond(Request::new(method, target));
    let exchange = send("GET", "/shop/items?page=3");
    assert_eq!((exchange.reply.status, exchange.operation.as_deref()), (200, Some("listItems")));
    assert_eq!(exchange.reply.body, r#"[{"name":"pen"}]"#);
    let exchange = send("DELETE", "/shop/items");
    assert_eq!((exchange.reply.status, exchange.reply.body.len(), exchange.reply.headers.len()), (204, 0, 0));
    let exchange = send("PUT", "/shop/items");
    assert_eq!((exchange.reply.status, violations(&exchange)), (405, vec![("/method", "method")]));
    assert_eq!(exchange.reply.headers.all("allow").collect::<Vec<_>>(), [b"GET, DELETE"]);
    assert_eq!(send("GET", "/shop").reply.status, 404);
    assert_eq!(stub.contract().title(), "A made-up shop");

    let none = Request::new("GET", "/shop/items?page=1").header("Prefer", "example=\"none, really\"");
    let exchange = stub.respond(none);
    assert_eq!(exchange.reply.body, "[]");
    let applied: Vec<_> = exchange.reply.headers.all("preference-applied").collect();
    assert_eq!(applied, [b"example=\"none, really\""]);
}

#[test]
fn an_operation_without_a_body_reads_none_and_still_has_limits() {
    let stub = stub();
    let get = || Request::new("GET", "/shop/items?page=3");
    assert_eq!(stub.respond(get().body("not JSON")).reply.status, 200);
    let ends = [
        (standin::BodyEnd::TooLarge, 413),
        (standin::BodyEnd::TimedOut, 408),
        (standin::BodyEnd::Broken, 400),
    ];
    for (body_end, status) in ends {
        assert_eq!(stub.respond(Request { body_end, ..get() }).reply.status, status);
    }
    assert_eq!(stub.respond(get().body(vec![b' '; 2 * 1024 * 1024])).reply.status, 413);
}

#[test]
fn parameters_that_are_no_strings_are_read_as_what_they_are() {
    let cases = [
        ("page=1", None),
        ("page=100", None),
        ("page=5.0", None),
        ("page=%35", None),
        ("page=0", Some(("/query/page", "minimum"))),
        ("page=-0", Some(("/query/page", "minimum"))),
        ("page=101", Some(("/query/page", "maximum"))),
        ("page=1e300", Some(("/query/page", "maximum"))),
        ("page=1.5", Some(("/query/page", "type"))),
        ("page=1e400", Some(("/query/page", "type"))),
        ("page=05", Some(("/query/page", "type"))),
        ("page=+5", Some(("/query/page", "type"))),
        ("page=0x5", Some(("/query/page", "type"))),
        ("page=", Some(("/query/page", "type"))),
        ("page=%225%22", Some(("/query/page", "type"))),
        ("page=true", Some(("/query/page", "type"))),
        ("page", Some(("/query/page", "type"))),
        ("", Some(("/query/page", "required"))),
        ("page=1&page=2", Some(("/query/page", "repeated"))),
        ("page=1&cheap=true", None),
        ("page=1&lowPrice=false", None),
        ("page=1&cheap=1", Some(("/query/cheap", "type"))),
        ("page=1&lowPrice=yes", Some(("/query/cheap", "type"))),
    ];
    for (query, expected) in cases {
        let exchange = stub().respond(Request::new("GET", format!("/shop/items?{query}")));
        assert_eq!(violations(&exchange), Vec::from_iter(expected), "{query}");
        assert_eq!(exchange.readings.len(), usize::from(query.contains("lowPrice")), "{query}");
    }
    let size = |text: &str| stub().respond(Request::new("GET", format!("/shop/items?page=1&si%2Fze={text}")));
    assert_eq!(violations(&size("huge")), [("/query/si~1ze", "enum")]);
    assert_eq!(size("Big").readings[0].pointer, "/query/si~1ze");
    for (value, expected) in [("1.5", None), ("-3", None), ("heavy", Some(("/header/X-Weight", "type")))] {
        let request = Request::new("GET", "/shop/items?page=1").header("x-weight", value);
        assert_eq!(violations(&stub().respond(request)), Vec::from_iter(expected), "{value}");
    }
    let post = Request::new("POST", "/shop/main/orders").header("Content-Type", "application/json");
    let exchange = stub().respond(post.body(r#"{"kind":"letter","lines":[]}"#));
    assert_eq!(violations(&exchange), [("/path/shop", "type")]);
}

#[test]
fn branches_and_odd_names_have_their_own_pointers_words_and_sources() {
    let base = json!({"kind": "gift", "lines": [], "to": "me"});
    let with = |name: &str, value: Value| {
        let mut body = base.clone();
        body[name] = value;
        order(&body)
    };
    assert_eq!(violations(&order(&base)), []);
    assert_eq!(violations(&with("a/b", json!(5))), [("/body/a~1b", "type")]);
    assert_eq!(violations(&with("x~y", json!({}))), [("/body/x~0y/~1", "required")]);
    assert_eq!(violations(&with("x~y", json!({"/": 5}))), [("/body/x~0y/~1", "type")]);
    assert_eq!(violations(&with("amount", json!(0.25))), [("/body/amount", "minimum")]);
    assert_eq!(
        with("amount", json!(1001)).violations[0].message(),
        "expected at most 1000, but found `1001`"
    );
    assert_eq!(
        violations(&with("lines", json!([{"name": "A"}, {"title": "b"}, {"title": 5}, {}]))),
        [
            ("/body/lines/0/name", "format"),
            ("/body/lines/2/name", "type"),
            ("/body/lines/3/name", "required"),
        ]
    );
    let exchange = with("c~d", json!(true));
    assert_eq!((violations(&exchange), exchange.readings[0].pointer.as_str()), (vec![], "/body/a~1b"));

    // The branch says more about `note` than its own row does, and one value gives one violation.
    let exchange = with("note", json!(null));
    assert_eq!(violations(&exchange), [("/body/note", "type")]);
    let exchange = with("note", json!("long"));
    assert_eq!(violations(&exchange), [("/body/note", "maxLength")]);
    assert_eq!(exchange.violations[0].source, "Shop manual › gift");
    assert_eq!(with("note", json!(5)).violations.len(), 1);
    // Two branches speak of `to`; the one that applies is quoted.
    let exchange = order(&json!({"kind": "letter", "lines": [], "to": "me"}));
    assert_eq!(exchange.violations[0].message(), "expected an integer, but found the string `me`");
    assert_eq!(exchange.violations[0].source, "Shop manual › letter");
    assert_eq!(violations(&order(&json!({"kind": "gift", "lines": []}))), [("/body/to", "required")]);
}

#[test]
fn the_headers_of_a_response_are_sent_with_every_reply_that_has_its_status() {
    let contract = changed(|document| {
        let headers = json!({"X-Pages": {"schema": {"type": "integer"}, "example": 7}});
        document["paths"]["/shop/items"]["get"]["responses"]["200"]["headers"] = headers;
        let headers = json!({"X-Help": {"schema": {"type": "string"}, "example": "/help"}});
        document["components"]["responses"]["NotFound"]["headers"] = headers;
    });
    let stub = Stub::new(Arc::new(contract), Settings::default());
    let header = |target: &str, name| {
        let exchange = stub.respond(Request::new("GET", target));
        exchange.reply.headers.all(name).map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    assert_eq!(header("/shop/items?page=3", "x-pages"), [b"7"]);
    assert_eq!(header("/shop/nothing", "x-help"), [b"/help"]);
    assert_eq!(header("/shop/nothing", "x-pages"), [b""; 0]);
}

#[test]
fn a_document_that_asks_for_no_token_needs_none() {
    let mut document = made_up();
    document["components"]["securitySchemes"] =
        json!({"key": {"type": "apiKey", "in": "header", "name": "X-Key"}});
    inline(&mut document);
    let contract = Arc::new(Contract::from_document(document).expect("a contract"));
    let stub = Stub::new(contract, Settings { errors: Errors::Rfc, ..Settings::default() });
    let exchange = stub.respond(Request::new("GET", "/shop/items?page=1"));
    assert_eq!(violations(&exchange), [("/header/x-key", "required")]);
    let challenge: Vec<_> = exchange.reply.headers.all("www-authenticate").collect();
    assert_eq!(challenge, [br#"JWT header="x-key""#]);
    assert_eq!(self::stub().respond(Request::new("GET", "/shop/items?page=1")).reply.status, 200);
}

/// The made-up document with a change.
fn changed(change: impl FnOnce(&mut Value)) -> Contract {
    let mut document = made_up();
    inline(&mut document);
    change(&mut document);
    Contract::from_document(document).expect("a contract")
}

#[test]
fn a_refusal_has_the_status_and_the_body_under_which_the_contract_declares_it() {
    let contract = Arc::new(changed(|document| {
        // The operation `order` has refusals of its own, in one wording.
        let own = json!({"content": {"application/json": {"examples": {"violations": {"value": {"errors": [{"no": 1}]}}}}}});
        document["paths"]["/shop/{shop}/orders"]["post"]["responses"]["409"] = own;
    }));
    let list = || Request::new("GET", "/shop/items?page=0");
    let order =
        || Request::new("POST", "/shop/5/orders").header("Content-Type", "application/json").body("{}");
    let nowhere = || Request::new("GET", "/");
    let shared = |name: &str| json!({"refused": name});
    let cases = [
        (Errors::Vendor, list(), 422, shared("violations")),
        (Errors::Vendor, order(), 409, json!({"errors": [{"no": 1}]})),
        (Errors::Vendor, order().body("{"), 400, shared("json")),
        (Errors::Vendor, nowhere(), 404, shared("path")),
        (Errors::Rfc, list(), 422, shared("violations")),
        (Errors::Rfc, order(), 422, shared("violations")),
        (Errors::Rfc, nowhere(), 404, shared("path")),
    ];
    for (errors, request, status, expected) in cases {
        let settings = Settings { errors, detail: false, ..Settings::default() };
        let exchange = Stub::new(Arc::clone(&contract), settings).respond(request);
        let body: Value = serde_json::from_slice(&exchange.reply.body).expect("JSON");
        assert_eq!(
            (exchange.reply.status, body),
            (status, expected),
            "{errors:?} {}",
            exchange.request.target
        );
    }
}

#[test]
fn what_an_operation_answers_by_the_refusals_of_another_is_published_and_judged_as_its_own() {
    let contract = Arc::new(changed(|_| {}));
    let published: Value =
        serde_json::from_slice(contract.published(standin::contract::Audience::Exact)).expect("JSON");
    let responses = &published["paths"]["/shop/{shop}/orders"]["post"]["responses"];
    let judge = Judge::new(&contract).expect("the reply schemas compile");
    let order =
        || Request::new("POST", "/shop/5/orders").header("Content-Type", "application/json").body("{}");
    let cases = [
        (Request::new("POST", "/shop/5/orders"), "415", "mediaType"),
        (order(), "422", "violations"),
        (order().body("{"), "400", "json"),
        (Request { body_end: BodyEnd::TooLarge, ..order() }, "413", "size"),
        (Request { body_end: BodyEnd::TimedOut, ..order() }, "408", "timeout"),
        (Request { body_end: BodyEnd::Broken, ..order() }, "400", "incomplete"),
    ];
    for (request, status, cause) in cases {
        for errors in [Errors::Vendor, Errors::Rfc] {
            let settings = Settings { errors, ..Settings::default() };
            let Exchange { operation, reply, .. } =
                Stub::new(Arc::clone(&contract), settings).respond(request.clone());
            assert_eq!(reply.status.to_string(), status, "{cause}");
            let media = str::from_utf8(reply.headers.all("content-type").next().expect("one")).expect("text");
            let example = &responses[status]["content"][media]["examples"][cause]["value"];
            assert_eq!(*example, json!({"refused": cause}), "{cause} {errors:?}");
            assert_eq!(judge.judge(operation.as_deref(), reply.status, &reply.headers, &reply.body), []);
        }
    }
    // No request that reaches the operation gets these, and without a scheme nobody needs a token.
    for status in ["401", "404", "405"] {
        assert_eq!(responses[status], Value::Null, "{status}");
    }
}

#[test]
fn a_document_without_problem_details_is_served_in_the_vendors_wording_alone() {
    let contract = Arc::new(changed(|document| {
        for response in document["components"]["responses"].as_object_mut().expect("responses").values_mut() {
            response["content"].as_object_mut().expect("content").shift_remove("application/problem+json");
        }
    }));
    assert!(contract.words(Errors::Vendor).is_ok());
    let missing = "expected refusals under application/problem+json in the contract, but found them under \
                   application/json alone";
    assert_eq!(contract.words(Errors::Rfc).unwrap_err().to_string(), missing);
    assert_eq!(Contract::builtin().words(Errors::Rfc).map_err(|error| error.to_string()), Ok(()));

    let list = || Request::new("GET", "/shop/items?page=0");
    assert_eq!(Stub::new(Arc::clone(&contract), Settings::default()).respond(list()).reply.status, 422);
    let rfc = || Settings { errors: Errors::Rfc, ..Settings::default() };
    let stub = Stub::new(Arc::clone(&contract), rfc());
    assert_eq!(stub.settings().errors, Errors::Vendor);
    assert_eq!(stub.respond(list()).reply.status, 422);
    let config = Config { contract, settings: rfc(), ..Config::default() };
    assert_eq!(Server::start(config).unwrap_err().to_string(), missing);
}

#[test]
fn the_claim_of_the_token_is_the_one_that_the_contract_names() {
    let stub = |claim: Option<&str>| {
        let mut scheme = json!({"type": "apiKey", "in": "header", "name": "X-Key"});
        if let Some(claim) = claim {
            scheme["x-claim"] = claim.into();
        }
        let contract = changed(|document| document["components"]["securitySchemes"] = json!({"key": scheme}));
        Stub::new(Arc::new(contract), Settings::default())
    };
    let message = |claim: Option<&str>, minted: Option<&str>| {
        let token = mint(minted, "cs-1", &Secret::new("s"), 0, None);
        let exchange = stub(claim).respond(Request::new("GET", "/shop/items?page=1").header("x-key", token));
        exchange.violations.first().map(standin::Violation::message)
    };
    assert_eq!(message(Some("client"), Some("client")), None);
    assert_eq!(
        message(Some("client"), Some("Client")).as_deref(),
        Some(
            "expected a JWT with `client` in its payload, but found a payload that spells `client` in another way"
        )
    );
    assert_eq!(
        message(Some("client"), Some("appId")).as_deref(),
        Some(
            "expected a JWT with `client` in its payload, but found a payload whose `client` is missing or not a string"
        )
    );
    assert_eq!(message(None, None), None);
}

#[test]
fn a_path_parameter_with_a_scope_names_no_thing_that_has_to_exist() {
    let states = |scope: Option<&str>| {
        let contract = changed(|document| {
            let parameter = &mut document["paths"]["/shop/{shop}/orders"]["post"]["parameters"][0];
            if let Some(scope) = scope {
                parameter["x-scope"] = scope.into();
            }
        });
        States::of(&contract).names().to_vec()
    };
    assert_eq!(states(None), ["the account's token is valid", "a shop exists"]);
    assert_eq!(states(Some("shop")), ["the account's token is valid"]);
}

#[test]
fn a_property_may_have_the_name_of_any_keyword() {
    let names = [
        "$ref",
        "allOf",
        "content",
        "enum",
        "example",
        "examples",
        "externalValue",
        "if",
        "items",
        "paths",
        "properties",
        "required",
        "schemas",
        "then",
        "title",
        "type",
        "value",
        "x-accepts",
        "x-assumed",
        "x-ledger",
        "x-same-as",
        "x-source",
        "x-thing",
    ];
    for name in names {
        let nested = json!({"type": "object", "properties": {name: {"type": "boolean"}}, "required": [name]});
        let contract = changed(|document| {
            let schema = &mut document["components"]["schemas"]["Order"];
            schema["properties"][name] = nested.clone();
        });
        let published: Value =
            serde_json::from_slice(contract.published(standin::contract::Audience::Exact)).expect("JSON");
        let place = format!("/components/schemas/Order/properties/{name}");
        assert_eq!(published.pointer(&place), Some(&nested), "{name}");
        let stub = Stub::new(Arc::new(contract), Settings::default());
        let base = json!({"kind": "gift", "lines": [], "to": "me"});
        let cases = [
            (json!({name: true}), vec![]),
            (json!({name: "yes"}), vec![(format!("/body/{name}/{name}"), "type")]),
            (json!({}), vec![(format!("/body/{name}/{name}"), "required")]),
            (json!(5), vec![(format!("/body/{name}"), "type")]),
        ];
        for (value, expected) in cases {
            let mut body = base.clone();
            body[name] = value;
            let request = Request::new("POST", "/shop/5/orders").header("Content-Type", "application/json");
            let exchange = stub.respond(request.body(body.to_string()));
            let found: Vec<_> = exchange
                .violations
                .iter()
                .map(|violation| (violation.pointer.clone(), violation.rule.name()))
                .collect();
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[test]
fn a_sample_may_have_any_name_and_any_members() {
    let sample = json!({
        "externalValue": "no file", "x-thing": 1, "properties": {"a": {"x-accepts": ["b"]}}, "x-ledger": ["Z9"],
        "list": [{"name": "a", "x-accepts": ["b"]}],
    });
    let contract = changed(|document| {
        let place = "/paths/~1shop~1items/get/responses/200/content/application~1json/examples";
        let examples = document.pointer_mut(place).expect("the examples");
        *examples = json!({"externalValue": {"value": sample.clone()}, "x-odd": {"value": 1}});
    });
    let published: Value =
        serde_json::from_slice(contract.published(standin::contract::Audience::Exact)).expect("JSON");
    let place =
        "/paths/~1shop~1items/get/responses/200/content/application~1json/examples/externalValue/value";
    assert_eq!(published.pointer(place), Some(&sample));
    let stub = Stub::new(Arc::new(contract), Settings::default());
    let exchange = stub.respond(Request::new("GET", "/shop/items?page=1").header("Prefer", "example=x-odd"));
    assert_eq!(exchange.reply.body, "1");
}
