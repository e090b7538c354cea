//! `standin generate`.

mod expected;
mod http;
mod line;

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, ValueEnum};

use super::{
    ContractSource, Error, Exit,
    check::find,
    error::{one_line, reason},
    output, style, suggested,
    value::setting,
};
use crate::{
    BaseUrl, Operation, Rule, near,
    payload::{Case, Credentials, Generator},
    render::curl,
    token::Secret,
};
use expected::Expectations;

/// Print requests to try an implementation with, correct ones or ones with one fault each
///
/// Each line has the request and a label that says what must become of it: the statuses of the reply, and of a
/// mutant the place and the rule that is broken there, with the page and row that says so. --schema prints a JSON
/// Schema that describes the lines. The same operation, seed, number and values always give the same lines.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  standin generate createAgent --count 3
  standin generate --all --mutants --seed 7
  standin generate updateAgent --mutants --rule enum
  standin generate importDataV2 --as body > body.json
  standin generate createAgent --as body --count 100 --into bodies
  standin generate createQueue --mutants --as curl | sh
  standin generate createAgent --as http --set streamId=st-1 \\
    --token \"$TOKEN\" --url https://platform.kore.ai > agents.http")]
pub(super) struct Generate {
    /// The operations, such as createAgent
    #[arg(value_name = "OPERATION", value_parser = suggested::operation(), required_unless_present_any = ["all", "schema"])]
    operations: Vec<String>,

    /// All operations of the contract
    #[arg(long, env = "STANDIN_GENERATE_ALL", conflicts_with = "operations")]
    all: bool,

    /// How many of each operation; without it 10, or 1 with --as body and no --into
    #[arg(long, value_name = "N", value_parser = count, env = "STANDIN_COUNT")]
    count: Option<u64>,

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

    /// Write each body to a file of its own in this folder, with --as body
    #[arg(long, value_name = "FOLDER", env = "STANDIN_GENERATE_INTO")]
    into: Option<PathBuf>,

    /// Where the requests go to, with --as curl or http
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8484", env = "STANDIN_URL")]
    url: BaseUrl,

    /// The token to send, except where it is what a mutant changes; without it, tokens that `standin serve` takes
    #[arg(long, value_name = "TOKEN", env = "STANDIN_TOKEN", hide_env_values = true)]
    token: Option<Secret>,

    /// A value of a real account, such as streamId=st-1 (repeatable; the variable has one a line)
    ///
    /// The names are those of path, query and header parameters and of members of bodies: streamId, accountId,
    /// emailId, data.name and so on. A name that no operation has is refused with a list.
    #[arg(long = "set", value_name = "NAME=VALUE", value_delimiter = '\n', value_parser = setting, env = "STANDIN_SET")]
    values: Vec<(String, String)>,

    /// Print the JSON Schema of the lines, and nothing else
    #[arg(long, env = "STANDIN_GENERATE_SCHEMA")]
    schema: bool,

    #[command(flatten)]
    contract: ContractSource,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// One JSON object per line, with request and label; --schema describes it
    Ndjson,
    /// The bodies alone, one after another
    Body,
    /// Commands that send the requests, each after its label
    Curl,
    /// A file of requests for editors that send them, each after its label
    Http,
}

impl Generate {
    pub(super) fn run(&self) -> Result<Exit, Error> {
        if self.schema {
            output::print(&format!("{:#}\n", line::schema()))?;
            return Ok(Exit::Fine);
        }
        if self.into.is_some() && self.format != Format::Body {
            return Err(Error::usage("--into is for bodies; add --as body, or leave --into out"));
        }
        self.token.as_ref().map_or(Ok(()), check_token)?;
        let contract = self.contract.load()?;
        let operations: Vec<&Operation> = if self.all {
            contract.operations().iter().collect()
        } else {
            self.operations.iter().map(|name| find(&contract, name)).collect::<Result<_, _>>()?
        };
        let generators = self.generators(&operations)?;
        let mut out = match &self.into {
            Some(folder) => Out::Files(Files::new(folder)?),
            None => Out::Printed(BufWriter::with_capacity(1 << 16, io::stdout().lock())),
        };
        let expectations = Expectations::new(Arc::clone(&contract));
        let mut skipped = Skipped::default();
        for generator in &generators {
            if !self.write(generator, &expectations, &mut out, &mut skipped)? {
                break;
            }
        }
        if let Out::Printed(out) = &mut out {
            printed(out.flush())?;
        }
        skipped.tell(self.format);
        Ok(Exit::Fine)
    }

    /// The generators of these operations, with the values and the rule that were asked for.
    fn generators(&self, operations: &[&Operation]) -> Result<Vec<Generator>, Error> {
        let credentials = Credentials { token: self.token.clone(), ..Credentials::default() };
        let generators = operations.iter().map(|operation| {
            Generator::setting(operation, &credentials, &self.values)
                .map_err(|error| Error::usage(one_line(&error)))
        });
        let generators = generators.collect::<Result<Vec<_>, _>>()?;
        let mut names: Vec<_> = generators.iter().flat_map(Generator::names).collect();
        names.sort_unstable();
        names.dedup();
        if let Some((name, _)) = self.values.iter().find(|(name, _)| !names.contains(name)) {
            return Err(Error::usage(format!(
                "there is no value `{}` to set; the names are {}",
                one_line(name),
                names.join(", ")
            )));
        }
        match &self.rule {
            Some(rule) => narrowed(&generators, rule),
            None => Ok(generators),
        }
    }

    fn count(&self) -> u64 {
        let usual = if self.format == Format::Body && self.into.is_none() { 1 } else { 10 };
        self.count.unwrap_or(usual)
    }

