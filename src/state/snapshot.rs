//! A session as JSON, the form in which people write a start state.
//!
//! ```json
//! {"standin": "state", "format": 1,
//!  "resources": {"agent": [{"scope": {"stream": "st-1"}, "records": [{"id": "a-1", "emailId": "ada@example.com"}]}]}}
//! ```
//!
//! One that a session wrote has more: `seed`, `counter`, `clock` and `version`, and `"references": "report"`, as ids in
//! it may name nothing.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use serde_json::{Map, Value, json};

use super::{
    Change, Place, Scope, Session, StateSettings, change::Op, change::cost, unique_key, unique_keys,
};
use crate::{
    Contract, Exchange, Rule, Violation,
    contract::{Resource, Way, wording},
    near,
    pointer::escape,
    violation::quote,
};

/// The newest form that is understood.
const FORMAT: u64 = 1;

/// Writes a session as JSON: its records are that already.
pub(super) fn write(session: &Session, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let text = |text: &str| Value::from(text).to_string();
    write!(
        out,
        r#"{{"standin":"state","format":{FORMAT},"references":"report","seed":"{:016x}","counter":{},"clock":{},"version":{},"resources":{{"#,
        session.seed,
        session.counter,
        text(&session.clock.to_string()),
        session.version,
    )?;
    let mut open: Option<String> = None;
    for (place, collection) in session.places.iter() {
        let names: Vec<String> = serde_json::from_str(place).unwrap_or_default();
        let Some((resource, scope)) = names.split_first().filter(|_| collection.len() > 0) else {
            continue;
        };
        // The places of one resource follow each other, as their names begin alike.
        match &open {
            Some(own) if own == resource => out.write_str(",")?,
            Some(_) => write!(out, "],{}:[", text(resource))?,
            None => write!(out, "{}:[", text(resource))?,
        }
        open = Some(resource.clone());
        let scope: Map<_, _> =
            scope.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].as_str().into())).collect();
        write!(out, r#"{{"scope":{},"records":["#, Value::Object(scope))?;
        for (index, record) in collection.from(0).enumerate() {
            out.write_str(if index > 0 { "," } else { "" })?;
            out.write_str(record)?;
        }
        out.write_str("]}")?;
    }
    out.write_str(if open.is_some() { "]}}" } else { "}}" })
}

pub(super) fn read(
    contract: &Contract,
    snapshot: &Value,
    settings: &StateSettings,
) -> Result<Session, Vec<Violation>> {
    let mut reader = Reader { contract, settings, violations: Vec::new() };
    let session = reader.session(snapshot);
    if reader.violations.is_empty() { Ok(session) } else { Err(reader.violations) }
}

struct Reader<'a> {
    contract: &'a Contract,
    settings: &'a StateSettings,
    violations: Vec<Violation>,
}

/// A place of a snapshot that has been read.
struct Read<'a> {
    pointer: String,
    resource: &'a Resource,
    scope: Scope,
    records: Vec<(String, Cow<'a, Value>)>,
}

impl<'a> Reader<'a> {
    fn session(&mut self, snapshot: &'a Value) -> Session {
        let mut session = Session::new("default");
        let Some(members) = self.object(snapshot, "") else {
            return session;
        };
        if members.get("standin") != Some(&json!("state")) {
            self.wrong("/standin", Rule::Enum, "`state`", members.get("standin"));
            return session;
        }
        match members.get("format").and_then(Value::as_u64) {
            Some(FORMAT) => {}
            Some(newer) if newer > FORMAT => {
                let expected = format!("a state in format {FORMAT}, the newest that this version knows");
                self.add("/format".into(), Rule::Enum, expected, format!("`{newer}`"), "");
                return session;
            }
            _ => {
                self.wrong("/format", Rule::Enum, &format!("`{FORMAT}`"), members.get("format"));
                return session;
            }
        }
        let mut is_checked = true;
        let mut places = Vec::new();
        for (name, value) in members {
            let pointer = format!("/{}", escape(name));
            match name.as_str() {
                "standin" | "format" => {}
                "references" if value == "report" => is_checked = false,
                "references" => self.wrong(&pointer, Rule::Enum, "`report`", Some(value)),
                "seed" => {
                    let seed = value.as_str().and_then(|text| u64::from_str_radix(text, 16).ok());
                    self.take(seed, &mut session.seed, &pointer, "a number in hexadecimal digits", value);
                }
                "counter" => {
                    self.take(value.as_u64(), &mut session.counter, &pointer, "a number from 0 on", value);
                }
                "version" => {
                    self.take(value.as_u64(), &mut session.version, &pointer, "a number from 0 on", value);
                }
                "clock" => {
                    let clock = value.as_str().and_then(|text| text.parse().ok());
                    self.take(clock, &mut session.clock, &pointer, "a time as of RFC 3339", value);
                }
                "resources" => self.resources(value, &mut places),
                _ => {
                    const KNOWN: [&str; 8] = [
                        "standin",
                        "format",
                        "references",
                        "seed",
                        "counter",
                        "clock",
                        "version",
                        "resources",
                    ];
                    let found = format!("{}{}", quote(name), near::hint(name, KNOWN));
                    self.add(pointer, Rule::Enum, format!("one of {}", KNOWN.join(", ")), found, "");
                }
            }
        }
        self.fill(&mut session, &places);
        self.check(&session, &places, is_checked);
        let bounds = &self.settings.bounds;
        if session.resources > bounds.resources {
            let expected = format!("at most {} resources", bounds.resources);
            self.add("/resources".into(), Rule::Capacity, expected, session.resources.to_string(), "");
        }
        if session.bytes > bounds.bytes {
            let expected = format!("a session of at most {} bytes", bounds.bytes);
            self.add("/resources".into(), Rule::Capacity, expected, format!("{} bytes", session.bytes), "");
        }
        session
    }

