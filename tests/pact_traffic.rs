//! Contracts from recorded traffic: what is in them, that Pact's own library reads them, and that no token is.

mod support;

use std::{collections::HashMap, sync::Arc};

use pact_models::pact::load_pact_from_json;
use serde_json::{Value, json};
use standin::{Contract, Exchange, Request, Server, Settings, Stub, pact};
use support::{
    Client,
    agentassist::Agentassist,
    get,
    interactions::{INTERACTIONS, fixture, sample},
    server,
};

/// A token that is good and not the documentation's.
fn token() -> String {
    standin::token::mint(
        Some("appId"),
        "cs-secret-client",
        &standin::token::Secret::new("s3cret"),
        1_700_000_000,
        None,
    )
}

/// Has the client do all that it can, with that token.
fn traffic(server: &Server) {
    for interaction in INTERACTIONS.iter() {
        (interaction.call)(&Agentassist {
            address: server.addr().to_string(),
            token: Some(token()),
            account: Some("649bdcaf5037ed113942xxxx".into()),
        });
    }
}

fn export(server: &Server, query: &str) -> String {
    let reply = Client::connect(server.addr()).call(get(&format!("/__standin/export?format=pact{query}")));
    assert_eq!(reply.status, 200);
    reply.text()
}

fn descriptions(pact: &Value) -> Vec<&str> {
    pact["interactions"].as_array().unwrap().iter().map(|i| i["description"].as_str().unwrap()).collect()
}

#[test]
fn an_export_has_one_interaction_for_each_operation_and_shape_that_was_valid() {
    let server = server(|_| {});
    traffic(&server);
    traffic(&server);

    let pact: Value = serde_json::from_str(&export(&server, "&consumer=my-client")).unwrap();

    assert_eq!(pact["consumer"]["name"], "my-client");
    assert_eq!(pact["metadata"]["pactSpecification"]["version"], "4.0");
    let descriptions = descriptions(&pact);
    assert_eq!(
        descriptions[..9],
        [
            "create an agent",
            "update an agent",
            "import data (v1)",
            "import data (v2)",
            "import data (v2), another shape (2)",
            "import data (v2), another shape (3)",
            "import data (v2), another shape (4)",
            "create a queue",
            "create a queue, another shape (2)",
        ]
    );
    // Each of the others is called in one way.
    let others: Vec<_> = INTERACTIONS[INTERACTIONS.len() + 9 - descriptions.len()..]
        .iter()
        .map(|interaction| interaction.description.as_str())
        .collect();
    assert_eq!(descriptions[9..], others);
}

#[test]
fn an_export_is_read_by_pacts_own_library_and_has_no_token() {
    let server = server(|_| {});
    traffic(&server);

    let text = export(&server, "");

    let signature = token().rsplit_once('.').unwrap().1.to_owned();
    assert!(!text.contains(&token()) && !text.contains(&signature) && !text.contains("cs-secret-client"));
    let pact = load_pact_from_json("export", &serde_json::from_str(&text).unwrap()).unwrap();
    assert_eq!(pact.interactions().len(), 9 + Contract::builtin().operations().len() - 5);
    let sample = Contract::builtin().sample_token().unwrap().to_owned();
    for interaction in pact.interactions() {
        let http = interaction.as_v4_http().unwrap();
        let headers: HashMap<_, _> = http.request.headers.unwrap();
        assert_eq!(headers["auth"], [sample.as_str()]);
        assert!(!interaction.provider_states().is_empty());
        assert!(http.response.matching_rules.is_not_empty());
    }
}

/// The interactions of what a stand-in with these settings answers.
fn recorded(settings: Settings, requests: Vec<Request>) -> Value {
    let contract = Contract::builtin();
    let stub = Stub::new(Arc::clone(&contract), settings);
    let exchanges: Vec<Exchange> = requests.into_iter().map(|request| stub.respond(request)).collect();
    pact::from_exchanges(&contract, "client", &exchanges)
}

