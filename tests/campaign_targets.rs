//! Targets that are no good end a campaign clearly: with one finding that says what is wrong, or with a reason.

mod support;

use std::{
    io::Write as _,
    net::{TcpListener, TcpStream},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use standin::{
    Rule,
    campaign::{self, CampaignError, Check, Ended, Finding, Options, Outcome, Place, Replayed, Severity},
};
use support::faulty::{self, Faulty, Received, hang, write};

fn options() -> Options {
    Options {
        operations: vec!["createAgent".into(), "updateAgent".into(), "getAgent".into(), "createQueue".into()],
        timeout: Duration::from_secs(60),
        cases: Some(500),
        ..Options::default()
    }
}

fn run(reply: impl Fn(&Received, &mut TcpStream) + Send + Sync + 'static) -> Outcome {
    campaign::run(&Faulty::start(reply).url, &options()).unwrap()
}

/// The same with little patience.
fn hasty(reply: impl Fn(&Received, &mut TcpStream) + Send + Sync + 'static) -> Outcome {
    let options = Options { timeout: Duration::from_millis(100), ..options() };
    campaign::run(&Faulty::start(reply).url, &options).unwrap()
}

/// The one finding of a campaign that was given up, and why it was.
fn only(outcome: Outcome) -> (Check, String, String) {
    let Ended::GaveUp { why } = outcome.ended else {
        panic!("{:?}: {:#?}", outcome.ended, outcome.findings);
    };
    let [finding] = outcome.findings.as_slice() else {
        panic!("{why}: {:#?}", outcome.findings);
    };
    (finding.check, finding.found.clone(), why)
}

#[test]
fn nobody_there_is_no_campaign() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);

    let error = campaign::run(&url, &options()).unwrap_err();
    assert_eq!(
        error,
        CampaignError::CouldNotRun("cannot reach the server: the connection was refused".into())
    );
}

#[test]
fn a_server_that_speaks_no_tls_is_no_campaign() {
    let server = Faulty::start(|_, stream| write(stream, 200, "application/json", "{}"));

    let error = campaign::run(&server.url.replace("http:", "https:"), &options()).unwrap_err();
    assert_eq!(
        error,
        CampaignError::CouldNotRun("cannot reach the server: there is no secure connection".into())
    );
}

#[test]
fn a_server_that_never_answers_is_one_finding() {
    let (check, _, why) = only(hasty(|_, stream| hang(stream)));

    assert_eq!(check, Check::AnswersInTime);
    assert_eq!(why, "no valid request gets a reply: no reply came in time");
}

#[test]
fn a_server_that_hangs_up_or_answers_garbage_is_one_finding() {
    let garbage = |_: &Received, stream: &mut TcpStream| {
        let _ = stream.write_all(b"\x00\x01\x02 garbage\r\n\r\n");
    };
    let outcomes = [
        (run(|_, _| {}), "the connection was closed before the end of a reply"),
        (run(garbage), "what came back is not HTTP"),
    ];
    for (outcome, expected) in outcomes {
        let (check, found, _) = only(outcome);
        assert_eq!((check, found.as_str()), (Check::ConnectionSurvives, expected));
    }
}

#[test]
fn a_reply_without_an_end_does_not_come_in_time() {
    let endless = |_: &Received, stream: &mut TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n");
        while stream.write_all(&[b' '; 4096]).is_ok() {}
    };
    let (check, _, why) = only(hasty(endless));

    assert_eq!(check, Check::AnswersInTime);
    assert_eq!(why, "no valid request gets a reply: no reply came in time");
}

#[test]
fn a_large_reply_is_held_against_nobody_and_the_rules_are_tried_all_the_same() {
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(5 * 1024 * 1024));
    let server = Faulty::start(move |request, stream| match request.header("auth") {
        Some(_) => write(stream, 200, "application/json", &large),
        None => write(stream, 401, "application/json", "{}"),
    });
    let options = Options {
        operations: vec!["getAgent".into(), "createQueue".into()],
        rules: vec![Rule::Required],
        skip: vec![Check::ReplyMatchesContract],
        cases: None,
        ..options()
    };
    let outcome = campaign::run(&server.url, &options).unwrap();

    assert_eq!((outcome.findings.as_slice(), outcome.flaky.as_slice()), (&[][..], &[][..]));
    let (tried, all) = outcome.tried();
    assert_eq!(tried, all);
    assert!(outcome.notes.iter().any(|note| note.contains("more than 4 MiB")), "{:?}", outcome.notes);
    assert_eq!(outcome.ended, Ended::GaveUp { why: "no operation accepted a valid request".into() });
}