    fn resources(&mut self, value: &'a Value, places: &mut Vec<Read<'a>>) {
        let Some(resources) = self.object(value, "/resources") else {
            return;
        };
        let contract = self.contract;
        let known = || contract.resources().iter().filter(|resource| !resource.is_fixed);
        for (name, value) in resources {
            let pointer = format!("/resources/{}", escape(name));
            let Some(resource) = known().find(|resource| *resource.name == **name) else {
                let names: Vec<_> = known().map(|resource| &*resource.name).collect();
                let found = format!("{}{}", quote(name), near::hint(name, names.iter().copied()));
                self.add(pointer, Rule::Enum, format!("one of {}", names.join(", ")), found, "");
                continue;
            };
            let Some(list) = value.as_array() else {
                self.wrong(&pointer, Rule::Type, "an array", Some(value));
                continue;
            };
            for (index, value) in list.iter().enumerate() {
                self.place(resource, value, format!("{pointer}/{index}"), places);
            }
        }
    }

    fn place(
        &mut self,
        resource: &'a Resource,
        value: &'a Value,
        pointer: String,
        places: &mut Vec<Read<'a>>,
    ) {
        let Some(members) = self.object(value, &pointer) else {
            return;
        };
        for name in members.keys().filter(|name| !["scope", "records"].contains(&name.as_str())) {
            let pointer = format!("{pointer}/{}", escape(name));
            self.add(pointer, Rule::Enum, "scope or records".into(), quote(name), "");
        }
        let parent = resource.parent.as_ref().map(|parent| &*self.contract.resources()[parent.resource].name);
        let names: Vec<&str> = resource.scope.iter().map(String::as_str).chain(parent).collect();
        let empty = json!({});
        let scope_pointer = format!("{pointer}/scope");
        let Some(sent) = self.object(members.get("scope").unwrap_or(&empty), &scope_pointer) else {
            return;
        };
        for name in sent.keys().filter(|name| !names.contains(&name.as_str())) {
            let expected = if names.is_empty() { "no member".into() } else { names.join(", ") };
            self.add(format!("{scope_pointer}/{}", escape(name)), Rule::Enum, expected, quote(name), "");
        }
        let mut scope = Scope::new();
        for name in &names {
            if let Some(text) = sent.get(*name).and_then(Value::as_str) {
                scope.extend([(*name).to_owned(), text.to_owned()]);
            } else {
                let pointer = format!("{scope_pointer}/{}", escape(name));
                let rule = if sent.contains_key(*name) { Rule::Type } else { Rule::Required };
                self.wrong(&pointer, rule, "a string", sent.get(*name));
            }
        }
        let records_pointer = format!("{pointer}/records");
        let Some(list) = members.get("records").and_then(Value::as_array) else {
            let rule = if members.contains_key("records") { Rule::Type } else { Rule::Required };
            self.wrong(&records_pointer, rule, "an array", members.get("records"));
            return;
        };
        let mut records = Vec::with_capacity(list.len());
        for (index, record) in list.iter().enumerate() {
            let pointer = format!("{records_pointer}/{index}");
            if let Some(id) = self.record(resource, record, &pointer) {
                let mut record = Cow::Borrowed(record);
                if let (Some(parent), Some(id)) = (&resource.parent, scope.last())
                    && record.get(&parent.member).is_none_or(|own| own != id)
                {
                    record.to_mut()[&parent.member] = id.as_str().into();
                }
                records.push((id, record));
            }
        }
        places.push(Read { pointer, resource, scope, records });
    }

