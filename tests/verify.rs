//! `standin verify` as a person runs it, against stand-ins and other servers that do right.

mod support;

use std::{fs, time::Duration};

use serde_json::{Value, json};
use standin::{Checks, Config, ControlConfig, Request, Server, TokenPolicy, token::Secret};
use support::{
    Client,
    agentassist::Agentassist,
    events::Events,
    faulty::{Faulty, write},
    get,
    interactions::{INTERACTIONS, Interaction, fixture, small_pact, stub},
    program::{Folder, run, verify},
    server,
};

/// The interactions whose replies the documentation shows by accident.
const ACCIDENTS: [&str; 2] =
    ["import data (v1)", "create the documentation's queue, which is answered with waiting experiences"];

#[test]
fn a_stand_in_holds_the_committed_contract_and_every_interaction_is_listed() {
    let server = server(|_| {});

    let run = verify(&server.url(), &[]);

    assert_eq!(run.code, 0, "{}", run.err);
    for Interaction { description, .. } in INTERACTIONS.iter() {
        let line = if ACCIDENTS.contains(&description.as_str()) {
            format!(
                "  pending  {description} (holds, and does not count)\n         note: the documentation shows this reply by accident; see I5 of its ledger\n"
            )
        } else {
            format!("  holds  {description}\n")
        };
        assert!(run.out.contains(&line), "{}", run.out);
    }
    let count = INTERACTIONS.len() - ACCIDENTS.len();
    let summary =
        format!("{}: all {count} interactions hold; 2 more are pending and do not count\n", server.url());
    assert!(run.out.ends_with(&summary), "{}", run.out);
}

/// A service that does what the pages say, and answers a created queue with that queue and each import with a message.
fn correct() -> Faulty {
    let stub = stub();
    Faulty::start(move |request, stream| {
        let is_queue = request.method == "POST" && request.target.ends_with("/queues");
        let mut call = Request::new(&request.method, &request.target).body(request.body.clone());
        for (name, value) in &request.headers {
            call = call.header(name, value);
        }
        let reply = stub.respond(call).reply;
        let mut body = String::from_utf8(reply.body.to_vec()).expect("a reply is text");
        if is_queue && reply.status == 200 {
            let mut queue: Value = serde_json::from_str(&request.body).expect("it is JSON");
            queue["id"] = "qu-1".into();
            queue["createdBy"] = "u-1".into();
            body = queue.to_string();
        } else if request.target.ends_with("/exportSmartAssistFunctionalities") && reply.status == 200 {
            body = json!({"msg": "Imported"}).to_string();
        }
        write(stream, reply.status, "application/json", &body);
    })
}

