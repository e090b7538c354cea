//! The scripts that there are, in their order.

use std::{
    collections::HashSet,
    fmt,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    counts::Counts,
    limit::RateLimit,
    mistake::{Mistake, ScriptError},
    plan::Plan,
    reader::{self, Rules},
};
use crate::{Contract, Errors, judge::Judge};

/// How scripts act.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScriptSettings {
    /// What chance is drawn from: the same seed, the same faults and delays.
    pub seed: u64,
    /// How many requests an account may send in a minute; any number when it is not set, or the contract knows no limit.
    pub rate_limit: Option<NonZeroU32>,
    /// The longest delay that a script may ask for by name; no reply waits longer than
    /// [`Settings::max_delay`](crate::Settings::max_delay) says.
    pub max_delay: Duration,
    /// The wording of refusals, whose samples a script may name; those of all, when it is not known.
    pub errors: Option<Errors>,
}

impl Default for ScriptSettings {
    /// Seed 0, no limit, five minutes, any wording.
    fn default() -> Self {
        Self { seed: 0, rate_limit: None, max_delay: Duration::from_secs(300), errors: None }
    }
}

/// The scripts of a server, in the order in which they are asked. It knows no clock but the times of the requests, and no
/// chance but its seed.
///
/// ```
/// use standin::{Change, Contract, Request, Script, ScriptSettings, Scripts, Settings, Stub};
///
/// let contract = Contract::builtin();
/// let stub = Stub::new(contract.clone(), Settings::default());
/// let scripts = Scripts::new(&contract, ScriptSettings::default());
/// let now = jiff::Timestamp::now();
/// scripts.add(&Script::any().times(1).reply(503).into(), now)?;
///
/// let mut exchange = stub.respond(Request::new("GET", "/nowhere"));
/// scripts.act(&stub, &mut exchange, &mut Change::default());
///
/// assert_eq!(exchange.reply.status, 503);
/// assert_eq!(exchange.scripted.unwrap().decided.unwrap().status, 404);
/// # Ok::<(), standin::ScriptError>(())
/// ```
pub struct Scripts {
    pub(super) contract: Arc<Contract>,
    pub(super) settings: ScriptSettings,
    /// Whether there is nothing to do, which is quicker to see than an empty list.
    pub(super) is_idle: AtomicBool,
    list: RwLock<List>,
    pub(super) counts: Mutex<Counts>,
    pub(super) limit: Option<Mutex<RateLimit>>,
    /// Judge what is sent instead, by each operation, and last by all together for what reaches none. Those of an operation are
    /// made with the first script about it, so that no session waits for that, and others when there is something to judge.
    pub(super) judges: Vec<OnceLock<Option<Judge>>>,
}

#[derive(Clone, Debug, Default)]
struct List {
    entries: Arc<Vec<Arc<Entry>>>,
    /// How many scripts were added, ever; each has the number of its own.
    added: u64,
    /// How many ids were made up since the list was last empty or replaced.
    named: u64,
}

/// A script in its place.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(super) number: u64,
    pub(super) id: Arc<str>,
    pub(super) plan: Plan,
    pub(super) until: Option<Timestamp>,
    bytes: usize,
    pub(super) matched: AtomicU64,
    pub(super) acted: AtomicU64,
}

/// Where scripts go.
enum To<'a> {
    End,
    /// In the place of all that there are.
    InPlaceOfAll,
    /// In the place of the one with this id, or at the end.
    InPlaceOf(&'a str),
}

impl Scripts {
    /// How many scripts there may be.
    pub const MOST: usize = 1000;

    /// How much a script may take, in bytes: its JSON, and what its values take that are compared or merged with.
    pub const MOST_BYTES_EACH: usize = 1024 * 1024;

    /// How much they may take together.
    pub const MOST_BYTES: usize = 16 * 1024 * 1024;

