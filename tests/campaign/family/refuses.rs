//! Servers that refuse what they must accept.

use serde_json::{Value, json};

use super::{
    Answer, Bug,
    api::{Api, is_of, json as body, with_members},
};
use standin::Request;

pub const ALL: &[Bug] = &[
    Bug {
        name: "counts-bytes",
        does: "counts the bytes of a name instead of its characters",
        check: "valid_accepted",
        operation: "updateAgent",
        act: |api, request| {
            let names = ["firstName", "lastName", "nickName"];
            let is_long = |name: &&str| body(&request)[*name].as_str().is_some_and(|text| text.len() > 50);
            let long = names.into_iter().find(is_long);
            refuse(api, request, "updateAgent", long)
        },
        ..Bug::USUAL
    },
    Bug {
        name: "ascii-names",
        does: "refuses names with letters that ASCII does not have",
        check: "valid_accepted",
        operation: "createAgent",
        act: |api, request| {
            let is_other = |name: &&str| body(&request)[*name].as_str().is_some_and(|text| !text.is_ascii());
            let other = ["firstName", "lastName"].into_iter().find(is_other);
            refuse(api, request, "createAgent", other)
        },
        ..Bug::USUAL
    },
    Bug {
        name: "no-empty-list",
        does: "refuses an empty list of queues",
        check: "valid_accepted",
        operation: "createAgent",
        act: |api, request| {
            let is_empty = body(&request)["queues"].as_array().is_some_and(Vec::is_empty);
            refuse(api, request, "createAgent", is_empty.then_some("queues"))
        },
        ..Bug::USUAL
    },
    Bug {
        name: "needs-nickname",
        does: "refuses an update without a nickname",
        check: "valid_accepted",
        operation: "updateAgent",
        act: |api, request| {
            let is_missing = body(&request).as_object().is_some_and(|body| !body.contains_key("nickName"));
            refuse(api, request, "updateAgent", is_missing.then_some("nickName"))
        },
        ..Bug::USUAL
    },
];

/// Refuses a request of an operation as if this member of its body were of a wrong type; answers it rightly when there is
/// no such member.
fn refuse(api: &Api, request: Request, operation: &str, member: Option<&str>) -> Answer {
    let is_meant = is_of(&api.decide(request.clone()).0, operation);
    let request = match member.filter(|_| is_meant) {
        Some(member) => with_members(request, |members| {
            members.insert(member.to_owned(), json!({"refused": Value::Null}));
        }),
        None => request,
    };
    Answer::Reply(api.respond(request).reply)
}