#[test]
fn a_server_that_accepts_everything_is_one_finding() {
    let (check, found, why) = only(run(|_, stream| write(stream, 200, "application/json", "{}")));

    assert_eq!(check, Check::MutantRefused);
    assert!(found.starts_with("200 whatever is sent"), "{found}");
    assert_eq!(why, "the server accepts whatever is sent");
}

#[test]
fn a_server_that_takes_no_token_is_one_warning_that_says_where_to_look() {
    let reply = r#"{"errors":[{"msg":"Invalid SDK credentials","code":4002}]}"#;
    let outcome = run(|_, stream| write(stream, 401, "application/json", reply));

    let [finding] = outcome.findings.as_slice() else { panic!("{:#?}", outcome.findings) };
    assert_eq!((finding.check, finding.severity), (Check::ValidAccepted, Severity::Warning));
    assert_eq!(finding.found, "401 from every operation; look at the token");
    assert_eq!(outcome.flaky, []);
    let why = "every operation refuses the token; look at --token and --client-secret";
    assert_eq!(outcome.ended, Ended::GaveUp { why: why.into() });
}

#[test]
fn a_token_that_expires_is_not_a_finding_and_ends_the_campaign() {
    let sent = AtomicU64::new(0);
    let server = Faulty::start(move |request, stream| {
        let is_good = request.header("auth").is_some() && sent.fetch_add(1, Ordering::Relaxed) < 30;
        write(stream, if is_good { 200 } else { 401 }, "application/json", "{}");
    });
    let options = Options {
        operations: vec!["createQueue".into()],
        set: vec![("accountId".into(), "a-1".into())],
        skip: vec![Check::ReplyMatchesContract, Check::MutantRefused],
        ..options()
    };
    let outcome = campaign::run(&server.url, &options).unwrap();

    assert_eq!(outcome.findings, []);
    assert_eq!(outcome.ended, Ended::GaveUp { why: "the token is no longer accepted".into() });
}

#[test]
fn an_operation_that_never_answers_is_a_finding_and_the_others_are_tried() {
    let server = Faulty::start(|request, stream| match request.method.as_str() {
        "GET" => {}
        _ if request.header("auth").is_none() => write(stream, 401, "application/json", "{}"),
        _ => write(stream, 200, "application/json", "{}"),
    });
    let options = Options {
        operations: vec!["getAgent".into(), "createQueue".into()],
        rules: vec![Rule::Token],
        ..options()
    };
    let outcome = campaign::run(&server.url, &Options { cases: None, ..options }).unwrap();

    assert_eq!(outcome.ended, Ended::Exhausted, "{:?}", outcome.notes);
    let dead = outcome.findings.iter().find(|finding| finding.check == Check::ConnectionSurvives);
    let dead = dead.unwrap_or_else(|| panic!("{:#?}", outcome.findings));
    assert_eq!((dead.operation.as_str(), &dead.place), ("getAgent", &Place::default()));
}

#[test]
fn so_many_cases_are_sent_where_some_operations_have_no_such_rule() {
    let server = Faulty::start(|_, stream| write(stream, 412, "application/json", "{}"));
    let options = Options {
        operations: vec!["updateAgent".into(), "getAgent".into()],
        rules: vec![Rule::MaxLength],
        cases: Some(200),
        ..options()
    };
    let outcome = campaign::run(&server.url, &options).unwrap();

    assert_eq!(outcome.cases, 200);
    let sent = server.received().len() as u64;
    assert!(sent >= outcome.cases, "{sent}");
}

