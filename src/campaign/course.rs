//! The course of a campaign: is the server there, then everything in its order by several workers, then cleaning up.

use std::{
    cell::RefCell,
    pin::{Pin, pin},
    task::Poll,
    time::{Duration, Instant, SystemTime},
};

use super::{
    CampaignError, Ended, Observer, Options, Outcome, Secrets, Trial, Verdict, Why,
    certainty::Doubts,
    checks::{self, View},
    client::Client,
    ground::{Ground, Ready},
    pace::Pace,
    plain,
    schedule::{How, Schedule},
    source,
    state::State,
    worker::Worker,
};
use crate::{
    BaseUrl, Contract, Operation,
    contract::{self, Does},
    judge::Judge,
};

/// How long cleaning up may take.
const CLEANUP: Duration = Duration::from_secs(60);
/// How long it may take when somebody waits for the end.
const HASTY_CLEANUP: Duration = Duration::from_secs(5);

/// A campaign on its way.
pub(super) struct Course<'a> {
    pub(super) options: &'a Options,
    pub(super) contract: &'a Contract,
    pub(super) ground: Ground,
    pub(super) client: Client,
    pub(super) pace: Pace,
    pub(super) state: RefCell<State>,
    pub(super) secrets: Secrets,
    judge: Judge,
    observer: RefCell<&'a mut (dyn Observer + Send)>,
    deadline: Option<Instant>,
    /// What tells this run from others in what must not be alike.
    nonce: u64,
}

/// Runs a campaign to its end.
pub(super) async fn run(
    url: &str,
    options: &Options,
    observer: &mut (dyn Observer + Send),
    stop: impl Future<Output = ()>,
) -> Result<Outcome, CampaignError> {
    let target: BaseUrl = url.parse()?;
    let start = Instant::now();
    let course = Course::new(&target, options, observer, start).await?;
    let stopped = {
        let (work, stop) = (pin!(course.work()), pin!(stop));
        tokio::select! {
            biased;
            () = stop => true,
            result = work => {
                result?;
                false
            }
        }
    };
    if stopped {
        course.state.borrow_mut().ended = Some(Ended::Interrupted);
    }
    if !options.keep {
        let limit = if stopped { HASTY_CLEANUP } else { CLEANUP };
        let _ = tokio::time::timeout(limit, Worker::new(&course).clean_up(0)).await;
    }
    let mut outcome = course.state.into_inner().outcome(course.contract, &target, options.seed, start);
    course.secrets.hide_left(&mut outcome.created);
    Ok(outcome)
}

/// Fails on options that no request can have.
fn check(options: &Options) -> Result<(), CampaignError> {
    for (name, value) in &options.headers {
        let is_header = http::HeaderName::from_bytes(name.as_bytes()).is_ok()
            && http::HeaderValue::from_str(value).is_ok();
        if !is_header {
            return Err(CampaignError::Usage(format!(
                "expected a header such as `x-name: value`, but found `{name}`"
            )));
        }
        if is_own(&options.contract, &name.to_ascii_lowercase()) {
            return Err(CampaignError::Usage(format!(
                "expected a header that requests do not have by themselves, but found `{name}`; --set is for parameters, --token for the token"
            )));
        }
    }
    let token = options.token.as_ref().map(crate::token::Secret::reveal);
    if token.is_some_and(|token| token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic())) {
        return Err(CampaignError::Usage(
            "expected a token of visible ASCII characters, but found nothing or others".into(),
        ));
    }
    Ok(())
}

