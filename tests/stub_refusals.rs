//! What a request gets that some step refuses: status and body in both wordings, and the violation recorded.

mod stub_support;

use serde_json::{Value, json};
use standin::{
    BodyEnd, Errors, Exchange, Outcome, Request, Rule, Settings, Step, TokenPolicy,
    token::{Secret, mint},
};
use stub_support::{Call, body, reply_headers, stub, stub_with, violations};

fn rfc() -> Settings {
    Settings { errors: Errors::Rfc, ..Settings::default() }
}

fn create() -> Call {
    Call::sample("createAgent")
}

#[test]
fn every_step_has_its_status_and_body_in_both_wordings() {
    let ended = |end| Request { body_end: end, ..create().request() };
    let auth = |value: &str| create().header("auth", value).request();
    let media = |value: &str| create().header("Content-Type", value).request();
    let invalid = "Validation errors/ Invalid arguments";
    let (sdk, jwt) = ("Invalid SDK credentials", "Invalid JWT token");
    // name, request, step, rule, status, message and code (vendor), status and title (rfc)
    #[rustfmt::skip]
    let cases = [
        ("unknown path", create().request_to("/nowhere"), Step::Route, Rule::Path, 404, "Not Found", 404, 404, "Not Found"),
        ("other method", Call { method: "GET".into(), ..create() }.request(), Step::Route, Rule::Method, 405, "Method Not Allowed", 405, 405, "Method Not Allowed"),
        ("no token", create().no_header("auth").request(), Step::Authorize, Rule::Required, 401, sdk, 4002, 401, "Unauthorized"),
        ("two tokens", create().more_header("auth", "x").request(), Step::Authorize, Rule::Repeated, 401, sdk, 4002, 401, "Unauthorized"),
        ("no appId", auth("e30.e30.e30"), Step::Authorize, Rule::Token, 401, sdk, 4002, 401, "Unauthorized"),
        ("misspelt appId", auth("e30.eyJhcHBpZCI6ImNzLTEifQ.e30"), Step::Authorize, Rule::Token, 401, sdk, 4002, 401, "Unauthorized"),
        ("no JWT", auth("token"), Step::Authorize, Rule::Format, 401, jwt, 4002, 401, "Unauthorized"),
        ("media type", media("text/plain"), Step::Body, Rule::MediaType, 412, invalid, 412, 415, "Unsupported Media Type"),
        ("no media type", create().no_header("content-type").request(), Step::Body, Rule::Required, 412, invalid, 412, 415, "Unsupported Media Type"),
        ("too large", ended(BodyEnd::TooLarge), Step::Body, Rule::Size, 413, "Payload Too Large", 413, 413, "Content Too Large"),
        ("too slow", ended(BodyEnd::TimedOut), Step::Body, Rule::Timeout, 408, "Request Timeout", 408, 408, "Request Timeout"),
        ("broken off", ended(BodyEnd::Broken), Step::Body, Rule::Incomplete, 400, "Bad Request", 400, 400, "Bad Request"),
        ("not JSON", create().request_with("{"), Step::Body, Rule::Json, 412, invalid, 412, 400, "Bad Request"),
        ("a violation", create().without("/roleId").request(), Step::Validate, Rule::Required, 412, invalid, 412, 400, "Bad Request"),
    ];
    for (name, request, step, rule, status, msg, code, rfc_status, title) in cases {
        let vendor = stub().respond(request.clone());
        assert_eq!((vendor.reply.status, vendor.step), (status, step), "{name}");
        assert_eq!(vendor.violations[0].rule, rule, "{name}");
        assert_eq!(reply_headers(&vendor, "content-type"), ["application/json"], "{name}");
        assert_eq!(reply_headers(&vendor, "www-authenticate"), Vec::<&str>::new(), "{name}");
        let mut error = body(&vendor);
        let details = error["errors"][0].as_object_mut().and_then(|error| error.shift_remove("violations"));
        assert_eq!(error, json!({"errors": [{"msg": msg, "code": code}]}), "{name}");
        assert_eq!(details, Some(detail(&vendor)), "{name}");

        let problem = stub_with(rfc()).respond(request.clone());
        assert_eq!((problem.reply.status, problem.step), (rfc_status, step), "{name}");
        assert_eq!(problem.violations, vendor.violations, "{name}");
        assert_eq!(reply_headers(&problem, "content-type"), ["application/problem+json"], "{name}");
        assert_eq!(reply_headers(&problem, "www-authenticate").len(), usize::from(status == 401), "{name}");
        let mut error = body(&problem);
        let members = error.as_object_mut().expect("an object");
        assert_eq!(members.shift_remove("violations"), Some(detail(&vendor)), "{name}");
        assert!(members.shift_remove("detail").is_some(), "{name}");
        assert_eq!(error, json!({"type": "about:blank", "title": title, "status": rfc_status}), "{name}");

        for settings in [Settings::default(), rfc()] {
            let quiet = stub_with(Settings { detail: false, ..settings }).respond(request.clone());
            assert_eq!(quiet.violations, vendor.violations, "{name}");
            assert!(!body(&quiet).to_string().contains("violations"), "{name}");
        }
        let outcome = if step == Step::Route { Outcome::Unmatched } else { Outcome::Refused };
        assert_eq!(vendor.outcome(), outcome, "{name}");
    }
}

