//! What reports for people have in common.

use std::path::Path;

use crate::{
    campaign::{Answer, Check, Ended, Finding, Outcome},
    render::curl,
};

/// What the command needs that sends a finding again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Again<'a> {
    /// The folder that has the files of findings.
    pub folder: &'a str,
    /// The file of the contract; none for the built-in one.
    pub contract: Option<&'a str>,
}

impl Again<'_> {
    /// The command for a POSIX shell that sends a finding again to the base URL `target`, and says what has become of it.
    pub fn command(&self, finding: &Finding, target: &str) -> String {
        let file = Path::new(self.folder).join(finding.file_name());
        let file = file.to_string_lossy();
        let contract = self.contract.map(|file| format!(" --contract {}", curl::argument(file)));
        let target = curl::argument(target);
        format!("standin fuzz {target} --replay {}{}", curl::argument(&file), contract.unwrap_or_default())
    }
}

/// What a finding is about, in one line.
pub fn title(finding: &Finding) -> String {
    let Finding { check, operation, place, .. } = finding;
    match (place.rule, place.pointer.as_str()) {
        (Some(rule), "") => format!("{operation}: {check}, `{rule}`"),
        (Some(rule), pointer) => format!("{operation}: {check}, `{rule}` at {pointer}"),
        (None, "") => format!("{operation}: {check}"),
        (None, pointer) => format!("{operation}: {check} at {pointer}"),
    }
}

/// What came back, in a few words: the status and its name, or why there is no reply.
pub fn came_back(answer: &Answer) -> String {
    match answer.status().and_then(|status| http::StatusCode::from_u16(status).ok()) {
        Some(status) => status.to_string(),
        None => answer.to_string(),
    }
}

/// How often a finding failed when it was repeated, and how many requests failed so.
pub fn repeated(finding: &Finding) -> String {
    let Finding { failed, repeated, count, seed, .. } = finding;
    let all = if *count == 1 { "1 request".to_owned() } else { format!("{count} requests") };
    format!("failed {failed} of {repeated} times; {all} in all failed so; seed {seed}")
}

/// Why a campaign ended, as a sentence.
pub fn ended(outcome: &Outcome) -> String {
    let (tried, places) = outcome.tried();
    let places = format!("{tried} of {places} rules at their places tried");
    match &outcome.ended {
        Ended::Budget => format!("the budget is used up; {places}"),
        Ended::Exhausted => places,
        Ended::GaveUp { why } => format!("gave up: {why}; {places}"),
        Ended::Interrupted => format!("interrupted; {places}"),
    }
}

/// What a check asks for, as a sentence.
pub fn promise(check: Check) -> &'static str {
    match check {
        Check::AnswersInTime => "An answer comes in time.",
        Check::ConnectionSurvives => "A request gets a well-formed reply, and the server answers afterwards.",
        Check::CreatedIsReadable => "What was created can be read.",
        Check::DeletedIsGone => "What was deleted is gone.",
        Check::FailedCreateLeftNothing => "A create that was refused has made nothing.",
        Check::MethodRefused => "A method that the path does not have is refused.",
        Check::MutantRefused => "A request that breaks a rule is refused.",
        Check::Never5xx => "No answer is a fault of the server.",
        Check::NoEchoOfSecrets => "No answer shows the token.",
        Check::RefusalExplained => "A refusal says in JSON which member is at fault.",
        Check::ReplyMatchesContract => "A reply is what the contract allows.",
        Check::SameAnswerTwice => "An idempotent request gets the same answer twice.",
        Check::TokenEnforced => "Without a good token nothing is done.",
        Check::ValidAccepted => "A valid request is accepted.",
    }
}
