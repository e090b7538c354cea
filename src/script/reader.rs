//! Scripts out of JSON: every mistake is found at once, and has its place.

use std::{num::NonZeroU64, time::Duration};

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    check,
    delay::Delay,
    list::Scripts,
    mistake::{Mistakes, ScriptError, one_of, shown},
    plan::{Plan, ReplyPlan, Then},
    preset,
};
use crate::{
    Contract, Errors, Fault, Matcher, Reply, course, json, matching::CONDITIONS, pointer::escape,
    session_name, violation::quote,
};

/// What scripts have to keep to.
pub(super) struct Rules<'c> {
    pub(super) contract: &'c Contract,
    /// The longest that a reply may wait.
    pub(super) max_delay: Duration,
    /// The wording whose samples may be named, when only one may be.
    pub(super) errors: Option<Errors>,
}

/// Reads `{"scripts": […]}`, in which each item is a script or names a preset.
pub(super) fn all(rules: &Rules, document: &Value) -> Result<Vec<Plan>, ScriptError> {
    let mut mistakes = Mistakes::default();
    let mut plans = Vec::new();
    let root = Node { value: document, pointer: String::new() };
    if root.members(&["scripts"], &mut mistakes).is_some() {
        match root.member("scripts").map(|list| (list.value.as_array(), list)) {
            // A preset has one at least.
            Some((Some(items), _)) if items.len() > Scripts::MOST => {
                return Err(ScriptError::too_many(Scripts::MOST, items.len(), "scripts"));
            }
            Some((Some(items), list)) => {
                for (index, value) in items.iter().enumerate() {
                    if mistakes.are_full() {
                        break;
                    }
                    let pointer = format!("{}/{index}", list.pointer);
                    plans.append(&mut item(rules, &Node { value, pointer }, &mut mistakes));
                }
            }
            Some((None, list)) => mistakes.expected(&list.pointer, "a list of scripts", shown(list.value)),
            None => mistakes.expected("/scripts", "a list of scripts", "nothing"),
        }
    }
    mistakes.none().map(|()| plans)
}

/// Reads one script, or the scripts of a preset that is named.
pub(super) fn one(rules: &Rules, script: &Value) -> Result<Vec<Plan>, ScriptError> {
    let mut mistakes = Mistakes::default();
    let plans = item(rules, &Node { value: script, pointer: String::new() }, &mut mistakes);
    mistakes.none().map(|()| plans)
}

fn item(rules: &Rules, node: &Node, mistakes: &mut Mistakes) -> Vec<Plan> {
    if node.member("preset").is_none() {
        return vec![script(rules, node, mistakes)];
    }
    if node.members(&["preset", "session", "for"], mistakes).is_none() {
        return Vec::new();
    }
    let Some(preset) = node.read("preset", "the name of a preset", text, mistakes) else {
        return Vec::new();
    };
    let names = preset::names();
    let Some(scripts) = preset::scripts(&preset) else {
        let expected = format!("a preset among {}", one_of(&names));
        mistakes.unknown(&node.pointer_to("preset"), expected, &preset, &names);
        return Vec::new();
    };
    let mut plans = Vec::new();
    for mut own in scripts {
        for member in ["session", "for"] {
            own.extend(node.value.get(member).map(|value| (member.to_owned(), value.clone())));
        }
        let value = Value::Object(own);
        plans.push(script(rules, &Node { value: &value, pointer: node.pointer.clone() }, mistakes));
    }
    plans
}

fn script(rules: &Rules, node: &Node, mistakes: &mut Mistakes) -> Plan {
    if node.members(&MEMBERS, mistakes).is_none() {
        return Plan::default();
    }
    let mut plan = Plan {
        source: json::text(node.value).into(),
        id: node.read("id", "a string", text, mistakes),
        session: node.read("session", "a string", text, mistakes),
        when: node.member("when").map(|when| matcher(&when, mistakes)).unwrap_or_default(),
        after: node.read("after", COUNT, Value::as_u64, mistakes).unwrap_or(0),
        every: node.read("every", FROM_1, from_1, mistakes).unwrap_or(1),
        times: node.read("times", FROM_1, from_1, mistakes),
        probability: node.read(
            "probability",
            "a number greater than 0, and at most 1",
            |value| value.as_f64().filter(|number| *number > 0.0 && *number <= 1.0),
            mistakes,
        ),
        lifetime: node.read("for", DURATION, duration, mistakes),
        then: Then::default(),
        commit: node.read("commit", "true or false", Value::as_bool, mistakes),
    };
    match node.member("then") {
        Some(actions) => plan.then = then(&actions, mistakes),
        None => mistakes.expected(&node.pointer_to("then"), "what it does", "nothing"),
    }
    if let Some(id) = plan.id.as_deref() {
        let pointer = node.pointer_to("id");
        if RESERVED.contains(&id) {
            mistakes.expected(
                &pointer,
                "an id of its own",
                format_args!("`{id}`, which means something else"),
            );
        } else if !session_name::is_name(id) {
            mistakes.expected(&pointer, format_args!("an id of {}", session_name::EXPECTED), quote(id));
        }
    }
    if plan.then.delay.longest() > rules.max_delay {
        let expected = format!("a time of at most {}, as --max-delay says", course::text(rules.max_delay));
        let found = format!("`{}`", course::text(plan.then.delay.longest()));
        mistakes.expected(&format!("{}/then/delay", node.pointer), expected, found);
    }
    check::check(rules, &plan, &node.pointer, mistakes);
    // One place to look at.
    plan.session = plan.session.or(plan.when.session.take());
    plan
}

