//! The control API without a socket.

mod access;
mod filters;
mod index;
mod load;
mod states;
mod stream;

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{Request, Response, header::HeaderMap};
use serde_json::{Value, json};

use super::*;
use crate::{
    JournalLimits, ScriptSettings, Settings, Step,
    journal::tests::{exchange, journal},
    server::watch::Watch,
};

/// A request under way on a connection of its own.
fn caller() -> InFlight {
    InFlight::begin(Watch::new(), &Arc::default())
}

/// A control API over a journal.
struct Api {
    state: ControlState,
    journal: Arc<Journal>,
}

/// What came back.
struct Reply {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Api {
    fn new(journal: Journal) -> Self {
        Self::with(journal, ControlConfig::default())
    }

    fn with(journal: Journal, config: ControlConfig) -> Self {
        let journal = Arc::new(journal);
        let contract = Contract::builtin();
        let scripts = Arc::new(Scripts::new(&contract, ScriptSettings::default()));
        let state = ControlState::new(
            &Stub::new(contract, Settings::default()),
            Arc::clone(&journal),
            Arc::default(),
            CancellationToken::new(),
            scripts,
            None,
            config,
        );
        Self { state, journal }
    }

    async fn open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<ControlBody> {
        let mut request = Request::builder().method(method).uri(format!("/__standin/{path}"));
        if headers.iter().all(|(name, _)| *name != "host") {
            request = request.header("host", "localhost:8484");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let caller = caller();
        respond(&self.state, &parts, Bytes::copy_from_slice(body.as_bytes()), &caller).await
    }

    async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let (parts, body) = self.open(method, path, headers, body).await.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes.into()).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, &[], "").await
    }

    async fn verify(&self, expectation: &Value) -> Reply {
        let headers = [("content-type", "application/json")];
        self.call("POST", "requests/verify", &headers, &expectation.to_string()).await
    }
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    fn ids(&self) -> Vec<u64> {
        let json = self.json();
        let exchanges = json["exchanges"].as_array().unwrap();
        exchanges.iter().map(|exchange| exchange["id"].as_u64().unwrap()).collect()
    }

    fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[tokio::test]
async fn health_has_the_counts() {
    let api = Api::new(journal(3, 5));

    let reply = api.get("health").await;

    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("cache-control"), "no-store");
    let json = reply.json();
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json["exchanges"]["recorded"], 5);
    assert_eq!(json["exchanges"]["dropped"], 2);
    assert_eq!(json["limits"]["entries"], 3);
    assert_eq!(json["unparsed"], 0);
}

#[tokio::test]
async fn exchanges_are_listed_oldest_first_as_far_as_asked() {
    let api = Api::new(journal(200, 150));
    let mut refused = exchange("createQueue", "gu ru");
    refused.step = Step::Validate;
    refused.reply.status = 412;
    api.journal.record(refused);

    let reply = api.get("requests").await;
    assert_eq!((reply.ids().len(), reply.ids()[0]), (100, 1));
    assert_eq!(reply.json()["last"], 100);

    let reply = api.get("requests?after=100&limit=200").await;
    assert_eq!((reply.ids().len(), reply.ids()[0]), (51, 101));
    assert_eq!(reply.json()["dropped"], 0);

    for query in ["status=412", "outcome=refused", "contains=gu+ru", "contains=gu%20ru&status="] {
        assert_eq!(api.get(&format!("requests?{query}")).await.ids(), [151], "{query}");
    }
    assert_eq!(api.get("requests?outcome=unmatched").await.json()["exchanges"], json!([]));
}

#[tokio::test]
async fn one_exchange_is_found_by_number() {
    let api = Api::new(journal(2, 3));

    assert_eq!(api.get("requests/3").await.json()["id"], 3);
    for (id, error) in [
        ("1", "exchange 1 is not kept any more: it was dropped for want of room, or forgotten by a DELETE"),
        ("0", "exchange 0 is not recorded; the newest is 3"),
        ("4", "exchange 4 is not recorded; the newest is 3"),
        ("x", "expected the number of an exchange, stream or verify, but found `x`"),
    ] {
        let reply = api.get(&format!("requests/{id}")).await;
        assert_eq!((reply.status, reply.error().as_str()), (404, error));
    }
}

