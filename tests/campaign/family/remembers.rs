//! Servers that keep state, and lose some.

use standin::Request;

use super::{
    Answer, Bug, Sound,
    api::{Api, is_of},
};

pub const ALL: &[Bug] = &[
    Bug {
        name: "forgets-created",
        does: "answers the created agent and does not store it",
        check: "created_is_readable",
        act: |api, request| {
            let (exchange, _) = api.decide(request.clone());
            if is_of(&exchange, "createAgent") {
                return Answer::Reply(exchange.reply);
            }
            Answer::Reply(api.respond(request).reply)
        },
        ..STATEFUL
    },
    Bug {
        name: "stale-read",
        does: "reads an agent as it was before its update",
        check: "created_is_readable",
        act: |api, request| {
            let target = request.target.clone();
            let exchange = api.respond(request);
            if is_of(&exchange, "deleteAgent") {
                api.forget(&target);
            }
            if is_of(&exchange, "getAgent") && exchange.reply.status == 200 {
                return Answer::Reply(api.keep(target, exchange.reply));
            }
            Answer::Reply(exchange.reply)
        },
        ..STATEFUL
    },
    Bug {
        name: "reads-deleted",
        does: "reads an agent that was deleted",
        check: "deleted_is_gone",
        act: |api, request| {
            let (exchange, _) = api.decide(request.clone());
            if is_of(&exchange, "deleteAgent") {
                return Answer::Reply(exchange.reply);
            }
            Answer::Reply(api.respond(request).reply)
        },
        ..STATEFUL
    },
    Bug {
        name: "keeps-refused",
        does: "stores an agent that it refuses to create",
        check: "failed_create_left_nothing",
        operation: "createAgent",
        act: keep_refused,
        ..STATEFUL
    },
];

const STATEFUL: Bug = Bug { sound: Sound::State, ..Bug::USUAL };

fn keep_refused(api: &Api, request: Request) -> Answer {
    let exchange = api.respond(request.clone());
    let is_refused = exchange.step == standin::Step::Validate && is_of(&exchange, "createAgent");
    if is_refused {
        api.accept(request);
    }
    Answer::Reply(exchange.reply)
}
