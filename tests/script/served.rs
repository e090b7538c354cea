//! A server with scripts: the control API, and tests in Rust.

use serde_json::{Value, json};
use standin::{Expectation, Script, Server, Settings, StateSettings};

use super::support::{Client, Reply, get, post, server};

/// A control call.
fn call(server: &Server, method: &str, path: &str, body: &str) -> Reply {
    with(server, method, path, "content-type: application/json\r\n", body)
}

fn with(server: &Server, method: &str, path: &str, headers: &str, body: &str) -> Reply {
    let length = body.len();
    Client::connect(server.addr()).call(format!(
        "{method} /__standin/{path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n{body}"
    ))
}

fn add(server: &Server, script: &Value) -> Vec<String> {
    let reply = call(server, "POST", "scripts", &script.to_string());
    assert_eq!(reply.status, 200, "{}", reply.text());
    serde_json::from_value(reply.json()["added"].clone()).unwrap()
}

fn create(server: &Server) -> Reply {
    let agent = r#"{"emailId": "ada@example.com", "firstName": "A", "lastName": "B", "roleId": "r-1"}"#;
    Client::connect(server.addr()).call(post(agent))
}

fn stateful() -> Server {
    server(|config| {
        config.settings = Settings { state: Some(StateSettings::default()), ..Settings::default() }
    })
}

#[test]
fn a_script_of_a_test_acts_until_its_guard_is_dropped() {
    let server = stateful();
    let second = server.script(Script::on("createAgent").nth(2).reply(429));

    let statuses = [0; 3].map(|_| create(&server).status);

    // The first made the agent, and the third finds that.
    assert_eq!(statuses, [200, 429, 409]);
    assert_eq!((second.id(), second.acted()), ("script-1", 1));
    let recorded = server.journal().get(2).unwrap();
    let scripted = recorded.exchange.scripted.as_ref().unwrap();
    assert_eq!(scripted.script.as_deref(), Some("script-1"));
    drop(second);
    let fresh = server.script(Script::any().reply(503));
    assert_eq!(create(&server).status, 503);
    drop(fresh);
    assert_eq!(create(&server).status, 409);
}

#[test]
fn a_guard_is_about_its_own_script_and_not_about_one_that_has_got_its_id() {
    let server = server(|_| {});
    let own = server.script(Script::any().id("x").reply(503));
    assert_eq!(create(&server).status, 503);
    let other = json!({"then": {"reply": {"status": 500}}});
    assert_eq!(call(&server, "PUT", "scripts/x", &other.to_string()).status, 200);
    assert_eq!(create(&server).status, 500);

    assert_eq!((own.id(), own.acted()), ("x", 1));
    drop(own);

    assert_eq!(create(&server).status, 500);
}

#[test]
fn a_script_that_is_refused_says_why() {
    let server = server(|_| {});
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _guard = server.script(Script::on("createAgnet").reply(429));
    }));
    let text = *refused.unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("/when/operation: expected an operation among"), "{text}");
    assert!(text.contains("(did you mean createAgent?)"), "{text}");
}

#[test]
fn a_retry_after_an_error_finds_the_session_as_it_was() {
    let server = stateful();
    let _twice = server.script(Script::on("createAgent").times(2).reply(500));

    let replies = [0; 4].map(|_| create(&server));

    assert_eq!(replies.each_ref().map(|reply| reply.status), [500, 500, 200, 409]);
    let id = replies[2].json()["id"].as_str().unwrap().to_owned();
    let path = format!("/agentassist/api/v1/public/st-1/agents/{id}");
    let headers = format!("auth: {}\r\naccountId: 1\r\n\r\n", super::support::TOKEN);
    let read = get(&path).trim_end().to_owned() + "\r\n" + &headers;
    assert_eq!(Client::connect(server.addr()).call(read).status, 200);
}

