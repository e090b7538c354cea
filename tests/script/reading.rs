//! What a script may say, and what it is told when it says something else.

use serde_json::{Value, json};
use standin::{Contract, Errors, Fault, Preset, Script, ScriptError, ScriptSettings, script_schema};

use super::{at, scripts};

/// All that is said about a script.
fn said(script: &Value) -> Vec<String> {
    match scripts(ScriptSettings::default()).add(script, at(0)) {
        Ok(_) => Vec::new(),
        Err(ScriptError::Wrong(mistakes)) => mistakes.iter().map(ToString::to_string).collect(),
        Err(other) => panic!("{other}"),
    }
}

/// Scripts that are read, with every member there is.
fn good() -> Vec<Value> {
    vec![
        json!({"then": {"reply": {"status": 500}}}),
        json!({
            "id": "all.of-it_1",
            "session": "suite-1",
            "when": {
                "operation": "createAgent", "outcome": ["answered", "refused"], "status": 200,
                "path": "/agents", "header": ["accountId=1", "auth"], "query": "page=1",
                "contains": "ada", "body": {"emailId": "ada@example.com", "skills": [{"skillId": "s"}]}
            },
            "after": 0, "every": 1, "times": 1, "probability": 1, "for": "10m", "commit": true,
            "then": {
                "reply": {"status": 502, "headers": {"retry-after": "1", "set-cookie": ["a=1", "b=2"]}, "body": "x"},
                "patch": {"emailId": null}, "delay": "1500ms", "throttle": 1, "fault": {"cut": 0}
            }
        }),
        json!({"when": {"outcome": "unmatched"}, "then": {"reply": {"headers": {"content-type": "text/html"}, "body": "<p>"}}}),
        json!({"when": {"session": "a"}, "then": {"delay": {"from": "0s", "to": "1s"}}}),
        json!({"then": {"delay": {"median": "200ms", "p95": "1s"}}}),
        json!({"then": {"reply": {"body": null}}}),
        json!({"when": null, "times": null, "then": {"fault": "reset", "delay": null}}),
        json!({"then": {"fault": "close"}}),
        json!({"then": {"fault": "empty"}}),
        json!({"then": {"fault": "garbage"}}),
        json!({"then": {"fault": "hang"}}),
        json!({"when": {"operation": "createAgent"}, "then": {"reply": {"status": 429, "example": "rateLimit"}}}),
        json!({"when": {"operation": "createQueue", "body": {"hoursOfOperation": {}}}, "then": {"fault": "reset"}}),
        json!({"preset": "flaky", "session": "a", "for": "1m"}),
    ]
}

/// Scripts of which everything is wrong that is said.
fn bad() -> Vec<(Value, Vec<&'static str>)> {
    let then = |then: Value| json!({"then": then});
    vec![
        (json!([]), vec!["expected an object, but found `[]`"]),
        (json!({}), vec!["/then: expected what it does, but found nothing"]),
        (
            then(json!({})),
            vec!["/then: expected one of reply, patch, delay, throttle or fault, but found nothing"],
        ),
        (
            then(json!({"dealy": "1s", "throttle": 1})),
            vec![
                "/then/dealy: expected reply, patch, delay, throttle or fault, but found `dealy` (did you mean delay?)",
            ],
        ),
        (
            json!({"afer": 1, "then": {"throttle": 1}}),
            vec![
                "/afer: expected id, session, when, after, every, times, probability, for, then or commit, \
                 but found `afer` (did you mean after?)",
            ],
        ),
        (
            json!({"after": -1, "every": 0, "times": 0, "probability": 0, "for": "soon", "commit": 1, "then": {"throttle": 0}}),
            vec![
                "/after: expected a number that is not negative, but found `-1`",
                "/every: expected a number from 1 up, but found `0`",
                "/times: expected a number from 1 up, but found `0`",
                "/probability: expected a number greater than 0, and at most 1, but found `0`",
                "/for: expected a time of at most a day, such as 1500ms or 5s, but found `\"soon\"`",
                "/commit: expected true or false, but found `1`",
                "/then/throttle: expected a number of bytes a second, from 1 up, but found `0`",
            ],
        ),
        (
            json!({"id": "a b", "session": "ü", "then": {"throttle": 1}}),
            vec![
                "/id: expected an id of 1 to 64 letters, digits, dots, underscores and hyphens, but found `a b`",
                "/session: expected the name of a session, 1 to 64 letters, digits, dots, underscores and hyphens, but found `ü`",
            ],
        ),
        (
            json!({"id": "rate-limit", "then": {"throttle": 1}}),
            vec!["/id: expected an id of its own, but found `rate-limit`, which means something else"],
        ),
        (
            json!({"when": {"status": 99, "outcome": "lost", "boby": {}}, "then": {"throttle": 1}}),
            vec![
                "/when/boby: expected operation, outcome, status, session, path, header, query, contains or body, \
                 but found `boby` (did you mean body?)",
                "/when/status: expected a status such as 412, but found `99`",
                "/when/outcome: expected answered, refused or unmatched, but found `\"lost\"`",
            ],
        ),
        (
            json!({"when": {"script": "other"}, "then": {"throttle": 1}}),
            vec![
                "/when/script: expected operation, outcome, status, session, path, header, query, contains or body, but found `script`",
            ],
        ),
    ]
}

