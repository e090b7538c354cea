//! Every documented reading is accepted, and listed under its id of the ledger.

mod stub_support;

use serde_json::{Value, json};
use standin::{Checks, Settings};
use stub_support::{Call, fixture, readings, stub, stub_with, violations};

/// Ledger ids or rules with their pointers.
type Pairs<'a> = &'a [(&'static str, &'static str)];

/// An update without any variant: the page's sample has a number as `phoneNumber` (U2).
fn update() -> Call {
    Call::sample("updateAgent").with("/phoneNumber", "13456782000")
}

/// An import (v2) of one type, in the spelling given.
fn import(kind: &str, sample: &str) -> Call {
    let mut call = Call::sample("importDataV2");
    call.body = fixture(&format!("importDataV2/{sample}.json"));
    call.query[2].1 = kind.into();
    call.with("/metaData/type", kind)
}

fn assert_reads(what: &str, call: &Call, expected: &[(&str, &str)]) {
    let exchange = call.send();
    assert_eq!(violations(&exchange), [], "{what}");
    assert_eq!(exchange.reply.status, 200, "{what}");
    assert_eq!(readings(&exchange), expected, "{what}: {:?}", exchange.readings);
    for reading in &exchange.readings {
        assert!(!reading.note.is_empty(), "{what}");
    }
}

#[test]
fn a_request_without_variants_has_no_readings() {
    assert_reads("createAgent", &Call::sample("createAgent"), &[]);
    assert_reads("updateAgent", &update(), &[]);
    assert_reads("importDataV2", &Call::sample("importDataV2"), &[]);
    assert_reads("createQueue", &Call::sample("createQueue").with("/name", "other"), &[]);
}

#[test]
fn a_variant_of_an_update_is_accepted_and_listed() {
    let layout = json!([{"id": "ly-1", "isPreferredAgent": true}]);
    let groups = [("groupId", "ag-3234fsdf21312412123"), ("agentgroupId", "ag-2")];
    let group = "/query/groupId";
    let cases: [(&str, Call, Pairs); 10] = [
        ("U2: an integer", Call::sample("updateAgent"), &[("U2", "/body/phoneNumber")]),
        ("U2: a fraction", update().with("/phoneNumber", 1.5), &[("U2", "/body/phoneNumber")]),
        ("U3", update().query(&[("agentgroupId", groups[0].1)]), &[("U3", group)]),
        ("U3, both", update().query(&groups), &[("U3", group)]),
        ("U3, both, the other way round", update().query(&[groups[1], groups[0]]), &[("U3", group)]),
        ("U4", update().renamed("/emailId", "emaiId"), &[("U4", "/body/emailId")]),
        ("U4, both", update().with("/emaiId", "not looked at"), &[("U4", "/body/emailId")]),
        (
            "U8",
            update().with("/desktopLayouts", layout),
            &[("U8", "/body/desktopLayouts/0/isPreferredAgent")],
        ),
        ("U13", update().query(&[("groupId", "ag-other")]), &[("U13", "/body/agentGroupId")]),
        (
            "U3 and U13",
            update().query(&[("agentgroupId", "ag-other")]),
            &[("U3", group), ("U13", "/body/agentGroupId")],
        ),
    ];
    for (what, call, expected) in cases {
        assert_reads(what, &call, expected);
    }
}

#[test]
fn a_variant_of_the_v1_import_is_accepted_and_listed() {
    let call = || Call::sample("importData");
    let list = fixture("importDataV2/request.json")["data"].clone();
    let json = ("I4", "/body/Data");
    let capital = [("I3", "/body/Data"), ("I3", "/body/MetaData")];
    let cases: [(&str, Call, Pairs); 8] = [
        ("I4: a string of JSON", call(), &[json]),
        ("I4: any other string", call().with("/Data", "some text"), &[]),
        ("I4: a list", call().with("/Data", list.clone()), &[json]),
        ("I3: data", call().renamed("/Data", "data"), &[capital[0], json]),
        ("I3: metaData", call().renamed("/MetaData", "metaData"), &[capital[1], json]),
        (
            "I3: both small",
            call().renamed("/Data", "data").renamed("/MetaData", "metaData"),
            &[capital[0], capital[1], json],
        ),
        (
            "I3: small and capital",
            call().with("/data", 5).with("/metaData", json!(null)),
            &[capital[0], capital[1], json],
        ),
        ("V3", call().with("/MetaData/accountId", "other"), &[json, ("V3", "/body/MetaData/accountId")]),
    ];
    for (what, call, expected) in cases {
        assert_reads(what, &call, expected);
    }
}

