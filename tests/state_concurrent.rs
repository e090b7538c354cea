//! Many clients in one session: what each of them got is what it would have got, had they come one after the other.

mod support;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};
use standin::{Request, Session, Settings, StateSettings, Stub};
use support::{Client, TOKEN, server};

const CLIENTS: usize = 64;
const AGENTS: &str = "/agentassist/api/v1/public/st-1/agents";

/// A request that was sent, and what came back.
struct Kept {
    exchange: u64,
    request: Request,
    status: u16,
    body: Vec<u8>,
}

fn request(method: &str, target: &str, body: &str) -> Request {
    let request = Request::new(method, target)
        .header("host", "localhost")
        .header("auth", TOKEN)
        .header("accountId", "acc-1")
        .header("content-length", body.len().to_string());
    if body.is_empty() {
        request
    } else {
        request.header("content-type", "application/json").body(body.to_owned())
    }
}

fn send(client: &mut Client, request: Request) -> Kept {
    let mut bytes = format!("{} {} HTTP/1.1\r\n", request.method, request.target).into_bytes();
    for (name, value) in request.headers.iter() {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    bytes.extend(&request.body);
    let reply = client.call(bytes);
    Kept { exchange: reply.id(), request, status: reply.status, body: reply.body }
}

/// What one client does: it makes agents, some with an address that another one has, changes, reads, lists and deletes
/// them, and meddles with those of others.
fn work(client: &mut Client, number: usize, ids: &Mutex<Vec<String>>) -> Vec<Kept> {
    let mut kept = Vec::new();
    let mut own = Vec::new();
    for round in 0..3 {
        let address =
            if round == 2 { "shared@example.com".into() } else { format!("a{number}-{round}@example.com") };
        let body =
            json!({"emailId": address, "firstName": "A", "lastName": number.to_string(), "roleId": "r-1"});
        let created = send(client, request("POST", AGENTS, &body.to_string()));
        let reply: Value = serde_json::from_slice(&created.body).unwrap();
        kept.push(created);
        if let Some(id) = reply["id"].as_str() {
            own.push(id.to_owned());
            ids.lock().unwrap().push(id.to_owned());
        }
        let other = {
            let ids = ids.lock().unwrap();
            ids[(number * 7 + round) % ids.len()].clone()
        };
        let mine = own.last().cloned().unwrap_or_else(|| other.clone());
        let mut update: Value =
            serde_json::from_str(include_str!("../fixtures/updateAgent/request.json")).unwrap();
        update["emailId"] = format!("b{number}-{round}@example.com").into();
        update["firstName"] = format!("B{round}").into();
        kept.push(send(
            client,
            request("PUT", &format!("{AGENTS}/{other}?groupId=ag-1"), &update.to_string()),
        ));
        kept.push(send(client, request("GET", &format!("{AGENTS}/{mine}"), "")));
        let list = "/agentassist/api/v1/public/st-1/organizations/o-1/agents?page=1";
        kept.push(send(client, request("GET", list, "")));
        if round == 1 {
            kept.push(send(client, request("DELETE", &format!("{AGENTS}/{other}"), "")));
            kept.push(send(client, request("GET", &format!("{AGENTS}/{other}"), "")));
        }
    }
    kept
}

#[test]
fn what_many_clients_got_is_what_they_would_have_got_one_after_the_other() {
    let settings = Settings { state: Some(StateSettings::default()), ..Settings::default() };
    let server = server(|config| config.settings = settings.clone());
    let ids = Arc::new(Mutex::new(Vec::new()));

    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (address, ids) = (server.addr(), Arc::clone(&ids));
            thread::spawn(move || work(&mut Client::connect(address), number, &ids))
        })
        .collect();
    let mut kept: Vec<Kept> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();

    kept.sort_by_key(|kept| kept.exchange);
    assert!(kept.iter().map(|kept| kept.exchange).eq(1..=kept.len() as u64), "each has a number of its own");
    let stub = Stub::new(server.stub().contract().clone(), settings);
    let mut session = Session::new("default");
    let mut statuses = BTreeMap::<_, usize>::new();
    for Kept { exchange, request, status, body } in kept {
        let recorded = server.journal().get(exchange).unwrap();
        let request = Request { received: recorded.exchange.request.received, ..request };
        let (replayed, change) = stub.decide(&session, stub.check(request));
        session.apply(change);
        assert_eq!(
            (replayed.reply.status, replayed.reply.body.escape_ascii().to_string()),
            (status, body.escape_ascii().to_string()),
            "exchange {exchange}"
        );
        assert_eq!(replayed.state, recorded.exchange.state, "exchange {exchange}");
        *statuses.entry(status).or_default() += 1;
    }
    assert_eq!(server.session("default").state(), session.snapshot());
    let count = |status| statuses.get(&status).copied().unwrap_or_default();
    assert!(count(200) > 6 * CLIENTS, "{statuses:?}");
    assert!(count(409) > 0, "there were conflicts and things that were gone: {statuses:?}");
}
