//! `standin generate`.

use std::io::{self, BufWriter, Write};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{
    ContractSource, Error, Exit,
    check::find,
    error::{one_line, reason},
    output, suggested,
};
use crate::{
    Rule, near,
    payload::{Case, Generator},
    render::curl,
};

/// Print requests to try an implementation with, correct ones or ones with one fault each
///
/// Each line has the request and a label that says what must become of it. The same operation, seed
/// and count always give the same lines.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  standin generate createAgent --count 3
  standin generate updateAgent --mutants --rule enum --seed 7
  standin generate importDataV2 --as body > body.json
  standin generate createQueue --mutants --as curl | sh")]
pub(super) struct Generate {
    /// The operation, such as createAgent
    #[arg(value_parser = suggested::operation())]
    operation: String,

    /// How many
    #[arg(long, value_name = "N", default_value = "10", value_parser = count, env = "STANDIN_COUNT")]
    count: u64,

    /// Another seed gives other requests
    #[arg(long, value_name = "S", default_value_t = 0, env = "STANDIN_SEED")]
    seed: u64,

    /// Requests with one change each; most of them must be refused, and the label says which
    #[arg(long, env = "STANDIN_MUTANTS")]
    mutants: bool,

    /// Only mutants that break this rule, such as required
    #[arg(long, value_name = "RULE", requires = "mutants", value_parser = suggested::rule(), env = "STANDIN_RULE")]
    rule: Option<String>,

    /// What to print
    #[arg(long = "as", value_name = "FORMAT", default_value = "ndjson", env = "STANDIN_GENERATE_AS")]
    format: Format,

    #[command(flatten)]
    contract: ContractSource,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One JSON object per line, with request and label
    Ndjson,
    /// The bodies alone
    Body,
    /// Commands that send the requests to http://127.0.0.1:8484
    Curl,
}

impl Generate {
    pub(super) fn run(&self) -> Result<Exit, Error> {
        let contract = self.contract.load()?;
        let mut generator = Generator::new(find(&contract, &self.operation)?);
        if let Some(rule) = &self.rule {
            generator = narrowed(&generator, rule)?;
        }
        let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        let mut skipped = Skipped::default();
        match self.write(&generator, &mut out, &mut skipped).and_then(|()| out.flush()) {
            // A reader that went away, such as `head`, has what it wanted.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                return Err(Error::could_not_run(format!(
                    "cannot write to standard output: {}",
                    reason(&error)
                )));
            }
            _ => {}
        }
        skipped.tell();
        Ok(Exit::Fine)
    }

    fn write(&self, generator: &Generator, out: &mut impl Write, skipped: &mut Skipped) -> io::Result<()> {
        for index in 0..self.count {
            let case = if self.mutants {
                generator.mutant_at(self.seed, index)
            } else {
                generator.valid_at(self.seed, index)
            };
            let Some(case) = case else {
                skipped.unproved += 1;
                continue;
            };
            match self.format {
                Format::Body => {
                    out.write_all(&case.request.body)?;
                    out.write_all(b"\n")?;
                }
                Format::Curl if curl::can_send(&case.request) => {
                    let title = format!("{} {} {index}: {}", case.operation, self.seed, case.label);
                    let headers = case.headers().map(|(name, value)| (name, curl::HeaderValue::Sent(value)));
                    let command = curl::to_send(&case.request, headers, ADDRESS, " -sS --http1.1");
                    writeln!(out, "{}\n{command}", curl::note(&one_line(&title)))?;
                }
                Format::Curl => skipped.unsendable += 1,
                Format::Ndjson => writeln!(out, "{}", line(&case, self.seed, index))?,
            }
        }
        Ok(())
    }
}

/// Where the commands send the requests.
const ADDRESS: &str = "http://127.0.0.1:8484";

/// What was left out, and why.
#[derive(Default)]
struct Skipped {
    unproved: u64,
    unsendable: u64,
}

impl Skipped {
    fn tell(&self) {
        if self.unsendable > 0 {
            output::complain(&format!("standin: {} left out: curl cannot send them", self.unsendable));
        }
        if self.unproved > 0 {
            output::complain(&format!(
                "standin: {} left out: their labels could not be proved",
                self.unproved
            ));
        }
    }
}

fn count(text: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| format!("expected a whole number from 1, but found `{}`", one_line(text)))
}

/// The generator for one rule; when no mutant breaks it, the error names those that some break.
fn narrowed(generator: &Generator, name: &str) -> Result<Generator, Error> {
    let rule = Rule::ALL.into_iter().find(|rule| rule.name() == name);
    rule.and_then(|rule| generator.breaking(rule)).ok_or_else(|| {
        let rules: Vec<_> = generator.rules().into_iter().map(Rule::name).collect();
        Error::usage(format!(
            "no mutant of {} breaks the rule `{}`{}; the rules are {}",
            generator.operation(),
            one_line(name),
            near::hint(name, rules.iter().copied()),
            rules.join(", ")
        ))
    })
}

/// A case as one line of JSON.
fn line(case: &Case, seed: u64, index: u64) -> String {
    let line = document(case, seed, index).to_string();
    // JSON allows these within strings, and some readers take them for ends of lines.
    if line.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        let line = line.replace('\u{85}', "\\u0085");
        return line.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    }
    line
}

fn document(case: &Case, seed: u64, index: u64) -> Value {
    let headers: Vec<_> =
        case.headers().map(|(name, value)| json!([name, String::from_utf8_lossy(value)])).collect();
    json!({
        "operation": &*case.operation,
        "seed": seed,
        "index": index,
        "request": {
            "method": case.request.method,
            "target": case.request.target,
            "headers": headers,
            "body": body(&case.request.body),
        },
        "label": case.label,
        "wire": case.wire,
    })
}

/// The body in the form that is easiest to read and keeps every byte.
fn body(bytes: &[u8]) -> Value {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return json!({"base64": BASE64_STANDARD.encode(bytes)});
    };
    let value = serde_json::from_str(text).unwrap_or(Value::Null);
    let again = serde_json::to_string(&value).unwrap_or_default();
    if again == text { json!({"json": value}) } else { json!({"text": text}) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_keeps_every_byte() {
        assert_eq!(body(br#"{"a":[1]}"#), json!({"json": {"a": [1]}}));
        assert_eq!(body(br#"{"a":1,"a":2}"#), json!({"text": "{\"a\":1,\"a\":2}"}));
        assert_eq!(body(b"[1.0,1e2]"), json!({"text": "[1.0,1e2]"}));
        assert_eq!(body(b"\xff"), json!({"base64": "/w=="}));
    }

    #[test]
    fn a_count_is_at_least_one() {
        assert_eq!(count("0"), Err("expected a whole number from 1, but found `0`".into()));
        assert_eq!(count("x"), Err("expected a whole number from 1, but found `x`".into()));
        assert_eq!(count("7"), Ok(7));
    }
}
