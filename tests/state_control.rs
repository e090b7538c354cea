//! The control API of a server that keeps state: sessions, their states, and what it says when something is wrong.

mod support;

use serde_json::{Value, json};
use standin::{Server, SessionLimits, Sessions, Settings, StateSettings};
use support::{Client, Reply, post_head, server};

/// A server that keeps state.
fn stateful() -> Server {
    server(|config| config.settings.state = Some(StateSettings::default()))
}

/// A control call, with the header lines that it needs.
fn call(server: &Server, method: &str, path: &str, body: &str) -> Reply {
    with(server, method, path, "content-type: application/json\r\n", body)
}

fn with(server: &Server, method: &str, path: &str, headers: &str, body: &str) -> Reply {
    let length = body.len();
    Client::connect(server.addr()).call(format!(
        "{method} /__standin/{path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n{body}"
    ))
}

fn create(server: &Server, session: &str, email: &str) -> Reply {
    let body = json!({"emailId": email, "firstName": "A", "lastName": "B", "roleId": "r-1"}).to_string();
    let head = post_head(&format!("x-standin-session: {session}\r\ncontent-length: {}\r\n", body.len()));
    let reply = Client::connect(server.addr()).call(head + &body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply
}

/// The sessions that there are, with their versions.
fn sessions(server: &Server) -> Vec<(String, u64)> {
    let listed = call(server, "GET", "sessions", "").json();
    let session = |session: &Value| {
        (session["name"].as_str().unwrap().to_owned(), session["version"].as_u64().unwrap())
    };
    listed["sessions"].as_array().unwrap().iter().map(session).collect()
}

fn state(server: &Server, name: &str) -> Value {
    let reply = call(server, "GET", &format!("sessions/{name}/state"), "");
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

fn error(reply: &Reply) -> String {
    reply.json()["error"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_session_takes_a_place_at_its_first_change() {
    let server = stateful();
    let look = post_head("x-standin-session: looked\r\ncontent-length: 2\r\n") + "{}";
    Client::connect(server.addr()).call(look);
    assert_eq!(sessions(&server), []);

    create(&server, "a", "a@example.com");
    create(&server, "b", "b@example.com");
    create(&server, "a", "c@example.com");

    assert_eq!(sessions(&server), [("a".to_owned(), 2), ("b".to_owned(), 1)]);
    let health = call(&server, "GET", "health", "").json();
    assert_eq!((&health["state"]["sessions"], &health["state"]["changes"]), (&json!(2), &json!(3)));
}

#[test]
fn a_state_can_be_read_and_put_back() {
    let server = stateful();
    create(&server, "a", "a@example.com");
    let before = state(&server, "a");
    create(&server, "a", "b@example.com");
    assert_ne!(state(&server, "a"), before);

    let put = call(&server, "PUT", "sessions/a/state", &before.to_string());

    assert_eq!((put.status, &put.json()["name"]), (200, &json!("a")), "{}", put.text());
    assert_eq!(state(&server, "a"), before);
}

#[test]
fn a_state_can_be_put_into_a_session_that_is_new() {
    let server = stateful();
    create(&server, "a", "a@example.com");

    let put = call(&server, "PUT", "sessions/b/state", &state(&server, "a").to_string());

    assert_eq!((put.status, &put.json()["resources"]), (200, &json!(1)), "{}", put.text());
}

#[test]
fn a_reset_goes_back_to_the_start_and_emptying_to_nothing() {
    let server = stateful();
    create(&server, "a", "a@example.com");
    let resources = |reply: Reply| reply.json()["resources"].as_u64();

    assert_eq!(resources(call(&server, "POST", "sessions/a/reset", "")), Some(0));
    create(&server, "a", "a@example.com");
    assert_eq!(resources(call(&server, "DELETE", "sessions/a/state", "")), Some(0));
}

#[test]
fn a_fork_has_the_same_and_goes_its_own_way() {
    let server = stateful();
    create(&server, "a", "a@example.com");

    let fork = call(&server, "POST", "sessions/a/fork?to=b", "");
    create(&server, "b", "b@example.com");

    assert_eq!((fork.status, &fork.json()["name"]), (200, &json!("b")));
    assert_eq!(sessions(&server), [("a".to_owned(), 1), ("b".to_owned(), 2)]);
}

#[test]
fn a_session_that_is_removed_is_gone() {
    let server = stateful();
    create(&server, "a", "a@example.com");

    let removed = call(&server, "DELETE", "sessions/a", "");

    assert_eq!((removed.status, removed.json()), (200, json!({"removed": "a"})));
    assert_eq!(sessions(&server), []);
}

#[test]
fn the_usual_session_is_there_before_its_first_change() {
    let server = stateful();

    for (method, path) in [
        ("GET", "sessions/default/state"),
        ("POST", "sessions/default/reset"),
        ("DELETE", "sessions/default"),
        ("POST", "sessions/default/fork?to=b"),
    ] {
        assert_eq!(call(&server, method, path, "").status, 200, "{method} {path}");
    }
}

#[test]
fn err_sessions() {
    let server = stateful();
    create(&server, "a", "a@example.com");
    create(&server, "b", "b@example.com");
    let before = (sessions(&server), state(&server, "a"));
    let deep = "[".repeat(200) + &"]".repeat(200);

    for (method, path, body, status, says) in [
        ("GET", "sessions/c/state", "", 404, "expected a session with changes among a, b, but found `c`"),
        ("POST", "sessions/c/reset", "", 404, "expected a session with changes among a, b"),
        ("DELETE", "sessions/c", "", 404, "expected a session with changes among a, b"),
        ("DELETE", "sessions/c/state", "", 404, "expected a session with changes among a, b"),
        ("POST", "sessions/c/fork?to=d", "", 404, "expected a session with changes among a, b"),
        ("POST", "sessions/a/fork?to=b", "", 409, "expected a name that no session has, but found `b`"),
        ("POST", "sessions/a/fork?to=a", "", 409, "expected a name that no session has, but found `a`"),
        (
            "POST",
            "sessions/default/fork?to=default",
            "",
            409,
            "expected a name that no session has, but found `default`",
        ),
        (
            "POST",
            "sessions/a/fork",
            "",
            400,
            "to: expected the name of the session to make, but found nothing",
        ),
        ("POST", "sessions/a/fork?to=a%20b", "", 400, "1 to 64 letters"),
        ("POST", "sessions/a/fork?from=b", "", 400, "expected parameters among to"),
        ("GET", "sessions/a%20b/state", "", 400, "but found `a%20b`"),
        ("PUT", "sessions/a/state", "{", 400, "expected JSON"),
        ("PUT", "sessions/a/state", &deep, 400, "nested at most 128 deep"),
        ("PUT", "sessions/a/state", "[]", 400, "the state breaks the contract"),
        ("PUT", "sessions/a/state", r#"{"standin": "state", "format": 99}"#, 400, "format"),
        ("POST", "sessions/a/state", "", 405, "expected"),
        ("GET", "sessions//state", "", 404, "expected a path of the control API"),
        ("GET", "session", "", 404, "/__standin/sessions"),
    ] {
        let reply = call(&server, method, path, body);
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text());
        assert!(error(&reply).contains(says), "{method} {path}: {}", reply.text());
    }
    assert_eq!((sessions(&server), state(&server, "a")), before);
}

#[test]
fn pages_of_other_origins_change_nothing() {
    let server = stateful();
    create(&server, "a", "a@example.com");
    let before = state(&server, "a");

    let plain = with(&server, "POST", "sessions/a/reset", "content-type: text/plain\r\n", "");
    let bare = with(&server, "POST", "sessions/a/reset", "", "");
    let json = "content-type: application/json\r\norigin: http://elsewhere.test\r\n";
    let foreign = with(&server, "PUT", "sessions/a/state", json, "{}");
    let removed = with(&server, "DELETE", "sessions/a", "origin: http://elsewhere.test\r\n", "");
    let read = with(&server, "GET", "sessions/a/state", "origin: http://elsewhere.test\r\n", "");

    let statuses = [plain, bare, foreign, removed, read].map(|reply| reply.status);
    assert_eq!(statuses, [415, 415, 403, 403, 403]);
    assert_eq!(state(&server, "a"), before);
}

#[test]
fn a_server_without_state_says_how_to_have_one() {
    let server = server(|_| {});

    let reply = call(&server, "GET", "sessions", "");

    assert_eq!(reply.status, 409);
    assert!(error(&reply).ends_with("start it with --state"), "{}", reply.text());
    assert_eq!(call(&server, "GET", "health", "").json()["state"], Value::Null);
}

#[test]
fn beyond_the_sessions_that_there_may_be_nothing_is_changed_or_lost() {
    let server = server(|config| {
        let settings = StateSettings::default();
        let limits = SessionLimits { sessions: 2, ..SessionLimits::default() };
        config.sessions = Some(Sessions::empty(&config.contract, &settings, limits).into());
        config.settings = Settings { state: Some(settings), ..Settings::default() };
    });
    create(&server, "a", "a@example.com");
    create(&server, "b", "b@example.com");

    let body = r#"{"emailId": "c@example.com", "firstName": "A", "lastName": "B", "roleId": "r-1"}"#;
    let head = post_head(&format!("x-standin-session: c\r\ncontent-length: {}\r\n", body.len()));
    let refused = Client::connect(server.addr()).call(head + body);
    let fork = call(&server, "POST", "sessions/a/fork?to=c", "");

    assert_eq!(refused.status, 507, "{}", refused.text());
    assert!(refused.text().contains("at most 2 sessions with changes"), "{}", refused.text());
    assert_eq!(
        (fork.status, error(&fork)),
        (507, "expected at most 2 sessions with changes, but found another one".into())
    );
    assert_eq!(sessions(&server), [("a".to_owned(), 1), ("b".to_owned(), 1)]);
    call(&server, "DELETE", "sessions/a", "");
    create(&server, "c", "c@example.com");
}

#[test]
fn beyond_the_memory_that_there_is_nothing_is_changed_and_a_reset_gives_it_back() {
    let server = server(|config| {
        let settings = StateSettings::default();
        let limits = SessionLimits { bytes: 20_000, ..SessionLimits::default() };
        config.sessions = Some(Sessions::empty(&config.contract, &settings, limits).into());
        config.settings = Settings { state: Some(settings), ..Settings::default() };
    });
    let post = |session: &str, number: usize| {
        let body = json!({"emailId": format!("a{number}@example.com"), "firstName": "A", "lastName": "B", "roleId": "r"});
        let body = body.to_string();
        let head = post_head(&format!("x-standin-session: {session}\r\ncontent-length: {}\r\n", body.len()));
        Client::connect(server.addr()).call(head + &body)
    };

    let full = (0..1000).find(|&number| post("a", number).status == 507).unwrap();
    let other = post("b", 1);

    assert!(full > 3);
    assert_eq!(other.status, 507);
    assert!(other.text().contains("where all sessions together may grow by"), "{}", other.text());
    assert_eq!(sessions(&server), [("a".to_owned(), full as u64)]);
    call(&server, "POST", "sessions/a/reset", "");
    assert_eq!(call(&server, "GET", "health", "").json()["state"]["bytes"], json!(0));
    assert_eq!(post("b", 1).status, 200);
}

#[test]
fn a_state_that_is_too_long_is_refused_with_what_it_may_be() {
    let server = server(|config| {
        let mut settings = StateSettings::default();
        settings.bounds.bytes = 2 * 1024 * 1024;
        config.settings.state = Some(settings);
    });
    let body = format!("\"{}\"", "x".repeat(2 * 1024 * 1024));

    let reply = call(&server, "PUT", "sessions/default/state", &body);

    assert_eq!(reply.status, 413);
    assert_eq!(error(&reply), "expected a body of at most 2097152 bytes, but found a larger one");
    assert_eq!(call(&server, "POST", "requests/verify", &body).status, 413, "others are shorter");
}

#[test]
fn a_session_is_prepared_and_looked_into_from_rust() {
    let server = stateful();
    let session = server.session("suite-1");
    let start = session.state();
    create(&server, "suite-1", "a@example.com");
    let changed = session.state();
    assert_ne!(changed, start);

    session.reset();
    assert_eq!(session.state(), start);
    session.set_state(&changed).unwrap();
    assert_eq!(session.state(), changed);
    let error = session.set_state(&json!([])).unwrap_err();
    assert!(error.to_string().starts_with("the state breaks the contract: "), "{error}");
    assert_eq!(session.state(), changed);
    assert_eq!(session.url(), format!("{}/@suite-1", server.url()));
}

/// Has a provider state hold, as Pact's verifiers ask for it.
fn provider_state(server: &Server, query: &str, state: &str, params: &Value) -> Reply {
    let body = json!({"state": state, "params": params, "action": "setup"}).to_string();
    call(server, "POST", &format!("provider-states{query}"), &body)
}

#[test]
fn a_provider_state_makes_the_thing_exist_that_it_is_about() {
    let server = stateful();
    let token = json!({"streamId": "st-9", "accountId": "acc-1"});
    assert_eq!(provider_state(&server, "", "the account's token is valid", &token).status, 200);

    let reply = provider_state(&server, "", "an agent exists", &json!({"agentId": "a-1"}));

    assert_eq!((reply.status, reply.json()), (200, json!({"agentId": "a-1"})));
    let agents = json!([{"scope": {"stream": "st-9"}, "records": [{"id": "a-1"}]}]);
    assert_eq!(state(&server, "default")["resources"]["agent"], agents);
    let again = provider_state(&server, "", "an agent exists", &json!({"agentId": "a-1"}));
    assert_eq!((again.status, sessions(&server)), (200, vec![("default".to_owned(), 1)]));
    provider_state(&server, "", "no agents", &json!({}));
    assert_eq!(state(&server, "default")["resources"], json!({}));
}

#[test]
fn a_provider_state_is_of_the_session_that_is_named() {
    let server = stateful();

    assert_eq!(
        provider_state(&server, "?session=a", "an agent exists", &json!({"agentId": "a-1"})).status,
        200
    );
    let odd = provider_state(&server, "?session=a%20b", "an agent exists", &json!({"agentId": "a-1"}));

    assert_eq!(sessions(&server), [("a".to_owned(), 1)]);
    assert_eq!(odd.status, 400, "{}", odd.text());
}

#[test]
fn what_a_provider_state_made_can_be_changed_and_what_it_did_not_make_is_missing() {
    let server = stateful();
    provider_state(&server, "", "the account's token is valid", &json!({"streamId": "st-1"}));
    provider_state(&server, "", "an agent exists", &json!({"agentId": "a-1"}));

    let update = |id: &str| {
        let body = include_str!("../fixtures/updateAgent/request.json");
        let head = post_head(&format!("content-length: {}\r\n", body.len()));
        let target = format!("/agentassist/api/v1/public/st-1/agents/{id}?groupId=ag-1");
        let request = head.replacen("POST", "PUT", 1).replacen(support::AGENTS, &target, 1) + body;
        Client::connect(server.addr()).call(request).status
    };

    assert_eq!((update("a-1"), update("a-2")), (200, 404));
}