#[tokio::test]
async fn a_wait_ends_as_soon_as_there_are_enough() {
    let api = Api::new(journal(10, 1));
    let wait = api.get("requests?wait=3&timeout=60s");
    let record = async {
        for _ in 0..4 {
            tokio::task::yield_now().await;
            api.journal.record(exchange("createAgent", "{}"));
        }
    };

    let (reply, ()) = tokio::join!(wait, record);

    assert_eq!((reply.status, reply.ids()), (200, vec![1, 2, 3]));
    assert_eq!(reply.json()["last"], 3);
    let rest = api.get("requests?wait=2&after=3&timeout=60s");
    let (reply, _) = tokio::join!(rest, async { api.journal.record(exchange("createAgent", "{}")) });
    assert_eq!(reply.ids(), [4, 5]);
}

#[tokio::test]
async fn a_wait_in_vain_gives_what_there_is() {
    let api = Api::new(journal(10, 2));

    let reply = api.get("requests?wait=3&timeout=20ms").await;

    assert_eq!((reply.status, reply.ids()), (417, vec![1, 2]));
    assert_eq!(reply.error(), "expected 3 matching exchanges within 20ms, but found 2");
}

#[tokio::test]
async fn delete_forgets_and_numbers_go_on() {
    let api = Api::new(journal(10, 2));

    let reply = api.call("DELETE", "requests", &[], "").await;
    api.journal.record(exchange("createAgent", "{}"));

    assert_eq!((reply.status, reply.json()), (200, json!({"forgotten": 2})));
    assert_eq!(api.get("requests").await.ids(), [3]);
}

#[tokio::test]
async fn verify_holds_fails_or_does_not_know() {
    let api = Api::new(journal(2, 0));
    for body in [r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":2}"#] {
        api.journal.record(exchange("createAgent", body));
    }

    let held = api.verify(&json!({"body": {"a": 2}})).await;
    assert_eq!(held.status, 200);
    assert_eq!(held.json(), json!({"verdict": "held", "count": 2, "ids": [2, 3]}));

    let failed = api.verify(&json!({"body": {"a": 3}, "after": 1})).await;
    assert_eq!(failed.status, 417);
    assert_eq!(failed.error(), "expected at least 1 matching exchange, but found 0");
    assert_eq!(
        failed.json()["nearest"][0],
        json!({"id": 3, "matching": 0, "differences": [
            {"pointer": "/body/a", "expected": "3", "found": "2"},
        ]})
    );

    let unknown = api.verify(&json!({"body": {"a": 1}, "count": 1})).await;
    assert_eq!(unknown.status, 409);
    assert_eq!(unknown.json()["dropped"], 1);
}

#[tokio::test]
async fn what_is_not_understood_is_refused_with_what_was_expected() {
    let api = Api::new(journal(10, 0));
    for (path, error) in [
        (
            "requests?limt=1",
            "expected parameters among operation, outcome, status, session, script, path, header, query, contains, after, limit, wait, \
             timeout, but found `limt` (did you mean limit?)",
        ),
        ("requests?limit=1&limit=2", "expected the parameter limit once, but found it twice"),
        ("requests?path=/a&path=/b", "expected the parameter path once, but found it twice"),
        ("requests?header=%3Dx", "header: expected a name, or NAME=VALUE, but found `=x`"),
        (
            "requests?limit=11",
            "limit: expected at most 10, which is as many as the journal keeps, but found `11`",
        ),
        ("requests?limit=-1", "limit: expected a number that is not negative, but found `-1`"),
        (
            "requests?wait=11",
            "wait: expected at most 10, which is as many as the journal keeps, but found `11`",
        ),
        (
            "requests?wait=1&timeout=5",
            "timeout: expected a time such as 5s or 500ms, at most 60s, but found `5`",
        ),
        (
            "requests?wait=1&timeout=61s",
            "timeout: expected a time such as 5s or 500ms, at most 60s, but found `61s`",
        ),
        (
            "requests?wait=1&timeout=-1s",
            "timeout: expected a time such as 5s or 500ms, at most 60s, but found `-1s`",
        ),
        ("requests?timeout=1s", "expected a timeout only together with wait, but found it alone"),
        ("requests?status=99", "status: expected a status such as 412, but found `99`"),
        ("requests?outcome=ok", "outcome: expected answered, refused or unmatched, but found `ok`"),
        (
            "requests?contains=%f",
            "expected percent-encoded UTF-8 in the query, but found a bad escape in `%f`",
        ),
        (
            "requests?contains=%ff",
            "expected percent-encoded UTF-8 in the query, but found bytes that are not UTF-8 in `%ff`",
        ),
        ("health?x=1", "expected no parameters, but found `x`"),
        ("export", "format: expected ndjson, har, curl or pact, but found nothing"),
        ("export?format=pdf", "format: expected ndjson, har, curl or pact, but found `pdf`"),
    ] {
        let reply = api.get(path).await;
        assert_eq!((reply.status, reply.error().as_str()), (400, error), "{path}");
    }
    let reply = api.get("requests?operation=nope").await;
    assert_eq!(reply.status, 400);
    assert!(reply.error().starts_with("operation: expected an operation among "));
    let reply = api.get("requests?operation=createAgnt").await;
    assert!(reply.error().ends_with("but found `createAgnt` (did you mean createAgent?)"));
    let reply = api.verify(&json!({"operation": "nope", "count": 0})).await;
    assert_eq!(reply.status, 400);
    let reply = api.verify(&json!({"cuont": 0})).await;
    assert!(reply.error().ends_with("but found `cuont`"));
}

