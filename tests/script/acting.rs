//! What scripts do to exchanges, and to the sessions of those.

use std::{num::NonZeroU32, path::Path, sync::Arc, time::Duration};

use serde_json::{Value, json};
use standin::{
    Change, Contract, Errors, Fault, Request, ScriptError, ScriptSettings, Scripts, Settings, Stub,
};

use super::{AGENTS, Client, at, body, sampled, script, scripts};

#[test]
fn fail_twice_then_succeed_and_the_third_attempt_really_succeeds() {
    let mut client = Client::new(vec![
        json!({"when": {"operation": "createAgent"}, "times": 2, "then": {"reply": {"status": 500}}}),
    ]);

    let attempts = [0; 4].map(|_| client.create("ada@example.com"));

    assert_eq!(attempts.each_ref().map(|attempt| attempt.reply.status), [500, 500, 200, 409]);
    assert_eq!(client.session.resources(), 1);
    let first = attempts[0].scripted.as_ref().unwrap();
    assert!(first.discarded);
    assert_eq!(first.decided.as_ref().unwrap().status, 200);
    let state = attempts[0].state.as_ref().unwrap();
    assert_eq!((state.before, state.after, &state.resource), (0, 0, &None));
    assert_eq!(attempts[2].scripted, None);
}

#[test]
fn sequences_count_the_matches_of_a_session() {
    for (script, expected) in [
        (json!({"after": 3}), [200, 200, 200, 503, 503, 503, 503, 503, 503, 503]),
        (json!({"every": 10}), [200, 200, 200, 200, 200, 200, 200, 200, 200, 503]),
        (json!({"every": 3, "times": 2}), [200, 200, 503, 200, 200, 503, 200, 200, 200, 200]),
        (json!({"after": 1, "times": 1}), [200, 503, 200, 200, 200, 200, 200, 200, 200, 200]),
    ] {
        let mut script = script;
        script["when"] = json!({"operation": "createAgent"});
        script["then"] = json!({"reply": {"status": 503}});
        let mut client = Client::new(vec![script.clone()]);
        // What it is not about does not count.
        client.queues();
        assert_eq!(client.statuses(10), expected, "{script}");
    }
}

#[test]
fn sessions_in_parallel_count_for_themselves() {
    let script = json!({"times": 1, "then": {"reply": {"status": 503}}});
    let scripts = Client::new(vec![script, json!({"session": "b", "then": {"throttle": 7}})]).scripts;
    let (mut a, mut b) = (Client::of(Arc::clone(&scripts), "a"), Client::of(scripts, "b"));

    let statuses = [a.statuses(1), b.statuses(1), a.statuses(1), b.statuses(1)].concat();

    assert_eq!(statuses, [503, 503, 200, 200]);
    assert_eq!(script_of(&mut a), None);
    assert_eq!(script_of(&mut b).as_deref(), Some("script-2"));
}

fn script_of(client: &mut Client) -> Option<String> {
    script(&client.queues()).map(str::to_owned)
}

#[test]
fn the_first_that_acts_acts_alone_and_all_that_match_count() {
    let mut client = Client::new(vec![
        json!({"id": "twice", "times": 2, "then": {"reply": {"status": 500}}}),
        json!({"id": "third", "after": 2, "times": 1, "then": {"reply": {"status": 429}}}),
        json!({"id": "rest", "then": {"throttle": 7}}),
    ]);

    let acted = [0; 4].map(|_| script(&client.queues()).map(str::to_owned).unwrap());

    assert_eq!(acted, ["twice", "twice", "third", "rest"]);
    let told = client.scripts.list(at(0));
    let counts: Vec<_> = told.iter().map(|told| (told["matched"].clone(), told["acted"].clone())).collect();
    assert_eq!(counts, [(json!(4), json!(2)), (json!(4), json!(1)), (json!(4), json!(1))]);
    assert_eq!(client.scripts.acted("twice"), Some(2));
    assert_eq!(client.scripts.never_acted(at(0)), [""; 0]);
}

#[test]
fn those_that_never_acted_are_told() {
    let mut client = Client::new(vec![
        json!({"id": "late", "after": 5, "then": {"throttle": 1}}),
        json!({"id": "other", "when": {"operation": "createQueue"}, "then": {"throttle": 1}}),
        json!({"id": "used", "then": {"throttle": 1}}),
    ]);
    client.queues();

    assert_eq!(client.scripts.never_acted(at(0)), ["late", "other"]);
}

