//! What a campaign has found out so far.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    time::{Duration, Instant},
};

use super::{
    Check, Created, Ended, Finding, Outcome, Place, Progress, ReadingTaken, TakenReading, Tally,
    TriedOutcome, TriedRule, Verdict, ground::Ground, schedule::Schedule,
};
use crate::{BaseUrl, Contract, Rule, contract::LedgerKind, payload::Case};

/// What is found out while a campaign runs.
pub(super) struct State {
    pub(super) schedule: Schedule,
    /// The number of the next trial.
    pub(super) number: u64,
    pub(super) sent: u64,
    pub(super) cases: u64,
    pub(super) ended: Option<Ended>,
    /// By operation and check.
    tallies: Vec<[Tally; Check::ALL.len()]>,
    /// By operation and place.
    pub(super) rules: Vec<Vec<TriedRule>>,
    tried: u64,
    all_operations: usize,
    all_places: u64,
    /// What failed already.
    pub(super) known: HashMap<Key, Standing>,
    pub(super) findings: Vec<Finding>,
    pub(super) flaky: Vec<Finding>,
    /// How many more failures did not happen again each time.
    more_flaky: u64,
    /// How often requests that use an entry of the ledger were accepted and refused.
    readings: BTreeMap<String, (u64, u64)>,
    /// A valid request of each operation that was accepted, the simplest one where it was.
    pub(super) accepted: Vec<Option<Case>>,
    /// Whether a valid request of an operation got a reply.
    pub(super) replied: Vec<bool>,
    /// Operations and rules of which it is known whether a connection survives what breaks them.
    pub(super) followed: HashSet<(usize, Option<Rule>)>,
    /// Whether a reply may be followed by what belongs to no request, so that every request has its own connection.
    pub(super) is_brittle: bool,
    pub(super) notes: Vec<String>,
    pub(super) made: u64,
    pub(super) deleted: u64,
    /// What was made and is still there, as far as is known.
    pub(super) things: VecDeque<Made>,
    /// How many things may be there before the oldest are deleted; more when some could not be.
    pub(super) clean_at: usize,
    /// Resources and ids that requests are about now.
    pub(super) in_use: HashSet<(usize, String)>,
    /// How many requests in a row were limited however often they were sent.
    pub(super) limited: u32,
    /// Kinds of requests of which one was limited however long it waited.
    limited_kinds: HashSet<Kind>,
    /// The wait for which there was no time, so that cases were left out.
    pub(super) cut_short: Option<Duration>,
    /// Numbers for what must not be alike.
    pub(super) fresh: u64,
}

/// What a failure is about: one finding has one.
pub(super) type Key = (Check, usize, Place);

/// What requests a server may limit for good: those for an operation that break a rule, or none.
pub(super) type Kind = (usize, Option<Rule>);

/// What became of a failure.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Standing {
    /// How many requests failed so.
    seen: u64,
    /// How often it was looked into.
    tries: u32,
    /// Whether it is being looked into.
    is_open: bool,
    /// The position of its finding, once there is one.
    finding: Option<usize>,
}

/// How many things may be there before the oldest are deleted.
pub(super) const MOST_THINGS: usize = 256;
/// How many things are kept in mind.
pub(super) const MOST_KEPT: usize = 1000;
/// How many failures are listed that did not happen again each time.
const MOST_FLAKY: usize = 100;
/// When what breaks a rule is limited for good at so many operations, no other one is tried.
const MOST_OPERATIONS: usize = 3;
/// How often a failure is looked into that was not confirmed.
const TRIES: u32 = 3;

/// Something that was made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Made {
    pub(super) resource: usize,
    pub(super) id: String,
    /// The path of the request that made it.
    pub(super) path: String,
    /// The operation that made it.
    pub(super) by: usize,
}