    /// Writes the cases of one operation; false when nobody reads them any more.
    fn write(
        &self,
        generator: &Generator,
        expectations: &Expectations,
        out: &mut Out,
        skipped: &mut Skipped,
    ) -> Result<bool, Error> {
        for index in 0..self.count() {
            let case = if self.mutants {
                generator.mutant_at(self.seed, index)
            } else {
                generator.valid_at(self.seed, index)
            };
            let Some(case) = case else {
                skipped.unproved += 1;
                continue;
            };
            match out {
                Out::Files(files) => files.write(&case, self.seed, index)?,
                Out::Printed(out) => match self.text(&case, expectations, index) {
                    Some(text) => {
                        if !printed(out.write_all(&text))? {
                            return Ok(false);
                        }
                    }
                    None => skipped.unsendable += 1,
                },
            }
        }
        Ok(true)
    }

    /// A case as it is printed; none when the format cannot have it.
    fn text(&self, case: &Case, expectations: &Expectations, index: u64) -> Option<Vec<u8>> {
        if self.format == Format::Body {
            return Some([&case.request.body[..], b"\n"].concat());
        }
        let expected = expectations.of(case);
        let title = || {
            let words = expected.words(&case.label);
            one_line(&format!("{} {} {index}: {}; {words}", case.operation, self.seed, case.label))
        };
        let text = match self.format {
            Format::Curl if !curl::can_send(&case.request) => return None,
            Format::Curl => {
                let headers = case.headers().map(|(name, value)| (name, curl::HeaderValue::Sent(value)));
                let command = curl::to_send(&case.request, headers, &self.url.to_string(), " -sS --http1.1");
                format!("{}\n{command}\n", curl::note(&title()))
            }
            Format::Http => http::request(case, &title(), &self.url)? + "\n",
            Format::Body | Format::Ndjson => line::line(case, &expected, self.seed, index) + "\n",
        };
        Some(text.into_bytes())
    }
}

/// Where the cases go.
enum Out {
    Files(Files),
    Printed(BufWriter<io::StdoutLock<'static>>),
}

/// A folder with a file for each body.
struct Files(PathBuf);

impl Files {
    fn new(folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        Ok(Self(folder.to_owned()))
    }

    fn write(&self, case: &Case, seed: u64, index: u64) -> Result<(), Error> {
        let file = self.0.join(format!("{}-{seed}-{index}.json", case.operation));
        fs::write(&file, &case.request.body).map_err(|error| cannot_write(&file, &error))
    }
}

fn cannot_write(file: &Path, error: &io::Error) -> Error {
    Error::could_not_run(format!(
        "cannot write {}: {}; name a folder that is writable",
        one_line(&file.display().to_string()),
        reason(error)
    ))
}

/// Whether it was written; a reader that went away, such as `head`, has what it wanted.
fn printed(result: io::Result<()>) -> Result<bool, Error> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            Err(Error::could_not_run(format!("cannot write to standard output: {}", reason(&error))))
        }
    }
}

/// What was left out, and why.
#[derive(Default)]
struct Skipped {
    unproved: u64,
    unsendable: u64,
}

impl Skipped {
    fn tell(&self, format: Format) {
        if self.unsendable > 0 {
            let sender = if format == Format::Http { "editors" } else { "curl" };
            output::say(style::NOTED, &format!("{} left out: {sender} cannot send them", self.unsendable));
        }
        if self.unproved > 0 {
            output::say(
                style::NOTED,
                &format!("{} left out: their labels could not be proved", self.unproved),
            );
        }
    }
}

fn count(text: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| format!("expected a whole number from 1, but found `{}`", one_line(text)))
}

/// Fails unless it can stand in a header; it is not shown.
fn check_token(token: &Secret) -> Result<(), Error> {
    let token = token.reveal();
    if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(Error::usage("--token: expected visible ASCII characters, but found nothing or others"))
    }
}

/// The generators for one rule; when no mutant breaks it, the error names those that some break.
fn narrowed(generators: &[Generator], name: &str) -> Result<Vec<Generator>, Error> {
    let rule = Rule::ALL.into_iter().find(|rule| rule.name() == name);
    let breaking: Vec<_> = generators.iter().filter_map(|generator| generator.breaking(rule?)).collect();
    if !breaking.is_empty() {
        return Ok(breaking);
    }
    let operations: Vec<&str> = generators.iter().map(|generator| &**generator.operation()).collect();
    let mut rules: Vec<_> = generators.iter().flat_map(Generator::rules).collect();
    rules.sort_unstable();
    rules.dedup();
    let rules: Vec<_> = rules.into_iter().map(Rule::name).collect();
    Err(Error::usage(format!(
        "no mutant of {} breaks the rule `{}`{}; the rules are {}",
        operations.join(", "),
        one_line(name),
        near::hint(name, rules.iter().copied()),
        rules.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_at_least_one() {
        assert_eq!(count("0"), Err("expected a whole number from 1, but found `0`".into()));
        assert_eq!(count("x"), Err("expected a whole number from 1, but found `x`".into()));
        assert_eq!(count("7"), Ok(7));
    }

    #[test]
    fn a_token_that_no_header_can_have_is_refused_and_not_shown() {
        assert!(check_token(&Secret::new("a.b.c")).is_ok());
        for wrong in ["", "a b", "a\n", "é"] {
            let error = check_token(&Secret::new(wrong)).unwrap_err().to_string();
            assert_eq!(error, "--token: expected visible ASCII characters, but found nothing or others");
        }
    }
}