#[test]
fn an_error_leaves_the_session_as_it_was_and_all_else_changes_it_unless_commit_says_otherwise() {
    for (then, commit, resources) in [
        (json!({"reply": {"status": 500}}), Value::Null, 0),
        (json!({"reply": {"status": 500}}), json!(true), 1),
        (json!({"reply": {"status": 500}}), json!(false), 0),
        (json!({"reply": {"status": 202}}), Value::Null, 1),
        (json!({"reply": {"body": {}}}), Value::Null, 1),
        (json!({"reply": {"body": {}}}), json!(false), 0),
        (json!({"patch": {"emailId": null}}), Value::Null, 1),
        (json!({"delay": "1s", "throttle": 1}), Value::Null, 1),
        (json!({"fault": "reset"}), Value::Null, 1),
        (json!({"fault": "reset"}), json!(false), 0),
    ] {
        let mut client = Client::new(vec![json!({"then": then, "commit": commit})]);

        let exchange = client.create("ada@example.com");

        assert_eq!(client.session.resources(), resources, "{then} {commit}");
        let scripted = exchange.scripted.unwrap();
        assert_eq!(scripted.discarded, resources == 0, "{then} {commit}");
        let state = exchange.state.unwrap();
        let changed = resources as u64;
        assert_eq!((state.after, state.resource.is_some()), (changed, changed == 1), "{then} {commit}");
    }
}

#[test]
fn a_status_gets_the_contracts_own_sample_in_the_wording_of_the_server() {
    for (errors, media, message) in [
        (Errors::Vendor, "application/json", "/errors/0/msg"),
        (Errors::Rfc, "application/problem+json", "/detail"),
    ] {
        let contract = Contract::builtin();
        let stub = Stub::new(Arc::clone(&contract), Settings { errors, ..Settings::default() });
        for reply in [json!({"status": 429}), json!({"example": "rateLimit"})] {
            let scripts = Scripts::new(&contract, ScriptSettings::default());
            scripts.add(&json!({"then": {"reply": reply}}), at(0)).unwrap();

            let exchange = sampled(&stub, &scripts, Request::new("GET", "/nowhere"));

            let headers = &exchange.reply.headers;
            assert_eq!(exchange.reply.status, 429);
            assert_eq!(headers.all("content-type").collect::<Vec<_>>(), [media.as_bytes()]);
            assert_eq!(headers.all("retry-after").count(), 1);
            let text = body(&exchange).pointer(message).and_then(Value::as_str).unwrap().to_owned();
            assert!(text.contains("per-minute rate limit"), "{text}");
            assert_eq!(exchange.scripted.unwrap().breaches, []);
        }
    }
}

#[test]
fn a_reply_says_what_it_says_and_leaves_the_rest_as_decided() {
    let reply = |reply: Value| {
        let mut client = Client::new(vec![json!({"then": {"reply": reply}})]);
        let exchange = client.create("ada@example.com");
        let decided = exchange.scripted.as_ref().unwrap().decided.clone();
        (exchange, decided)
    };
    let header = |exchange: &standin::Exchange, name: &str| {
        let values =
            exchange.reply.headers.all(name).map(|value| String::from_utf8_lossy(value).into_owned());
        values.collect::<Vec<_>>()
    };

    let (headers, decided) = reply(json!({"headers": {"x-a": ["1", "2"], "content-type": "text/plain"}}));
    assert_eq!(headers.reply.body, decided.unwrap().body);
    assert_eq!(
        (header(&headers, "x-a"), header(&headers, "content-type")),
        (vec!["1".into(), "2".into()], vec!["text/plain".into()])
    );

    let (page, _) = reply(
        json!({"status": 502, "headers": {"content-type": "text/html"}, "body": "<h1>Bad Gateway</h1>"}),
    );
    assert_eq!((page.reply.status, page.reply.body.as_ref()), (502, b"<h1>Bad Gateway</h1>".as_slice()));
    assert_eq!(header(&page, "content-type"), ["text/html"]);

    let (text, _) = reply(json!({"body": "text"}));
    assert_eq!((text.reply.status, text.reply.body.as_ref()), (200, b"\"text\"".as_slice()));

    let (empty, _) = reply(json!({"status": 503}));
    assert_eq!(
        (empty.reply.status, empty.reply.body.len(), header(&empty, "content-type").len()),
        (503, 0, 0)
    );

    // The same status is the reply that was decided.
    let (same, decided) = reply(json!({"status": 200}));
    assert_eq!((same.reply.status, decided), (200, None));
    assert_eq!(body(&same)["emailId"], "ada@example.com");
}

