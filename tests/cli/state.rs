//! `serve --state` and `standin state`.

use std::net::TcpListener;

use serde_json::Value;

use crate::support::{
    Call,
    faulty::{Faulty, write},
    program::{Folder, Server, end, run, run_with_input, standin},
};

/// A state with nothing in it.
const EMPTY: &str = r#"{"standin": "state", "format": 1, "resources": {}}"#;

fn serve(flags: &[&str]) -> Server {
    Server::start(&[&["--state"], flags].concat())
}

/// The names in what `standin state list` prints.
fn names(server: &Server) -> Vec<String> {
    let out = run(["state", "list", &server.address]).fine();
    out.lines().skip(1).map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn sessions_are_listed_read_put_forked_reset_and_removed() {
    let server = serve(&[]);
    let address = server.address.as_str();
    let folder = Folder::new();
    let file = folder.file("state.json", EMPTY);
    assert_eq!(names(&server), [""; 0]);

    assert_eq!(run(["state", "put", &file, address, "--session", "a"]).fine(), "");
    let printed = run(["state", "get", address, "--session", "a"]).fine();
    let state: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&state["standin"], &state["format"]), (&"state".into(), &1.into()));
    run(["state", "fork", address, "--session", "a", "--to", "b"]).fine();
    run_with_input(["state", "put", "-", address, "--session", "c"], printed.as_bytes()).fine();
    run(["state", "reset", address, "--session", "b"]).fine();
    assert_eq!(names(&server), ["a", "b", "c"]);
    run(["state", "remove", address, "--session", "a"]).fine();
    assert_eq!(names(&server), ["b", "c"]);
    end(standin(["state", "remove", address]).env("STANDIN_SESSION", "b")).fine();
    assert_eq!(names(&server), ["c"]);
}

#[test]
fn what_cannot_be_done_is_said_in_a_line() {
    let server = serve(&[]);
    let address = server.address.as_str();
    let without = Server::start(&[]);
    let guarded = serve(&["--control-token", "s3same"]);
    let other = Faulty::start(|_, stream| write(stream, 200, "text/html", "<p>hello</p>"));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let folder = Folder::new();
    let wrong = folder.file("wrong.json", r#"{"standin": "journal"}"#);
    run(["state", "fork", address, "--to", "b"]).fine();

    for (arguments, code, says) in [
        (
            &["get", address, "--session", "c"][..],
            3,
            "it answers 404: expected a session with changes among b",
        ),
        (
            &["fork", address, "--to", "b"],
            3,
            "it answers 409: expected a name that no session has, but found `b`",
        ),
        (&["put", &wrong, address], 3, "it answers 400: the state breaks the contract"),
        (&["put", "nowhere.json", address], 3, "cannot read nowhere.json: no such file or directory"),
        (&["get", &without.address], 3, "start it with --state"),
        (&["get", &guarded.address], 3, "its control API asks for another token; set --control-token"),
        (&["get", &closed], 3, "no connection to 127.0.0.1:"),
        (&["list", &other.url], 3, "expected a stand-in"),
        (&["get", address, "--session", "a b"], 2, "1 to 64 letters, digits, dots, underscores and hyphens"),
        (&["fork", address], 2, "--to <NAME>"),
    ] {
        let ended = run([&["state"], arguments].concat());
        let complaint = ended.complaint(code);
        assert!(complaint.contains(says), "{arguments:?}: {complaint}");
    }
}

#[test]
fn what_the_options_of_state_cannot_mean_is_said_in_a_line() {
    let folder = Folder::new();
    let broken = folder.file("broken.json", "{");
    let newer = folder.file("newer.json", r#"{"standin": "state", "format": 2}"#);
    for (flags, code, says) in [
        (&["--assume", "C6=accept"][..], 2, "add --state"),
        (&["--references", "enforce"], 2, "add --state"),
        (&["--state", "--assume", "C6"], 2, "--assume: expected "),
        (&["--start-state", "nowhere.json"], 3, "cannot use the start state nowhere.json: no such file"),
        (&["--start-state", "/dev/zero"], 3, "cannot use the start state /dev/zero: expected a regular file"),
        (&["--start-state", &broken], 3, "expected JSON, but found the end of the text"),
        (&["--start-state", &newer], 3, "/format: expected a state in format 1"),
    ] {
        let ended = run([&["serve", "--listen", "127.0.0.1:0"], flags].concat());
        let complaint = ended.complaint(code);
        assert!(complaint.contains(says), "{flags:?}: {complaint}");
    }
}

#[test]
fn the_document_of_a_server_with_state_is_the_one_that_the_command_prints() {
    let server = serve(&[]);

    let served = server.call(&Call::get("/__standin/openapi.json")).text();
    let printed = run(["contract", "openapi", "--state"]).fine();

    let own = format!("\"url\": \"{}\"", server.url());
    assert_eq!(served.replacen(&own, "\"url\": \"/\"", 1), printed);
}