/// The violations as a refusal lists them.
fn detail(exchange: &Exchange) -> Value {
    let list = exchange.violations.iter().map(|violation| {
        json!({
            "pointer": violation.pointer,
            "rule": violation.rule.name(),
            "message": violation.message(),
            "source": violation.source,
        })
    });
    list.collect()
}

#[test]
fn a_step_that_fails_hides_the_later_ones() {
    let broken = || {
        let mut call = create().without("/roleId").no_header("accountId");
        call = call.header("Content-Type", "text/plain").header("auth", "x");
        call.method = "GET".into();
        call.path.extend(["more".into(), "more".into()]);
        call
    };
    let mut call = broken();
    let mut steps = Vec::new();
    for repair in 0..6 {
        match repair {
            0 => {}
            1 => call.path.truncate(6),
            2 => call.method = "POST".into(),
            3 => call = call.header("auth", stub_support::TOKEN),
            4 => call = call.header("Content-Type", "application/json"),
            _ => call = Call { body: create().body, ..call }.header("accountId", "1"),
        }
        let exchange = call.send();
        steps.push((exchange.step, exchange.reply.status));
    }
    let expected = [
        (Step::Route, 404),
        (Step::Route, 405),
        (Step::Authorize, 401),
        (Step::Body, 412),
        (Step::Validate, 412),
        (Step::Answer, 200),
    ];
    assert_eq!(steps, expected);
}

#[test]
fn all_violations_of_a_request_are_listed_at_once() {
    let call = Call::sample("updateAgent")
        .query(&[])
        .no_header("accountId")
        .with("/chatLanguageSupport/0/proficiency", "guru")
        .with("/emailId", 5)
        .without("/skills");
    let target = call.target().replace("st-d2aa65cc", "%zz");
    let exchange = stub().respond(call.request_to(target));
    let mut found = violations(&exchange);
    found.sort_unstable();
    let expected = [
        ("/body/chatLanguageSupport/0/proficiency", "enum"),
        ("/body/emailId", "type"),
        ("/body/skills", "required"),
        ("/header/accountId", "required"),
        ("/path/streamId", "format"),
        ("/query/groupId", "required"),
    ];
    assert_eq!(found, expected);
    assert!(!exchange.more_violations);
}

#[test]
fn messages_say_what_was_expected_and_what_was_found() {
    let update = || Call::sample("updateAgent");
    let cases = [
        (
            update().with("/chatLanguageSupport/0/proficiency", "guru"),
            "expected one of expert, novice, average, good, but found `guru`",
        ),
        (update().with("/emailId", "foo"), "expected an e-mail address, but found `foo`"),
        (
            update().with("/firstName", "ä".repeat(51)),
            "expected at most 50 characters, but found 51 characters: `äääääääääääääääääääääääääääääääääääääääääääääääääää`",
        ),
        (update().with("/agentGroupId", ""), "expected at least 1 character, but found 0 characters: ``"),
        (update().with("/canSupportChat", "yes"), "expected a boolean, but found the string `yes`"),
        (update().with("/canSupportChat", json!(null)), "expected a boolean, but found `null`"),
        (update().with("/phoneNumber", json!([])), "expected a string or a number, but found an array"),
        (update().with("/maxChatSupport", json!({})), "expected a number, but found an object"),
        (create().with("/maxChatSupport", 2.5), "expected an integer, but found `2.5`"),
        (create().with("/customId", "a b"), "expected a string without spaces, but found `a b`"),
        (create().without("/roleId"), "expected a string, but found nothing"),
        (create().with("/firstName", 5), "expected a string, but found `5`"),
        (create().no_header("accountId"), "expected the header parameter `accountId`, but found nothing"),
        (update().query(&[]), "expected the query parameter `groupId`, but found nothing"),
        (
            update().query(&[("groupId", "a"), ("groupId", "b")]),
            "expected one value for `groupId`, but found 2 values",
        ),
        (
            create().header("accountId", b"a\xffb"),
            "expected text in UTF-8, but found other bytes: `a\u{fffd}b`",
        ),
        (create().no_header("auth"), "expected a token, but found nothing"),
        (
            create().header("auth", "Bearer a.b.c"),
            "expected a JWT: three base64url parts, header and payload JSON objects, but found a value that starts with a scheme such as `Bearer`; send the token alone",
        ),
        (
            create().header("Content-Type", "text/plain"),
            "expected the media type `application/json`, once, but found `text/plain`",
        ),
        (
            create().no_header("Content-Type"),
            "expected the media type `application/json`, once, but found nothing",
        ),
        (Call { method: "GET".into(), ..create() }, "expected POST for this path, but found `GET`"),
    ];
    for (call, expected) in cases {
        let exchange = call.send();
        let messages: Vec<_> = exchange.violations.iter().map(standin::Violation::message).collect();
        assert_eq!(messages, [expected]);
    }
}