#[test]
fn what_is_said_of_the_preferences_stays_whatever_is_sent_instead() {
    let settings = ScriptSettings { rate_limit: NonZeroU32::new(1), ..ScriptSettings::default() };
    let mut client = Client::with(settings, vec![json!({"then": {"reply": {"status": 503}}})]);
    // Which reply it would like is no longer met.
    client.headers = vec![("prefer".into(), "code=200, delay=1s".into())];

    for status in [503, 429] {
        let exchange = client.queues();
        assert_eq!(exchange.reply.status, status);
        let said: Vec<_> = exchange.reply.headers.all("preference-applied").collect();
        assert_eq!(said, [b"delay=1s"], "{status}");
        assert_eq!(exchange.scripted.unwrap().course.delay, Duration::from_secs(1));
    }
    let full = client.stub.respond(Request::new("GET", "/nowhere").header("prefer", "delay=1s"));
    let full = client.stub.no_room(full, "less".into(), "more".into());
    assert_eq!(full.reply.headers.all("preference-applied").count(), 1);
}

#[test]
fn what_is_sent_instead_is_judged() {
    let breaches = |then: Value| {
        let exchange = Client::new(vec![json!({"then": then})]).create("ada@example.com");
        let scripted = exchange.scripted.unwrap();
        scripted.breaches.iter().map(ToString::to_string).collect::<Vec<_>>()
    };

    assert_eq!(
        breaches(json!({"patch": {"emailId": null}})),
        ["/body/emailId: expected a string, but found nothing"]
    );
    assert_eq!(
        breaches(json!({"patch": {"emailId": 5}})),
        ["/body/emailId: expected a string, but found `5`"]
    );
    assert_eq!(breaches(json!({"patch": {"emailId": "b@example.com"}})), [""; 0]);
    assert_eq!(
        breaches(json!({"reply": {"status": 418}})),
        ["/status: expected a status that the contract has, but found `418`"]
    );
    assert_eq!(breaches(json!({"reply": {"example": "server"}})), [""; 0]);
    assert_eq!(breaches(json!({"delay": "1s"})), [""; 0]);
}

#[test]
fn a_patch_changes_what_was_decided() {
    let mut client = Client::new(vec![
        json!({"when": {"operation": "listQueues"}, "then": {"patch": {"results": null, "totalResults": 7}}}),
    ]);

    let exchange = client.queues();

    let (sent, decided) = (body(&exchange), exchange.scripted.unwrap().decided.unwrap());
    let mut expected: Value = serde_json::from_slice(&decided.body).unwrap();
    expected.as_object_mut().unwrap().remove("results");
    expected["totalResults"] = json!(7);
    assert_eq!(sent, expected);
}

#[test]
fn delays_throttles_and_faults_are_said_and_the_reply_stays() {
    let course = |then: Value| {
        let exchange = Client::new(vec![json!({"then": then})]).queues();
        let scripted = exchange.scripted.unwrap();
        assert_eq!(scripted.decided, None);
        scripted.course
    };

    for (name, fault) in [
        (json!("reset"), Fault::Reset),
        (json!("close"), Fault::Close),
        (json!("empty"), Fault::Empty),
        (json!("garbage"), Fault::Garbage),
        (json!("hang"), Fault::Hang),
        (json!({"cut": 100}), Fault::Cut(100)),
    ] {
        assert_eq!(course(json!({"fault": name})).fault, Some(fault));
    }
    assert_eq!(course(json!({"delay": "1500ms"})).delay, Duration::from_millis(1500));
    assert_eq!(course(json!({"throttle": 1000})).throttle.unwrap().get(), 1000);
    let ranged = course(json!({"delay": {"from": "1s", "to": "2s"}})).delay;
    assert!((Duration::from_secs(1)..=Duration::from_secs(2)).contains(&ranged), "{ranged:?}");
    // However far out a draw is.
    let far = json!({"then": {"delay": {"median": "999ms", "p95": "1s"}}});
    let mut client = Client::new(vec![far]);
    let settings = Settings { max_delay: Duration::from_secs(1), ..client.stub.settings().clone() };
    client.stub = Stub::new(Contract::builtin(), settings);
    assert!((0..200).all(|_| client.queues().scripted.unwrap().course.delay <= Duration::from_secs(1)));
}

