//! `standin health`: its exit code is what scripts and containers go by.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::support::{
    faulty::{Faulty, hang, write},
    program::{Server, end, run, standin},
};

#[test]
fn a_stand_in_that_serves_is_healthy() {
    let server = Server::start(&[]);
    let port = server.address.rsplit(':').next().unwrap();

    for place in [server.url(), server.address.clone(), format!("http://localhost:{port}/")] {
        let out = run(["health", &place]).fine();
        assert!(out.contains(&format!(":{port} serves: standin {}, ", env!("CARGO_PKG_VERSION"))), "{out}");
        assert!(out.ends_with(" s\n") && out.lines().count() == 1, "{out}");
    }
    let out = end(standin(["health"]).env("STANDIN_LISTEN", format!("0.0.0.0:{port}"))).fine();
    assert!(out.starts_with(&format!("http://{} serves: ", server.address)), "{out}");
}

#[test]
fn the_control_token_is_sent_and_a_wrong_one_is_said_at_once() {
    let server = Server::start(&["--control-token", "s3same"]);

    let good = end(standin(["health", &server.address]).env("STANDIN_CONTROL_TOKEN", "s3same"));
    let bad = run(["health", &server.address, "--control-token", "gu3ss", "--wait", "10m"]);

    good.fine();
    let complaint = bad.complaint(1);
    assert!(complaint.contains("asks for another token; set --control-token"), "{complaint}");
    assert!(!complaint.contains("gu3ss"), "{complaint}");
}

#[test]
fn where_nobody_serves_the_exit_code_is_1_and_the_reason_is_said() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let other = Faulty::start(|_, stream| write(stream, 200, "text/html", "<p>hello</p>"));
    let short = Faulty::start(|_, stream| {
        let _ = std::io::Write::write_all(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{");
    });
    let silent = Faulty::start(|_, stream| hang(stream));
    for (place, reason) in [
        (&closed, "no connection to 127.0.0.1:"),
        (&other.url, "expected the health of a stand-in, but found another reply with status 200"),
        (&short.url, "something that is no whole HTTP reply"),
        (&silent.url, "no reply within "),
    ] {
        let ended = run(["health", place, "--wait", "300ms"]);
        assert_eq!(ended.out, "");
        let complaint = ended.complaint(1);
        assert!(complaint.contains(" does not serve: ") && complaint.contains(reason), "{complaint}");
    }
}

#[test]
fn waiting_ends_as_soon_as_it_serves() {
    let asked = AtomicU32::new(0);
    let starting = Faulty::start(move |_, stream| {
        if asked.fetch_add(1, Ordering::Relaxed) < 3 {
            return write(stream, 503, "text/plain", "not yet");
        }
        write(stream, 200, "application/json", r#"{"status": "serving", "version": "9"}"#);
    });

    let impatient = run(["health", &starting.url]);
    let patient = run(["health", &starting.url, "--wait", "10m"]);

    assert!(impatient.complaint(1).ends_with("it answers 503"));
    assert!(patient.fine().contains(" serves: standin 9, "));
    assert_eq!(starting.received().len(), 4);
    assert_eq!(starting.received()[0].target, "/__standin/health");
}

#[test]
fn a_place_that_is_none_is_a_wrong_command_line() {
    for place in ["https://localhost:8484", "localhost", "127.0.0.1:0", "http://localhost/agentassist"] {
        let ended = run(["health", place]);
        let complaint = ended.complaint(2);
        assert!(complaint.contains("expected a URL such as http://127.0.0.1:8484, but found"), "{complaint}");
    }
    assert!(run(["health", "--wait", "soon"]).complaint(2).contains("expected a time such as 10s"));
}
