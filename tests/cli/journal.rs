//! `standin journal`, on what `serve --journal-file` has written.

use std::fs;

use serde_json::Value;

use crate::support::{
    AGENTS, Call,
    program::{Folder, Server, run, run_with_input},
};

/// A journal of three exchanges: answered, refused, unmatched.
#[cfg(unix)]
fn recorded(folder: &Folder) -> String {
    let file = folder.path("journal.ndjson");
    let server = Server::start(&["--journal-file", file.to_str().unwrap()]);
    let sample = fs::read_to_string("fixtures/createAgent/request.json").unwrap();
    server.call(&Call::post(AGENTS, &sample));
    server.call(&Call::post(AGENTS, "{}"));
    server.call(&Call::get("/elsewhere"));
    server.signal("TERM");
    assert!(server.wait().0.success());
    file.to_str().unwrap().to_owned()
}

#[test]
#[cfg(unix)]
fn a_journal_becomes_a_table_har_and_curl() {
    let folder = Folder::new();
    let file = recorded(&folder);

    let table = run(["journal", &file]).fine();
    let rows: Vec<_> = table.lines().collect();
    assert_eq!(rows.len(), 4, "{table}");
    let columns: Vec<_> = ["method", "target", "status", "operation", "outcome"]
        .map(|heading| rows[0].find(heading).unwrap())
        .into();
    let cells = |row: &str| -> Vec<String> {
        columns.iter().map(|at| row[*at..].split("  ").next().unwrap().to_owned()).collect()
    };
    assert_eq!(cells(rows[1]), ["POST", AGENTS, "200", "createAgent", "answered"]);
    assert_eq!(cells(rows[2]), ["POST", AGENTS, "412", "createAgent", "refused"]);
    assert_eq!(cells(rows[3]), ["GET", "/elsewhere", "404", "-", "unmatched"]);
    assert!(rows[2].contains("/body/emailId: expected "), "{table}");
    assert!(rows[2].contains("(and 3 more)"), "{table}");

    let har: Value = serde_json::from_str(&run(["journal", &file, "--as", "har"]).fine()).unwrap();
    assert_eq!(har["log"]["version"], "1.2");
    assert_eq!(har["log"]["entries"].as_array().unwrap().len(), 3);

    let curl = run(["journal", &file, "--as", "curl", "--url", "http://elsewhere.test/"]).fine();
    assert_eq!(curl.matches("http://elsewhere.test/agentassist").count(), 2, "{curl}");
    assert!(curl.contains("$STANDIN_TOKEN"), "{curl}");
}

#[test]
#[cfg(unix)]
fn standard_input_is_read_too() {
    let folder = Folder::new();
    let text = fs::read(recorded(&folder)).unwrap();
    let ended = run_with_input(["journal", "-"], &text);
    assert_eq!(ended.fine().lines().count(), 4);
}

#[test]
fn a_line_that_is_no_exchange_is_named() {
    let folder = Folder::new();
    for (text, says) in [
        (&b"\n{\"id\": 1}\n"[..], "odd.ndjson, line 2: "),
        (b"{}", "odd.ndjson, line 1: "),
        (b"not JSON", "odd.ndjson, line 1: "),
        (
            b"\n\n\xff\xfe",
            "odd.ndjson, line 3: not UTF-8; expected a journal that standin has exported as ndjson",
        ),
    ] {
        let file = folder.file("odd.ndjson", text);
        let ended = run(["journal", &file]);
        let complaint = ended.complaint(3);
        assert!(complaint.contains(says), "{complaint}");
    }
}

#[test]
fn an_empty_journal_is_an_empty_table() {
    let folder = Folder::new();
    let table = run(["journal", &folder.file("empty.ndjson", "")]).fine();
    assert_eq!(table.lines().count(), 1);
    assert!(table.starts_with("no  received"), "{table}");
}
