//! The stub: one synchronous function decides what a request gets.
//!
//! The steps stand in the order in which they answer: [`route`], [`authorize`], [`body`], [`validate`], [`answer`].
//! The first that finds something wrong ends it, and [`profile`] words the refusal.

mod answer;
mod arguments;
mod authorize;
mod body;
mod effect;
mod findings;
mod hints;
mod inputs;
mod names;
mod prefer;
mod profile;
mod readings;
mod room;
mod route;
mod spellings;
mod validate;
mod verdict;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use answer::Prepared;
use effect::{Run, Splice};
use findings::Findings;
use inputs::Inputs;
use prefer::Wish;
use profile::Profile;
use verdict::{Decision, Refusal, Sent, Verdict};

pub use body::{BodyCheck, check_body};

use bytes::Bytes;

use crate::{
    Contract, Errors, Exchange, Headers, Reading, Reply, Request, Scripted, Step, Touched,
    state::{Change, Draft, Session, StateSettings},
    token::Secret,
};

/// Answers requests by a contract, without sockets, clock, threads or randomness: the same request always
/// gets the same exchange.
///
/// ```
/// use standin::{Contract, Request, Settings, Stub};
///
/// let stub = Stub::new(Contract::builtin(), Settings::default());
/// let exchange = stub.respond(Request::new("GET", "/nowhere"));
/// assert_eq!(exchange.reply.status, 404);
/// assert_eq!(exchange.violations[0].pointer, "/path");
/// ```
#[derive(Debug)]
pub struct Stub {
    contract: Arc<Contract>,
    settings: Settings,
    profile: Profile,
    /// The prepared replies of each operation, in the contract's order.
    replies: Vec<Prepared>,
    /// The token that was accepted last.
    token: authorize::Last,
    /// How the records of each operation become its replies, for those that splice them.
    splices: Vec<OnceLock<Option<Splice>>>,
}

/// How strict a stub is, and how it words its refusals.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The wording of refusals.
    pub errors: Errors,
    /// What the validation step does.
    pub checks: Checks,
    /// Whether refusals carry the violations.
    pub detail: bool,
    /// Which tokens are accepted.
    pub token: TokenPolicy,
    /// The largest body, in bytes.
    pub max_body: usize,
    /// The longest time that a reply may be held back by what is to happen to it on its way.
    pub max_delay: Duration,
    /// How what is created is remembered; without it every request gets its sample.
    pub state: Option<StateSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            errors: Errors::Vendor,
            checks: Checks::Enforce,
            detail: true,
            token: TokenPolicy::WellFormed,
            max_body: 1024 * 1024,
            max_delay: Duration::from_secs(5 * 60),
            state: None,
        }
    }
}

/// What the validation step does. Routing, token and JSON are enforced always.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Checks {
    /// Refuse what breaks the contract.
    Enforce,
    /// Do not look.
    Off,
    /// Answer the sample all the same, and record the violations.
    Report,
}

/// Which tokens are accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TokenPolicy {
    /// Any value, as long as it is there once.
    Any,
    /// A JWT signed HS256 with this secret, not expired, with an `appId`.
    Verified(Secret),
    /// A JWT with an `appId`, whoever signed it.
    WellFormed,
}

impl Stub {
    /// A stub that answers by `contract`; with the vendor's wording when the contract has no refusals in the wording
    /// of the settings, as [`Contract::words`] tells.
    pub fn new(contract: Arc<Contract>, mut settings: Settings) -> Self {
        if contract.words(settings.errors).is_err() {
            settings.errors = Errors::Vendor;
        }
        let profile = Profile::new(&contract, settings.errors, settings.detail);
        let replies =
            contract.operations().iter().map(|operation| Prepared::new(operation, &profile)).collect();
        let splices = contract.operations().iter().map(|_| OnceLock::new()).collect();
        Self { contract, settings, profile, replies, token: authorize::Last::default(), splices }
    }