#[test]
fn a_delete_that_is_accepted_without_a_token_can_be_sent_again() {
    let made = AtomicU64::new(0);
    let server = Faulty::start(move |request, stream| match request.method.as_str() {
        "DELETE" => write(stream, 200, "application/json", "{}"),
        _ if request.header("auth").is_none() => write(stream, 401, "application/json", "{}"),
        _ => {
            let id = made.fetch_add(1, Ordering::Relaxed);
            write(stream, 200, "application/json", &format!("{{\"id\":\"q-{id}\"}}"));
        }
    });
    let options = Options {
        operations: vec!["createQueue".into(), "deleteQueue".into()],
        rules: vec![Rule::Token],
        cases: None,
        ..options()
    };
    let outcome = campaign::run(&server.url, &options).unwrap();

    let of_delete =
        |finding: &&Finding| finding.check == Check::TokenEnforced && finding.operation == "deleteQueue";
    let finding = outcome.findings.iter().find(of_delete);
    let finding = finding.unwrap_or_else(|| panic!("{:#?}", outcome.findings));
    assert_eq!(finding.steps.first().map(|step| step.operation.as_str()), Some("createQueue"));
    let replayed = campaign::replay(&server.url, std::slice::from_ref(finding), &options).unwrap();
    assert!(matches!(replayed[..], [Replayed::StillFailing { .. }]), "{replayed:?}");
}

#[test]
fn a_finding_fails_still_at_a_server_that_accepts_everything() {
    let everything = |_: &Received, stream: &mut TcpStream| write(stream, 200, "application/json", "{}");
    let careless = Faulty::start(|request, stream| {
        let is_wrong = request.header("auth").is_none() || request.body.starts_with('[');
        write(stream, if is_wrong { 401 } else { 200 }, "application/json", "{}");
    });
    let options = Options {
        operations: vec!["createQueue".into()],
        rules: vec![Rule::Required],
        cases: None,
        ..options()
    };
    let outcome = campaign::run(&careless.url, &options).unwrap();
    let finding = outcome.findings.iter().find(|finding| finding.check == Check::MutantRefused);
    let finding = finding.unwrap_or_else(|| panic!("{:#?}", outcome.findings));
    let whatever = run(everything).findings;

    let server = Faulty::start(everything);
    for finding in whatever.iter().chain([finding]) {
        let replayed = campaign::replay(&server.url, std::slice::from_ref(finding), &options).unwrap();
        assert!(matches!(replayed[..], [Replayed::StillFailing { .. }]), "{}: {replayed:?}", finding.check);
    }
}

#[test]
fn members_whose_names_are_others_each_time_are_one_finding() {
    let answered = AtomicU64::new(0);
    let server = Faulty::start(move |request, stream| {
        let status = if request.header("auth").is_some() { 200 } else { 401 };
        let name = answered.fetch_add(1, Ordering::Relaxed);
        write(stream, status, "application/json", &format!("{{\"member{name}\":1}}"));
    });
    let options = Options {
        operations: vec!["updateAgent".into()],
        rules: vec![Rule::Token],
        skip: vec![Check::ReplyMatchesContract, Check::TokenEnforced],
        cases: None,
        ..options()
    };
    let outcome = campaign::run(&server.url, &options).unwrap();

    let [finding] = outcome.findings.as_slice() else { panic!("{:#?}", outcome.findings) };
    assert_eq!((finding.check, finding.failed), (Check::SameAnswerTwice, 3));
    assert_eq!(finding.place, Place { rule: None, pointer: "/reply/body".into() });
    assert_eq!(outcome.flaky, []);
}

#[test]
fn redirects_are_not_followed() {
    let server = Faulty::start(|request, stream| {
        assert!(!request.target.contains("elsewhere"));
        let reply =
            "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let _ = stream.write_all(reply.as_bytes());
    });
    let outcome = campaign::run(&server.url, &options()).unwrap();

    assert_eq!(outcome.findings, []);
    let why = "every operation redirects with 302, and no redirect is followed; look at the URL";
    assert_eq!(outcome.ended, Ended::GaveUp { why: why.into() });
    assert!(server.received().iter().all(|request| request.target.starts_with("/agentassist/")));
}

#[test]
fn a_campaign_whose_time_is_used_up_has_used_its_budget() {
    let server = Faulty::start(|request, stream| {
        let status = if request.header("auth").is_some() { 200 } else { 401 };
        write(stream, status, "application/json", "{}");
    });
    let options = Options { time: Some(Duration::from_millis(100)), cases: None, ..options() };
    let outcome = campaign::run(&server.url, &options).unwrap();

    assert_eq!(outcome.ended, Ended::Budget);
}

#[test]
fn a_trickle_of_a_reply_is_not_waited_for() {
    let (check, ..) = only(hasty(|_, stream| faulty::trickle(stream)));

    assert_eq!(check, Check::AnswersInTime);
}

