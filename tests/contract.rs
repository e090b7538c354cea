//! The built-in contract: its ledger, its samples, and the document that is published for outside tools.

mod stub_support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use standin::{
    BodyEnd, Contract, Errors, LedgerKind, Settings, check_body,
    contract::{Property, Schema},
};
use stub_support::{Call, contract, fixture, operations as ids, operations_with_body, stub_with};

/// The ids of the contradictions that are known.
fn known_ids() -> BTreeSet<String> {
    let series = [
        ('U', 1..=18),
        ('C', 1..=10),
        ('I', 1..=13),
        ('V', 1..=6),
        ('T', 1..=3),
        // Of those about other pages of the vendor, the ones that concern operations which are here.
        ('S', 2..=15),
        ('S', 22..=24),
        ('S', 26..=26),
        ('S', 29..=29),
        ('S', 33..=42),
        ('S', 45..=76),
        ('S', 79..=81),
        ('S', 87..=87),
        ('S', 89..=91),
    ];
    series
        .into_iter()
        .flat_map(|(letter, numbers)| numbers.map(move |number| format!("{letter}{number}")))
        .collect()
}

#[test]
fn the_built_in_contract_passes_every_check_of_a_file() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts/agentassist.openapi.json");
    let loaded = Contract::load(&file).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        loaded.published(standin::contract::Audience::Exact),
        contract().published(standin::contract::Audience::Exact)
    );
    assert_eq!(loaded.document(), contract().document());
}

#[test]
fn the_ledger_has_every_contradiction_once() {
    let ids: Vec<_> = contract().ledger().iter().map(|entry| entry.id.clone()).collect();
    assert_eq!(ids.len(), known_ids().len());
    assert_eq!(BTreeSet::from_iter(ids), known_ids());
    for entry in contract().ledger() {
        assert!(!entry.title.is_empty() && !entry.reading.is_empty(), "{}", entry.id);
        assert!(!entry.says.is_empty(), "{}", entry.id);
        assert!(
            entry.says.iter().all(|says| !says.source.is_empty() && !says.text.is_empty()),
            "{}",
            entry.id
        );
        assert!(entry.accepts.is_empty() || entry.kind == LedgerKind::Accepted, "{}", entry.id);
    }
}

/// Calls `see` with every object of the document outside of samples, the ledger and free-form values.
fn nodes(value: &Value, see: &mut dyn FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            see(members);
            for (key, value) in members {
                if !["value", "x-ledger", "enum"].contains(&key.as_str()) {
                    nodes(value, see);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| nodes(item, see)),
        _ => {}
    }
}

#[test]
fn every_entry_of_the_ledger_is_named_where_it_matters() {
    let mut named = BTreeSet::new();
    nodes(contract().document(), &mut |node| {
        named.extend(
            node.get("x-ledger")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned),
        );
        named.extend(
            node.get("x-same-as")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .filter_map(|(_, id)| id.as_str())
                .map(str::to_owned),
        );
    });
    let missing: Vec<_> = known_ids().into_iter().filter(|id| !named.contains(id)).collect();
    assert!(missing.is_empty(), "no node names {missing:?}");
}

/// A property or parameter of a request: its name, its other names, and its schema.
type Place<'a> = (&'a str, &'a [String], &'a Schema);

fn places(contract: &Contract) -> Vec<Place<'_>> {
    fn walk<'a>(schema: &'a Schema, out: &mut Vec<Place<'a>>) {
        let own = |property: &'a Property, out: &mut Vec<Place<'a>>| {
            out.push((&property.name, &property.accepts, &property.schema));
            walk(&property.schema, out);
        };
        schema.properties.iter().for_each(|property| own(property, out));
        schema.items.iter().for_each(|items| walk(items, out));
        // What a branch says of a property comes on top of the property's own row.
        let more = schema.branches.iter().flat_map(|branch| &branch.then.properties);
        more.for_each(|property| walk(&property.schema, out));
    }
    let mut out = Vec::new();
    for operation in contract.operations() {
        out.extend(operation.parameters.iter().map(|p| (p.name.as_str(), p.accepts.as_slice(), &p.schema)));
        operation.body.iter().for_each(|body| walk(&body.schema, &mut out));
    }
    out
}

