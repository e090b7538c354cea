//! `standin serve`: the ready line, flags and variables, the end.

use std::net::TcpListener;

use serde_json::Value;

use crate::support::{
    AGENTS, Call, Client,
    program::{Folder, Server, run, standin},
};

#[test]
fn the_ready_line_is_a_sentence_with_the_address() {
    let server = Server::start(&[]);
    let url = server.url();
    assert_eq!(
        server.ready,
        format!("standin is ready at {url} (5 operations; control API at {url}/__standin/)")
    );
    assert_eq!(server.call(&Call::get("/__standin/health")).status, 200);
}

#[test]
fn the_ready_line_is_one_json_object_for_programs() {
    let server = Server::start(&["--log", "json"]);
    let ready: Value = serde_json::from_str(&server.ready).unwrap();
    assert_eq!(ready["event"], "ready");
    assert_eq!(ready["url"], server.url());
    assert_eq!(ready["listen"], server.address);
    assert_eq!(ready["contract"], "built-in");
    assert_eq!(ready["operations"], 5);
    assert_eq!(ready["control"], format!("{}/__standin/", server.url()));
}

#[test]
fn each_exchange_is_a_line_on_standard_error() {
    let text = Server::start(&[]);
    text.call(&Call::post(AGENTS, "{}"));
    let line = text.log_line();
    assert!(line.contains(&format!("1 POST {AGENTS} 412 /body/emailId: expected ")), "{line}");

    let json = Server::start(&["--log", "json"]);
    json.call(&Call::get("/elsewhere"));
    let line: Value = serde_json::from_str(&json.log_line()).unwrap();
    assert_eq!((&line["id"], &line["status"]), (&1.into(), &404.into()), "{line}");
}

#[test]
fn an_occupied_port_is_one_line_that_says_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = run(["serve", "--listen", &address]);
    assert_eq!(
        ended.complaint(3),
        format!(
            "standin: cannot listen on {address}: another program listens there; stop it, or take a free port with --listen 127.0.0.1:0"
        )
    );
    assert_eq!(ended.out, "");
}

#[test]
fn flags_reach_the_stub() {
    let secret = "s3cret";
    let signed = run(["token", "--client-secret", secret]).fine();
    let empty = || Call::post(AGENTS, "{}");
    let with_token = |token: &str| {
        let mut call = empty();
        call.headers[0].1 = token.trim().into();
        call
    };
    for (flags, call, status) in [
        (&[] as &[&str], empty(), 412),
        (&["--errors", "rfc"], empty(), 400),
        (&["--checks", "report"], empty(), 200),
        (&["--checks", "off"], empty(), 200),
        (&["--max-body", "1B"], empty(), 413),
        (&["--token", "any", "--checks", "off"], with_token("anything"), 200),
        (&["--checks", "off"], with_token("anything"), 401),
        (&["--token", "verified", "--client-secret", secret, "--checks", "off"], empty(), 401),
        (&["--token", "verified", "--client-secret", secret, "--checks", "off"], with_token(&signed), 200),
        (&["--control-token", "t"], Call::get("/__standin/requests"), 401),
        (
            &["--control-token", "t"],
            Call::get("/__standin/requests").header("Authorization", "Bearer t"),
            200,
        ),
    ] {
        let reply = Server::start(flags).call(&call);
        assert_eq!(reply.status, status, "{flags:?}: {reply:?}");
    }
}

#[test]
fn detail_can_be_left_out_of_refusals() {
    let violations = |detail: &str| {
        let reply = Server::start(&["--detail", detail]).call(&Call::post(AGENTS, "{}"));
        reply.json()["errors"][0].get("violations").cloned()
    };
    assert!(violations("on").is_some());
    assert_eq!(violations("off"), None);
}

#[test]
fn variables_stand_for_flags() {
    let mut command = standin(["serve"]);
    command
        .env("STANDIN_LISTEN", "127.0.0.1:0")
        .env("STANDIN_LOG", "json")
        .env("STANDIN_CHECKS", "report")
        .env("STANDIN_CONTROL_ORIGIN", "http://a.test:1,http://b.test")
        .env("STANDIN_TOKEN", "this one is for curl");
    let server = Server::spawn(command);
    assert!(server.ready.starts_with('{'));
    assert_eq!(server.call(&Call::post(AGENTS, "{}")).status, 200);
    for origin in ["http://a.test:1", "http://b.test"] {
        let reply = server.call(&Call::get("/__standin/requests").header("Origin", origin));
        assert_eq!(reply.header("access-control-allow-origin"), Some(origin), "{reply:?}");
    }
}