#[test]
fn what_breaks_the_contract_is_left_out_whatever_was_checked_at_the_time() {
    let contract = Contract::builtin();
    let good = sample(&contract, "createAgent", "sample");
    let bad = good.clone().body(r#"{"firstName": 5}"#);
    let lax = Settings { checks: standin::Checks::Off, ..Settings::default() };

    let pact = recorded(lax, vec![bad, good]);

    assert_eq!(descriptions(&pact), ["create an agent"]);
    assert_eq!(pact["interactions"][0]["request"]["body"]["content"], fixture("createAgent/request"));
}

#[test]
fn requests_that_differ_in_their_percent_encoding_alone_have_one_shape() {
    let contract = Contract::builtin();
    let usual = sample(&contract, "updateAgent", "sample");
    let mut name = usual.clone();
    name.target = usual.target.replace("groupId=", "%67roup%49d=");
    let import = sample(&contract, "importDataV2", "sample");
    let mut value = import.clone();
    let (start, kind) = import.target.rsplit_once("type=").unwrap();
    let (first, rest) = kind.split_at(1);
    value.target = format!("{start}type=%{:02X}{rest}", first.as_bytes()[0]);

    let pact = recorded(Settings::default(), vec![usual, name, import, value]);

    assert_eq!(descriptions(&pact), ["update an agent", "import data (v2)"]);
}

#[test]
fn a_reply_chosen_by_the_client_and_a_body_cut_short_are_left_out() {
    let contract = Contract::builtin();
    let good = sample(&contract, "createAgent", "sample");
    let mut cut = good.clone();
    cut.body_end = standin::BodyEnd::Broken;

    let pact = recorded(Settings::default(), vec![good.clone().header("prefer", "example=sample"), cut]);

    assert_eq!(descriptions(&pact), [""; 0]);
}

#[test]
fn other_credentials_and_headers_are_not_kept() {
    let contract = Contract::builtin();
    let request = sample(&contract, "createAgent", "sample")
        .header("cookie", "session=1")
        .header("authorization", "Bearer 1")
        .header("user-agent", "me");

    let pact = recorded(Settings::default(), vec![request]);

    let headers = pact["interactions"][0]["request"]["headers"].as_object().unwrap();
    assert_eq!(headers.keys().collect::<Vec<_>>(), ["auth", "accountId", "Content-Type"]);
}

#[test]
fn other_spellings_and_types_are_shapes_of_their_own_with_the_rules_of_the_usual_ones() {
    let contract = Contract::builtin();
    let usual = sample(&contract, "updateAgent", "sample");
    let mut body = fixture("updateAgent/request");
    let members = body.as_object_mut().unwrap();
    let email = members.shift_remove("emailId").unwrap();
    members.insert("emaiId".into(), email);
    members.insert("phoneNumber".into(), json!("13456782000"));
    let mut other = usual.clone().body(body.to_string());
    other.target = other.target.replace("groupId=", "agentgroupId=");

    let pact = recorded(Settings::default(), vec![usual, other]);

    let request = &pact["interactions"][1]["request"];
    assert_eq!(
        request["matchingRules"]["body"]["$.emaiId"]["matchers"][0],
        json!({"match": "regex", "regex": "^[^@ ]+@[^@ ]+$"})
    );
    assert_eq!(request["query"], json!({"agentgroupId": ["ag-3234fsdf21312412123"]}));
    assert_eq!(request["generators"]["query"]["agentgroupId"]["expression"], "${groupId}");
}

#[test]
fn an_array_that_is_empty_in_a_sample_may_be_empty_and_any_other_may_not() {
    let contract = Contract::builtin();

    let pact = recorded(Settings::default(), vec![sample(&contract, "importData", "sample")]);

    let response = &pact["interactions"][0]["response"];
    let rules = &response["matchingRules"]["body"];
    assert_eq!(rules["$"]["matchers"][0], json!({"match": "type", "min": 1}));
    assert_eq!(rules["$[*].callExperience.initialMessageSettings.locale"]["matchers"][0]["min"], 1);
    assert_eq!(rules.get("$[*].agents"), None);
    assert_eq!(rules.get("$[*].configuration.routingRules"), None);
    // One item, with what both experiences have: only the first was updated by somebody.
    let items = response["body"]["content"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    assert!(items[0].get("createdByAId").is_some() && items[0].get("updatedBy").is_none());
}

#[test]
fn a_phone_number_may_come_back_as_a_number_or_a_string() {
    let contract = Contract::builtin();

    let pact = recorded(Settings::default(), vec![sample(&contract, "createAgent", "sample")]);

    let rule = &pact["interactions"][0]["response"]["matchingRules"]["body"]["$.phoneNumber"];
    assert_eq!(rule["combine"], "OR");
    assert_eq!(rule["matchers"][0]["match"], "number");
    assert_eq!(rule["matchers"][1]["match"], "regex");
}

#[test]
fn an_integer_is_written_as_all_clients_write_it() {
    let contract = Contract::builtin();
    for (sent, kept) in [("100.0", json!(100)), ("-0.0", json!(0)), ("1e2", json!(100)), ("7", json!(7))] {
        let body = fixture("createAgent/request").to_string();
        let request = sample(&contract, "createAgent", "sample");
        let request =
            request.body(body.replace(r#""maxChatSupport":5"#, &format!(r#""maxChatSupport":{sent}"#)));

        let pact = recorded(Settings { checks: standin::Checks::Off, ..Settings::default() }, vec![request]);

        let content = pact.pointer("/interactions/0/request/body/content/maxChatSupport");
        assert_eq!(content, Some(&kept), "{sent}");
    }
}

#[test]
fn a_path_that_clients_would_change_is_left_out() {
    let contract = Contract::builtin();
    let mut request = sample(&contract, "createAgent", "sample");
    request.target = "/agentassist/api/v1/public/%2e%2e/agents".into();

    let pact = recorded(Settings::default(), vec![request]);

    assert_eq!(descriptions(&pact), [""; 0]);
}
