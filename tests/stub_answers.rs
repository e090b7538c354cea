//! What an accepted request gets: the page's sample reply, or the one that `Prefer` asks for.

mod stub_support;

use serde_json::{Value, json};
use standin::{Change, Checks, Errors, Exchange, Outcome, Session, Settings, Step, judge::Judge};
use stub_support::{Call, body, fixture, operations, readings, reply_headers, stub, stub_with, violations};

#[test]
fn every_sample_request_gets_the_sample_reply_of_its_page() {
    for operation in operations() {
        let exchange = Call::sample(operation).send();
        assert_eq!(violations(&exchange), [], "{operation}");
        assert_eq!(exchange.reply.status, 200, "{operation}");
        assert_eq!(reply_headers(&exchange, "content-type"), ["application/json"]);
        assert_eq!(body(&exchange), fixture(&format!("{operation}/response.json")), "{operation}");
        assert_eq!(exchange.operation.as_deref(), Some(operation));
        assert_eq!((exchange.step, exchange.outcome()), (Step::Answer, Outcome::Answered));
    }
}

#[test]
fn every_sample_is_answered_under_every_setting() {
    for errors in [Errors::Vendor, Errors::Rfc] {
        for checks in [Checks::Enforce, Checks::Report, Checks::Off] {
            for detail in [true, false] {
                let stub = stub_with(Settings { errors, checks, detail, ..Settings::default() });
                for operation in operations() {
                    let exchange = stub.respond(Call::sample(operation).request());
                    assert_eq!(exchange.reply.status, 200, "{operation} {errors:?} {checks:?}");
                    assert_eq!(body(&exchange), fixture(&format!("{operation}/response.json")));
                }
            }
        }
    }
}

#[test]
fn the_v2_import_answers_with_the_name_of_the_type() {
    for kind in ["queues", "standardResponses", "waitingExperience"] {
        let mut call = Call::sample("importDataV2");
        call.body = fixture(&format!("importDataV2/request.{kind}.json"));
        call.query[2].1 = kind.into();
        assert_eq!(body(&call.send()), fixture(&format!("importDataV2/{kind}.json")), "{kind}");
    }
}

