//! Servers that accept what they must refuse.

use serde_json::Value;
use standin::{Rule, Step, Violation};

use super::{
    Answer, Bug, Sound,
    api::{is_of, json, value, with_header, with_members},
};

pub const ALL: &[Bug] = &[
    Bug {
        name: "accepts-missing-role",
        does: "creates an agent without a `roleId`",
        operation: "createAgent",
        rule: Some(Rule::Required),
        place: "/body/roleId",
        act: |api, request| {
            api.overlook(request, |_, found| found.pointer == "/body/roleId" && found.rule == Rule::Required)
        },
        ..Bug::USUAL
    },
    Bug {
        name: "accepts-guru",
        does: "takes any level of proficiency in a chat language",
        operation: "updateAgent",
        rule: Some(Rule::Enum),
        place: "/proficiency",
        act: |api, request| {
            api.overlook(request, |_, found| {
                found.rule == Rule::Enum && found.pointer.starts_with("/body/chatLanguageSupport/")
            })
        },
        ..Bug::USUAL
    },
    Bug {
        name: "ignores-account",
        does: "updates an agent without an `accountId`",
        operation: "updateAgent",
        rule: Some(Rule::Required),
        place: "/header/accountId",
        act: |api, request| {
            api.overlook(request, |exchange, found| {
                is_of(exchange, "updateAgent")
                    && found.pointer == "/header/accountId"
                    && found.rule == Rule::Required
            })
        },
        ..Bug::USUAL
    },
    Bug {
        name: "ignores-group",
        does: "updates an agent without the `groupId` of the query",
        operation: "updateAgent",
        rule: Some(Rule::Required),
        place: "/query/groupId",
        act: |api, request| {
            api.overlook(request, |_, found| {
                found.pointer == "/query/groupId" && found.rule == Rule::Required
            })
        },
        ..Bug::USUAL
    },
    Bug {
        name: "off-by-one",
        does: "takes names of 51 characters",
        operation: "updateAgent",
        rule: Some(Rule::MaxLength),
        act: |api, request| {
            let sent = request.clone();
            api.overlook(request, |_, found| {
                let text = value(&sent, found);
                found.rule == Rule::MaxLength
                    && text.as_ref().and_then(Value::as_str).is_some_and(|text| text.chars().count() == 51)
            })
        },
        ..Bug::USUAL
    },
    Bug {
        name: "accepts-null",
        does: "takes null for a nickname",
        rule: Some(Rule::Type),
        act: |api, request| {
            let sent = request.clone();
            api.overlook(request, |_, found| {
                found.rule == Rule::Type
                    && value(&sent, found) == Some(Value::Null)
                    && found.pointer == "/body/nickName"
            })
        },
        place: "/body/nickName",
        ..Bug::USUAL
    },
    Bug {
        name: "numbers-as-strings",
        does: "takes a string for the number of chats",
        rule: Some(Rule::Type),
        place: "/body/maxChatSupport",
        act: |api, request| {
            let sent = request.clone();
            api.overlook(request, |_, found| {
                found.rule == Rule::Type
                    && found.pointer == "/body/maxChatSupport"
                    && value(&sent, found).is_some_and(|value| value.is_string())
            })
        },
        ..Bug::USUAL
    },
    Bug {
        name: "accepts-fraction",
        does: "takes a fraction where a new agent needs an integer",
        operation: "createAgent",
        rule: Some(Rule::Type),
        place: "/body/maxChatSupport",
        act: |api, request| {
            let sent = request.clone();
            api.overlook(request, |_, found| {
                found.pointer == "/body/maxChatSupport"
                    && value(&sent, found).is_some_and(|value| value.is_f64())
            })
        },
        ..Bug::USUAL
    },
    Bug {
        name: "accepts-any-address",
        does: "takes anything for an e-mail address",
        rule: Some(Rule::Format),
        place: "/body/emailId",
        act: |api, request| {
            api.overlook(request, |_, found| found.pointer == "/body/emailId" && found.rule == Rule::Format)
        },
        ..Bug::USUAL
    },
    Bug {
        name: "first-item-only",
        does: "looks at the first item of an array only",
        act: |api, request| api.overlook(request, |_, found| is_in_later_item(found)),
        ..Bug::USUAL
    },
    Bug {
        name: "first-member-only",
        does: "looks at the first member of the body only",
        act: |api, request| {
            let first =
                json(&request).as_object().and_then(|body| body.keys().next().cloned()).unwrap_or_default();
            let first = format!("/body/{first}");
            api.overlook(request, |_, found| {
                found.pointer.starts_with("/body/") && !found.pointer.starts_with(&first)
            })
        },
        ..Bug::USUAL
    },
    Bug {
        name: "any-case-of-names",
        does: "takes names of members in any case",
        operation: "createAgent",
        rule: Some(Rule::Required),
        act: |api, request| {
            let renamed = with_members(request.clone(), |members| {
                for name in ["emailId", "firstName", "lastName", "roleId"] {
                    let other = members.keys().find(|other| other.eq_ignore_ascii_case(name)).cloned();
                    if let Some(value) =
                        other.filter(|other| other != name).and_then(|other| members.remove(&other))
                    {
                        members.entry(name).or_insert(value);
                    }
                }
            });
            let exchange = api.decide(request.clone()).0;
            let request = if is_of(&exchange, "createAgent") { renamed } else { request };
            Answer::Reply(api.respond(request).reply)
        },
        ..Bug::USUAL
    },
    Bug {
        name: "trailing-comma",
        does: "takes JSON with a comma after the last member or item",
        rule: Some(Rule::Json),
        place: "/body",
        act: |api, mut request| {
            let exchange = api.decide(request.clone()).0;
            if exchange.step == Step::Body {
                request.body = without_trailing_commas(&request.body).into();
            }
            Answer::Reply(api.respond(request).reply)
        },
        ..Bug::USUAL
    },
    Bug {
        name: "any-media-type",
        does: "takes a body of any media type",
        rule: Some(Rule::MediaType),
        place: "/header/Content-Type",
        act: |api, request| {
            let exchange = api.decide(request.clone()).0;
            let is_meant = exchange.violations.iter().any(|found| found.rule == Rule::MediaType);
            let request =
                if is_meant { with_header(request, "content-type", b"application/json") } else { request };
            Answer::Reply(api.respond(request).reply)
        },
        ..Bug::USUAL
    },
    Bug {
        name: "empty-update",
        does: "takes an update without a body",
        operation: "updateAgent",
        rule: Some(Rule::Required),
        place: "/body",
        act: |api, mut request| {
            let exchange = api.decide(request.clone()).0;
            if is_of(&exchange, "updateAgent") && exchange.step == Step::Body && request.body.is_empty() {
                request.body = include_bytes!("../../../fixtures/updateAgent/request.json").as_slice().into();
            }
            Answer::Reply(api.respond(request).reply)
        },
        ..Bug::USUAL
    },
    Bug {
        name: "any-token",
        does: "takes any text for a token",
        check: "token_enforced",
        act: |api, request| {
            api.overlook(request, |exchange, found| {
                exchange.step == Step::Authorize && found.rule != Rule::Required
            })
        },
        ..Bug::USUAL
    },
    Bug {
        name: "no-token",
        does: "does not need a token where an agent is created",
        check: "token_enforced",
        operation: "createAgent",
        rule: Some(Rule::Required),
        act: |api, request| {
            let is_missing = api.decide(request.clone()).0;
            let is_missing = is_of(&is_missing, "createAgent")
                && is_missing.step == Step::Authorize
                && is_missing.violations[0].rule == Rule::Required;
            let request = if is_missing { with_header(request, "auth", SAMPLE_TOKEN) } else { request };
            Answer::Reply(api.respond(request).reply)
        },
        ..Bug::USUAL
    },
    Bug {
        name: "any-app",
        does: "takes a token that does not name its app",
        check: "token_enforced",
        rule: Some(Rule::Token),
        act: |api, request| {
            api.overlook(request, |exchange, found| {
                exchange.step == Step::Authorize && found.rule == Rule::Token
            })
        },
        ..Bug::USUAL
    },
    Bug {
        name: "expired-token",
        does: "takes a token whose time is over",
        check: "token_enforced",
        rule: Some(Rule::Token),
        sound: Sound::Verified,
        act: |api, mut request| {
            let exchange = api.decide(request.clone()).0;
            if exchange.step == Step::Authorize {
                request.received = jiff::Timestamp::constant(-1, 0);
            }
            Answer::Reply(api.respond(request).reply)
        },
        ..Bug::USUAL
    },
    Bug {
        name: "any-method",
        does: "takes any method for the one that a path has",
        check: "method_refused",
        rule: Some(Rule::Method),
        act: |api, mut request| {
            let exchange = api.decide(request.clone()).0;
            let allowed = exchange.reply.headers.all("allow").next().map(<[u8]>::to_vec);
            if let Some(allowed) = allowed.and_then(|allowed| String::from_utf8(allowed).ok()) {
                allowed.split(',').next().unwrap_or_default().clone_into(&mut request.method);
            }
            Answer::Reply(api.respond(request).reply)
        },
        ..Bug::USUAL
    },
];

const SAMPLE_TOKEN: &[u8] = b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
    eyJzdWIiOiIxMjM0NTY3ODkwIiwiYXBwSWQiOiJjcy0zOWNkNmJhMC1mNmVlLTViYWUtOWI3ZC03M2I0YmE5N2FjOGIifQ.\
    LAiNcKfUNeDaAtPei1nD6JZJbnEGsv1BKo1pQUexxxx";

/// Whether a violation is in another item than the first.
fn is_in_later_item(found: &Violation) -> bool {
    let mut steps = found.pointer.split('/');
    steps.any(|step| step.parse::<usize>().is_ok_and(|index| index > 0))
}

/// A text without the commas that stand before a closing bracket, outside strings.
fn without_trailing_commas(text: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let (mut in_string, mut is_escaped) = (false, false);
    for byte in text {
        if in_string {
            in_string = is_escaped || *byte != b'"';
            is_escaped = !is_escaped && *byte == b'\\';
        } else if matches!(byte, b'}' | b']') {
            let end = out.trim_ascii_end().len();
            if out[..end].ends_with(b",") {
                out.truncate(end - 1);
            }
        } else {
            in_string = *byte == b'"';
        }
        out.push(*byte);
    }
    out
}
