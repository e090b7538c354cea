//! The document for client generators.

use serde_json::{Value, json};
use standin::{Contract, Errors, contract::Audience};

/// The document for client generators, with refusals in the vendor's words.
fn for_generators() -> Value {
    let audience = Audience::Generators(Errors::Vendor);
    serde_json::from_slice(Contract::builtin().published(audience)).expect("JSON")
}

/// Every schema within `schema`, itself included.
fn schemas<'a>(schema: &'a Value, look: &mut dyn FnMut(&'a Value)) {
    look(schema);
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(key) {
            schemas(inner, look);
        }
    }
    for inner in schema["properties"].as_object().into_iter().flat_map(|members| members.values()) {
        schemas(inner, look);
    }
    for inner in schema["anyOf"].as_array().into_iter().flatten() {
        schemas(inner, look);
    }
}

#[test]
fn the_document_for_generators_has_usual_spellings_only() {
    let document = for_generators();
    let agent = &document["components"]["schemas"]["UpdateAgentRequest"];
    assert!(agent["required"].as_array().unwrap().contains(&"firstName".into()));
    assert!(agent["properties"]["emailId"].is_object() && agent["properties"]["emaiId"].is_null());
    let import = &document["components"]["schemas"]["ImportDataRequest"];
    assert_eq!(import["required"], json!(["Data", "MetaData"]));
    let members: Vec<_> = import["properties"].as_object().unwrap().keys().collect();
    assert_eq!(members, ["Data", "MetaData"]);
    // A list, too, is accepted; a text is what the page shows.
    assert_eq!(import["properties"]["Data"]["type"], "string");
    let parameters = document
        .pointer("/paths/~1agentassist~1api~1v1~1public~1{streamId}~1agents~1{agentId}/put/parameters")
        .unwrap();
    let names: Vec<_> = parameters.as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"groupId") && !names.contains(&"agentgroupId"), "{names:?}");
    let kinds =
        &document["components"]["schemas"]["ImportDataV2RequestMetaData"]["properties"]["type"]["enum"];
    assert_eq!(*kinds, json!(["skillGroups", "queues", "standardResponses", "waitingExperience"]));
}

#[test]
fn each_schema_for_generators_is_one_that_they_can_name() {
    let document = for_generators();
    let named = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in named {
        schemas(schema, &mut |schema| {
            assert!(schema.is_object(), "{name} has a schema that is no object: {schema}");
            if schema["type"] == "array" {
                assert!(schema["items"].is_object(), "{name} has a list of anything: {schema}");
            }
            assert!(!schema["type"].is_array(), "{name} has several types at once: {schema}");
        });
        for inner in schema["properties"].as_object().into_iter().flat_map(|members| members.values()) {
            schemas(inner, &mut |schema| {
                assert!(schema["properties"].is_null(), "{name} has an object without a name: {schema}");
            });
        }
    }
    assert!(!document.to_string().contains("\"x-"), "our own keywords are not for generators");
    assert!(!document.to_string().contains("x-source"), "and nothing speaks of them");
}

#[test]
fn a_generated_client_reads_refusals_of_one_type() {
    for (errors, type_of_refusal, media) in [
        (Errors::Vendor, "VendorErrors", "application/json"),
        (Errors::Rfc, "Problem", "application/problem+json"),
    ] {
        let audience = Audience::Generators(errors);
        let document: Value = serde_json::from_slice(Contract::builtin().published(audience)).unwrap();
        let mut refusals = 0;
        for operation in document["paths"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|item| item.as_object().unwrap().values())
        {
            for (status, reply) in operation["responses"].as_object().unwrap() {
                if status.as_str() >= "400" {
                    let content = reply["content"].as_object().unwrap();
                    assert_eq!(content.keys().collect::<Vec<_>>(), [media]);
                    let schema = format!("#/components/schemas/{type_of_refusal}");
                    assert_eq!(content[media]["schema"]["$ref"], schema.as_str());
                    refusals += 1;
                }
            }
        }
        assert!(refusals > 20);
    }
}

#[test]
fn the_first_server_of_a_published_document_is_its_own() {
    let contract = Contract::builtin();
    for audience in [Audience::Exact, Audience::Generators(Errors::Vendor)] {
        let file: Value = serde_json::from_slice(contract.published(audience)).unwrap();
        let served = contract.published_at(audience, "http://127.0.0.1:8484");
        let served: Value = serde_json::from_slice(&served).unwrap();
        assert_eq!(file["servers"][0]["url"], "/");
        assert_eq!(served["servers"][0]["url"], "http://127.0.0.1:8484");
        assert_eq!(served["servers"][1], file["servers"][1]);
    }
}