    /// No scripts yet.
    pub fn new(contract: &Arc<Contract>, settings: ScriptSettings) -> Self {
        let limit = settings.rate_limit.filter(|_| contract.has_rate_limit());
        Self {
            contract: Arc::clone(contract),
            is_idle: AtomicBool::new(limit.is_none()),
            limit: limit.map(|most| Mutex::new(RateLimit::new(most))),
            settings,
            list: RwLock::default(),
            counts: Mutex::default(),
            judges: (0..=contract.operations().len()).map(|_| OnceLock::new()).collect(),
        }
    }

    /// How they act.
    pub fn settings(&self) -> &ScriptSettings {
        &self.settings
    }

    /// Adds a script, or those of a preset (`{"preset": NAME}`), at the end, and tells their ids. `now` is when its time
    /// begins, when it has one.
    ///
    /// # Errors
    ///
    /// All that is wrong with it; when there is one of its id; when there are too many.
    pub fn add(&self, script: &Value, now: Timestamp) -> Result<Vec<String>, ScriptError> {
        self.change(reader::one(&self.rules(), script)?, now, &To::End)
    }

    /// Adds all scripts of a document, `{"scripts": […]}`.
    ///
    /// # Errors
    ///
    /// As [`Scripts::add`]; then none is added.
    pub fn add_all(&self, document: &Value, now: Timestamp) -> Result<Vec<String>, ScriptError> {
        self.change(reader::all(&self.rules(), document)?, now, &To::End)
    }

    /// The same in place of all that there are; counts begin anew.
    ///
    /// # Errors
    ///
    /// As [`Scripts::add`]; then all stay.
    pub fn replace(&self, document: &Value, now: Timestamp) -> Result<Vec<String>, ScriptError> {
        self.change(reader::all(&self.rules(), document)?, now, &To::InPlaceOfAll)
    }

    /// Puts a script in the place of the one with this id, or at the end; it counts from the beginning.
    ///
    /// # Errors
    ///
    /// As [`Scripts::add`], and when it has another id.
    pub fn put(&self, id: &str, script: &Value, now: Timestamp) -> Result<Vec<String>, ScriptError> {
        let mut script = script.clone();
        if let Some(members) = script.as_object_mut().filter(|members| !members.contains_key("preset")) {
            members.entry("id").or_insert_with(|| id.into());
        }
        let plans = reader::one(&self.rules(), &script)?;
        if let [plan] = plans.as_slice()
            && plan.id.as_deref() == Some(id)
        {
            return self.change(plans, now, &To::InPlaceOf(id));
        }
        let message = format!("expected one script with the id `{id}`, as the path has, but found another");
        Err(ScriptError::Wrong(vec![Mistake { pointer: "/id".into(), message }]))
    }

    /// Removes a script.
    ///
    /// # Errors
    ///
    /// When there is none of this id now.
    pub fn remove(&self, id: &str, now: Timestamp) -> Result<(), ScriptError> {
        if self.take(|entry| *entry.id == *id && entry.is_there(now)) {
            Ok(())
        } else {
            Err(self.unknown(id, now))
        }
    }

    /// Removes this one, if it is still there, and none that has got its id since.
    pub(crate) fn remove_entry(&self, own: &Entry) {
        self.take(|entry| entry.number == own.number);
    }

    fn take(&self, is_meant: impl Fn(&Entry) -> bool) -> bool {
        let mut list = self.write();
        let Some(index) = list.entries.iter().position(|entry| is_meant(entry)) else {
            return false;
        };
        let mut entries = Vec::clone(&list.entries);
        let gone = entries.remove(index);
        self.keep(&mut list, entries);
        lock(&self.counts).forget(gone.number);
        true
    }

    /// Removes all scripts, and tells how many there were now.
    pub fn clear(&self, now: Timestamp) -> usize {
        let mut list = self.write();
        let count = list.count(now);
        list.named = 0;
        self.keep(&mut list, Vec::new());
        lock(&self.counts).clear();
        count
    }

