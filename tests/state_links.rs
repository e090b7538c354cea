//! Links of the published document: from what makes a thing to what reads, changes and deletes it, and to what is in it.

mod state_support;

use serde_json::{Value, json};
use standin::{Contract, Errors, contract::Audience};
use state_support::library_document;

fn parsed(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap()
}

#[test]
fn a_document_too_deep_to_be_read_again_has_no_links() {
    let mut document = library_document();
    let operation = &mut document["paths"]["/{library}/books"]["post"];
    let examples = &mut operation["responses"]["200"]["content"]["application/json"]["examples"];
    examples["deep"] = examples["sample"].clone();
    examples["deep"]["value"]["more"] = (0..124).fold(json!([]), |inner, _| json!([inner]));
    let contract = Contract::from_document(document).unwrap();

    assert_eq!(contract.linked(Audience::Exact), contract.published(Audience::Exact));
}

#[test]
fn what_makes_a_thing_links_to_what_reads_changes_and_deletes_it() {
    let contract = Contract::from_document(library_document()).unwrap();

    let document = parsed(contract.linked(Audience::Exact));

    let links = &document["paths"]["/{library}/books"]["post"]["responses"]["200"]["links"];
    let parameters = json!({"path.library": "$request.path.library", "path.book": "$response.body#/id"});
    let link = |id: &str, purpose: &str| json!({"operationId": id, "description": purpose, "parameters": parameters});
    assert_eq!(
        *links,
        json!({
            "getBook": link("getBook", "read it"),
            "changeBook": link("changeBook", "change it"),
            "dropBook": link("dropBook", "delete it"),
            "getCard": link("getCard", "read it"),
        })
    );
    let shelves = &document["paths"]["/{library}/shelves"]["post"]["responses"]["200"]["links"];
    let names: Vec<_> = shelves.as_object().unwrap().keys().collect();
    assert_eq!(names, ["getShelf", "dropShelf", "addLabel", "listLabels"]);
    let in_it = json!({"path.library": "$request.path.library", "path.shelf": "$response.body#/id"});
    assert_eq!(shelves["addLabel"]["parameters"], in_it);
    let all = document.to_string().matches("\"links\":").count();
    assert_eq!(all, 2, "what lists, imports or makes what nothing reads has none");
}

#[test]
fn without_links_it_is_the_document_that_is_published() {
    let contract = Contract::builtin();
    for audience in [Audience::Exact, Audience::Generators(Errors::Vendor), Audience::Generators(Errors::Rfc)]
    {
        let mut document = parsed(contract.linked(audience));
        let operations = document["paths"].as_object_mut().unwrap().values_mut();
        for operation in operations.flat_map(|item| item.as_object_mut().unwrap().values_mut()) {
            for response in operation["responses"].as_object_mut().unwrap().values_mut() {
                response.as_object_mut().unwrap().remove("links");
            }
        }
        assert_eq!(document, parsed(contract.published(audience)));
    }
}
