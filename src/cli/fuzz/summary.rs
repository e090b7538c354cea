//! What came of a campaign, for people: operations by what the checks say, rules by what became of them.

use std::{collections::BTreeMap, fmt::Write as _};

use super::super::{error::one_line, style, table::Table, wrap};
use crate::{
    Rule,
    campaign::{Check, Ended, Finding, Outcome, Severity, TakenReading, TriedOutcome},
    counted::counted,
};

/// The summary.
pub(super) fn text(outcome: &Outcome) -> String {
    let width = wrap::width();
    let mut text = String::new();
    let mut section = |title: &str, table: &Table| {
        if !table.is_empty() {
            let _ = writeln!(text, "{}\n{}", style::paint(style::HEADING, title), table.render(width));
        }
    };
    section("Operations", &operations(outcome));
    section("Rules", &rules(outcome));
    section("Other readings of the documentation that this server takes", &readings(outcome));
    for note in &outcome.notes {
        text += &wrap::beside("note: ", &one_line(note), width);
    }
    text += &wrap::beside("", &one_line(&last_line(outcome)), width);
    text
}

fn operations(outcome: &Outcome) -> Table {
    let mut table = Table::new(["operation", "passed", "failed", "silent", "checks that failed"]);
    for (operation, checks) in &outcome.checks {
        let sum = |of: fn(&crate::campaign::Tally) -> u64| checks.values().map(of).sum::<u64>();
        let failed: Vec<&str> = checks
            .iter()
            .filter(|(_, tally)| tally.failed > 0)
            .map(|(check, _)| Check::name(*check))
            .collect();
        table.row([
            one_line(operation),
            sum(|tally| tally.passed).to_string(),
            sum(|tally| tally.failed).to_string(),
            sum(|tally| tally.silent).to_string(),
            failed.join(", "),
        ]);
    }
    table
}

fn rules(outcome: &Outcome) -> Table {
    let mut counts: BTreeMap<&str, [usize; 5]> = BTreeMap::new();
    for tried in &outcome.rules {
        let column = match tried.outcome {
            TriedOutcome::Refused => 0,
            TriedOutcome::Accepted => 1,
            TriedOutcome::Other => 2,
            TriedOutcome::NotTried => 3,
            TriedOutcome::Unproved => 4,
        };
        counts.entry(tried.rule.map_or("still valid", Rule::name)).or_default()[column] += 1;
    }
    let mut table = Table::new(["rule", "places", "refused", "accepted", "other", "not tried", "not proved"]);
    for (rule, counts) in counts {
        let shown = |count: usize| if count == 0 { String::new() } else { count.to_string() };
        let [refused, accepted, other, not_tried, unproved] = counts.map(shown);
        let places = counts.iter().sum::<usize>().to_string();
        table.row([rule.to_owned(), places, refused, accepted, other, not_tried, unproved]);
    }
    table
}

fn readings(outcome: &Outcome) -> Table {
    let mut table = Table::new(["ledger", "about", "evidence"]);
    for reading in outcome.readings.iter().filter(|reading| reading.takes == TakenReading::Other) {
        table.row([one_line(&reading.ledger), one_line(&reading.title), one_line(&reading.evidence)]);
    }
    table
}

fn last_line(outcome: &Outcome) -> String {
    let (tried, all) = outcome.tried();
    let why = match &outcome.ended {
        Ended::Budget | Ended::Exhausted => String::new(),
        Ended::GaveUp { why } => format!("; given up: {why}"),
        Ended::Interrupted => "; interrupted".into(),
    };
    let new = |severity| {
        let is_new = |finding: &&Finding| !finding.is_known && finding.severity == severity;
        outcome.findings.iter().filter(is_new).count()
    };
    let (errors, warnings) = (new(Severity::Error), new(Severity::Warning));
    let known = match outcome.findings.len() - errors - warnings {
        0 => String::new(),
        known => format!(", {known} known before"),
    };
    let created = &outcome.created;
    let left = created.left.len();
    let made = if created.made == 0 {
        String::new()
    } else if left == 0 {
        format!(", {} made, none left", counted(created.made, "thing"))
    } else {
        format!(", {} made, {left} left", counted(created.made, "thing"))
    };
    format!(
        "{tried} of {all} rules at their places tried, {} in {:.1} s{made}; {}, {}{known}, {} flaky; seed {}{why}",
        counted(outcome.sent, "request"),
        outcome.micros.as_secs_f64(),
        counted(errors, "error"),
        counted(warnings, "warning"),
        outcome.flaky.len(),
        outcome.seed,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::report::tests::outcome;

    #[test]
    fn errors_warnings_and_what_is_known_are_counted_apart() {
        let mut outcome = outcome();
        let all = "2 errors, 0 warnings, 1 flaky; seed 7";
        assert!(last_line(&outcome).ends_with(all), "{}", last_line(&outcome));
        outcome.findings[0].is_known = true;
        outcome.findings[1].severity = Severity::Warning;
        let apart = "0 errors, 1 warning, 1 known before, 1 flaky; seed 7";
        assert!(last_line(&outcome).ends_with(apart), "{}", last_line(&outcome));
    }
}