#[test]
fn what_an_entry_accepts_is_a_name_type_or_value_where_it_is_named() {
    let contract = contract();
    let places = places(contract);
    for entry in contract.ledger().iter().filter(|entry| entry.kind == LedgerKind::Accepted) {
        let about: Vec<_> = places
            .iter()
            .filter(|(_, _, schema)| {
                schema.ledger.contains(&entry.id) || schema.same_as.iter().any(|(_, id)| *id == entry.id)
            })
            .collect();
        assert!(!about.is_empty(), "no property or parameter names {}", entry.id);
        for token in &entry.accepts {
            let is_there = about.iter().any(|(name, others, schema)| {
                name == token
                    || others.contains(token)
                    || schema.types.iter().skip(1).any(|kind| kind.name() == token)
                    || schema.values.iter().any(|value| value == token)
            });
            assert!(is_there, "{} accepts `{token}`, and nothing does", entry.id);
        }
        if entry.accepts.is_empty() {
            let sent_twice =
                about.iter().any(|(_, _, schema)| schema.same_as.iter().any(|(_, id)| *id == entry.id));
            assert!(sent_twice, "{} accepts nothing", entry.id);
        }
    }
}

#[test]
fn every_variant_of_a_request_belongs_to_an_accepted_entry() {
    let contract = contract();
    for (name, others, schema) in places(contract) {
        let accepted = |token: &str| {
            contract.ledger().iter().any(|entry| {
                schema.ledger.contains(&entry.id) && entry.accepts.iter().any(|other| other == token)
            })
        };
        for other in others {
            assert!(accepted(other), "`{other}` for `{name}` is in no entry");
        }
        for kind in schema.types.iter().skip(1) {
            assert!(accepted(kind.name()), "the type {} of `{name}` is in no entry", kind.name());
        }
        assert!(!schema.source.is_empty() || schema.assumed.is_some(), "`{name}` has no source");
    }
}

#[test]
fn every_sample_fits_its_schema() {
    for operation in contract().operations() {
        for example in operation.body.iter().flat_map(|body| &body.examples) {
            let check = check_body(operation, &example.text);
            assert_eq!(check.violations, [], "{} {}", operation.id, example.name);
        }
        for parameter in &operation.parameters {
            assert!(parameter.example.is_some(), "{} {}", operation.id, parameter.name);
        }
    }
    let document = published();
    for (operation, path, _) in operations(&document) {
        for (status, reply) in operation["responses"].as_object().expect("replies") {
            let reply = follow(&document, reply);
            for (media, content) in reply["content"].as_object().expect("content") {
                let schema = validator(&document, &content["schema"]);
                let samples = content.get("examples").and_then(Value::as_object);
                for (name, example) in samples.into_iter().flatten() {
                    // What the server adds to a created queue is no whole reply.
                    if name != "created" {
                        let example = follow(&document, example);
                        assert!(schema.is_valid(&example["value"]), "{path} {status} {media} {name}");
                    }
                }
            }
        }
    }
}

fn published() -> Value {
    serde_json::from_slice(contract().published(standin::contract::Audience::Exact)).expect("JSON")
}

/// The operations of a document, with path and method.
fn operations(document: &Value) -> Vec<(&Value, &str, &str)> {
    let paths = document["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().expect("an item").iter();
            methods.map(move |(method, operation)| (operation, path.as_str(), method.as_str()))
        })
        .collect()
}

fn follow<'a>(document: &'a Value, node: &'a Value) -> &'a Value {
    match node["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).expect("the reference leads somewhere"),
        None => node,
    }
}

/// A validator of the published schema alone. It is the crate that the check is made with; `ci/judge_openapi.py` asks
/// another one.
fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut whole = json!({"components": document["components"]});
    whole["allOf"] = json!([schema]);
    jsonschema::draft202012::new(&whole).expect("a schema")
}