impl State {
    pub(super) fn new(contract: &Contract, ground: &Ground, schedule: Schedule) -> Self {
        let rules = ground.operations.iter().map(|ready| {
            let operation = &contract.operations()[ready.position];
            let places = ready.places.iter().filter(|_| ready.is_chosen);
            let tried = places.map(|place| TriedRule {
                operation: operation.id.to_string(),
                rule: place.rule,
                operator: place.operator.name().to_owned(),
                pointer: place.pointer.clone(),
                outcome: TriedOutcome::NotTried,
            });
            tried.collect()
        });
        let count = ground.operations.len();
        Self {
            schedule,
            number: 0,
            sent: 0,
            cases: 0,
            ended: None,
            tallies: vec![[Tally::default(); Check::ALL.len()]; count],
            rules: rules.collect(),
            tried: 0,
            all_operations: ground.chosen().count(),
            all_places: ground.places() as u64,
            known: HashMap::new(),
            findings: Vec::new(),
            flaky: Vec::new(),
            more_flaky: 0,
            readings: BTreeMap::new(),
            accepted: (0..count).map(|_| None).collect(),
            replied: vec![false; count],
            followed: HashSet::new(),
            is_brittle: false,
            notes: Vec::new(),
            made: 0,
            deleted: 0,
            things: VecDeque::new(),
            clean_at: MOST_THINGS,
            in_use: HashSet::new(),
            limited: 0,
            limited_kinds: HashSet::new(),
            cut_short: None,
            fresh: 0,
        }
    }

    /// Counts what the checks say of an answer.
    pub(super) fn count(&mut self, operation: usize, verdicts: &[Verdict]) {
        let own = &mut self.tallies[operation];
        for tally in own.iter_mut() {
            tally.silent += 1;
        }
        for verdict in verdicts {
            self.add(operation, verdict, true);
        }
    }

    /// Counts what a check says that does not look at every answer.
    pub(super) fn add(&mut self, operation: usize, verdict: &Verdict, was_silent: bool) {
        let tally = &mut self.tallies[operation][verdict.check as usize];
        tally.silent -= u64::from(was_silent);
        match verdict.failed {
            None => tally.passed += 1,
            Some(_) => tally.failed += 1,
        }
    }

    /// Notes what came of breaking a rule at a place.
    pub(super) fn tried(
        &mut self,
        operation: usize,
        place: usize,
        outcome: TriedOutcome,
        pointer: Option<String>,
    ) {
        let own = &mut self.rules[operation][place];
        if own.outcome == TriedOutcome::NotTried && outcome != TriedOutcome::NotTried {
            self.tried += 1;
        }
        // What was accepted once is worth more than that it was refused another time.
        let worth = |outcome| match outcome {
            TriedOutcome::NotTried => 0,
            TriedOutcome::Unproved => 1,
            TriedOutcome::Refused => 2,
            TriedOutcome::Other => 3,
            TriedOutcome::Accepted => 4,
        };
        if worth(outcome) > worth(own.outcome) {
            own.outcome = outcome;
        }
        if let Some(pointer) = pointer.filter(|_| own.pointer.is_empty()) {
            own.pointer = pointer;
        }
    }

    /// Whether there is no need to look into a failure; it is counted, and somebody looks into it when there is.
    pub(super) fn is_known(&mut self, key: Key) -> bool {
        let standing = self.known.entry(key).or_default();
        standing.seen += 1;
        if let Some(at) = standing.finding {
            self.findings[at].count = standing.seen;
            return true;
        }
        if standing.is_open || standing.tries == TRIES {
            return true;
        }
        standing.tries += 1;
        standing.is_open = true;
        false
    }

    /// A failure was looked into and is no finding; another one like it may be.
    pub(super) fn let_go(&mut self, key: &Key) {
        if let Some(standing) = self.known.get_mut(key) {
            standing.is_open = false;
        }
    }

    /// A failure is a finding.
    pub(super) fn keep(&mut self, key: Key, mut finding: Finding) {
        let standing = self.known.entry(key).or_default();
        standing.finding = Some(self.findings.len());
        finding.count = standing.seen.max(1);
        self.flaky.retain(|flaky| flaky.fingerprint != finding.fingerprint);
        self.findings.push(finding);
    }

    /// A failure did not happen again each time. It is told once, as it was when it failed most.
    pub(super) fn keep_flaky(&mut self, finding: Finding) {
        let is_full = self.flaky.len() >= MOST_FLAKY;
        let known = self.flaky.iter_mut().find(|flaky| flaky.fingerprint == finding.fingerprint);
        match known {
            Some(known) if known.failed >= finding.failed => {}
            Some(known) => *known = finding,
            None if is_full => self.more_flaky += 1,
            None => self.flaky.push(finding),
        }
    }

    /// Whether requests of a kind are limited however long they wait.
    pub(super) fn is_limited(&self, kind: Kind) -> bool {
        let (_, rule) = kind;
        let operations = self.limited_kinds.iter().filter(|(_, other)| rule.is_some() && *other == rule);
        self.limited_kinds.contains(&kind) || operations.count() >= MOST_OPERATIONS
    }

