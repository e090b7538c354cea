//! An outcome that has something of everything, and what the reports make of it.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::{
    BaseUrl, Headers, Reply, Request, Rule,
    campaign::{
        Answer, Check, Created, Ended, Failure, Finding, Outcome, Place, ReadingTaken, Sent, Severity, Step,
        TakenReading, Tally, Trial, TriedOutcome, TriedRule, Verdict, Why,
    },
    payload::{Expect, Label, Wire},
};

const URL: &str = "http://127.0.0.1:8484/base";
const AGAIN: Again = Again { folder: "standin-findings", contract: Some("my api.json") };

fn sent(request: Request) -> Sent {
    Sent { request, wire: Wire::Any, in_capitals: false }
}

fn answer(status: u16, body: &'static str) -> Answer {
    let headers = Headers::from_iter([("content-type", "application/json")]);
    Answer {
        micros: Duration::from_micros(1500),
        reply: Some(Reply { status, headers, body: body.into() }),
        failure: None,
    }
}

fn mutant() -> Label {
    Label::Mutant {
        operator: "dropMember".parse().unwrap(),
        pointer: "/body/emailId".into(),
        rule: Some(Rule::Required),
        was: Some("\"a@b.c\"".into()),
        became: None,
        expect: Expect::Refused,
    }
}

