use super::*;
use crate::token::Secret;

impl Api {
    async fn change(&self, query: &str, body: &Value) -> Reply {
        let headers = [("content-type", "application/json")];
        self.call("POST", &format!("provider-states{query}"), &headers, &body.to_string()).await
    }
}

#[tokio::test]
async fn a_state_of_the_contract_holds_and_its_parameters_come_back() {
    let api = Api::new(journal(1, 0));

    let setup = api
        .change("", &json!({"state": "an agent exists", "params": {"agentId": "a-1"}, "action": "setup"}))
        .await;
    let teardown = api.change("", &json!({"state": "an agent exists", "action": "teardown"})).await;
    let nameless = api.change("", &json!({"state": "", "params": null})).await;

    assert_eq!((setup.status, setup.json()), (200, json!({"agentId": "a-1"})));
    assert_eq!((teardown.status, teardown.json()), (200, json!({})));
    assert_eq!(nameless.status, 200);
}

#[tokio::test]
async fn an_unknown_state_is_refused_and_the_known_ones_are_named() {
    let api = Api::new(journal(1, 0));

    let reply = api.change("", &json!({"state": "it rains", "action": "setup"})).await;

    assert_eq!(reply.status, 400);
    assert_eq!(reply.error(), "state: expected one of the states of this contract, but found `it rains`");
    assert_eq!(
        reply.json()["states"],
        json!([
            "the account's token is valid",
            "no agents",
            "an agent exists",
            "no queues",
            "agents with this customId exist",
            "a queue exists",
            "no skill groups",
            "a skill group exists",
            "no skills",
            "a skill exists",
            "no agent groups",
            "an agent group exists",
        ])
    );
}

#[tokio::test]
async fn what_is_no_state_change_is_refused() {
    let api = Api::new(journal(1, 0));

    assert_eq!(api.change("", &json!({"state": "no agents", "action": "destroy"})).await.status, 400);
    assert_eq!(api.change("", &json!([])).await.status, 400);
    assert_eq!(api.change("?colour=red", &json!({"state": ""})).await.status, 400);
    assert_eq!(api.call("POST", "provider-states", &[], "{}").await.status, 415);
    let got = api.get("provider-states").await;
    assert_eq!((got.status, got.header("allow")), (405, "POST"));
}

#[tokio::test]
async fn the_control_token_may_come_in_the_query_here_and_nowhere_else() {
    let token = Some(Secret::new("s3cret"));
    let api = Api::with(journal(1, 0), ControlConfig { token, ..ControlConfig::default() });
    let state = json!({"state": "no agents"});

    assert_eq!(api.change("", &state).await.status, 401);
    assert_eq!(api.change("?token=guess", &state).await.status, 401);
    assert_eq!(api.change("?token=s3cret", &state).await.status, 200);
    assert_eq!(api.get("health?token=s3cret").await.status, 401);
}
