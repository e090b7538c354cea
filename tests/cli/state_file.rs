//! `serve --state-file`: what is in the file, whatever happens to the server and to the disk.
#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::{
    Call, eventually,
    program::{Folder, Server, run},
};

const NAME: &str = "sessions.json";

fn serve(file: &str, flags: &[&str]) -> Server {
    Server::start(&[&["--state-file", file], flags].concat())
}

fn path(folder: &Folder) -> String {
    folder.path(NAME).to_str().unwrap().to_owned()
}

fn call(server: &Server, method: &str, path: &str) -> Value {
    let reply = server.call(&Call { method: method.into(), ..Call::post(&format!("/__standin/{path}"), "") });
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// Makes another session.
fn fork(server: &Server, to: &str) {
    call(server, "POST", &format!("sessions/default/fork?to={to}"));
}

fn names(sessions: &Value) -> Vec<&String> {
    sessions["sessions"].as_object().unwrap().keys().collect()
}

/// What the file has, which is always whole.
fn kept(file: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).expect("the file is whole")
}

fn listed(server: &Server) -> Vec<String> {
    let list = call(server, "GET", "sessions");
    let names = list["sessions"].as_array().unwrap().iter();
    names.map(|session| session["name"].as_str().unwrap().to_owned()).collect()
}

fn file_health(server: &Server) -> Value {
    server.call(&Call::get("/__standin/health")).json()["state"]["file"].clone()
}

#[test]
fn sessions_are_there_again_after_a_stop() {
    let folder = Folder::new();
    let file = path(&folder);
    let server = serve(&file, &[]);
    fork(&server, "a");
    let state = call(&server, "GET", "sessions/a/state");

    server.signal("TERM");
    assert!(server.wait().0.success());
    let server = serve(&file, &[]);

    assert_eq!(listed(&server), ["a"]);
    assert_eq!(call(&server, "GET", "sessions/a/state"), state);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_file_follows_and_health_says_how_far_it_is_behind() {
    let folder = Folder::new();
    let file = path(&folder);
    let server = serve(&file, &[]);
    assert_eq!(file_health(&server)["behind"], json!(0));

    fork(&server, "a");

    eventually("the session is in the file", || (names(&kept(&file)) == ["a"]).then_some(()));
    eventually("health knows", || (file_health(&server)["behind"] == json!(0)).then_some(()));
}

#[test]
fn a_server_that_is_killed_in_the_middle_of_writes_leaves_a_whole_file_and_goes_on() {
    let folder = Folder::new();
    let file = path(&folder);
    let mut most = 0;
    for round in 0..5 {
        let server = serve(&file, &[]);
        let before = listed(&server).len();
        assert!(before >= most, "nothing that was in the file is lost");
        for number in 0..20 {
            fork(&server, &format!("s-{round}-{number}"));
        }
        if round % 2 == 0 {
            eventually("something new is in the file", || (names(&kept(&file)).len() > before).then_some(()));
        }
        server.signal("KILL");
        server.wait();
        most = names(&kept(&file)).len();
    }
    assert!(most >= 3);
}

#[test]
fn a_disk_that_is_full_is_said_and_serving_goes_on_until_there_is_room() {
    let folder = Folder::new();
    let file = path(&folder);
    let program = env!("CARGO_BIN_EXE_standin");
    // Eight blocks of 512 bytes for a file, and no signal for writing more.
    let script =
        format!("trap '' XFSZ; ulimit -f 8; exec {program} serve --listen 127.0.0.1:0 --state-file {file}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).stdin(Stdio::null());
    let server = Server::spawn(shell);
    fork(&server, "a");
    eventually("it is in the file", || (names(&kept(&file)) == ["a"]).then_some(()));

    for number in 0..100 {
        fork(&server, &format!("a-session-with-a-name-that-takes-some-room-{number}"));
    }
    let health = eventually("the failure is shown", || {
        let health = file_health(&server);
        health["error"].is_string().then_some(health)
    });

    assert_eq!(health["error"], json!("file too large"));
    assert!(health["behind"].as_u64().unwrap() > 0, "{health}");
    let warned = eventually("the failure is logged", || {
        let line = server.log_line();
        line.contains("cannot write").then_some(line)
    });
    assert!(warned.contains("file too large"), "{warned}");
    kept(&file);
    for number in 0..100 {
        call(&server, "DELETE", &format!("sessions/a-session-with-a-name-that-takes-some-room-{number}"));
    }
    eventually("it is written again", || (file_health(&server)["error"] == Value::Null).then_some(()));
    assert_eq!(names(&kept(&file)), ["a"]);
    let left: Vec<_> =
        fs::read_dir(folder.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [NAME]);
}

#[test]
fn a_folder_that_goes_away_is_said_and_serving_goes_on() {
    let folder = Folder::new();
    let inner = folder.path("inner");
    fs::create_dir(&inner).unwrap();
    let file = inner.join(NAME);
    let server = serve(file.to_str().unwrap(), &[]);
    fs::rename(&inner, folder.path("elsewhere")).unwrap();

    fork(&server, "a");

    eventually("the failure is shown", || file_health(&server)["error"].is_string().then_some(()));
    fork(&server, "b");
    server.signal("TERM");
    let (status, rest) = server.wait();
    assert_eq!(status.code(), Some(3), "{rest:?}");
    assert!(rest.last().unwrap().contains("the last changes are missing there"), "{rest:?}");
}

#[test]
fn a_file_that_cannot_be_used_is_refused_and_left_alone() {
    let folder = Folder::new();
    for (name, text, says) in [
        ("damaged", r#"{"standin": "sessions", "format": 1, "sess"#, "expected JSON"),
        ("newer", r#"{"standin": "sessions", "format": 2, "sessions": {}}"#, "/format: expected 1"),
        ("other", r#"{"standin": "journal", "format": 1}"#, "/standin: expected `sessions`"),
        ("text", "my notes", "expected JSON"),
        ("bare", r#"{"standin": "sessions", "format": 1}"#, "/sessions: expected an object"),
        (
            "name",
            r#"{"standin": "sessions", "format": 1, "sessions": {"a b": {}}}"#,
            "/sessions/a b: expected the name",
        ),
        (
            "state",
            r#"{"standin": "sessions", "format": 1, "sessions": {"a": {"standin": "state", "format": 9}}}"#,
            "/sessions/a/format: expected a state in format 1",
        ),
    ] {
        let file = folder.file(name, text);

        let ended = run(["serve", "--listen", "127.0.0.1:0", "--state-file", &file]);

        let complaint = ended.complaint(3);
        assert!(complaint.contains(&format!("cannot use the state file {file}: ")), "{complaint}");
        assert!(complaint.contains(says), "{name}: {complaint}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
}

#[test]
fn a_file_that_cannot_be_written_is_said_at_the_start() {
    let folder = Folder::new();
    let taken = path(&folder);
    let _server = serve(&taken, &[]);
    let missing = folder.path("none/sessions.json");
    for (file, says) in [
        (taken.as_str(), "another process writes it"),
        (missing.to_str().unwrap(), "no such file or directory"),
        ("/dev/full", "it is not a regular file"),
        ("/sys/sessions.json", "name a file in a folder that exists and is writable"),
    ] {
        let ended = run(["serve", "--listen", "127.0.0.1:0", "--state-file", file]);
        let complaint = ended.complaint(3);
        assert!(complaint.contains(says), "{file}: {complaint}");
    }
}
