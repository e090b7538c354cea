//! Replies spliced from the text of a record, where nothing but whole members of it are shown: what is known to hold for
//! the reply's schema is copied, and only the rest is read and judged.
//!
//! It is the same reply that [`super::give`] makes, which is asked where this does not know.

use std::collections::HashMap;

use jsonschema::Validator;
use serde_json::{Map, Value};

use super::{Run, give::complete};
use crate::{
    contract::{Choice, Derived, Does, Kind, Pointer, Property, Resource, Schema, Way},
    json::{self, JsonType},
};

/// How records of one kind become replies of one operation.
#[derive(Debug)]
pub(in crate::stub) struct Splice {
    /// The members that replies can have, by name.
    known: HashMap<String, usize>,
    members: Vec<Member>,
    /// The members that follow from others, in order.
    derived: Vec<(usize, Made)>,
    /// What is shown elsewhere than it is stored, in order.
    moved: Vec<Moved>,
    /// The stored members that others are made from.
    feeds: Vec<String>,
    /// The members that come from the sample, in order.
    filled: Vec<usize>,
    /// The members that are shown at the end, though they are not known.
    also: Vec<String>,
    /// Whether members are shown that are not known.
    whole: bool,
}

#[derive(Debug)]
struct Member {
    name: String,
    /// Its value in the sample, as text; none when the sample does not have it, or it is not taken from there.
    sample: Option<String>,
    /// What has to be asked about a stored value.
    judge: Judge,
}

/// Whether a value holds for the reply's schema.
#[derive(Debug)]
enum Judge {
    /// It does.
    Holds,
    /// When it is of one of these types.
    Types(Vec<JsonType>),
    /// When this says so, once it has what is required below it.
    Schema(Validator),
}

/// A part of a stored member that is shown as a member of its own.
#[derive(Debug)]
struct Moved {
    from: Pointer,
    to: String,
    judge: Option<Validator>,
}

/// A member that follows from others.
#[derive(Debug)]
enum Made {
    From(Derived, Option<Validator>),
    /// It always has this text, or is never there.
    Same(Option<String>),
}

impl Splice {
    /// None when replies cannot be made in this way.
    fn new(run: &Run, kind: &Kind) -> Option<Self> {
        let give = kind.give.as_ref()?;
        let (reply, resource) = (&*run.effect.reply, &run.contract.resources()[kind.resource]);
        let is_plain = matches!(run.effect.does, Does::Create | Does::Delete | Does::Read | Does::Update)
            && give.at.text().is_empty()
            && give.count.is_empty()
            && give.only.is_empty()
            && give.parts.is_empty()
            // What is required is there when the sample has it, and no other rule is about several members.
            && reply.branches.is_empty()
            && reply.values.is_empty()
            && resource.schema.branches.is_empty()
            && run.effect.judge().is_valid(run.sample(kind));
        let sample = run.sample(kind).as_object().filter(|_| is_plain)?;
        let names = reply.properties.iter().map(|property| property.name.as_str());
        let names = names.chain(sample.keys().map(String::as_str));
        let (mut known, mut members) = (HashMap::new(), Vec::new());
        for name in names {
            if !known.contains_key(name) {
                known.insert(name.to_owned(), members.len());
                let property = reply.property(name);
                let is_taken = !give.required_alone || property.is_some_and(|property| property.required);
                members.push(Member {
                    name: name.to_owned(),
                    sample: sample.get(name).filter(|_| is_taken).map(Value::to_string),
                    judge: property
                        .map_or(Some(Judge::Holds), |own| Judge::new(&own.schema, name, resource))?,
                });
            }
        }
        let filled = sample.keys().map(|name| known[name]).filter(|&at| members[at].sample.is_some());
        let filled = filled.collect();
        // What stands at the top and is shown elsewhere is gone from its place, which is not known here.
        let elsewhere = give.members.iter().map(|(from, to)| {
            let to = to.as_ref().and_then(Pointer::member).filter(|_| from.member().is_none())?;
            let judge = reply.property(to).map(|property| property.schema.validator()).transpose().ok()?;
            Some(Moved { from: from.clone(), to: to.to_owned(), judge })
        });
        let moved: Vec<_> = elsewhere.collect::<Option<_>>()?;
        let is_shown = |choice: &Choice| run.settings.way(choice) == Way::Shown;
        let also = run.effect.also.iter().map(|(at, choice)| {
            let name = at.member().filter(|name| !known.contains_key(*name) && !give.whole)?;
            Some(is_shown(choice).then(|| name.to_owned()))
        });
        let also: Vec<_> = also.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
        let feeds = resource.derive.iter().flat_map(|(_, derived)| derived.members());
        let feeds = feeds.chain(moved.iter().map(|moved| &moved.from));
        let mut feeds: Vec<_> = feeds.filter_map(|from| from.top()).map(str::to_owned).collect();
        feeds.sort_unstable();
        feeds.dedup();
        if resource.derive.iter().any(|(name, _)| feeds.contains(name)) {
            return None;
        }
        let mut derived = Vec::new();
        for (name, own) in &resource.derive {
            match known.get(name) {
                Some(&at) => derived.push((at, Made::new(own, reply.property(name), sample.get(name))?)),
                None if give.whole => return None,
                None => {}
            }
        }
        Some(Self { known, members, derived, moved, feeds, filled, also, whole: give.whole })
    }