    /// The contract that it answers by.
    pub fn contract(&self) -> &Arc<Contract> {
        &self.contract
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Decides what a request gets, and says why; no session remembers anything of it.
    pub fn respond(&self, request: Request) -> Exchange {
        self.decide(&Session::default(), self.check(request)).0
    }

    /// Checks a request against the contract: all that comes before the answer, which no state has a part in.
    pub fn check(&self, request: Request) -> Checked {
        let verdict = self.judge(&request);
        Checked { request, verdict }
    }

    /// Whether the answer changes nothing, and takes a look at much of what the session has in some place.
    pub(crate) fn looks_at_many(&self, checked: &Checked) -> bool {
        let Decision::Accepted { index, inputs, .. } = &checked.verdict.decision else {
            return false;
        };
        let effect = self.contract.operations()[*index].effect.as_ref();
        self.settings.state.is_some()
            && effect.is_some_and(|effect| effect.looks_at_many(|source| inputs.of_source(source)))
    }

    /// Answers a request that was checked by this stub, and says what that changes in its session.
    pub fn decide(&self, session: &Session, checked: Checked) -> (Exchange, Change) {
        self.decide_within(session, checked, usize::MAX)
    }

    /// The same, in a session that may grow by `room` bytes at most, beside its own bounds.
    pub fn decide_within(&self, session: &Session, checked: Checked, room: usize) -> (Exchange, Change) {
        let Checked { request, verdict } = checked;
        let Verdict { operation, mut step, mut findings, mut readings, decision } = verdict;
        let wish = Wish::of(&request);
        let mut applied = Vec::new();
        let (mut reply, change, state) = match decision {
            Decision::Accepted { index, body, inputs } => {
                let accepted =
                    Accepted { index, body, inputs, request: &request, wish: &wish, session, room };
                let answer = self.answer(accepted, &mut readings);
                if let Some(refused) = answer.refused {
                    step = Step::State;
                    findings = refused;
                }
                applied = answer.applied;
                (answer.reply, answer.change, answer.state)
            }
            Decision::Refused(reply) => (reply, Change::default(), None),
        };
        let course = wish.course(self.settings.max_delay, &mut applied);
        headers_of_request(&mut reply, &applied, &readings);
        let scripted = (!course.is_usual()).then(|| Box::new(Scripted { course, ..Scripted::default() }));
        let exchange = Exchange {
            request,
            reply,
            operation,
            step,
            violations: findings.violations,
            more_violations: findings.truncated,
            readings,
            state,
            scripted,
        };
        (exchange, change)
    }

    /// Answers a request that nothing is wrong with, as far as that can be told without its session.
    fn answer(&self, accepted: Accepted, readings: &mut Vec<Reading>) -> Answer {
        let Accepted { index, mut body, inputs, request, wish, session, room } = accepted;
        let spec = &self.contract.operations()[index];
        let errors = self.settings.errors;
        let preferred = Prepared::prefer(spec, wish, errors);
        let mut answer = Answer::default();
        let mut shown = None;
        if let (Some(settings), Some(effect)) = (&self.settings.state, &spec.effect) {
            let mut state = Touched { before: session.version(), after: session.version(), resource: None };
            let run = Run {
                contract: &self.contract,
                operation: spec,
                effect,
                settings,
                inputs: &inputs,
                draft: Draft::new(session, request.received),
                splice: &self.splices[index],
                room,
                readings,
            };
            // What is only looked at is never what a session is to remember.
            let mut none = None;
            let sent = if let Sent::Read(sent) = &mut body { sent } else { &mut none };
            match run.run(sent) {
                Ok(_) if spec.replies[preferred.status].status >= 400 => {}
                Ok(done) => {
                    state.after = state.after.wrapping_add(u64::from(!done.change.is_empty()));
                    state.resource = done.touched;
                    answer.change = done.change;
                    shown = done.shown;
                }
                Err(refused) => {
                    answer.reply = self.profile.refusal(Some(index), refused.cause, &refused.findings);
                    answer.refused = Some(refused.findings);
                    answer.state = Some(Box::new(state));
                    return answer;
                }
            }
            answer.state = Some(Box::new(state));
        }
        let is_plain = preferred.example.is_none() && preferred.status == spec.success();
        answer.reply = match shown.filter(|_| is_plain) {
            Some(shown) => self.replies[index].success(spec, shown),
            None => self.replies[index].sample(spec, &preferred, request, &body, errors, readings),
        };
        answer.applied = preferred.applied;
        answer
    }

    /// A sample reply of an operation, in the wording of the settings: the one of this name, or the first with this status.
    /// Where the operation has none such, or there is none, it is that of the first operation which has.
    pub(crate) fn sample(
        &self,
        operation: Option<&str>,
        status: Option<u16>,
        example: Option<&str>,
    ) -> Option<Reply> {
        let all = || self.contract.operations().iter().zip(&self.replies);
        let own = all().filter(|(spec, _)| operation == Some(&*spec.id));
        own.chain(all())
            .find_map(|(spec, prepared)| prepared.find(spec, status, example, self.settings.errors))
            .cloned()
    }

    /// Gives a reply that is sent instead of the decided one what holds of the request whatever it gets.
    pub(crate) fn say_of_request(&self, reply: &mut Reply, exchange: &Exchange) {
        let mut applied = Vec::new();
        Wish::of(&exchange.request).course(self.settings.max_delay, &mut applied);
        headers_of_request(reply, &applied, &exchange.readings);
    }

    /// Whether a request says itself how long its reply is to wait, be it not at all.
    pub(crate) fn is_asked_to_wait(&self, request: &Request) -> bool {
        Wish::of(request).has_delay(self.settings.max_delay)
    }
}

/// A request with what the contract says about it, still to be answered.
#[derive(Debug)]
pub struct Checked {
    request: Request,
    verdict: Verdict,
}

/// A request that is to be answered, and the session that it belongs to.
struct Accepted<'a> {
    index: usize,
    body: Sent,
    inputs: Inputs,
    request: &'a Request,
    wish: &'a Wish,
    session: &'a Session,
    room: usize,
}

