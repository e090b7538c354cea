//! Findings in files: to send them again, and to know them when they are found again.

use std::{collections::BTreeSet, path::Path};

use serde::{Deserialize, Serialize};

use super::{CampaignError, Check, Finding, Outcome, Place, TriedOutcome, TriedRule};
use crate::bounded;

/// Findings that were made before: a file of one of them, or the whole outcome of a campaign in JSON.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Baseline {
    /// The findings.
    pub findings: Vec<Finding>,
}

impl Baseline {
    /// Reads a file: what `standin fuzz` writes for each finding, or its `--report json=FILE`.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is larger than 64 MiB, or is not such a file; then the error says where.
    pub fn load(file: &Path) -> Result<Self, CampaignError> {
        let wrong = |why: String| {
            CampaignError::CouldNotRun(format!("cannot use the findings in {}: {why}", file.display()))
        };
        let text = bounded::file(file, LARGEST).map_err(|error| wrong(error.to_string()))?;
        let mut reader = serde_json::Deserializer::from_slice(&text);
        serde_path_to_error::deserialize(&mut reader)
            .map_err(|error| wrong(format!("expected a report of `standin fuzz` in JSON, but found {error}")))
    }

    /// Marks the findings of an outcome that are known, and adds those that are gone. What this campaign did not look for
    /// is neither.
    pub fn compare(&self, outcome: &mut Outcome) {
        let now: BTreeSet<_> = outcome.findings.iter().map(|finding| finding.fingerprint.clone()).collect();
        let before: BTreeSet<_> = self.findings.iter().map(|finding| &finding.fingerprint).collect();
        for finding in &mut outcome.findings {
            finding.is_known = before.contains(&finding.fingerprint);
        }
        let is_gone =
            |finding: &&Finding| !now.contains(&finding.fingerprint) && was_looked_for(finding, outcome);
        outcome.gone = self.findings.iter().filter(is_gone).cloned().collect();
    }
}

/// Whether a campaign would have found it: it came to its end, the check had something to say of the operation, and all
/// that there is for its place was tried, and refused where it must be.
fn was_looked_for(finding: &Finding, outcome: &Outcome) -> bool {
    let tally = outcome.checks.get(&finding.operation).and_then(|checks| checks.get(&finding.check));
    let has_failed_again = outcome.flaky.iter().any(|flaky| flaky.fingerprint == finding.fingerprint);
    let Place { rule, pointer } = &finding.place;
    let is_there = |tried: &&TriedRule| {
        tried.operation == finding.operation
            && tried.rule == *rule
            && tried.pointer == *pointer
            && tried.outcome != TriedOutcome::Unproved
    };
    let must_be_refused =
        matches!(finding.check, Check::MethodRefused | Check::MutantRefused | Check::TokenEnforced);
    let is_enough = |tried: &TriedRule| match tried.outcome {
        TriedOutcome::Refused => true,
        TriedOutcome::Accepted | TriedOutcome::Other => !must_be_refused,
        TriedOutcome::NotTried | TriedOutcome::Unproved => false,
    };
    let mut tried = outcome.rules.iter().filter(is_there).peekable();
    let has_place = rule.is_some() || !pointer.is_empty() && !pointer.starts_with("/reply");
    let was_tried = !has_place || tried.peek().is_some() && tried.all(is_enough);
    outcome.ended.is_whole()
        && was_tried
        && !has_failed_again
        && tally.is_some_and(|tally| tally.passed + tally.failed > 0)
}

impl Finding {
    /// The name of its file in a folder of findings.
    pub fn file_name(&self) -> String {
        format!("{}-{}.json", self.check, self.fingerprint)
    }

    /// The text of that file, which `standin fuzz --replay` and [`Baseline::load`] read.
    pub fn to_file(&self) -> String {
        #[derive(Serialize)]
        struct File<'a> {
            findings: [&'a Finding; 1],
        }
        // Serializing strings, numbers and lists to a string cannot fail.
        serde_json::to_string_pretty(&File { findings: [self] }).unwrap_or_default() + "\n"
    }
}

/// The largest file of findings that is read, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Rule,
        campaign::{Ended, report::tests::outcome},
    };

    #[test]
    fn what_is_known_is_marked_and_what_is_gone_is_told() {
        let before = outcome();
        let [first, second] = &before.findings[..] else { panic!("two findings") };
        let mut other = second.clone();
        other.fingerprint = "0000000000000000".into();
        let mut elsewhere = other.clone();
        elsewhere.operation = "notTried".into();
        elsewhere.fingerprint = "1111111111111111".into();
        // A rule that was tried there, and one that was not.
        let mut tried = first.clone();
        tried.fingerprint = "2222222222222222".into();
        let mut not_tried = tried.clone();
        not_tried.fingerprint = "3333333333333333".into();
        not_tried.place.rule = Some(Rule::Type);
        let findings = vec![first.clone(), other.clone(), elsewhere, tried.clone(), not_tried];
        let baseline = Baseline { findings };

        let mut outcome = outcome();
        baseline.compare(&mut outcome);
        assert_eq!(outcome.gone, [other.clone()], "something was accepted there");

        outcome.rules[0].outcome = TriedOutcome::NotTried;
        baseline.compare(&mut outcome);
        assert_eq!(outcome.gone, [other.clone()], "something was not tried there");

        outcome.rules[0].outcome = TriedOutcome::Refused;
        baseline.compare(&mut outcome);
        assert_eq!(
            outcome.findings.iter().map(|finding| finding.is_known).collect::<Vec<_>>(),
            [true, false]
        );
        assert_eq!(outcome.gone, [other, tried]);

        outcome.ended = Ended::Interrupted;
        baseline.compare(&mut outcome);
        assert_eq!(outcome.gone, []);
    }

    #[test]
    fn a_finding_and_an_outcome_are_read_back_and_other_files_are_refused() {
        let folder = std::env::temp_dir().join(format!("standin-baseline-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let load = |text: String| {
            let file = folder.join("file.json");
            std::fs::write(&file, text).unwrap();
            Baseline::load(&file)
        };
        let outcome = outcome();
        let one = load(outcome.findings[0].to_file()).unwrap();
        assert_eq!(one.findings, outcome.findings[..1]);
        let all = load(serde_json::to_string(&outcome).unwrap()).unwrap();
        assert_eq!(all.findings, outcome.findings);
        for (text, place) in [
            ("", "EOF"),
            ("[]", "expected"),
            (r#"{"findings":[{"check":"never_5xx"}]}"#, "findings[0]"),
            (r#"{"findings":[{"check":"nix"}]}"#, "findings[0].check"),
        ] {
            let error = load(text.into()).unwrap_err().to_string();
            assert!(
                error.contains("expected a report of `standin fuzz`") && error.contains(place),
                "{error}"
            );
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