#[test]
fn a_source_says_the_row_and_what_of_it_is_assumed() {
    let cases = [
        (
            Call::sample("updateAgent").with("/emailId", "x"),
            "Update a specific agent › Body Parameters › emaiId",
        ),
        (
            create().no_header("accountId"),
            "Create an agent › Sample Request › accountid; assumed: the sample sends it, as `accountid`; no table of the page has it",
        ),
        (create().header("Content-Type", "x"), "Create an agent › Content-Type"),
        (create().no_header("auth"), "Create an agent › Authorization"),
        (
            Call::sample("updateAgent").no_header("auth"),
            "Update a specific agent › Authorization; Update a specific agent › Headers › auth",
        ),
        (Call::sample("createQueue").no_header("auth"), "Create a queue › Authorization"),
        (create().with("/roleId", ""), "assumed: no page shows this empty"),
        (
            Call::sample("importDataV2").query(&[]),
            "Import data by accountId and orgId (v2) › Query Parameters › accountId",
        ),
        (
            Call::sample("importData").with("/Data", json!([{}])),
            "Import data by accountId and orgId (v2) › Body Parameters › data[]->_id; assumed: `Data` is a string in the table; a list is checked as `data` of the v2 import is",
        ),
        (
            create().with("/chatLanguageSupport/0", 5),
            "Create an agent › Body Parameters › chatLanguageSupport",
        ),
    ];
    for (call, source) in cases {
        assert_eq!(call.send().violations[0].source, source);
    }
}

#[test]
fn what_was_found_is_cut_when_it_is_long() {
    let long = "x".repeat(500_000);
    let cases = [
        create().with("/firstName", 5).with("/customId", format!("a b{long}")),
        create().with("/maxChatSupport", long.as_str()),
        create().with("/canSupportChat", 1e300),
        Call::sample("updateAgent").with("/firstName", long.as_str()),
        create().header("Content-Type", &long),
        Call { method: "X".repeat(60_000), ..create() },
        Call { path: vec![long.clone()], ..create() },
        Call { path: (0..60_000).flat_map(|_| [String::new(), "y".repeat(5)]).collect(), ..create() },
        create().header("auth", &long),
    ];
    for call in cases {
        let exchange = call.send();
        assert!(!exchange.violations.is_empty());
        for violation in &exchange.violations {
            let message = violation.message();
            assert!(message.len() < 1_500, "{} bytes: {message}", message.len());
        }
        assert!(exchange.reply.body.len() < 5_000);
    }
    let exchange =
        create().with("/firstName", json!(["a"])).with("/customId", " \"quoted\" \n\u{202e}").send();
    let found: Vec<_> = exchange.violations.iter().map(|violation| violation.found.as_str()).collect();
    assert_eq!(found, ["an array", "` \"quoted\" \\n\\u{202e}`"]);
}

