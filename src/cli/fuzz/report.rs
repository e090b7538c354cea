//! What `standin fuzz` leaves: reports, the files of findings, and what it says of them.

use std::{fs, path::Path};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    super::{
        Error,
        error::{one_line, reason},
        junit::{Case, CaseResult, Suite},
        output::{Draft, Target},
        report_file::{ReportFile, ReportKind, targets},
        style, wrap,
    },
    progress::Progress,
};
use crate::{
    BaseUrl,
    campaign::{
        self, Check, Finding, Observer, Outcome, Secrets, Severity, Trial, Verdict,
        report::{self, Again},
    },
    render::har,
};

/// The kinds of reports on a campaign.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Har,
    Html,
    Json,
    Junit,
    Ndjson,
    Sarif,
}

impl ReportKind for Kind {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("junit", Self::Junit),
        ("json", Self::Json),
        ("ndjson", Self::Ndjson),
        ("har", Self::Har),
        ("sarif", Self::Sarif),
        ("html", Self::Html),
    ];
}

/// The reports that were asked for. Those of every trial are written as it happens, the others at the end.
pub(super) struct Reports {
    url: BaseUrl,
    secrets: Secrets,
    growing: Vec<Growing>,
    whole: Vec<(Whole, Target)>,
    /// What went wrong while writing.
    error: Option<Error>,
}

/// The text of a report, with what the commands need that send findings again.
type Whole = fn(&Outcome, Again<'_>) -> String;

/// A report that grows with every trial.
struct Growing {
    draft: Draft,
    is_har: bool,
    is_empty: bool,
}

impl Reports {
    /// Finds out now whether the files can be written.
    pub(super) fn new(wanted: &[ReportFile<Kind>], url: &BaseUrl) -> Result<Self, Error> {
        let mut reports = Self {
            url: url.clone(),
            secrets: Secrets::default(),
            growing: Vec::new(),
            whole: Vec::new(),
            error: None,
        };
        for (kind, target) in targets(wanted)? {
            let whole: Whole = match kind {
                Kind::Html => report::html,
                Kind::Json => |outcome, _| pretty(outcome),
                Kind::Junit => junit,
                Kind::Sarif => |outcome, _| pretty(&report::sarif(outcome)),
                Kind::Har | Kind::Ndjson => {
                    let is_har = kind == Kind::Har;
                    let mut draft = target.draft()?;
                    if is_har {
                        draft.write(har::frame().0.as_bytes())?;
                    }
                    reports.growing.push(Growing { draft, is_har, is_empty: true });
                    continue;
                }
            };
            reports.whole.push((whole, target));
        }
        Ok(reports)
    }

    /// Writes a trial to those reports that have them all.
    fn tried(&mut self, trial: &Trial, verdicts: &[Verdict]) {
        if self.growing.is_empty() || self.error.is_some() {
            return;
        }
        let mut trial = trial.clone();
        let mut verdicts = verdicts.to_vec();
        trial.sent.request.received = Timestamp::now() - trial.answer.micros;
        self.secrets.hide_sent(&mut trial.sent);
        self.secrets.hide_answer(&mut trial.answer);
        for observation in verdicts.iter_mut().filter_map(|verdict| verdict.failed.as_mut()) {
            self.secrets.hide_text(&mut observation.expected);
            self.secrets.hide_text(&mut observation.found);
            self.secrets.hide_text(&mut observation.place.pointer);
        }
        for Growing { draft, is_har, is_empty } in &mut self.growing {
            let text = if *is_har {
                let separator = if *is_empty { "" } else { ",\n" };
                format!("{separator}{}", report::har_entry(&trial, &verdicts, &self.url))
            } else {
                report::ndjson_line(&trial, &verdicts) + "\n"
            };
            *is_empty = false;
            if let Err(error) = draft.write(text.as_bytes()) {
                self.error.get_or_insert(error);
            }
        }
    }

    /// Puts every report in its place, and says which was the first that could not be written.
    pub(super) fn finish(self, outcome: &Outcome, again: Again<'_>) -> Result<(), Error> {
        let whole = self.whole.into_iter().map(|(text, target)| target.write([text(outcome, again)]));
        let mut all: Vec<_> = whole.collect();
        match self.error {
            // None of those is whole.
            Some(error) => all.push(Err(error)),
            None => all.extend(self.growing.into_iter().map(Growing::finish)),
        }
        all.into_iter().collect()
    }
}

impl Growing {
    fn finish(mut self) -> Result<(), Error> {
        if self.is_har {
            self.draft.write(format!("\n]{}\n", har::frame().1).as_bytes())?;
        }
        self.draft.finish()
    }
}

/// Shows how far a campaign is, and hands its trials to the reports.
pub(super) struct Watch<'a> {
    pub(super) progress: &'a mut Progress,
    pub(super) reports: &'a mut Reports,
}

