//! `standin fuzz`.

mod progress;
mod replay;
mod report;
mod summary;

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum, builder::PossibleValue};

use super::{
    ContractSource, Error, Exit, consent,
    credentials::Credentials,
    error::one_line,
    output,
    report_file::ReportFile,
    signals, suggested,
    value::{setting, timeout},
};
use crate::{
    BaseUrl, Rule,
    campaign::{self, Baseline, CampaignError, Check, Counted, Options, Severity, report::Again},
    near,
};
use progress::Progress;
use report::{Kind, Reports, Watch};

/// Attack a running server with correct requests and with requests that have one fault each, and judge its answers
///
/// Sends the documentation's samples, valid requests, requests that break every rule at every place, and sequences of
/// requests; without --cases and --time it ends when every rule was tried at every place. What is found is repeated
/// three times, made small, and told once, with the page and row that says so. A server is right where the documentation
/// leaves room, and where it contradicts itself. It creates, changes, imports and deletes things at the server, says so
/// before it starts, and deletes in the end what it has made.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  standin fuzz http://127.0.0.1:8484
  standin fuzz http://127.0.0.1:8080/base --operation createAgent --cases 5000
  standin fuzz http://127.0.0.1:8080 --stateful --time 10m --seed 7
  standin fuzz http://127.0.0.1:8080 --report html=now.html \\
    --report json=now.json --baseline before.json
  standin fuzz http://127.0.0.1:8080 --replay \\
    standin-findings/mutant_refused-0123456789abcdef.json
  standin fuzz https://platform.kore.ai --client-secret-file secret.txt \\
    --app-id cs-… --set streamId=st-… --set accountId=… --rate 1/s

Exit codes: 0 no errors found, though there may be warnings, 1 errors, 2 wrong usage,
3 it could not be found out, for example as it was interrupted or no operation
accepted a valid request.
With --replay: 0 all is fixed, 1 something still fails, 3 the answers do not tell.")]
pub(super) struct Fuzz {
    /// The base URL of the server, such as http://127.0.0.1:8484
    url: String,

    /// Try only this operation (repeatable; the variable is comma separated)
    #[arg(long = "operation", value_name = "OPERATION", value_delimiter = ',', value_parser = suggested::operation(), env = "STANDIN_FUZZ_OPERATION")]
    operations: Vec<String>,

    /// Break only this rule, such as required (repeatable; the variable is comma separated)
    #[arg(long = "rule", value_name = "RULE", value_delimiter = ',', value_parser = suggested::rule(), env = "STANDIN_FUZZ_RULE")]
    rules: Vec<String>,

    /// Stop after so many cases; what sets up, repeats and cleans up is not counted
    #[arg(long, value_name = "N", env = "STANDIN_FUZZ_CASES")]
    cases: Option<u64>,

    /// Stop sending cases after this time
    #[arg(long, value_name = "TIME", value_parser = timeout, env = "STANDIN_FUZZ_TIME")]
    time: Option<Duration>,

    /// Another seed gives other requests
    #[arg(long, value_name = "S", default_value_t = 0, env = "STANDIN_SEED")]
    seed: u64,

    /// How many requests are under way at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = concurrency, env = "STANDIN_FUZZ_CONCURRENCY")]
    concurrency: usize,

    /// How many requests a second at most, such as 10/s
    #[arg(long, value_name = "N/s", value_parser = rate, env = "STANDIN_FUZZ_RATE")]
    rate: Option<u32>,