#[tokio::test]
async fn an_unknown_path_lists_those_there_are_and_another_method_those_allowed() {
    let api = Api::new(journal(1, 0));
    for path in ["nope", "requests/", "requests/1/2", "health/"] {
        let reply = api.get(path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.json()["paths"].as_array().unwrap().len() > 8);
    }
    for (method, path, allow) in [
        ("POST", "requests", "GET, HEAD, DELETE"),
        ("GET", "requests/verify", "POST"),
        ("DELETE", "requests/1", "GET, HEAD"),
        ("OPTIONS", "health", "GET, HEAD"),
    ] {
        let reply = api.call(method, path, &[], "").await;
        assert_eq!((reply.status, reply.header("allow")), (405, allow), "{path}");
    }
    assert_eq!(api.call("HEAD", "health", &[], "").await.status, 200);
}

#[tokio::test]
async fn exports_are_files_that_can_be_read() {
    let api = Api::new(journal(10, 2));

    let ndjson = api.get("export?format=ndjson").await;
    assert_eq!(crate::render::ndjson::read(ndjson.text.as_bytes()).unwrap()[0].exchanges.len(), 2);
    assert!(ndjson.header("content-disposition").contains("standin.ndjson"));

    let har = api.get("export?format=har").await;
    assert_eq!(har.json(), crate::render::har::log(&api.journal.snapshot()));

    let curl = api.get("export?format=curl").await;
    assert_eq!(curl.text.matches("curl --path-as-is").count(), 2);
    assert!(curl.text.contains("'http://localhost:8484/createAgent'"));
}

#[tokio::test]
async fn an_empty_journal_exports_as_an_empty_file() {
    let api = Api::new(journal(10, 0));

    assert_eq!(api.get("export?format=ndjson").await.text, "");
    assert_eq!(api.get("export?format=curl").await.text, "");
    assert_eq!(api.get("export?format=har").await.json()["log"]["entries"], json!([]));
}

#[tokio::test]
async fn the_contract_and_the_ledger_are_served() {
    let api = Api::new(journal(1, 0));

    let contract = Contract::builtin();
    for (call, audience) in [
        ("openapi.json", Audience::Exact),
        ("openapi.json?for=validators", Audience::Exact),
        ("openapi.json?for=generators", Audience::Generators(Errors::Vendor)),
    ] {
        let served = api.get(call).await.json();
        let url = served["servers"][0]["url"].as_str().unwrap();
        assert!(url.starts_with("http://"), "{url}");
        let published: Value = serde_json::from_slice(&contract.published_at(audience, url)).unwrap();
        assert_eq!(served, published, "{call}");
    }
    assert_eq!(api.get("ledger").await.json(), serde_json::to_value(contract.ledger()).unwrap());
}