#[test]
fn a_campaign_that_is_stopped_says_what_it_has() {
    let stop = async {};
    let server = Faulty::start(|_, stream| hang(stream));
    let outcome = campaign::run_until(&server.url, &options(), &mut (), stop).unwrap();

    assert_eq!(outcome.ended, Ended::Interrupted);
}

#[test]
fn a_server_that_refuses_whatever_is_sent_shows_nothing() {
    let reply = r#"{"errors":[{"msg":"Not found","code":404}]}"#;
    let options = Options { operations: vec!["getAgent".into()], ..options() };
    let server = Faulty::start(move |_, stream| write(stream, 404, "application/json", reply));
    let outcome = campaign::run(&server.url, &Options { cases: Some(50), ..options }).unwrap();

    assert_eq!(outcome.findings, []);
    assert_eq!(outcome.ended, Ended::GaveUp { why: "no operation accepted a valid request".into() });
}

#[test]
fn only_requests_that_are_counted_are_sent() {
    let server = Faulty::start(|_, stream| write(stream, 412, "application/json", "{}"));
    let options = Options { operations: vec!["createAgent".into()], rules: vec![Rule::Method], ..options() };
    let outcome = campaign::run(&server.url, &options).unwrap();

    assert_eq!(server.received().len() as u64, outcome.sent);
}

#[test]
fn what_cannot_be_deleted_is_told_and_not_tried_for_ever() {
    let made = AtomicU64::new(0);
    let server = Faulty::start(move |request, stream| match request.method.as_str() {
        "DELETE" => write(stream, 403, "application/json", "{}"),
        _ if request.header("auth").is_none() => write(stream, 401, "application/json", "{}"),
        _ => {
            let id = made.fetch_add(1, Ordering::Relaxed);
            write(stream, 200, "application/json", &format!("{{\"id\":\"a-{id}\"}}"));
        }
    });
    let operations = vec!["createAgent".into()];
    let options = Options { operations, rules: vec![Rule::Method], cases: Some(500), ..options() };
    let outcome = campaign::run(&server.url, &options).unwrap();

    let deletes = server.received().iter().filter(|request| request.target.contains("/a-")).count() as u64;
    let created = outcome.created;
    assert!(created.made > 256, "{created:?}");
    assert_eq!((created.left.len() as u64, created.deleted), (created.made, 0));
    // Three whenever there are too many, and each once at the end.
    assert!((created.made..created.made + 100).contains(&deletes), "{deletes} for {}", created.made);
}

#[test]
fn the_request_after_which_a_server_answers_no_more_is_told() {
    let is_gone = AtomicBool::new(false);
    let server = Faulty::start(move |request, stream| {
        if is_gone.load(Ordering::Relaxed) || request.method != "POST" {
            is_gone.store(true, Ordering::Relaxed);
            return;
        }
        let status = if request.header("auth").is_some() { 200 } else { 401 };
        write(stream, status, "application/json", "{}");
    });
    let operations = vec!["createAgent".into()];
    let options = Options { operations, rules: vec![Rule::Method], ..options() };
    let outcome = campaign::run(&server.url, &options).unwrap();

    assert_eq!(
        outcome.ended,
        Ended::GaveUp { why: "the server does not answer valid requests any more".into() }
    );
    let told = outcome
        .flaky
        .iter()
        .find(|finding| finding.check == Check::ConnectionSurvives && finding.sent.request.method != "POST");
    let told = told.unwrap_or_else(|| panic!("{:#?}", outcome.flaky));
    assert_eq!((told.failed, told.repeated), (0, 0));
    assert!(told.found.ends_with("; after that the server does not answer valid requests any more"));
}

#[test]
fn wrong_options_are_refused_before_anything_is_sent() {
    let wrong = [
        Options { operations: vec!["createAgents".into()], ..options() },
        Options { set: vec![("streamIdd".into(), "a".into())], ..options() },
        Options { headers: vec![("a b".into(), "c".into())], ..options() },
    ];
    // Requests have these by themselves, and a mutant would be whole again with them.
    let own =
        ["auth", "Content-Type", "content-length", "Host", "connection", "Transfer-Encoding", "accountid"];
    let own = own.map(|name| Options { headers: vec![(name.into(), "c".into())], ..options() });
    for options in wrong.into_iter().chain(own) {
        let error = campaign::run("http://127.0.0.1:1", &options).unwrap_err();
        assert!(matches!(error, CampaignError::Usage(_)), "{error}");
    }
}
