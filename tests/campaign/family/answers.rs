//! Servers that decide rightly and answer wrongly.

use serde_json::{Value, json};
use standin::Headers;

use super::{
    Answer, Bug,
    api::{is_of, reply},
};

pub const ALL: &[Bug] = &[
    Bug {
        name: "answers-html",
        does: "calls the updated agent text/html",
        check: "reply_matches_contract",
        operation: "updateAgent",
        act: |api, request| {
            let mut exchange = api.respond(request);
            if exchange.reply.status == 200 && is_of(&exchange, "updateAgent") {
                exchange.reply.headers = Headers::from_iter([("content-type", "text/html")]);
            }
            Answer::Reply(exchange.reply)
        },
        ..Bug::USUAL
    },
    Bug {
        name: "wraps-reply",
        does: "wraps the created agent in `data`",
        check: "reply_matches_contract",
        operation: "createAgent",
        act: |api, request| {
            api.reshape(request, "createAgent", |agent| *agent = json!({"data": agent.take()}))
        },
        ..Bug::USUAL
    },
    Bug {
        name: "booleans-as-strings",
        does: "writes a boolean of the created agent as a string",
        check: "reply_matches_contract",
        operation: "createAgent",
        act: |api, request| {
            api.reshape(request, "createAgent", |agent| agent["canSupportChat"] = json!("true"))
        },
        ..Bug::USUAL
    },
    Bug {
        name: "forgets-member",
        does: "leaves the e-mail address out of the created agent",
        check: "reply_matches_contract",
        operation: "createAgent",
        act: |api, request| {
            api.reshape(request, "createAgent", |agent| {
                agent.as_object_mut().map(|agent| agent.shift_remove("emailId"));
            })
        },
        ..Bug::USUAL
    },
    Bug {
        name: "explains-nothing",
        does: "refuses without a word about what is wrong",
        check: "refusal_explained",
        act: |api, request| {
            let mut exchange = api.respond(request);
            if exchange.reply.status == 412 {
                let body = r#"{"errors":[{"msg":"Validation errors/ Invalid arguments","code":412}]}"#;
                exchange.reply = reply(412, "application/json", body);
            }
            Answer::Reply(exchange.reply)
        },
        ..Bug::USUAL
    },
    Bug {
        name: "other-second-answer",
        does: "answers an update in another way when it comes again",
        check: "same_answer_twice",
        operation: "updateAgent",
        act: |api, request| {
            let again = api.times_before(format!("{} {:?}", request.target, request.body)) % 2 == 1;
            api.reshape(request, "updateAgent", |agent| {
                if again {
                    agent["unchanged"] = Value::Bool(true);
                }
            })
        },
        ..Bug::USUAL
    },
    Bug {
        name: "echoes-token",
        does: "shows the token in the created agent",
        check: "no_echo_of_secrets",
        operation: "createAgent",
        act: |api, request| {
            let token = request
                .headers
                .all("auth")
                .next()
                .map(String::from_utf8_lossy)
                .unwrap_or_default()
                .into_owned();
            api.reshape(request, "createAgent", |agent| agent["createdWith"] = token.into())
        },
        ..Bug::USUAL
    },
];