#[test]
fn a_request_that_asks_not_to_wait_does_not() {
    let mut client = Client::new(vec![json!({"then": {"delay": "5s", "throttle": 9}})]);
    for (wish, seconds) in [("delay=0s", 0), ("delay=1s", 1), ("delay=soon", 5), ("code=200", 5)] {
        client.headers = vec![("prefer".into(), wish.into())];
        let course = client.queues().scripted.unwrap().course;
        assert_eq!((course.delay, course.throttle.is_some()), (Duration::from_secs(seconds), true), "{wish}");
    }
}

#[test]
fn a_reply_that_has_no_body_gets_none() {
    let contract =
        Contract::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/made-up.openapi.json")));
    let contract = Arc::new(contract.unwrap());
    let stub = Stub::new(Arc::clone(&contract), Settings::default());
    for then in [json!({"reply": {"body": {"a": 1}}}), json!({"patch": {"a": 1}})] {
        let scripts = Scripts::new(&contract, ScriptSettings::default());
        let script = json!({"when": {"path": "/shop/items"}, "then": then});
        if scripts.add(&script, at(0)).is_err() {
            // What can be told before is told before.
            continue;
        }
        let mut exchange = stub.respond(Request::new("DELETE", "/shop/items"));

        scripts.act(&stub, &mut exchange, &mut Change::default());

        assert_eq!((exchange.reply.status, &*exchange.reply.body), (204, &b""[..]), "{then}");
        assert_eq!(exchange.scripted.unwrap().breaches, [], "{then}");
    }
}

#[test]
fn conditions_are_about_what_was_decided() {
    let mut client = Client::new(vec![
        json!({"when": {"status": 412}, "then": {"reply": {"status": 500}}}),
        json!({"when": {"operation": "createAgent", "body": {"emailId": "ada@example.com"}}, "then": {"reply": {"status": 503}}}),
        json!({"when": {"header": "accountId=2"}, "then": {"reply": {"status": 504}}}),
    ]);

    assert_eq!(client.send("POST", AGENTS, Some(json!({}))).reply.status, 500);
    assert_eq!(client.create("ada@example.com").reply.status, 503);
    assert_eq!(client.create("bob@example.com").reply.status, 200);
    client.headers = vec![("accountId".into(), "2".into())];
    assert_eq!(client.create("eve@example.com").reply.status, 504);
}

/// What becomes of a request: its status, fault and delay.
type Became = (u16, Option<Fault>, Duration);

/// What becomes of some requests.
fn run(client: &mut Client, count: usize) -> Vec<Became> {
    let outcome = |_| {
        let exchange = client.queues();
        let course = exchange.scripted.map(|scripted| scripted.course).unwrap_or_default();
        (exchange.reply.status, course.fault, course.delay)
    };
    (0..count).map(outcome).collect()
}

fn by_chance() -> Vec<Value> {
    vec![
        json!({"id": "error", "probability": 0.2, "then": {"reply": {"status": 500}}}),
        json!({"id": "reset", "probability": 0.2, "then": {"fault": "reset"}}),
        json!({"id": "slow", "then": {"delay": {"median": "10ms", "p95": "100ms"}}}),
    ]
}

#[test]
fn two_runs_with_the_same_seed_give_the_same_faults_and_delays() {
    let with =
        |seed| run(&mut Client::with(ScriptSettings { seed, ..ScriptSettings::default() }, by_chance()), 200);

    let first = with(1);

    assert_eq!(with(1), first);
    assert_ne!(with(2), first);
    let count = |is: &dyn Fn(&Became) -> bool| first.iter().filter(|one| is(one)).count();
    assert!((20..60).contains(&count(&|one| one.0 == 500)), "{first:?}");
    assert!((15..50).contains(&count(&|one| one.1.is_some())), "{first:?}");
}

