//! Replies spliced from the text of a record, where nothing but whole members of it are shown: what is known to hold for
//! the reply's schema is copied, and only the rest is read and judged.
//!
//! It is the same reply that [`super::give`] makes, which is asked where this does not know.

use std::collections::HashMap;

use jsonschema::Validator;
use memchr::memchr2;
use serde_json::{Map, Value};

use super::{Run, give::complete};
use crate::{
    contract::{Derived, Does, Kind, Property, Resource, Schema},
    json,
};

/// Bytes that a reply has most often.
const USUAL: usize = 2048;

/// How records of one kind become replies of one operation.
#[derive(Debug)]
pub(in crate::stub) struct Splice {
    /// The members that replies can have, by name.
    known: HashMap<String, usize>,
    members: Vec<Member>,
    /// The members that follow from others, in order.
    derived: Vec<(usize, Made)>,
    /// The members that they are made from.
    feeds: Vec<String>,
    /// The members that come from the sample, in order.
    filled: Vec<usize>,
    /// Whether members are shown that are not known.
    whole: bool,
}

#[derive(Debug)]
struct Member {
    name: String,
    /// Its value in the sample, as text; none when the sample does not have it, or it is not taken from there.
    sample: Option<String>,
    /// What has to be asked about a stored value; none when every stored value holds.
    judge: Option<Validator>,
}

/// A member that follows from others.
#[derive(Debug)]
enum Made {
    From(Derived, Option<Validator>),
    /// It always has this text.
    Same(String),
}