fn finding(check: Check, operation: &str, place: Place) -> Finding {
    let create = Request::new("POST", "/st-1/agents")
        .header("auth", "$STANDIN_TOKEN")
        .header("content-type", "application/json")
        .body(r#"{"firstName":"it's"}"#);
    Finding {
        fingerprint: Finding::fingerprint_of(check, operation, &place),
        check,
        severity: check.severity(),
        operation: operation.into(),
        place,
        basis: "pages".into(),
        source: "Create an agent › Body Parameters › emailId".into(),
        expected: "a status from 400 to 499".into(),
        found: "200".into(),
        label: mutant(),
        steps: Vec::new(),
        sent: sent(create),
        answer: answer(200, r#"{"id":"a-1"}"#),
        failed: 3,
        repeated: 3,
        count: 12,
        seed: 7,
        is_known: false,
    }
}

/// An outcome that has something of everything.
pub(crate) fn outcome() -> Outcome {
    let place = Place { rule: Some(Rule::Required), pointer: "/body/emailId".into() };
    let first = finding(Check::MutantRefused, "createAgent", place);
    let mut second = finding(Check::DeletedIsGone, "getAgent", Place::default());
    second.label = Label::Valid;
    second.steps = vec![
        Step {
            operation: "createAgent".into(),
            sent: first.sent.clone(),
            made: Some("a-1".into()),
            made_at: "/id".into(),
        },
        Step {
            operation: "deleteAgent".into(),
            sent: sent(Request::new("DELETE", "/st-1/agents/a-1").header("auth", "Bearer $STANDIN_TOKEN")),
            made: None,
            made_at: String::new(),
        },
    ];
    second.sent = sent(Request::new("GET", "/st-1/agents/a-1"));
    second.answer = answer(200, "<script>alert(1)</script>\u{1}\u{202e}");
    let mut flaky = finding(Check::Never5xx, "createAgent", Place::default());
    flaky.failed = 1;
    let tried = |rule, operator: &str, outcome| TriedRule {
        operation: "createAgent".into(),
        rule,
        operator: operator.into(),
        pointer: "/body/emailId".into(),
        outcome,
    };
    let tally = |passed, failed| Tally { passed, failed, silent: 1 };
    let checks = |list: [(Check, Tally); 2]| BTreeMap::from(list);
    Outcome {
        target: URL.into(),
        seed: 7,
        ended: Ended::Exhausted,
        micros: Duration::from_millis(1250),
        sent: 1234,
        cases: 1000,
        checks: BTreeMap::from([
            (
                "createAgent".to_owned(),
                checks([(Check::MutantRefused, tally(30, 12)), (Check::Never5xx, tally(42, 1))]),
            ),
            (
                "getAgent".to_owned(),
                checks([(Check::DeletedIsGone, tally(0, 1)), (Check::Never5xx, tally(9, 0))]),
            ),
        ]),
        rules: vec![
            tried(Some(Rule::Required), "dropMember", TriedOutcome::Accepted),
            tried(Some(Rule::Required), "nullMember", TriedOutcome::Refused),
            tried(Some(Rule::Format), "badFormat", TriedOutcome::Other),
            tried(None, "unknownMember", TriedOutcome::Accepted),
            tried(Some(Rule::Type), "otherType", TriedOutcome::NotTried),
        ],
        findings: vec![first, second],
        gone: Vec::new(),
        flaky: vec![flaky],
        readings: vec![ReadingTaken {
            ledger: "C6".into(),
            title: "Is a second address refused?".into(),
            takes: TakenReading::Other,
            evidence: "the second create with one address got 200".into(),
        }],
        created: Created { made: 3, deleted: 2, left: vec![("createAgent".into(), "a-3".into())] },
        notes: vec!["the server limits requests".into()],
    }
}

fn trial(answer: Answer) -> Trial {
    Trial {
        number: 5,
        operation: "createAgent".into(),
        why: Why::Case { index: 3 },
        label: mutant(),
        sent: sent(Request::new("POST", "/a?b=c").header("x-a", "1").body("{\u{2028}}")),
        answer,
    }
}

fn verdict() -> Verdict {
    Verdict { check: Check::Never5xx, failed: None }
}

#[test]
fn a_trial_is_one_line_that_can_be_read_back() {
    let trial = trial(answer(200, "{}"));
    let line = ndjson_line(&trial, &[verdict()]);

    assert!(!line.contains(['\n', '\u{2028}']), "{line}");
    assert_eq!(serde_json::from_str::<Trial>(&line).unwrap(), trial);
    let json: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(json["verdicts"], json!([{"check": "never_5xx", "failed": null}]));
    assert_eq!(json["label"]["rule"], "required");
    assert_eq!(json["answer"]["reply"]["status"], 200);
}

#[test]
fn a_trial_is_an_entry_of_an_archive_with_or_without_a_reply() {
    let target: BaseUrl = URL.parse().unwrap();
    let entry = har_entry(&trial(answer(412, "{}")), &[verdict()], &target);
    assert_eq!(entry["request"]["url"], "http://127.0.0.1:8484/base/a?b=c");
    assert_eq!(entry["response"]["status"], 412);
    assert_eq!(entry["time"], 1.5);
    assert_eq!(entry["_standin"]["why"], json!({"is": "case", "index": 3}));

    let mut capitals = trial(Answer { micros: Duration::ZERO, reply: None, failure: Some(Failure::Reset) });
    capitals.sent.in_capitals = true;
    let entry = har_entry(&capitals, &[], &target);
    assert_eq!(entry["request"]["headers"], json!([{"name": "X-A", "value": "1"}]));
    assert_eq!(entry["response"]["status"], 0);
    assert_eq!(entry["_standin"]["failure"], "reset");
    assert!(entry["comment"].as_str().unwrap().ends_with("; the connection was reset"), "{entry}");
}

#[test]
fn a_finding_is_a_command_and_one_with_steps_takes_ids_along() {
    let outcome = outcome();
    assert_eq!(
        curl(&outcome.findings[0], URL),
        r#": 'createAgent: mutant_refused, `required` at /body/emailId'
curl --path-as-is -g -sS --http1.1 -X POST 'http://127.0.0.1:8484/base/st-1/agents' \
  -H "auth: $STANDIN_TOKEN" \
  -H 'content-type: application/json' \
  -H 'accept:' \
  -H 'user-agent:' \
  -H 'expect:' \
  --data-raw '{"firstName":"it'\''s"}'"#
    );
    let script = curl(&outcome.findings[1], URL);
    assert!(script.contains("id1=$(\ncurl "), "{script}");
    assert!(script.contains("|\n  jq -r '.\"id\" | @uri')\n"), "{script}");
    assert!(script.contains("-H 'auth: Bearer '\"$STANDIN_TOKEN\""), "{script}");
    assert!(script.contains("'http://127.0.0.1:8484/base/st-1/agents/'\"$id1\"''"), "{script}");
}

#[test]
fn an_id_is_filled_in_where_it_is_a_segment_of_the_path_and_nowhere_else() {
    for (id, target, filled) in [
        ("1", "/st-1/agents/1?of=11&is=1", "/st-1/agents/'\"$id1\"'?of=11&is=1'"),
        ("curl", "/st-1/agents/curl", "/st-1/agents/'\"$id1\"''"),
        ("a b/ü", "/st-1/a%20b%2F%C3%BC/x'y", "/st-1/'\"$id1\"'/x'\\''y'"),
    ] {
        let mut finding = outcome().findings.remove(1);
        finding.steps.truncate(1);
        finding.steps[0].made = Some(id.into());
        finding.sent = sent(Request::new("PUT", target).body("{\"a\":\"1\",\"b\":1}"));
        let script = curl(&finding, URL);
        assert!(script.contains(filled), "{script}");
        assert!(script.contains("{\"a\":\"1\",\"b\":1}"), "{script}");
        assert_eq!(script.matches("$id1").count(), 1, "{script}");
        assert_eq!(script.matches("\ncurl --path-as-is").count(), 2, "{script}");
    }
}

#[test]
fn what_curl_cannot_send_is_said() {
    let mut finding = outcome().findings.remove(0);
    finding.sent.request.target = "/a b".into();
    assert!(curl(&finding, URL).ends_with("\n: 'curl cannot send this request; --replay can'"));
}

#[test]
fn scanners_get_what_sarif_asks_for() {
    let mut outcome = outcome();
    let log = sarif(&outcome);

    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "standin");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for (result, finding) in results.iter().zip(outcome.findings.iter().chain(&outcome.flaky)) {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert_eq!(result["ruleId"], finding.check.name());
        assert_eq!(result["partialFingerprints"]["standinFinding/v1"], finding.fingerprint.as_str());
        assert!(result["message"]["text"].as_str().unwrap().contains("expected a status"), "{result}");
        assert!(result.get("baselineState").is_none(), "{result}");
        let target = result.pointer("/locations/0/physicalLocation/artifactLocation/uri").unwrap();
        assert_eq!(target, URL);
    }
    let levels: Vec<_> = results.iter().map(|result| (&result["kind"], &result["level"])).collect();
    let [fail, open, error, none] = ["fail", "open", "error", "none"].map(Value::from);
    assert_eq!(levels, [(&fail, &error), (&fail, &error), (&open, &none)]);
    assert_eq!(results[0]["webRequest"]["method"], "POST");
    assert_eq!(results[0]["webRequest"]["headers"]["auth"], "$STANDIN_TOKEN");
    assert_eq!(results[0]["webResponse"]["statusCode"], 200);

    for (ended, is_whole) in [(Ended::Budget, true), (Ended::Interrupted, false)] {
        outcome.ended = ended;
        let log = sarif(&outcome);
        assert_eq!(log.pointer("/runs/0/invocations/0/executionSuccessful"), Some(&Value::from(is_whole)));
    }

    let gone = outcome.findings.remove(1);
    outcome.findings[0].is_known = true;
    outcome.gone.push(gone);
    let log = sarif(&outcome);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let states: Vec<_> = results.iter().map(|result| result["baselineState"].as_str().unwrap()).collect();
    assert_eq!(states, ["unchanged", "new", "absent"]);
}

#[test]
fn what_a_reply_says_is_neither_a_link_nor_an_argument_to_scanners() {
    let mut outcome = outcome();
    outcome.findings[0].found = r"200 with `{0} [here](https://example.com) \[`".into();
    let log = sarif(&outcome);

    let text = log.pointer("/runs/0/results/0/message/text").unwrap().as_str().unwrap();
    assert!(text.contains(r"200 with `{{0}} \[here\](https://example.com) \\\[`"), "{text}");
}

#[test]
fn the_page_needs_nothing_else_and_nothing_in_it_is_taken_for_html() {
    let page = html(&outcome(), AGAIN);

    for needed in [
        "<span class=\"bad\">2 errors</span></h1>",
        "createAgent: mutant_refused, `required` at /body/emailId",
        "Create an agent › Body Parameters › emailId (pages)",
        "-H &quot;auth: $STANDIN_TOKEN&quot;",
        "standin fuzz http://127.0.0.1:8484/base --replay standin-findings/mutant_refused-",
        "&lt;script&gt;alert(1)&lt;/script&gt;\\u{1}\\u{202e}",
        "required</dt>",
        ".json --contract 'my api.json'</code>",
        "1 refused, 1 accepted",
        "failed 1 of 3 times",
        "C6</td>",
        "the server limits requests",
        "3 made, 2 of them deleted again",
        "<dd>4/5</dd>",
    ] {
        assert!(page.contains(needed), "{needed} is not in\n{page}");
    }
    for forbidden in ["<script", "src=", "href=", "url(", "@import", "http-equiv=\"refresh"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let mut empty = Outcome { findings: Vec::new(), flaky: Vec::new(), ..outcome() };
    assert!(html(&empty, AGAIN).contains("<span class=\"good\">No errors found</span></h1>"));
    let mut warned = outcome();
    warned.findings[0].severity = Severity::Warning;
    warned.findings[1].is_known = true;
    let verdict = "<span class=\"good\">No errors found</span>, 1 warning, 1 more known before</h1>";
    assert!(html(&warned, AGAIN).contains(verdict));
    empty.ended = Ended::Interrupted;
    assert!(html(&empty, AGAIN).contains("<span class=\"bad\">Interrupted before an error was found</span>"));
}

#[test]
fn every_element_of_the_page_is_closed() {
    let page = html(&outcome(), AGAIN);
    let mut open = Vec::new();
    for tag in page.split('<').skip(1) {
        let name: String = tag.chars().take_while(|c| !c.is_whitespace() && *c != '>').collect();
        let head = tag.split('>').next().unwrap();
        match name.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop().as_deref(), Some(closed), "…<{tag}"),
            None if head.ends_with('/') || ["!doctype", "meta"].contains(&name.as_str()) => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn severities_and_ends_are_said_in_words() {
    let mut outcome = outcome();
    assert_eq!(Check::RefusalExplained.severity(), Severity::Warning);
    for (end, words) in [
        (Ended::Exhausted, "4 of 5 rules at their places tried"),
        (Ended::Budget, "the budget is used up; 4 of 5 rules at their places tried"),
        (Ended::Interrupted, "interrupted; 4 of 5 rules at their places tried"),
        (
            Ended::GaveUp { why: "nobody answers".into() },
            "gave up: nobody answers; 4 of 5 rules at their places tried",
        ),
    ] {
        outcome.ended = end;
        assert_eq!(ended(&outcome), words);
    }
}
