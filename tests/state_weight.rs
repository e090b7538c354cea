//! What a session says that it takes is about what it takes.

mod stub_support;

use std::alloc::System;

use serde_json::json;
use standin::{Bounds, Contract, Settings, StateSettings, Stub};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use stub_support::Call;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How many agents there are.
const AGENTS: usize = 2_000;

#[test]
fn a_session_takes_about_what_it_says_and_a_clone_shares_it() {
    let bounds = Bounds { resources: AGENTS, bytes: usize::MAX };
    let settings =
        Settings { state: Some(StateSettings { bounds, ..StateSettings::default() }), ..Settings::default() };
    let stub = Stub::new(Contract::builtin(), settings);
    let mut session = standin::Session::new("weight");
    let sample = Call::sample("createAgent");
    let create = |session: &mut standin::Session, number: usize| {
        let call = sample.clone().with("/emailId", json!(format!("agent{number}@example.com")));
        let (exchange, change) = stub.decide(session, stub.check(call.request()));
        assert_eq!(exchange.reply.status, 200);
        session.apply(change);
    };
    // What is compiled for the first request is not the session's.
    create(&mut standin::Session::new("first"), 0);
    let region = Region::new(ALLOCATOR);
    for number in 0..AGENTS {
        create(&mut session, number);
    }
    let change = region.change();
    let held = change.bytes_allocated - change.bytes_deallocated;
    let said = session.bytes();
    assert!(said * 10 > held * 9 && said < held * 2, "{held} bytes are held, and {said} are said to be");

    let region = Region::new(ALLOCATOR);
    let clone = session.clone();
    assert!(region.change().bytes_allocated < 10_000, "a clone shares everything");
    drop(clone);

    session = standin::Session::new("weight");
    let freed = region.change().bytes_deallocated;
    assert!(freed * 10 > held * 9, "{freed} of {held} bytes are free again");
    assert_eq!(session.bytes(), 0);
}