#[test]
fn another_contract_can_be_served() {
    let server = Server::start(&["--contract", "contracts/agentassist.openapi.json", "--log", "json"]);
    let ready: Value = serde_json::from_str(&server.ready).unwrap();
    assert_eq!(ready["contract"], "contracts/agentassist.openapi.json");
    assert_eq!(server.call(&Call::post(AGENTS, "{}")).status, 412);
}

#[test]
fn an_open_door_is_warned_of() {
    let mut command = standin(["serve", "--listen", "0.0.0.0:0"]);
    let server = Server::spawn(command);
    let warning = server.log_line();
    assert!(warning.starts_with("warning: whoever can reach 0.0.0.0:"), "{warning}");
    assert!(warning.contains("--control-token"), "{warning}");
    assert!(server.address.starts_with("127.0.0.1:"), "{}", server.ready);

    command = standin(["serve", "--listen", "0.0.0.0:0", "--control-token", "t"]);
    let server = Server::spawn(command);
    server.call(&Call::get("/"));
    server.call(&Call::get("/elsewhere"));
    let line = server.log_line();
    assert!(!line.contains("warning"), "{line}");
}

#[test]
fn a_journal_that_could_not_be_written_is_refused_at_the_start() {
    let folder = Folder::new();
    let missing = folder.path("missing/journal.ndjson");
    let itself = folder.path("");
    for (file, why) in [(&missing, "no such file or directory"), (&itself, "it is not a regular file")] {
        let ended = run([
            "serve".as_ref(),
            "--listen=127.0.0.1:0".as_ref(),
            "--journal-file".as_ref(),
            file.as_os_str(),
        ]);
        let complaint = ended.complaint(3);
        assert!(complaint.starts_with("standin: cannot write ") && complaint.contains(why), "{complaint}");
    }
}

#[cfg(unix)]
mod end {
    use std::{
        fs,
        time::{Duration, Instant},
    };

    use super::*;

    #[test]
    fn each_signal_ends_it_with_success_and_waits_for_no_client() {
        for signal in ["TERM", "INT"] {
            let server = Server::start(&[]);
            // One connection is idle, one is half-way through a request.
            let _idle = Client::connect(&server.address);
            let mut slow = Client::connect(&server.address);
            slow.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf");
            let asked = Instant::now();
            server.signal(signal);
            let (status, rest) = server.wait();
            assert!(status.success(), "{signal}: {status} {rest:?}");
            // The half request alone would be waited for three times as long.
            assert!(asked.elapsed() < Duration::from_secs(10), "{signal}: {:?}", asked.elapsed());
        }
    }

    #[test]
    fn the_journal_is_written_in_place_of_an_older_one() {
        let folder = Folder::new();
        let file = folder.file("journal.ndjson", "older");
        let server = Server::start(&["--journal-file", &file]);
        assert_eq!(fs::read_to_string(&file).unwrap(), "older");
        for _ in 0..3 {
            server.call(&Call::post(AGENTS, "{}"));
        }
        server.signal("TERM");
        let (status, rest) = server.wait();
        assert!(status.success(), "{rest:?}");

        let text = fs::read_to_string(&file).unwrap();
        let ids: Vec<_> = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_u64().unwrap())
            .collect();
        assert_eq!(ids, [1, 2, 3]);
        let names: Vec<_> =
            fs::read_dir(folder.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["journal.ndjson"], "nothing else is left behind");
    }

    #[test]
    fn a_journal_that_cannot_be_written_in_the_end_is_exit_code_3() {
        let folder = Folder::new();
        let inner = folder.path("inner");
        fs::create_dir(&inner).unwrap();
        let file = inner.join("journal.ndjson");
        let server = Server::start(&["--journal-file", file.to_str().unwrap()]);
        fs::remove_dir_all(&inner).unwrap();
        server.signal("TERM");
        let (status, rest) = server.wait();
        assert_eq!(status.code(), Some(3), "{rest:?}");
        assert!(rest.iter().any(|line| line.starts_with("standin: cannot write ")), "{rest:?}");
    }
}