#[test]
fn a_number_comes_back_to_its_last_digit() {
    for number in ["53.025134103453276", "0.30000000000000004", "94.04821658029509", "5e-324"] {
        let sample = Call::sample("createQueue").body.to_string();
        let body = sample.replacen('{', &format!(r#"{{"twice":[{number}],"#), 1);
        let exchange = stub().respond(Call::sample("createQueue").request_with(body));
        let reply = String::from_utf8(exchange.reply.body.to_vec()).unwrap();
        assert!(reply.contains(&format!(r#""twice":[{number}]"#)), "{number}: {reply}");
    }
}

#[test]
fn a_created_queue_is_what_was_sent_with_an_id_and_a_creator() {
    let call = Call::sample("createQueue").with("/name", "Support").with("/extra", json!({"a": [1, null]}));
    let mut expected = call.body.clone();
    expected["id"] = "qu-854eaa2-b0b6-4327-9008-723d7519xxxx".into();
    expected["createdBy"] = "u-da9ca787-797d-53bf-9311-44fe23ffxxxx".into();
    let exchange = call.send();
    assert_eq!(body(&exchange), expected);
    assert_eq!(readings(&exchange), []);
}

#[test]
fn white_space_and_the_order_of_members_do_not_matter() {
    let call = Call::sample("createQueue");
    let Value::Object(members) = &call.body else { panic!("an object") };
    let reversed: serde_json::Map<_, _> = members.clone().into_iter().rev().collect();
    for text in [format!("\r\n\t {:#} \n", call.body), Value::Object(reversed).to_string()] {
        assert_eq!(body(&stub().respond(call.request_with(text))), fixture("createQueue/response.json"));
    }
}

#[test]
fn unknown_members_parameters_and_headers_are_fine() {
    let call = Call::sample("updateAgent")
        .with("/somethingNew", json!([{}]))
        .with("/a~b", 1)
        .query(&[("groupId", "ag-3234fsdf21312412123"), ("page", "1"), ("page", "2")])
        .more_header("X-Other", b"\xff\xfe");
    let target = format!("{}&%zz=1&%FF&&=&x", call.target());
    let exchange = stub().respond(call.request_to(target));
    assert_eq!(violations(&exchange), []);
    assert_eq!(exchange.reply.status, 200);
}

#[test]
fn the_same_request_gets_the_same_exchange() {
    for operation in operations() {
        for call in [Call::sample(operation), Call::sample(operation).no_header("accountId")] {
            assert_eq!(
                stub().respond(call.request()),
                stub_with(Settings::default()).respond(call.request())
            );
        }
    }
}

#[test]
fn prefer_chooses_status_and_example() {
    let sentence = |code| json!({"errors": [{"msg": "You've exceeded the per-minute rate limit. Please wait for sometime before retrying.", "code": code}]});
    let error = |msg: &str, code: u16| json!({"errors": [{"msg": msg, "code": code}]});
    let queue = Call::sample("createQueue").body;
    let created = || {
        let mut body = queue.clone();
        body["id"] = "qu-854eaa2-b0b6-4327-9008-723d7519xxxx".into();
        body["createdBy"] = "u-da9ca787-797d-53bf-9311-44fe23ffxxxx".into();
        body
    };
    let v2 = |name: &str| fixture(&format!("importDataV2/{name}.json"));
    let cases = [
        ("createAgent", "code=429", 429, sentence(429), Some("code=429")),
        ("createAgent", "code=500", 500, error("Internal Server Error", 500), Some("code=500")),
        ("createAgent", "code=401", 401, error("Invalid SDK credentials", 4002), Some("code=401")),
        (
            "createAgent",
            "code=401, example=scope",
            401,
            error("Permission denied. Scope is incorrect!", 4002),
            Some("code=401, example=\"scope\""),
        ),
        (
            "createAgent",
            "example=\"streamId\";a=b, code=\"400\"",
            400,
            error("Invalid StreamId", 400),
            Some("code=400, example=\"streamId\""),
        ),
        ("createAgent", "code=408", 408, error("Request Timeout", 408), Some("code=408")),
        ("createAgent", "code=200", 200, fixture("createAgent/response.json"), Some("code=200")),
        ("createQueue", "example=created", 200, created(), Some("example=\"created\"")),
        (
            "importData",
            "example=sample",
            200,
            fixture("importData/response.json"),
            Some("example=\"sample\""),
        ),
        (
            "importData",
            "example=imported",
            200,
            fixture("importData/imported.json"),
            Some("example=\"imported\""),
        ),
        ("importDataV2", "example=queues", 200, v2("queues"), Some("example=\"queues\"")),
        // What is not about the reply is passed over.
        ("createAgent", "respond-async, wait=5", 200, fixture("createAgent/response.json"), None),
        ("createAgent", "", 200, fixture("createAgent/response.json"), None),
        ("createAgent", "code=429, code=500", 429, sentence(429), Some("code=429")),
        ("createAgent", "foo=\"code=500\", bar", 200, fixture("createAgent/response.json"), None),
    ];
    for (operation, prefer, status, expected, applied) in cases {
        let exchange = Call::sample(operation).header("Prefer", prefer).send();
        assert_eq!(exchange.reply.status, status, "{prefer}");
        assert_eq!(body(&exchange), expected, "{prefer}");
        assert_eq!(reply_headers(&exchange, "preference-applied"), Vec::from_iter(applied), "{prefer}");
        assert_eq!((exchange.step, exchange.outcome()), (Step::Answer, Outcome::Answered), "{prefer}");
    }
}

#[test]
fn a_preference_that_cannot_be_met_is_ignored_and_said_with_what_there_is() {
    let no_code = |code: &str| {
        format!(
            "ignored; code=\"{code}\"; codes=\"200, 400, 401, 404, 405, 408, 409, 412, 413, 429, 500, 507\""
        )
    };
    let no_example = |name: &str, known: &str| format!("ignored; example=\"{name}\"; examples=\"{known}\"");
    let imports = "skillGroups, queues, standardResponses, waitingExperience";
    for (operation, prefer, status, said) in [
        ("createAgent", "code=418", 200, no_code("418")),
        ("createAgent", "code=abc", 200, no_code("abc")),
        ("createAgent", "code=\"4\\\"\"", 200, no_code("4\\\"")),
        ("createAgent", "code", 200, no_code("")),
        ("createAgent", "code=99999999", 200, no_code("99999999")),
        ("createAgent", "example=scope", 200, no_example("scope", "sample")),
        ("createAgent", "example", 200, no_example("", "sample")),
        ("importDataV2", "example=nothing", 200, no_example("nothing", imports)),
        (
            "createAgent",
            "code=429, example=nothing",
            429,
            format!("code=429, {}", no_example("nothing", "rateLimit")),
        ),
        ("createAgent", "code=418, example=sample", 200, format!("example=\"sample\", {}", no_code("418"))),
    ] {
        let exchange = Call::sample(operation).header("Prefer", prefer).send();
        assert_eq!(exchange.reply.status, status, "{prefer}");
        assert_eq!(reply_headers(&exchange, "preference-applied"), [said], "{prefer}");
    }
}

#[test]
fn a_preferred_rate_limit_says_when_to_try_again_and_nothing_else_does() {
    for errors in [Errors::Vendor, Errors::Rfc] {
        let stub = stub_with(Settings { errors, ..Settings::default() });
        for operation in operations() {
            for (code, expected) in [(429, vec!["60"]), (500, vec![]), (200, vec![])] {
                let call = Call::sample(operation).header("Prefer", format!("code={code}"));
                let exchange = stub.respond(call.request());
                assert_eq!(exchange.reply.status, code);
                assert_eq!(reply_headers(&exchange, "retry-after"), expected, "{operation} {code}");
            }
        }
    }
}

#[test]
fn a_reply_names_the_ledger_entries_that_its_request_makes_use_of() {
    let queue = || Call::sample("createQueue");
    let update = || Call::sample("updateAgent");
    let cases = [
        (Call::sample("createAgent"), None),
        // The page's own sample gets what the page shows, and that contradicts it twice.
        (queue(), Some("I2, I5")),
        (queue().header("Prefer", "example=created"), None),
        (queue().with("/name", "Another queue"), None),
        (Call::sample("createAgent").no_header("auth"), None),
    ];
    for (call, expected) in cases {
        let exchange = call.send();
        assert_eq!(
            reply_headers(&exchange, "x-standin-ledger"),
            Vec::from_iter(expected),
            "{:?}",
            exchange.readings
        );
    }
    assert_eq!(body(&queue().send()), fixture("createQueue/response.json"));

    // Each id once, in the order of the readings, with a refusal too.
    for call in [update(), update().without("/firstName"), update().with("/firstName", 5)] {
        let exchange = call.renamed("/emailId", "emaiId").send();
        let mut ids: Vec<&str> = Vec::new();
        for reading in &exchange.readings {
            if !ids.contains(&reading.ledger.as_str()) {
                ids.push(&reading.ledger);
            }
        }
        assert!(!ids.is_empty() && ids.len() <= exchange.readings.len());
        assert_eq!(reply_headers(&exchange, "x-standin-ledger"), [ids.join(", ")]);
    }
}

#[test]
fn to_respond_is_to_check_and_then_to_decide() {
    let sample = Call::sample("createQueue");
    let requests = [
        sample.request(),
        sample.clone().header("Prefer", "code=429").request(),
        sample.clone().no_header("auth").request(),
        sample.request_with("{"),
        sample.request_with("{}"),
        sample.request_to("/nowhere"),
    ];
    for request in requests {
        let checked = stub().check(request.clone());
        let (exchange, change) = stub().decide(&Session::default(), checked);
        assert_eq!((exchange, change), (stub().respond(request), Change::default()));
    }
}

#[test]
fn every_answer_to_a_sample_holds_for_the_reply_schema() {
    let judge = Judge::new(stub_support::contract()).expect("the reply schemas compile");
    for errors in [Errors::Rfc, Errors::Vendor] {
        let stub = stub_with(Settings { errors, ..Settings::default() });
        for operation in operations() {
            let sample = Call::sample(operation);
            for code in [200, 400, 401, 404, 405, 408, 412, 413, 415, 429, 500] {
                let request = sample.clone().header("Prefer", format!("code={code}")).request();
                for request in
                    [request, sample.request_with("{}"), sample.request_with("["), sample.request_to("/")]
                {
                    let Exchange { reply, operation, .. } = stub.respond(request);
                    let breaches =
                        judge.judge(operation.as_deref(), reply.status, &reply.headers, &reply.body);
                    assert_eq!(breaches, [], "{operation:?} {}", reply.status);
                }
            }
        }
    }
}

#[test]
fn prefer_does_not_save_an_invalid_request() {
    let cases = [
        (Call::sample("createAgent").without("/roleId"), 412),
        (Call::sample("createAgent").no_header("auth"), 401),
        (Call::sample("createAgent").header("Content-Type", "text/plain"), 412),
        (Call { method: "GET".into(), ..Call::sample("createAgent") }, 405),
    ];
    for (call, status) in cases {
        let exchange = call.header("Prefer", "code=200, example=sample").send();
        assert_eq!(exchange.reply.status, status);
        assert_eq!(reply_headers(&exchange, "preference-applied"), Vec::<&str>::new());
    }
}

#[test]
fn a_preferred_refusal_has_the_wording_of_the_profile() {
    let stub = stub_with(Settings { errors: Errors::Rfc, ..Settings::default() });
    let send = |prefer: &str| stub.respond(Call::sample("createAgent").header("Prefer", prefer).request());
    let exchange = send("code=429");
    assert_eq!(exchange.reply.status, 429);
    assert_eq!(reply_headers(&exchange, "content-type"), ["application/problem+json"]);
    let expected = json!({
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "You've exceeded the per-minute rate limit. Please wait for sometime before retrying.",
    });
    assert_eq!(body(&exchange), expected);
    let exchange = send("code=401, example=token");
    assert_eq!(body(&exchange)["detail"], "Invalid JWT token");
    assert_eq!(reply_headers(&exchange, "www-authenticate").len(), 1);
}

#[test]
fn checks_report_answers_and_records_what_is_wrong() {
    let stub = stub_with(Settings { checks: Checks::Report, ..Settings::default() });
    let call = Call::sample("createAgent").without("/roleId").with("/customId", "a b").no_header("accountId");
    let exchange = stub.respond(call.request());
    assert_eq!(exchange.reply.status, 200);
    assert_eq!(body(&exchange), fixture("createAgent/response.json"));
    let mut found = violations(&exchange);
    found.sort_unstable();
    assert_eq!(
        found,
        [("/body/customId", "format"), ("/body/roleId", "required"), ("/header/accountId", "required")]
    );
    assert_eq!(exchange.step, Step::Answer);
}

#[test]
fn checks_off_does_not_look() {
    let stub = stub_with(Settings { checks: Checks::Off, ..Settings::default() });
    let call = Call::sample("createAgent").without("/roleId").no_header("accountId");
    let exchange = stub.respond(call.request());
    assert_eq!((exchange.reply.status, exchange.violations.len()), (200, 0));
    let mut list = Call::sample("createQueue");
    list.body = json!(["not", "an", "object"]);
    assert_eq!(stub.respond(list.request()).reply.status, 200);
}

#[test]
fn routing_token_and_json_are_enforced_at_every_level_of_checks() {
    for checks in [Checks::Enforce, Checks::Report, Checks::Off] {
        let stub = stub_with(Settings { checks, ..Settings::default() });
        let call = Call::sample("createAgent");
        let cases = [
            (call.request_to("/nowhere"), 404),
            (Call { method: "GET".into(), ..call.clone() }.request(), 405),
            (call.clone().no_header("auth").request(), 401),
            (call.clone().header("auth", "x").request(), 401),
            (call.request_with("{"), 412),
            (call.clone().header("Content-Type", "text/plain").request(), 412),
        ];
        for (request, status) in cases {
            let exchange = stub.respond(request);
            assert_eq!(exchange.reply.status, status, "{checks:?}");
            assert_eq!(exchange.violations.len(), 1);
        }
    }
}
