//! `standin journal`.

use std::{io, path::PathBuf, sync::Arc};

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::{
    ContractSource, Error, Exit,
    error::{one_line, reason},
    output, style,
    table::Table,
    wrap,
};
use crate::{
    Exchange, Recorded, pact,
    render::{
        curl, har,
        ndjson::{self, Run},
        words,
    },
};

/// How many characters of a target a table shows.
const TARGET_WIDTH: usize = 72;
/// The longest line that is read, in bytes: an exchange with two bodies, which may be much larger than usual.
const MAX_LINE: u64 = 128 * 1024 * 1024;

/// Show an exported journal, convert it, or make a contract of it
///
/// FILE is what `serve --journal-file` or the control API's `export?format=ndjson` has written:
/// one exchange per line. What is missing in it is said on standard error.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  standin journal run.ndjson                         a table to look at
  standin journal run.ndjson --as har > run.har      for a browser's tools
  standin journal run.ndjson --as pact > client.json what was valid, as a pact
  curl -s localhost:8484/__standin/export | standin journal - --as curl")]
pub(super) struct Convert {
    /// The journal in ndjson; - is standard input
    file: PathBuf,

    /// What to print
    #[arg(long = "as", value_name = "FORMAT", default_value = "table", env = "STANDIN_JOURNAL_AS")]
    format: Format,

    /// Where the curl commands go to
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8484", env = "STANDIN_URL")]
    url: String,

    /// The name of the consumer in a pact
    #[arg(long, value_name = "NAME", default_value = pact::CONSUMER, env = "STANDIN_CONSUMER")]
    consumer: String,

    /// Which run of the server, when there are several in the file: its number, from 1 on, or last
    #[arg(long, value_name = "N", default_value = "last", value_parser = which, env = "STANDIN_RUN")]
    run: Which,

    #[command(flatten)]
    contract: ContractSource,
}

/// One of the runs in a file.
#[derive(Clone, Copy, Debug)]
enum Which {
    Last,
    Number(usize),
}

fn which(text: &str) -> Result<Which, String> {
    if text == "last" {
        return Ok(Which::Last);
    }
    let number = text.parse().ok().filter(|&number| number > 0);
    number.map(Which::Number).ok_or_else(|| "expected a number from 1 up, or last".to_owned())
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Aligned columns, for people
    Table,
    /// HAR 1.2, for a browser's developer tools
    Har,
    /// One curl command per exchange; the token is $STANDIN_TOKEN
    Curl,
    /// A contract in Pact's format, version 4
    Pact,
}

impl Convert {
    pub(super) fn run(&self) -> Result<Exit, Error> {
        let exchanges = self.exchanges()?;
        output::print(&match self.format {
            Format::Table => table(&exchanges).render(wrap::width()),
            Format::Har => format!("{:#}\n", har::log(&exchanges)),
            Format::Curl => exchanges.iter().fold(String::new(), |text, recorded| {
                text + &curl::command(recorded, self.url.trim_end_matches('/')) + "\n"
            }),
            Format::Pact => format!("{:#}\n", self.pact(&exchanges)?),
        })?;
        Ok(Exit::Fine)
    }

    fn pact(&self, exchanges: &[Arc<Recorded>]) -> Result<Value, Error> {
        let contract = self.contract.load()?;
        let mut traffic = pact::Traffic::new(&contract, &self.consumer);
        for recorded in exchanges {
            traffic.add(&recorded.exchange);
            if traffic.is_too_large() {
                return Err(Error::could_not_run(format!(
                    "expected shapes that fit into a pact of 8 MiB, but found more up to exchange {}; take a journal with fewer exchanges",
                    recorded.id
                )));
            }
        }
        let pact = traffic.pact();
        if pact["interactions"].as_array().is_some_and(Vec::is_empty) {
            output::say(style::NOTED, "the journal has no valid exchange, so the pact has no interaction");
        }
        Ok(pact)
    }

    fn exchanges(&self) -> Result<Vec<Arc<Recorded>>, Error> {
        let name = one_line(&output::name_of(&self.file));
        let unread = |error: &io::Error| {
            Error::could_not_run(format!(
                "cannot read {name}: {}; correct the name, or use - for standard input",
                reason(error)
            ))
        };
        let wrong = |why: &str| {
            Error::could_not_run(format!(
                "{name}, {}; expected a journal that standin has written",
                one_line(why)
            ))
        };
        let mut reader = ndjson::Reader::default();
        for (number, line) in (1..).zip(output::lines(&self.file, MAX_LINE).map_err(|error| unread(&error))?)
        {
            let line = line.map_err(|error| match error.kind() {
                io::ErrorKind::FileTooLarge => wrong(&format!("line {number}: {error}")),
                _ => unread(&error),
            })?;
            reader.line(&line).map_err(|error| wrong(&error.to_string()))?;
        }
        let mut runs = reader.finish();
        if runs.is_empty() {
            runs.push(Run::default());
        }
        let count = runs.len();
        let number = match self.run {
            Which::Last => count,
            Which::Number(number) if number <= count => number,
            Which::Number(number) => {
                return Err(Error::could_not_run(format!(
                    "{name}: expected a run from 1 to {count}, but found --run {number}"
                )));
            }
        };
        let run = runs.swap_remove(number - 1);
        for remark in remarks(&run, number, count) {
            output::say(style::NOTED, &format!("{name}: {}", one_line(&remark)));
        }
        Ok(run.exchanges.into_iter().map(Arc::new).collect())
    }
}

