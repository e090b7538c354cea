//! Every command but `serve` and `journal`.

use std::{fs, process::Stdio};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use standin::Contract;

use crate::support::program::{Folder, end, ended, run, run_with_input, standin, start};

const SAMPLE: &str = "fixtures/createAgent/request.json";

/// The sample of createAgent with one member changed, or taken out for `null`.
fn agent(member: &str, value: Value) -> String {
    let mut agent: Value = serde_json::from_str(&fs::read_to_string(SAMPLE).unwrap()).unwrap();
    if value.is_null() {
        agent.as_object_mut().unwrap().remove(member);
    } else {
        agent[member] = value;
    }
    agent.to_string()
}

#[test]
fn help_has_examples_for_every_command() {
    let help = run(["--help"]).fine();
    let (_, commands) = help.split_once("\nCommands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    let names = commands.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names: Vec<_> = names.filter(|name| !["", "help"].contains(name)).collect();
    assert!(names.contains(&"verify"), "{names:?}");
    for command in names {
        let help = run([command, "--help"]).fine();
        assert!(help.contains(&format!("Usage: standin {command}")), "{help}");
        assert!(help.contains("Examples:\n  "), "{help}");
    }
    assert!(help.contains("Exit codes: 0 fine, 1 findings, 2 wrong usage, 3 could not run."), "{help}");
}

#[test]
fn the_version_names_the_commit_and_the_features() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(run(["-V"]).fine(), format!("standin {version}\n"));
    let long = run(["--version"]).fine();
    assert!(long.starts_with(&format!("standin {version} (commit ")), "{long}");
    let features = long.split_once("; features: ").expect(&long).1;
    assert_eq!(features.contains("verify"), cfg!(feature = "verify"), "{long}");
}

