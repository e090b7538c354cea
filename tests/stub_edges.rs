//! The edges of the stub's steps, on a contract that is made for them.

use std::sync::Arc;

use serde_json::{Value, json};
use standin::{
    BodyEnd, Contract, Exchange, Request, Settings, Step, Stub,
    token::{Secret, mint},
};

fn stub(change: impl FnOnce(&mut Value)) -> Stub {
    let done = json!({"200": {"content": {"application/json": {"examples": {"done": {"value": "done"}}}}}});
    let operation = |id: &str| json!({"operationId": id, "responses": done});
    let with = |id: &str, name: &str, value: Value| {
        let mut operation = operation(id);
        operation[name] = value;
        operation
    };
    let parameter = |place: &str, name: &str, schema: Value| json!({"name": name, "in": place, "required": place == "path", "schema": schema});
    let text = || json!({"type": "string"});
    let mut accepted = operation("accepted");
    accepted["responses"]["202"] = json!({"description": "without an example"});
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {"title": "Edges", "version": "1"},
        "paths": {
            "/a/{x}": {"get": with("any", "parameters", json!([parameter("path", "x", text())]))},
            "/a/b": {"get": operation("exact")},
            "/{y}/b": {"get": with("other", "parameters", json!([parameter("path", "y", text())]))},
            "/nothing": {"post": operation("nothing")},
            "/accepted": {"get": accepted},
            "/optional": {"post": with("optional", "requestBody", json!({"content": {"application/json": {"schema": {
                "type": "object",
                "properties": {
                    "code": {"type": "string", "enum": ["ABC", "abc", "ABCDEFG"], "pattern": "^[A-Z]+$", "maxLength": 5},
                    "word": {"type": "string", "pattern": "^[a-z]*$", "minLength": 2, "maxLength": 3},
                    "count": {"type": "integer", "minimum": 2, "maximum": 4}
                }
            }}}}))},
            "/typed": {"get": with("typed", "parameters", json!([
                parameter("query", "int", json!({"type": "integer", "minimum": 1, "maximum": 100})),
                parameter("query", "flag", json!({"type": "boolean"})),
                parameter("query", "text", json!({"type": "string", "minLength": 1})),
                parameter("query", "either", json!({"type": ["integer", "string"]}))
            ]))}
        }
    });
    change(&mut document);
    Stub::new(Arc::new(Contract::from_document(document).unwrap()), Settings::default())
}

fn violations(exchange: &Exchange) -> Vec<(&str, &str)> {
    exchange.violations.iter().map(|violation| (violation.pointer.as_str(), violation.rule.name())).collect()
}

#[test]
fn of_two_paths_that_fit_the_one_with_more_literal_segments_answers_and_of_equals_the_first() {
    let is =
        |stub: &Stub, path: &str| stub.respond(Request::new("GET", path)).operation.map(|id| id.to_string());
    let usual = stub(|_| {});
    let reversed = stub(|document| {
        let paths = document["paths"].as_object().unwrap();
        document["paths"] = paths.clone().into_iter().rev().collect();
    });
    for stub in [&usual, &reversed] {
        assert_eq!(is(stub, "/a/b").as_deref(), Some("exact"));
        assert_eq!(is(stub, "/a/c").as_deref(), Some("any"));
        assert_eq!(is(stub, "/c/b").as_deref(), Some("other"));
    }
    let without = |order: bool| {
        stub(|document| {
            let paths = document["paths"].as_object_mut().unwrap();
            paths.shift_remove("/a/b");
            if order {
                let any = paths.shift_remove("/a/{x}").unwrap();
                paths.insert("/a/{x}".into(), any);
            }
        })
    };
    assert_eq!(is(&without(false), "/a/b").as_deref(), Some("any"));
    assert_eq!(is(&without(true), "/a/b").as_deref(), Some("other"));
}

