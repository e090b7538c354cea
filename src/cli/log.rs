//! The lines on standard error while the server runs.
//!
//! They are written by a thread of their own: whoever starts the server and does not read its standard error
//! must not be able to stop it. Lines that the reader is too slow for are counted and left out.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use clap::ValueEnum;
use serde_json::json;

use super::{error::one_line, journal::word, output};
use crate::{Exchange, Recorded};

/// How many lines may wait for the reader of standard error.
const WAITING: usize = 4096;

/// How long the end of the program waits for the reader of standard error.
const LAST_LINES: Duration = Duration::from_millis(500);

/// How lines are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Format {
    /// Sentences for people
    Text,
    /// One JSON object per line, for programs
    Json,
}

enum Line {
    End,
    Exchange(Arc<Recorded>),
    Warning(String),
}

/// Takes lines from any thread, at once.
#[derive(Clone)]
pub(super) struct Log {
    lines: SyncSender<Line>,
    lost: Arc<AtomicU64>,
}

/// The thread that writes; [`Writer::finish`] waits for it.
pub(super) struct Writer {
    done: Receiver<()>,
}

/// Starts the writing thread.
pub(super) fn start(format: Format) -> (Log, Writer) {
    let (lines, waiting) = sync_channel(WAITING);
    let (finished, done) = sync_channel(1);
    let lost = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&lost);
    thread::spawn(move || {
        for line in waiting.iter().take_while(|line| !matches!(line, Line::End)) {
            output::complain(&render(&line, format));
            let lost = counter.swap(0, Ordering::Relaxed);
            if lost > 0 {
                let line = Line::Warning(format!(
                    "{lost} lines are left out here, because standard error was not read fast enough"
                ));
                output::complain(&render(&line, format));
            }
        }
        let _ = finished.send(());
    });
    (Log { lines, lost }, Writer { done })
}

impl Log {
    /// The line of an exchange.
    pub(super) fn exchange(&self, recorded: &Arc<Recorded>) {
        self.send(Line::Exchange(Arc::clone(recorded)));
    }

    /// Something that whoever runs the server should know.
    pub(super) fn warn(&self, message: impl Into<String>) {
        self.send(Line::Warning(message.into()));
    }

    fn send(&self, line: Line) {
        if self.lines.try_send(line).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Writer {
    /// Waits, not for long, until every line of `log` is written.
    pub(super) fn finish(self, log: &Log) {
        log.send(Line::End);
        let _ = self.done.recv_timeout(LAST_LINES);
    }
}

/// The first violation of an exchange in words, and how many more there are.
pub(super) fn first_violation(exchange: &Exchange) -> Option<String> {
    let (first, rest) = exchange.violations.split_first()?;
    let at_least = if exchange.more_violations {
        "at least "
    } else {
        ""
    };
    let more = match rest.len() {
        0 => String::new(),
        n => format!(" (and {at_least}{n} more)"),
    };
    Some(one_line(&format!("{first}{more}")))
}

fn render(line: &Line, format: Format) -> String {
    match (line, format) {
        (Line::End, _) => String::new(),
        (Line::Warning(message), Format::Text) => format!("warning: {}", one_line(message)),
        (Line::Warning(message), Format::Json) => {
            json!({"event": "warning", "message": message}).to_string()
        }
        (Line::Exchange(recorded), Format::Text) => {
            let exchange = &recorded.exchange;
            let violation = first_violation(exchange)
                .map(|violation| format!(" {violation}"))
                .unwrap_or_default();
            format!(
                "{} {} {} {}{violation}",
                recorded.id,
                one_line(&exchange.request.method),
                one_line(&exchange.request.target),
                exchange.reply.status,
            )
        }
        (Line::Exchange(recorded), Format::Json) => {
            let exchange = &recorded.exchange;
            json!({
                "event": "exchange",
                "id": recorded.id,
                "method": exchange.request.method,
                "target": exchange.request.target,
                "status": exchange.reply.status,
                "operation": exchange.operation.as_deref(),
                "outcome": word(&exchange.outcome()),
                "violation": first_violation(exchange),
            })
            .to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Delivery, DeliveryCell, Headers, Reply, Request, Rule, Step, Violation};

    fn refused() -> Arc<Recorded> {
        let violation = Violation {
            pointer: "/body/emailId".into(),
            rule: Rule::Required,
            expected: "a string".into(),
            found: "nothing\nat all".into(),
            source: "Create an agent › Body Parameters › emailId".into(),
        };
        Arc::new(Recorded {
            id: 7,
            exchange: Exchange {
                request: Request::new("POST", "/agents"),
                reply: Reply {
                    status: 412,
                    headers: Headers::default(),
                    body: "{}".into(),
                },
                operation: Some("createAgent".into()),
                step: Step::Validate,
                violations: vec![violation.clone(), violation],
                more_violations: true,
                readings: Vec::new(),
            },
            delivery: DeliveryCell::new(Delivery::Pending),
        })
    }

    #[test]
    fn an_exchange_is_one_line() {
        assert_eq!(
            render(&Line::Exchange(refused()), Format::Text),
            "7 POST /agents 412 /body/emailId: expected a string, but found nothing\\nat all (and at least 1 more)"
        );
    }

    #[test]
    fn an_exchange_is_one_json_object() {
        let line = render(&Line::Exchange(refused()), Format::Json);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["event"], "exchange");
        assert_eq!(value["status"], 412);
        assert_eq!(value["outcome"], "refused");
        assert!(!line.contains('\n'));
    }

    #[test]
    fn a_log_that_nobody_reads_stops_nobody() {
        let (lines, _waiting) = sync_channel(1);
        let log = Log {
            lines,
            lost: Arc::default(),
        };
        for _ in 0..5 {
            log.exchange(&refused());
        }
        assert_eq!(log.lost.load(Ordering::Relaxed), 4);
    }
}
