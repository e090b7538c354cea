//! The same request again and again: what `benches/instructions` counts the instructions of.
//!
//! `cargo run --release --example one_request -- accepted 1000` answers it in the process, and
//! `one_request -- send 127.0.0.1:8484 1000` sends it to a server.

use std::{
    env,
    error::Error,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use serde_json::Value;
use standin::{Contract, Journal, JournalLimits, Request, Secrets, Session, Settings, StateSettings, Stub};

const AGENTS: &str = "/agentassist/api/v1/public/st-d2aa65cc-a2d2-5b6d-84d7-861509e2xxxx/agents";
const IMPORT: &str = "/agentassist/api/v1/public/analytics/st-d76e4023-ba1e-52af-a144-248e92c4xxxx/storeSmartAssistFunctionalities?accountId=67ee382b8226ebf4d953xxxx&orgId=o-7d15bb88-f5bb-5449-9190-87a05553xxxx&type=skillGroups";
const ACCOUNT: &str = "649bdcaf5037ed113942xxxx";
const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwiYXBwSWQiOiJjcy0zOWNkNmJhMC1mNmVlLTViYWUtOWI3ZC03M2I0YmE5N2FjOGIifQ.LAiNcKfUNeDaAtPei1nD6JZJbnEGsv1BKo1pQUexxxx";
const AGENT: &str = include_str!("../fixtures/createAgent/request.json");
const UPDATE: &str = include_str!("../fixtures/updateAgent/request.json");
const GROUPS: &str = include_str!("../fixtures/importDataV2/request.json");

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["send", address, count] => send(address, count.parse()?)?,
        ["cycle", count] => cycle(count.parse()?)?,
        [case @ ("accepted" | "refused" | "import" | "recorded"), count] => answer(case, count.parse()?),
        _ => {
            return Err(
                "expected accepted, refused, import, recorded, cycle or `send ADDRESS`, and a count".into()
            );
        }
    }
    Ok(())
}

fn request(method: &str, target: impl Into<String>, body: &str) -> Request {
    let request = Request::new(method, target).header("auth", TOKEN).header("accountId", ACCOUNT);
    request.header("content-type", "application/json").body(body.to_owned())
}

/// An import, an agent, or an agent without what it needs most.
fn answer(case: &str, count: usize) {
    let stub = Stub::new(Contract::builtin(), Settings::default());
    let journal = Journal::new(JournalLimits::default()).hiding(Secrets::of(stub.contract()));
    for _ in 0..count {
        let exchange = stub.respond(match case {
            "import" => request("POST", IMPORT, GROUPS),
            "refused" => request("POST", AGENTS, &AGENT.replacen('@', "", 1)),
            _ => request("POST", AGENTS, AGENT),
        });
        assert_eq!(exchange.violations.is_empty(), case != "refused");
        if case == "recorded" {
            journal.record(exchange);
        }
    }
}

/// An agent is created, read, updated and deleted.
fn cycle(count: usize) -> Result<(), Box<dyn Error>> {
    let settings = Settings { state: Some(StateSettings::default()), ..Settings::default() };
    let stub = Stub::new(Contract::builtin(), settings);
    let mut session = Session::new("default");
    let mut answered = |request| {
        let (exchange, change) = stub.decide(&session, stub.check(request));
        assert_eq!(exchange.reply.status, 200);
        session.apply(change);
        exchange.reply.body
    };
    for _ in 0..count {
        let created: Value = serde_json::from_slice(&answered(request("POST", AGENTS, AGENT)))?;
        let agent = format!("{AGENTS}/{}", created["id"].as_str().ok_or("expected an id")?);
        answered(request("GET", agent.as_str(), ""));
        answered(request("PUT", format!("{agent}?groupId=ag-1"), UPDATE));
        answered(request("DELETE", agent, ""));
    }
    Ok(())
}

/// An agent is created over HTTP, on one connection.
fn send(address: &str, count: usize) -> Result<(), Box<dyn Error>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let length = AGENT.len();
    let request = format!(
        "POST {AGENTS} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\nauth: {TOKEN}\r\n\
         accountId: {ACCOUNT}\r\ncontent-length: {length}\r\n\r\n{AGENT}"
    );
    let mut replies = BufReader::new(&stream);
    for _ in 0..count {
        (&stream).write_all(request.as_bytes())?;
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            if replies.read_line(&mut line)? == 0 {
                return Err("expected a reply, but found the end of the connection".into());
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        replies.read_exact(&mut vec![0; length])?;
    }
    Ok(())
}
