use serde_json::{Map, json};

use super::*;
use crate::{Contract, payload::Credentials};

fn plan(operation: &str) -> Plan {
    let parameter = |name: &str, place: &str, required: bool, schema: serde_json::Value| json!({"name": name, "in": place, "required": required, "schema": schema});
    let causes = [
        "incomplete",
        "json",
        "mediaType",
        "method",
        "path",
        "size",
        "timeout",
        "token",
        "credentials",
        "violations",
    ];
    let causes: Map<_, _> = causes.iter().map(|cause| ((*cause).to_owned(), json!({"value": {}}))).collect();
    let refused = json!({"examples": causes});
    let replies = json!({
        "200": {"content": {"application/json": {"examples": {"done": {"value": {}}}}}},
        "400": {"content": {"application/json": refused, "application/problem+json": refused}}
    });
    let body = json!({
        "type": "object",
        "required": ["code"],
        "properties": {
            "code": {"type": "string", "pattern": "^[A-Z]{3}$", "x-accepts": ["Code", "c"]},
            "pin": {"type": "string", "minLength": 4, "maxLength": 6},
            "least": {"type": "string", "minLength": 2},
            "most": {"type": "string", "maxLength": 3},
            "count": {"type": "integer", "minimum": 1, "maximum": 1000},
            "share": {"type": "number", "minimum": -1.5, "maximum": 1.5},
            "level": {"type": ["integer", "null"], "enum": [1, 2, null]},
            "flag": {"type": "boolean", "enum": [true]},
            "kind": {"type": "string"},
            "parts": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
            "anything": {},
            "detail": {"type": "object"}
        },
        "allOf": [{
            "title": "gift",
            "if": {"properties": {"kind": {"enum": ["gift"]}}, "required": ["kind"]},
            "then": {"properties": {"detail": {
                "type": "object", "required": ["to"], "properties": {"to": {"type": "string"}}
            }}}
        }]
    });
    let request_body =
        |required: bool| json!({"required": required, "content": {"application/json": {"schema": body}}});
    let document = json!({
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "Key", "x-claim": "client"}}},
        "paths": {
            "/shops/{shop}/orders/{number}": {"put": {
                "operationId": "order",
                "parameters": [
                    parameter("shop", "path", true, json!({"type": "string", "pattern": "^[a-z ]{2,8}$"})),
                    parameter("number", "path", true, json!({"type": "integer", "minimum": 1})),
                    parameter("page", "query", false, json!({"type": "integer", "minimum": 0, "maximum": 99})),
                    parameter("q", "query", false, json!({"type": "string", "enum": ["a b", "c"]})),
                    parameter("dry", "query", true, json!({"type": "boolean"})),
                    parameter("X-Ratio", "header", false, json!({"type": "number", "maximum": 0.5}))
                ],
                "requestBody": request_body(true),
                "responses": replies
            }},
            "/shops/{shop}/orders/new": {"put": {
                "operationId": "create",
                "parameters": [parameter("shop", "path", true, json!({"type": "string"}))],
                "requestBody": request_body(false),
                "responses": replies
            }},
            "/shops/{shop}": {"get": {
                "operationId": "look",
                "parameters": [parameter("shop", "path", true, json!({"type": "string"}))],
                "responses": replies
            }}
        }
    });
    let contract = Contract::from_document(document).unwrap();
    Plan::new(contract.operation(operation).unwrap(), &Credentials::default())
}

fn found(plan: &Plan, request: &Request) -> Vec<String> {
    faults(plan, request, false).iter().map(|fault| format!("{} {}", fault.pointer, fault.rule)).collect()
}

/// A request with a good token.
fn request(plan: &Plan, method: &str, target: &str) -> Request {
    Request::new(method, target).header("key", &plan.token.as_ref().unwrap().valid[0])
}