#[test]
fn the_published_document_is_self_contained() {
    let document = published();
    assert_eq!(document["openapi"], contract().document()["openapi"]);
    nodes(&document, &mut |node| {
        assert!(!node.contains_key("externalValue"), "{node:?}");
        if let Some(reference) = node.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').expect("a reference into the document");
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    });
    for operation in operations_with_body() {
        let (node, ..) = operations(&document)
            .into_iter()
            .find(|(node, ..)| node["operationId"] == operation)
            .expect("the operation");
        let sample = &node["requestBody"]["content"]["application/json"]["examples"]["sample"]["value"];
        assert_eq!(*sample, fixture(&format!("{operation}/request.json")));
    }
    let scheme = &document["components"]["securitySchemes"]["auth"];
    assert_eq!(
        (&scheme["type"], &scheme["in"], &scheme["name"]),
        (&json!("apiKey"), &json!("header"), &json!("auth"))
    );
    assert_eq!(document["security"], json!([{"auth": []}]));
    assert_eq!(document["x-ledger"].as_array().map(Vec::len), Some(known_ids().len()));
}

#[test]
fn the_published_document_lists_every_reply_that_the_stub_can_give() {
    let document = published();
    let secret = standin::token::Secret::new("s");
    let mut seen: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    for errors in [Errors::Vendor, Errors::Rfc] {
        for token in [standin::TokenPolicy::WellFormed, standin::TokenPolicy::Verified(secret.clone())] {
            let stub = stub_with(Settings { errors, token, ..Settings::default() });
            for operation in ids() {
                let call = Call::sample(operation);
                let ends = [BodyEnd::Broken, BodyEnd::TimedOut, BodyEnd::TooLarge];
                let mut requests = vec![
                    call.request(),
                    call.clone().no_header("auth").request(),
                    call.clone().header("auth", "x").request(),
                    call.clone().no_header("Content-Type").request(),
                    call.clone().no_header("accountId").request(),
                    call.request_with("{"),
                    Call { method: "PATCH".into(), ..call.clone() }.request(),
                    call.request_to(format!("{}/", call.target().split('?').next().unwrap_or_default())),
                ];
                requests.extend(ends.map(|body_end| standin::Request { body_end, ..call.request() }));
                for code in (195..=510).step_by(5).chain(400..=431).chain([507]) {
                    requests.push(call.clone().header("Prefer", format!("code={code}")).request());
                }
                let (node, ..) = operations(&document)
                    .into_iter()
                    .find(|(node, ..)| node["operationId"] == operation)
                    .expect("the operation");
                let mut validators = BTreeMap::new();
                for request in requests {
                    let exchange = stub.respond(request);
                    let status = exchange.reply.status;
                    let media = stub_support::reply_headers(&exchange, "content-type")[0].to_owned();
                    let reply = follow(&document, &node["responses"][status.to_string()]);
                    assert!(reply.is_object(), "{operation} does not list {status}");
                    let content = &reply["content"][&media];
                    assert!(content.is_object(), "{operation} {status} does not list {media}");
                    let schema = validators
                        .entry((status, media))
                        .or_insert_with(|| validator(&document, &content["schema"]));
                    let body = stub_support::body(&exchange);
                    assert!(schema.is_valid(&body), "{operation} {status}: {body}");
                    seen.entry(operation.into()).or_default().insert(status);
                }
            }
        }
    }
    for (node, ..) in operations(&document) {
        let responses = node["responses"].as_object().expect("responses");
        let every: BTreeSet<_> = responses.keys().filter_map(|status| status.parse().ok()).collect();
        let operation = node["operationId"].as_str().expect("an id");
        assert_eq!(seen.get(operation), Some(&every), "{operation}");
    }
}

/// Every change of one member of a body: left out, renamed, or another value.
fn changes(value: &Value, place: &mut Vec<String>, out: &mut Vec<(Vec<String>, Option<Value>)>) {
    let others = [
        json!(null),
        json!(true),
        json!(0),
        json!(1.5),
        json!(""),
        json!("a b"),
        json!("x".repeat(51)),
        json!([]),
        json!([5]),
        json!([{}]),
        json!({}),
        json!("Queues"),
        json!("guru"),
    ];
    let children: Vec<_> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (name, child) in children {
        place.push(name);
        out.push((place.clone(), None));
        out.extend(others.iter().map(|other| (place.clone(), Some(other.clone()))));
        changes(child, place, out);
        place.pop();
    }
}

