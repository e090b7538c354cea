//! `standin stop`, and the call that it makes.

use std::{fs, net::TcpListener};

use crate::support::{
    AGENTS, Call, Client,
    faulty::{Faulty, write},
    program::{Folder, Server, end, run, standin},
};

fn post_stop() -> Call {
    Call::post("/__standin/stop", "{}")
}

#[test]
fn the_server_is_gone_and_its_journal_written_when_the_command_is_done() {
    let folder = Folder::new();
    let file = folder.path("journal.ndjson");
    let server = Server::start(&["--journal-file", file.to_str().unwrap()]);
    let address = server.address.clone();
    for _ in 0..10 {
        server.call(&Call::post(AGENTS, "{}"));
    }
    // Whoever does not finish its request holds nobody up for long.
    let mut slow = Client::connect(&address);
    slow.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf");

    let out = run(["stop", &address]).fine();

    assert_eq!(out, format!("http://{address} has stopped\n"));
    // The half request is recorded as well.
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 12);
    TcpListener::bind(&address).expect("its port is free");
    let (status, rest) = server.wait();
    assert!(status.success(), "{rest:?}");
}

#[test]
fn the_control_token_is_asked_for() {
    let server = Server::start(&["--control-token", "s3same"]);

    let bad = run(["stop", &server.address, "--control-token", "gu3ss"]);
    let complaint = bad.complaint(1);
    assert!(complaint.contains("asks for another token; set --control-token"), "{complaint}");
    assert!(!complaint.contains("gu3ss"), "{complaint}");

    end(standin(["stop", &server.address]).env("STANDIN_CONTROL_TOKEN", "s3same")).fine();
    assert!(server.wait().0.success());
}

#[test]
fn where_there_is_nobody_to_stop_the_exit_code_is_1_and_the_reason_is_said() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let other = Faulty::start(|_, stream| write(stream, 200, "text/html", "<p>hello</p>"));
    for (place, reason) in [
        (&closed, "no connection to 127.0.0.1:"),
        (&other.url, "expected a stand-in that stops, but found another reply with status 200"),
    ] {
        let ended = run(["stop", place]);
        assert_eq!(ended.out, "");
        let complaint = ended.complaint(1);
        assert!(complaint.contains(" was not stopped: ") && complaint.contains(reason), "{complaint}");
    }
}

#[test]
fn a_page_cannot_stop_it_and_neither_can_a_get() {
    let server = Server::start(&[]);
    let mut form = post_stop();
    form.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    assert_eq!(server.call(&form.header("Content-Type", "text/plain")).status, 415);
    assert_eq!(server.call(&Call::get("/__standin/stop")).status, 405);
    assert_eq!(server.call(&Call::get("/__standin/health")).status, 200);
    let reply = server.call(&post_stop());
    assert_eq!((reply.status, reply.text().as_str()), (200, "{\"status\":\"stopping\"}\n"));
    assert!(server.wait().0.success());
}
