//! The checks: what is asked of every answer.
//!
//! A file has one check, and says when it stays silent; those about sequences of requests are in `sequence.rs`. Of one answer no two checks say the same thing.

mod answers_in_time;
mod connection_survives;
mod method_refused;
mod mutant_refused;
mod never_5xx;
mod no_echo_of_secrets;
mod refusal_explained;
mod reply_matches_contract;
pub(super) mod same_answer_twice;
mod token_enforced;
mod valid_accepted;

use std::{fmt, str::FromStr, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    Counted, Place, Secrets, Severity, Trial,
    source::{Source, general},
};
use crate::{Contract, Operation, Reply, Rule, judge::Judge, near, payload::Label, violation};

/// The closed list of checks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// An answer comes in time.
    AnswersInTime,
    /// A request gets a well-formed reply, and the server answers afterwards.
    ConnectionSurvives,
    /// What was created can be read.
    CreatedIsReadable,
    /// What was deleted is gone.
    DeletedIsGone,
    /// A create that was refused has made nothing.
    FailedCreateLeftNothing,
    /// A method that the path does not have is refused.
    MethodRefused,
    /// A request that breaks a rule is refused.
    MutantRefused,
    /// No answer is a fault of the server.
    #[serde(rename = "never_5xx")]
    Never5xx,
    /// No answer shows the token.
    NoEchoOfSecrets,
    /// A refusal says in JSON which member is at fault.
    RefusalExplained,
    /// A reply is what the contract allows.
    ReplyMatchesContract,
    /// An idempotent request gets the same answer twice.
    SameAnswerTwice,
    /// Without a good token nothing is done.
    TokenEnforced,
    /// A valid request is accepted.
    ValidAccepted,
}

impl Check {
    /// Every check, in alphabetical order.
    pub const ALL: [Self; 14] = [
        Self::AnswersInTime,
        Self::ConnectionSurvives,
        Self::CreatedIsReadable,
        Self::DeletedIsGone,
        Self::FailedCreateLeftNothing,
        Self::MethodRefused,
        Self::MutantRefused,
        Self::Never5xx,
        Self::NoEchoOfSecrets,
        Self::RefusalExplained,
        Self::ReplyMatchesContract,
        Self::SameAnswerTwice,
        Self::TokenEnforced,
        Self::ValidAccepted,
    ];

    /// Its name in options and reports, such as `mutant_refused`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AnswersInTime => "answers_in_time",
            Self::ConnectionSurvives => "connection_survives",
            Self::CreatedIsReadable => "created_is_readable",
            Self::DeletedIsGone => "deleted_is_gone",
            Self::FailedCreateLeftNothing => "failed_create_left_nothing",
            Self::MethodRefused => "method_refused",
            Self::MutantRefused => "mutant_refused",
            Self::Never5xx => "never_5xx",
            Self::NoEchoOfSecrets => "no_echo_of_secrets",
            Self::RefusalExplained => "refusal_explained",
            Self::ReplyMatchesContract => "reply_matches_contract",
            Self::SameAnswerTwice => "same_answer_twice",
            Self::TokenEnforced => "token_enforced",
            Self::ValidAccepted => "valid_accepted",
        }
    }

    /// How bad it is when it fails.
    pub fn severity(self) -> Severity {
        match self {
            Self::RefusalExplained => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Check {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|check| check.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            let hint = near::hint(name, names);
            format!("there is no check `{name}`{hint}; the checks are {}", names.join(", "))
        })
    }
}

/// What a check says of an answer, when it says anything.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The check.
    pub check: Check,
    /// What is wrong; none when the answer is fine.
    pub failed: Option<Observation>,
}

/// What a check found to be wrong.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    /// What it is about.
    pub place: Place,
    /// What was expected, as a sentence.
    pub expected: String,
    /// What was found, as a sentence.
    pub found: String,
    /// Where the rule comes from: `pages`, `vendor` or `assumed`.
    pub basis: String,
    /// The page and row that says so, `observed`, or why it is assumed.
    pub source: String,
}

/// What one check says of an answer.
pub(super) enum Look {
    Silent,
    Passed,
    Failed(Observation),
}

/// What checks know besides the trial.
pub(super) struct View<'a> {
    pub(super) contract: &'a Contract,
    pub(super) operation: &'a Operation,
    pub(super) judge: &'a Judge,
    pub(super) counted: Counted,
    pub(super) timeout: Duration,
    pub(super) secrets: &'a Secrets,
    /// Whether the server is held to verifying tokens.
    pub(super) is_verified: bool,
    /// Whether a request that is valid by the contract is certainly valid for this server.
    pub(super) is_certain: &'a dyn Fn(&Trial) -> bool,
}

impl View<'_> {
    fn counts(&self, source: &Source) -> bool {
        self.counted.counts(source.basis)
    }

    /// Whether a pointer is that of the token.
    fn is_token(&self, pointer: &str) -> bool {
        let header = pointer.strip_prefix("/header/");
        header.is_some() && header == self.contract.token_header()
    }

    /// A reply in a few words; what is secret is hidden before it is cut, as a part of it would not be known any more.
    fn excerpt(&self, reply: &Reply) -> String {
        if reply.body.is_empty() {
            return format!("{} without a body", reply.status);
        }
        format!("{} with {}", reply.status, violation::quote(&String::from_utf8_lossy(&self.shown(reply))))
    }

    /// A text of a reply in a few characters; what is secret is hidden first here as well.
    fn quote(&self, text: &str) -> String {
        let mut text = text.to_owned();
        self.secrets.hide_text(&mut text);
        violation::quote(&text)
    }

    /// The body of a reply without secrets.
    fn shown(&self, reply: &Reply) -> Bytes {
        let mut body = reply.body.clone();
        self.secrets.hide_bytes(&mut body);
        body
    }

    #[expect(clippy::unused_self, reason = "it reads like the other methods")]
    pub(super) fn failed(&self, place: Place, expected: String, found: String, source: Source) -> Look {
        let basis = source.basis.name().to_owned();
        Look::Failed(Observation { place, expected, found, basis, source: source.text })
    }
}

