//! What a campaign reports: each finding can be sent again, by a shell and by a replay, and no report shows the token.
#![cfg(unix)]

mod support;

use std::{fs, path::Path};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use standin::{
    Checks, Contract, Rule, Server, TokenPolicy,
    campaign::{self, Baseline, Check, Finding, Options, Outcome, Replayed, report},
    token::{Secret, mint},
};
use support::{Call, FOREVER, program::Folder, server};

const SECRET: &str = "s3cret-of-this-test";

/// A server that looks neither at the contract nor at the token, or one that does.
fn service(checks: Checks) -> Server {
    let token =
        if checks == Checks::Off { TokenPolicy::Any } else { TokenPolicy::Verified(Secret::new(SECRET)) };
    server(|config| {
        config.settings.checks = checks;
        config.settings.token = token;
        config.keep_secrets = true;
    })
}

fn options(operation: &str, rule: Rule) -> Options {
    Options {
        operations: vec![operation.into()],
        rules: vec![rule],
        client_secret: Some(Secret::new(SECRET)),
        timeout: FOREVER,
        ..Options::default()
    }
}

fn run(server: &Server, options: &Options) -> Outcome {
    campaign::run(&server.url(), options).unwrap()
}

fn token() -> String {
    mint(Contract::builtin().token_claim(), "cs-1", &Secret::new(SECRET), 1_700_000_000, None)
}

/// Whether a server that verifies tokens accepts this one, at a time at which those are over that are sent because they are.
fn is_valid(token: &[u8]) -> bool {
    let token = standin::token::read(token, Contract::builtin().token_claim());
    token.is_ok_and(|token| {
        token.client().is_ok() && token.verify(&Secret::new(SECRET), 1_760_000_000).is_ok()
    })
}

/// The value of a header as a finding has it.
fn template(value: &str) -> String {
    let token = token();
    let signature = token.rsplit('.').next().unwrap();
    value.replace(&token, "$STANDIN_TOKEN").replace(signature, "${STANDIN_TOKEN##*.}")
}

/// Every report for people and programs, one after the other.
fn all_reports(outcome: &Outcome) -> String {
    let curls: Vec<_> =
        outcome.findings.iter().map(|finding| report::curl(finding, &outcome.target)).collect();
    [
        serde_json::to_string(outcome).unwrap(),
        report::html(outcome, report::Again::default()),
        report::sarif(outcome).to_string(),
        curls.join("\n"),
    ]
    .join("\n")
}

#[test]
fn the_same_findings_have_the_same_fingerprints_in_every_run() {
    let broken = service(Checks::Off);
    let fingerprints = |seed| {
        let outcome = run(&broken, &Options { seed, ..options("createAgent", Rule::Required) });
        let mut found: Vec<_> = outcome.findings.into_iter().map(|finding| finding.fingerprint).collect();
        found.sort_unstable();
        found
    };

    let first = fingerprints(1);

    assert!(first.len() > 3, "{first:?}");
    assert_eq!(first, fingerprints(2));
}

#[test]
fn a_command_of_a_finding_sends_the_same_request_again() {
    let broken = service(Checks::Off);
    for rule in [Rule::Required, Rule::Format, Rule::Token, Rule::Type] {
        let outcome = run(&broken, &options("createAgent", rule));
        assert!(!outcome.findings.is_empty(), "{rule}");
        for finding in &outcome.findings {
            let script = report::curl(finding, &broken.url());
            let call = Call::shell(&script, &token());

            let sent = &finding.sent.request;
            assert_eq!((&call.method, &call.target), (&sent.method, &sent.target), "{script}");
            assert_eq!(call.body, sent.body, "{script}");
            let headers: Vec<_> = call
                .headers
                .iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), template(value)))
                .collect();
            let expected: Vec<_> = sent
                .headers
                .iter()
                .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned()))
                .collect();
            assert_eq!(headers, expected, "{script}");
            let reply = call.send(&broken.addr().to_string());
            assert_eq!(Some(reply.status), finding.answer.status(), "{script}");
        }
    }
}

#[test]
fn no_report_shows_a_token_that_was_valid() {
    let broken = service(Checks::Off);
    let mut options = options("createAgent", Rule::Required);
    options.rules = vec![Rule::Required, Rule::Format, Rule::Token, Rule::Repeated];
    options.headers = vec![("x-gateway".into(), "gateway-key".into())];
    let outcome = run(&broken, &options);

    let reports = all_reports(&outcome);

    assert!(reports.contains("$STANDIN_TOKEN"), "{reports}");
    let mut tokens = 0;
    for recorded in broken.journal().snapshot() {
        let request = &recorded.exchange.request;
        assert_eq!(request.headers.all("x-gateway").next(), Some(&b"gateway-key"[..]));
        for token in request.headers.all("auth").filter(|token| is_valid(token)) {
            let token = String::from_utf8_lossy(token);
            let signature = token.rsplit('.').next().unwrap();
            assert!(!reports.contains(signature), "{token}");
            tokens += 1;
        }
    }
    assert!(tokens > 0);
    assert!(!reports.contains("gateway-key"), "{reports}");
    assert!(reports.contains("x-gateway left out"), "{reports}");
}

#[test]
fn a_faulty_token_that_is_signed_with_the_secret_is_over_within_minutes() {
    let broken = service(Checks::Off);
    let outcome = run(&broken, &Options { cases: Some(100), ..options("createAgent", Rule::Token) });

    assert!(!outcome.findings.is_empty());
    let soon = jiff::Timestamp::now().as_second() + 15 * 60;
    let mut faulty = 0;
    for recorded in broken.journal().snapshot() {
        for token in recorded.exchange.request.headers.all("auth").filter(|token| !is_valid(token)) {
            let Some(claims) = signed_claims(token) else { continue };
            assert!(claims["exp"].as_i64().is_some_and(|expires| expires < soon), "{claims}");
            faulty += 1;
        }
    }
    assert!(faulty > 30, "{faulty}");
}