#[test]
fn paths_match_as_they_were_sent() {
    let call = create();
    let to = |path: &str| stub().respond(call.request_to(path));
    let base = "/agentassist/api/v1/public";
    let accepted =
        ["..", ".", "%2F", "%00", "a%2Fb", "%e2%82%ac", "%25", "+", "a+b", ";x=1", "a:b", "..%2f.."];
    for id in accepted {
        let exchange = to(&format!("{base}/{id}/agents"));
        assert_eq!(
            (exchange.reply.status, exchange.operation.as_deref()),
            (200, Some("createAgent")),
            "{id}"
        );
    }
    assert_eq!(to(&format!("{base}/{}/agents", "x".repeat(60_000))).reply.status, 200);
    let refused = [
        ("%zz", "format"),
        ("%", "format"),
        ("%2", "format"),
        ("%+1", "format"),
        ("%FF", "format"),
        ("%C3%28", "format"),
        ("%ED%A0%80", "format"),
        ("", "minLength"),
    ];
    for (id, rule) in refused {
        let exchange = to(&format!("{base}/{id}/agents"));
        assert_eq!(violations(&exchange), [("/path/streamId", rule)], "{id}");
        assert_eq!(exchange.reply.status, 412, "{id}");
    }
    let unknown = [
        "/",
        "",
        "*",
        "//",
        "/agentassist/api/v1/public/st-1/agents/",
        "//agentassist/api/v1/public/st-1/agents",
        "/agentassist//api/v1/public/st-1/agents",
        "/agentassist/api/v1/public/st-1/../st-1/agents",
        "/agentassist/./api/v1/public/st-1/agents",
        "/agentassist/api/v1/public/st-1/Agents",
        "/agentassist/api/v1/public/st-1/%61gents",
        "/agentassist/api/v1/public/st-1/agents%2F",
        "agentassist/api/v1/public/st-1/agents",
        "/agentassist/api/v1/public/st-1/agents/a-1/more",
        "/\u{e4}\u{0}",
    ];
    for path in unknown {
        let exchange = to(path);
        assert_eq!(violations(&exchange), [("/path", "path")], "{path}");
        assert_eq!((exchange.reply.status, &exchange.operation), (404, &None), "{path}");
    }
}

#[test]
fn an_unknown_path_is_told_the_nearest_operations_and_what_differs() {
    let cases = [
        (
            "/agentassist/api/v1/public/st-1/agent",
            "POST /agentassist/api/v1/public/{streamId}/agents (segment 6 is `agents`, not `agent`)",
        ),
        (
            "/agentassist/api/v1/public/st-1/queues/",
            "POST /agentassist/api/v1/public/{streamId}/queues (without the slash at the end)",
        ),
        (
            "/api/v1/public/st-1/queues",
            "POST /agentassist/api/v1/public/{streamId}/queues (it starts with `/agentassist`)",
        ),
        (
            "/agentassist/api/public/analytics/st-1/storeSmartAssistFunctionalities",
            "POST /agentassist/api/public/analytics/{instanceBotId}/exportSmartAssistFunctionalities (segment 6 is `exportSmartAssistFunctionalities`, not `storeSmartAssistFunctionalities`)",
        ),
        (
            "agentassist/api/v1/public/st-1/agents",
            "POST /agentassist/api/v1/public/{streamId}/agents (it starts with a slash)",
        ),
    ];
    for (path, hint) in cases {
        let exchange = stub().respond(create().request_to(path));
        let expected = &exchange.violations[0].expected;
        assert!(expected.contains(hint), "{path}: {expected}");
        assert!(!expected.contains("()"), "{path}: {expected}");
    }
}

#[test]
fn another_method_is_told_those_that_the_path_has() {
    let allowed = [("createAgent", "POST"), ("updateAgent", "PUT, GET, DELETE"), ("importDataV2", "POST")];
    for (operation, allow) in allowed {
        let methods = ["GET", "HEAD", "OPTIONS", "TRACE", "CONNECT", "DELETE", "Post", "put", "FOO", ""];
        for method in methods.into_iter().filter(|method| !allow.split(", ").any(|other| other == *method)) {
            for settings in [Settings::default(), rfc()] {
                let exchange = stub_with(settings)
                    .respond(Call { method: method.into(), ..Call::sample(operation) }.request());
                assert_eq!(exchange.reply.status, 405, "{operation} {method}");
                assert_eq!(reply_headers(&exchange, "allow"), [allow], "{operation} {method}");
                assert_eq!((exchange.step, exchange.outcome()), (Step::Route, Outcome::Unmatched));
            }
        }
    }
}