#[test]
fn colour_is_for_terminals_unless_it_is_asked_for() {
    let wrong = |choice: &[&str], variables: &[(&str, &str)]| {
        let mut command = standin(["check", "noSuch", "x"].iter().chain(choice));
        end(command.env_remove("CLICOLOR_FORCE").envs(variables.iter().copied())).err.contains('\u{1b}')
    };
    assert!(!wrong(&[], &[]));
    assert!(!wrong(&["--color", "never"], &[]));
    assert!(wrong(&["--color", "always"], &[]));
    assert!(wrong(&[], &[("STANDIN_COLOR", "always")]));
    assert!(wrong(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!wrong(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    let data = run(["contract", "openapi", "--color", "always"]).fine();
    assert!(!data.contains('\u{1b}'));
}

#[test]
fn help_does_not_show_secrets() {
    let help = end(standin(["serve", "--help"])
        .env("STANDIN_CLIENT_SECRET", "hush")
        .env("STANDIN_CONTROL_TOKEN", "hush"));
    assert!(help.out.contains("STANDIN_CLIENT_SECRET"), "{help:#?}");
    assert!(!help.out.contains("hush"), "{help:#?}");
}

#[test]
fn no_command_at_all_prints_the_help_on_standard_error() {
    let ended = run::<&str>([]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert!(ended.err.contains("Usage: standin [OPTIONS] <COMMAND>"), "{}", ended.err);
}

#[test]
fn a_wrong_command_line_is_one_line_and_exit_code_2() {
    for (arguments, says) in [
        (&["serv"] as &[&str], "unrecognized subcommand 'serv'; a similar subcommand exists: 'serve'"),
        (&["serve", "--lisen", "x"], "a similar argument exists: '--listen'; see `standin serve --help`"),
        (&["serve", "--listen", "8484"], "expected an address and a port, such as 127.0.0.1:8484"),
        (&["serve", "--max-body", "huge"], "expected a size such as 1MiB"),
        (&["serve", "--max-delay", "long"], "expected a time such as 500ms, 2s or 5m"),
        (&["serve", "--journal-entries", "0"], "expected a number from 1 up"),
        (&["serve", "--control-origin", "http://a.test/"], "expected an origin without a path"),
        (&["serve", "--control-host", "http://a.test"], "expected a host name without scheme and port"),
        (&["serve", "--token", "verified"], "set STANDIN_CLIENT_SECRET or --client-secret-file"),
        (&["serve", "--control-token", ""], "the control token is empty"),
        (
            &["check", "createAgent"],
            "required arguments were not provided: <FILE>...; see `standin check --help`",
        ),
        (
            &["check", "createAgents", SAMPLE],
            "there is no operation `createAgents` (did you mean createAgent?)",
        ),
        (&["check", "createAgent", SAMPLE, "--report", "out.xml"], "expected junit=FILE"),
        (&["check", "createAgent", "-", "-"], "standard input can be read once"),
        (
            &["contract", "show", "nothing-like-it"],
            "the operations are createAgent, updateAgent, getAgent, deleteAgent",
        ),
        (&["token", "--expires", "soon"], "expected a time such as 90s, 30m, 1h or 7d, but found `soon`"),
        (&["journal", "x", "--as", "xml"], "possible values: table, har, curl"),
    ] {
        let ended = run(arguments);
        let complaint = ended.complaint(2);
        assert!(complaint.contains(says), "{arguments:?}: {complaint}");
    }
}

#[test]
fn what_cannot_be_read_is_one_line_and_exit_code_3() {
    let folder = Folder::new();
    let broken = folder.file("broken.json", "{");
    let other = folder.file("other.json", "{\"openapi\": \"3.1.0\"}");
    for (arguments, says) in [
        (["contract", "openapi", "--contract", "nowhere.json"], "cannot use the contract nowhere.json"),
        (["contract", "openapi", "--contract", &broken], "broken.json"),
        (["contract", "openapi", "--contract", &other], "other.json"),
        (["serve", "--listen=127.0.0.1:0", "--contract", &broken], "broken.json"),
        (
            ["check", "createAgent", "nowhere.json", SAMPLE],
            "cannot read nowhere.json: no such file or directory",
        ),
        (
            ["journal", "nowhere.ndjson", "--as", "har"],
            "cannot read nowhere.ndjson: no such file or directory",
        ),
        (["check", "createAgent", SAMPLE, "--report=junit=/nowhere/x.xml"], "cannot write /nowhere/x.xml"),
    ] {
        let ended = run(arguments);
        let complaint = ended.complaint(3);
        assert!(complaint.contains(says), "{arguments:?}: {complaint}");
    }
}

#[test]
fn the_contract_is_shown_for_people() {
    let all = run(["contract", "show"]).fine();
    assert_eq!(all.lines().count(), 33, "{all}");

    let document: Value = serde_json::from_str(&run(["contract", "openapi"]).fine()).unwrap();
    for (item_path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values().filter(|node| node.is_object()) {
            let id = operation["operationId"].as_str().unwrap();
            assert!(all.contains(id), "{all}");
            let shown = run(["contract", "show", id]).fine();
            let has_body = !operation["requestBody"].is_null();
            for (heading, is_there) in [
                ("Path parameters", item_path.contains('{')),
                ("Headers", true),
                ("Body (application/json)", has_body),
                ("Sample bodies", has_body),
                ("Replies; ", true),
            ] {
                let found = shown.contains(&format!("\n{heading}"));
                assert_eq!(found, is_there, "{heading} in\n{shown}");
            }
            let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            for (entry, is_there) in [
                (" auth a JWT, required", true),
                (" Content-Type application/json, required", has_body),
                (" 429 ", true),
            ] {
                assert_eq!(words.contains(entry), is_there, "{entry} in\n{shown}");
            }
        }
    }

    // In one line each, as far as that goes.
    let shown = end(standin(["contract", "show", "updateAgent"]).env("COLUMNS", "1000")).fine();
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    for says in [
        "nickName string; at most 50 characters. Nickname. row: Body Parameters › nickName. Ledger: U10.",
        "proficiency string; required; one of expert, novice, average, good. ",
        "row: Body Parameters › voiceLanguageSupport › proficiency. Ledger: U7.",
        "required; an e-mail address; also spelt emaiId. ",
        "not empty (assumed: no page shows this empty). Id of the agent group; the query has it too. Find it with `GET …/agent-groups`.",
        "vendor: Update a specific agent (later edition) › Body Parameters › fullName.",
    ] {
        assert!(shown.contains(says), "{says} in\n{shown}");
    }
}

#[test]
fn what_is_shown_is_as_wide_as_the_terminal_and_no_wider_than_160_columns() {
    for (columns, most) in [("80", 80), ("120", 120), ("500", 160)] {
        for arguments in [&["contract", "show", "importDataV2"][..], &["contract", "ledger"]] {
            let shown = end(standin(arguments).env("COLUMNS", columns)).fine();
            // A path is never broken: it may stand alone in a line that is too long.
            let breakable = |line: &&str| line.trim_start_matches("importDataV2: POST ").trim().contains(' ');
            let widest = shown.lines().filter(breakable).map(|line| line.chars().count()).max();
            assert!(
                widest.is_some_and(|widest| widest <= most && widest > most - 10),
                "{columns}: {widest:?}"
            );
        }
    }
}

#[test]
fn the_ledger_is_listed_by_page() {
    let ledger = run(["contract", "ledger"]).fine();
    for entry in Contract::builtin().ledger() {
        assert_eq!(ledger.matches(&format!("\n{} ", entry.id)).count(), 1, "{} in\n{ledger}", entry.id);
    }
    let headings: Vec<_> = ledger
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(' ') && !line.contains("  "))
        .collect();
    assert_eq!(
        headings,
        [
            "Update a specific agent",
            "Create an agent",
            "Import data by accountId and orgId (v1)",
            "Import data by accountId and orgId (v2)",
            "Other pages"
        ]
    );
}

#[test]
fn a_good_file_is_ok() {
    let ended = run(["check", "createAgent", SAMPLE]);
    assert_eq!(ended.fine(), format!("{SAMPLE}: ok\n"));
}

#[test]
fn every_violation_of_every_file_is_reported() {
    let folder = Folder::new();
    let first = folder.file("first.json", agent("roleId", Value::Null));
    let second =
        folder.file("second.json", json!({"emailId": 5, "firstName": "a", "lastName": "b"}).to_string());

    let ended = run(["check", "createAgent", &first, SAMPLE, &second]);

    assert_eq!((ended.code, ended.err.as_str()), (1, ""));
    let places: Vec<_> = ended.out.lines().map(|line| line.split(": ").take(2).collect::<Vec<_>>()).collect();
    assert_eq!(
        places,
        [[&*first, "/body/roleId"], [SAMPLE, "ok"], [&*second, "/body/roleId"], [&*second, "/body/emailId"],]
    );
    assert!(ended.out.contains("expected ") && ended.out.contains(", but found "), "{}", ended.out);
    assert!(ended.out.contains("[Create an agent › Body Parameters › roleId]"), "{}", ended.out);
}

#[test]
fn a_documented_variant_is_a_note() {
    let ended = run(["check", "updateAgent", "fixtures/updateAgent/request.json"]);
    let out = ended.fine();
    let (ok, note) = out.split_once('\n').unwrap();
    assert!(ok.ends_with("request.json: ok"), "{out}");
    assert!(note.contains(": note: /body/phoneNumber: ") && note.trim_end().ends_with("[U2]"), "{out}");
}

#[test]
fn standard_input_is_a_file_called_so() {
    let ended = run_with_input(["check", "createAgent", "-"], b"[1,");
    assert_eq!(ended.code, 1);
    assert!(ended.out.starts_with("standard input: /body: expected "), "{}", ended.out);
}

#[test]
fn the_json_result_is_one_document() {
    let folder = Folder::new();
    let bad = folder.file("bad.json", agent("firstName", json!(true)));

    let ended = run(["check", "createAgent", &bad, SAMPLE, "nowhere.json", "--as", "json"]);

    assert!(ended.complaint(3).contains("cannot read nowhere.json"));
    let result: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(result["operation"], "createAgent");
    let verdicts: Vec<_> =
        result["files"].as_array().unwrap().iter().map(|file| file["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["invalid", "valid", "unread"]);
    let violation = &result["files"][0]["violations"][0];
    assert_eq!(violation["pointer"], "/body/firstName");
    assert_eq!(violation["rule"], "type");
    assert_eq!(violation["source"], "Create an agent › Body Parameters › firstName");
    assert!(violation["message"].as_str().unwrap().starts_with("expected "));
}

#[test]
fn the_junit_report_has_a_case_per_file() {
    let folder = Folder::new();
    let odd = folder.file("<odd> & \"bad\".json", agent("customId", json!("a b\u{1}\u{1b}[31m<&>")));
    let report = folder.path("report.xml");

    let ended = run(["check", "createAgent", &odd, SAMPLE, &format!("--report=junit={}", report.display())]);

    assert_eq!(ended.code, 1, "{ended:?}");
    let xml = fs::read_to_string(report).unwrap();
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites "), "{xml}");
    assert!(xml.contains(r#"tests="2" failures="1" errors="0""#), "{xml}");
    assert!(xml.contains("&lt;odd&gt; &amp; &quot;bad&quot;.json"), "{xml}");
    assert!(xml.contains(&format!("<testcase classname=\"createAgent\" name=\"{SAMPLE}\"/>")), "{xml}");
    assert!(!xml.contains(|c: char| c.is_control() && c != '\n'), "{xml}");
}

#[test]
fn a_token_carries_the_app_id_and_expires_when_asked_to() {
    let claims = |arguments: &[&str]| -> Value {
        let token = run(arguments).fine();
        let payload = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    };
    let plain = claims(&["token"]);
    assert_eq!(plain["appId"], "cs-39cd6ba0-f6ee-5bae-9b7d-73b4ba97ac8b");
    assert_eq!(plain.get("exp"), None);

    let hour = claims(&["token", "--app-id", "cs-mine", "--expires", "1h"]);
    assert_eq!(hour["appId"], "cs-mine");
    assert_eq!(hour["exp"].as_i64().unwrap() - hour["iat"].as_i64().unwrap(), 3600);

    let over = claims(&["token", "--expires", "-1h"]);
    assert!(over["exp"].as_i64() < over["iat"].as_i64());

    let secret = |secret: &str| run(["token", "--client-secret", secret]).fine();
    assert_ne!(secret("one").rsplit('.').next(), secret("two").rsplit('.').next());
}

#[test]
fn there_are_completions_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(["completions", shell]).fine();
        assert!(script.contains("journal-file"), "{shell}: {script}");
        // Elvish's and PowerShell's generators complete no values.
        if ["bash", "fish", "zsh"].contains(&shell) {
            assert!(script.contains("minLength"), "no rules for {shell}: {script}");
        }
        if ["bash", "zsh"].contains(&shell) {
            assert!(script.contains("updateAgent"), "no operations for {shell}: {script}");
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = start(standin(["check", "createAgent", "-"]).stdin(Stdio::piped()));
    // Nothing is printed before standard input has ended, so the reader is gone by then.
    drop(child.stdout.take());
    drop(child.stdin.take());
    let ended = ended(child);
    assert_eq!((ended.code, ended.err.as_str()), (1, ""));
}
