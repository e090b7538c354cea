use std::thread;

use super::*;
use crate::{Request, Settings, StateSettings};

const NAMES: [&str; 3] = ["a", "b", "c"];

fn sessions(limits: SessionLimits) -> (Sessions, Stub) {
    let contract = Contract::builtin();
    let state = StateSettings::default();
    let sessions = Sessions::empty(&contract, &state, limits);
    (sessions, Stub::new(contract, Settings { state: Some(state), ..Settings::default() }))
}

fn request(stub: &Stub, method: &str, path: &str) -> Request {
    Request::new(method, format!("/agentassist/api/v1/public/st-1/{path}"))
        .header("auth", stub.contract().sample_token().unwrap())
        .header("accountId", "acc-1")
}

fn create(stub: &Stub, number: usize) -> Checked {
    let body = json!({"emailId": format!("a{number}@example.com"), "firstName": "A", "lastName": "B", "roleId": "r", "customId": "c"});
    let request = request(stub, "POST", "agents").header("content-type", "application/json");
    stub.check(request.body(body.to_string()))
}

#[test]
fn however_sessions_come_change_and_go_their_bytes_are_what_they_have_together() {
    let limits = SessionLimits { sessions: 3, bytes: 40_000 };
    let (sessions, stub) = sessions(limits);
    let full = sessions.fresh("a").snapshot();

    thread::scope(|scope| {
        for number in 0..4 {
            let (sessions, stub, full) = (&sessions, &stub, &full);
            scope.spawn(move || {
                for round in 0..300 {
                    let name = NAMES[(number + round) % NAMES.len()];
                    let other = NAMES[(number * 5 + round * 7) % NAMES.len()];
                    // What cannot be done changes nothing.
                    let _ = match (number * 31 + round * 17) % 11 {
                        0 => sessions.remove(name),
                        1 => sessions.fork(name, other),
                        2 => sessions.reset(name),
                        3 => sessions.read(name, full).and_then(|state| sessions.put(name, state)),
                        4 => sessions.get(other).and_then(|state| sessions.put(name, state.named(name))),
                        _ => {
                            sessions.decide(stub, name, create(stub, number * 1000 + round), |_, _| {}, drop);
                            Ok(())
                        }
                    };
                    assert!(sessions.bytes.load(Ordering::Relaxed) <= limits.bytes);
                }
            });
        }
    });

    let listed = sessions.list();
    assert!(listed.iter().any(|session| session.resources > 0));
    let together: usize = listed.iter().map(|session| session.bytes).sum();
    assert_eq!(sessions.bytes.load(Ordering::Relaxed), together);
    for name in NAMES {
        let _ = sessions.remove(name);
    }
    assert_eq!(sessions.bytes.load(Ordering::Relaxed), 0);
}

#[test]
fn a_document_gives_the_same_sessions_again() {
    let (before, stub) = sessions(SessionLimits::default());
    for (number, name) in NAMES.into_iter().cycle().take(7).enumerate() {
        before.decide(&stub, name, create(&stub, number), |_, _| {}, drop);
    }
    let mut text = Vec::new();
    before.write(&mut text).unwrap();

    let (after, stub) = sessions(SessionLimits::default());
    after.restore(&serde_json::from_slice(&text).unwrap()).unwrap();

    for name in NAMES {
        assert_eq!(after.get(name).unwrap(), before.get(name).unwrap());
    }
    let mut replies = Vec::new();
    for sessions in [&before, &after] {
        sessions.decide(&stub, "a", create(&stub, 9), |_, _| {}, |exchange| replies.push(exchange.reply));
    }
    assert_eq!(replies[0], replies[1], "they go on alike");
}

#[test]
fn sessions_that_start_alike_make_ids_of_their_own() {
    let (sessions, stub) = sessions(SessionLimits::default());
    let mut bodies = Vec::new();
    for name in NAMES {
        sessions.decide(
            &stub,
            name,
            create(&stub, 1),
            |_, _| {},
            |exchange| bodies.push(exchange.reply.body),
        );
    }
    assert!(bodies[0] != bodies[1] && bodies[1] != bodies[2], "{bodies:?}");
}

#[test]
fn what_looks_at_all_records_sees_what_was_there_when_it_is_recorded() {
    let (sessions, stub) = sessions(SessionLimits::default());
    let (order, is_list) = (Mutex::new(Vec::new()), [false, true, true]);

    thread::scope(|scope| {
        for (thread, is_list) in is_list.into_iter().enumerate() {
            let (sessions, stub, order) = (&sessions, &stub, &order);
            scope.spawn(move || {
                for round in 0..100 {
                    // All that have an id of their own, and a page as long as there may be.
                    let path = ["agents/customId/c", "organizations/o-1/agents?limit=1000000"][round % 2];
                    let list = || stub.check(request(stub, "GET", path));
                    let checked = if is_list { list() } else { create(stub, thread * 1000 + round) };
                    let record = |exchange: Exchange| {
                        assert_eq!(exchange.reply.status, 200, "{exchange:?}");
                        let body: Value = serde_json::from_slice(&exchange.reply.body).unwrap();
                        let list = body.as_array().or_else(|| body["results"].as_array());
                        lock(order).push(list.map(Vec::len));
                    };
                    sessions.decide(stub, "a", checked, |_, _| {}, record);
                }
            });
        }
    });

    let mut created = 0;
    for listed in order.into_inner().unwrap() {
        match listed {
            None => created += 1,
            Some(listed) => assert_eq!(listed, created),
        }
    }
    assert_eq!(created, 100);
}