impl Observer for Watch<'_> {
    fn begun(&mut self, secrets: &Secrets) {
        self.reports.secrets = secrets.clone();
    }

    fn tried(&mut self, trial: &Trial, verdicts: &[Verdict]) {
        self.reports.tried(trial, verdicts);
    }

    fn found(&mut self, finding: &Finding) {
        self.progress.found(finding);
    }

    fn progressed(&mut self, progress: &campaign::Progress) {
        self.progress.progressed(progress);
    }

    fn noted(&mut self, note: &str) {
        self.progress.noted(note);
    }
}

/// Finds out now whether files of findings can be written into a folder, which is not made yet.
pub(super) fn try_folder(folder: &Path) -> Result<(), Error> {
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    match Target::new(&there.join("finding.json")) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::could_not_run(format!(
            "cannot write into {}; name a folder that is writable with --findings",
            one_line(&folder.display().to_string())
        ))),
    }
}

/// Writes a file for each finding into a folder, which is made when there are any.
pub(super) fn keep(findings: &[Finding], folder: &Path) -> Result<(), Error> {
    if findings.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|error| {
        let folder = one_line(&folder.display().to_string());
        Error::could_not_run(format!("cannot make the folder {folder}: {}", reason(&error)))
    })?;
    for finding in findings {
        Target::new(&folder.join(finding.file_name()))?.write([finding.to_file()])?;
    }
    Ok(())
}