#[test]
fn every_fault_of_the_head_is_found_and_no_other() {
    let plan = plan("order");
    for (method, target, headers, wanted) in [
        ("PUT", "/shops/ab/orders/7?dry=true", &[][..], &[][..]),
        ("PUT", "/shops/a%20b/orders/7?dry=false&q=a+b", &[("X-Ratio", "0.5")], &[]),
        ("PUT", "/shops/ab/orders/7?dry=true&q=a%20b&other&&=x", &[], &[]),
        ("PUT", "/shops/a+b/orders/7?dry=true&q=a%2Bb", &[], &["/path/shop format", "/query/q enum"]),
        ("PUT", "/shops/ab/orders/0?dry=true", &[], &["/path/number minimum"]),
        ("PUT", "/shops/ab/orders/x?dry=true", &[], &["/path/number type"]),
        ("PUT", "/shops/ab/orders/%207?dry=true", &[], &["/path/number type"]),
        ("PUT", "/shops/ab/orders/7.5?dry=true", &[], &["/path/number type"]),
        ("PUT", "/shops/a/orders/7?dry=true", &[], &["/path/shop format"]),
        ("PUT", "/shops/ab%zz/orders/7?dry=true", &[], &["/path/shop format"]),
        ("PUT", "/shops/ab%/orders/7?dry=true", &[], &["/path/shop format"]),
        ("PUT", "/shops/ab%FF/orders/7?dry=true", &[], &["/path/shop format"]),
        ("PUT", "/shops/ab/orders/7?dry=%zz", &[], &["/query/dry format"]),
        ("PUT", "/shops/ab/orders/7", &[], &["/query/dry required"]),
        ("PUT", "/shops/ab/orders/7?Dry=true", &[], &["/query/dry required"]),
        ("PUT", "/shops/ab/orders/7?dry", &[], &["/query/dry type"]),
        ("PUT", "/shops/ab/orders/7?d%72y=true&dry=true", &[], &["/query/dry repeated"]),
        ("PUT", "/shops/ab/orders/7?dry=true&page=100", &[], &["/query/page maximum"]),
        ("PUT", "/shops/ab/orders/7?dry=true&page=99&page=1", &[], &["/query/page repeated"]),
        ("PUT", "/shops/ab/orders/7?dry=true&page=-1", &[], &["/query/page minimum"]),
        ("PUT", "/shops/ab/orders/7?dry=true", &[("X-Ratio", "0.6")], &["/header/X-Ratio maximum"]),
        ("PUT", "/shops/ab/orders/7?dry=true", &[("x-ratio", "a")], &["/header/X-Ratio type"]),
        (
            "PUT",
            "/shops/ab/orders/7?dry=true",
            &[("x-ratio", "0"), ("X-RATIO", "0")],
            &["/header/X-Ratio repeated"],
        ),
        ("PUT", "/shops/ab/orders/7?dry=true", &[("key", "a")], &["/header/key repeated"]),
        ("POST", "/shops/ab/orders/7?dry=true", &[], &["/method method"]),
        ("put", "/shops/ab/orders/7?dry=true", &[], &["/method method"]),
        ("PUT", "/shops/ab?dry=true", &[], &["/method method"]),
        ("PUT", "/shop/ab/orders/7?dry=true", &[], &["/path path"]),
        ("PUT", "/shops/ab/orders/?dry=true", &[], &["/path path"]),
        ("PUT", "/shops/ab/orders/7/?dry=true", &[], &["/path path"]),
        ("PUT", "shops/ab/orders/7?dry=true", &[], &["/path path"]),
        ("PUT", "/shops//orders/7?dry=true", &[], &["/path/shop format"]),
        ("PUT", "/shops/ab/orders/new?dry=true", &[], &["another operation path"]),
        ("GET", "/shops/ab?dry=true", &[], &["another operation path"]),
    ] {
        let mut request = request(&plan, method, target).body(r#"{"code":"ABC"}"#);
        request = request.header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        assert_eq!(found(&plan, &request), wanted, "{method} {target} {headers:?}");
    }
}

#[test]
fn every_fault_of_the_token_is_found() {
    let plan = plan("look");
    for (value, wanted) in [
        (None, &["/header/key required"][..]),
        (Some(""), &["/header/key required"]),
        (Some("a.b"), &["/header/key format"]),
        (Some("e30.e30.e30"), &["/header/key token"]),
        // {"appId":"a"}, {"client":""}, {"client":"a"}, and that twice
        (Some("e30.eyJhcHBJZCI6ImEifQ.e30"), &["/header/key token"]),
        (Some("e30.eyJjbGllbnQiOiIifQ.e30"), &["/header/key token"]),
        (Some("e30.eyJjbGllbnQiOiJhIn0.e30"), &[]),
        (Some("e30.eyJjbGllbnQiOiJhIiwiY2xpZW50IjoiYSJ9.e30"), &["/header/key format"]),
    ] {
        let mut request = Request::new("GET", "/shops/ab");
        if let Some(value) = value {
            request = request.header("key", value);
        }
        assert_eq!(found(&plan, &request), wanted, "{value:?}");
    }
}

#[test]
fn every_fault_of_the_body_is_found_and_no_other() {
    let plan = plan("order");
    for (body, wanted) in [
        (r#"{"code":"ABC"}"#, &[][..]),
        (r#"{"Code":"ABC"}"#, &[]),
        (r#"{"c":"ABC","code":"abc"}"#, &["/body/code format"]),
        (r#"{"c":"abc","Code":"ABC"}"#, &[]),
        (r#"{"pin":"1234"}"#, &["/body/code required"]),
        (r#"{"code":"ABC","code":"A"}"#, &["/body/code format"]),
        (r#"{"code":7}"#, &["/body/code type"]),
        (r#"{"code":null}"#, &["/body/code type"]),
        (r#"{"code":"ABC","pin":"123"}"#, &["/body/pin minLength"]),
        (r#"{"code":"ABC","pin":"1234567"}"#, &["/body/pin maxLength"]),
        (r#"{"code":"ABC","pin":"éééé","least":"éé","most":"ééé"}"#, &[]),
        (
            r#"{"code":"ABC","pin":"123456","least":"1","most":"1234"}"#,
            &["/body/least minLength", "/body/most maxLength"],
        ),
        (r#"{"code":"ABC","count":0,"share":-1.5}"#, &["/body/count minimum"]),
        (r#"{"code":"ABC","count":1.0,"share":1.5}"#, &[]),
        (r#"{"code":"ABC","count":1000,"share":1.6}"#, &["/body/share maximum"]),
        (r#"{"code":"ABC","count":1001,"share":-1.6}"#, &["/body/count maximum", "/body/share minimum"]),
        (r#"{"code":"ABC","count":1.5}"#, &["/body/count type"]),
        (r#"{"code":"ABC","level":2.0,"flag":true}"#, &[]),
        (r#"{"code":"ABC","level":null}"#, &[]),
        (r#"{"code":"ABC","level":3,"flag":false}"#, &["/body/level enum", "/body/flag enum"]),
        (r#"{"code":"ABC","parts":[[1],[2,"3"],4]}"#, &["/body/parts/1/1 type", "/body/parts/2 type"]),
        (r#"{"code":"ABC","anything":{"pin":1},"detail":{}}"#, &[]),
        (r#"{"code":"ABC","kind":"loan","detail":{}}"#, &[]),
        (r#"{"kind":"gift","code":"ABC","detail":{}}"#, &["/body/detail/to required"]),
        (r#"{"code":"ABC","detail":{"to":1},"kind":"gift"}"#, &["/body/detail/to type"]),
        (r#"{"code":"ABC","detail":{"to":"a"},"kind":"gift"}"#, &[]),
        (r#"{"code":"ABC","kind":["gift"],"detail":{}}"#, &["/body/kind type"]),
        ("[]", &["/body type"]),
        ("", &["/body required"]),
        ("{", &["/body json"]),
    ] {
        let request = request(&plan, "PUT", "/shops/ab/orders/7?dry=true").body(body);
        let request = request.header("content-type", "application/json");
        assert_eq!(found(&plan, &request), wanted, "{body}");
    }
}

#[test]
fn every_fault_of_the_media_type_is_found() {
    let order = plan("order");
    for (values, wanted) in [
        (&["application/json"][..], &[][..]),
        (&["Application/JSON ;charset=utf-8"], &[]),
        (&[], &["/header/Content-Type required"]),
        (&["application/jsonp"], &["/header/Content-Type mediaType"]),
        (&["application/json", "application/json"], &["/header/Content-Type repeated"]),
    ] {
        let mut request = request(&order, "PUT", "/shops/ab/orders/7?dry=true").body(r#"{"code":"ABC"}"#);
        for value in values {
            request = request.header("content-type", value);
        }
        assert_eq!(found(&order, &request), wanted, "{values:?}");
    }
    let create = plan("create");
    let nothing = request(&create, "PUT", "/shops/ab/orders/new");
    assert_eq!(found(&create, &nothing), [""; 0], "a body that may be left out");
    assert_eq!(found(&create, &nothing.body("{}")), ["/header/Content-Type required", "/body/code required"]);
}
