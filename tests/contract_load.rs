//! A contract document of one's own: it is served without a change to the program, and a bad one is refused with
//! a line that says what is wrong where.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Map, Value, json};
use standin::{Contract, Exchange, Request, Settings, Stub};

fn made_up_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/made-up.openapi.json")
}

fn made_up() -> Value {
    serde_json::from_slice(&fs::read(made_up_file()).expect("the file")).expect("JSON")
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
    assert_eq!(send("DELETE", "/shop/items").reply.status, 204);
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
        "expected at most 1000.0, but found `1001`"
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
fn a_document_that_asks_for_no_token_needs_none() {
    let mut document = made_up();
    document["components"]["securitySchemes"] =
        json!({"key": {"type": "apiKey", "in": "header", "name": "X-Key"}});
    inline(&mut document);
    let contract = Arc::new(Contract::from_document(&document).expect("a contract"));
    let stub = Stub::new(contract, Settings { errors: standin::Errors::Rfc, ..Settings::default() });
    let exchange = stub.respond(Request::new("GET", "/shop/items?page=1"));
    assert_eq!(violations(&exchange), [("/header/x-key", "required")]);
    let challenge: Vec<_> = exchange.reply.headers.all("www-authenticate").collect();
    assert_eq!(challenge, [br#"JWT realm="agentassist", header="x-key""#]);
    assert_eq!(self::stub().respond(Request::new("GET", "/shop/items?page=1")).reply.status, 200);
}

/// Puts the sample into the document.
fn inline(document: &mut Value) {
    let place = "/paths/~1shop~1items/get/responses/200/content/application~1json/examples/some";
    *document.pointer_mut(place).expect("the example") = json!({"value": []});
}

/// The complaint about the made-up document with a change.
fn complaint(change: impl FnOnce(&mut Value)) -> String {
    let mut document = made_up();
    inline(&mut document);
    change(&mut document);
    match Contract::from_document(&document) {
        Ok(_) => "accepted".into(),
        Err(error) => error.to_string(),
    }
}

/// The complaint about the made-up document with one value set.
fn complaint_at(pointer: &str, value: Value) -> String {
    complaint(|document| set(document, pointer, value))
}

fn set(document: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let name = name.replace("~1", "/").replace("~0", "~");
    match document.pointer_mut(parent) {
        Some(Value::Object(members)) => drop(members.insert(name, value)),
        Some(Value::Array(items)) => items.push(value),
        _ => panic!("nothing at {parent}"),
    }
}

#[test]
fn a_bad_document_is_refused_with_its_place() {
    let get = "/paths/~1shop~1items/get";
    let schema = "/components/schemas/Order/properties/kind";
    let at_get = |rest: &str, value: Value| complaint_at(&format!("{get}{rest}"), value);
    let at_schema = |rest: &str, value: Value| complaint_at(&format!("{schema}{rest}"), value);
    let cases = [
        (complaint(|document| *document = json!([])), "the document: expected a member `openapi`"),
        (complaint(|document| *document = json!({})), "the document: expected a member `openapi`"),
        (
            complaint_at("/openapi", json!("3.0.3")),
            "/openapi: expected OpenAPI 3.1, such as `3.1.0`, but found the string `3.0.3`",
        ),
        (complaint_at("/openapi", json!(3.1)), "/openapi: expected a string, but found `3.1`"),
        (complaint_at("/info", json!({"title": "x"})), "/info: expected a member `version`"),
        (complaint_at("/paths", json!({})), "/paths: expected at least one operation"),
        (complaint_at("/paths", json!(5)), "/paths: expected an object, but found `5`"),
        (complaint_at("/paths/shop", json!({})), "/paths/shop: a path starts with `/`"),
        (complaint_at("/paths/~1shop~1items/GET", json!({})), "/paths/~1shop~1items/GET: expected a method"),
        (complaint_at("/paths/~1a{b}", json!({"get": {}})), "/paths/~1a{b}/get: the segment `a{b}`"),
        (complaint_at("/paths/~1{b", json!({"get": {}})), "/paths/~1{b/get: the segment `{b`"),
        (complaint_at("/paths/~1{b}", json!({"get": {}})), "/paths/~1{b}/get: the path has `{b}`"),
        (complaint_at("/x-thing", json!(1)), "/x-thing: this keyword is unknown"),
        (at_get("/x-thing", json!(1)), "/get/x-thing: this keyword is unknown"),
        (at_schema("/x-thing", json!(1)), "/kind/x-thing: this keyword is unknown"),
        (at_get("/callbacks", json!({})), "/get/callbacks: this member of an operation is not supported"),
        (at_get("/security", json!([])), "/get/security: this member of an operation is not supported"),
        (at_get("/operationId", json!("order")), "another operation has the id `order` too"),
        (at_get("/operationId", json!(5)), "/get/operationId: expected a string, but found `5`"),
        (
            at_get("/x-ledger", json!(["Z9"])),
            "/get/x-ledger/0: expected the id of an entry of the ledger, but found `Z9`",
        ),
        (at_get("/parameters/-", json!(5)), "/get/parameters/3: expected"),
        (
            at_get("/parameters/-", json!({"name": "a", "in": "cookie", "schema": {"type": "string"}})),
            "/parameters/3/in: expected header, path or query",
        ),
        (
            at_get("/parameters/-", json!({"name": "a", "in": "query", "schema": {"type": "array"}})),
            "/parameters/3/schema: a parameter's `type` is string, integer, number or boolean",
        ),
        (
            at_get("/parameters/-", json!({"name": "a", "in": "query", "schema": {}})),
            "/parameters/3/schema: a parameter's `type`",
        ),
        (
            at_get(
                "/parameters/-",
                json!({"name": "a", "in": "query", "style": "form", "schema": {"type": "string"}}),
            ),
            "/parameters/3/style: this member of a parameter is not supported",
        ),
        (
            at_get("/parameters/-", json!({"name": "page", "in": "query", "schema": {"type": "string"}})),
            "the parameter `page` is there twice",
        ),
        (
            at_get(
                "/parameters/-",
                json!({"name": "a", "in": "path", "required": true, "schema": {"type": "string"}}),
            ),
            "has the path parameter `a`, and the path does not",
        ),
        (
            at_get(
                "/parameters/-",
                json!({"name": "a", "in": "query", "required": "yes", "schema": {"type": "string"}}),
            ),
            "/parameters/3/required: expected true or false, but found the string `yes`",
        ),
        (
            at_get("/parameters/-", json!({"$ref": "other.json#/a"})),
            "/parameters/3/$ref: expected a reference into this document",
        ),
        (
            at_get("/parameters/-", json!({"$ref": "#/components/parameters/no"})),
            "/parameters/3/$ref: expected a reference into this document",
        ),
        (
            at_get("/requestBody", json!({"content": {"text/plain": {}}})),
            "/content/text~1plain: the one media type",
        ),
        (
            at_get("/requestBody", json!({"content": {"application/json": {}}})),
            "/content/application~1json: expected a member `schema`",
        ),
        (
            at_get("/requestBody", json!({"required": 1, "content": {"application/json": {"schema": {}}}})),
            "/requestBody/required: expected true or false, but found `1`",
        ),
        (
            at_get("/responses", json!({})),
            "/get/responses: expected a status of 200 to 299 with at least one example",
        ),
        (
            at_get("/responses", json!({"200": {"description": "no example"}})),
            "/get/responses: expected a status of 200 to 299",
        ),
        (at_get("/responses/2XX", json!({})), "/responses/2XX: a reply's key is a status code"),
        (at_get("/responses/default", json!({})), "/responses/default: a reply's key is a status code"),
        (
            at_get("/responses/200/content/application~1json/examples/other", json!({})),
            "/examples/other: expected a member `value`",
        ),
        (
            at_get(
                "/responses/200/content/application~1json/examples/other",
                json!({"value": 1, "x-thing": 1}),
            ),
            "/examples/other/x-thing: this keyword is unknown",
        ),
        (
            at_get(
                "/responses/200/content/application~1json/examples/other",
                json!({"externalValue": "a.json"}),
            ),
            "/examples/other/externalValue: a.json: this document comes without files",
        ),
        (
            at_get(
                "/responses/200/content/application~1json/examples/other",
                json!({"externalValue": "https://example.com/a"}),
            ),
            "/externalValue: expected a path relative to the document",
        ),
        (
            at_get(
                "/responses/200/content/application~1json/examples/other",
                json!({"externalValue": "/etc/passwd"}),
            ),
            "/externalValue: expected a path relative to the document",
        ),
        (at_schema("/oneOf", json!([])), "/kind/oneOf: this keyword is not supported in a schema"),
        (at_schema("/const", json!(1)), "/kind/const: this keyword is not supported"),
        (
            at_schema("/additionalProperties", json!(false)),
            "/kind/additionalProperties: this keyword is not supported",
        ),
        (at_schema("/type", json!("text")), "/kind/type: expected a JSON type, but found the string `text`"),
        (at_schema("/type", json!([])), "/kind/type: expected at least one type"),
        (at_schema("/enum", json!([])), "/kind/enum: expected at least one value"),
        (
            at_schema("/pattern", json!("(")),
            "/kind/pattern: expected a regular expression, but found the string `(`",
        ),
        (at_schema("/pattern", json!("a{1000}{1000}{1000}")), "/kind/pattern: expected a regular expression"),
        (at_schema("/maxLength", json!(-1)), "/kind/maxLength: expected a whole number"),
        (at_schema("/maxLength", json!("5")), "/kind/maxLength: expected a whole number"),
        (at_schema("/minimum", json!(1)), "/kind: `minimum or maximum` does not apply"),
        (at_schema("/items", json!({})), "/kind: `items` does not apply"),
        (at_schema("/required", json!(["a"])), "/kind/required: `required` names `a`"),
        (at_schema("/required", json!("kind")), "/kind/required: expected an array"),
        (
            at_schema("/x-same-as", json!({"accountId": "A1"})),
            "/kind/x-same-as/accountId: expected a pointer into the request",
        ),
        (at_schema("/x-source", json!(5)), "/kind/x-source: expected a string"),
        (
            complaint_at("/components/schemas/Order/allOf/-", json!({"then": {}})),
            "/allOf/2: expected a member `if`",
        ),
        (
            complaint_at("/components/schemas/Order/allOf/-", json!({"oneOf": []})),
            "/allOf/2/oneOf: a branch has `title`, `if` and `then` only",
        ),
        (
            complaint_at(
                "/components/schemas/Order/allOf/-",
                json!({"title": "x", "then": {}, "if": {"properties": {"a": {"enum": ["b"]}}}}),
            ),
            "/allOf/2/if: expected a member `required`",
        ),
        (
            complaint_at(
                "/components/schemas/Order/allOf/-",
                json!({"title": "x", "then": {}, "if": {"properties": {}, "required": []}}),
            ),
            "/allOf/2/if/properties: expected exactly one property",
        ),
        (
            complaint_at("/components/securitySchemes", json!({"a": {"type": "http"}})),
            "/components/securitySchemes/a: the one security scheme",
        ),
        (complaint_at("/x-ledger", json!(5)), "/x-ledger: expected an array"),
        (
            complaint_at("/x-ledger/-", json!({"id": "A2"})),
            "/x-ledger/1: this is no entry of a ledger: missing field `kind`",
        ),
        (
            complaint(|document| {
                let entry = document["x-ledger"][0].clone();
                set(document, "/x-ledger/-", entry);
            }),
            "/x-ledger/1: another entry has the id `A1` too",
        ),
        (
            complaint(|document| {
                let mut item = document["paths"]["/shop/{shop}/orders"].clone();
                item["post"]["operationId"] = "order2".into();
                item["post"]["parameters"][0]["name"] = "id".into();
                set(document, "/paths/~1shop~1{id}~1orders", item);
            }),
            "/paths/~1shop~1{id}~1orders/post: another operation has this method and path too",
        ),
    ];
    for (message, expected) in cases {
        assert!(message.contains(expected), "expected `{expected}` in `{message}`");
        assert!(!message.contains('\n') && message.len() < 400, "not one short line: {message}");
    }
}

#[test]
fn schemas_that_never_end_are_refused() {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let itself = complaint_at("/components/schemas/Order/properties/again", reference("Order"));
    assert!(
        itself.contains("/again/$ref: the schema `#/components/schemas/Order` contains itself"),
        "{itself}"
    );
    let circle = complaint(|document| {
        set(document, "/components/schemas/A", json!({"type": "array", "items": reference("B")}));
        set(document, "/components/schemas/B", json!({"properties": {"a": reference("A")}}));
        set(document, "/components/schemas/Order/properties/a", reference("A"));
    });
    assert!(circle.contains("contains itself"), "{circle}");
    let itself = complaint_at("/components/schemas/Order/properties/root", json!({"$ref": "#"}));
    assert!(itself.contains("this keyword is not supported"), "{itself}");

    // Each schema has the next one ten times: 10^20 in all.
    let exploding = complaint(|document| {
        for level in 0..20 {
            let next: Map<_, _> =
                (0..10).map(|n| (n.to_string(), reference(&format!("L{}", level + 1)))).collect();
            set(document, &format!("/components/schemas/L{level}"), json!({"properties": next}));
        }
        set(document, "/components/schemas/L20", json!({}));
        set(document, "/components/schemas/Order/properties/much", reference("L0"));
    });
    assert!(exploding.contains("more than 20000 schemas"), "{exploding}");
    let deep = complaint(|document| {
        for level in 0..200 {
            let next = reference(&format!("D{}", level + 1));
            set(document, &format!("/components/schemas/D{level}"), json!({"properties": {"n": next}}));
        }
        set(document, "/components/schemas/D200", json!({}));
        set(document, "/components/schemas/Order/properties/deep", reference("D0"));
    });
    assert!(deep.contains("nest deeper than 100 levels"), "{deep}");
}

#[test]
fn a_bad_file_is_named_with_what_is_wrong() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("contract_load");
    fs::create_dir_all(&folder).expect("a folder");
    let document = made_up().to_string();
    let nested = "[".repeat(100_000);
    let cases: [(&str, &[u8], &str); 9] = [
        ("empty.json", b"", "expected JSON, but found EOF while parsing a value at line 1 column 0"),
        ("text.json", b"openapi: 3.1.0", "expected JSON, but found expected value at line 1 column 1"),
        ("cut.json", &document.as_bytes()[..500], "expected JSON, but found EOF"),
        ("bytes.json", b"\xff", "stream did not contain valid UTF-8"),
        ("nested.json", nested.as_bytes(), "expected JSON, but found recursion limit exceeded"),
        ("number.json", b"5", "the document: expected a member `openapi`"),
        ("old.json", br#"{"openapi":"2.0"}"#, "/openapi: expected OpenAPI 3.1"),
        // The document itself is fine, but its sample is not beside it.
        (
            "sample.json",
            document.as_bytes(),
            "/examples/some/externalValue: made-up/items.json: No such file",
        ),
        ("huge.json", &vec![b' '; 17 * 1024 * 1024], "expected at most 16777216 bytes, but found 17825792"),
    ];
    for (name, bytes, expected) in cases {
        let file = folder.join(name);
        fs::write(&file, bytes).expect("a file");
        let message = Contract::load(&file).expect_err(name).to_string();
        assert!(message.starts_with(&file.display().to_string()), "{message}");
        assert!(message.contains(expected), "expected `{expected}` in `{message}`");
        assert!(!message.contains('\n'), "{message}");
    }
    fs::remove_file(folder.join("huge.json")).expect("the file");
    for missing in [folder.join("missing.json"), folder] {
        let message = Contract::load(&missing).expect_err("no contract").to_string();
        assert!(message.starts_with(&missing.display().to_string()), "{message}");
    }
}

#[test]
fn a_sample_that_is_no_json_is_named() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("contract_sample");
    fs::create_dir_all(folder.join("made-up")).expect("a folder");
    fs::write(folder.join("made-up/items.json"), "[").expect("a file");
    fs::write(folder.join("c.json"), made_up().to_string()).expect("a file");
    let message = Contract::load(&folder.join("c.json")).expect_err("no contract").to_string();
    assert!(
        message.contains("/externalValue: made-up/items.json: expected JSON, but found EOF"),
        "{message}"
    );
}