/// The same about what they do.
fn bad_actions() -> Vec<(Value, Vec<&'static str>)> {
    let then = |then: Value| json!({"then": then});
    vec![
        (
            then(json!({"fault": "rest"})),
            vec![
                "/then/fault: expected reset, close, empty, garbage, hang or {\"cut\": BYTES}, but found `rest` (did you mean reset?)",
            ],
        ),
        (
            then(json!({"fault": {"cut": -1}})),
            vec![
                "/then/fault: expected reset, close, empty, garbage, hang or {\"cut\": BYTES}, but found `{\"cut\":-1}`",
            ],
        ),
        (
            then(json!({"delay": 5})),
            vec![
                "/then/delay: expected a time of at most a day, such as 1500ms or 5s, {\"from\", \"to\"}, or {\"median\", \"p95\"}, but found `5`",
            ],
        ),
        (
            then(json!({"delay": {"from": "2s", "to": "1s"}})),
            vec!["/then/delay/to: expected a time that is not less than from, but found `\"1s\"`"],
        ),
        (
            then(json!({"delay": {"median": "2s"}})),
            vec![
                "/then/delay/p95: expected a time of at most a day, such as 1500ms or 5s, but found nothing",
            ],
        ),
        (
            then(json!({"delay": {"median": "0s", "p95": "1s"}})),
            vec!["/then/delay/median: expected a time that is not 0, but found `0`"],
        ),
        (
            then(json!({"delay": "6m"})),
            vec!["/then/delay: expected a time of at most 300s, as --max-delay says, but found `360s`"],
        ),
        (
            then(json!({"reply": {}})),
            vec!["/then/reply: expected one of status, example, headers or body, but found nothing"],
        ),
        (
            then(json!({"reply": {"status": 101}})),
            vec!["/then/reply/status: expected a status from 200 to 599, but found `101`"],
        ),
        (
            then(json!({"reply": {"headers": {"a b": "1", "Content-Length": "5", "x": "a\nb", "y": 1}}})),
            vec![
                "/then/reply/headers/a b: expected the name of a header, but found `a b`",
                "/then/reply/headers/Content-Length: expected a header that the server does not set itself, but found `content-length`",
                "/then/reply/headers/x: expected a text that a header can have, or several, but found `\"a\\\\nb\"`",
                "/then/reply/headers/y: expected a text that a header can have, or several, but found `1`",
            ],
        ),
        (then(json!({"patch": []})), vec!["/then/patch: expected an object, but found `[]`"]),
    ]
}

/// Scripts that are right by themselves, and yet could never act.
fn never() -> Vec<(Value, Vec<&'static str>)> {
    vec![
        (
            json!({"when": {"operation": "createAgnet"}, "then": {"throttle": 1}}),
            vec!["/when/operation: expected an operation among "],
        ),
        (
            json!({"session": "a", "when": {"session": "b"}, "then": {"throttle": 1}}),
            vec!["/when/session: expected `a`, but found `b`"],
        ),
        (
            json!({"when": {"operation": "createAgent", "body": {"emialId": "x"}}, "then": {"throttle": 1}}),
            vec![
                "/when/body/emialId: expected a name that the contract has there, but found `emialId` (did you mean emailId?)",
            ],
        ),
        (
            json!({"when": {"operation": "createAgent", "body": {"chatLanguageSupport": [{"langauge": "x"}]}}, "then": {"throttle": 1}}),
            vec![
                "/when/body/chatLanguageSupport/0/langauge: expected a name that the contract has there, but found `langauge` (did you mean language?)",
            ],
        ),
        (
            json!({"when": {"operation": "getAgent", "body": {}}, "then": {"throttle": 1}}),
            vec!["/when/body: expected an operation that takes a body, but found `getAgent`"],
        ),
        (
            json!({"when": {"operation": "createAgent"}, "then": {"reply": {"example": "rateLimits"}}}),
            vec!["/then/reply/example: expected a sample among "],
        ),
        (
            json!({"when": {"operation": "createAgent"}, "then": {"reply": {"status": 418, "example": "sample"}}}),
            vec!["/then/reply/example: expected a status that has samples, but found `sample`"],
        ),
        (
            json!({"when": {"operation": "listQueues"}, "then": {"patch": {"result": []}}}),
            vec![
                "/then/patch/result: expected a name that the contract has there, but found `result` (did you mean results?)",
            ],
        ),
        (json!({"preset": "flakey"}), vec!["/preset: expected a preset among "]),
        (
            json!({"preset": "flaky", "times": 1}),
            vec!["/times: expected preset, session or for, but found `times`"],
        ),
        (
            json!({"when": {"operation": 5}, "then": {"delay": "x"}}),
            vec!["/when/operation: expected a string, but found `5`", TIME_AT_DELAY],
        ),
    ]
}

