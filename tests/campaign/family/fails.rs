//! Servers that fail, hang or hang up.

use serde_json::Value;
use standin::Rule;

use super::{
    Answer, Bug,
    api::{failure, is_of, json},
};

pub const ALL: &[Bug] = &[
    Bug {
        name: "fails-on-long-name",
        does: "answers 500 to a name that is too long",
        check: "never_5xx",
        operation: "updateAgent",
        rule: Some(Rule::MaxLength),
        act: |api, request| api.instead(request, |found| found.rule == Rule::MaxLength, |_| failure()),
        ..Bug::USUAL
    },
    Bug {
        name: "fails-on-emoji",
        does: "answers 500 to a character beyond the first 65 536",
        check: "never_5xx",
        operation: "createAgent",
        act: |api, request| {
            let is_wide = |text: &str| text.chars().any(|c| c > '\u{ffff}');
            let has_wide = ["firstName", "lastName"]
                .iter()
                .any(|name| json(&request)[*name].as_str().is_some_and(is_wide));
            let exchange = api.respond(request);
            if has_wide && exchange.reply.status == 200 && is_of(&exchange, "createAgent") {
                return failure();
            }
            Answer::Reply(exchange.reply)
        },
        ..Bug::USUAL
    },
    Bug {
        name: "fails-on-list",
        does: "answers 500 to a body that is not an object",
        check: "never_5xx",
        rule: Some(Rule::Type),
        place: "/body",
        act: |api, request| {
            api.instead(request, |found| found.pointer == "/body" && found.rule == Rule::Type, |_| failure())
        },
        ..Bug::USUAL
    },
    Bug {
        name: "fails-on-null-skill",
        does: "answers 500 to null in the list of skills of an update",
        check: "never_5xx",
        operation: "updateAgent",
        rule: Some(Rule::Type),
        act: |api, request| {
            let has_null =
                json(&request)["skills"].as_array().is_some_and(|skills| skills.contains(&Value::Null));
            let is_skill = |pointer: &str| pointer.starts_with("/body/skills/");
            api.instead(
                request,
                |found| has_null && found.rule == Rule::Type && is_skill(&found.pointer),
                |_| failure(),
            )
        },
        ..Bug::USUAL
    },
    Bug {
        name: "hangs-on-nesting",
        does: "never answers a body that is nested too deep",
        check: "answers_in_time",
        rule: Some(Rule::Depth),
        place: "/body",
        act: |api, request| api.instead(request, |found| found.rule == Rule::Depth, |_| Answer::Hang),
        ..Bug::USUAL
    },
    Bug {
        name: "drops-invalid-utf8",
        does: "hangs up on a body that is not UTF-8",
        check: "connection_survives",
        rule: Some(Rule::Encoding),
        place: "/body",
        act: |api, request| api.instead(request, |found| found.rule == Rule::Encoding, |_| Answer::Close),
        ..Bug::USUAL
    },
    Bug {
        name: "cuts-replies",
        does: "sends less of a refusal than it announces, when a parameter is there twice",
        check: "connection_survives",
        operation: "updateAgent",
        rule: Some(Rule::Repeated),
        place: "/query/groupId",
        act: |api, request| {
            let is_meant = |found: &standin::Violation| {
                found.pointer == "/query/groupId" && found.rule == Rule::Repeated
            };
            api.instead(request, is_meant, Answer::Cut)
        },
        ..Bug::USUAL
    },
    Bug {
        name: "leaves-body-unread",
        does: "does not read the body of a request that it refuses for its token, and takes it for the next one",
        check: "connection_survives",
        act: |api, request| {
            let exchange = api.respond(request);
            if exchange.step == standin::Step::Authorize {
                return Answer::Unread(exchange.reply);
            }
            Answer::Reply(exchange.reply)
        },
        ..Bug::USUAL
    },
];