/// How a check looks at a trial.
type LookAt = fn(&Trial, &View) -> Look;

/// The checks that look at one trial alone.
const ALONE: [(Check, LookAt); 10] = [
    (Check::AnswersInTime, answers_in_time::look),
    (Check::ConnectionSurvives, connection_survives::look),
    (Check::MethodRefused, method_refused::look),
    (Check::MutantRefused, mutant_refused::look),
    (Check::Never5xx, never_5xx::look),
    (Check::NoEchoOfSecrets, no_echo_of_secrets::look),
    (Check::RefusalExplained, refusal_explained::look),
    (Check::ReplyMatchesContract, reply_matches_contract::look),
    (Check::TokenEnforced, token_enforced::look),
    (Check::ValidAccepted, valid_accepted::look),
];

/// What the checks say of a trial, but those to skip; those that say nothing are not listed.
pub(super) fn verdicts(trial: &Trial, view: &View, skip: &[Check]) -> Vec<Verdict> {
    let looks = ALONE.iter().filter(|(check, _)| !skip.contains(check));
    looks.filter_map(|(check, look)| Verdict::new(*check, look(trial, view))).collect()
}

impl Verdict {
    /// What a check says, when it says anything.
    pub(super) fn new(check: Check, look: Look) -> Option<Self> {
        match look {
            Look::Silent => None,
            Look::Passed => Some(Self { check, failed: None }),
            Look::Failed(observation) => Some(Self { check, failed: Some(observation) }),
        }
    }
}

impl Check {
    /// Whether it asks what a label says; the others ask the same of every request.
    pub(super) fn is_about_labels(self) -> bool {
        matches!(self, Self::MethodRefused | Self::MutantRefused | Self::TokenEnforced | Self::ValidAccepted)
    }
}

/// The rule that a label says is broken.
pub(super) fn rule(label: &Label) -> Option<Rule> {
    match label {
        Label::Mutant { rule, .. } => *rule,
        Label::Valid => None,
    }
}

/// What a label is about.
fn place(label: &Label) -> Place {
    match label {
        Label::Mutant { rule, pointer, .. } => Place { rule: *rule, pointer: general(pointer) },
        Label::Valid => Place::default(),
    }
}

/// Whether a request that must be refused is.
fn must_be_refused(trial: &Trial, view: &View, expected: String) -> Look {
    if trial.answer.is_refused() {
        return Look::Passed;
    }
    let source = Source::of(view.contract, view.operation, &trial.label, &trial.sent.request);
    let Some(reply) = trial.answer.reply.as_ref().filter(|_| trial.answer.is_accepted()) else {
        return Look::Silent;
    };
    if !view.counts(&source) {
        return Look::Silent;
    }
    view.failed(place(&trial.label), expected, view.excerpt(reply), source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Headers, Request,
        campaign::{Answer, Failure, Sent, Why},
        payload::Wire,
    };

    /// What a check finds wrong with the answer to a valid request: an empty reply with a status, or none.
    pub(super) fn failed(
        look: LookAt,
        operation: &str,
        came_back: Result<u16, Failure>,
        counted: Counted,
    ) -> Option<Observation> {
        let contract = Contract::builtin();
        let view = View {
            contract: &contract,
            operation: contract.operation(operation).unwrap(),
            judge: &Judge::new(&contract).unwrap(),
            counted,
            timeout: Duration::ZERO,
            secrets: &Secrets::default(),
            is_verified: false,
            is_certain: &|_| true,
        };
        let reply =
            came_back.ok().map(|status| Reply { status, headers: Headers::default(), body: Bytes::new() });
        let trial = Trial {
            number: 0,
            operation: operation.into(),
            why: Why::Control,
            label: Label::Valid,
            sent: Sent { request: Request::new("POST", "/"), wire: Wire::Any, in_capitals: false },
            answer: Answer { micros: Duration::ZERO, reply, failure: came_back.err() },
        };
        match look(&trial, &view) {
            Look::Failed(observation) => Some(observation),
            Look::Passed | Look::Silent => None,
        }
    }

    #[test]
    fn a_status_that_http_does_not_have_is_a_fault_of_the_server() {
        for (status, is_fault) in
            [(499, false), (500, true), (507, false), (599, true), (600, true), (999, true)]
        {
            let found = failed(never_5xx::look, "createAgent", Ok(status), Counted::Vendor);
            assert_eq!(found.is_some(), is_fault, "{status}");
        }
    }

    #[test]
    fn a_connection_that_ends_within_a_reply_is_wrong_and_one_that_carries_a_large_reply_is_not() {
        for (failure, is_wrong) in [
            (Failure::Closed, true),
            (Failure::NotHttp, true),
            (Failure::Reset, true),
            (Failure::TimedOut, false),
            (Failure::TooLarge, false),
        ] {
            let found = failed(connection_survives::look, "createAgent", Err(failure), Counted::Vendor);
            assert_eq!(found.is_some(), is_wrong, "{failure}");
        }
    }

    #[test]
    fn every_check_is_known_by_its_name() {
        for check in Check::ALL {
            assert_eq!(check.name().parse(), Ok(check));
            assert_eq!(serde_json::to_value(check).unwrap(), check.name());
        }
        assert!("never_500".parse::<Check>().unwrap_err().contains("did you mean never_5xx"));
    }
}