    /// The reply with a record; none when it is not known how.
    fn reply(&self, reply: &Schema, sample: &Value, record: &str) -> Option<String> {
        let mut out = String::with_capacity(json::USUAL);
        let mut is_there = vec![false; self.members.len()];
        let mut feeds = Map::new();
        let mut also = vec![None; self.also.len()];
        for (name, text) in json::members(record)? {
            if self.feeds.iter().any(|feed| feed == name) {
                feeds.insert(name.to_owned(), serde_json::from_str(text).ok()?);
            }
            if let Some(at) = self.also.iter().position(|own| own == name) {
                also[at] = Some(text);
                continue;
            }
            match self.known.get(name) {
                Some(&at) => {
                    is_there[at] = true;
                    match &self.members[at].judge {
                        Judge::Holds => add(&mut out, name, text),
                        Judge::Types(types) if is_of(types, text) => add(&mut out, name, text),
                        Judge::Types(_) => add_sample(&mut out, name, sample),
                        Judge::Schema(judge) => {
                            let mut value = serde_json::from_str(text).ok()?;
                            fill(reply.property(name), &mut value, sample.get(name));
                            add_judged(&mut out, name, &value, Some(judge), sample);
                        }
                    }
                }
                None if self.whole => add(&mut out, name, text),
                None => {}
            }
        }
        let feeds = Value::Object(feeds);
        for (at, made) in &self.derived {
            if is_there[*at] {
                continue;
            }
            let Member { name, .. } = &self.members[*at];
            match made {
                Made::Same(None) => continue,
                Made::Same(Some(text)) => add(&mut out, name, text),
                Made::From(derived, judge) => {
                    let Some(value) = derived.of(&feeds) else { continue };
                    add_judged(&mut out, name, &value, judge.as_ref(), sample);
                }
            }
            is_there[*at] = true;
        }
        for Moved { from, to, judge } in &self.moved {
            let Some(mut value) = from.get(&feeds).cloned() else { continue };
            if let Some(&at) = self.known.get(to) {
                // It would stand where another one is.
                if std::mem::replace(&mut is_there[at], true) {
                    return None;
                }
            }
            fill(reply.property(to), &mut value, sample.get(to));
            add_judged(&mut out, to, &value, judge.as_ref(), sample);
        }
        for &at in self.filled.iter().filter(|&&at| !is_there[at]) {
            let Member { name, sample, .. } = &self.members[at];
            add(&mut out, name, sample.as_ref()?);
        }
        for (name, text) in self.also.iter().zip(also) {
            if let Some(text) = text {
                add(&mut out, name, text);
            }
        }
        if out.is_empty() {
            out.push('{');
        }
        out.push('}');
        out.shrink_to_fit();
        Some(out)
    }
}

