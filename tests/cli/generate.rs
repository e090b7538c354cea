//! `standin generate`.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    process::Command,
};

use serde_json::{Value, json};
use standin::Contract;

use crate::support::{
    Call,
    program::{Folder, Server, end_with_input, ended, run, run_with_input, standin, start},
};

/// The ids of all operations.
fn all() -> Vec<String> {
    Contract::builtin().operations().iter().map(|operation| operation.id.to_string()).collect()
}

fn lines(arguments: &[&str]) -> Vec<Value> {
    let out = run([&["generate"], arguments].concat()).fine();
    out.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[test]
fn the_same_seed_gives_the_same_lines_and_another_gives_others() {
    let arguments = ["createAgent", "--count", "1000", "--mutants", "--seed", "7"];
    let first = lines(&arguments);
    assert_eq!(first.len(), 1000);
    assert_eq!(first, lines(&arguments));
    assert_ne!(first, lines(&["createAgent", "--count", "1000", "--mutants", "--seed", "8"]));
    assert_eq!(first[999]["index"], 999);
    assert_eq!(first[999]["seed"], 7);
    assert_eq!(first[..10], lines(&["createAgent", "--mutants", "--seed", "7"]));
}

#[test]
fn a_line_has_request_and_label() {
    for case in lines(&["updateAgent", "--mutants", "--rule", "enum", "--count", "50"]) {
        assert_eq!(case["operation"], "updateAgent");
        assert_eq!(case["request"]["method"], "PUT");
        assert!(case["request"]["target"].as_str().unwrap().starts_with("/agentassist/"));
        assert!(case["request"]["headers"].as_array().unwrap().iter().all(|pair| pair[1].is_string()));
        assert_eq!(case["request"]["body"].as_object().unwrap().len(), 1);
        assert_eq!(case["label"]["kind"], "mutant");
        assert_eq!(case["label"]["rule"], "enum");
        assert_eq!(case["label"]["expect"], "refused");
        assert_eq!(case["label"]["status"], json!({"vendor": 412, "rfc": 400}));
        assert!(!case["label"]["source"].as_str().unwrap().is_empty());
        assert_eq!(case["wire"], "any");
    }
    assert_eq!(
        lines(&["createQueue", "--count", "1"])[0]["label"],
        json!({"kind": "valid", "expect": "valid", "status": {"vendor": 200, "rfc": 200}})
    );
}

#[test]
fn every_line_is_one_that_the_schema_describes() {
    let schema: Value = serde_json::from_str(&run(["generate", "--schema"]).fine()).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    for arguments in [&["--all", "--count", "100", "--mutants"] as &[&str], &["--all", "--count", "30"]] {
        for line in lines(arguments) {
            let faults: Vec<_> = schema.iter_errors(&line).map(|error| error.to_string()).collect();
            assert!(faults.is_empty(), "{faults:?}\n{line}");
        }
    }
    let mut line = lines(&["createAgent"]).remove(0);
    line["label"]["expect"] = "refused".into();
    assert!(!schema.is_valid(&line));
}

#[test]
fn each_rule_says_whether_it_is_documented() {
    let bases: BTreeSet<_> = lines(&["--all", "--mutants", "--count", "300"])
        .iter()
        .filter(|case| case["label"]["expect"] != "valid")
        .map(|case| case["label"]["basis"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(bases.into_iter().collect::<Vec<_>>(), ["assumed", "pages", "vendor"]);
}

#[test]
fn several_operations_follow_each_other() {
    let operations = |arguments: &[&str]| -> Vec<_> {
        let lines = lines(arguments);
        lines.iter().map(|case| case["operation"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(operations(&["--all", "--count", "1"]), all());
    assert_eq!(operations(&["createQueue", "createAgent", "--count", "1"]), ["createQueue", "createAgent"]);
    // Only some operations have a text that can be too long.
    let narrowed = operations(&["--all", "--mutants", "--rule", "maxLength", "--count", "1"]);
    assert!(!narrowed.is_empty() && narrowed.len() < all().len(), "{narrowed:?}");
}

#[test]
fn values_of_an_account_and_its_token_stand_where_they_belong() {
    let set = ["--all", "--set", "streamId=st-7", "--set", "groupId=ag-7", "--token", "my.own.token"];
    let contract = Contract::builtin();
    for case in lines(&set) {
        let target = case["request"]["target"].as_str().unwrap();
        let operation = case["operation"].as_str().unwrap();
        let path = &contract.operation(operation).unwrap().path;
        assert_eq!(target.contains("/st-7/"), path.contains("{streamId}"), "{target}");
        assert_eq!(target.contains("=ag-7"), operation == "updateAgent", "{target}");
        assert!(case["request"]["headers"].as_array().unwrap().contains(&json!(["auth", "my.own.token"])));
        assert_eq!(case["label"]["status"]["vendor"], 200);
    }
}

#[test]
fn valid_bodies_pass_the_check() {
    for operation in Contract::builtin().operations().iter().filter(|operation| operation.body.is_some()) {
        let operation = &*operation.id;
        let out = run(["generate", operation, "--count", "1", "--as", "body", "--seed", "3"]).fine();
        let checked = run_with_input(["check", operation, "-"], out.as_bytes());
        assert_eq!(checked.code, 0, "{checked:?}\n{out}");
    }
}

#[test]
fn bodies_go_to_a_file_each() {
    let folder = Folder::new();
    let into = folder.path("bodies");
    let into = into.to_str().unwrap();
    run(["generate", "createAgent", "--as", "body", "--count", "3", "--into", into]).fine();
    let files: Vec<_> = (0..3).map(|index| format!("{into}/createAgent-0-{index}.json")).collect();
    let checked =
        run([&["check", "createAgent"], files.iter().map(String::as_str).collect::<Vec<_>>().as_slice()]
            .concat());
    checked.fine();

    let one = run(["generate", "createAgent", "--as", "body"]).fine();
    assert_eq!(one.trim_end_matches('\n'), fs::read_to_string(&files[0]).unwrap().trim_end_matches('\n'));
}

#[test]
fn a_file_for_editors_has_each_request_below_its_label() {
    let arguments = ["createAgent", "--mutants", "--count", "60", "--seed", "2"];
    let cases = lines(&arguments);
    let ended =
        run([&["generate", "--as", "http", "--url", "https://h.test/base/"], &arguments[..]].concat());
    assert_eq!(ended.code, 0);
    let requests: Vec<_> = ended.out.split("### ").skip(1).collect();
    assert!(
        requests.len() > 30 && ended.err.contains(" left out: editors cannot send them"),
        "{}",
        ended.err
    );
    for text in requests {
        let (title, rest) = text.split_once('\n').unwrap();
        let index: usize = title.split([' ', ':']).nth(2).unwrap().parse().unwrap();
        let case = &cases[index];
        assert!(title.contains(&format!("; expects {}", case["label"]["status"]["vendor"])), "{title}");
        let (head, body) = rest.split_once("\n\n").unwrap();
        let mut head = head.lines();
        let request = &case["request"];
        let first =
            format!("{} https://h.test/base{}", request["method"], request["target"]).replace('"', "");
        assert_eq!(head.next(), Some(first.as_str()));
        let headers: Vec<_> = head.map(|line| json!(line.split_once(": ").unwrap())).collect();
        assert_eq!(json!(headers), request["headers"], "{title}");
        match (&request["body"]["json"], &request["body"]["text"]) {
            (Value::Null, text) => assert_eq!(json!(body.trim_end()), *text, "{title}"),
            (json, _) => assert_eq!(serde_json::from_str::<Value>(body).unwrap(), *json, "{title}"),
        }
    }
}

#[test]
fn a_mistake_names_the_valid_choices() {
    for (arguments, says) in [
        (
            &["creatAgent"] as &[&str],
            "did you mean createAgent?); the operations are createAgent, updateAgent, ",
        ),
        (&["createAgent", "--count", "0"], "expected a whole number from 1, but found `0`"),
        (
            &["createAgent", "--mutants", "--rule", "lenght"],
            "no mutant of createAgent breaks the rule `lenght`; the rules are depth, encoding, ",
        ),
        (&["createAgent", "--mutants", "--rule", "maximum"], "; the rules are depth, encoding, "),
        (&["createAgent", "--rule", "enum"], "--mutants"),
        (&["createAgent", "--as", "xml"], "[possible values: ndjson, body, curl, http]"),
        (
            &["createAgent", "--set", "streamid=x"],
            "there is no value `streamid` to set; the names are accountId, ",
        ),
        (
            &["importDataV2", "--set", "type=x"],
            "type=x: expected a value that the contract allows in the query, but found one that breaks `enum`",
        ),
        (&["createAgent", "--into", "x"], "--into is for bodies; add --as body"),
        (
            &["createAgent", "--url", "h.test"],
            "expected a URL such as http://127.0.0.1:8484, but found `h.test`",
        ),
        (&["createAgent", "--all"], "cannot be used with"),
    ] {
        let ended = run([&["generate"], arguments].concat());
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ended.err.contains(says), "{}", ended.err);
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    }
}

#[test]
fn a_reader_that_goes_away_ends_it() {
    let mut child = start(&mut standin(["generate", "createAgent", "--count", "100000000"]));
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert!(line.ends_with("}\n"));
    drop(out);
    ended(child).fine();
}

#[test]
fn commands_send_exactly_the_request_and_get_the_verdict_of_its_label() {
    let server = Server::start(&[]);
    for operation in Contract::builtin().operations() {
        // Each case is a process of its own.
        let (mutants, valid) = if operation.body.is_some() { ("24", "5") } else { ("8", "2") };
        for flags in [&["--mutants", "--count", mutants] as &[&str], &["--count", valid]] {
            let arguments = [&[&*operation.id, "--seed", "5"], flags].concat();
            let cases = lines(&arguments);
            let script = run([&["generate", "--as", "curl"], arguments.as_slice()].concat());
            assert_eq!((script.code, script.err.as_str()), (0, ""));
            assert_eq!(script.out.matches("; expects ").count(), cases.len());
            let before = exchanges(&server).len();
            let script = script.out.replace("http://127.0.0.1:8484", &server.url());
            let shell = end_with_input(&mut Command::new("sh"), script.as_bytes());
            assert_eq!(shell.code, 0, "{shell:?}");
            let sent = exchanges(&server).split_off(before);
            assert_eq!(sent.len(), cases.len());
            for (sent, case) in sent.iter().zip(&cases) {
                compare(sent, case);
            }
        }
    }
}

fn exchanges(server: &Server) -> Vec<Value> {
    let out = server.call(&Call::get("/__standin/export?format=ndjson")).text();
    out.split('\n').filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn compare(sent: &Value, case: &Value) {
    let label = &case["label"];
    assert_eq!(sent["request"]["method"], case["request"]["method"], "{label}");
    assert_eq!(sent["request"]["target"], case["request"]["target"], "{label}");
    let names = |list: &Value| -> Vec<String> {
        let framing = ["host", "content-length"];
        let names = list.as_array().unwrap().iter().map(|pair| pair[0].as_str().unwrap().to_lowercase());
        names.filter(|name| !framing.contains(&name.as_str())).collect::<BTreeSet<_>>().into_iter().collect()
    };
    assert_eq!(names(&sent["request"]["headers"]), names(&case["request"]["headers"]), "{label}");
    let body = &case["request"]["body"];
    if let Some(text) = body["text"].as_str().filter(|text| !text.is_empty()) {
        assert_eq!(sent["request"]["body"]["text"].as_str(), Some(text), "{label}");
    }
    let wanted: Vec<_> =
        if label["expect"] == "refused" { vec![(&label["pointer"], &label["rule"])] } else { Vec::new() };
    let violations = sent["violations"].as_array().unwrap().iter();
    let found: Vec<_> = violations.map(|violation| (&violation["pointer"], &violation["rule"])).collect();
    assert_eq!(found, wanted, "{label}");
}