#[test]
fn every_spelling_of_a_type_is_accepted_and_listed() {
    let (query, body, reply) = (("V1", "/query/type"), ("V1", "/body/metaData/type"), ("V1", "/body"));
    let cases: [(&str, &str, Pairs); 8] = [
        ("skillGroups", "request", &[]),
        ("skillsGroups", "request", &[query, body]),
        ("queues", "request.queues", &[reply]),
        ("Queues", "request.queues", &[query, body, reply]),
        ("standardResponses", "request.standardResponses", &[reply]),
        ("StandardResponses", "request.standardResponses", &[query, body, reply]),
        ("waitingExperience", "request.waitingExperience", &[reply]),
        ("Waiting Experience", "request.waitingExperience", &[query, body, reply]),
    ];
    for (kind, sample, expected) in cases {
        assert_reads(kind, &import(kind, sample), expected);
        let capital = Call::sample("importData").with("/MetaData/type", kind);
        let canonical = ["skillGroups", "queues", "standardResponses", "waitingExperience"].contains(&kind);
        let mut in_v1 = vec![("I4", "/body/Data")];
        in_v1.extend((!canonical).then_some(("V1", "/body/MetaData/type")));
        assert_reads(kind, &capital, &in_v1);
    }
}

#[test]
fn a_space_in_a_query_may_be_a_plus() {
    let call = import("Waiting Experience", "request.waitingExperience");
    let target = call.target().replace("%20", "+");
    assert!(target.ends_with("Waiting+Experience"), "{target}");
    assert_eq!(violations(&stub().respond(call.request_to(target))), []);
}

#[test]
fn what_is_sent_twice_and_differs_is_accepted_and_listed() {
    let call = || Call::sample("importDataV2");
    let query = |position: usize, value: &str| {
        let mut call = call();
        call.query[position].1 = value.into();
        call
    };
    let account = [("V3", "/query/accountId"), ("V3", "/body/metaData/accountId")];
    let cases: [(&str, Call, Pairs); 6] = [
        ("header", call().header("accountId", "other"), &account),
        ("query", query(0, "other"), &account),
        ("body", call().with("/metaData/accountId", "other"), &[account[1], account[1]]),
        ("orgId, query", query(1, "other"), &[("V3", "/body/metaData/orgId")]),
        ("orgId, body", call().with("/metaData/orgId", "other"), &[("V3", "/body/metaData/orgId")]),
        ("type, query", query(2, "queues"), &[("V3", "/body/metaData/type")]),
    ];
    for (what, call, expected) in cases {
        let exchange = call.send();
        assert_eq!(violations(&exchange), [], "{what}");
        assert_eq!(readings(&exchange), expected, "{what}");
    }
    // The note says which two places differ.
    let notes = call().header("accountId", "other").send().readings;
    assert_eq!(notes[0].note, "`67ee382b8226ebf4d953xxxx` differs from `other` at /header/accountId");
}

#[test]
fn times_of_a_queue_may_be_strings_or_numbers() {
    let call = || Call::sample("createQueue").with("/name", "other");
    let cases = [
        ("/skills/0/expireTime/min", json!(1)),
        ("/skills/0/expireTime/sec", json!(0.5)),
        ("/maxTimeout/min", json!("10")),
        ("/maxTimeout/sec", json!("")),
        ("/advancedSettings/preferredAgentTimeout/min", json!("5")),
    ];
    for (place, value) in cases {
        assert_reads(place, &call().with(place, value), &[("I6", &format!("/body{place}"))]);
    }
    assert_reads("empty members", &call().with("/agents/0/id", ""), &[]);
}

#[test]
fn the_sample_queue_gets_the_reply_of_its_page() {
    let call = Call::sample("createQueue");
    assert_reads("the sample", &call, &[("I2", "/body"), ("I5", "/body")]);
    assert_eq!(stub_support::body(&call.send()), fixture("createQueue/response.json"));
}

#[test]
fn the_canonical_name_counts_when_both_are_sent() {
    let both = [("groupId", ""), ("agentgroupId", "ag-2")];
    let cases = [
        ("groupId", update().query(&both), ("/query/groupId", "minLength")),
        ("emailId", update().with("/emailId", "foo").with("/emaiId", "a@b"), ("/body/emailId", "format")),
        ("Data", Call::sample("importData").with("/data", "text").with("/Data", 5), ("/body/Data", "type")),
        (
            "MetaData",
            Call::sample("importData")
                .with("/metaData", fixture("importData/request.json")["MetaData"].clone())
                .with("/MetaData", "x"),
            ("/body/MetaData", "type"),
        ),
    ];
    for (what, call, expected) in cases {
        assert_eq!(violations(&call.send()), [expected], "{what}");
    }
}