impl Made {
    fn new(derived: &Derived, property: Option<&Property>, like: Option<&Value>) -> Option<Self> {
        let judge = property.map(|property| property.schema.validator()).transpose().ok()?;
        let Derived::Value(value) = derived else {
            return Some(Self::From(derived.clone(), judge));
        };
        let mut value = value.clone();
        fill(property, &mut value, like);
        // What does not hold for the reply's schema is as the sample has it.
        let holds = judge.is_none_or(|judge| judge.is_valid(&value));
        let shown = if holds { Some(&value) } else { like };
        Some(Self::Same(shown.map(Value::to_string)))
    }
}

impl Run<'_> {
    /// The reply with a record that is stored; none when it has to be made value by value.
    pub(super) fn spliced(&self, kind: &Kind, record: &str) -> Option<String> {
        let splice = self.splice.get_or_init(|| Splice::new(self, kind)).as_ref()?;
        let reply = splice.reply(&self.effect.reply, self.sample(kind), record)?;
        debug_assert_eq!(
            Some(reply.as_str()),
            serde_json::from_str(record)
                .ok()
                .and_then(|record| Some(self.shown(kind, record)?.to_string()))
                .as_deref(),
            "a spliced reply is the one that is made value by value"
        );
        Some(reply)
    }
}

impl Judge {
    /// What has to be asked about stored values of a member; none when that cannot be told.
    fn new(schema: &Schema, name: &str, resource: &Resource) -> Option<Self> {
        let rules = schema.to_json(true);
        let stored = resource.schema.property(name).map(|property| property.schema.to_json(true));
        // What the server makes is stored without being asked about.
        if !resource.is_made(name) && !requires(&rules) && stored.as_ref() == Some(&rules) {
            return Some(Self::Holds);
        }
        let is_type_alone = rules.as_object().is_some_and(|rules| rules.keys().eq(["type"]));
        if is_type_alone {
            return Some(Self::Types(schema.types.clone()));
        }
        schema.validator().ok().map(Self::Schema)
    }
}

/// Whether something is required somewhere in what a schema describes.
fn requires(schema: &Value) -> bool {
    match schema {
        Value::Array(list) => list.iter().any(requires),
        Value::Object(keywords) => keywords.iter().any(|(keyword, own)| {
            keyword == "required" && own.as_array().is_none_or(|names| !names.is_empty()) || requires(own)
        }),
        _ => false,
    }
}

/// Whether a value that is written so is of one of these types.
fn is_of(types: &[JsonType], text: &str) -> bool {
    let own = match text.as_bytes().first() {
        Some(b'"') => JsonType::String,
        Some(b'[') => JsonType::Array,
        Some(b'{') => JsonType::Object,
        Some(b'n') => JsonType::Null,
        Some(b't' | b'f') => JsonType::Boolean,
        _ => {
            let number = serde_json::from_str(text);
            return number.is_ok_and(|number| types.iter().any(|own| own.holds(&number)));
        }
    };
    types.contains(&own)
}

/// Gives a value what is required below it.
fn fill(property: Option<&Property>, value: &mut Value, like: Option<&Value>) {
    if let Some(property) = property {
        complete(&property.schema, value, like);
    }
}

/// Adds a member whose value may not hold: then it is as the sample has it.
fn add_judged(out: &mut String, name: &str, value: &Value, judge: Option<&Validator>, sample: &Value) {
    if judge.is_none_or(|judge| judge.is_valid(value)) {
        begin(out, name);
        json::write(value, out);
    } else {
        add_sample(out, name, sample);
    }
}

/// Adds a member as the sample has it, if that does.
fn add_sample(out: &mut String, name: &str, sample: &Value) {
    if let Some(value) = sample.get(name) {
        begin(out, name);
        json::write(value, out);
    }
}

/// Adds a member to an object that is begun with its first.
fn add(out: &mut String, name: &str, text: &str) {
    begin(out, name);
    out.push_str(text);
}

/// Adds the name of a member.
fn begin(out: &mut String, name: &str) {
    out.push(if out.is_empty() { '{' } else { ',' });
    json::string(name, out);
    out.push(':');
}