    /// How long an answer may take
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = timeout, env = "STANDIN_TIMEOUT")]
    timeout: Duration,

    #[command(flatten)]
    credentials: Credentials,

    /// A value of a real account, such as streamId=st-1 (repeatable; the variable has one a line)
    ///
    /// The names are those of path, query and header parameters and of members of bodies: streamId, accountId,
    /// roleId, data.name and so on. A name that no operation has is refused with a list.
    #[arg(long = "set", value_name = "NAME=VALUE", value_delimiter = '\n', value_parser = setting, env = "STANDIN_SET")]
    values: Vec<(String, String)>,

    /// A header that every request has, such as 'x-trace: 1' (repeatable; the variable has one a line)
    #[arg(long = "header", value_name = "NAME: VALUE", value_delimiter = '\n', value_parser = header, env = "STANDIN_FUZZ_HEADER")]
    headers: Vec<(String, String)>,

    /// Check too that what was created can be read and what was deleted is gone, as of a server that keeps it
    #[arg(long, env = "STANDIN_FUZZ_STATEFUL")]
    stateful: bool,

    /// Leave what was made, and do not delete it in the end
    #[arg(long, env = "STANDIN_FUZZ_KEEP")]
    keep: bool,

    /// Leave out this check (repeatable; the variable is comma separated)
    #[arg(long = "skip", value_name = "CHECK", value_delimiter = ',', env = "STANDIN_FUZZ_SKIP")]
    skip: Vec<Check>,

    /// Which rules count, by where they come from
    #[arg(long, value_name = "BASIS", default_value = "vendor", env = "STANDIN_FUZZ_BASIS")]
    basis: Counted,

    /// Trust the certificates in this file too, which is in PEM
    #[arg(long, value_name = "FILE", env = "STANDIN_FUZZ_CA")]
    ca: Option<PathBuf>,

    /// Write a report as well: junit, json, ndjson, har, sarif or html=FILE (repeatable; the variable is comma separated)
    ///
    /// ndjson and har have the requests whose answers the checks looked at, with what they say, and not those that only
    /// prepare or delete; the others are about what was found. In place of the token of valid requests and of the values
    /// of --header stands that they are not shown; a reply that repeats such a value shows it when it has fewer than 8 bytes.
    #[arg(long = "report", value_name = "KIND=FILE", value_delimiter = ',', env = "STANDIN_FUZZ_REPORT")]
    reports: Vec<ReportFile<Kind>>,

    /// Write a file for each finding into this folder, which is made when there are any
    #[arg(long, value_name = "FOLDER", default_value = "standin-findings", env = "STANDIN_FUZZ_FINDINGS")]
    findings: PathBuf,

    /// Send the findings of a file again, and say of each whether it is fixed; the file is one of --findings or --report json=FILE
    #[arg(long, value_name = "FILE", env = "STANDIN_FUZZ_REPLAY", conflicts_with_all = ["operations", "rules", "cases", "time", "skip", "baseline", "reports"])]
    replay: Option<PathBuf>,

    /// Pass findings that this file has, and say which of them are gone; the file is one of --report json=FILE or --findings
    #[arg(long, value_name = "FILE", env = "STANDIN_FUZZ_BASELINE")]
    baseline: Option<PathBuf>,

    /// Do not ask before something is created, changed or deleted
    #[arg(long, short, env = "STANDIN_FUZZ_YES")]
    yes: bool,

    #[command(flatten)]
    contract: ContractSource,
}

impl ValueEnum for Counted {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Pages, Self::Vendor, Self::All]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Pages => "What the pages say that the contract is about",
            Self::Vendor => "That, and what other pages of the vendor say and what was observed",
            Self::All => "What is assumed, too",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

impl Fuzz {
    pub(super) fn run(&self) -> Result<Exit, Error> {
        let options = self.options()?;
        let target: BaseUrl = self.url.parse().map_err(CampaignError::from)?;
        let baseline = self.baseline.as_deref().map(Baseline::load).transpose()?;
        if let Some(file) = &self.replay {
            let findings = replay::findings(file)?;
            let steps = findings.iter().flat_map(|finding| &finding.steps).map(|step| &step.operation);
            let own = findings.iter().map(|finding| &finding.operation);
            let operations = own.chain(steps).cloned().collect();
            let breaks_methods = findings.iter().any(replay::breaks_method);
            self.consent(&Options { operations, ..options.clone() }, breaks_methods, &target)?;
            return replay::run(&self.url, &findings, &options);
        }
        let mut reports = Reports::new(&self.reports, &target)?;
        report::try_folder(&self.findings)?;
        self.consent(&options, options.breaks_methods(), &target)?;
        let stop = signals::first()
            .map_err(|error| Error::could_not_run(format!("cannot listen for signals: {error}")))?;
        let mut progress = Progress::new(self.time);
        let mut watch = Watch { progress: &mut progress, reports: &mut reports };
        let result = campaign::run_until(&self.url, &options, &mut watch, stop);
        progress.end();
        let mut outcome = result?;
        if let Some(baseline) = baseline {
            baseline.compare(&mut outcome);
        }
        let folder = self.findings.to_string_lossy();
        let contract = self.contract.contract.as_ref().map(|file| file.to_string_lossy());
        let again = Again { folder: &folder, contract: contract.as_deref() };
        output::print_painted(&report::findings_text(&outcome, again))?;
        output::print_painted(&summary::text(&outcome))?;
        // What can be written is, even when something else cannot.
        let finished = reports.finish(&outcome, again);
        report::keep(&outcome.findings, &self.findings)?;
        finished?;
        let is_wrong =
            outcome.findings.iter().any(|finding| !finding.is_known && finding.severity == Severity::Error);
        Ok(match outcome.ended.is_whole() {
            _ if is_wrong => Exit::Findings,
            true => Exit::Fine,
            false => Exit::CouldNotRun,
        })
    }

    fn consent(&self, options: &Options, breaks_methods: bool, target: &BaseUrl) -> Result<(), Error> {
        let warning = warning(options, breaks_methods, target);
        consent::obtain(&warning, self.yes || target.is_loopback(), "--yes goes on without asking")
    }