#[test]
fn an_unknown_path_is_told_three_operations_the_nearest_first() {
    let stub = stub(|document| {
        let paths = document["paths"].as_object_mut().unwrap();
        paths.retain(|path, _| !path.contains('{'));
        let deep = paths["/nothing"].clone();
        for (number, path) in ["/one/two/three", "/one/two", "/one/two/three/four"].into_iter().enumerate() {
            let mut item = deep.clone();
            item["post"]["operationId"] = format!("deep{number}").into();
            paths.insert(path.into(), item);
        }
    });
    for (path, nearest) in [
        ("/one/two/three/", "/one/two/three"),
        ("/one/two/3/four", "/one/two/three/four"),
        ("/one/two/three/four/five", "/one/two/three/four"),
        ("one/two", "/one/two"),
        ("/nothin", "/nothing"),
        ("/optional/", "/optional"),
    ] {
        let exchange = stub.respond(Request::new("POST", path));
        let expected = &exchange.violations[0].expected;
        let named: Vec<_> = expected.split(" /").skip(1).filter_map(|rest| rest.split(' ').next()).collect();
        let named: Vec<_> = named.into_iter().map(|rest| format!("/{rest}")).collect();
        assert_eq!((named[0].as_str(), named.len()), (nearest, 3), "{path}: {expected}");
    }
}

#[test]
fn a_body_that_nobody_reads_or_that_may_be_left_out_has_to_end_all_the_same() {
    let stub =
        Stub::new(Arc::clone(stub(|_| {}).contract()), Settings { max_body: 10, ..Settings::default() });
    let to = |path: &str, body: &str| Request::new("POST", path).body(body.to_owned());
    let ended = |request: Request, body_end| Request { body_end, ..request };
    let json = |request: Request| request.header("content-type", "application/json");
    let cases: [(_, _, &[_]); 10] = [
        ("nothing", to("/nothing", ""), &[]),
        ("any text", to("/nothing", "0123456789"), &[]),
        ("too much", to("/nothing", "0123456789a"), &[("/body", "size")]),
        ("broken off", ended(to("/nothing", ""), BodyEnd::Broken), &[("/body", "incomplete")]),
        ("left out", to("/optional", ""), &[]),
        ("left out, with a type", json(to("/optional", "")), &[]),
        ("without a type", to("/optional", "{}"), &[("/header/Content-Type", "required")]),
        ("there", json(to("/optional", "{}")), &[]),
        ("cut to nothing", ended(json(to("/optional", "")), BodyEnd::Broken), &[("/body", "incomplete")]),
        ("too slow", ended(json(to("/optional", "")), BodyEnd::TimedOut), &[("/body", "timeout")]),
    ];
    for (name, request, expected) in cases {
        let exchange = stub.respond(request);
        assert_eq!(violations(&exchange), expected, "{name}");
        assert_eq!(exchange.step == Step::Answer, expected.is_empty(), "{name}");
    }
}

#[test]
fn one_value_breaks_one_rule_type_before_list_before_format_before_length() {
    let stub = stub(|_| {});
    for (member, value, rule) in [
        ("code", json!(5), Some("type")),
        ("code", json!("abcdefg"), Some("enum")),
        ("code", json!("ABCDEF"), Some("enum")),
        ("code", json!("abc"), Some("format")),
        ("code", json!("ABCDEFG"), Some("maxLength")),
        ("code", json!("ABC"), None),
        ("word", json!("A"), Some("format")),
        ("word", json!("ABCD"), Some("format")),
        ("word", json!("a"), Some("minLength")),
        ("word", json!("aa"), None),
        ("word", json!("aaa"), None),
        ("word", json!("aaaa"), Some("maxLength")),
        ("count", json!(1.5), Some("type")),
        ("count", json!(1), Some("minimum")),
        ("count", json!(2), None),
        ("count", json!(4), None),
        ("count", json!(5), Some("maximum")),
    ] {
        let body = json!({member: value}).to_string();
        let request = Request::new("POST", "/optional").header("content-type", "application/json").body(body);
        let exchange = stub.respond(request);
        let pointer = format!("/body/{member}");
        let expected: Vec<_> = rule.map(|rule| (pointer.as_str(), rule)).into_iter().collect();
        assert_eq!(violations(&exchange), expected, "{member} {value}");
    }
}