#[test]
fn a_sample_is_one_of_the_wording_that_is_spoken() {
    let sample = |status: u16, name: &str| json!({"when": {"operation": "createAgent"}, "then": {"reply": {"status": status, "example": name}}});
    for (errors, vendor, rfc) in
        [(None, true, true), (Some(Errors::Vendor), true, false), (Some(Errors::Rfc), false, true)]
    {
        let scripts = scripts(ScriptSettings { errors, ..ScriptSettings::default() });
        assert_eq!(scripts.add(&sample(412, "violations"), at(0)).is_ok(), vendor, "{errors:?}");
        assert_eq!(scripts.add(&sample(400, "violations"), at(0)).is_ok(), rfc, "{errors:?}");
    }
}

const TIME_AT_DELAY: &str = "/then/delay: expected a time of at most a day, such as 1500ms or 5s, {\"from\", \"to\"}, or {\"median\", \"p95\"}, but found `\"x\"`";

#[test]
fn what_scripts_may_say_is_read() {
    for script in good() {
        assert_eq!(said(&script), [""; 0], "{script}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_with_its_place_and_a_near_name() {
    for (script, expected) in [bad(), bad_actions(), never()].concat() {
        let said = said(&script);
        assert_eq!(said.len(), expected.len(), "{script}: {said:#?}");
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.starts_with(expected), "{script}: {said}");
        }
    }
    let near =
        |script: Value, name: &str| assert!(said(&script)[0].contains(&format!("(did you mean {name}?)")));
    near(json!({"when": {"operation": "createAgnet"}, "then": {"throttle": 1}}), "createAgent");
    near(json!({"then": {"reply": {"example": "rateLimits"}}}), "rateLimit");
    near(json!({"preset": "flakey"}), "flaky");
}

#[test]
fn a_reply_has_no_more_headers_than_can_be_sent_and_no_body_where_there_is_none() {
    let many = |count: usize| json!({"headers": {"x-a": vec!["b"; count]}});
    let long = |length: usize| json!({"headers": {"x-a": "b".repeat(length)}});
    for (reply, expected) in [
        (many(100), ""),
        (many(101), "/then/reply/headers: expected at most 100 headers, but found 101"),
        (long(65_533), ""),
        (long(65_534), "/then/reply/headers: expected at most 65536 bytes of headers, but found 65537"),
        (json!({"status": 204}), ""),
        (json!({"status": 204, "headers": {"content-type": "text/plain"}, "body": ""}), ""),
        (
            json!({"status": 204, "body": {}}),
            "/then/reply/body: expected no body, as 204 has none, but found one",
        ),
        (
            json!({"status": 304, "body": null}),
            "/then/reply/body: expected no body, as 304 has none, but found one",
        ),
    ] {
        assert_eq!(said(&json!({"then": {"reply": reply}})).join("; "), expected);
    }
    let patched = json!({"then": {"reply": {"status": 204}, "patch": {"emailId": null}}});
    assert_eq!(said(&patched), ["/then/patch: expected no body, as 204 has none, but found one"]);
}

#[test]
fn mistakes_in_a_document_have_the_place_of_their_script() {
    let scripts = scripts(ScriptSettings::default());
    let document =
        json!({"scripts": [{"then": {"throttle": 1}}, {"then": {"fault": "x"}}, {"preset": "nothing"}]});

    let error = scripts.add_all(&document, at(0)).unwrap_err();

    let ScriptError::Wrong(mistakes) = error else { panic!("{error}") };
    let pointers: Vec<_> = mistakes.iter().map(|mistake| mistake.pointer.as_str()).collect();
    assert_eq!(pointers, ["/scripts/1/then/fault", "/scripts/2/preset"]);
    assert_eq!(scripts.list(at(0)).len(), 0);
    for (document, expected) in [
        (json!([]), "expected an object, but found `[]`"),
        (json!({}), "/scripts: expected a list of scripts, but found nothing"),
        (json!({"scripts": {}}), "/scripts: expected a list of scripts, but found `{}`"),
        (
            json!({"script": [], "scripts": []}),
            "/script: expected scripts, but found `script` (did you mean scripts?)",
        ),
    ] {
        assert_eq!(scripts.add_all(&document, at(0)).unwrap_err().to_string(), expected);
    }
}

