//! Bodies: what is JSON and what is not, limits, and bodies full of mistakes.

mod stub_support;

use serde_json::{Value, json};
use standin::{Checks, Settings, Step};
use stub_support::{Call, body, operations_with_body, stub, stub_with, violations};

fn create() -> Call {
    Call::sample("createAgent")
}

#[test]
fn a_body_that_is_no_json_is_refused_with_its_own_rule() {
    let sample = create().body.to_string();
    let nested = |depth: usize| format!("{{\"x\":{}1{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    let with = |member: &str| sample.replacen('{', &format!("{{{member},"), 1).into_bytes();
    let cases: [(&str, Vec<u8>, &str); 24] = [
        ("empty", Vec::new(), "required"),
        ("white space", b" \n".into(), "json"),
        ("not JSON", b"firstName=nov05".into(), "json"),
        ("truncated", sample.as_bytes()[..sample.len() - 1].into(), "json"),
        ("truncated in a string", sample.as_bytes()[..15].into(), "json"),
        ("more after it", format!("{sample}}}").into(), "json"),
        ("two values", format!("{sample} {sample}").into(), "json"),
        (
            "trailing comma",
            sample
                .replace("\"createDefaultLayoutAndAssign\":true", "\"createDefaultLayoutAndAssign\":true,")
                .into(),
            "json",
        ),
        ("comment", format!("/* agent */{sample}").into(), "json"),
        ("single quotes", sample.replace('"', "'").into(), "json"),
        ("BOM", [b"\xef\xbb\xbf", sample.as_bytes()].concat(), "json"),
        ("UTF-16", sample.encode_utf16().flat_map(u16::to_le_bytes).collect(), "json"),
        (
            "UTF-16 with BOM",
            [0xff, 0xfe].into_iter().chain(sample.encode_utf16().flat_map(u16::to_le_bytes)).collect(),
            "encoding",
        ),
        (
            "invalid UTF-8",
            with("\"x\":\"\u{1}\"").iter().map(|byte| if *byte == 1 { 0xff } else { *byte }).collect(),
            "encoding",
        ),
        ("lone high surrogate", with(r#""x":"\ud800""#), "json"),
        ("lone low surrogate", with(r#""x":"\udc00""#), "json"),
        ("surrogates the wrong way round", with(r#""x":"\udc00\ud800""#), "json"),
        ("1e400", with("\"x\":1e400"), "json"),
        ("-1e400", with("\"x\":-1e400"), "json"),
        ("NaN", with("\"x\":NaN"), "json"),
        ("a raw control character", with("\"x\":\"\u{7}\""), "json"),
        ("nesting 129", nested(129).into(), "depth"),
        ("10 000 nested arrays", "[".repeat(10_000).into(), "depth"),
        (
            "10 000 nested arrays, closed",
            format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)).into(),
            "depth",
        ),
    ];
    for (name, bytes, rule) in cases {
        for checks in [Checks::Enforce, Checks::Report, Checks::Off] {
            let exchange = stub_with(Settings { checks, ..Settings::default() })
                .respond(create().request_with(bytes.clone()));
            assert_eq!(violations(&exchange), [("/body", rule)], "{name}");
            assert_eq!((exchange.reply.status, exchange.step), (412, Step::Body), "{name}");
            let is_assumed = exchange.violations[0].source.starts_with("assumed: ");
            assert_eq!(is_assumed, rule == "depth", "{name}: no page limits how deep JSON may be nested");
        }
    }
}

#[test]
fn unusual_json_is_read_as_the_rules_say() {
    let sample = create().body.to_string();
    let with = |member: &str| sample.replacen('{', &format!("{{{member},"), 1);
    let deep = |depth: usize| format!("\"x\":{}1{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    let accepted = [
        ("nesting 127", with(&deep(127))),
        ("nesting 128", with(&deep(128))),
        ("brackets in a string", with(&format!("\"x\":\"{}\\\"{}\"", "[".repeat(200), "{".repeat(200)))),
        ("5.0 is an integer", sample.replace("\"maxChatSupport\":5", "\"maxChatSupport\":5.0")),
        ("50e-1 is an integer", sample.replace("\"maxChatSupport\":5", "\"maxChatSupport\":50e-1")),
        ("-0 is an integer", sample.replace("\"maxChatSupport\":5", "\"maxChatSupport\":-0")),
        ("1e300 is an integer", sample.replace("\"maxChatSupport\":5", "\"maxChatSupport\":1e300")),
        (
            "an integer beyond 64 bits",
            sample.replace("\"maxChatSupport\":5", "\"maxChatSupport\":123456789012345678901234567890"),
        ),
        ("1e-400", with("\"x\":1e-400")),
        ("a pair of surrogates", with(r#""x":"\ud83d\ude00""#)),
        ("an escaped NUL", with(r#""x":"\u0000""#)),
        ("the last of two members counts", sample.replacen('{', "{\"firstName\":5,", 1)),
        ("members named like pointers", with("\"a/b\":1,\"~1\":2,\"\":3,\"0\":4")),
    ];
    for (name, text) in accepted {
        let exchange = stub().respond(create().request_with(text));
        assert_eq!(violations(&exchange), [], "{name}");
    }
    let text = format!("{},\"firstName\":5}}", &sample[..sample.len() - 1]);
    let exchange = stub().respond(create().request_with(text));
    assert_eq!(violations(&exchange), [("/body/firstName", "type")], "the last of two members counts");
}

#[test]
fn a_body_that_is_no_object_is_one_violation() {
    for text in ["null", "true", "5", "\"text\"", "[]", "[{}]"] {
        for operation in operations_with_body() {
            let exchange = stub().respond(Call::sample(operation).request_with(text));
            assert_eq!(violations(&exchange), [("/body", "type")], "{operation}: {text}");
        }
    }
}

#[test]
fn the_limit_of_a_body_is_exact() {
    let text = create().body.to_string();
    for (max_body, status) in [(text.len(), 200), (text.len() - 1, 413), (0, 413)] {
        let stub = stub_with(Settings { max_body, ..Settings::default() });
        assert_eq!(stub.respond(create().request()).reply.status, status, "{max_body}");
    }
    let mut long = text.clone();
    long.push_str(&" ".repeat(1024 * 1024 - text.len()));
    assert_eq!(stub().respond(create().request_with(long.clone())).reply.status, 200);
    long.push(' ');
    assert_eq!(stub().respond(create().request_with(long)).reply.status, 413);
}

#[test]
fn the_media_type_may_have_parameters_and_any_case() {
    let cases = [
        "application/json",
        "application/json;charset=utf-8",
        "application/json ; charset=\"UTF-8\"",
        "Application/JSON",
        "application/json;",
    ];
    for value in cases {
        assert_eq!(create().header("Content-Type", value).send().reply.status, 200, "{value}");
    }
}

#[test]
fn of_millions_of_mistakes_a_hundred_are_listed() {
    let stub = stub_with(Settings { max_body: usize::MAX, ..Settings::default() });
    let mistakes = 2_000_000;
    let cases = [
        (
            "createAgent",
            create()
                .with("/queues", json!([]))
                .body
                .to_string()
                .replace("\"queues\":[]", &format!("\"queues\":[{}0]", "0,".repeat(mistakes))),
        ),
        (
            "importDataV2",
            Call::sample("importDataV2")
                .with("/data", json!([]))
                .body
                .to_string()
                .replace("\"data\":[]", &format!("\"data\":[{}{{}}]", "{},".repeat(mistakes / 5))),
        ),
    ];
    for (operation, text) in cases {
        let exchange = stub.respond(Call::sample(operation).request_with(text));
        assert_eq!(exchange.violations.len(), 100, "{operation}");
        assert!(exchange.more_violations, "{operation}");
        assert_eq!(body(&exchange)["errors"][0]["moreViolations"], true);
        assert_eq!(body(&exchange)["errors"][0]["violations"].as_array().map(Vec::len), Some(100));
    }
}

#[test]
fn exactly_a_hundred_violations_are_not_more() {
    for (count, more) in [(99, false), (100, false), (101, true)] {
        let exchange = create().with("/queues", Value::Array(vec![json!(0); count])).send();
        assert_eq!((exchange.violations.len(), exchange.more_violations), (count.min(100), more));
        assert_eq!(body(&exchange)["errors"][0].get("moreViolations").is_some(), more);
    }
}

#[test]
fn no_change_of_one_byte_makes_it_panic() {
    for operation in ["createAgent", "importDataV2"] {
        let call = Call::sample(operation);
        let bytes = call.body.to_string().into_bytes();
        for place in 0..bytes.len() {
            for byte in [0, b'"', b'\\', b'[', b'}', b'5', 0xff] {
                let mut changed = bytes.clone();
                changed[place] = byte;
                let exchange = stub().respond(call.request_with(changed));
                assert!([200, 412].contains(&exchange.reply.status));
            }
            let exchange = stub().respond(call.request_with(&bytes[..place]));
            assert_eq!((exchange.reply.status, exchange.step), (412, Step::Body));
        }
        let target = call.target();
        for place in 0..target.len() {
            for text in ["%", "/", "?", "&", "=", "#", "\u{0}", "\u{1f600}", ""] {
                let mut changed = target.clone();
                changed.replace_range(place..=place, text);
                let exchange = stub().respond(call.request_to(changed));
                assert!([200, 404, 405, 412].contains(&exchange.reply.status));
            }
        }
    }
}
