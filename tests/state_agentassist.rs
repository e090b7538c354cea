//! What the documented operations remember with state.

mod state_support;
mod stub_support;

use serde_json::{Value, json};
use standin::{Contract, Errors, Exchange, Settings, StateSettings, Stub};
use state_support::Client;
use stub_support::Call;

fn client(choices: &[&str]) -> Client {
    client_with(choices, Errors::Vendor)
}

fn client_with(choices: &[&str], errors: Errors) -> Client {
    let contract = Contract::builtin();
    let assume = choices.iter().map(|text| contract.assume(text).expect("a choice")).collect();
    let state = StateSettings { assume, ..StateSettings::default() };
    Client::new(Stub::new(contract, Settings { errors, state: Some(state), ..Settings::default() }))
}

fn send(client: &mut Client, call: &Call) -> Exchange {
    client.exchange(call.request())
}

fn reply(exchange: &Exchange) -> Value {
    let value = stub_support::body(exchange);
    assert_eq!(exchange.reply.status, 200, "{value}");
    value
}

/// The sample update, of this agent.
fn update(id: &str) -> Call {
    let mut call = Call::sample("updateAgent");
    *call.path.last_mut().expect("a segment") = id.into();
    call
}

#[test]
fn a_created_agent_is_what_was_sent_and_has_an_id_that_an_update_takes() {
    let mut client = client(&[]);
    let sent = Call::sample("createAgent");
    let created = reply(&send(&mut client, &sent));
    for (name, value) in sent.body.as_object().expect("an object") {
        match name.as_str() {
            // The documented reply never has it (C3).
            "customId" => assert_eq!(created.get(name), None),
            _ => assert_eq!(&created[name], value, "{name}"),
        }
    }
    let id = created["id"].as_str().expect("an id");
    let groups: Vec<_> = id.split('-').map(str::len).collect();
    assert_eq!((&id[..2], groups), ("a-", vec![1, 7, 4, 4, 4, 12]), "{id}");
    assert_eq!(created["callRegion"], "JP", "the page's, as nobody sent one");

    let updated = reply(&send(&mut client, &update(id)));
    let body = &update(id).body;
    assert_eq!((&updated["id"], &updated["userId"]), (&created["id"], &created["userId"]));
    for name in ["emailId", "firstName", "roleId", "voiceLanguageSupport"] {
        assert_eq!(updated[name], body[name], "{name}");
    }
    assert_eq!(updated["queues"][0]["id"], body["queues"][0]["id"]);
    assert_eq!(
        updated["queues"][0]["name"], "Default Queue",
        "the reply requires a name, and the page has one"
    );
    assert_eq!(updated["agentGroups"][0]["groupId"], body["agentGroupId"]);
    assert_eq!(
        (&updated["createdAt"], &updated["updatedAt"]),
        (&json!("1970-01-01T00:00:00.000Z"), &json!("1970-01-01T00:00:00.000Z"))
    );
    let stored = &client.session.snapshot()["resources"]["agent"][0];
    assert_eq!(stored["scope"], json!({"stream": sent.path[4]}));
    assert_eq!(stored["records"][0]["customId"], sent.body["customId"], "what the update left out is kept");
}

#[test]
fn a_number_that_the_reply_cannot_show_is_kept_and_the_page_s_is_shown() {
    let mut client = client(&[]);
    let created = reply(&send(&mut client, &Call::sample("createAgent")));
    let call = update(created["id"].as_str().expect("an id"));
    let updated = reply(&send(&mut client, &call));
    assert!(call.body["phoneNumber"].is_number() && updated["phoneNumber"].is_string(), "{updated}");
    let stored = &client.session.snapshot()["resources"]["agent"][0]["records"][0];
    assert_eq!(stored["phoneNumber"], call.body["phoneNumber"]);
}