impl Splice {
    /// None when replies cannot be made in this way.
    fn new(run: &Run, kind: &Kind) -> Option<Self> {
        let give = kind.give.as_ref()?;
        let (reply, resource) = (&*run.effect.reply, &run.contract.resources()[kind.resource]);
        let is_plain = matches!(run.effect.does, Does::Read | Does::Update | Does::Delete)
            && run.effect.also.is_empty()
            && give.at.text().is_empty()
            && give.members.is_empty()
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
                        .filter(|property| !is_as_stored(&property.schema, name, resource))
                        .map(|property| property.schema.validator())
                        .transpose()
                        .ok()?,
                });
            }
        }
        let filled = sample.keys().map(|name| known[name]).filter(|&at| members[at].sample.is_some());
        let filled = filled.collect();
        let feeds = resource.derive.iter().flat_map(|(_, derived)| derived.members());
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
        Some(Self { known, members, derived, feeds, filled, whole: give.whole })
    }

    /// The reply with a record; none when something in it has to be mended.
    fn reply(&self, reply: &Schema, sample: &Value, record: &str) -> Option<String> {
        let mut out = String::with_capacity(USUAL);
        let mut is_there = vec![false; self.members.len()];
        let mut feeds = Map::new();
        for (name, text) in members(record)? {
            if self.feeds.iter().any(|feed| feed == name) {
                feeds.insert(name.to_owned(), serde_json::from_str(text).ok()?);
            }
            match self.known.get(name) {
                Some(&at) => {
                    is_there[at] = true;
                    match &self.members[at].judge {
                        None => add(&mut out, name, text),
                        judge => {
                            let mut value = serde_json::from_str(text).ok()?;
                            fill(reply.property(name), &mut value, sample.get(name));
                            add_judged(&mut out, name, &value, judge.as_ref())?;
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
                Made::Same(text) => add(&mut out, name, text),
                Made::From(derived, judge) => {
                    let Some(value) = derived.of(&feeds) else { continue };
                    add_judged(&mut out, name, &value, judge.as_ref())?;
                }
            }
            is_there[*at] = true;
        }
        for &at in self.filled.iter().filter(|&&at| !is_there[at]) {
            let Member { name, sample, .. } = &self.members[at];
            add(&mut out, name, sample.as_ref()?);
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
    /// None when it does not hold for the reply's schema.
    fn new(derived: &Derived, property: Option<&Property>, like: Option<&Value>) -> Option<Self> {
        let judge = property.map(|property| property.schema.validator()).transpose().ok()?;
        let Derived::Value(value) = derived else {
            return Some(Self::From(derived.clone(), judge));
        };
        let mut value = value.clone();
        fill(property, &mut value, like);
        judge.is_none_or(|judge| judge.is_valid(&value)).then(|| Self::Same(value.to_string()))
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
                .and_then(|record| { Some(self.reply(kind, self.show(kind, record)?).to_string()) })
                .as_deref(),
            "a spliced reply is the one that is made value by value"
        );
        Some(reply)
    }
}

/// Whether every value that can be stored holds for the reply's schema and has nothing to be completed.
fn is_as_stored(schema: &Schema, name: &str, resource: &Resource) -> bool {
    fn requires(schema: &Value) -> bool {
        match schema {
            Value::Array(list) => list.iter().any(requires),
            Value::Object(keywords) => keywords.iter().any(|(keyword, own)| {
                keyword == "required" && own.as_array().is_none_or(|names| !names.is_empty()) || requires(own)
            }),
            _ => false,
        }
    }
    let own = resource.schema.property(name).map(|property| property.schema.to_json(true));
    // What the server makes is stored without being asked about.
    !resource.is_made(name) && own.is_some_and(|own| !requires(&own) && own == schema.to_json(true))
}

/// Gives a value what is required below it.
fn fill(property: Option<&Property>, value: &mut Value, like: Option<&Value>) {
    if let Some(property) = property {
        complete(&property.schema, value, like);
    }
}

/// Adds a member whose value may not hold; none when it does not.
fn add_judged(out: &mut String, name: &str, value: &Value, judge: Option<&Validator>) -> Option<()> {
    if judge.is_some_and(|judge| !judge.is_valid(value)) {
        return None;
    }
    add(out, name, &json::text(value));
    Some(())
}

/// Adds a member to an object that is begun with its first.
fn add(out: &mut String, name: &str, text: &str) {
    out.push(if out.is_empty() { '{' } else { ',' });
    json::string(name, out);
    out.push(':');
    out.push_str(text);
}

/// The members of an object that this program wrote, each with the text of its value; none when a name has escapes.
fn members(object: &str) -> Option<Vec<(&str, &str)>> {
    let mut rest = object.strip_prefix('{')?;
    let mut members = Vec::with_capacity(48);
    while let Some(after) = rest.strip_prefix('"') {
        let end = memchr2(b'"', b'\\', after.as_bytes())?;
        let (name, after) = (&after[..end], after[end..].strip_prefix("\":")?);
        let (text, after) = after.split_at(value_end(after.as_bytes())?);
        members.push((name, text));
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    (rest == "}").then_some(members)
}

/// Where the value ends that a text begins with, within an object.
fn value_end(text: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        match text.get(at)? {
            b'"' => {
                at += 1;
                loop {
                    at += memchr2(b'"', b'\\', text.get(at..)?)?;
                    if text[at] == b'"' {
                        break;
                    }
                    at += 2;
                }
            }
            b'[' | b'{' => depth += 1,
            b',' | b'}' if depth == 0 => return Some(at),
            b']' | b'}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_taken_apart_whatever_its_values_have() {
        let text = r#"{"a":"x\"},{","b":[{"c":[1,"]"]},{}],"ü":-1.5,"d":{},"e":"\\","":null}"#;
        let expected = [
            ("a", r#""x\"},{""#),
            ("b", r#"[{"c":[1,"]"]},{}]"#),
            ("ü", "-1.5"),
            ("d", "{}"),
            ("e", r#""\\""#),
            ("", "null"),
        ];
        assert_eq!(members(text).as_deref(), Some(expected.as_slice()));
        assert_eq!(members("{}"), Some(Vec::new()));
        for other in ["", "{", r#"{"a\"":1}"#, r#"{"a":1"#, r#"{"a":"#, r#"{"a":"x\"#, r#"{"a":]"#, "[1]"] {
            assert_eq!(members(other), None, "{other}");
        }
    }
}