/// Headers that say what a body is or where it ends, or that belong to the connection.
const FRAMING: [&str; 11] = [
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether requests have a header, by its name in lower case, because the contract or HTTP says so: with it a request
/// would not be what its label says any more.
fn is_own(contract: &Contract, name: &str) -> bool {
    let of = |operation: &Operation| {
        let mut headers = operation.parameters_in(contract::Place::Header);
        headers.any(|parameter| {
            let mut names = parameter.accepts.iter().chain([&parameter.name]);
            names.any(|own| own.eq_ignore_ascii_case(name))
        })
    };
    FRAMING.contains(&name) || contract.token_header() == Some(name) || contract.operations().iter().any(of)
}

/// The sequences that the contract has links for, when the server is said to keep what it is told.
fn sequences(contract: &Contract, ground: &Ground, options: &Options) -> Vec<(usize, How)> {
    if !options.stateful {
        return Vec::new();
    }
    let mut found = Vec::new();
    for ready in ground.chosen() {
        let Some((resource, _)) = ready.makes else { continue };
        let has = |does| ground.doing(contract, does, resource).is_some();
        for how in How::SEQUENCES {
            let applies = match how {
                How::ReadCreated => has(Does::Read),
                How::ReadUpdated => has(Does::Read) && has(Does::Update),
                How::ReadDeleted => has(Does::Read) && has(Does::Delete),
                How::CreateAgain => !ready.unique.is_empty(),
                How::Followed | How::Once | How::Twice => false,
            };
            if applies {
                found.push((ready.position, how));
            }
        }
    }
    found
}

impl<'a> Course<'a> {
    /// A campaign that is about to begin.
    ///
    /// # Errors
    ///
    /// When the options are wrong, or the server's address cannot be found.
    pub(super) async fn new(
        target: &BaseUrl,
        options: &'a Options,
        observer: &'a mut (dyn Observer + Send),
        start: Instant,
    ) -> Result<Self, CampaignError> {
        check(options)?;
        let contract = &*options.contract;
        let ground = Ground::new(options)?;
        let secrets = Secrets::new(contract, &ground.tokens, &options.headers);
        observer.begun(&secrets);
        let judge = Judge::new(contract).map_err(|error| CampaignError::CouldNotRun(error.to_string()))?;
        let client = Client::new(target, options).await?;
        let samples = |operation: usize| {
            let body = contract.operations()[operation].body.as_ref();
            body.map_or(0, |body| if options.rules.is_empty() { body.examples.len() } else { 0 })
        };
        let sequences = sequences(contract, &ground, options);
        let goes_on = options.cases.is_some() || options.time.is_some();
        let schedule = Schedule::new(&ground, samples, sequences, goes_on, !options.rules.is_empty());
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ok(Self {
            state: RefCell::new(State::new(contract, &ground, schedule)),
            secrets,
            pace: Pace::new(options.rate),
            deadline: options.time.and_then(|time| start.checked_add(time)),
            nonce: u64::try_from(now.as_micros()).unwrap_or_default(),
            observer: RefCell::new(observer),
            options,
            contract,
            ground,
            client,
            judge,
        })
    }

    async fn work(&self) -> Result<(), CampaignError> {
        if !self.reach().await? {
            return Ok(());
        }
        let workers = (0..self.options.concurrency.max(1)).map(|_| {
            let mut worker = Worker::new(self);
            async move { worker.run().await }
        });
        join(workers).await;
        Ok(())
    }

    /// The next thing to try; none when there is no more, or no point in it.
    pub(super) fn next(&self) -> Option<super::schedule::Job> {
        if self.is_over() {
            return None;
        }
        let mut state = self.state.borrow_mut();
        if self.options.cases.is_some_and(|cases| state.cases >= cases) {
            state.ended.get_or_insert(Ended::Budget);
            return None;
        }
        let job = state.schedule.next();
        state.cases += u64::from(job.is_some());
        job
    }

    /// Whether there is no point in sending anything more, not even to finish what was begun.
    pub(super) fn is_called_off(&self) -> bool {
        matches!(self.state.borrow().ended, Some(Ended::GaveUp { .. } | Ended::Interrupted))
    }

    /// Whether it ends now; a failure that is known by then is still repeated.
    pub(super) fn is_over(&self) -> bool {
        self.is_late(Duration::ZERO) || self.state.borrow().ended.is_some()
    }

    /// Whether its time will be used up after a wait, so that it ends now.
    pub(super) fn is_late(&self, wait: Duration) -> bool {
        let is_late = self.deadline.is_some_and(|deadline| Instant::now() + wait >= deadline);
        if is_late {
            self.state.borrow_mut().ended.get_or_insert(Ended::Budget);
        }
        is_late
    }

    /// Whether even what comes after its cases has no time for a wait.
    pub(super) fn is_too_late(&self, wait: Duration) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() + wait >= deadline + CLEANUP)
    }

    /// Ends it; what was found by then cannot be repeated.
    pub(super) fn give_up(&self, why: &str) {
        if !self.is_called_off() {
            self.state.borrow_mut().ended = Some(Ended::GaveUp { why: why.to_owned() });
        }
    }

    pub(super) fn note(&self, note: &str) {
        if self.state.borrow_mut().note(note) {
            self.observer.borrow_mut().noted(note);
        }
    }

    pub(super) fn found(&self, finding: &super::Finding) {
        self.observer.borrow_mut().found(finding);
    }

    /// A text that no two things have: as long as another one where that can be.
    pub(super) fn fresh(&self, was: &str) -> String {
        let number = {
            let mut state = self.state.borrow_mut();
            state.fresh += 1;
            state.fresh
        };
        let unique = format!("u{:x}n{number:x}", self.nonce);
        let (local, domain) = was.rsplit_once('@').unwrap_or((was, ""));
        let domain = if domain.is_empty() { String::new() } else { format!("@{domain}") };
        let missing = local.chars().count().saturating_sub(unique.len());
        format!("{unique}{}{domain}", "x".repeat(missing))
    }

    /// What the checks say of a trial; they are counted and told.
    pub(super) fn judge(&self, ready: &Ready, trial: &Trial, worker: &Worker<'_, '_>) -> Vec<Verdict> {
        let is_certain = |trial: &Trial| self.is_certain(ready, trial, worker);
        let view = self.view(ready, &is_certain);
        let verdicts = checks::verdicts(trial, &view, &self.options.skip);
        let progress = {
            let mut state = self.state.borrow_mut();
            state.count(ready.position, &verdicts);
            state.progress(self.options.cases)
        };
        let mut observer = self.observer.borrow_mut();
        observer.tried(trial, &verdicts);
        observer.progressed(&progress);
        verdicts
    }

    pub(super) fn view<'v>(&'v self, ready: &Ready, is_certain: &'v dyn Fn(&Trial) -> bool) -> View<'v> {
        View {
            contract: self.contract,
            operation: &self.contract.operations()[ready.position],
            judge: &self.judge,
            counted: self.options.counted,
            timeout: self.options.timeout,
            secrets: &self.secrets,
            is_verified: self.options.client_secret.is_some(),
            is_certain,
        }
    }

    /// Counts and tells what a check says that does not look at every answer.
    pub(super) fn say(&self, ready: &Ready, trial: &Trial, verdict: &Verdict) {
        self.state.borrow_mut().add(ready.position, verdict, false);
        self.observer.borrow_mut().tried(trial, std::slice::from_ref(verdict));
    }

    /// Whether a request that is valid by the contract is certainly valid for this server.
    fn is_certain(&self, ready: &Ready, trial: &Trial, worker: &Worker<'_, '_>) -> bool {
        let operation = &self.contract.operations()[ready.position];
        let accepted = self.state.borrow().accepted[ready.position].clone();
        let is_taken = accepted.is_some() || ready.is_all_set;
        if !is_taken || !worker.knows(ready, trial) || !self.knows_references(ready, trial, worker) {
            return false;
        }
        let request = &trial.sent.request;
        let rest = match &accepted {
            Some(accepted) => plain::rest(&accepted.request, request),
            None => Some(request.clone()),
        };
        let Some(rest) = rest else {
            return true;
        };
        let doubts = Doubts::of(operation, &rest);
        let is_plain =
            !doubts.is_odd || trial.why == Why::Sample || self.options.counted == super::Counted::All;
        doubts.readings.is_empty() && is_plain
    }

    /// Whether every id in a body is one that was set, made, or taken before.
    fn knows_references(&self, ready: &Ready, trial: &Trial, worker: &Worker<'_, '_>) -> bool {
        if ready.references.is_empty() {
            return true;
        }
        let Some(body) = source::json(&trial.sent.request.body) else {
            return false;
        };
        let accepted = self.state.borrow().accepted[ready.position].clone().or(ready.control.clone());
        let accepted = accepted.and_then(|case| source::json(&case.request.body));
        let mut knows = true;
        for pointer in &ready.references {
            pointer.each(&body, &mut |at, value| {
                let Some(id) = value.as_str() else { return };
                let is_same = accepted.as_ref().and_then(|accepted| accepted.pointer(at)) == Some(value);
                knows &= is_same || worker.has(id) || self.options.set.iter().any(|(_, set)| set == id);
            });
        }
        knows
    }

    /// Counts which reading of the documentation an answer takes.
    pub(super) fn read(&self, ready: &Ready, trial: &Trial, worker: &Worker<'_, '_>) {
        let answer = &trial.answer;
        if !(answer.is_accepted() || answer.is_refused())
            || matches!(answer.status(), Some(401 | 403 | 404 | 408 | 429))
        {
            return;
        }
        let operation = &self.contract.operations()[ready.position];
        let doubts = Doubts::of(operation, &trial.sent.request);
        let [ledger] = doubts.readings.as_slice() else { return };
        let is_sure = answer.is_accepted()
            || !doubts.is_odd
                && self.state.borrow().accepted[ready.position].is_some()
                && worker.knows(ready, trial)
                && self.knows_references(ready, trial, worker);
        if is_sure {
            self.state.borrow_mut().read(ledger, answer.is_accepted());
        }
    }
}

/// Waits for all of them, side by side.
async fn join(all: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut all: Vec<Option<Pin<Box<_>>>> = all.map(|future| Some(Box::pin(future))).collect();
    std::future::poll_fn(|cx| {
        let mut is_done = true;
        for slot in &mut all {
            if let Some(future) = slot {
                match future.as_mut().poll(cx) {
                    Poll::Ready(()) => *slot = None,
                    Poll::Pending => is_done = false,
                }
            }
        }
        if is_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