#[test]
fn sessions_in_parallel_each_have_the_same_run_whatever_the_others_do() {
    let alone = |name: &str| {
        let scripts = Client::new(by_chance()).scripts;
        run(&mut Client::of(scripts, name), 50)
    };
    let scripts = Client::new(by_chance()).scripts;
    let together: Vec<_> = std::thread::scope(|scope| {
        let names = ["a", "b", "c", "d"];
        let runs = names.map(|name| {
            let scripts = Arc::clone(&scripts);
            scope.spawn(move || (name, run(&mut Client::of(scripts, name), 50)))
        });
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });

    for (name, run) in together {
        assert_eq!(run, alone(name), "{name}");
    }
    assert_ne!(alone("a"), alone("b"));
}

#[test]
fn a_script_is_gone_when_its_time_is_over() {
    let mut client =
        Client::new(vec![json!({"id": "short", "for": "10s", "then": {"reply": {"status": 503}}})]);

    assert_eq!(client.queues().reply.status, 503);
    client.now = 9_999;
    assert_eq!(client.queues().reply.status, 503);
    client.now = 10_000;
    assert_eq!(client.queues().reply.status, 200);
    assert_eq!(client.scripts.list(at(9_999)).len(), 1);
    assert_eq!(client.scripts.list(at(10_000)).len(), 0);
    // It can be removed no more, and does not count.
    client.scripts.remove("short", at(10_000)).unwrap_err();
    assert_eq!((client.scripts.count(at(9_999)), client.scripts.count(at(10_000))), (1, 0));
    // Its id is free again.
    client.scripts.add(&json!({"id": "short", "then": {"throttle": 1}}), at(10_000)).unwrap();
    client.scripts.put("short", &json!({"for": "1s", "then": {"throttle": 1}}), at(10_000)).unwrap();
    assert_eq!(client.scripts.clear(at(11_000)), 0);
}