fn pretty(value: &impl Serialize) -> String {
    // Serializing strings, numbers, lists and maps by strings to a string cannot fail.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// A case for each check of each operation; warnings do not fail it.
fn junit(outcome: &Outcome, again: Again<'_>) -> String {
    let mut cases = Vec::new();
    if !outcome.ended.is_whole() {
        cases.push(Case { name: "the campaign".into(), result: CaseResult::Error(report::ended(outcome)) });
    }
    let told = outcome.findings.iter().map(|finding| (finding.operation.as_str(), finding.check));
    let counted = outcome.checks.iter().flat_map(|(operation, checks)| {
        let said = checks.iter().filter(|(_, tally)| tally.passed + tally.failed > 0);
        said.map(|(check, _)| (operation.as_str(), *check))
    });
    let mut all: Vec<(&str, Check)> = counted.chain(told).collect();
    all.sort_unstable();
    all.dedup();
    for (operation, check) in all {
        let is_own = |finding: &&Finding| finding.operation == operation && finding.check == check;
        let (mut new, mut noted) = (Vec::new(), Vec::new());
        for finding in outcome.findings.iter().filter(is_own) {
            match (finding.is_known, finding.severity) {
                (true, _) => noted.push(format!("known before: {}", report::title(finding))),
                (false, Severity::Error) => new.extend(lines(finding, &outcome.target, again)),
                (false, Severity::Warning) => noted.extend(lines(finding, &outcome.target, again)),
            }
        }
        noted.extend(outcome.flaky.iter().filter(is_own).map(flaky_line));
        let result = match (new.is_empty(), noted.is_empty()) {
            (false, _) => CaseResult::Failed(new),
            (true, false) => CaseResult::Skipped(noted),
            (true, true) => CaseResult::Passed,
        };
        cases.push(Case { name: format!("{operation}: {check}"), result });
    }
    let suite =
        Suite { name: format!("standin fuzz {}", outcome.target), class: "standin.fuzz".into(), cases };
    suite.to_xml()
}

/// What there is to say of a finding, a line each.
fn lines(finding: &Finding, target: &str, again: Again<'_>) -> Vec<String> {
    let Finding { expected, found, source, basis, .. } = finding;
    vec![
        format!("{}: expected {expected}, but found {found}", report::title(finding)),
        format!("source: {source} ({basis})"),
        format!("request: {}", finding.label),
        format!("came back: {}", report::came_back(&finding.answer)),
        report::repeated(finding),
        format!("send it again: {}", again.command(finding, target)),
        report::curl(finding, target),
    ]
}

fn flaky_line(finding: &Finding) -> String {
    let Finding { failed, repeated, expected, found, .. } = finding;
    format!(
        "{}: failed {failed} of {repeated} times when it was repeated; expected {expected}, but found {found}",
        report::title(finding)
    )
}

/// What was found, for people: each finding with its command, what is flaky, and what is gone.
pub(super) fn findings_text(outcome: &Outcome, again: Again<'_>) -> String {
    let width = wrap::width();
    let mut text = String::new();
    for finding in &outcome.findings {
        let (style, word) = match (finding.is_known, finding.severity) {
            (true, _) => (style::NOTED, "known"),
            (false, Severity::Error) => (style::BAD, "FAILS"),
            (false, Severity::Warning) => (style::NOTED, "warns"),
        };
        let mut lines = lines(finding, &outcome.target, again).into_iter();
        let first = wrap::beside(&format!("{word}  "), &one_line(&lines.next().unwrap_or_default()), width);
        text += &first.replacen(word, &style::paint(style, word), 1);
        if finding.is_known {
            continue;
        }
        let command = lines.next_back().unwrap_or_default();
        for line in lines {
            text += &wrap::beside("       ", &one_line(&line), width);
        }
        // It is to be pasted as it stands.
        text.extend(["\n", &command, "\n\n"]);
    }
    for flaky in &outcome.flaky {
        let lines = wrap::beside("flaky  ", &one_line(&flaky_line(flaky)), width);
        text += &lines.replacen("flaky", &style::paint(style::NOTED, "flaky"), 1);
    }
    for gone in &outcome.gone {
        let lines = wrap::beside("gone   ", &one_line(&report::title(gone)), width);
        text += &lines.replacen("gone", &style::paint(style::GOOD, "gone"), 1);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{Ended, report::tests::outcome};

    const AGAIN: Again = Again { folder: "found", contract: None };

    #[test]
    fn build_servers_see_each_check_of_each_operation() {
        let mut outcome = outcome();
        let xml = junit(&outcome, AGAIN);
        assert!(xml.contains("tests=\"4\" failures=\"2\" errors=\"0\""), "{xml}");
        assert!(xml.contains("name=\"createAgent: mutant_refused\""), "{xml}");
        assert!(xml.contains("name=\"getAgent: never_5xx\"/>"), "{xml}");
        assert!(xml.contains("<skipped message=\"createAgent: never_5xx: failed 1 of 3 times"), "{xml}");
        assert!(xml.contains("--replay found/mutant_refused-"), "{xml}");

        outcome.findings.iter_mut().for_each(|finding| finding.is_known = true);
        for ended in [Ended::GaveUp { why: "nobody listens".into() }, Ended::Interrupted] {
            outcome.ended = ended;
            let xml = junit(&outcome, AGAIN);
            assert!(xml.contains("tests=\"5\" failures=\"0\" errors=\"1\""), "{xml}");
        }
    }

    #[test]
    fn people_see_what_was_sent_what_was_expected_and_how_to_see_it_again() {
        let mut outcome = outcome();
        outcome.gone.push(outcome.findings[0].clone());
        let text = anstream::adapter::strip_str(&findings_text(&outcome, AGAIN)).to_string();
        for needed in [
            "FAILS  createAgent: mutant_refused, `required` at /body/emailId: expected a status from 400 to 499, but found 200",
            "source: Create an agent › Body Parameters › emailId (pages)",
            "request: dropMember at /body/emailId",
            "came back: 200 OK",
            "failed 3 of 3 times; 12 requests in all failed so; seed 7",
            "send it again: standin fuzz http://127.0.0.1:8484/base --replay found/mutant_refused-",
            "\ncurl --path-as-is",
            "flaky  createAgent: never_5xx: failed 1 of 3 times",
            "gone   createAgent: mutant_refused",
        ] {
            assert!(text.contains(needed), "{needed} is not in\n{text}");
        }
    }
}
