//! A case as one line of JSON, and the JSON Schema of such lines.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::expected::Expected;
use crate::{
    Rule,
    contract::Basis,
    payload::{Case, Expect, Operator, Wire},
    render::ndjson::unbroken,
};

/// A case as one line of JSON.
pub(super) fn line(case: &Case, expected: &Expected, seed: u64, index: u64) -> String {
    unbroken(document(case, expected, seed, index).to_string())
}

fn document(case: &Case, expected: &Expected, seed: u64, index: u64) -> Value {
    let headers: Vec<_> =
        case.headers().map(|(name, value)| json!([name, String::from_utf8_lossy(value)])).collect();
    let mut label = json!(case.label);
    label["expect"] = json!(case.label.expect());
    label["status"] = json!({"vendor": expected.vendor, "rfc": expected.rfc});
    if let Some((source, basis)) = &expected.source {
        label["source"] = source.as_str().into();
        label["basis"] = basis.name().into();
    }
    json!({
        "operation": &*case.operation,
        "seed": seed,
        "index": index,
        "request": {
            "method": case.request.method,
            "target": case.request.target,
            "headers": headers,
            "body": body(&case.request.body),
        },
        "label": label,
        "wire": case.wire,
    })
}

/// The body in the form that is easiest to read and keeps every byte.
fn body(bytes: &[u8]) -> Value {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return json!({"base64": BASE64_STANDARD.encode(bytes)});
    };
    let value = serde_json::from_str(text).unwrap_or(Value::Null);
    let again = serde_json::to_string(&value).unwrap_or_default();
    if again == text { json!({"json": value}) } else { json!({"text": text}) }
}

/// The JSON Schema of a line.
pub(super) fn schema() -> Value {
    let about = |description: &str, mut schema: Value| {
        schema["description"] = description.into();
        schema
    };
    let text = |description| about(description, json!({"type": "string"}));
    let number = |description| about(description, json!({"type": "integer", "minimum": 0}));
    let excerpt = |description| about(description, json!({"type": ["string", "null"]}));
    let object = |properties: Value, optional: &[&str]| {
        let names = properties.as_object().into_iter().flat_map(|properties| properties.keys());
        let required: Vec<_> = names.filter(|name| !optional.contains(&name.as_str())).cloned().collect();
        json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
    };
    let one = |name: &str, value: Value| {
        let mut schema = object(json!({}), &[]);
        schema["properties"][name] = value;
        schema["required"] = json!([name]);
        schema
    };
    let status = about(
        "the reply's status: with `--errors vendor` and with `--errors rfc`; for refusedWhenVerified, that of the refusal",
        object(json!({"vendor": {"type": "integer"}, "rfc": {"type": "integer"}}), &[]),
    );
    let expect = about(
        "what must become of the request: refused, valid, or refused only where signature and time of tokens are checked",
        json!({"enum": [Expect::Refused, Expect::RefusedWhenVerified, Expect::Valid]}),
    );
    let rules: Vec<_> = Rule::ALL.iter().map(|rule| json!(rule)).chain([Value::Null]).collect();
    let operators: Vec<_> =
        Operator::all().iter().map(|o| json!({"const": o.name(), "description": o.description()})).collect();
    let bases = [Basis::Assumed, Basis::Pages, Basis::Vendor].map(Basis::name);
    let valid =
        object(json!({"kind": {"const": "valid"}, "expect": {"const": "valid"}, "status": status}), &[]);
    let mutant = object(
        json!({
            "kind": {"const": "mutant"},
            "operator": about("what was done to a valid request", json!({"oneOf": operators})),
            "pointer": text("where, as a pointer into the request: /method, /path/…, /query/…, /header/… or /body/…"),
            "rule": about("the rule that is broken there; null when the request is still valid", json!({"enum": rules})),
            "was": excerpt("the beginning of what was there, as sent"),
            "became": excerpt("the beginning of what is there now, as sent"),
            "expect": expect,
            "status": status,
            "source": text("where the rule comes from: page and row, `observed`, or why it is assumed"),
            "basis": about(
                "whether a page that the contract is about documents the rule, another page of the vendor or an observation, or nothing",
                json!({"enum": bases}),
            ),
        }),
        &["source", "basis"],
    );
    let body = json!({"oneOf": [
        about("the body is this value, written without blanks", one("json", json!({}))),
        about("the body is this text", one("text", json!({"type": "string"}))),
        about("the body's bytes, which are no text", one("base64", json!({"type": "string", "contentEncoding": "base64"}))),
    ]});
    let pair = json!({"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "string"}});
    let request = object(
        json!({
            "method": {"type": "string"},
            "target": text("path and query, as sent"),
            "headers": about("names and values; host and content-length go without saying", json!({"type": "array", "items": pair})),
            "body": body,
        }),
        &[],
    );
    let mut schema = object(
        json!({
            "operation": text("the operation that the request is for"),
            "seed": number("with the operation and the index it gives the same request for ever"),
            "index": number("the position among the requests of this operation and seed"),
            "request": request,
            "label": about("what must become of the request", json!({"oneOf": [valid, mutant]})),
            "wire": about(
                "any HTTP client will do, or only a plain socket, as libraries would change or refuse the request",
                json!({"enum": [Wire::Any, Wire::Http1Raw]}),
            ),
        }),
        &[],
    );
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "A line of `standin generate`".into();
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_keeps_every_byte() {
        assert_eq!(body(br#"{"a":[1]}"#), json!({"json": {"a": [1]}}));
        assert_eq!(body(br#"{"a":1,"a":2}"#), json!({"text": "{\"a\":1,\"a\":2}"}));
        assert_eq!(body(b"[1.0,1e2]"), json!({"text": "[1.0,1e2]"}));
        assert_eq!(body(b"\xff"), json!({"base64": "/w=="}));
    }
}