    /// Keeps in mind that they are; says whether it was not known.
    pub(super) fn keep_limited(&mut self, kind: Kind) -> bool {
        !self.is_limited(kind) && self.limited_kinds.insert(kind)
    }

    /// Notes that a request which uses an entry of the ledger was accepted or refused.
    pub(super) fn read(&mut self, ledger: &str, is_accepted: bool) {
        let (accepted, refused) = self.readings.entry(ledger.to_owned()).or_default();
        *(if is_accepted { accepted } else { refused }) += 1;
    }

    /// Says something once.
    pub(super) fn note(&mut self, note: &str) -> bool {
        let is_new = !self.notes.iter().any(|other| other == note);
        if is_new {
            self.notes.push(note.to_owned());
        }
        is_new
    }

    pub(super) fn progress(&self, budget: Option<u64>) -> Progress {
        Progress {
            operations: self.schedule.operation(),
            all_operations: self.all_operations,
            places: self.tried,
            all_places: self.all_places,
            sent: self.sent,
            cases: self.cases,
            budget,
            findings: self.findings.len(),
        }
    }

    /// What came of it all.
    pub(super) fn outcome(self, contract: &Contract, target: &BaseUrl, seed: u64, start: Instant) -> Outcome {
        let name = |position: usize| contract.operations()[position].id.to_string();
        let mut outcome = Outcome::new(target, seed);
        let mut findings = self.findings;
        let order =
            |finding: &Finding| contract.operations().iter().position(|own| *own.id == finding.operation);
        findings.sort_by_cached_key(|finding| {
            (finding.severity, finding.check, order(finding), finding.place.clone())
        });
        let own = self.tallies.iter().enumerate();
        let own = own.filter(|(_, tallies)| {
            tallies.iter().any(|tally| tally.passed + tally.failed + tally.silent > 0)
        });
        outcome.checks = own
            .map(|(position, tallies)| {
                let tallies = Check::ALL.iter().map(|check| (*check, tallies[*check as usize]));
                (name(position), tallies.collect())
            })
            .collect();
        let takes_any = self.accepted.iter().any(Option::is_some);
        let mut rules = self.rules.iter().flatten();
        let is_left = rules.any(|tried| tried.outcome == TriedOutcome::NotTried);
        outcome.ended = match (self.ended, self.cut_short) {
            (Some(Ended::Budget), Some(wait)) if is_left => Ended::GaveUp {
                why: format!("the server asks to wait for {wait:?}, and there is less time left"),
            },
            (None | Some(Ended::Budget | Ended::Exhausted), _) if !takes_any => {
                Ended::GaveUp { why: "no operation accepted a valid request".into() }
            }
            (ended, _) => ended.unwrap_or(Ended::Exhausted),
        };
        outcome.micros = start.elapsed();
        outcome.sent = self.sent;
        outcome.cases = self.cases;
        outcome.rules = self.rules.into_iter().flatten().collect();
        outcome.findings = findings;
        outcome.flaky = self.flaky;
        outcome.readings = taken(contract, &self.readings);
        outcome.created = Created {
            made: self.made,
            deleted: self.deleted,
            left: self.things.iter().map(|made| (name(made.by), made.id.clone())).collect(),
        };
        outcome.notes = self.notes;
        if self.more_flaky > 0 {
            outcome.notes.push(format!("{} more failures that are flaky are not listed", self.more_flaky));
        }
        outcome
    }
}

/// Which reading the server takes of each entry of the ledger that a request can make use of.
fn taken(contract: &Contract, seen: &BTreeMap<String, (u64, u64)>) -> Vec<ReadingTaken> {
    let entries = contract.ledger().iter().filter(|entry| entry.kind == LedgerKind::Accepted);
    let taken = entries.map(|entry| {
        let (accepted, refused) = seen.get(&entry.id).copied().unwrap_or_default();
        let takes = match (accepted, refused) {
            (1.., 0) => TakenReading::This,
            (0, 1..) => TakenReading::Other,
            _ => TakenReading::Unknown,
        };
        let evidence = if accepted + refused == 0 {
            "no request shows it".into()
        } else {
            format!("of the requests that use it, {accepted} were accepted and {refused} refused")
        };
        ReadingTaken { ledger: entry.id.clone(), title: entry.title.clone(), takes, evidence }
    });
    taken.collect()
}
