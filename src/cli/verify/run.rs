//! A run of `standin verify`.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    super::{Error, Exit, consent, error::one_line, output, report_file, style, wrap},
    Include, Kind, Verify,
    plan::{Choice, Plan, pact_line},
    report::{Report, Verified, interaction_lines, summary_line},
};
use crate::{
    BaseUrl, BaseUrlError, Contract,
    pact::{
        Filling, PROVIDER, Source,
        verify::{self, Broker, BrokerAuth, Offer, Options},
    },
    token::mint,
};

/// How long a token that is made for a run is valid, in seconds.
const TOKEN_TIME: i64 = 3600;
/// How long a broker may take to answer.
const BROKER_TIME: Duration = Duration::from_secs(30);

pub(super) fn run(verify: &Verify) -> Result<Exit, Error> {
    let contract = verify.contract.load()?;
    let provider = verify.provider()?;
    let broker = verify.broker();
    let offers = match &broker {
        None => Vec::new(),
        Some(broker) => {
            broker.offers(PROVIDER).map_err(|error| verify.broker_failed("read pacts from", &error))?
        }
    };
    let sources = verify.sources(&offers)?;
    let choice = Choice {
        only: &verify.only,
        skip: &verify.skip,
        counts_pending: verify.include.contains(&Include::DocumentedAccidents),
    };
    let plan = Plan::new(&contract, &sources, &choice)?;
    let Some(provider) = provider.filter(|_| !verify.list) else {
        output::print_painted(&plan.list())?;
        return Ok(Exit::Fine);
    };
    let filling = verify.filling(&contract, &sources)?;
    if verify.dry_run {
        output::print_painted(&plan.dry_run(&provider, &filling))?;
        return Ok(Exit::Fine);
    }
    let targets = report_file::targets(&verify.reports)?;
    let secrets = verify.secrets(&filling);
    let options = Options { states_url: verify.states_url.clone(), timeout: verify.timeout };
    if let Some(warning) = plan.warning(&provider) {
        let advice = "--yes goes on without asking, and --dry-run shows the requests";
        consent::obtain(&warning, verify.yes || provider.is_loopback(), advice)?;
    }

    let mut report = Report { url: provider.to_string(), pacts: Vec::new() };
    for (index, (source, interactions)) in plan.pacts.iter().enumerate() {
        if interactions.is_empty() {
            continue;
        }
        output::print_painted(&format!("{}\n", pact_line(source)))?;
        let mut verified = Vec::new();
        for planned in interactions {
            let outcome = verify::interaction(&provider, &options, source.single(planned.number, &filling));
            if outcome.is_unreachable && report.pacts.is_empty() && verified.is_empty() {
                let reason = outcome.mismatches.first().map_or("", |mismatch| &mismatch.found);
                return Err(Error::could_not_run(format!(
                    "cannot reach {provider}: {reason}; start the service, or correct the URL"
                )));
            }
            let interaction = Verified::new(&contract, planned, &outcome, &secrets);
            output::print_painted(&interaction_lines(&interaction))?;
            verified.push((interaction, outcome));
        }
        // The broker's pacts come first. Of a part of a pact it would believe that it is the whole.
        if let (Some(broker), Some(offer)) = (&broker, offers.get(index)) {
            if interactions.len() == source.interactions().len() {
                let branch = verify.provider_branch.as_deref();
                let counted = interactions.iter().zip(&verified).filter(|(planned, _)| !planned.is_pending);
                let counted = counted.map(|(planned, (_, outcome))| (planned.json, outcome));
                broker
                    .publish(offer, counted, &verify.provider_version, branch)
                    .map_err(|error| verify.broker_failed("publish results to", &error))?;
            } else {
                output::say(style::NOTED, "results of a part of a pact are not published");
            }
        }
        let verified = verified.into_iter().map(|(interaction, _)| interaction);
        report.pacts.push(((*source).clone(), verified.collect()));
    }
    output::print(&wrap::beside("", &summary_line(&report), wrap::width()))?;
    for (kind, target) in targets {
        target.write([match kind {
            Kind::Json => format!("{:#}\n", report.to_json()),
            Kind::Junit => report.to_junit(),
        }])?;
    }
    Ok(if report.holds() { Exit::Fine } else { Exit::Findings })
}

impl Verify {
    fn provider(&self) -> Result<Option<BaseUrl>, Error> {
        let parse = |url: &String| url.parse().map_err(|error: BaseUrlError| Error::usage(error.to_string()));
        self.url.as_ref().map(parse).transpose()
    }

    fn broker(&self) -> Option<Broker> {
        let user = || {
            let name = self.broker_user.clone()?;
            Some(BrokerAuth::User(name, self.broker_password.clone()))
        };
        self.broker.as_ref().map(|url| Broker {
            url: url.clone(),
            auth: self.broker_token.clone().map(BrokerAuth::Token).or_else(user),
            timeout: BROKER_TIME,
        })
    }

    fn broker_failed(&self, what: &str, error: &str) -> Error {
        let url = self.broker.as_deref().unwrap_or_default();
        Error::could_not_run(format!("cannot {what} the broker {}: {}", one_line(url), one_line(error)))
    }

    /// The broker's pacts, then the files; the built-in contracts when neither is asked for.
    fn sources(&self, offers: &[Offer]) -> Result<Vec<Source>, Error> {
        let mut sources: Vec<_> = offers.iter().map(|offer| offer.source.clone()).collect();
        for path in &self.pacts {
            let loaded = Source::load(path).map_err(|error| {
                Error::could_not_run(format!("cannot use the pact {}", one_line(&error.to_string())))
            })?;
            sources.extend(loaded);
        }
        if self.broker.is_none() && self.pacts.is_empty() {
            sources = Source::committed();
        }
        if sources.is_empty() {
            return Err(Error::could_not_run(format!(
                "the broker has no pacts for the provider {PROVIDER}; publish one there, or name files with --pact"
            )));
        }
        Ok(sources)
    }

    fn filling(&self, contract: &Contract, sources: &[Source]) -> Result<Filling, Error> {
        let mut names: Vec<_> = sources.iter().flat_map(Source::value_names).collect();
        names.sort_unstable();
        names.dedup();
        if let Some((unknown, _)) = self.values.iter().find(|(name, _)| !names.contains(name)) {
            return Err(Error::usage(format!(
                "no pact has a value `{}` to set; there are {}",
                one_line(unknown),
                if names.is_empty() { "none".to_owned() } else { names.join(", ") }
            )));
        }
        let minted = || {
            let secret = self.credentials.client_secret.value()?;
            let now = Timestamp::now().as_second();
            Some(mint(contract.token_claim(), &self.credentials.app_id, secret, now, Some(now + TOKEN_TIME)))
        };
        Ok(Filling {
            token_header: contract.token_header().map(str::to_owned),
            sample_token: contract.sample_token().map(str::to_owned),
            token: self.credentials.token.as_ref().map(|token| token.reveal().to_owned()).or_else(minted),
            values: self.values.clone(),
        })
    }

    /// What no report may show: the token, and the query of the states URL, which has the control token in it.
    fn secrets<'a>(&'a self, filling: &'a Filling) -> Vec<&'a str> {
        let query = self.states_url.as_deref().and_then(|url| url.split_once('?')).map(|(_, query)| query);
        let token = filling.token.as_deref();
        query.into_iter().chain(token).filter(|secret| !secret.is_empty()).collect()
    }
}
