//! `standin fuzz`: its reports, the files of findings, replays and baselines.

use std::{fs, path::Path};

use serde_json::Value;

use crate::support::program::{Ended, Folder, Server, run};

/// A short campaign, which leaves its findings in a folder.
fn fuzz(server: &Server, folder: &Folder, arguments: &[&str]) -> Ended {
    let (url, findings) = (server.url(), folder.path("findings"));
    let usual = ["fuzz", &url, "--findings", findings.to_str().unwrap(), "--operation", "createAgent"];
    run(usual.iter().chain(&["--rule", "required"]).chain(arguments))
}

fn replay(server: &Server, file: &str, arguments: &[&str]) -> Ended {
    run(["fuzz", &server.url(), "--replay", file].iter().chain(arguments))
}

/// A server that accepts what breaks the contract.
fn broken() -> Server {
    Server::start(&["--checks", "off"])
}

fn json(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn every_report_that_is_asked_for_is_written_whole() {
    let (server, folder) = (broken(), Folder::new());
    let kinds = ["har", "html", "json", "junit", "ndjson", "sarif"];
    let reports = kinds.map(|kind| format!("{kind}={}", folder.path(kind).display()));
    let flags: Vec<_> = reports.iter().flat_map(|report| ["--report", report]).collect();

    let ended = fuzz(&server, &folder, &flags);

    assert_eq!(ended.code, 1, "{ended:#?}");
    let outcome = json(&folder.path("json"));
    let findings = outcome["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    let lines = fs::read_to_string(folder.path("ndjson")).unwrap();
    let trials: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let har = json(&folder.path("har"));
    let entries = har["log"]["entries"].as_array().unwrap();
    assert!(trials.len() > findings.len());
    assert_eq!(entries.len(), trials.len());
    for (entry, trial) in entries.iter().zip(&trials) {
        assert_eq!(entry["_standin"]["number"], trial["number"]);
        assert!(!entry["startedDateTime"].as_str().unwrap().starts_with("1970"));
    }
    let sarif = json(&folder.path("sarif"));
    assert!(sarif["runs"][0]["results"].as_array().unwrap().len() >= findings.len());
    let start = |kind: &str| fs::read_to_string(folder.path(kind)).unwrap()[..9].to_owned();
    assert_eq!((start("junit").as_str(), start("html").as_str()), ("<?xml ver", "<!doctype"));

    let kept: Vec<_> = fs::read_dir(folder.path("findings")).unwrap().collect();
    assert_eq!(kept.len(), findings.len());
    let names = fs::read_dir(folder.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.count(), kinds.len() + 1, "nothing is left beside them");
}

#[test]
fn a_report_that_cannot_be_written_is_refused_before_anything_is_sent() {
    let (server, folder) = (broken(), Folder::new());
    let report = format!("har={}", folder.path("no/such/folder").display());

    let ended = fuzz(&server, &folder, &["--report", &report]);

    assert!(ended.complaint(3).contains("name a file in a folder that exists"), "{ended:#?}");
    let wrong = fuzz(&server, &folder, &["--report", "pdf=a"]);
    assert!(wrong.complaint(2).contains("expected junit=FILE, json=FILE"), "{wrong:#?}");
    let place = folder.path("a");
    let two = format!("json={0},html={1}/./a", place.display(), folder.path("").display());
    let twice = fuzz(&server, &folder, &["--report", &two]);
    assert!(twice.complaint(2).contains("a file of its own for each report"), "{twice:#?}");
    let below_a_file = format!("{}/findings", folder.file("file", ""));
    let findings = run(["fuzz", &server.url(), "--findings", &below_a_file]);
    assert!(
        findings.complaint(3).contains("name a folder that is writable with --findings"),
        "{findings:#?}"
    );
    let health = run(["health", &server.url()]).fine();
    assert!(health.contains(" 0 exchanges recorded"), "{health}");
}

#[test]
fn a_replay_says_whether_a_finding_is_fixed_by_its_exit_code() {
    let (server, folder) = (broken(), Folder::new());
    let report = format!("json={}", folder.path("all.json").display());
    assert_eq!(fuzz(&server, &folder, &["--report", &report]).code, 1);
    let first = fs::read_dir(folder.path("findings")).unwrap().next().unwrap().unwrap().path();
    let first = first.to_str().unwrap();

    let again = replay(&server, first, &[]);
    assert_eq!(again.code, 1, "{again:#?}");
    assert!(again.out.starts_with("FAILS  createAgent: mutant_refused, `required` at /"), "{again:#?}");

    let mended = Server::start(&[]);
    let all = folder.path("all.json");
    for file in [first, all.to_str().unwrap()] {
        let fixed = replay(&mended, file, &[]);
        assert_eq!(fixed.code, 0, "{fixed:#?}");
        assert!(fixed.out.lines().all(|line| line.starts_with("fixed  createAgent: ")), "{fixed:#?}");
    }

    let unknown = replay(&mended, first, &["--token", "not-a-token"]);
    assert_eq!(unknown.code, 3, "{unknown:#?}");
    assert!(unknown.out.contains("every operation refuses the token"), "{unknown:#?}");

    let none = folder.file("none.json", r#"{"findings": []}"#);
    assert!(replay(&mended, &none, &[]).complaint(3).contains("there is no finding in "));
    let other = folder.file("other.json", "{}");
    assert!(replay(&mended, &other, &[]).complaint(3).contains("expected a report of `standin fuzz`"));
}

#[test]
fn findings_that_a_baseline_knows_pass_and_those_that_are_gone_are_told() {
    let (server, folder) = (broken(), Folder::new());
    let before = folder.path("before.json");
    let report = format!("json={}", before.display());
    assert_eq!(fuzz(&server, &folder, &["--report", &report]).code, 1);
    let baseline = ["--baseline", before.to_str().unwrap()];

    let known = fuzz(&server, &folder, &baseline);
    assert_eq!(known.code, 0, "{known:#?}");
    assert!(known.out.contains("known  createAgent: mutant_refused"), "{known:#?}");
    assert!(!known.out.contains("FAILS"), "{known:#?}");

    let mended = Server::start(&[]);
    let gone = fuzz(&mended, &folder, &baseline);
    assert_eq!(gone.code, 0, "{gone:#?}");
    assert!(gone.out.contains("gone   createAgent: mutant_refused"), "{gone:#?}");
}