/// What a script may have.
pub(super) const MEMBERS: [&str; 10] =
    ["id", "session", "when", "after", "every", "times", "probability", "for", "then", "commit"];

/// What is said of an exchange that no script acted on, or what a path has in the place of an id.
const RESERVED: [&str; 3] = [super::RATE_LIMIT, "presets", "schema.json"];

fn matcher(node: &Node, mistakes: &mut Mistakes) -> Matcher {
    let names: Vec<_> =
        CONDITIONS.iter().map(|condition| condition.name).filter(|name| *name != "script").collect();
    let Some(members) = node.members(&names, mistakes) else {
        return Matcher::default();
    };
    // One by one, as the reader of matchers says one thing at a time.
    let mut is_fine = true;
    for (name, value) in members.iter().filter(|(name, _)| names.contains(&name.as_str())) {
        let alone = Map::from_iter([(name.clone(), value.clone())]);
        if let Err(error) = Matcher::from_json(Value::Object(alone).to_string().as_bytes()) {
            is_fine = false;
            mistakes.told(&node.pointer, &error.to_string());
        }
    }
    if !is_fine {
        return Matcher::default();
    }
    let known = members.iter().filter(|(name, _)| names.contains(&name.as_str()));
    let known: Map<_, _> = known.map(|(name, value)| (name.clone(), value.clone())).collect();
    Matcher::from_json(Value::Object(known).to_string().as_bytes()).unwrap_or_else(|error| {
        mistakes.told(&node.pointer, &error.to_string());
        Matcher::default()
    })
}

fn then(node: &Node, mistakes: &mut Mistakes) -> Then {
    const ACTIONS: [&str; 5] = ["reply", "patch", "delay", "throttle", "fault"];
    let Some(members) = node.members(&ACTIONS, mistakes) else {
        return Then::default();
    };
    if members.values().all(Value::is_null) {
        mistakes.expected(&node.pointer, format_args!("one of {}", one_of(&ACTIONS)), "nothing");
    }
    let then = Then {
        reply: node.member("reply").map(|reply| reply_plan(&reply, mistakes)),
        patch: node.read("patch", "an object", |patch| patch.is_object().then(|| patch.clone()), mistakes),
        delay: node.member("delay").map(|time| delay(&time, mistakes)).unwrap_or_default(),
        throttle: node.read(
            "throttle",
            "a number of bytes a second, from 1 up",
            |value| value.as_u64().and_then(NonZeroU64::new),
            mistakes,
        ),
        fault: node.member("fault").and_then(|fault| read_fault(&fault, mistakes)),
    };
    if let Some(reply) = &then.reply
        && let Some(status) = reply.status.filter(|status| Reply::is_bodiless(*status))
    {
        let has_body = reply.body.as_ref().is_some_and(|body| !body.is_empty());
        for (member, is_there) in [("reply/body", has_body), ("patch", then.patch.is_some())] {
            if is_there {
                let pointer = format!("{}/{member}", node.pointer);
                mistakes.expected(&pointer, format_args!("no body, as {status} has none"), "one");
            }
        }
    }
    then
}

fn reply_plan(node: &Node, mistakes: &mut Mistakes) -> ReplyPlan {
    const PARTS: [&str; 4] = ["status", "example", "headers", "body"];
    let Some(members) = node.members(&PARTS, mistakes) else {
        return ReplyPlan::default();
    };
    if members.is_empty() {
        mistakes.expected(&node.pointer, format_args!("one of {}", one_of(&PARTS)), "nothing");
    }
    let status = |value: &Value| {
        value
            .as_u64()
            .and_then(|status| u16::try_from(status).ok())
            .filter(|status| (200..=599).contains(status))
    };
    let headers = node.member("headers").map(|own| headers(&own, mistakes)).unwrap_or_default();
    // A body of null is JSON, too.
    let body = members.get("body").map(|body| match body {
        Value::String(text) if !is_json(&headers) => Bytes::from(text.clone()),
        other => Bytes::from(other.to_string()),
    });
    ReplyPlan {
        status: node.read("status", "a status from 200 to 599", status, mistakes),
        example: node.read("example", "the name of a sample", text, mistakes),
        headers,
        body,
    }
}

