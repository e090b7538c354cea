//! Black-box fuzzing of a running server: labelled requests go out, every answer is judged, every finding is repeated.
//!
//! Requests and their labels are [`payload`](crate::payload)'s, replies are judged by [`judge`](crate::judge) and by the
//! [`Check`]s; nothing here knows the stub. A check says nothing where the label is not certain, so that a server which
//! keeps to the documentation is not accused.
//!
//! ```no_run
//! use standin::campaign::{self, Options};
//!
//! let options = Options { cases: Some(2000), ..Options::default() };
//! let outcome = campaign::run("http://127.0.0.1:8484", &options)?;
//! assert!(outcome.findings.is_empty(), "{:#?}", outcome.findings);
//! # Ok::<(), campaign::CampaignError>(())
//! ```

mod answer;
mod baseline;
mod certainty;
mod checks;
mod client;
mod confirm;
mod course;
mod error;
mod finding;
mod ground;
mod observer;
mod options;
mod outcome;
mod pace;
mod plain;
mod reach;
mod replay;
pub mod report;
mod schedule;
mod secrets;
mod sending;
mod sent;
mod sequence;
mod short_lived;
mod shrink;
mod source;
mod state;
mod things;
mod tls;
mod trial;
mod worker;

pub use answer::{Answer, Failure};
pub use baseline::Baseline;
pub use checks::{Check, Observation, Verdict};
pub use error::CampaignError;
pub use finding::{Finding, Place, Severity, Step};
pub use observer::{Observer, Progress};
pub use options::{Counted, Options};
pub use outcome::{Created, Ended, Outcome, ReadingTaken, TakenReading, Tally, TriedOutcome, TriedRule};
pub use replay::Replayed;
pub use secrets::Secrets;
pub use sent::Sent;
pub use trial::{Trial, Why};

/// Runs a campaign against the server at `url` and waits for its end, from wherever it is called.
///
/// # Errors
///
/// When the options are wrong, or the server cannot be reached at all.
pub fn run(url: &str, options: &Options) -> Result<Outcome, CampaignError> {
    run_until(url, options, &mut (), std::future::pending())
}

/// Runs a campaign that `observer` hears about and that ends early, with what it has found so far, when `stop` resolves.
///
/// # Errors
///
/// When the options are wrong, or the server cannot be reached at all.
pub fn run_until(
    url: &str,
    options: &Options,
    observer: &mut (dyn Observer + Send),
    stop: impl Future<Output = ()> + Send,
) -> Result<Outcome, CampaignError> {
    block_on(|| course::run(url, options, observer, stop))
}

/// Sends findings again, as they are in a file or come from a [`run`], and says of each what has become of it. What they
/// need is made anew and deleted in the end, and tokens are those of `options`.
///
/// # Errors
///
/// When the options are wrong, or the server cannot be reached at all.
pub fn replay(url: &str, findings: &[Finding], options: &Options) -> Result<Vec<Replayed>, CampaignError> {
    block_on(|| replay::run(url, findings, options))
}

/// Runs it on a thread of its own, because the caller's may belong to another runtime.
fn block_on<T: Send, F: Future<Output = Result<T, CampaignError>>>(
    make: impl FnOnce() -> F + Send,
) -> Result<T, CampaignError> {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| CampaignError::CouldNotRun(format!("cannot run: {error}")))?;
        runtime.block_on(make())
    };
    std::thread::scope(|scope| match scope.spawn(run).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
