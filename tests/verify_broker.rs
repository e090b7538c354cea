//! `standin verify --broker` against a small broker in this process.

mod support;

use serde_json::{Value, json};
use standin::Checks;
use support::{
    faulty::{Faulty, Received, write},
    interactions::INTERACTIONS,
    program::{Ended, end, standin},
    server,
};

/// A broker with the committed pact, as far as a verifier needs one: the index, the list of pacts, the pact, and where
/// results are published.
fn broker() -> Faulty {
    Faulty::start(|request, stream| {
        let url = format!("http://{}", request.header("host").unwrap_or_default());
        if request.header("authorization") != Some("Bearer br0ker") {
            return write(stream, 401, "application/json", "{}");
        }
        let hal = |stream, body: &Value| write(stream, 200, "application/hal+json", &body.to_string());
        match (request.method.as_str(), request.target.as_str()) {
            ("GET", "/") => hal(
                stream,
                &json!({"_links": {"pb:latest-provider-pacts": {
                    "href": format!("{url}/pacts/provider/{{provider}}/latest"), "templated": true,
                }}}),
            ),
            ("GET", "/pacts/provider/agentassist/latest") => hal(
                stream,
                &json!({"_links": {"pb:pacts": [{"href": format!("{url}/pacts/1"), "title": "a pact"}]}}),
            ),
            ("GET", "/pacts/1") => hal(stream, &pact(&url)),
            ("POST", "/results") | ("PUT", "/branches/main/versions/abc123") => hal(stream, &json!({})),
            ("GET", "/provider") => hal(
                stream,
                &json!({"_links": {"pb:branch-version": {
                    "href": format!("{url}/branches/{{branch}}/versions/{{version}}"), "templated": true,
                }}}),
            ),
            _ => write(stream, 404, "application/json", "{}"),
        }
    })
}

/// The committed pact with ids and links, as a broker gives it out.
fn pact(url: &str) -> Value {
    let text = include_str!("../contracts/pacts/agentassist-client-agentassist.json");
    let mut pact: Value = serde_json::from_str(text).expect("it is JSON");
    for (number, interaction) in pact["interactions"].as_array_mut().expect("a list").iter_mut().enumerate() {
        interaction["_id"] = format!("id-{number}").into();
    }
    pact["_links"] = json!({
        "pb:publish-verification-results": {"href": format!("{url}/results")},
        "pb:provider": {"href": format!("{url}/provider")},
    });
    pact
}

fn verify(url: &str, broker: &Faulty, arguments: &[&str]) -> Ended {
    let arguments = [&["verify", url, "--broker", &broker.url], arguments].concat();
    end(standin(arguments).env("STANDIN_BROKER_TOKEN", "br0ker"))
}

fn published(broker: &Faulty) -> Vec<Value> {
    let results = |request: &Received| request.target == "/results";
    let bodies = broker.received().into_iter().filter(results).map(|request| request.body);
    bodies.map(|body| serde_json::from_str(&body).expect("results are JSON")).collect()
}

#[test]
fn the_brokers_pacts_are_verified_and_success_is_published() {
    let (server, broker) = (server(|_| {}), broker());

    let arguments = ["--provider-version", "abc123", "--provider-branch", "main"];
    let Ended { code, out, err } = verify(&server.url(), &broker, &arguments);

    assert_eq!(code, 0, "{out}{err}");
    assert!(
        out.starts_with(&format!("agentassist-client calls agentassist: {}/pacts/1\n", broker.url)),
        "{out}"
    );
    let published = published(&broker);
    assert_eq!(published.len(), 1);
    assert_eq!(published[0]["success"], true);
    assert_eq!(published[0]["providerApplicationVersion"], "abc123");
    // Two are pending.
    assert_eq!(published[0]["testResults"].as_array().unwrap().len(), INTERACTIONS.len() - 2);
    assert!(broker.received().iter().any(|request| request.method == "PUT"));
}

#[test]
fn failures_are_published_with_their_interactions() {
    let (server, broker) = (server(|config| config.settings.checks = Checks::Off), broker());

    let Ended { code, out, .. } = verify(&server.url(), &broker, &["--provider-version", "abc123"]);

    assert_eq!(code, 1, "{out}");
    let published = published(&broker);
    assert_eq!(published[0]["success"], false);
    let results = published[0]["testResults"].as_array().unwrap();
    let failed: Vec<_> = results.iter().filter(|result| result["success"] == false).collect();
    assert_eq!(failed.len(), 3);
    assert_eq!(failed[0]["interactionId"], "id-11");
    assert_eq!(failed[0]["interactionDescription"], "create an agent without an account");
    let mismatches = failed[0]["mismatches"].as_array().unwrap();
    assert!(mismatches.iter().any(|mismatch| mismatch["attribute"] == "status"), "{mismatches:?}");
}

#[test]
fn what_does_not_count_is_not_published_and_neither_is_a_part_of_a_pact() {
    let (server, broker) = (server(|_| {}), broker());

    let part = verify(&server.url(), &broker, &["--only", "create a queue"]);
    let published_of_part = published(&broker);
    let whole = verify(&server.url(), &broker, &["--include", "documented-accidents"]);

    assert_eq!((part.code, whole.code), (0, 0), "{}{}", part.err, whole.err);
    assert!(part.err.contains("results of a part of a pact are not published"), "{}", part.err);
    assert_eq!(published_of_part, [Value::Null; 0]);
    assert_eq!(published(&broker)[0]["testResults"].as_array().unwrap().len(), INTERACTIONS.len());
}

#[test]
fn a_broker_that_refuses_or_has_nothing_ends_the_run() {
    let server = server(|_| {});
    let empty = Faulty::start(|_, stream| write(stream, 404, "application/json", "{}"));
    let refusing = Faulty::start(|_, stream| write(stream, 401, "application/json", "{}"));
    let other = Faulty::start(|_, stream| write(stream, 200, "text/html", "<p>hello</p>"));

    for broker in [empty, refusing, other] {
        let Ended { code, out, err } = verify(&server.url(), &broker, &[]);
        assert_eq!((code, out.as_str(), err.lines().count()), (3, "", 1), "{err}");
        assert!(err.starts_with("standin: cannot read pacts from the broker http://127.0.0.1:"), "{err}");
    }
}

#[test]
fn results_that_the_broker_does_not_take_are_not_passed_over() {
    let server = server(|_| {});
    let forgetful = Faulty::start(|request, stream| {
        let url = format!("http://{}", request.header("host").unwrap_or_default());
        let body = match request.target.as_str() {
            "/" => json!({"_links": {"pb:latest-provider-pacts": {"href": format!("{url}/latest")}}}),
            "/latest" => json!({"_links": {"pacts": [{"href": format!("{url}/pact")}]}}),
            "/pact" => pact(&url),
            _ => return write(stream, 500, "application/json", "{}"),
        };
        write(stream, 200, "application/hal+json", &body.to_string());
    });

    let Ended { code, err, .. } = verify(&server.url(), &forgetful, &[]);

    assert_eq!(code, 3);
    assert!(err.contains("standin: cannot publish results to the broker"), "{err}");
}