#[tokio::test]
async fn a_long_list_is_all_there() {
    let api = Api::new(Journal::new(JournalLimits { entries: 1000, ..JournalLimits::default() }));
    for _ in 0..600 {
        api.journal.record(exchange("createAgent", "{}"));
    }

    assert_eq!(api.get("requests?limit=1000").await.ids(), (1..=600).collect::<Vec<_>>());
}

/// The rest of a body after its first piece, when `meanwhile` has happened in between.
async fn rest(mut body: ControlBody, meanwhile: impl FnOnce()) -> String {
    let mut text = Vec::new();
    text.extend(body.frame().await.unwrap().unwrap().into_data().unwrap());
    meanwhile();
    text.extend(body.collect().await.unwrap().to_bytes());
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn a_reader_that_takes_its_time_keeps_nothing_and_is_told_what_it_missed() {
    for (path, missing) in [
        ("export?format=ndjson", "{\"dropped\":2}\n"),
        ("export?format=har", ",\"comment\":\"2 exchanges are missing: "),
        ("export?format=curl", "# 2 exchanges are missing: "),
        ("requests", ",\"gone\":2}"),
        ("requests?wait=3", ",\"gone\":2}"),
    ] {
        let api = Api::new(journal(3, 3));
        let oldest = Arc::downgrade(&api.journal.get(2).unwrap());
        let body = api.open("GET", path, &[], "").await.into_body();
        // The first piece of these is what comes before the first exchange.
        let record = if path.ends_with("ndjson") || path.ends_with("curl") { 3 } else { 2 };

        let text = rest(body, || {
            for _ in 0..record {
                api.journal.record(exchange("createQueue", "{}"));
            }
            assert!(oldest.upgrade().is_none(), "{path}");
        })
        .await;

        assert_eq!(text.matches(missing).count(), 1, "{path}: {text}");
        assert!(text.contains("/createAgent"), "{path}: {text}");
        assert!(!text.contains("/createQueue"), "{path}: {text}");
        if path.ends_with("ndjson") {
            assert_eq!(crate::render::ndjson::read(text.as_bytes()).unwrap()[0].exchanges.len(), 1);
        }
    }
}

#[tokio::test]
async fn a_reader_that_takes_its_time_is_told_of_a_delete_as_well() {
    let api = Api::new(journal(3, 3));
    let body = api.open("GET", "export?format=har", &[], "").await.into_body();

    let text = rest(body, || {
        api.journal.clear();
    })
    .await;

    let har: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(har["log"]["entries"], json!([]));
    assert!(har["log"]["comment"].as_str().unwrap().starts_with("3 exchanges are missing"));
}

#[tokio::test]
async fn what_changes_something_says_that_it_is_json() {
    let api = Api::new(journal(10, 0));
    for (method, path, headers, body, status) in [
        ("DELETE", "requests", &[][..], "", 200),
        ("DELETE", "requests", &[("content-type", "application/json")], "", 200),
        ("DELETE", "requests", &[], "{}", 415),
        ("DELETE", "requests", &[("content-type", "text/plain")], "", 415),
        ("POST", "requests/verify", &[], "", 415),
        ("POST", "requests/verify", &[], "{}", 415),
        ("POST", "provider-states", &[("content-type", "text/plain")], "{}", 415),
        ("POST", "nope", &[], "{}", 404),
        ("POST", "requests", &[], "{}", 405),
    ] {
        assert_eq!(api.call(method, path, headers, body).await.status, status, "{method} {path} {headers:?}");
    }
}

#[tokio::test]
async fn every_call_of_the_table_is_there() {
    let api = Api::new(journal(10, 1));
    for call in &CALLS {
        // One of them removes all.
        api.state.scripts.put("1", &json!({"then": {"throttle": 1}}), Timestamp::now()).unwrap();
        let path = call.path.strip_prefix("/__standin/").unwrap().replace("ID", "1");
        let headers = [("content-type", "application/json")];
        let status = api.open(call.method.as_str(), &path, &headers, "").await.status().as_u16();
        assert!(!matches!(status, 404 | 405), "{} {path}: {status}", call.method);
        if let Some(param) = call.params.first() {
            let reply =
                api.call(call.method.as_str(), &format!("{path}?{param}=&nope=1"), &headers, "").await;
            assert!(reply.error().ends_with("but found `nope`"), "{path}: {}", reply.text);
        }
    }
}
