//! `standin check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{
    ContractSource, Error, Exit,
    error::{one_line, reason},
    junit::{Case, CaseResult, Suite},
    output,
    report_file::{self, ReportFile, ReportKind},
    style, suggested, wrap,
};
use crate::{BodyCheck, Contract, Operation, check_body, near};

/// Check payload files against the contract
///
/// Each file is taken as the body of a request to OPERATION. Every violation of every file is
/// reported, with its place, the rule in words and the documentation's page and row.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  standin check createAgent agent.json
  standin check importDataV2 exports/*.json --as json
  jq .agent dump.json | standin check updateAgent - --report junit=check.xml

Exit codes: 0 every file keeps to the contract, 1 some do not, 2 wrong usage, 3 a file could not be read.")]
pub(super) struct Check {
    /// The operation that the bodies are for, such as createAgent
    #[arg(value_parser = suggested::operation())]
    operation: String,

    /// Files that hold one body each; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// How to print the result
    #[arg(long = "as", value_name = "FORMAT", default_value = "text", env = "STANDIN_CHECK_AS")]
    format: Format,

    /// Write a report as well: junit=FILE
    #[arg(long, value_name = "junit=FILE", env = "STANDIN_CHECK_REPORT")]
    report: Option<ReportFile<Junit>>,

    #[command(flatten)]
    contract: ContractSource,
}

/// The largest file that is read, in bytes; no server takes a body like that.
const MAX_FILE: u64 = 16 * 1024 * 1024;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A line per violation
    Text,
    /// One document
    Json,
}

/// The kind of report on files.
#[derive(Clone, Copy, Debug)]
struct Junit;

impl ReportKind for Junit {
    const NAMES: &'static [(&'static str, Self)] = &[("junit", Self)];
}

/// A file and what came of it: the check, or why it could not be read.
struct Checked {
    name: String,
    result: Result<BodyCheck, String>,
}

impl Check {
    pub(super) fn run(&self) -> Result<Exit, Error> {
        let contract = self.contract.load()?;
        let operation = find(&contract, &self.operation)?;
        output::check_stdin(&self.files)?;
        let reports = report_file::targets(&self.report)?;
        let checked: Vec<_> = self
            .files
            .iter()
            .map(|file| Checked {
                name: output::name_of(file),
                result: output::read(file, MAX_FILE)
                    .map(|body| check_body(operation, &body))
                    .map_err(|error| reason(&error)),
            })
            .collect();

        match self.format {
            Format::Text => output::print_painted(&text(&checked, wrap::width()))?,
            Format::Json => output::print(&format!("{:#}\n", document(operation, &checked)))?,
        }
        for (Junit, report) in reports {
            report.write([suite(operation, &checked).to_xml()])?;
        }
        exit(&checked)
    }
}

/// The operation of that name; when there is none, the error names those there are.
pub(super) fn find<'a>(contract: &'a Contract, name: &str) -> Result<&'a Operation, Error> {
    contract.operation(name).ok_or_else(|| {
        let names: Vec<_> = contract.operations().iter().map(|operation| &*operation.id).collect();
        let hint = near::hint(name, names.iter().copied());
        Error::usage(format!(
            "there is no operation `{}`{hint}; the operations are {}",
            one_line(name),
            names.join(", ")
        ))
    })
}

/// A file that could not be read weighs more than violations in another.
fn exit(checked: &[Checked]) -> Result<Exit, Error> {
    let unread: Vec<_> =
        checked.iter().filter_map(|file| Some((&file.name, file.result.as_ref().err()?))).collect();
    if let [(name, reason), rest @ ..] = unread.as_slice() {
        let more = match rest.len() {
            0 => String::new(),
            n => format!(" (and {n} more)"),
        };
        return Err(Error::could_not_run(format!(
            "cannot read {}: {reason}{more}; correct the name, or use - for standard input",
            one_line(name)
        )));
    }
    let found =
        checked.iter().any(|file| file.result.as_ref().is_ok_and(|check| !check.violations.is_empty()));
    Ok(if found { Exit::Findings } else { Exit::Fine })
}

/// A line for each thing to say; below its file's name where it would be longer than `width`.
fn text(checked: &[Checked], width: Option<usize>) -> String {
    let mut lines = Vec::new();
    for Checked { name, result } in checked {
        match result {
            Err(reason) => lines.push((style::BAD, name, format!("not read: {reason}"))),
            Ok(check) => {
                if check.violations.is_empty() {
                    lines.push((style::GOOD, name, "ok".to_owned()));
                }
                for violation in &check.violations {
                    lines.push((style::BAD, name, format!("{violation} [{}]", violation.source)));
                }
                if check.more_violations {
                    let listed = check.violations.len();
                    lines.push((style::BAD, name, format!("only the first {listed} violations are listed")));
                }
                for reading in &check.readings {
                    let note = format!("note: {}: {} [{}]", reading.pointer, reading.note, reading.ledger);
                    lines.push((style::NOTED, name, note));
                }
            }
        }
    }
    lines.iter().fold(String::new(), |text, (style, name, line)| {
        let (name, line) = (one_line(&format!("{name}:")), one_line(line));
        let fits = width.is_none_or(|width| name.chars().count() + 1 + line.chars().count() <= width);
        let line =
            if fits { format!(" {line}\n") } else { "\n".to_owned() + &wrap::beside("    ", &line, width) };
        text + &style::paint(*style, &name) + &line
    })
}

fn document(operation: &Operation, checked: &[Checked]) -> Value {
    let files: Vec<_> = checked
        .iter()
        .map(|Checked { name, result }| match result {
            Err(reason) => json!({"file": name, "verdict": "unread", "reason": reason}),
            Ok(check) => {
                let violations: Vec<_> = check
                    .violations
                    .iter()
                    .map(|violation| {
                        json!({
                            "pointer": violation.pointer,
                            "rule": violation.rule,
                            "message": violation.message(),
                            "expected": violation.expected,
                            "found": violation.found,
                            "source": violation.source,
                        })
                    })
                    .collect();
                json!({
                    "file": name,
                    "verdict": if violations.is_empty() { "valid" } else { "invalid" },
                    "violations": violations,
                    "moreViolations": check.more_violations,
                    "readings": check.readings,
                })
            }
        })
        .collect();
    json!({"operation": &*operation.id, "files": files})
}

fn suite(operation: &Operation, checked: &[Checked]) -> Suite {
    Suite {
        name: format!("standin check {}", operation.id),
        class: operation.id.to_string(),
        cases: checked
            .iter()
            .map(|Checked { name, result }| Case {
                name: name.clone(),
                result: match result {
                    Err(reason) => CaseResult::Error(format!("cannot read the file: {reason}")),
                    Ok(check) if check.violations.is_empty() => CaseResult::Passed,
                    Ok(check) => CaseResult::Failed(
                        check
                            .violations
                            .iter()
                            .map(|violation| format!("{violation} [{}]", violation.source))
                            .collect(),
                    ),
                },
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reading, Rule, Violation};

    fn checked() -> Vec<Checked> {
        let check = BodyCheck {
            violations: vec![Violation {
                pointer: "/body/maxChatSupport".into(),
                rule: Rule::Type,
                expected: "a number".into(),
                found: "`\u{1b}[31mfive`".into(),
                source: "Update a specific agent › Body Parameters › maxChatSupport".into(),
            }],
            more_violations: true,
            readings: vec![Reading {
                ledger: "U2".into(),
                pointer: "/body/phoneNumber".into(),
                note: "sent as a number".into(),
            }],
        };
        vec![
            Checked { name: "bad.json".into(), result: Ok(check) },
            Checked { name: "none.json".into(), result: Err("no such file or directory".into()) },
        ]
    }

    #[test]
    fn the_text_has_every_violation_and_reading_and_no_control_characters() {
        // The program's own colours are the only ones.
        assert_eq!(
            anstream::adapter::strip_str(&text(&checked(), None)).to_string(),
            "bad.json: /body/maxChatSupport: expected a number, but found `\\u{1b}[31mfive` \
             [Update a specific agent › Body Parameters › maxChatSupport]\n\
             bad.json: only the first 1 violations are listed\n\
             bad.json: note: /body/phoneNumber: sent as a number [U2]\n\
             none.json: not read: no such file or directory\n"
        );
    }

    #[test]
    fn lines_are_wrapped_at_words_where_there_is_a_width() {
        let text = anstream::adapter::strip_str(&text(&checked(), Some(50))).to_string();
        assert!(
            text.starts_with("bad.json:\n    /body/maxChatSupport: expected a number, but\n    found "),
            "{text}"
        );
        assert!(text.ends_with("\nnone.json: not read: no such file or directory\n"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 50), "{text}");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error_even_beside_findings() {
        let error = exit(&checked()).unwrap_err();
        assert_eq!(error.exit(), Exit::CouldNotRun);
        assert_eq!(
            error.to_string(),
            "cannot read none.json: no such file or directory; correct the name, or use - for standard input"
        );
        assert_eq!(exit(&checked()[..1]).unwrap(), Exit::Findings);
        assert_eq!(exit(&[]).unwrap(), Exit::Fine);
    }
}
