//! `standin generate`.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::Command,
};

use serde_json::Value;

use crate::support::{
    Call,
    program::{Server, end_with_input, ended, run, run_with_input, standin, start},
};

const OPERATIONS: [&str; 5] = ["createAgent", "updateAgent", "importData", "importDataV2", "createQueue"];

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
        assert_eq!(case["wire"], "any");
    }
    assert_eq!(lines(&["createQueue", "--count", "1"])[0]["label"]["kind"], "valid");
}

#[test]
fn valid_bodies_pass_the_check() {
    for operation in OPERATIONS {
        let out = run(["generate", operation, "--count", "1", "--as", "body", "--seed", "3"]).fine();
        let checked = run_with_input(["check", operation, "-"], out.as_bytes());
        assert_eq!(checked.code, 0, "{checked:?}\n{out}");
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
        (&["createAgent", "--as", "xml"], "[possible values: ndjson, body, curl]"),
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
    for operation in OPERATIONS {
        for flags in [&["--mutants", "--count", "80"] as &[&str], &["--count", "15"]] {
            let arguments = [&[operation, "--seed", "5"], flags].concat();
            let cases = lines(&arguments);
            let script = run([&["generate", "--as", "curl"], arguments.as_slice()].concat());
            assert_eq!((script.code, script.err.as_str()), (0, ""));
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