#[test]
fn having_neither_spelling_is_one_violation_at_the_canonical_name() {
    let cases = [
        (update().query(&[]), "/query/groupId"),
        (update().without("/emailId"), "/body/emailId"),
        (Call::sample("importData").without("/Data"), "/body/Data"),
        (Call::sample("importData").without("/MetaData"), "/body/MetaData"),
        // The v2 import takes the small names only, and header names have no case but names of members have.
        (Call::sample("importDataV2").renamed("/data", "Data"), "/body/data"),
        (Call::sample("importDataV2").renamed("/metaData", "MetaData"), "/body/metaData"),
        (update().renamed("/emailId", "EmailId"), "/body/emailId"),
        (update().query(&[("GroupId", "x")]), "/query/groupId"),
    ];
    for (call, pointer) in cases {
        assert_eq!(violations(&call.send()), [(pointer, "required")]);
    }
}

#[test]
fn a_variant_is_checked_like_the_canonical_name_and_reported_under_it() {
    let cases = [
        (update().renamed("/emailId", "emaiId").with("/emaiId", "foo"), "/body/emailId", "format"),
        (update().query(&[("agentgroupId", "")]), "/query/groupId", "minLength"),
        (update().query(&[("agentgroupId", "a"), ("agentgroupId", "b")]), "/query/groupId", "repeated"),
        (
            Call::sample("importData").renamed("/MetaData", "metaData").without("/metaData/userId"),
            "/body/MetaData/userId",
            "required",
        ),
        (
            Call::sample("importData")
                .with("/data", json!([{}, 5]))
                .without("/Data")
                .with("/MetaData/type", "Queues"),
            "/body/Data/1",
            "type",
        ),
    ];
    for (call, pointer, rule) in cases {
        assert_eq!(violations(&call.send()), [(pointer, rule)]);
    }
}

#[test]
fn the_items_of_an_import_are_checked_by_the_type_in_the_body() {
    let skills = json!([{"name": 5}]);
    let broken = ["_id", "iId", "createdByAId", "isDefault", "status"];
    let mut expected: Vec<_> =
        broken.iter().map(|name| (format!("/body/data/0/{name}"), "required")).collect();
    expected.push(("/body/data/0/name".into(), "type"));
    expected.sort();
    for kind in ["skillGroups", "skillsGroups"] {
        let exchange = import(kind, "request").with("/data", skills.clone()).send();
        let mut found: Vec<_> =
            violations(&exchange).into_iter().map(|(pointer, rule)| (pointer.to_owned(), rule)).collect();
        found.sort();
        assert_eq!(found, expected, "{kind}");
    }
    let cases: [(&str, Value, Pairs); 6] = [
        ("queues", json!([{"name": 5}]), &[("/body/data/0/name", "type")]),
        (
            "queues",
            json!([{"agents": [{"id": ""}, {"aId": ""}]}]),
            &[("/body/data/0/agents/1/aId", "minLength")],
        ),
        ("standardResponses", json!([{"name": 5}, {}]), &[]),
        ("standardResponses", json!(["text"]), &[("/body/data/0", "type")]),
        ("waitingExperience", json!([{"id": 5}]), &[("/body/data/0/id", "type")]),
        // The type is wrong, so there is nothing to check the items against.
        ("other", json!([5, {"name": 5}]), &[("/query/type", "enum"), ("/body/metaData/type", "enum")]),
    ];
    for (kind, data, expected) in cases {
        let exchange = import(kind, "request").with("/data", data).send();
        assert_eq!(violations(&exchange), expected, "{kind}");
    }
    let exchange = import("queues", "request.queues").with("/metaData/type", "skillGroups").send();
    assert!(
        violations(&exchange).contains(&("/body/data/0/_id", "required")),
        "the query's type does not count"
    );
}

#[test]
fn a_refused_request_lists_its_readings_too() {
    let exchange = update().renamed("/emailId", "emaiId").without("/skills").send();
    assert_eq!(violations(&exchange), [("/body/skills", "required")]);
    assert_eq!(readings(&exchange), [("U4", "/body/emailId")]);
}

#[test]
fn readings_are_listed_when_violations_are_only_reported_and_not_when_nobody_looks() {
    let request = || update().renamed("/emailId", "emaiId").request();
    let with = |checks| stub_with(Settings { checks, ..Settings::default() }).respond(request());
    assert_eq!(readings(&with(Checks::Report)), [("U4", "/body/emailId")]);
    assert_eq!(readings(&with(Checks::Off)), []);
}

#[test]
fn readings_are_bounded() {
    let layouts: Vec<_> = (0..500).map(|_| json!({"isPreferredAgent": true})).collect();
    let exchange = update().with("/desktopLayouts", Value::Array(layouts)).send();
    assert_eq!(exchange.readings.len(), 100);
    assert_eq!(exchange.reply.status, 200);
}
