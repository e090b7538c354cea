//! Each bug of the family is found by its own check, and nothing else is reported.

use std::fmt::Write as _;

use standin::{
    campaign::{self, Finding, Options},
    token::Secret,
};

use super::family::{Bug, SECRET, Sound};

/// How many cases a campaign has for each.
const CASES: u64 = 2000;

/// A request that a person can read is no longer than that, unless length is the bug.
const READABLE: usize = 1024;

#[test]
fn what_is_accepted_and_must_not_be_is_found() {
    find(|bug| ["mutant_refused", "method_refused"].contains(&bug.check));
}

#[test]
fn what_is_refused_and_must_not_be_is_found() {
    find(|bug| bug.check == "valid_accepted");
}

#[test]
fn tokens_that_are_not_looked_at_are_found() {
    find(|bug| bug.check == "token_enforced");
}

#[test]
fn failures_are_found() {
    find(|bug| ["never_5xx", "connection_survives", "answers_in_time"].contains(&bug.check));
}

#[test]
fn wrong_replies_are_found() {
    let checks = ["reply_matches_contract", "refusal_explained", "same_answer_twice", "no_echo_of_secrets"];
    find(|bug| checks.contains(&bug.check));
}

#[test]
fn state_that_is_lost_or_stays_is_found() {
    find(|bug| ["created_is_readable", "deleted_is_gone", "failed_create_left_nothing"].contains(&bug.check));
}

#[test]
fn the_family_has_a_name_and_a_line_for_each_and_all_are_looked_for() {
    let mut names: Vec<_> = Bug::all().map(|bug| bug.name).collect();
    assert!(names.len() >= 25, "{}", names.len());
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Bug::all().count());
    assert!(Bug::all().all(|bug| !bug.name.is_empty() && !bug.does.is_empty()));
}

/// Sends a campaign against each of these bugs.
fn find(is_meant: impl Fn(&Bug) -> bool) {
    let bugs: Vec<_> = Bug::all().filter(|bug| is_meant(bug)).collect();
    assert!(!bugs.is_empty());
    let wrong: String = bugs.into_iter().map(look_for).collect();
    assert!(wrong.is_empty(), "{wrong}");
}

/// What is not as it ought to be in the outcome of a campaign against one of them.
fn look_for(bug: &'static Bug) -> String {
    let url = bug.serve().expect("a free port");
    let outcome = campaign::run(&url, &options(bug)).expect("it can be reached");
    let mut wrong = String::new();
    let mut say =
        |what: std::fmt::Arguments| writeln!(wrong, "{}: {what}", bug.name).expect("it is a string");
    if outcome.findings.is_empty() {
        say(format_args!("not found in {} cases", outcome.cases));
    }
    if !outcome.flaky.is_empty() {
        say(format_args!("flaky: {:?}", outcome.flaky.iter().map(told).collect::<Vec<_>>()));
    }
    for finding in &outcome.findings {
        let place = &finding.place;
        let is_own = finding.check.name() == bug.check
            && (bug.operation.is_empty() || finding.operation == bug.operation)
            && (bug.rule.is_none() || place.rule == bug.rule)
            && place.pointer.ends_with(bug.place);
        if !is_own {
            say(format_args!("something else is found: {}", told(finding)));
        }
        if (finding.failed, finding.repeated) != (3, 3) {
            say(format_args!("{} of {} times: {}", finding.failed, finding.repeated, told(finding)));
        }
        let length = finding.sent.request.body.len();
        if length > READABLE {
            say(format_args!("{length} bytes are too many for a person: {}", told(finding)));
        }
    }
    wrong
}

fn options(bug: &Bug) -> Options {
    let operations: &[&str] = match bug.sound {
        Sound::State => &["createAgent", "updateAgent", "getAgent", "deleteAgent"],
        Sound::Samples | Sound::Verified => &["createAgent", "updateAgent"],
    };
    Options {
        operations: operations.iter().map(ToString::to_string).collect(),
        cases: Some(CASES),
        client_secret: (bug.sound == Sound::Verified).then(|| Secret::new(SECRET)),
        stateful: bug.sound == Sound::State,
        timeout: std::time::Duration::from_secs(5),
        ..Options::default()
    }
}

fn told(finding: &Finding) -> String {
    let Finding { check, operation, place, expected, found, sent, .. } = finding;
    let rule = place.rule.map_or("", standin::Rule::name);
    format!(
        "{check} {operation} {rule} {}: expected {expected}, but found {found}\n  {} {} {}",
        place.pointer,
        sent.request.method,
        sent.request.target,
        String::from_utf8_lossy(&sent.request.body[..sent.request.body.len().min(300)]),
    )
}