    /// The id of a record that is as the contract has it.
    fn record(&mut self, resource: &Resource, record: &Value, pointer: &str) -> Option<String> {
        self.object(record, pointer)?;
        for error in resource.judge().iter_errors(record).take(Exchange::MAX_VIOLATIONS) {
            let Some(breach) = wording::Breach::of(&error) else {
                continue;
            };
            let own = breach.schema(&resource.schema, record);
            let source = own.map_or_else(String::new, |schema| schema.source_of(breach.rule));
            let (expected, found) = (breach.expected(own), breach.found(record));
            self.add(format!("{pointer}{}", breach.place), breach.rule, expected, found, &source);
        }
        let id = record.get(&resource.id);
        if let Some(id) = id.and_then(Value::as_str).filter(|id| !id.is_empty()) {
            return Some(id.to_owned());
        }
        let rule = if id.is_some() { Rule::Type } else { Rule::Required };
        self.wrong(&format!("{pointer}/{}", escape(&resource.id)), rule, "an id", id);
        None
    }

    /// Stores the records; an id that is there twice in one place is a violation.
    fn fill(&mut self, session: &mut Session, places: &[Read]) {
        let mut ops = Vec::new();
        let mut ids: BTreeMap<Arc<str>, BTreeSet<&str>> = BTreeMap::new();
        let mut bytes = 0_usize;
        for read in places {
            let place = Place::new(read.resource, &read.scope);
            let known = ids.entry(Arc::clone(&place.name)).or_default();
            for (index, (id, record)) in read.records.iter().enumerate() {
                if !known.insert(id) {
                    let pointer = format!("{}/records/{index}/{}", read.pointer, escape(&read.resource.id));
                    let expected = format!("an id that no other {} has", read.resource.name);
                    self.add(pointer, Rule::Unique, expected, quote(id), "");
                    continue;
                }
                let (text, keys): (Arc<str>, _) = (
                    serde_json::to_string(&**record).unwrap_or_default().into(),
                    unique_keys(read.resource, record),
                );
                bytes += cost(&place, id, &text, &keys);
                let (place, id) = (place.clone(), id.clone());
                ops.push(Op { place, id, record: Some(text), keys, gone: Vec::new() });
            }
        }
        let (counter, clock, version) = (session.counter, session.clock, session.version);
        session.apply(Change { ops, counter, clock, bytes: isize::try_from(bytes).unwrap_or(isize::MAX) });
        session.version = version;
    }

    /// Checks what records say about others.
    fn check(&mut self, session: &Session, places: &[Read], is_checked: bool) {
        let resources = self.contract.resources();
        for read in places {
            if let Some(parent) = &read.resource.parent
                && let [scope @ .., _, id] = read.scope.as_slice()
            {
                let parent = &resources[parent.resource];
                if !session.has(parent, scope)(id) {
                    let pointer = format!("{}/scope/{}", read.pointer, escape(&parent.name));
                    let expected = format!("the id of a {} that is there", parent.name);
                    self.add(pointer, Rule::Reference, expected, quote(id), "");
                }
            }
            if !is_checked {
                continue;
            }
            let own = Place::new(read.resource, &read.scope);
            for (index, (_, record)) in read.records.iter().enumerate() {
                let pointer = format!("{}/records/{index}", read.pointer);
                for (position, (at, choice)) in read.resource.unique.iter().enumerate() {
                    if self.settings.way(choice) == Way::Refuse
                        && unique_key(position, at, record)
                            .is_some_and(|key| session.holders(&own.name, &key) > 1)
                    {
                        let pointer = format!("{pointer}{}", at.text());
                        let expected = format!("a value that no other {} has", read.resource.name);
                        self.wrong(&pointer, Rule::Unique, &expected, at.get(record));
                    }
                }
                super::dangling(self.contract, read.resource, session, &read.scope, record, |wrong| {
                    let expected = format!("the id of a {} that is there", wrong.resource.name);
                    let pointer = format!("{pointer}{}", wrong.at);
                    self.add(pointer, Rule::Reference, expected, quote(wrong.id), &wrong.reference.source);
                });
            }
        }
    }

    fn object<'v>(&mut self, value: &'v Value, pointer: &str) -> Option<&'v Map<String, Value>> {
        let object = value.as_object();
        if object.is_none() {
            self.wrong(pointer, Rule::Type, "an object", Some(value));
        }
        object
    }

    fn take<T>(&mut self, sent: Option<T>, own: &mut T, pointer: &str, expected: &str, value: &Value) {
        match sent {
            Some(sent) => *own = sent,
            None => self.wrong(pointer, Rule::Format, expected, Some(value)),
        }
    }

    fn wrong(&mut self, pointer: &str, rule: Rule, expected: &str, found: Option<&Value>) {
        let found = match found {
            None => "nothing".into(),
            Some(Value::Array(_)) => "an array".into(),
            Some(Value::Object(_)) => "an object".into(),
            Some(Value::String(text)) => quote(text),
            Some(other) => format!("`{other}`"),
        };
        self.add(pointer.to_owned(), rule, expected.to_owned(), found, "");
    }

    fn add(&mut self, pointer: String, rule: Rule, expected: String, found: String, source: &str) {
        if self.violations.len() < Exchange::MAX_VIOLATIONS {
            self.violations.push(Violation { pointer, rule, expected, found, source: source.to_owned() });
        }
    }
}