#[test]
fn what_no_page_says_is_a_choice() {
    let sample = Call::sample("createAgent");
    let twice = |choices: &[&str]| {
        let mut client = client(choices);
        send(&mut client, &sample);
        send(&mut client, &sample)
    };
    let refused = twice(&[]);
    let violation = &refused.violations[0];
    assert_eq!((refused.reply.status, violation.pointer.as_str()), (409, "/body/emailId"));
    assert_eq!(
        violation.message(),
        "expected a value that no other agent has, but found `nov5uat@mailinator.com`"
    );
    assert_eq!(twice(&["C6=accept"]).reply.status, 200);

    assert_eq!(reply(&send(&mut client(&["C1=hidden"]), &sample)).get("id"), None);
    for errors in [Errors::Vendor, Errors::Rfc] {
        let unknown = send(&mut client_with(&[], errors), &Call::sample("updateAgent"));
        assert_eq!((unknown.reply.status, unknown.violations[0].pointer.as_str()), (404, "/path/agentId"));
    }
    let as_sampled = stub_support::stub().respond(Call::sample("updateAgent").request());
    assert_eq!(send(&mut client(&["T1=sample"]), &Call::sample("updateAgent")).reply, as_sampled.reply);
    let mut made = client(&["T1=create", "U14=clear"]);
    let id = Call::sample("updateAgent").path.last().cloned().expect("an id");
    assert_eq!(reply(&send(&mut made, &Call::sample("updateAgent")))["id"], id.as_str());
    let shorter = Call::sample("updateAgent").without("/nickName");
    reply(&send(&mut made, &shorter));
    let stored = &made.session.snapshot()["resources"]["agent"][0]["records"][0];
    assert_eq!((stored.get("nickName"), stored["lastName"].as_str()), (None, Some("Jones")));
}

#[test]
fn a_choice_that_there_is_not_is_answered_with_those_there_are() {
    let contract = Contract::builtin();
    let e = |text: &str| contract.assume(text).expect_err(text).to_string();
    assert_eq!(
        e("C6=acept"),
        "expected C6 to be one of refuse, accept, but found `acept` (did you mean accept?)"
    );
    assert_eq!(e("C6"), "expected NAME=CHOICE, such as C6=accept, but found `C6`");
    assert!(e("c6=accept").starts_with("expected the name of a choice, one of "), "{}", e("c6=accept"));
    assert!(e("c6=accept").ends_with(", but found `c6` (did you mean C6?)"), "{}", e("c6=accept"));
    for assumption in contract.assumptions() {
        assert!(contract.ledger().iter().any(|entry| entry.id == assumption.name), "{assumption:?}");
        assert!(
            assumption.choices.contains(&assumption.usual) && assumption.choices.len() > 1,
            "{assumption:?}"
        );
        assert!(!assumption.assumed.is_empty(), "{assumption:?}");
    }
}

#[test]
fn a_created_queue_is_always_the_queue_that_was_sent() {
    let mut client = client(&[]);
    let sent = Call::sample("createQueue");
    let exchange = send(&mut client, &sent);
    let queue = reply(&exchange);
    for (name, value) in sent.body.as_object().expect("an object") {
        assert_eq!(&queue[name], value, "{name}");
    }
    assert!(queue["id"].as_str().is_some_and(|id| id.starts_with("qu-")), "{queue}");
    assert!(queue["createdBy"].is_string(), "{queue}");
    assert_eq!(
        exchange.readings.iter().filter(|reading| ["I2", "I5"].contains(&&*reading.ledger)).count(),
        0
    );
}

#[test]
fn both_imports_store_their_items_with_ids() {
    let mut client = client(&[]);
    let v1 = reply(&send(&mut client, &Call::sample("importData")));
    assert!(v1.is_array(), "the page's reply, whatever was imported");
    assert_eq!(
        reply(&send(&mut client, &Call::sample("importDataV2"))),
        stub_support::body(&Call::sample("importDataV2").send())
    );
    let resources = &client.session.snapshot()["resources"];
    let groups = resources["skillGroup"].as_array().expect("places");
    assert_eq!(groups.len(), 2, "two streams");
    let group = &groups[1]["records"][0];
    let sent = &Call::sample("importDataV2").body["data"][0];
    assert_eq!(
        (&group["id"], &group["name"], group.get("skills"), group.get("_id")),
        (&sent["_id"], &sent["name"], None, None)
    );
    let skill = &resources["skill"][1];
    assert_eq!(
        skill["scope"],
        json!({"stream": Call::sample("importDataV2").path[5], "skillGroup": sent["_id"]})
    );
    assert_eq!(
        (&skill["records"][0]["id"], &skill["records"][0]["skillGroupId"]),
        (&sent["skills"][0]["_id"], &sent["_id"])
    );
    for kind in ["queues", "standardResponses", "waitingExperience"] {
        let examples = &Contract::builtin();
        let operation = examples.operation("importDataV2").expect("the operation");
        let body = operation.body.as_ref().expect("a body");
        let example = body.examples.iter().find(|example| example.name == kind).expect("an example");
        let before = client.session.resources();
        let exchange = client.exchange(Call::sample("importDataV2").request_with(example.value.to_string()));
        assert_eq!(exchange.reply.status, 200);
        let count = example.value["data"].as_array().map_or(0, Vec::len);
        assert_eq!(client.session.resources(), before + count, "{kind}");
    }
}