#[test]
fn a_correct_service_passes_and_fails_only_when_it_is_held_to_the_documentations_accidents() {
    let (service, folder) = (correct(), Folder::new());
    let (junit, report) = (folder.path("verify.xml"), folder.path("verify.json"));
    let reports = [format!("junit={}", junit.display()), format!("json={}", report.display())];

    let usual = verify(&service.url, &["--report", &reports[0], "--report", &reports[1]]);
    let strict = verify(&service.url, &["--include", "documented-accidents"]);

    assert_eq!(usual.code, 0, "{}", usual.out);
    for accident in ACCIDENTS {
        let line = format!("  pending  {accident} (fails, and does not count)\n");
        assert!(usual.out.contains(&line), "{}", usual.out);
    }
    let junit = fs::read_to_string(junit).unwrap();
    let counts = format!(r#"tests="{}" failures="0" errors="0" skipped="2""#, INTERACTIONS.len());
    assert!(junit.contains(&counts), "{junit}");
    assert!(junit.contains("<skipped message=\"fails, and does not count (and "), "{junit}");
    let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    assert_eq!(
        (&report["holds"], &report["failed"], &report["pending"]),
        (&json!(true), &json!(0), &json!(2))
    );
    let interactions = report["pacts"][0]["interactions"].as_array().unwrap();
    let pending: Vec<_> = interactions.iter().filter(|interaction| interaction["pending"] == true).collect();
    let pending: Vec<_> = pending.iter().map(|one| (one["description"].as_str(), &one["holds"])).collect();
    assert_eq!(pending, ACCIDENTS.map(|accident| (Some(accident), &json!(false))));

    assert_eq!(strict.code, 1, "{}", strict.out);
    for accident in ACCIDENTS {
        assert!(strict.out.contains(&format!("  FAILS  {accident}\n")), "{}", strict.out);
    }
    assert!(strict.out.contains("body $: expected an array, but found an object\n"), "{}", strict.out);
    let (all, holding) = (INTERACTIONS.len(), INTERACTIONS.len() - ACCIDENTS.len());
    let summary = format!("{holding} of {all} interactions hold, 2 fail\n");
    assert!(strict.out.ends_with(&summary), "{}", strict.out);
}

#[test]
fn interactions_are_chosen_by_name_by_pattern_or_by_operation() {
    let server = server(|_| {});
    let without = "create an agent without a role";
    for (arguments, all) in [
        (&["--only", without] as &[&str], "the one interaction holds"),
        (&["--only", "* without a *"], "all 2 interactions hold"),
        (&["--only", "updateAgent", "--only", without], "all 3 interactions hold"),
        (&["--skip", "createAgent", "--skip", "create*"], "all 30 interactions hold"),
        (&["--only", "createAgent", "--skip", "*without*"], "all 3 interactions hold"),
    ] {
        let run = verify(&server.url(), arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.err);
        assert!(run.out.contains(all), "{arguments:?}: {}", run.out);
    }
    let unknown = verify(&server.url(), &["--skip", "no such"]);
    assert!(unknown.complaint(2).contains("no interaction and no operation of one is called `no such`"));
    let nothing = verify(&server.url(), &["--only", without, "--skip", "*"]);
    assert!(nothing.complaint(2).contains("--skip leaves no interaction to verify"));
}

#[test]
fn a_list_or_a_dry_run_sends_nothing() {
    let service = correct();

    let list = run(["verify", "--list", "--only", "createQueue"]).fine();
    let dry =
        verify(&service.url, &["--dry-run", "--only", "updateAgent", "--set", "streamId=st-mine"]).fine();

    assert_eq!(
        list.lines().skip(1).collect::<Vec<_>>(),
        ["  createQueue   create a queue", &format!("  createQueue   {} (pending)", ACCIDENTS[1])]
    );
    let path = "/agentassist/api/v1/public/st-mine/agents/a-1a36a7e-bb33-4bcc-ab7b-ac33773871d8";
    let first =
        format!("  PUT {}{path}?groupId=ag-3234fsdf21312412123 expects 200: update an agent", service.url);
    assert_eq!(dry.lines().nth(1), Some(&*first), "{dry}");
    assert!(service.received().is_empty());
}

#[test]
fn what_a_run_creates_is_said_before_it_starts() {
    let service = correct();

    let creating = verify(&service.url, &["--only", "createQueue", "--only", "importDataV2"]);
    let refused = verify(&service.url, &["--only", "*without*"]);

    let warning = format!(
        "standin: 6 of 6 interactions create, change, delete or import something at {}: they call importDataV2, createQueue\n",
        service.url
    );
    assert_eq!((creating.code, creating.err.as_str()), (0, &*warning));
    assert_eq!((refused.code, refused.err.as_str()), (0, ""));
}

#[test]
fn a_mismatch_is_said_once_and_its_cause_alone() {
    let failing = Faulty::start(|_, stream| write(stream, 500, "application/json", r#"{"oh": "no"}"#));
    let empty = Faulty::start(|_, stream| write(stream, 200, "application/json", "{}"));

    let failing = verify(&failing.url, &["--only", "import queues (v2)"]);
    let empty = verify(&empty.url, &["--only", "import queues (v2)"]);

    let lines = |out: &str| -> Vec<String> { out.lines().skip(1).take(3).map(str::to_owned).collect() };
    assert_eq!(
        lines(&failing.out),
        [
            "  FAILS  import queues (v2)",
            "         status: expected 200, but found 500",
            r#"         note: the reply was {"oh": "no"}"#,
        ]
    );
    assert_eq!(
        lines(&empty.out)[..2],
        ["  FAILS  import queues (v2)", "         body $: expected the members msg, but found none of them"]
    );
}

#[test]
fn a_stand_in_that_does_not_check_fails_where_it_should_have_refused() {
    let server = server(|config| config.settings.checks = Checks::Off);

    let run = verify(&server.url(), &[]);

    assert_eq!(run.code, 1);
    let failed: Vec<_> = run.out.lines().filter_map(|line| line.strip_prefix("  FAILS  ")).collect();
    assert_eq!(
        failed,
        [
            "create an agent without an account",
            "create an agent without a role",
            "update an agent with a proficiency that there is not",
        ]
    );
    assert!(run.out.contains("status: expected 412, but found 200"), "{}", run.out);
}

#[test]
fn an_account_of_ones_own_is_filled_in_and_refusals_stay_refusals() {
    let secret = "s3cret";
    let server = server(|config| {
        config.settings.token = TokenPolicy::Verified(Secret::new(secret));
    });

    let run = verify(
        &server.url(),
        &[
            "--client-secret",
            secret,
            "--app-id",
            "cs-mine",
            "--set",
            "streamId=st-mine",
            "--set",
            "accountId=acc-mine",
            "--set",
            "agentId=a-mine",
            "--set",
            "groupId=ag-mine",
            "--set",
            "orgId=o-mine",
            "--set",
            "emailId=me@example.com",
            "--set",
            "queues.id=qu-mine",
        ],
    );

    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let exchanges = server.journal().snapshot();
    let requests: Vec<_> = exchanges.iter().map(|recorded| &recorded.exchange.request).collect();
    assert!(requests[0].target.starts_with("/agentassist/api/v1/public/st-mine/agents"));
    assert_eq!(requests[1].target, "/agentassist/api/v1/public/st-mine/agents/a-mine?groupId=ag-mine");
    let body: Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!((&body["emailId"], &body["queues"][0]["id"]), (&json!("me@example.com"), &json!("qu-mine")));
    assert_eq!(requests[0].headers.all("accountid").collect::<Vec<_>>(), [b"acc-mine"]);
    let import = requests.iter().find(|request| request.target.contains("storeSmart")).unwrap();
    assert!(import.target.contains("accountId=acc-mine") && import.target.contains("orgId=o-mine"));
}

#[test]
fn without_the_right_token_what_needs_one_fails() {
    let server = server(|config| {
        config.settings.token = TokenPolicy::Verified(Secret::new("s3cret"));
    });

    let run = verify(&server.url(), &["--token", "a.b.c"]);

    assert_eq!(run.code, 1);
    assert!(run.out.contains("  holds  create an agent without a token\n"));
    assert!(run.out.contains("  holds  create an agent with a token that is no JWT\n"));
    assert!(run.out.contains("  FAILS  create an agent\n         status: expected 200, but found 401\n"));
    assert!(!run.out.contains("a.b.c"));
}

#[test]
fn a_reply_may_vary_as_the_contract_allows_and_not_otherwise() {
    let mut pact: Value =
        serde_json::from_slice(&fs::read("contracts/pacts/agentassist-client-agentassist.json").unwrap())
            .unwrap();
    pact["interactions"].as_array_mut().unwrap().truncate(1);
    let folder = Folder::new();
    let pact = folder.file("create.json", pact.to_string());
    let cases: [(&str, Value, Option<&str>); 9] = [
        ("/phoneNumber", json!(1), None),
        ("/phoneNumber", json!("+81 1"), None),
        ("/phoneNumber", json!(true), Some("body $.phoneNumber")),
        ("/phoneNumber", json!({}), Some("body $.phoneNumber")),
        ("/roleId", json!("another"), None),
        ("/roleId", json!(5), Some("body $.roleId")),
        ("/maxChatSupport", json!("5"), Some("body $.maxChatSupport")),
        ("/skills", json!([]), Some("body $.skills")),
        ("/chatLanguageSupport", json!([{"language": "en"}]), Some("body $.chatLanguageSupport[0]")),
    ];
    for (pointer, value, wrong) in cases {
        let mut reply = fixture("createAgent/response");
        *reply.pointer_mut(pointer).unwrap() = value.clone();
        reply["unheardOf"] = json!("is nobody's business");
        let text = reply.to_string();
        let media_type = "application/json; charset=utf-8";
        let provider = Faulty::start(move |_, stream| write(stream, 200, media_type, &text));

        let run = verify(&provider.url, &["--pact", &pact]);

        assert_eq!(run.code, i32::from(wrong.is_some()), "{pointer} {value}: {}", run.out);
        assert!(run.out.contains(wrong.unwrap_or_default()), "{pointer} {value}: {}", run.out);
    }
}

#[test]
fn states_are_posted_where_asked_and_the_control_token_does_not_show() {
    let events = Events::default();
    let server = events.server(|config| {
        config.control = ControlConfig { token: Some(Secret::new("s3same")), ..ControlConfig::default() };
    });
    let states = format!("{}/__standin/provider-states?token=s3same", server.url());
    let wrong = format!("{}/__standin/provider-states?token=gu3ss", server.url());

    let good = verify(&server.url(), &["--states-url", &states]);
    let bad = verify(&server.url(), &["--states-url", &wrong]);

    assert_eq!(good.code, 0, "{}", good.out);
    assert_eq!(bad.code, 1);
    assert!(
        bad.out.contains(
            "state: expected the provider to get into the state, but found `the account's token is valid` answered with: Invalid status code: 401"
        ),
        "{}",
        bad.out
    );
    assert!(!bad.out.contains("gu3ss") && !bad.err.contains("gu3ss"));
    server.stop();
    assert!(!events.text().contains("s3same") && !events.text().contains("gu3ss"));
}

#[test]
fn a_state_that_the_provider_does_not_know_fails_the_interaction() {
    let server = server(|_| {});
    let mut pact = small_pact("/name");
    pact["interactions"][0]["providerStates"] = json!([{"name": "it rains"}]);
    let folder = Folder::new();
    let pact = folder.file("rain.json", pact.to_string());
    let states = format!("{}/__standin/provider-states", server.url());

    let run = verify(&server.url(), &["--pact", &pact, "--states-url", &states]);

    assert_eq!(run.code, 1);
    assert!(run.out.contains("`it rains` answered with: Invalid status code: 400"), "{}", run.out);
}

#[test]
fn what_is_exported_from_traffic_holds() {
    let server = server(|_| {});
    for interaction in INTERACTIONS.iter() {
        (interaction.call)(&Agentassist {
            address: server.addr().to_string(),
            token: Some(standin::token::mint(Some("appId"), "cs-1", &Secret::new("s"), 0, None)),
            account: Some("649bdcaf5037ed113942xxxx".into()),
        });
    }
    let exchanges = server.journal().snapshot();
    let lines: Vec<_> = exchanges.iter().map(|recorded| standin::render::ndjson::line(recorded)).collect();
    let reply = Client::connect(server.addr()).call(get("/__standin/export?format=pact"));
    let folder = Folder::new();
    let journal = folder.file("run.ndjson", lines.join("\n"));

    let converted = run(["journal", &journal, "--as", "pact", "--consumer", "me"]);
    let exported = folder.file("exported.json", reply.body);
    let converted_pact = folder.file("converted.json", converted.fine());

    let pacts =
        [&exported, &converted_pact].map(|path| serde_json::from_slice::<Value>(&fs::read(path).unwrap()));
    let [exported_json, converted_json] = pacts.map(Result::unwrap);
    assert!(exported_json["interactions"] == converted_json["interactions"]);
    assert_eq!(converted_json["consumer"]["name"], "me");
    let run = verify(&server.url(), &["--pact", &exported, "--pact", &converted_pact]);
    assert_eq!(run.code, 0, "{}", run.out);
    assert!(run.out.contains(" interactions hold; 4 more are pending and do not count\n"), "{}", run.out);
}

#[test]
fn reports_say_the_same_as_the_lines() {
    let server = server(|config| config.settings.checks = Checks::Off);
    let folder = Folder::new();
    let (junit, report) = (folder.path("verify.xml"), folder.path("verify.json"));

    let run = verify(
        &server.url(),
        &[
            "--report",
            &format!("junit={}", junit.display()),
            "--report",
            &format!("json={}", report.display()),
        ],
    );

    assert_eq!(run.code, 1);
    let junit = fs::read_to_string(junit).unwrap();
    let counts = format!("tests=\"{}\" failures=\"3\" errors=\"0\" skipped=\"2\"", INTERACTIONS.len());
    assert!(junit.contains(&counts), "{junit}");
    assert!(junit.contains("name=\"agentassist-client: create an agent without a role\">"), "{junit}");
    let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    assert_eq!((&report["holds"], &report["failed"]), (&json!(false), &json!(3)));
    let interactions = report["pacts"][0]["interactions"].as_array().unwrap();
    let failed: Vec<_> = interactions.iter().filter(|interaction| interaction["holds"] == false).collect();
    assert_eq!(failed.len(), 3);
    let mismatch = &failed[0]["mismatches"][0];
    assert_eq!(
        (&mismatch["where"], &mismatch["expected"], &mismatch["found"]),
        (&json!("status"), &json!("412"), &json!("200"))
    );
}

#[test]
fn pacts_of_earlier_versions_are_verified_too() {
    let good = Faulty::start(|_, stream| write(stream, 200, "application/json", r#"{"name": "y"}"#));
    let folder = Folder::new();
    for version in ["2.0.0", "3.0.0"] {
        let pact = json!({
            "consumer": {"name": "old"},
            "provider": {"name": "agentassist"},
            "metadata": {"pactSpecification": {"version": version}},
            "interactions": [{
                "description": "get a name",
                "request": {"method": "get", "path": "/name"},
                "response": {"status": 200, "body": {"name": "y"}},
            }],
        });
        let path = folder.file(&format!("{version}.json"), pact.to_string());
        let run = verify(&good.url, &["--pact", &path]);
        assert_eq!(run.code, 0, "{version}: {}", run.out);
    }
}

#[test]
fn a_base_url_may_have_a_path() {
    let good = Faulty::start(|_, stream| write(stream, 200, "application/json", r#"{"name": "y"}"#));
    let folder = Folder::new();
    let pact = folder.file("small.json", small_pact("/name").to_string());

    let run = verify(&format!("{}/base/", good.url), &["--pact", &pact]);

    assert_eq!(run.code, 0, "{}", run.out);
    assert_eq!(good.received()[0].target, "/base/name");
}

#[test]
fn a_wrong_url_or_value_is_a_wrong_command_line() {
    for arguments in [
        vec!["ftp://x"],
        vec!["localhost:8484"],
        vec!["http://127.0.0.1:1", "--set", "colour=red"],
        vec!["http://127.0.0.1:1", "--report", "pdf=x"],
        vec!["http://127.0.0.1:1", "--timeout", "0s"],
        vec!["http://127.0.0.1:1", "--token", "a", "--client-secret", "b"],
    ] {
        let run = verify(arguments[0], &arguments[1..]);
        assert_eq!((run.code, run.err.lines().count()), (2, 1), "{arguments:?}: {}", run.err);
    }
    let unknown = verify("http://127.0.0.1:1", &["--set", "colour=red"]);
    assert!(unknown.err.contains("no pact has a value `colour` to set; there are "), "{}", unknown.err);
    assert!(unknown.err.contains("streamId"));
}

#[test]
fn an_embedded_server_is_verified_from_rust() {
    use standin::pact::{
        Filling, Source,
        verify::{Options, interaction},
    };
    let server = Server::start(Config::default()).unwrap();
    let provider = server.url().parse().unwrap();
    let options = Options { states_url: None, timeout: Duration::from_secs(10) };

    for source in Source::committed() {
        for index in 0..source.interactions().len() {
            let outcome = interaction(&provider, &options, source.single(index, &Filling::default()));
            assert!(outcome.holds(), "{:?}", outcome.mismatches);
        }
    }
}