#[test]
fn the_published_schema_and_the_check_give_the_same_verdict_on_a_body() {
    let document = published();
    let (mut valid, mut invalid) = (0, 0);
    for operation in contract().operations().iter().filter(|operation| operation.body.is_some()) {
        let (node, ..) = operations(&document)
            .into_iter()
            .find(|(node, ..)| node["operationId"] == *operation.id)
            .expect("the operation");
        let schema = validator(&document, &node["requestBody"]["content"]["application/json"]["schema"]);
        let mut bodies: Vec<Value> = operation
            .body
            .iter()
            .flat_map(|body| &body.examples)
            .map(|example| example.value.clone())
            .collect();
        bodies.extend(spelt_otherwise(&operation.id));
        let mut all = Vec::new();
        for base in bodies {
            let mut list = Vec::new();
            changes(&base, &mut Vec::new(), &mut list);
            // The waiting experiences have a thousand members; every seventh change will do.
            let step = if list.len() > 3_000 { 7 } else { 1 };
            for (place, other) in list.into_iter().step_by(step) {
                let mut body = base.clone();
                apply(&mut body, &place, other);
                all.push(body);
            }
            all.push(base);
        }
        for body in all {
            let text = body.to_string();
            let ours = check_body(operation, text.as_bytes()).violations;
            assert_eq!(schema.is_valid(&body), ours.is_empty(), "{}: {ours:?} {text}", operation.id);
            if ours.is_empty() { valid += 1 } else { invalid += 1 }
        }
    }
    assert!(valid > 500 && invalid > 500, "{valid} valid and {invalid} invalid bodies");
}

/// Bodies that use the other names of members.
fn spelt_otherwise(operation: &str) -> Vec<Value> {
    let call = Call::sample(operation);
    let list = fixture("importDataV2/request.json")["data"].clone();
    let calls = match operation {
        "updateAgent" => vec![call.clone().renamed("/emailId", "emaiId"), call.with("/emaiId", "a@b")],
        "importData" => vec![
            call.clone().renamed("/Data", "data"),
            call.clone().renamed("/MetaData", "metaData"),
            call.clone().with("/Data", list.clone()).renamed("/MetaData", "metaData"),
            call.clone()
                .with("/Data", list.clone())
                .renamed("/Data", "data")
                .renamed("/MetaData", "metaData"),
            call.clone().with("/data", list.clone()).with("/metaData", call.body["MetaData"].clone()),
            call.with("/Data", list.clone()).with("/data", json!([5])),
        ],
        _ => Vec::new(),
    };
    calls.into_iter().map(|call| call.body).collect()
}

fn apply(body: &mut Value, place: &[String], other: Option<Value>) {
    let (last, parents) = place.split_last().expect("a place");
    let mut value = body;
    for name in parents {
        value = match value {
            Value::Array(items) => &mut items[name.parse::<usize>().expect("an index")],
            other => &mut other[name.as_str()],
        };
    }
    match (value, other) {
        (Value::Array(items), Some(other)) => items[last.parse::<usize>().expect("an index")] = other,
        (Value::Array(items), None) => drop(items.remove(last.parse().expect("an index"))),
        (value, Some(other)) => value[last.as_str()] = other,
        (Value::Object(members), None) => drop(members.shift_remove(last)),
        _ => unreachable!("a place has a parent"),
    }
}

#[test]
fn no_change_of_the_document_makes_the_loader_panic() {
    let mut document: Value = serde_json::from_str(include_str!("made-up.openapi.json")).expect("JSON");
    document["paths"]["/shop/items"]["get"]["responses"]["200"]["content"]["application/json"]["examples"]
        ["some"] = json!({"value": []});
    let mut list = Vec::new();
    changes(&document, &mut Vec::new(), &mut list);
    let (mut accepted, mut refused) = (0, 0);
    for (place, other) in list {
        let mut changed = document.clone();
        apply(&mut changed, &place, other);
        match Contract::from_document(changed) {
            Ok(_) => accepted += 1,
            Err(error) => {
                refused += 1;
                let text = error.to_string();
                assert!(text.starts_with('/') || text.starts_with("the document: "), "{place:?}: {text}");
                assert!(!text.contains('\n'), "{place:?}: {text}");
            }
        }
    }
    assert!(accepted > 100 && refused > 1_000, "{accepted} accepted, {refused} refused");
}