#[test]
fn mistakes_have_an_end() {
    let many: Vec<_> = (0..1000).map(|_| json!({})).collect();
    let error = scripts(ScriptSettings::default()).add_all(&json!({"scripts": many}), at(0)).unwrap_err();
    let ScriptError::Wrong(mistakes) = error else { panic!("{error}") };
    assert_eq!(mistakes.len(), 100);
}

#[test]
fn the_schema_takes_what_is_read_and_refuses_what_is_not() {
    let schema = script_schema(&Contract::builtin());
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    let is_valid = |script: Value| validator.is_valid(&json!({"scripts": [script]}));
    for script in good() {
        assert!(is_valid(script.clone()), "{script}");
    }
    let says_more = [
        "--max-delay",
        "time such as",
        "not less",
        "not 0",
        "an id of its own",
        "of a header",
        "server does not",
    ];
    for (script, expected) in [bad(), bad_actions(), never()].concat() {
        // What depends on the contract's samples, or on two members, is for the reader.
        let is_known = expected.iter().any(|message| says_more.iter().any(|part| message.contains(part)));
        let is_semantic = expected.iter().all(|message| {
            ["/body/", "/when/body:", "sample", "contract has there", "/when/session: expected `"]
                .iter()
                .any(|part| message.contains(part))
        });
        assert!(!is_valid(script.clone()) || is_known || is_semantic, "{script}");
    }
    for preset in Preset::all() {
        assert!(validator.is_valid(&preset.document()), "{}", preset.name);
    }
}

#[test]
fn a_script_in_rust_is_the_same_as_its_json() {
    use std::time::Duration;
    let time = Duration::from_millis;
    for (built, json) in [
        (
            Script::on("createAgent").nth(2).reply(429),
            json!({
                "when": {"operation": "createAgent"}, "after": 1, "times": 1, "then": {"reply": {"status": 429}}
            }),
        ),
        (
            Script::any()
                .id("x")
                .session("a")
                .when("outcome", "answered")
                .after(1)
                .every(2)
                .times(3)
                .probability(0.5)
                .lasting(time(60_000))
                .commit(false)
                .reply_example("rateLimit")
                .reply_body(json!({"a": 1}))
                .reply_header("retry-after", "1")
                .patch(json!({"id": null}))
                .delay(time(20))
                .throttle(100)
                .fault(Fault::Cut(5)),
            json!({
                "id": "x", "session": "a", "when": {"outcome": "answered"}, "after": 1, "every": 2, "times": 3,
                "probability": 0.5, "for": "60s", "commit": false,
                "then": {
                    "reply": {"example": "rateLimit", "body": {"a": 1}, "headers": {"retry-after": "1"}},
                    "patch": {"id": null}, "delay": "20ms", "throttle": 100, "fault": {"cut": 5}
                }
            }),
        ),
        (
            Script::any().delay_between(time(1), time(2)),
            json!({"then": {"delay": {"from": "1ms", "to": "2ms"}}}),
        ),
        (
            Script::any().delay_log_normal(Duration::from_micros(1500), time(2)),
            json!({"then": {"delay": {"median": "1500us", "p95": "2ms"}}}),
        ),
        (Script::any().fault(Fault::Reset), json!({"then": {"fault": "reset"}})),
    ] {
        let built = Value::from(built);
        assert_eq!(built, json);
        assert_eq!(said(&built), [""; 0], "{built}");
    }
}

/// Pointers to all values in a value.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    let below: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (name, value) in below {
        pointers(value, &format!("{at}/{name}"), found);
    }
}

#[test]
fn whatever_stands_in_a_script_is_read_or_refused_and_what_is_read_the_schema_takes() {
    let schema = script_schema(&Contract::builtin());
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    let odd = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("x"),
        json!("1s"),
        json!("é/~ "),
        json!([]),
        json!([null]),
        json!({}),
        json!({"x": 1}),
    ];
    let mut refused = Vec::new();
    for script in good() {
        let mut places = Vec::new();
        pointers(&script, "", &mut places);
        for place in places {
            for value in &odd {
                let mut changed = script.clone();
                *changed.pointer_mut(&place).unwrap() = value.clone();
                let is_read = said(&changed).is_empty();
                if is_read && !validator.is_valid(&json!({"scripts": [changed]})) {
                    refused.push(format!("{place} {value}"));
                }
            }
        }
    }
    assert_eq!(refused, [""; 0]);
}