/// What is to be known about a run beside its exchanges.
fn remarks(run: &Run, number: usize, count: usize) -> Vec<String> {
    let mut remarks = Vec::new();
    if count > 1 {
        let since = run.name.as_ref().map_or_else(String::new, |name| format!(", of {name}"));
        remarks.push(format!("this is run {number} of {count}{since}; --run N shows another"));
    }
    if run.is_continued {
        remarks.push(
            "the beginning of this run was moved to the file of that name with .1 at its end".to_owned(),
        );
    }
    if run.dropped > 0 {
        remarks.push(format!("{} exchanges are missing: they could not be written in time", run.dropped));
    }
    for line in &run.unfinished {
        remarks
            .push(format!("line {line} is not finished, and left out: the server was ended while it wrote"));
    }
    remarks
}

fn table(exchanges: &[Arc<Recorded>]) -> Table {
    let mut table = Table::new([
        "no",
        "received",
        "method",
        "target",
        "status",
        "operation",
        "outcome",
        "delivery",
        "script",
        "first violation",
    ]);
    for recorded in exchanges {
        let exchange = &recorded.exchange;
        table.row([
            recorded.id.to_string(),
            format!("{:.3}", exchange.request.received),
            one_line(&exchange.request.method),
            shortened(&one_line(&exchange.request.target)),
            exchange.reply.status.to_string(),
            exchange.operation.as_deref().unwrap_or("-").to_owned(),
            word(&exchange.outcome()),
            word(&recorded.delivery.get()),
            exchange.scripted.as_deref().map(|scripted| one_line(&words(scripted))).unwrap_or_default(),
            first_violation(exchange).unwrap_or_default(),
        ]);
    }
    table
}

/// The first violation in words, and how many more there are.
fn first_violation(exchange: &Exchange) -> Option<String> {
    let (first, rest) = exchange.violations.split_first()?;
    let at_least = if exchange.more_violations { "at least " } else { "" };
    let more = match rest.len() {
        0 => String::new(),
        n => format!(" (and {at_least}{n} more)"),
    };
    Some(one_line(&format!("{first}{more}")))
}

/// The name of a value of one of the exchange's closed lists, as it stands in the journal.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn shortened(target: &str) -> String {
    match target.char_indices().nth(TARGET_WIDTH) {
        None => target.to_owned(),
        Some((end, _)) => format!("{}…", &target[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Delivery, DeliveryCell, Headers, Reply, Request, Rule, Step, Timing, Violation};

    #[test]
    fn the_table_has_a_line_per_exchange_and_nothing_a_terminal_acts_on() {
        let violation = Violation {
            pointer: "/body/emailId".into(),
            rule: Rule::Type,
            expected: "a string".into(),
            found: "`\u{1b}[31m`".into(),
            source: "Create an agent › Body Parameters › emailId".into(),
        };
        let refused = Recorded {
            id: 7,
            exchange: Exchange {
                request: Request::new("POST", "/".repeat(100)),
                reply: Reply { status: 412, headers: Headers::default(), body: "{}".into() },
                operation: Some("createAgent".into()),
                step: Step::Validate,
                violations: vec![violation.clone(), violation],
                more_violations: false,
                readings: Vec::new(),
                state: None,
                scripted: None,
            },
            redactions: Arc::new([]),
            timing: Timing::default(),
            delivery: DeliveryCell::new(Delivery::Sent),
        };
        let text = table(&[Arc::new(refused)]).render(None);
        let line = text.lines().nth(1).unwrap();
        assert_eq!(
            line.split_whitespace().take(8).collect::<Vec<_>>(),
            [
                "7",
                "1970-01-01T00:00:00.000Z",
                "POST",
                &("/".repeat(TARGET_WIDTH) + "…"),
                "412",
                "createAgent",
                "refused",
                "sent"
            ]
        );
        assert!(line.ends_with("/body/emailId: expected a string, but found `\\u{1b}[31m` (and 1 more)"));
    }
}