    /// How many scripts there are now.
    pub fn count(&self, now: Timestamp) -> usize {
        self.read().count(now)
    }

    /// The scripts that there are now, in order, each with what it was made from and its counts.
    pub fn list(&self, now: Timestamp) -> Vec<Value> {
        let entries = self.entries();
        let there = entries.iter().filter(|entry| entry.is_there(now));
        there.map(|entry| value(&entry.told())).collect()
    }

    /// The same as one JSON text.
    pub(crate) fn told(&self, now: Timestamp) -> String {
        let mut text = String::from("[");
        for entry in self.entries().iter().filter(|entry| entry.is_there(now)) {
            if text.len() > 1 {
                text.push(',');
            }
            text += &entry.told();
        }
        text + "]"
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// When there is none of this id.
    pub fn get(&self, id: &str, now: Timestamp) -> Result<Value, ScriptError> {
        let found = self.entries().iter().find(|entry| *entry.id == *id).cloned();
        let found = found.filter(|entry| entry.is_there(now));
        found.map(|entry| value(&entry.told())).ok_or_else(|| self.unknown(id, now))
    }

    /// The ids of those that have acted on nothing so far.
    pub fn never_acted(&self, now: Timestamp) -> Vec<String> {
        let entries = self.entries();
        let idle = |entry: &&Arc<Entry>| entry.is_there(now) && entry.acted() == 0;
        entries.iter().filter(idle).map(|entry| entry.id.to_string()).collect()
    }

    /// How often a script has acted; none when it is not there.
    pub fn acted(&self, id: &str) -> Option<u64> {
        let entries = self.entries();
        entries.iter().find(|entry| *entry.id == *id).map(|entry| entry.acted())
    }

    /// Adds a script, and hands it out.
    pub(crate) fn add_entry(&self, script: &Value, now: Timestamp) -> Result<Arc<Entry>, ScriptError> {
        let mut added = self.put_in(reader::one(&self.rules(), script)?, now, &To::End)?;
        // Only a preset has several, and none has no script.
        Ok(added.swap_remove(0))
    }

    fn change(&self, plans: Vec<Plan>, now: Timestamp, to: &To) -> Result<Vec<String>, ScriptError> {
        let added = self.put_in(plans, now, to)?;
        Ok(added.iter().map(|entry| entry.id.to_string()).collect())
    }

    /// Puts scripts where they go, and tells which they have become.
    fn put_in(&self, plans: Vec<Plan>, now: Timestamp, to: &To) -> Result<Vec<Arc<Entry>>, ScriptError> {
        // What takes long is done before anybody has to wait for it.
        let drafts: Vec<_> = plans.into_iter().map(|plan| Entry::new(plan, now)).collect::<Result<_, _>>()?;
        for entry in &drafts {
            self.prepare(&entry.plan);
        }
        // And what is freed is freed after that.
        let mut gone = Vec::new();
        let mut list = self.write();
        let mut next = list.clone();
        let mut entries = Vec::clone(&list.entries);
        // Those whose time is over have gone.
        entries.retain(|entry| entry.is_there(now));
        let mut at = entries.len();
        match to {
            To::End => {}
            To::InPlaceOfAll => {
                entries.clear();
                (at, next.named) = (0, 0);
            }
            To::InPlaceOf(id) => {
                if let Some(index) = entries.iter().position(|entry| *entry.id == **id) {
                    entries.remove(index);
                    at = index;
                }
            }
        }
        let mut taken: HashSet<_> = entries.iter().map(|entry| Arc::clone(&entry.id)).collect();
        let mut added = Vec::new();
        for mut entry in drafts {
            entry.id = match &entry.plan.id {
                Some(id) if taken.contains(id.as_str()) => return Err(ScriptError::Taken(id.clone())),
                Some(id) => id.as_str().into(),
                None => loop {
                    next.named += 1;
                    let id = format!("script-{}", next.named);
                    if !taken.contains(id.as_str()) {
                        break id.into();
                    }
                },
            };
            next.added += 1;
            entry.number = next.added;
            taken.insert(Arc::clone(&entry.id));
            let entry = Arc::new(entry);
            added.push(Arc::clone(&entry));
            entries.insert(at, entry);
            at += 1;
        }
        let bytes: usize = entries.iter().map(|entry| entry.bytes).sum();
        for (most, found, what) in
            [(Self::MOST, entries.len(), "scripts"), (Self::MOST_BYTES, bytes, "bytes of scripts")]
        {
            if found > most {
                return Err(ScriptError::too_many(most, found, what));
            }
        }
        (list.added, list.named) = (next.added, next.named);
        let kept: HashSet<_> = entries.iter().map(|entry| entry.number).collect();
        gone.extend(list.entries.iter().filter(|entry| !kept.contains(&entry.number)).cloned());
        self.keep(&mut list, entries);
        let mut counts = lock(&self.counts);
        for entry in &gone {
            counts.forget(entry.number);
        }
        Ok(added)
    }

    fn unknown(&self, id: &str, now: Timestamp) -> ScriptError {
        let entries = self.entries();
        let there = entries.iter().filter(|entry| entry.is_there(now));
        ScriptError::Unknown(id.to_owned(), there.map(|entry| entry.id.to_string()).collect())
    }

    fn rules(&self) -> Rules<'_> {
        let ScriptSettings { max_delay, errors, .. } = self.settings;
        Rules { contract: &self.contract, max_delay, errors }
    }

