//! Which exchanges are asked for: the same conditions everywhere.

use serde_json::json;

use super::Api;
use crate::{
    Contract, Exchange, Journal, JournalLimits, Request, Secrets, Settings, Stub, journal::tests::journal,
    render::ndjson, token,
};

const AGENTS: &str = "/agentassist/api/v1/public/st-1/agents";

/// The token of a client.
fn token_of(client: &str) -> String {
    token::mint(Some("appId"), client, &token::Secret::new("secret"), 0, None)
}

fn create(stub: &Stub, client: &str, body: &str) -> Exchange {
    let request = Request::new("POST", format!("{AGENTS}?page=2"))
        .header("Auth", token_of(client))
        .header("accountId", "acc-1")
        .header("Content-Type", "application/json")
        .header("Cookie", "session=1");
    stub.respond(request.body(body.to_owned()))
}

/// An API that has received an agent, a refused one of another client, and what is no operation.
fn api() -> Api {
    let stub = Stub::new(Contract::builtin(), Settings::default());
    let journal = Journal::new(JournalLimits::default()).hiding(Secrets::of(&Contract::builtin()));
    let agent = r#"{"emailId": "a@b.test", "firstName": "Ada", "lastName": "L", "roleId": "r"}"#;
    journal.record(create(&stub, "cs-one", agent));
    journal.record(create(&stub, "cs-two", "{}"));
    journal.record(stub.respond(Request::new("GET", "/nowhere")));
    Api::new(journal)
}

/// Conditions as a query, and what they are as JSON, with the numbers of those that match.
const CASES: [(&str, &str, &[u64]); 14] = [
    ("operation=createAgent", r#"{"operation":"createAgent"}"#, &[1, 2]),
    ("outcome=answered", r#"{"outcome":"answered"}"#, &[1]),
    ("outcome=refused&outcome=unmatched", r#"{"outcome":["refused","unmatched"]}"#, &[2, 3]),
    ("status=412", r#"{"status":412}"#, &[2]),
    ("path=/nowhere", r#"{"path":"/nowhere"}"#, &[3]),
    ("path=/now", r#"{"path":"/now"}"#, &[]),
    ("query=page%3D2", r#"{"query":"page=2"}"#, &[1, 2]),
    ("query=page&query=x", r#"{"query":["page","x"]}"#, &[]),
    ("header=accountid%3Dacc-1", r#"{"header":"accountid=acc-1"}"#, &[1, 2]),
    ("header=auth&header=Cookie", r#"{"header":["auth","Cookie"]}"#, &[1, 2]),
    ("header=auth%3Dcs-two", r#"{"header":"auth=cs-two"}"#, &[2]),
    ("header=auth=cs-three", r#"{"header":"auth=cs-three"}"#, &[]),
    ("contains=nowhere&after=1", r#"{"contains":"nowhere","after":1}"#, &[3]),
    (
        "operation=createAgent&outcome=answered&status=200",
        r#"{"operation":"createAgent","outcome":"answered","status":200}"#,
        &[1],
    ),
];

#[tokio::test]
async fn the_same_conditions_hold_in_lists_waits_exports_and_verifications() {
    let api = api();
    for (query, json, ids) in CASES {
        assert_eq!(api.get(&format!("requests?{query}")).await.ids(), ids, "{query}");
        let wait = api.get(&format!("requests?{query}&wait={}", ids.len())).await;
        assert_eq!((wait.status, wait.ids()), (200, ids.to_vec()), "{query}");
        let export = api.get(&format!("export?format=ndjson&{query}")).await;
        let exported = ndjson::read(export.text.as_bytes()).unwrap();
        assert_eq!(
            exported.iter().flat_map(|run| &run.exchanges).map(|recorded| recorded.id).collect::<Vec<_>>(),
            ids,
            "{query}"
        );
        let mut expectation: serde_json::Value = serde_json::from_str(json).unwrap();
        expectation["count"] = ids.len().into();
        assert_eq!(api.verify(&expectation).await.json()["ids"], json!(ids), "{json}");
    }
    for format in ["har", "curl", "pact"] {
        let all = api.get(&format!("export?format={format}")).await.text;
        let none = api.get(&format!("export?format={format}&path=/nothing")).await.text;
        assert!(all.contains("createAgent") || all.contains("/agents"), "{format}: {all}");
        assert!(!none.contains("/agents"), "{format}: {none}");
    }
}

#[tokio::test]
async fn a_pact_of_too_many_shapes_is_refused() {
    let stub = Stub::new(Contract::builtin(), Settings::default());
    let journal = Journal::new(JournalLimits::default());
    for shape in 0..9 {
        let more = format!(r#""{shape}{}":1"#, "m".repeat(1000 * 1024));
        let agent = format!(
            r#"{{"emailId": "a@b.test", "firstName": "Ada", "lastName": "L", "roleId": "r", {more}}}"#
        );
        journal.record(create(&stub, "cs-one", &agent));
    }
    let api = Api::new(journal);

    let refused = api.get("export?format=pact").await;
    let some = api.get("export?format=pact&after=7").await;

    assert_eq!((refused.status, some.status), (400, 200));
    assert!(
        refused.text.contains("expected shapes that fit into a pact of 8 MiB, but found more"),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn an_assertion_about_answers_fails_when_every_call_was_refused() {
    let stub = Stub::new(Contract::builtin(), Settings::default());
    let api = Api::new(journal(10, 0));
    for _ in 0..3 {
        api.journal.record(create(&stub, "cs-one", "{}"));
    }

    let answered = api.verify(&json!({"outcome": "answered", "atLeast": 1})).await;
    let wrong = api.verify(&json!({"outcome": ["refused", "unmatched"], "count": 0})).await;

    assert_eq!((answered.status, wrong.status), (417, 417));
    assert_eq!(answered.json()["nearest"][0]["differences"][0]["found"], "refused");
    assert_eq!(wrong.json()["count"], 3);
}

#[tokio::test]
async fn what_the_journal_does_not_hold_cannot_be_asked_for() {
    let api = api();
    let token = token_of("cs-one");
    let no_token = "expected NAME=ID with the id of the token's client, as the journal does not hold tokens, but found a \
                    token for `auth`";
    let no_value = "expected a name alone, as the journal does not hold the value of this header, but found a value for \
                    `Cookie`";
    for (condition, error) in
        [(format!("auth={token}"), no_token), ("Cookie=session%3D1".to_owned(), no_value)]
    {
        let reply = api.get(&format!("requests?header={condition}")).await;
        assert_eq!((reply.status, reply.error()), (400, format!("header: {error}")));
        let reply = api.verify(&json!({"header": condition, "count": 0})).await;
        assert_eq!((reply.status, reply.error()), (400, format!("/header: {error}")));
        assert!(!reply.text.contains("eyJ"));
    }
}