#[test]
fn of_a_text_that_is_imported_only_objects_are_items() {
    let mut client = client(&[]);
    let text = r#"[1, "two", null, [], {"name": "a group", "skills": [3, {"name": "a skill"}]}]"#;

    let exchange = client.exchange(Call::sample("importData").with("/Data", json!(text)).request());

    assert_eq!(exchange.reply.status, 200);
    let notes = |exchange: &standin::Exchange| {
        let notes = exchange.readings.iter().map(|reading| format!("{}: {}", reading.pointer, reading.note));
        notes.filter(|note| note.contains("import")).collect::<Vec<_>>()
    };
    assert_eq!(notes(&exchange), ["/body/Data: 5 items left out, as only objects are imported"]);
    let resources = &client.session.snapshot()["resources"];
    let records = |name: &str| resources[name][0]["records"].as_array().map(Vec::len);
    assert_eq!((records("skillGroup"), records("skill")), (Some(1), Some(1)), "{resources}");

    for text in ["{}", "no JSON"] {
        let exchange = client.exchange(Call::sample("importData").with("/Data", json!(text)).request());
        assert_eq!(notes(&exchange), ["/body/Data: no list, so nothing is imported"]);
    }
}

#[test]
fn ids_that_name_nothing_are_readings_until_what_they_name_is_there() {
    let mut client = client(&[]);
    let queue = reply(&send(&mut client, &Call::sample("createQueue")));
    let readings = |exchange: &Exchange| {
        exchange
            .readings
            .iter()
            .filter(|reading| reading.note.contains("not there"))
            .map(|reading| reading.pointer.clone())
            .collect::<Vec<_>>()
    };
    let exchange = send(&mut client, &Call::sample("createAgent"));
    assert!(readings(&exchange).contains(&"/body/queues/0/id".to_owned()));
    let known = Call::sample("createAgent")
        .with("/emailId", json!("b@example.com"))
        .with("/queues/0/id", queue["id"].clone());
    assert!(!readings(&send(&mut client, &known)).contains(&"/body/queues/0/id".to_owned()));
}

#[test]
fn roles_are_listed_by_their_kind_and_as_many_as_are_asked_for() {
    let mut client = client(&[]);
    let mut list = |kind: &str, limit: Option<&str>| {
        let mut call = Call::sample("listRoles");
        call.query = vec![("roleType".into(), kind.into())];
        call.query.extend(limit.map(|limit| ("limit".into(), limit.into())));
        let shown = reply(&send(&mut client, &call));
        let roles = shown["roles"].as_array().expect("an array").clone();
        assert!(roles.iter().all(|role| role["roleType"] == kind && role["_id"].is_string()), "{shown}");
        (roles.len(), shown["total"].clone(), shown["availableMore"].clone())
    };
    assert_eq!(list("bot", None), (5, json!(5), json!(false)));
    assert_eq!(list("bot", Some("2")), (2, json!(5), json!(true)));
    assert_eq!(list("bot", Some("50")), (5, json!(5), json!(false)));
    assert_eq!(list("admin", Some("1")), (1, json!(1), json!(false)));
}

#[test]
fn whoever_changes_an_agent_group_is_told_its_id_unless_it_is_hidden() {
    for (choices, is_shown) in [(&[] as &[&str], true), (&["S61=hidden"], false)] {
        let mut client = client(choices);
        reply(&send(&mut client, &Call::sample("createAgentGroup")));
        let stored = client.session.snapshot()["resources"]["agentGroup"][0]["records"][0]["id"].clone();
        let id = stored.as_str().expect("an id");
        let mut call = Call::sample("updateAgentGroup");
        *call.path.last_mut().expect("a segment") = id.into();
        call.path[4] = Call::sample("createAgentGroup").path[4].clone();
        let updated = reply(&send(&mut client, &call));
        assert_eq!(updated.get("id").and_then(Value::as_str), is_shown.then_some(id));
    }
}