#[test]
fn each_token_policy_accepts_what_it_says() {
    let secret = Secret::new("s3cret");
    let at = |second| standin::Request {
        received: jiff::Timestamp::from_second(second).expect("a time"),
        ..create().request()
    };
    let good = mint(Some("appId"), "cs-1", &secret, 1_000, Some(2_000));
    let forever = mint(Some("appId"), "cs-1", &secret, 1_000, None);
    let forged = mint(Some("appId"), "cs-1", &Secret::new("other"), 1_000, None);
    // {"alg":"none"}.{"appId":"cs-1"}.
    let unsigned = "eyJhbGciOiJub25lIn0.eyJhcHBJZCI6ImNzLTEifQ.";
    let (ok, token, format) = (None, Some("token"), Some("format"));
    let verified = || TokenPolicy::Verified(Secret::new("s3cret"));
    #[rustfmt::skip]
    let cases: [(&str, &str, i64, [Option<&str>; 3]); 11] = [
        // token, second, then what any, well-formed and verified say
        ("good", &good, 1_500, [ok, ok, ok]),
        ("good in its last second", &good, 1_999, [ok, ok, ok]),
        ("expired", &good, 2_000, [ok, ok, token]),
        ("without exp", &forever, 9_000_000, [ok, ok, ok]),
        ("signed by another", &forged, 1_500, [ok, ok, token]),
        ("alg none", unsigned, 1_500, [ok, ok, token]),
        ("the page's own", stub_support::TOKEN, 1_500, [ok, ok, token]),
        ("no appId", "e30.e30.e30", 1_500, [ok, token, token]),
        ("no JWT", "anything", 1_500, [ok, format, format]),
        ("a payload that is a list", "e30.W10.e30", 1_500, [ok, format, format]),
        ("Bearer", "Bearer x", 1_500, [ok, format, format]),
    ];
    for (name, value, second, expected) in cases {
        let policies = [TokenPolicy::Any, TokenPolicy::WellFormed, verified()];
        for (policy, rule) in policies.into_iter().zip(expected) {
            let stub = stub_with(Settings { token: policy.clone(), ..Settings::default() });
            let mut request = at(second);
            request.headers = create().header("auth", value).request().headers;
            let exchange = stub.respond(request);
            let found: Vec<_> = violations(&exchange)
                .into_iter()
                .map(|(pointer, rule)| {
                    assert_eq!(pointer, "/header/auth");
                    rule
                })
                .collect();
            assert_eq!(found, Vec::from_iter(rule), "{name}, {policy:?}");
            let text = format!("{:?} {}", exchange.violations, String::from_utf8_lossy(&exchange.reply.body));
            assert!(value.len() < 20 || !text.contains(value), "{name}: the token is told");
        }
    }
    for policy in [TokenPolicy::Any, TokenPolicy::WellFormed, verified()] {
        let stub = stub_with(Settings { token: policy, ..Settings::default() });
        for call in
            [create().no_header("auth"), create().header("auth", ""), create().more_header("auth", &good)]
        {
            assert_eq!(stub.respond(call.request()).reply.status, 401);
        }
    }
}

#[test]
fn a_token_under_another_header_is_no_token() {
    let call = create().no_header("auth").header("Authorization", format!("Bearer {}", stub_support::TOKEN));
    assert_eq!(violations(&call.send()), [("/header/auth", "required")]);
}

#[test]
fn header_names_have_no_case() {
    let call = create().no_header("accountId").header("ACCOUNTID", "1");
    assert_eq!(call.send().reply.status, 200);
}

#[test]
fn every_rule_has_a_name_of_its_own() {
    let mut names: Vec<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Rule::ALL.len());
    for rule in Rule::ALL {
        assert_eq!(serde_json::to_value(rule).expect("a name"), rule.name());
    }
}

/// What the first violation says, and where it says that.
fn first(exchange: &Exchange) -> (&str, String) {
    let violation = &exchange.violations[0];
    (&violation.pointer, violation.message())
}

