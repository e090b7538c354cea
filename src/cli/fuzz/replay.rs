//! `standin fuzz --replay FILE`.

use std::path::Path;

use super::super::{Error, Exit, error::one_line, output, style, wrap};
use crate::{
    Rule,
    campaign::{self, Baseline, Finding, Options, Replayed, report},
    payload::Label,
};

/// The findings of a file, of which there is one at least.
pub(super) fn findings(file: &Path) -> Result<Vec<Finding>, Error> {
    let findings = Baseline::load(file)?.findings;
    if findings.is_empty() {
        let file = one_line(&file.display().to_string());
        return Err(Error::could_not_run(format!("there is no finding in {file}")));
    }
    Ok(findings)
}

/// Whether a finding is about a method that the path does not have.
pub(super) fn breaks_method(finding: &Finding) -> bool {
    matches!(finding.label, Label::Mutant { rule: Some(Rule::Method), .. })
}

/// Sends findings again, and says what has become of each.
pub(super) fn run(url: &str, findings: &[Finding], options: &Options) -> Result<Exit, Error> {
    let replayed = campaign::replay(url, findings, options)?;
    let width = wrap::width();
    for (finding, replayed) in findings.iter().zip(&replayed) {
        let title = report::title(finding);
        let (style, word, line) = match replayed {
            Replayed::Fixed => (style::GOOD, "fixed", title),
            Replayed::StillFailing { expected, found } => {
                (style::BAD, "FAILS", format!("{title}: expected {expected}, but found {found}"))
            }
            Replayed::CannotTell { why } => (style::NOTED, "cannot tell", format!("{title}: {why}")),
        };
        let lines = wrap::beside(&format!("{word}  "), &one_line(&line), width);
        output::print_painted(&lines.replacen(word, &style::paint(style, word), 1))?;
    }
    Ok(exit(&replayed))
}

/// Still failing counts more than not knowing.
fn exit(replayed: &[Replayed]) -> Exit {
    let is = |test: fn(&Replayed) -> bool| replayed.iter().any(test);
    if is(|replayed| matches!(replayed, Replayed::StillFailing { .. })) {
        Exit::Findings
    } else if is(|replayed| matches!(replayed, Replayed::CannotTell { .. })) {
        Exit::CouldNotRun
    } else {
        Exit::Fine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_still_fails_counts_more_than_what_nobody_can_tell() {
        let fails = || Replayed::StillFailing { expected: "a".into(), found: "b".into() };
        let unknown = || Replayed::CannotTell { why: "c".into() };
        for (replayed, expected) in [
            (vec![Replayed::Fixed], Exit::Fine),
            (vec![Replayed::Fixed, unknown()], Exit::CouldNotRun),
            (vec![unknown(), fails(), Replayed::Fixed], Exit::Findings),
        ] {
            assert_eq!(exit(&replayed), expected);
        }
    }
}