fn headers(node: &Node, mistakes: &mut Mistakes) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    let Some(members) = node.value.as_object() else {
        mistakes.expected(&node.pointer, "an object with names and values", shown(node.value));
        return headers;
    };
    for (name, value) in members {
        let pointer = node.pointer_to(name);
        let name = name.to_ascii_lowercase();
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            mistakes.expected(&pointer, "the name of a header", quote(&name));
        } else if FRAMING.contains(&name.as_str()) {
            mistakes.expected(&pointer, "a header that the server does not set itself", quote(&name));
        }
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values {
            let text = value.as_str().filter(|text| HeaderValue::from_str(text).is_ok());
            match text {
                Some(text) => headers.push((name.clone(), text.to_owned())),
                None => {
                    mistakes.expected(&pointer, "a text that a header can have, or several", shown(value));
                }
            }
        }
    }
    let bytes = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    for (most, found, what) in
        [(MOST_HEADERS, headers.len(), "headers"), (MOST_HEADER_BYTES, bytes, "bytes of headers")]
    {
        if found > most {
            mistakes.expected(&node.pointer, format_args!("at most {most} {what}"), found);
        }
    }
    headers
}

/// How many headers a reply may have of its own, and how long names and values may be together: as a request's are by default.
const MOST_HEADERS: usize = 100;
const MOST_HEADER_BYTES: usize = 64 * 1024;

/// Headers by which a message is taken apart, and the server's own.
const FRAMING: [&str; 9] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-standin-exchange",
];

/// Whether a body with these headers is JSON.
fn is_json(headers: &[(String, String)]) -> bool {
    let media = headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
    media.is_none_or(|media| {
        let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence == "application/json" || essence.ends_with("+json")
    })
}

fn delay(node: &Node, mistakes: &mut Mistakes) -> Delay {
    if !node.value.is_object() {
        let fixed = duration(node.value);
        if fixed.is_none() {
            let expected = format!("{DURATION}, {{\"from\", \"to\"}}, or {{\"median\", \"p95\"}}");
            mistakes.expected(&node.pointer, expected, shown(node.value));
        }
        return fixed.map_or(Delay::None, Delay::Fixed);
    }
    let names = if node.value.get("median").or(node.value.get("p95")).is_some() {
        ["median", "p95"]
    } else {
        ["from", "to"]
    };
    if node.members(&names, mistakes).is_none() {
        return Delay::None;
    }
    let [first, second] = names.map(|name| {
        if node.member(name).is_none() {
            mistakes.expected(&node.pointer_to(name), DURATION, "nothing");
        }
        node.read(name, DURATION, duration, mistakes)
    });
    let (Some(first), Some(second)) = (first, second) else {
        return Delay::None;
    };
    let [low, high] = names;
    if second < first {
        let found = node.value.get(high).map(shown).unwrap_or_default();
        mistakes.expected(&node.pointer_to(high), format_args!("a time that is not less than {low}"), found);
        return Delay::None;
    }
    if low == "from" {
        return Delay::Between(first, second);
    }
    if first.is_zero() {
        mistakes.expected(&node.pointer_to(low), "a time that is not 0", "`0`");
        return Delay::None;
    }
    Delay::LogNormal { median: first, p95: second }
}

fn read_fault(node: &Node, mistakes: &mut Mistakes) -> Option<Fault> {
    let names = Fault::plain_words();
    if let Ok(fault) = Fault::deserialize(node.value) {
        return Some(fault);
    }
    let expected = format!("{} or {{\"cut\": BYTES}}", names.join(", "));
    match node.value {
        Value::String(name) => mistakes.unknown(&node.pointer, expected, name, &names),
        other => mistakes.expected(&node.pointer, expected, shown(other)),
    }
    None
}

/// A value of what is read, and where it is.
struct Node<'v> {
    value: &'v Value,
    pointer: String,
}

impl<'v> Node<'v> {
    fn pointer_to(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, escape(name))
    }

    /// The members of an object, which may have these names and no others.
    fn members(&self, known: &[&str], mistakes: &mut Mistakes) -> Option<&'v Map<String, Value>> {
        let Some(members) = self.value.as_object() else {
            mistakes.expected(&self.pointer, "an object", shown(self.value));
            return None;
        };
        for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
            mistakes.unknown(&self.pointer_to(name), one_of(known), name, known);
        }
        Some(members)
    }

    /// A member; null is as good as absent.
    fn member(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(Self { value, pointer: self.pointer_to(name) })
    }

    /// What a member says.
    fn read<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&'v Value) -> Option<T>,
        mistakes: &mut Mistakes,
    ) -> Option<T> {
        let member = self.member(name)?;
        let value = read(member.value);
        if value.is_none() {
            mistakes.expected(&member.pointer, expected, shown(member.value));
        }
        value
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn from_1(value: &Value) -> Option<u64> {
    value.as_u64().filter(|number| *number > 0)
}

fn duration(value: &Value) -> Option<Duration> {
    course::time(value.as_str()?).filter(|time| *time <= LONGEST)
}

const COUNT: &str = "a number that is not negative";

const FROM_1: &str = "a number from 1 up";

const DURATION: &str = "a time of at most a day, such as 1500ms or 5s";

/// The longest time that can be asked for.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
