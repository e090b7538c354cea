//! A bad contract document is refused with a line that says what is wrong where.

use std::{fs, path::Path};

use serde_json::{Map, Value, json};
use standin::Contract;

fn made_up() -> Value {
    serde_json::from_str(include_str!("made-up.openapi.json")).expect("JSON")
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
    match Contract::from_document(document) {
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

/// Each complaint has the text expected, in one short line.
fn assert_complaints(cases: &[(String, &str)]) {
    for (message, expected) in cases {
        assert!(message.contains(expected), "expected `{expected}` in `{message}`");
        assert!(!message.contains('\n') && message.len() < 400, "not one short line: {message}");
    }
}

#[test]
fn a_bad_document_is_refused_with_its_place() {
    assert_complaints(&[
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
        (
            complaint_at("/components/securitySchemes", json!({"a": {"type": "http"}})),
            "/components/securitySchemes/a: the one security scheme",
        ),
        (
            complaint_at(
                "/components/securitySchemes",
                json!({"a": {"type": "apiKey", "in": "header", "name": "a", "x-claim": "exp"}}),
            ),
            "/components/securitySchemes/a/x-claim: expected the name of the claim that names the client",
        ),
        (complaint_at("/x-ledger/0/id", json!("A 1")), "/x-ledger/0/id: expected an id of letters, digits"),
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
            complaint_at("/x-rate-limit", json!({"account": "shops", "sample": "violations"})),
            "/x-rate-limit/account: expected the name of a parameter, but found the string `shops`",
        ),
        (
            complaint(|document| {
                let sample = json!({"value": {"refused": "often"}});
                set(
                    document,
                    "/components/responses/Invalid/content/application~1json/examples/often",
                    sample,
                );
                set(document, "/x-rate-limit", json!({"account": "shop", "sample": "often"}));
            }),
            "/x-rate-limit/sample: expected the name of a sample of a refusal, under application/problem+json",
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
    ]);
}

#[test]
fn a_refusal_that_is_missing_or_there_twice_is_complained_about() {
    let without = |name: &str, media: &str, cause: &str| {
        complaint(|document| {
            let content = &mut document["components"]["responses"][name]["content"];
            content[media]["examples"].as_object_mut().expect("examples").shift_remove(cause);
        })
    };
    let scheme = json!({"key": {"type": "apiKey", "in": "header", "name": "X-Key"}});
    let twice = json!({"content": {"application/json": {"examples": {"size": {"value": {}}}}}});
    assert_complaints(&[
        (
            without("Invalid", "application/json", "violations"),
            "/paths: expected an example `violations` under application/json in the responses",
        ),
        (
            without("NotFound", "application/problem+json", "path"),
            "/paths: expected an example `path` under application/problem+json in the responses",
        ),
        (without("Broken", "application/json", "json"), "expected an example `json`"),
        // Nobody needs a token, so nobody is refused for it.
        (without("Unauthorized", "application/json", "token"), "accepted"),
        (
            complaint(|document| {
                document["components"]["securitySchemes"] = scheme;
                document["components"]["responses"]["Unauthorized"]["content"] = json!({});
            }),
            "expected a member `application/json`",
        ),
        (
            complaint_at("/paths/~1shop~1items/get/responses/409", twice),
            "/paths/~1shop~1items/get/responses: expected the example `size` of application/json under one status, but found it under 413 and 409",
        ),
    ]);
}

#[test]
fn a_bad_operation_is_refused_with_its_place() {
    let at = |rest: &str, value: Value| complaint_at(&format!("/paths/~1shop~1items/get{rest}"), value);
    assert_complaints(&[
        (at("/x-thing", json!(1)), "/get/x-thing: this keyword is unknown"),
        (at("/callbacks", json!({})), "/get/callbacks: this member of an operation is not supported"),
        (at("/security", json!([])), "/get/security: this member of an operation is not supported"),
        (at("/operationId", json!("order")), "another operation has the id `order` too"),
        (at("/operationId", json!(5)), "/get/operationId: expected a string, but found `5`"),
        (
            at("/x-ledger", json!(["Z9"])),
            "/get/x-ledger/0: expected the id of an entry of the ledger, but found `Z9`",
        ),
        (
            at("/requestBody", json!({"content": {"text/plain": {}}})),
            "/content/text~1plain: the one media type",
        ),
        (
            at("/requestBody", json!({"content": {"application/json": {}}})),
            "/content/application~1json: expected a member `schema`",
        ),
        (
            at("/requestBody", json!({"required": 1, "content": {"application/json": {"schema": {}}}})),
            "/requestBody/required: expected true or false, but found `1`",
        ),
        (
            at("/responses", json!({})),
            "/get/responses: expected a status of 200 to 299 with at least one example",
        ),
        (
            at("/responses", json!({"200": {"description": "no example"}})),
            "/get/responses: expected a status of 200 to 299",
        ),
        (
            at("/responses/204", json!({"content": {}})),
            "/responses/204/content: a reply with the status 204 has no body",
        ),
        (
            at("/responses/200/headers", json!({"X-Page": {"schema": {}}})),
            "/responses/200/headers/X-Page: expected a member `example`",
        ),
        (
            at("/responses/200/headers", json!({"X-Page": {"example": true}})),
            "/responses/200/headers/X-Page/example: expected a string or a number",
        ),
        (
            at("/responses/200/headers", json!({"X-Page": {"example": "a\nb"}})),
            "/responses/200/headers/X-Page/example: expected a text that a header can have",
        ),
        (
            at("/responses/200/headers", json!({"X Page": {"example": 1}})),
            "/responses/200/headers/X Page: expected the name of a header",
        ),
        (
            at("/responses/200/headers", json!({"Content-Type": {"example": "text/plain"}})),
            "/responses/200/headers/Content-Type: the media type of a reply is in its `content`",
        ),
        (at("/responses/2XX", json!({})), "/responses/2XX: a reply's key is a status code"),
        (at("/responses/default", json!({})), "/responses/default: a reply's key is a status code"),
        (
            at("/responses/200/content/application~1json/examples/other", json!({})),
            "/examples/other: expected a member `value`",
        ),
        (
            at("/responses/200/content/application~1json/examples/other", json!({"value": 1, "x-thing": 1})),
            "/examples/other/x-thing: this keyword is unknown",
        ),
        (
            at("/responses/200/content/application~1json/examples/other", json!({"externalValue": "a.json"})),
            "/examples/other/externalValue: a.json: this document comes without files",
        ),
        (
            at(
                "/responses/200/content/application~1json/examples/other",
                json!({"externalValue": "https://example.com/a"}),
            ),
            "/externalValue: expected a path relative to the document",
        ),
        (
            at(
                "/responses/200/content/application~1json/examples/other",
                json!({"externalValue": "/etc/passwd"}),
            ),
            "/externalValue: expected a path relative to the document",
        ),
    ]);
}

#[test]
fn a_bad_parameter_is_refused_with_its_place() {
    let at = |parameter: Value| complaint_at("/paths/~1shop~1items/get/parameters/-", parameter);
    assert_complaints(&[
        (at(json!(5)), "/get/parameters/4: expected"),
        (
            at(json!({"name": "a", "in": "cookie", "schema": {"type": "string"}})),
            "/parameters/4/in: expected header, path or query",
        ),
        (
            at(json!({"name": "a", "in": "query", "schema": {"type": "array"}})),
            "/parameters/4/schema: a parameter's `type` is string, integer, number or boolean",
        ),
        (at(json!({"name": "a", "in": "query", "schema": {}})), "/parameters/4/schema: a parameter's `type`"),
        (
            at(json!({"name": "a", "in": "query", "style": "form", "schema": {"type": "string"}})),
            "/parameters/4/style: this member of a parameter is not supported",
        ),
        (
            at(json!({"name": "page", "in": "query", "schema": {"type": "string"}})),
            "the parameter `page` is there twice",
        ),
        (
            at(json!({"name": "a", "in": "path", "required": true, "schema": {"type": "string"}})),
            "has the path parameter `a`, and the path does not",
        ),
        (
            at(json!({"name": "a", "in": "query", "required": "yes", "schema": {"type": "string"}})),
            "/parameters/4/required: expected true or false, but found the string `yes`",
        ),
        (at(json!({"$ref": "other.json#/a"})), "/parameters/4/$ref: expected a reference into this document"),
        (
            at(json!({"$ref": "#/components/parameters/no"})),
            "/parameters/4/$ref: expected a reference into this document",
        ),
    ]);
}

#[test]
fn a_bad_schema_is_refused_with_its_place() {
    let at = |rest: &str, value: Value| {
        complaint_at(&format!("/components/schemas/Order/properties/kind{rest}"), value)
    };
    assert_complaints(&[
        (at("/x-thing", json!(1)), "/kind/x-thing: this keyword is unknown"),
        (at("/x-rules", json!([])), "/kind/x-rules: expected an object"),
        (at("/x-rules", json!({"items": {"x-assumed": "so"}})), "/x-rules/items: `items` is no rule"),
        (at("/x-rules", json!({"required": {}})), "/x-rules/required: expected `x-source` or `x-assumed`"),
        (at("/x-rules", json!({"required": {"x-ledger": []}})), "/x-ledger: a rule has `x-source`"),
        (
            at("/x-rules", json!({"maximum": {"x-assumed": "so"}})),
            "/x-rules/maximum: `maximum` is not among the keywords of this schema",
        ),
        (at("/x-rules", json!({"required": {"x-assumed": 5}})), "/x-assumed: expected a string"),
        (at("/oneOf", json!([])), "/kind/oneOf: this keyword is not supported in a schema"),
        (at("/const", json!(1)), "/kind/const: this keyword is not supported"),
        (
            at("/additionalProperties", json!(false)),
            "/kind/additionalProperties: this keyword is not supported",
        ),
        (at("/type", json!("text")), "/kind/type: expected a JSON type, but found the string `text`"),
        (at("/type", json!([])), "/kind/type: expected at least one type"),
        (at("/enum", json!([])), "/kind/enum: expected at least one value"),
        (
            at("/pattern", json!("(")),
            "/kind/pattern: expected a regular expression, but found the string `(`",
        ),
        (at("/pattern", json!("a{1000}{1000}{1000}")), "/kind/pattern: expected a regular expression"),
        (at("/maxLength", json!(-1)), "/kind/maxLength: expected a whole number"),
        (at("/maxLength", json!("5")), "/kind/maxLength: expected a whole number"),
        (at("/minimum", json!(1)), "/kind: `minimum or maximum` does not apply"),
        (at("/items", json!({})), "/kind: `items` does not apply"),
        (at("/required", json!(["a"])), "/kind/required: `required` names `a`"),
        (at("/required", json!("kind")), "/kind/required: expected an array"),
        (
            at("/x-same-as", json!({"accountId": "A1"})),
            "/kind/x-same-as/accountId: expected a pointer into the request",
        ),
        (at("/x-source", json!(5)), "/kind/x-source: expected a string"),
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
    ]);
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
        ("bytes.json", b"\xff", "expected UTF-8, but found something else after 0 bytes"),
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