#[test]
fn scripts_have_ids_and_places() {
    let scripts = scripts(ScriptSettings::default());
    let plain = json!({"then": {"throttle": 1}});
    let ids =
        || scripts.list(at(0)).iter().map(|told| told["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();

    assert_eq!(scripts.add(&plain, at(0)), Ok(vec!["script-1".to_owned()]));
    scripts.add(&json!({"id": "own", "then": {"throttle": 1}}), at(0)).unwrap();
    scripts.add(&plain, at(0)).unwrap();
    assert_eq!(ids(), ["script-1", "own", "script-2"]);
    scripts.remove("script-1", at(0)).unwrap();
    scripts.add(&plain, at(0)).unwrap();
    assert_eq!(ids(), ["own", "script-2", "script-3"]);

    let taken = scripts.add(&json!({"id": "own", "then": {"throttle": 1}}), at(0)).unwrap_err();
    assert_eq!(taken, ScriptError::Taken("own".into()));
    assert_eq!(
        scripts.remove("scirpt-2", at(0)).unwrap_err().to_string(),
        "expected the id of a script, but found `scirpt-2` (did you mean script-2?)"
    );
    scripts.put("own", &json!({"then": {"throttle": 2}}), at(0)).unwrap();
    scripts.put("new", &json!({"then": {"throttle": 2}}), at(0)).unwrap();
    assert_eq!(ids(), ["own", "script-2", "script-3", "new"]);
    assert_eq!(scripts.get("own", at(0)).unwrap()["script"]["then"]["throttle"], 2);
    let other = scripts.put("own", &json!({"id": "other", "then": {"throttle": 2}}), at(0)).unwrap_err();
    assert_eq!(
        other.to_string(),
        "/id: expected one script with the id `own`, as the path has, but found another"
    );

    // All or none.
    let half =
        json!({"scripts": [{"id": "x", "then": {"throttle": 1}}, {"id": "own", "then": {"throttle": 1}}]});
    scripts.add_all(&half, at(0)).unwrap_err();
    assert_eq!(ids().len(), 4);
    assert_eq!(scripts.replace(&json!({"scripts": [plain]}), at(0)), Ok(vec!["script-1".to_owned()]));
    assert_eq!(ids(), ["script-1"]);
    assert_eq!(scripts.clear(at(0)), 1);
    assert_eq!(scripts.add(&plain, at(0)), Ok(vec!["script-1".to_owned()]));
}

#[test]
fn another_script_in_its_place_counts_from_the_beginning() {
    let once = json!({"times": 1, "then": {"reply": {"status": 503}}});
    let mut client = Client::new(Vec::new());
    client.scripts.put("once", &once, at(0)).unwrap();
    assert_eq!([0; 2].map(|_| client.queues().reply.status), [503, 200]);

    client.scripts.put("once", &once, at(0)).unwrap();

    assert_eq!([0; 2].map(|_| client.queues().reply.status), [503, 200]);
    let document = json!({"scripts": [{"id": "once", "times": 1, "then": {"reply": {"status": 503}}}]});
    client.scripts.replace(&document, at(0)).unwrap();
    assert_eq!([0; 2].map(|_| client.queues().reply.status), [503, 200]);
}

#[test]
fn there_is_an_end_to_scripts() {
    let full = |document: Value| match scripts(ScriptSettings::default()).add_all(&document, at(0)) {
        Err(ScriptError::Full(text)) => text,
        other => panic!("{other:?}"),
    };
    let many = |count: usize, length: usize| {
        let script = json!({"then": {"reply": {"body": "x".repeat(length)}}});
        json!({"scripts": vec![script; count]})
    };

    assert_eq!(full(many(1001, 1)), "expected at most 1000 scripts, but found 1001 with these");
    assert!(
        full(many(1, 1 << 20))
            .starts_with("expected a script that takes at most 1048576 bytes, but found 10486")
    );
    assert!(
        full(many(17, 1_000_000)).starts_with("expected at most 16777216 bytes of scripts, but found 170")
    );
    // What is kept as values takes more than its text.
    let patch = json!({"scripts": [{"then": {"patch": {"id": vec![0; 100_000]}}}]});
    assert!(full(patch).starts_with("expected a script that takes at most 1048576 bytes, but found 7"));
    scripts(ScriptSettings::default()).add_all(&many(16, 1_000_000), at(0)).unwrap();
    scripts(ScriptSettings::default()).add_all(&many(1000, 1), at(0)).unwrap();
}

fn limited(most: u32) -> Client {
    let settings = ScriptSettings { rate_limit: NonZeroU32::new(most), ..ScriptSettings::default() };
    Client::with(settings, vec![json!({"id": "all", "then": {"throttle": 1}})])
}

#[test]
fn an_account_may_send_so_many_requests_in_a_minute() {
    let mut client = limited(2);
    assert_eq!(client.create("a@example.com").reply.status, 200);
    client.now = 30_000;
    assert_eq!(client.create("b@example.com").reply.status, 200);

    client.now = 30_500;
    let refused = client.create("c@example.com");

    assert_eq!(refused.reply.status, 429);
    assert_eq!(refused.reply.headers.all("retry-after").collect::<Vec<_>>(), [b"30"]);
    let message = "You've exceeded the per-minute rate limit. Please wait for sometime before retrying.";
    assert_eq!(body(&refused)["errors"][0]["msg"], message);
    assert_eq!(script(&refused), Some("rate-limit"));
    assert!(refused.scripted.as_ref().unwrap().discarded);
    assert_eq!(refused.scripted.unwrap().breaches, []);
    // What is refused does not count, and no script acts on it.
    assert_eq!(client.scripts.acted("all"), Some(2));
    client.now = 60_000;
    assert_eq!(client.create("c@example.com").reply.status, 200);
    assert_eq!(client.session.resources(), 3);
}

#[test]
fn a_limit_is_for_those_whom_the_service_knows_each_account_by_itself() {
    let mut client = limited(1);
    let mut status = |account: &str, target: &str| {
        client.headers = vec![("accountId".into(), account.into())];
        client.send("GET", target, None).reply.status
    };
    let queues = super::QUEUES;

    assert_eq!([status("1", queues), status("1", queues), status("2", queues)], [200, 429, 200]);
    assert_eq!([status("3", "/nowhere"), status("3", "/nowhere"), status("3", queues)], [404, 404, 200]);
    // A skill group names no account; its client has one.
    let groups = "/agentassist/api/v1/public/st-1/skill-groups";
    assert_eq!([status("4", groups), status("5", groups)], [200, 429]);
}