    fn options(&self) -> Result<Options, Error> {
        Ok(Options {
            contract: self.contract.load()?,
            operations: self.operations.clone(),
            rules: self.rules.iter().map(|name| named(name)).collect::<Result<_, _>>()?,
            cases: self.cases,
            time: self.time,
            seed: self.seed,
            concurrency: self.concurrency,
            rate: self.rate,
            timeout: self.timeout,
            token: self.credentials.token.clone(),
            client_secret: self.credentials.client_secret.value().cloned(),
            app_id: self.credentials.app_id.clone(),
            set: self.values.clone(),
            headers: self.headers.clone(),
            stateful: self.stateful,
            keep: self.keep,
            skip: self.skip.clone(),
            counted: self.basis,
            ca: self.ca.clone(),
        })
    }
}

impl From<CampaignError> for Error {
    fn from(error: CampaignError) -> Self {
        match error {
            CampaignError::CouldNotRun(text) => Self::could_not_run(one_line(&text)),
            CampaignError::Usage(text) => Self::usage(one_line(&text)),
        }
    }
}

/// What will be different at the server.
fn warning(options: &Options, breaks_methods: bool, target: &BaseUrl) -> String {
    let names = options.changing();
    let does = match (names.is_empty(), breaks_methods) {
        (true, false) => "only reads".to_owned(),
        (true, true) => "calls what only reads".to_owned(),
        (false, _) => format!("creates, changes, imports and deletes; it calls {}", names.join(", ")),
    };
    let methods = if breaks_methods {
        ", and sends methods that the paths do not have, such as DELETE, PUT, PATCH and POST"
    } else {
        ""
    };
    one_line(&format!("the campaign against {target} {does}{methods}"))
}

fn named(name: &str) -> Result<Rule, Error> {
    Rule::ALL.into_iter().find(|rule| rule.name() == name).ok_or_else(|| {
        let names = Rule::ALL.map(Rule::name);
        let hint = near::hint(name, names);
        Error::usage(format!(
            "there is no rule `{}`{hint}; the rules are {}",
            one_line(name),
            names.join(", ")
        ))
    })
}

fn concurrency(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|count| (1..=256).contains(count))
        .ok_or_else(|| format!("expected a whole number from 1 to 256, but found `{}`", one_line(text)))
}

fn rate(text: &str) -> Result<u32, String> {
    let count = text.strip_suffix("/s").unwrap_or(text).parse().ok();
    count
        .filter(|count| *count > 0)
        .ok_or_else(|| format!("expected requests a second, such as 10/s, but found `{}`", one_line(text)))
}

fn header(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("expected a header such as 'x-name: value'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_headers_are_checked_early() {
        assert_eq!(rate("10/s"), Ok(10));
        assert_eq!(rate("5"), Ok(5));
        assert!(rate("0/s").is_err() && rate("fast").is_err() && rate("1/m").is_err());
        assert_eq!(header("a: b:c"), Ok(("a".into(), "b:c".into())));
        assert!(header("a").is_err() && header(": b").is_err());
        assert!(concurrency("0").is_err() && concurrency("257").is_err() && concurrency("8") == Ok(8));
    }

    #[test]
    fn what_sequences_and_cleaning_up_call_is_told_before() {
        let target = "http://127.0.0.1:1".parse().unwrap();
        let mut options = Options { operations: vec!["createQueue".into()], ..Options::default() };
        let warns = |options: &Options| warning(options, false, &target);
        assert!(warns(&options).ends_with("it calls createQueue, deleteQueue"), "{}", warns(&options));
        options.stateful = true;
        let all = "it calls createQueue, updateQueue, deleteQueue";
        assert!(warns(&options).ends_with(all), "{}", warns(&options));
        options = Options { keep: true, stateful: false, ..options };
        assert!(warns(&options).ends_with("it calls createQueue"), "{}", warns(&options));
        options.operations = vec!["getAgent".into()];
        assert!(warns(&options).ends_with("only reads"), "{}", warns(&options));
    }

    #[test]
    fn methods_that_paths_do_not_have_are_told_before_unless_that_rule_is_left_out() {
        let target = "http://127.0.0.1:1".parse().unwrap();
        for (operation, rules, expected) in [
            ("getAgent", vec![], "calls what only reads, and sends methods that the paths do not have"),
            ("getAgent", vec![Rule::Method], "calls what only reads, and sends methods"),
            ("getAgent", vec![Rule::Token], " only reads"),
            ("createQueue", vec![], "it calls createQueue, deleteQueue, and sends methods"),
        ] {
            let options = Options { operations: vec![operation.into()], rules, ..Options::default() };
            let warned = warning(&options, options.breaks_methods(), &target);
            assert!(warned.contains(expected), "{warned}");
        }
    }

    #[test]
    fn an_unknown_rule_is_refused_with_those_there_are() {
        let error = named("requird").unwrap_err();
        assert!(error.to_string().contains("did you mean required"), "{error}");
    }
}
