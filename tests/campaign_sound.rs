//! A campaign accuses nobody wrongly: against the stand-in itself, however it is set up, nothing is found, and where the
//! stand-in is told not to look, exactly the rules that it does not look at.

use std::collections::BTreeSet;

use standin::{
    Checks, Config, Errors, References, Rule, Server, Settings, StateSettings, TokenPolicy,
    campaign::{self, Check, Counted, Ended, Finding, Options, Outcome, TriedOutcome},
    payload::Label,
    token::Secret,
};

fn serve(settings: Settings) -> Server {
    Server::start(Config { settings, ..Config::default() }).unwrap()
}

fn run(settings: Settings, options: &Options) -> Outcome {
    let server = serve(settings);
    campaign::run(&server.url(), options).unwrap()
}

/// A finding in a line, for messages.
fn lines(outcome: &Outcome) -> Vec<String> {
    let of = |finding: &campaign::Finding| {
        format!(
            "{} {} {:?}: expected {}, but found {}; {} {} {}; {}",
            finding.check,
            finding.operation,
            finding.place,
            finding.expected,
            finding.found,
            finding.sent.request.method,
            finding.sent.request.target,
            finding.sent.request.body.escape_ascii(),
            finding.label,
        )
    };
    let flaky = outcome.flaky.iter().map(|flaky| format!("flaky {}", of(flaky)));
    outcome.findings.iter().map(of).chain(flaky).collect()
}

fn two() -> Vec<String> {
    vec!["createAgent".into(), "updateAgent".into()]
}

fn agents() -> Vec<String> {
    ["createAgent", "updateAgent", "getAgent", "deleteAgent", "listAgents"].map(str::to_owned).into()
}

#[test]
fn nothing_is_found_in_a_stand_in_that_enforces_the_contract() {
    let verified = TokenPolicy::Verified(Secret::new("a secret"));
    let secret = Some(Secret::new("a secret"));
    let usual = Settings::default;
    let cases = [
        (usual(), Options { counted: Counted::All, ..Options::default() }),
        (
            Settings { errors: Errors::Rfc, ..usual() },
            Options { counted: Counted::All, operations: agents(), ..Options::default() },
        ),
        (
            Settings { state: Some(StateSettings::default()), ..usual() },
            Options { counted: Counted::All, stateful: true, ..Options::default() },
        ),
        (
            Settings {
                state: Some(StateSettings::default()),
                errors: Errors::Rfc,
                token: verified,
                ..usual()
            },
            Options {
                counted: Counted::All,
                operations: agents(),
                stateful: true,
                client_secret: secret,
                ..Options::default()
            },
        ),
    ];
    for (settings, options) in cases {
        let outcome = run(settings.clone(), &options);
        assert_eq!(lines(&outcome), [""; 0], "{settings:?}");
        assert_eq!(outcome.ended, Ended::Exhausted, "{:?}", outcome.notes);
        let (tried, all) = outcome.tried();
        assert_eq!(tried, all);
        assert!(all > 600, "{all}");
        for tried in &outcome.rules {
            assert_ne!(tried.outcome, TriedOutcome::Other, "{tried:?}");
        }
        for (operation, checks) in &outcome.checks {
            assert!(checks[&Check::ValidAccepted].passed > 0, "{operation}: {checks:?}");
            assert!(checks[&Check::MutantRefused].passed > 0, "{operation}: {checks:?}");
        }
    }
}

#[test]
fn what_a_stand_in_does_not_look_at_is_found_and_nothing_else() {
    for checks in [Checks::Off, Checks::Report] {
        let options = Options { operations: two(), counted: Counted::All, ..Options::default() };
        let outcome = run(Settings { checks, ..Settings::default() }, &options);

        let of_step_4 = |rule: Rule| {
            matches!(
                rule,
                Rule::Enum
                    | Rule::Format
                    | Rule::MaxLength
                    | Rule::Maximum
                    | Rule::MinLength
                    | Rule::Minimum
                    | Rule::Repeated
                    | Rule::Required
                    | Rule::Type
            )
        };
        let is_in_a_step_before = |pointer: &str| matches!(pointer, "/header/auth" | "/header/Content-Type");
        let expected: BTreeSet<_> = outcome
            .rules
            .iter()
            .filter(|tried| tried.outcome != TriedOutcome::Unproved)
            .filter_map(|tried| Some((tried.operation.clone(), tried.rule?, tried.pointer.clone())))
            .filter(|(_, rule, pointer)| {
                of_step_4(*rule) && !is_in_a_step_before(pointer) && pointer != "/path"
            })
            .filter(|(_, rule, pointer)| !(*rule == Rule::Required && pointer == "/body"))
            .collect();
        let found: BTreeSet<_> = outcome
            .findings
            .iter()
            .map(|finding| {
                assert_eq!(finding.check, Check::MutantRefused, "{:#?}", lines(&outcome));
                (finding.operation.clone(), finding.place.rule.unwrap(), finding.place.pointer.clone())
            })
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn what_is_wrong_with_an_address_is_found_though_an_address_is_taken_once() {
    let settings =
        Settings { checks: Checks::Off, state: Some(StateSettings::default()), ..Settings::default() };
    let options =
        Options { operations: vec!["createAgent".into()], rules: vec![Rule::Format], ..Options::default() };
    let outcome = run(settings, &options);

    assert_eq!(outcome.flaky, []);
    let address = |finding: &&Finding| finding.place.pointer == "/body/emailId";
    let finding = outcome.findings.iter().find(address).unwrap();
    assert_eq!((finding.check, finding.failed), (Check::MutantRefused, 3));
    let Label::Mutant { became: Some(became), .. } = &finding.label else { panic!("{:?}", finding.label) };
    let body = String::from_utf8_lossy(&finding.sent.request.body);
    assert!(body.contains(became.as_str()), "{became} {body}");
}

#[test]
fn ids_that_name_nothing_are_not_held_against_a_server_that_looks_at_them() {
    let state = StateSettings { references: References::Enforce, ..StateSettings::default() };
    let options = Options { stateful: true, ..Options::default() };
    let outcome = run(Settings { state: Some(state), ..Settings::default() }, &options);

    assert_eq!(lines(&outcome), [""; 0]);
}

#[test]
fn chance_goes_on_until_the_budget_is_used() {
    let options =
        Options { operations: two(), cases: Some(3000), stateful: true, seed: 7, ..Options::default() };
    let outcome = run(Settings { state: Some(StateSettings::default()), ..Settings::default() }, &options);

    assert_eq!(lines(&outcome), [""; 0]);
    assert_eq!((outcome.ended, outcome.cases), (Ended::Budget, 3000));
    assert_eq!(outcome.created.left, []);
    assert_eq!(outcome.created.made, outcome.created.deleted);
}