#[test]
fn a_replay_of_a_token_that_is_over_by_now_does_not_say_that_the_server_is_mended() {
    let broken = service(Checks::Off);
    // One after the other, so that the finding is of the same fault in every run: not of the token whose time is over.
    let in_order = Options { concurrency: 1, ..options("createAgent", Rule::Token) };
    let mut outcome = run(&broken, &in_order);
    let finding = &mut outcome.findings[0];
    let over = mint(Contract::builtin().token_claim(), "cs-1", &Secret::new(SECRET), 0, Some(1));
    let headers = finding.sent.request.headers.iter();
    finding.sent.request.headers =
        headers.map(|(name, value)| (name, if name == "auth" { over.as_bytes() } else { value })).collect();

    let by_token = Some(Secret::new(token()));
    let options = Options { client_secret: None, token: by_token, ..options("createAgent", Rule::Token) };
    let replayed = campaign::replay(&broken.url(), &outcome.findings[..1], &options).unwrap();

    let why = "its token is over by now; --client-secret signs it anew";
    assert_eq!(replayed, [Replayed::CannotTell { why: why.into() }]);
}

/// The claims of a token that is signed with the secret, whatever else is wrong with it.
fn signed_claims(token: &[u8]) -> Option<serde_json::Value> {
    let (signed, signature) = std::str::from_utf8(token).ok()?.rsplit_once('.')?;
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(signed);
    mac.verify_slice(&BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    let payload = BASE64_URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
    serde_json::from_slice(&payload).ok()
}

#[test]
fn a_replay_says_what_has_become_of_a_finding() {
    let broken = service(Checks::Off);
    let folder = Folder::new();
    let options = options("createAgent", Rule::Required);
    let outcome = run(&broken, &options);
    let finding = outcome.findings.iter().find(|finding| finding.check == Check::MutantRefused).unwrap();
    let file = folder.file(&finding.file_name(), finding.to_file());
    let findings = Baseline::load(Path::new(&file)).unwrap().findings;
    assert_eq!(findings.iter().map(Finding::to_file).collect::<Vec<_>>(), [finding.to_file()]);

    let replayed = campaign::replay(&broken.url(), &findings, &options).unwrap();
    assert!(matches!(&replayed[..], [Replayed::StillFailing { .. }]), "{replayed:?}");

    let mended = service(Checks::Enforce);
    let replayed = campaign::replay(&mended.url(), &findings, &options).unwrap();
    assert_eq!(replayed, [Replayed::Fixed]);

    // With another secret everything is refused, which mends nothing.
    let other = Options { client_secret: Some(Secret::new("another")), ..options.clone() };
    let replayed = campaign::replay(&mended.url(), &findings, &other).unwrap();
    assert!(matches!(&replayed[..], [Replayed::CannotTell { why }] if why.contains("token")), "{replayed:?}");

    let mut unknown = findings.clone();
    unknown[0].operation = "noSuchOperation".into();
    let replayed = campaign::replay(&mended.url(), &unknown, &options).unwrap();
    assert!(matches!(&replayed[..], [Replayed::CannotTell { .. }]), "{replayed:?}");
    fs::remove_file(file).unwrap();
}

#[test]
fn what_a_baseline_knows_is_marked_and_what_it_knows_alone_is_gone() {
    let broken = service(Checks::Off);
    let options = options("createAgent", Rule::Required);
    let before = run(&broken, &options);
    let folder = Folder::new();
    let file = folder.file("before.json", serde_json::to_string(&before).unwrap());
    let baseline = Baseline::load(Path::new(&file)).unwrap();

    let mut now = run(&broken, &options);
    baseline.compare(&mut now);
    assert!(now.findings.iter().all(|finding| finding.is_known), "{:#?}", now.findings);
    assert_eq!(now.gone, []);

    let mut mended = run(&service(Checks::Enforce), &options);
    baseline.compare(&mut mended);
    assert_eq!((mended.findings.len(), mended.gone.len()), (0, before.findings.len()));
}

#[test]
fn a_finding_about_what_the_campaign_made_has_the_step_that_makes_it() {
    let broken = server(|config| {
        config.settings.checks = Checks::Off;
        config.settings.state = Some(standin::StateSettings::default());
    });
    let options = Options {
        operations: vec!["createAgent".into(), "updateAgent".into()],
        rules: vec![Rule::MaxLength],
        stateful: true,
        timeout: FOREVER,
        ..Options::default()
    };

    let outcome = run(&broken, &options);

    let updates: Vec<_> =
        outcome.findings.iter().filter(|finding| finding.operation == "updateAgent").collect();
    assert!(!updates.is_empty(), "{:#?}", outcome.findings);
    for finding in &updates {
        let [step] = &finding.steps[..] else { panic!("{finding:#?}") };
        let id = step.made.as_deref().unwrap();
        assert!(finding.sent.request.target.contains(id));
        let script = report::curl(finding, &broken.url());
        assert!(script.contains("id1=$(") && script.contains("/'\"$id1\"'"), "{script}");
        assert!(!script.contains(id), "{script}");
    }
    let findings: Vec<_> = updates.into_iter().cloned().collect();
    let replayed = campaign::replay(&broken.url(), &findings, &options).unwrap();
    assert!(
        replayed.iter().all(|replayed| matches!(replayed, Replayed::StillFailing { .. })),
        "{replayed:?}"
    );
}
