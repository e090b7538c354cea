//! A Pact broker: where contracts are kept, and told who keeps them.

use std::{collections::HashMap, sync::mpsc, thread, time::Duration};

use pact_models::{http_utils::HttpAuth, v4::synch_http::SynchronousHttp};
use pact_verifier::{
    MismatchResult,
    pact_broker::{HALClientBuilder, Link, TestResult, publish_verification_results},
    verification_result::VerificationMismatchResult,
};
use serde_json::Value;

use super::Verification;
use crate::{pact::Source, token::Secret};

/// A broker and how it knows its callers.
#[derive(Clone, Debug)]
pub struct Broker {
    /// Its base URL.
    pub url: String,
    /// What it asks for.
    pub auth: Option<BrokerAuth>,
    /// How long it may take to answer.
    pub timeout: Duration,
}

/// The credentials of a broker's caller.
#[derive(Clone, Debug)]
pub enum BrokerAuth {
    /// A bearer token.
    Token(Secret),
    /// A user's name and password.
    User(String, Option<Secret>),
}

/// A pact that a broker offers for verification.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The pact.
    pub source: Source,
    links: Vec<Link>,
}

impl Broker {
    /// The latest pacts of this provider.
    ///
    /// # Errors
    ///
    /// When the broker does not answer in time, or has none, or has something that cannot be verified here.
    pub fn offers(&self, provider: &str) -> Result<Vec<Offer>, String> {
        let (broker, name) = (self.clone(), provider.to_owned());
        self.in_time(move || async move {
            let mut client = HALClientBuilder::builder();
            let client = client.with_url(broker.url.as_str(), broker.http_auth()).with_retries(0).build();
            let values = HashMap::from([("provider".to_owned(), name)]);
            let index = client
                .navigate("pb:latest-provider-pacts", &values)
                .await
                .map_err(|error| error.to_string())?;
            let pacts = index.iter_links("pb:pacts").or_else(|_| index.iter_links("pacts"));
            let mut offers = Vec::new();
            for link in pacts.map_err(|error| error.to_string())? {
                let json = index.fetch_url(&link, &values).await.map_err(|error| error.to_string())?;
                let links = links(&json);
                let name = link.href.unwrap_or(link.name);
                let source = Source::from_json(&name, json).map_err(|error| error.to_string())?;
                offers.push(Offer { source, links });
            }
            Ok(offers)
        })
    }

    /// Publishes what came of interactions of a pact, for a version of the provider.
    ///
    /// # Errors
    ///
    /// When the broker does not take it.
    pub fn publish<'a>(
        &self,
        offer: &Offer,
        outcomes: impl IntoIterator<Item = (&'a Value, &'a Verification)>,
        version: &str,
        branch: Option<&str>,
    ) -> Result<(), String> {
        let text = |interaction: &Value, name: &str| interaction[name].as_str().map(str::to_owned);
        let results: Vec<_> = outcomes
            .into_iter()
            .map(|(interaction, outcome)| {
                let (id, name) = (text(interaction, "_id"), text(interaction, "description"));
                (id, name, outcome.result.clone().err())
            })
            .collect();
        let (broker, links) = (self.clone(), offer.links.clone());
        let (version, branch) = (version.to_owned(), branch.map(str::to_owned));
        self.in_time(move || async move {
            let auth = broker.http_auth();
            let result = if results.iter().all(|(_, _, error)| error.is_none()) {
                TestResult::Ok(results.into_iter().map(|(id, _, _)| id).collect())
            } else {
                let results = results.into_iter().map(|(id, name, error)| (id, name, error.map(mismatch)));
                TestResult::Failed(results.collect())
            };
            let published = publish_verification_results(
                links,
                &broker.url,
                auth,
                result,
                version,
                None,
                Vec::new(),
                branch,
                None,
                0,
            );
            published.await.map(|_| ()).map_err(|error| error.to_string())
        })
    }

    fn http_auth(&self) -> Option<HttpAuth> {
        self.auth.as_ref().map(|auth| match auth {
            BrokerAuth::Token(token) => HttpAuth::Token(token.reveal().to_owned()),
            BrokerAuth::User(name, password) => {
                HttpAuth::User(name.clone(), password.as_ref().map(|secret| secret.reveal().to_owned()))
            }
        })
    }

    /// Does something with the broker on a thread of its own, which is left to itself when it takes too long.
    fn in_time<T: Send + 'static, W: Future<Output = Result<T, String>>>(
        &self,
        work: impl FnOnce() -> W + Send + 'static,
    ) -> Result<T, String> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let result =
                runtime.map_err(|error| error.to_string()).and_then(|runtime| runtime.block_on(work()));
            let _ = sender.send(result);
        };
        thread::Builder::new().name("pact-broker".into()).spawn(run).map_err(|error| error.to_string())?;
        match receiver.recv_timeout(self.timeout) {
            Ok(result) => result,
            Err(mpsc::RecvTimeoutError::Timeout) => Err(format!("no answer within {:?}", self.timeout)),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err("the call broke off".to_owned()),
        }
    }
}

/// The verifier's own form of a result, whose interactions nobody looks at.
fn mismatch(result: VerificationMismatchResult) -> MismatchResult {
    match result {
        VerificationMismatchResult::Error { error, interaction_id } => {
            MismatchResult::Error(error, interaction_id)
        }
        VerificationMismatchResult::Mismatches { mismatches, interaction_id } => MismatchResult::Mismatches {
            mismatches,
            expected: Box::new(SynchronousHttp::default()),
            actual: Box::new(SynchronousHttp::default()),
            interaction_id,
        },
    }
}

/// The links that come with a pact.
fn links(pact: &Value) -> Vec<Link> {
    let links = pact["_links"].as_object().into_iter().flatten();
    links.filter_map(|(name, link)| Some(Link::from_json(name, link.as_object()?))).collect()
}
