//! A script as tests in Rust write it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::{Fault, course::text};

/// What is to become of some requests, in the same words as its JSON. It is read, and refused when it could never act,
/// when it is added: by [`Server::script`](crate::Server::script) or [`Scripts::add`](crate::Scripts::add).
///
/// ```
/// use std::time::Duration;
///
/// use standin::{Config, Fault, Script, Server};
///
/// let server = Server::start(Config::default()).unwrap();
/// // The second agent is one too many, and every queue takes its time.
/// let second = server.script(Script::on("createAgent").nth(2).reply(429));
/// let _slow = server.script(Script::on("createQueue").delay(Duration::from_millis(20)));
/// let _broken = server.script(Script::on("getAgent").times(1).fault(Fault::Reset));
/// assert_eq!(second.acted(), 0);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[must_use = "a script does nothing until it is added"]
pub struct Script(Map<String, Value>);

impl Script {
    /// About every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// About the requests of an operation, such as `createAgent`.
    pub fn on(operation: &str) -> Self {
        Self::any().when("operation", operation)
    }

    /// Its id, under which the exchanges name it; one is made up when it has none.
    pub fn id(self, id: &str) -> Self {
        self.with("id", id)
    }

    /// About the requests of this session alone.
    pub fn session(self, name: &str) -> Self {
        self.with("session", name)
    }

    /// One more condition that an exchange has to meet, by its name in a [`Matcher`](crate::Matcher): such as `body` and a
    /// part of it, or `outcome` and `answered`.
    pub fn when(self, condition: &str, value: impl Into<Value>) -> Self {
        self.within("when", condition, value)
    }

    /// Lets so many matches pass first.
    pub fn after(self, matches: u64) -> Self {
        self.with("after", matches)
    }

    /// Acts on one in so many matches: the last of each group.
    pub fn every(self, matches: u64) -> Self {
        self.with("every", matches)
    }

    /// Acts so many times at most.
    pub fn times(self, matches: u64) -> Self {
        self.with("times", matches)
    }

    /// Acts on the match with this number, the first of which is 1, and on no other.
    pub fn nth(self, number: u64) -> Self {
        self.after(number.saturating_sub(1)).times(1)
    }

    /// Its chance to act on a match; more than 0, and 1 at most.
    pub fn probability(self, chance: f64) -> Self {
        self.with("probability", chance)
    }

    /// Is gone after this time.
    pub fn lasting(self, time: Duration) -> Self {
        self.with("for", text(time))
    }

    /// Sends the contract's first sample with this status.
    pub fn reply(self, status: u16) -> Self {
        self.reply_with("status", status)
    }

    /// Sends the contract's sample of this name.
    pub fn reply_example(self, name: &str) -> Self {
        self.reply_with("example", name)
    }

    /// Sends this body, which is JSON unless a header says something else.
    pub fn reply_body(self, body: impl Into<Value>) -> Self {
        self.reply_with("body", body)
    }

    /// Sends this header, in the place of others of this name.
    pub fn reply_header(mut self, name: &str, value: &str) -> Self {
        let headers = member(member(member(&mut self.0, "then"), "reply"), "headers");
        headers.insert(name.to_owned(), value.into());
        self
    }

    fn reply_with(mut self, name: &str, value: impl Into<Value>) -> Self {
        member(member(&mut self.0, "then"), "reply").insert(name.to_owned(), value.into());
        self
    }

    /// Changes the body of the reply by a JSON merge patch (RFC 7396).
    pub fn patch(self, patch: impl Into<Value>) -> Self {
        self.then("patch", patch)
    }

    /// Has the reply wait.
    pub fn delay(self, time: Duration) -> Self {
        self.then("delay", text(time))
    }

    /// Has the reply wait for any time between these two.
    pub fn delay_between(self, from: Duration, to: Duration) -> Self {
        self.then("delay", json!({"from": text(from), "to": text(to)}))
    }

    /// Has the reply wait as networks do: half of all waits are not above `median`, and one in twenty is above `p95`.
    pub fn delay_log_normal(self, median: Duration, p95: Duration) -> Self {
        self.then("delay", json!({"median": text(median), "p95": text(p95)}))
    }

    /// Sends so many bytes of the body in a second.
    pub fn throttle(self, bytes: u64) -> Self {
        self.then("throttle", bytes)
    }

    /// Breaks the reply.
    pub fn fault(self, fault: Fault) -> Self {
        self.then("fault", json!(fault))
    }

    /// Whether the session is changed by a request on which it acts, whatever is sent.
    pub fn commit(self, commit: bool) -> Self {
        self.with("commit", commit)
    }

    fn then(self, action: &str, value: impl Into<Value>) -> Self {
        self.within("then", action, value)
    }

    fn within(mut self, name: &str, inner: &str, value: impl Into<Value>) -> Self {
        member(&mut self.0, name).insert(inner.to_owned(), value.into());
        self
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }
}

impl From<Script> for Value {
    fn from(script: Script) -> Self {
        Self::Object(script.0)
    }
}

/// A member that is an object; it becomes one.
fn member<'m>(members: &'m mut Map<String, Value>, name: &str) -> &'m mut Map<String, Value> {
    let member = members.entry(name).or_insert_with(|| Value::Object(Map::new()));
    if !member.is_object() {
        *member = Value::Object(Map::new());
    }
    member.as_object_mut().expect("it was made one")
}