#[test]
fn a_name_that_is_nearly_right_is_named() {
    let update = || Call::sample("updateAgent");
    let group = update().query(&[("agentGroupId", "ag-1")]);
    let cases = [
        (group, "/query/groupId", "the query parameter `groupId`", "agentGroupId"),
        (update().renamed("/emailId", "emailid"), "/body/emailId", "a string", "emailid"),
        (create().renamed("/roleId", "role_id"), "/body/roleId", "a string", "role_id"),
        (Call::sample("importDataV2").renamed("/data", "Data"), "/body/data", "an array", "Data"),
        (update().renamed("/skills/0/skillId", "skillID"), "/body/skills/0/skillId", "a string", "skillID"),
        (
            create().no_header("accountId").header("account-id", "1"),
            "/header/accountId",
            "the header parameter `accountId`",
            "account-id",
        ),
        (
            create().no_header("auth").header("authorization", "Bearer secret"),
            "/header/auth",
            "a token",
            "authorization",
        ),
    ];
    for (call, pointer, expected, near) in cases {
        let exchange = call.send();
        let message = format!("expected {expected}, but found nothing; is `{near}` meant for it?");
        assert_eq!(first(&exchange), (pointer, message));
        assert!(!body(&exchange).to_string().contains("secret"));
    }
    // Names that are something else are not taken for it.
    let exchange = Call::sample("importDataV2").without("/data/0/_id").send();
    assert_eq!(first(&exchange).1, "expected a string, but found nothing");
}

#[test]
fn the_update_pages_own_body_is_refused_with_the_entry_about_it() {
    let ledger = stub().contract().ledger();
    let sample = ledger.iter().find(|entry| entry.id == "U1").and_then(|entry| entry.sample.clone());
    let sample = sample.expect("the text of the page");
    let fault = "`13456782xxx` at line 1 column 118, where `,` or `}` belongs";
    let hint = "the sample of the page has the same fault (ledger: U1)";
    let edited = sample.replace("Amanda", "Amal").replace(", ", ",\n  ");
    for (text, message) in [
        (sample.clone(), format!("expected JSON, but found {fault}; {hint}")),
        (
            edited,
            format!(
                "expected JSON, but found `13456782xxx` at line 5 column 18, where `,` or `}}` belongs; {hint}"
            ),
        ),
    ] {
        let exchange = stub().respond(Call::sample("updateAgent").request_with(text));
        assert_eq!(first(&exchange), ("/body", message));
        assert_eq!(used(&exchange), ["U1"]);
    }
    let other = stub().respond(Call::sample("updateAgent").request_with("{\"a\": 5xxx}"));
    assert!(!first(&other).1.contains("ledger"));
    assert_eq!(used(&other), [""; 0]);
    // The fixture is the page's text with the two repairs that the entry names.
    let repaired = sample.replace("13456782xxx", "13456782000");
    let repaired: Value =
        serde_json::from_str(repaired.trim_end().strip_suffix('}').expect("one too many")).expect("JSON");
    assert_eq!(repaired, stub_support::fixture("updateAgent/request.json"));
}

#[test]
fn a_queue_that_is_sent_to_the_import_is_told_where_it_belongs() {
    let queue = Call { body: Call::sample("createQueue").body, ..Call::sample("importData") };
    let exchange = queue.send();
    let hint =
        "the body is one for createQueue, `POST /agentassist/api/v1/public/{streamId}/queues` (ledger: I2)";
    assert_eq!(
        first(&exchange),
        ("/body/Data", format!("expected a string or an array, but found nothing; {hint}"))
    );
    assert_eq!(used(&exchange), ["I2"]);
    let broken = Call { body: queue.without("/name").body, ..Call::sample("importData") }.send();
    assert!(!first(&broken).1.contains("createQueue"));
}

#[test]
fn a_look_up_without_a_page_is_told_apart_from_a_path_that_nobody_names() {
    for path in ["skills", "roles", "layouts"] {
        let target = format!("/agentassist/api/v1/public/st-1/{path}?page=1");
        let exchange = stub().respond(Request::new("GET", &target));
        let violation = &exchange.violations[0];
        assert!(
            violation.found.ends_with("which is named, and without a page of its own (ledger: U16)"),
            "{violation}"
        );
        assert!(violation.source.starts_with("Update a specific agent › Body Parameters › "), "{path}");
        assert_eq!(used(&exchange), ["U16"]);
    }
    let exchange = stub().respond(Request::new("GET", "/nowhere"));
    assert_eq!(used(&exchange), [""; 0]);
    assert_eq!(exchange.violations[0].source, "assumed: no page says what another path gets");
}

/// The entries of the ledger that the reply's header names, which are those of the readings.
fn used(exchange: &Exchange) -> Vec<String> {
    let header: Vec<_> = reply_headers(exchange, "x-standin-ledger")
        .iter()
        .flat_map(|list| list.split(", "))
        .map(str::to_owned)
        .collect();
    let readings: Vec<_> = exchange.readings.iter().map(|reading| reading.ledger.clone()).collect();
    assert_eq!(header, readings);
    header
}
