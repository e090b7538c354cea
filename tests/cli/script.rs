//! `standin script`, and `serve --scripts`.

use serde_json::Value;

use crate::support::{
    Call,
    program::{Folder, Server, end, run, run_with_input, standin},
};

const GOOD: &str = r#"{"scripts": [{"times": 1, "then": {"reply": {"status": 503}}}, {"preset": "flaky"}]}"#;
const BAD: &str = r#"{"scripts": [
    {"when": {"operation": "createAgnet"}, "tims": 1, "then": {"fault": "rest"}}
]}"#;

#[test]
fn files_are_checked_and_every_mistake_has_its_place() {
    let folder = Folder::new();
    let (good, bad) = (folder.file("good.json", GOOD), folder.file("bad.json", BAD));

    assert_eq!(run(["script", "check", &good]).fine(), format!("{good}: ok, 3 scripts\n"));
    assert_eq!(
        run_with_input(["script", "check", "-"], GOOD.as_bytes()).fine(),
        "standard input: ok, 3 scripts\n"
    );
    let wrong = run(["script", "check", &good, &bad]);
    assert_eq!(wrong.code, 1, "{wrong:?}");
    let lines: Vec<_> = wrong.out.lines().collect();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[1].starts_with(&format!("{bad}: /scripts/0/tims: ")), "{}", lines[1]);
    assert!(lines[1].ends_with("(did you mean times?)"), "{}", lines[1]);
    assert!(
        lines[2].contains("/scripts/0/then/fault: ") && lines[2].ends_with("(did you mean reset?)"),
        "{}",
        lines[2]
    );
    assert!(
        lines[3].contains("/scripts/0/when/operation: ") && lines[3].ends_with("(did you mean createAgent?)")
    );
    assert_eq!(run_with_input(["script", "check", "-"], b"{").code, 1);
    run(["script", "check", "nowhere.json"]).complaint(3);
    run(["script", "check", "-", "-"]).complaint(2);
}

#[test]
fn presets_are_listed_and_printed_as_files() {
    let list = run(["script", "presets"]).fine();
    assert!(list.lines().any(|line| line.starts_with("flaky ")), "{list}");
    let printed = run(["script", "presets", "flaky"]).fine();
    assert_eq!(run_with_input(["script", "check", "-"], printed.as_bytes()).code, 0);
    let unknown = run(["script", "presets", "flakey"]);
    assert!(unknown.complaint(2).contains("(did you mean flaky?)"), "{unknown:?}");
}

#[test]
fn a_server_begins_with_the_scripts_of_files_and_presets() {
    let folder = Folder::new();
    let good = folder.file("good.json", r#"{"scripts": [{"times": 1, "then": {"reply": {"status": 503}}}]}"#);
    let server =
        Server::start(&["--scripts", &good, "--scripts", "maintenance", "--seed", "7", "--rate-limit", "60"]);

    let health = server.call(&Call::get("/__standin/health")).json();

    assert_eq!(health["scripts"], serde_json::json!({"seed": 7, "rateLimit": 60, "count": 2}));
    let listed: Value = server.call(&Call::get("/__standin/scripts")).json();
    assert_eq!(listed["scripts"][1]["id"], "maintenance");
    assert_eq!(server.call(&Call::get("/nowhere")).status, 503);
}

#[test]
fn scripts_that_cannot_be_used_are_said_before_serving() {
    let folder = Folder::new();
    let bad = folder.file("bad.json", BAD);
    for (arguments, code, says) in [
        (&["--scripts", bad.as_str()][..], 3, "/scripts/0/tims: expected"),
        (&["--scripts", "flakey"], 3, "no such file or directory"),
        (
            &["--scripts", "flaky", "--scripts", "flaky"],
            3,
            "expected an id that no script has, but found `flaky-1`",
        ),
        (&["--rate-limit", "0"], 2, "--rate-limit"),
        (&["--seed", "x"], 2, "--seed"),
    ] {
        let ended = end(&mut standin([&["serve", "--listen", "127.0.0.1:0"], arguments].concat()));
        assert!(ended.complaint(code).contains(says), "{arguments:?}: {ended:?}");
    }
}
