//! How far a campaign is: a bar on a terminal, a line now and then elsewhere.

use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::{error::one_line, output, style};
use crate::{
    campaign::{self, Finding, Observer},
    counted::counted,
};

/// How often a line is written.
const LINE: Duration = Duration::from_secs(10);
/// How often the bar is drawn.
const BAR: Duration = Duration::from_millis(100);

/// Shows how far a campaign is.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    start: Instant,
    /// How long it may take, when that is limited.
    time: Option<Duration>,
    shown: Instant,
}

impl Progress {
    pub(super) fn new(time: Option<Duration>) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            let template = "{bar:24} {msg}";
            bar.set_style(
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar
        });
        let now = Instant::now();
        Self { bar, start: now, time, shown: now }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn say(&self, say: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }
}

impl Observer for Progress {
    fn found(&mut self, finding: &Finding) {
        let line = format!(
            "{} at {}: expected {}, but found {}",
            finding.check, finding.operation, finding.expected, finding.found
        );
        self.say(|| output::say(style::BAD, &one_line(&line)));
    }

    fn progressed(&mut self, progress: &campaign::Progress) {
        let every = if self.bar.is_some() { BAR } else { LINE };
        if self.shown.elapsed() < every {
            return;
        }
        self.shown = Instant::now();
        let text = line(progress, self.start.elapsed(), self.time);
        match &self.bar {
            Some(bar) => {
                let (done, all) = match progress.budget {
                    Some(budget) => (progress.cases, budget),
                    None => (progress.places, progress.all_places),
                };
                bar.set_length(all);
                bar.set_position(done);
                bar.set_message(text);
            }
            None => output::say(style::NOTED, &text),
        }
    }

    fn noted(&mut self, note: &str) {
        self.say(|| output::say(style::NOTED, &one_line(note)));
    }
}

/// How far it is, in words.
fn line(progress: &campaign::Progress, elapsed: Duration, time: Option<Duration>) -> String {
    let campaign::Progress { operations, all_operations, places, all_places, sent, cases, budget, findings } =
        *progress;
    let elapsed_s = elapsed.as_secs_f64().max(0.001);
    #[allow(clippy::cast_precision_loss)] // far below 2^53
    let (sent_f, cases_f, budget_f) = (sent as f64, cases as f64, budget.map(|budget| budget as f64));
    let by_cases = budget_f.map(|budget| (budget - cases_f).max(0.0) * elapsed_s / cases_f.max(1.0));
    let by_time = time.map(|time| time.saturating_sub(elapsed).as_secs_f64());
    let left = by_cases.into_iter().chain(by_time).min_by(f64::total_cmp);
    let left =
        left.filter(|left| *left < 1e6).map_or(String::new(), |left| format!(", about {left:.0} s left"));
    format!(
        "{operations} of {all_operations} operations, {places} of {all_places} places, {}, {:.0}/s, {}{left}",
        counted(sent, "request"),
        sent_f / elapsed_s,
        counted(findings, "finding"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is() {
        let progress = campaign::Progress {
            operations: 1,
            all_operations: 2,
            places: 30,
            all_places: 60,
            sent: 100,
            cases: 50,
            budget: Some(150),
            findings: 4,
        };
        let line = |time| line(&progress, Duration::from_secs(10), time);
        let start = "1 of 2 operations, 30 of 60 places, 100 requests, 10/s, 4 findings";
        assert_eq!(line(None), format!("{start}, about 20 s left"));
        assert_eq!(line(Some(Duration::from_secs(12))), format!("{start}, about 2 s left"));
    }
}