#[test]
fn scripts_are_added_listed_replaced_and_removed() {
    let server = server(|_| {});
    let plain = json!({"then": {"throttle": 100}});
    assert_eq!(add(&server, &plain), ["script-1"]);
    assert_eq!(add(&server, &json!({"preset": "flaky"})), ["flaky-1", "flaky-2"]);

    let listed = call(&server, "GET", "scripts", "").json();
    assert_eq!(listed["seed"], 0);
    assert_eq!(listed["neverActed"], json!(["script-1", "flaky-1", "flaky-2"]));
    assert_eq!(
        listed["scripts"][0],
        json!({"id": "script-1", "matched": 0, "acted": 0, "until": null, "script": plain})
    );

    let put = call(&server, "PUT", "scripts/flaky-1", r#"{"then": {"reply": {"status": 503}}, "for": "1h"}"#);
    assert_eq!((put.status, &put.json()["id"]), (200, &json!("flaky-1")), "{}", put.text());
    assert!(put.json()["until"].is_string());
    assert_eq!(call(&server, "DELETE", "scripts/script-1", "").json(), json!({"removed": "script-1"}));
    assert_eq!(create(&server).status, 503);
    let one = call(&server, "GET", "scripts/flaky-1", "").json();
    assert_eq!((&one["matched"], &one["acted"]), (&json!(1), &json!(1)));

    let replaced = call(&server, "PUT", "scripts", &json!({"scripts": [plain, plain]}).to_string());
    assert_eq!(replaced.json(), json!({"added": ["script-1", "script-2"]}));
    assert_eq!(call(&server, "DELETE", "scripts", "").json(), json!({"removed": 2}));
    assert_eq!(call(&server, "GET", "scripts", "").json()["scripts"], json!([]));
}

#[test]
fn what_is_wrong_is_said_with_its_status() {
    let server = server(|config| config.control.token = Some(standin::token::Secret::new("s3same")));
    let authorized = "authorization: Bearer s3same\r\ncontent-type: application/json\r\n";
    let say = |method: &str, path: &str, body: &str| {
        let reply = with(&server, method, path, authorized, body);
        (reply.status, reply.json()["error"].as_str().unwrap_or_default().to_owned())
    };
    let plain = r#"{"id": "a", "then": {"throttle": 1}}"#;
    assert_eq!(say("POST", "scripts", plain).0, 200);
    let document = |count: usize, body: usize| {
        json!({"scripts": vec![json!({"then": {"reply": {"body": "x".repeat(body)}}}); count]}).to_string()
    };

    for (method, path, body, status, error) in [
        ("POST", "scripts", "{", 400, "expected JSON, but found the end of the text"),
        ("POST", "scripts", "{}", 400, "/then: expected what it does, but found nothing"),
        ("POST", "scripts", plain, 409, "expected an id that no script has, but found `a`"),
        ("GET", "scripts/b", "", 404, "expected the id of a script, but found `b`"),
        ("DELETE", "scripts/b", "", 404, "expected the id of a script, but found `b`"),
        ("PUT", "scripts/a", "[]", 400, "expected an object, but found `[]`"),
        ("PUT", "scripts", &document(1001, 1), 507, "expected at most 1000 scripts, but found 1001"),
        // Longer than any other call may be.
        ("PUT", "scripts", &document(3, 1_000_000), 200, ""),
        ("POST", "scripts", &document(3, 1_000_000), 413, "expected a body of at most 1048576 bytes"),
    ] {
        let (found, said) = say(method, path, body);
        assert_eq!(found, status, "{method} {path}: {said}");
        assert!(said.starts_with(error), "{method} {path}: {said}");
    }
    let refused = with(&server, "POST", "scripts", authorized, r#"{"then": {"fault": "rest"}}"#).json();
    assert_eq!(refused["mistakes"][0]["pointer"], "/then/fault");
    let open = "content-type: application/json\r\n";
    assert_eq!(with(&server, "POST", "scripts", open, plain).status, 401);
    let foreign = format!("origin: http://evil.example\r\n{authorized}");
    assert_eq!(with(&server, "POST", "scripts", &foreign, plain).status, 403);
    assert_eq!(with(&server, "DELETE", "scripts", &foreign, "").status, 403);
    let form = "authorization: Bearer s3same\r\ncontent-type: text/plain\r\n";
    assert_eq!(with(&server, "PUT", "scripts", form, "{}").status, 415);
}

#[test]
fn presets_and_the_schema_can_be_asked_for() {
    let server = server(|_| {});

    let presets = call(&server, "GET", "scripts/presets", "").json();
    let names = presets["presets"].as_array().unwrap().iter().map(|preset| preset["name"].as_str().unwrap());
    assert!(names.clone().any(|name| name == "flaky"));
    let schema = call(&server, "GET", "scripts/schema.json", "").json();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&json!({"scripts": []})));
}

#[test]
fn health_shows_the_seed_and_the_limit() {
    let settings = standin::ScriptSettings {
        seed: 42,
        rate_limit: std::num::NonZeroU32::new(1),
        ..standin::ScriptSettings::default()
    };
    let scripts = std::sync::Arc::new(standin::Scripts::new(&standin::Contract::builtin(), settings));
    let server = server(|config| config.scripts = Some(scripts));

    let health = call(&server, "GET", "health", "").json();

    assert_eq!(health["scripts"], json!({"seed": 42, "rateLimit": 1, "count": 0}));
    assert_eq!([create(&server).status, create(&server).status], [200, 429]);
}

#[test]
fn exchanges_are_found_by_their_script_and_a_verification_says_which_never_acted() {
    let server = server(|_| {});
    add(&server, &json!({"id": "once", "times": 1, "then": {"reply": {"status": 503}}}));
    add(&server, &json!({"id": "idle", "when": {"operation": "createQueue"}, "then": {"throttle": 1}}));
    create(&server);
    create(&server);

    let found = call(&server, "GET", "requests?script=once", "").json();
    assert_eq!(found["exchanges"].as_array().unwrap().len(), 1);
    let verified = call(&server, "POST", "requests/verify", r#"{"script": "once", "count": 1}"#).json();
    assert_eq!(verified, json!({"verdict": "held", "count": 1, "ids": [1], "neverActed": ["idle"]}));
    let failed = call(&server, "POST", "requests/verify", r#"{"script": "idle"}"#);
    assert_eq!((failed.status, &failed.json()["neverActed"]), (417, &json!(["idle"])));
    let expected = Expectation::from_json(br#"{"script": "once", "status": 503, "count": 1}"#).unwrap();
    assert_eq!(server.verify(&expected).unwrap(), [1]);
}

#[test]
fn a_script_is_about_the_session_that_it_names() {
    let server = server(|_| {});
    let _only = server.script(Script::any().session("a").times(1).reply(503));
    let status =
        |session: &str| Client::connect(server.addr()).call(get(&format!("/@{session}/nowhere"))).status;

    assert_eq!([status("b"), status("a"), status("a")], [404, 503, 404]);
}