    fn keep(&self, list: &mut List, entries: Vec<Arc<Entry>>) {
        self.is_idle.store(entries.is_empty() && self.limit.is_none(), Ordering::Relaxed);
        list.entries = Arc::new(entries);
    }

    pub(super) fn entries(&self) -> Arc<Vec<Arc<Entry>>> {
        Arc::clone(&self.read().entries)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, List> {
        self.list.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, List> {
        self.list.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl List {
    fn count(&self, now: Timestamp) -> usize {
        self.entries.iter().filter(|entry| entry.is_there(now)).count()
    }
}

impl Entry {
    /// Under which exchanges name it.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// How often it has acted.
    pub(crate) fn acted(&self) -> u64 {
        self.acted.load(Ordering::Relaxed)
    }

    /// One that has no place yet, and no id.
    fn new(plan: Plan, now: Timestamp) -> Result<Self, ScriptError> {
        let bytes = plan.weight();
        if bytes > Scripts::MOST_BYTES_EACH {
            let most = Scripts::MOST_BYTES_EACH;
            return Err(ScriptError::Full(format!(
                "expected a script that takes at most {most} bytes, but found {bytes}"
            )));
        }
        let until = plan.lifetime.map(|lifetime| {
            let lifetime = SignedDuration::try_from(lifetime).unwrap_or(SignedDuration::MAX);
            now.checked_add(lifetime).unwrap_or(Timestamp::MAX)
        });
        Ok(Self {
            number: 0,
            id: "".into(),
            plan,
            until,
            bytes,
            matched: AtomicU64::new(0),
            acted: AtomicU64::new(0),
        })
    }

    fn is_there(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// What it was made from and its counts, as JSON.
    fn told(&self) -> String {
        let counts = json!({
            "id": &*self.id,
            "matched": self.matched.load(Ordering::Relaxed),
            "acted": self.acted(),
            "until": self.until.map(|until| until.to_string()),
        });
        let mut text = counts.to_string();
        text.pop();
        text + ",\"script\":" + &self.plan.source + "}"
    }
}

/// What [`Entry::told`] says; it nests as deep as what was read, and a little deeper.
fn value(told: &str) -> Value {
    let mut reader = serde_json::Deserializer::from_str(told);
    reader.disable_recursion_limit();
    Value::deserialize(&mut reader).unwrap_or_default()
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Scripts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripts").field("settings", &self.settings).finish_non_exhaustive()
    }
}
