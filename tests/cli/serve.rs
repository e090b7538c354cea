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
        format!("standin is ready at {url} (32 operations; control API at {url}/__standin/)")
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
    assert_eq!(ready["operations"], 32);
    assert_eq!(ready["control"], format!("{}/__standin/", server.url()));
}

#[test]
fn each_exchange_is_a_line_on_standard_error() {
    let text = Server::start(&[]);
    text.call(&Call::post(AGENTS, "{}"));
    let line = text.log_line();
    let words: Vec<_> = line.split(' ').collect();
    assert_eq!(words[1..5], ["#1", "POST", AGENTS, "412"], "{line}");
    assert!(words[0].ends_with('Z') && words[5].ends_with("ms"), "{line}");
    assert_eq!(words[6..8], ["/body/emailId:", "expected"], "{line}");

    let json = Server::start(&["--log", "json"]);
    json.call(&Call::get("/elsewhere"));
    let line: Value = serde_json::from_str(&json.log_line()).unwrap();
    assert_eq!((&line["id"], &line["status"]), (&1.into(), &404.into()), "{line}");
    assert!(line["micros"].is_u64() && line["time"].is_string(), "{line}");
}

#[test]
fn a_filter_says_which_events_have_a_line() {
    let server = Server::start(&["--log-filter", "standin=debug,standin::connection=off"]);
    server.call(&Call::get("/__standin/health"));
    let line = server.log_line();
    assert!(line.ends_with("standin::control: method=GET path=/__standin/health status=200"), "{line}");

    let refused = run(["serve", "--log-filter", "standin=loud"]);
    let wrong = refused.complaint(2);
    assert!(wrong.contains("'standin=loud' for '--log-filter <DIRECTIVES>'"), "{wrong}");
    assert!(wrong.contains("expected directives such as standin=info"), "{wrong}");
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
fn a_line_feed_in_an_address_is_shown_as_an_escape() {
    let refused = run(["serve", "--listen", "no\nhost:80"]);
    let complaint = refused.complaint(3);
    assert!(complaint.starts_with(r"standin: cannot listen on no\nhost:80: "), "{complaint}");
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
fn secrets_can_be_in_files_without_their_line_ends() {
    let folder = Folder::new();
    let secret = folder.file("secret", "s3cret\r\n");
    let token = folder.file("token", "t0ken\n");
    let signed = run(["token", "--client-secret-file", &secret]).fine();
    assert_eq!(signed.split('.').count(), 3);
    let flags = ["--token", "verified", "--client-secret", "s3cret", "--control-token-file", &token];
    let server = Server::start(&flags);
    let mut call = Call::post(AGENTS, "{}");
    call.headers[0].1 = signed.trim().into();
    assert_eq!(server.call(&call).status, 412);
    assert_eq!(server.call(&Call::get("/__standin/requests")).status, 401);
    let asked = Call::get("/__standin/requests").header("Authorization", "Bearer t0ken");
    assert_eq!(server.call(&asked).status, 200);

    for (arguments, says) in [
        (["token", "--client-secret-file", "nowhere"], "no such file or directory"),
        (["token", "--client-secret-file", &folder.file("empty", "\n")], "the client secret is empty"),
        (["token", "--client-secret=s", &format!("--client-secret-file={secret}")], "cannot be used with"),
    ] {
        let ended = run(arguments);
        assert!(ended.complaint(2).contains(says), "{ended:#?}");
    }
}

#[test]
fn secrets_are_kept_when_asked_for() {
    for (flags, is_kept) in [(&[] as &[&str], false), (&["--keep-secrets"], true)] {
        let server = Server::start(flags);
        let token = run(["token"]).fine();
        let token = token.trim();
        let mut call = Call::post(&format!("{AGENTS}?copy={token}"), "{}");
        call.headers[0].1 = token.into();
        server.call(&call);
        let signature = token.rsplit_once('.').unwrap().1;
        let shown = server.call(&Call::get("/__standin/export?format=ndjson")).text();
        assert_eq!(shown.matches(signature).count(), if is_kept { 2 } else { 0 }, "{shown}");
        assert_eq!(server.log_line().contains(signature), is_kept);
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
        .env("STANDIN_ORIGIN", "http://c.test,http://d.test:2")
        .env("STANDIN_TOKEN", "this one is for curl");
    let server = Server::spawn(command);
    assert!(server.ready.starts_with('{'));
    assert_eq!(server.call(&Call::post(AGENTS, "{}")).status, 200);
    for origin in ["http://a.test:1", "http://b.test"] {
        let reply = server.call(&Call::get("/__standin/requests").header("Origin", origin));
        assert_eq!(reply.header("access-control-allow-origin"), Some(origin), "{reply:?}");
    }
    for (origin, status) in [("http://c.test", 200), ("http://d.test:2", 200), ("http://a.test:1", 403)] {
        let reply = server.call(&Call::post(AGENTS, "{}").header("Origin", origin));
        assert_eq!(reply.status, status, "{origin}");
        assert_eq!(reply.header("access-control-allow-origin"), Some(origin).filter(|_| status == 200));
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
        io::Read,
        net::TcpStream,
        process::Command,
        time::{Duration, Instant},
    };

    use super::*;

    #[test]
    fn each_signal_ends_it_with_success_and_waits_for_no_client() {
        for signal in ["TERM", "INT", "HUP"] {
            if signal == "HUP" && is_hangup_ignored() {
                // Whoever runs the tests wants them to outlive the terminal, and the server does as well.
                continue;
            }
            let server = Server::start(&[]);
            // One connection is idle, one is half-way through a request.
            let _idle = Client::connect(&server.address);
            let mut slow = Client::connect(&server.address);
            slow.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
            let asked = Instant::now();
            server.signal(signal);
            let (status, rest) = server.wait();
            assert!(status.success(), "{signal}: {status} {rest:?}");
            // The half request alone would be waited for three times as long.
            assert!(asked.elapsed() < Duration::from_secs(10), "{signal}: {:?}", asked.elapsed());
        }
    }

    /// Whether this process was started to outlive its terminal, as by nohup; what it starts inherits that.
    fn is_hangup_ignored() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
    }

    #[test]
    fn a_second_interrupt_ends_it_at_once() {
        // When the machine is busy it may have ended by itself before the second one is there.
        let ended_at_once = (0..20).any(|_| {
            let server = Server::start(&[]);
            let mut slow = Client::connect(&server.address);
            slow.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
            let mut idle = TcpStream::connect(&server.address).unwrap();
            server.call(&Call::get("/__standin/health"));
            server.signal("INT");
            // A connection without a request ends as soon as the first one is taken.
            idle.read_to_end(&mut Vec::new()).unwrap();
            server.signal("INT");
            server.wait().0.code() == Some(130)
        });
        assert!(ended_at_once);
    }

    #[test]
    fn what_is_started_to_outlive_its_terminal_does() {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "trap '' HUP; exec \"$0\" serve --listen 127.0.0.1:0",
            env!("CARGO_BIN_EXE_standin"),
        ]);
        let server = Server::spawn(command);
        server.signal("HUP");
        server.signal("HUP");
        assert_eq!(server.call(&Call::get("/__standin/health")).status, 200);
        server.signal("TERM");
        assert!(server.wait().0.success());
    }
}

#[test]
fn a_wording_that_the_contract_does_not_have_is_a_mistake_at_the_start() {
    let folder = Folder::new();
    let text = include_str!("../made-up.openapi.json").replace("application/problem+json", "text/plain");
    let text = text.replace("made-up/items.json", "items.json");
    folder.file("items.json", "[]");
    let contract = folder.file("shop.json", text);
    let refused = run(["serve", "--contract", &contract, "--errors", "rfc"]);
    let complaint = refused.complaint(2);
    assert!(
        complaint.contains("--errors rfc: expected refusals under application/problem+json in the contract"),
        "{complaint}"
    );
}