/// The answer to such a request.
struct Answer {
    reply: Reply,
    change: Change,
    state: Option<Box<Touched>>,
    /// What is said about the preferences of the request.
    applied: Vec<String>,
    /// Why the session refuses it.
    refused: Option<Findings>,
}

impl Default for Answer {
    fn default() -> Self {
        let reply = Reply { status: 200, headers: Headers::default(), body: Bytes::new() };
        Self { reply, change: Change::default(), state: None, applied: Vec::new(), refused: None }
    }
}

/// The reply header that lists the ledger entries which a request makes use of.
const LEDGER_HEADER: &str = "x-standin-ledger";

/// The reply header that says what was done of a request's preferences.
const APPLIED_HEADER: &str = "preference-applied";

/// Says in a reply what was done of the preferences, and what the request makes use of.
fn headers_of_request(reply: &mut Reply, applied: &[String], readings: &[Reading]) {
    if !applied.is_empty() {
        reply.headers.push(APPLIED_HEADER, applied.join(", ").as_bytes());
    }
    ledger_header(reply, readings);
}

/// Names the ledger entries behind the readings, each once, in order.
fn ledger_header(reply: &mut Reply, readings: &[Reading]) {
    let mut ids = String::new();
    for (index, reading) in readings.iter().enumerate() {
        let is_new = readings[..index].iter().all(|other| other.ledger != reading.ledger);
        if is_new && !reading.ledger.is_empty() {
            let separator = if ids.is_empty() { "" } else { ", " };
            ids += separator;
            ids += &reading.ledger;
        }
    }
    if !ids.is_empty() {
        reply.headers.push(LEDGER_HEADER, ids.as_bytes());
    }
}