#[test]
fn a_parameter_is_read_as_the_type_that_it_has() {
    let stub = stub(|_| {});
    for (query, rule) in [
        ("int=1", None),
        ("int=100", None),
        ("int=5.0", None),
        ("int=1e2", None),
        ("int=0", Some("minimum")),
        ("int=101", Some("maximum")),
        ("int=1.5", Some("type")),
        ("int=+5", Some("type")),
        ("int=5+", Some("type")),
        ("int=%225%22", Some("type")),
        ("int=", Some("type")),
        ("int=null", Some("type")),
        ("int=true", Some("type")),
        ("flag=true", None),
        ("flag=false", None),
        ("flag=True", Some("type")),
        ("flag=1", Some("type")),
        ("text=5", None),
        ("text=true", None),
        ("text=", Some("minLength")),
        ("text", Some("minLength")),
        ("either=5", None),
        ("either=five", None),
        ("", None),
    ] {
        let exchange = stub.respond(Request::new("GET", format!("/typed?{query}")));
        let rules: Vec<_> = exchange.violations.iter().map(|violation| violation.rule.name()).collect();
        assert_eq!(rules, Vec::from_iter(rule), "{query}");
    }
}

#[test]
fn a_status_without_an_example_cannot_be_preferred() {
    let stub = stub(|_| {});
    for (prefer, status) in [("code=202", 200), ("code=200", 200), ("code=200, example=done", 200)] {
        let exchange = stub.respond(Request::new("GET", "/accepted").header("prefer", prefer));
        assert_eq!(exchange.reply.status, status);
        assert_eq!(exchange.reply.body, "\"done\"");
        assert_eq!(
            exchange.reply.headers.all("preference-applied").count(),
            usize::from(prefer != "code=202")
        );
    }
}

#[test]
fn a_text_of_eighty_characters_is_quoted_whole_and_a_longer_one_is_cut() {
    let stub = stub(|_| {});
    for (length, quoted) in [(79, 79), (80, 80), (81, 80), (200, 80)] {
        let path = format!("/{}", "ä".repeat(length - 1));
        let exchange = stub.respond(Request::new("GET", path));
        let cut = if length > 80 { "…" } else { "" };
        assert_eq!(exchange.violations[0].found, format!("`/{}{cut}`", "ä".repeat(quoted - 1)), "{length}");
    }
}

#[test]
fn json_that_is_as_deep_as_it_may_be_has_to_be_json_too() {
    let stub =
        Stub::new(Contract::builtin(), Settings { token: standin::TokenPolicy::Any, ..Settings::default() });
    let nested = |depth: usize, inside: &str| {
        format!("{{\"x\":{}{inside}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1))
    };
    for (body, found) in [
        (nested(128, "") + "x", "trailing characters"),
        (nested(128, "") + "}", "trailing characters"),
        (nested(128, "1,"), "trailing comma"),
        (nested(127, "") + "x", "trailing characters"),
        (nested(129, ""), "deeper nesting"),
        (format!("\u{feff}{}", nested(2, "")), "a byte order mark before it"),
        (format!("\u{feff}{}", nested(128, "")), "a byte order mark before it"),
    ] {
        let request = Request::new("POST", "/agentassist/api/v1/public/st-1/agents")
            .header("auth", "any")
            .header("accountId", "1")
            .header("content-type", "application/json")
            .body(body.clone());
        let exchange = stub.respond(request);
        assert_eq!(exchange.violations[0].pointer, "/body");
        assert!(exchange.violations[0].found.starts_with(found), "{}", exchange.violations[0].found);
    }
}

#[test]
fn an_app_id_has_to_be_a_text_that_is_not_empty() {
    let stub = Stub::new(Contract::builtin(), Settings::default());
    let secret = Secret::new("s3cret");
    for (app_id, rule) in [("cs-1", None), (" ", None), ("", Some("token"))] {
        let request = Request::new("POST", "/agentassist/api/v1/public/st-1/agents")
            .header("auth", mint(app_id, &secret, 0, None));
        let exchange = stub.respond(request);
        let found = violations(&exchange).into_iter().find(|(pointer, _)| *pointer == "/header/auth");
        assert_eq!(found.map(|(_, rule)| rule), rule, "`{app_id}`");
    }
}
