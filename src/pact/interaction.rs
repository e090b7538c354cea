//! One exchange as one interaction of a pact.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::{
    fillable::Fillable,
    rules::{self, Rules},
    stand_in_token, states,
};
use crate::{
    Contract, Exchange, Operation,
    contract::{LedgerKind, Place, Schema, Segment},
    percent,
    pointer::names,
    token,
};

/// What stands in a pact for a token that is none.
const NO_JWT: &str = "not-a-jwt";

/// How deep a body may nest. The libraries that read pacts stop at 128 levels, and the pact around it takes some.
const MAX_DEPTH: usize = 100;

/// The interaction that an exchange shows: its request as it was sent, and of its reply what can be relied on.
///
/// Of the request is kept what the contract knows: method, path, parameters and body. A token is replaced by the
/// contract's sample token, or by `not-a-jwt` when it is none; no other credential is kept. What the request breaks is
/// expected exactly so, all else may vary as the contract allows. The reply is described by what it shares with
/// every documented sample of its status and type. An interaction is `pending`, in Pact's word, when its reply is an
/// accident of the documentation, which no provider can be held to.
///
/// ```
/// use standin::{Contract, Settings, Stub, pact};
///
/// let contract = Contract::builtin();
/// let operation = contract.operation("createAgent").unwrap();
/// let stub = Stub::new(contract.clone(), Settings::default());
/// let exchange = stub.respond(pact::sample(&contract, operation, None));
///
/// let interaction = pact::interaction(&contract, "create nobody", &exchange).unwrap();
/// assert_eq!(interaction["response"]["status"], 412);
/// ```
///
/// # Errors
///
/// When a pact cannot hold the exchange; the message says why.
pub fn interaction(contract: &Contract, description: &str, exchange: &Exchange) -> Result<Value, String> {
    let operation = operation_of(contract, exchange);
    let mut request = RequestWriter {
        contract,
        operation,
        exchange,
        members: Map::new(),
        rules: Map::new(),
        fillable: Fillable::default(),
    };
    request.members.insert("method".into(), exchange.request.method.as_str().into());
    request.path()?;
    request.query()?;
    request.headers();
    request.body()?;
    let (request, params) = request.finish();
    let accident = accident(contract, operation, exchange);
    let mut interaction = json!({
        "type": "Synchronous/HTTP",
        "description": description,
        "pending": accident.is_some(),
        "providerStates": states::of(contract, operation, &params),
        "request": request,
        "response": reply(contract, operation, exchange)?,
        "transport": "http",
    });
    if let Some(ids) = accident {
        let comment = format!("the documentation shows this reply by accident; see {ids} of its ledger");
        interaction["comments"] = json!({"text": [comment]});
    }
    Ok(interaction)
}

/// The operation that answered, or one that has the path when only the method is wrong.
fn operation_of<'a>(contract: &'a Contract, exchange: &Exchange) -> Option<&'a Operation> {
    if let Some(id) = &exchange.operation {
        return contract.operation(id);
    }
    let path = exchange.request.path();
    contract.operations().iter().find(|operation| operation.fit(path).is_some())
}

/// The ledger entries of a reply that the documentation shows by accident.
fn accident(contract: &Contract, operation: Option<&Operation>, exchange: &Exchange) -> Option<String> {
    let reply = &exchange.reply;
    let replies = operation?.replies.iter().find(|replies| replies.status == reply.status)?;
    let example = replies.examples.iter().find(|example| example.text == reply.body)?;
    let entries = contract.ledger().iter().filter(|entry| example.ledger.contains(&entry.id));
    let accidents: Vec<_> =
        entries.filter(|entry| entry.kind == LedgerKind::Accident).map(|entry| entry.id.as_str()).collect();
    (!accidents.is_empty()).then(|| accidents.join(" and "))
}

/// Writes the request of an interaction.
struct RequestWriter<'a> {
    contract: &'a Contract,
    operation: Option<&'a Operation>,
    exchange: &'a Exchange,
    members: Map<String, Value>,
    rules: Map<String, Value>,
    fillable: Fillable,
}

impl RequestWriter<'_> {
    fn path(&mut self) -> Result<(), String> {
        let path = self.exchange.request.path();
        // Clients that follow the URL standard send these as something else.
        let is_dots = |segment: &str| {
            let plain = segment.to_ascii_lowercase().replace("%2e", ".");
            plain == "." || plain == ".."
        };
        if path.split('/').any(is_dots) || path.contains(['\\', '#', ' ']) || !path.starts_with('/') {
            return Err(format!("clients would send another path than `{path}`"));
        }
        self.members.insert("path".into(), path.into());
        let Some(operation) = self.operation else { return Ok(()) };
        let Some(mut sent) = operation.path_values(path) else { return Ok(()) };
        let mut expression = String::new();
        let mut pattern = String::from("^");
        let mut has_names = false;
        for segment in &operation.segments {
            expression.push('/');
            pattern.push('/');
            match segment {
                Segment::Literal(text) => {
                    expression.push_str(text);
                    pattern.push_str(&rules::escape(text));
                }
                Segment::Parameter(_) => {
                    let (name, value) = sent.next().unwrap_or_default();
                    pattern.push_str("[^/]+");
                    if self.fillable.name(name, value) {
                        let _ = write!(expression, "${{{name}}}");
                        has_names = true;
                    } else {
                        expression.push_str(value);
                    }
                }
            }
        }
        pattern.push('$');
        if has_names {
            self.fillable.path(&expression);
        }
        if !self.breaks("/path/") {
            self.rules.insert("path".into(), rules::regex(&pattern));
        }
        Ok(())
    }

    fn query(&mut self) -> Result<(), String> {
        let mut query: Map<String, Value> = Map::new();
        let mut rules = Rules::default();
        let text = self.exchange.request.query().unwrap_or_default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text| percent::decode_form(text).map_err(|found| format!("the query has {found}"));
            let (name, value) = (decode(name)?.into_owned(), decode(value)?.into_owned());
            let known = self.operation.and_then(|operation| {
                operation
                    .parameters_in(Place::Query)
                    .find(|parameter| parameter.name == name || parameter.accepts.contains(&name))
            });
            let Some(parameter) = known else { continue };
            if !self.breaks(&format!("/query/{}", parameter.name)) {
                rules.set(&name, rules::parameter(&parameter.schema));
            }
            let list = query.entry(name.clone()).or_insert_with(|| json!([]));
            if list.as_array().is_some_and(Vec::is_empty) && parameter.schema.values.is_empty() {
                self.fillable.parameter("query", &name, &parameter.name, &value);
            }
            if let Some(list) = list.as_array_mut() {
                list.push(value.into());
            }
        }
        self.add("query", query, rules);
        Ok(())
    }

    fn headers(&mut self) {
        let headers = &self.exchange.request.headers;
        let mut out: Map<String, Value> = Map::new();
        let mut rules = Rules::default();
        if let Some(name) = self.contract.token_header() {
            let sent: Vec<_> = headers.all(name).map(|value| self.masked(value)).collect();
            if !sent.is_empty() {
                out.insert(name.into(), json!(sent));
                if !self.breaks(&format!("/header/{name}")) {
                    rules.set(name, rules::of_type());
                }
            }
        }
        for parameter in self.operation.into_iter().flat_map(|op| op.parameters_in(Place::Header)) {
            let names = std::iter::once(&parameter.name).chain(&parameter.accepts);
            for name in names {
                let key = name.to_ascii_lowercase();
                let sent: Vec<_> =
                    headers.all(&key).map(|value| String::from_utf8_lossy(value).into_owned()).collect();
                let [first, ..] = sent.as_slice() else { continue };
                if !self.breaks(&format!("/header/{}", parameter.name)) {
                    rules.set(name, rules::parameter(&parameter.schema));
                }
                if parameter.schema.values.is_empty() {
                    self.fillable.parameter("header", name, &parameter.name, first);
                }
                out.insert(name.clone(), json!(sent));
            }
        }
        if let Some(media_type) = headers.all("content-type").next() {
            out.insert("Content-Type".into(), json!([String::from_utf8_lossy(media_type)]));
        }
        self.add("header", out, rules);
    }

    /// What may stand in a pact for the value of the token's header.
    fn masked(&self, value: &[u8]) -> String {
        let sample = stand_in_token(self.contract);
        let is_recorded = value.starts_with(b"<");
        let is_refused = self
            .exchange
            .violations
            .iter()
            .any(|violation| violation.pointer.strip_prefix("/header/") == self.contract.token_header());
        if value.is_empty() {
            String::new()
        } else if is_refused && !is_recorded && token::read(value, None).is_err() {
            NO_JWT.to_owned()
        } else {
            sample
        }
    }

    fn body(&mut self) -> Result<(), String> {
        let request = &self.exchange.request;
        if request.body.is_empty() {
            return Ok(());
        }
        let body = json_body(&request.body).ok_or("the body of the request is not plain JSON")?;
        let mut rules = Rules::default();
        if let Some(spec) = self.operation.and_then(|operation| operation.body.as_ref()) {
            rules.request(&spec.schema, &body);
            for violation in &self.exchange.violations {
                if let Some(path) = violation.pointer.strip_prefix("/body").and_then(|rest| at(&body, rest)) {
                    rules.set(&path, rules::equality());
                }
            }
            if !self.is_answered_for_itself(&body) {
                self.fillable.body(&spec.schema, &body);
            }
        }
        self.members.insert("body".into(), content(&body));
        if let Some(rules) = rules.into_map() {
            self.rules.insert("body".into(), rules.into());
        }
        Ok(())
    }

    /// Whether just this body gets a reply of its own, so that filling in values would get another.
    fn is_answered_for_itself(&self, body: &Value) -> bool {
        let Some(operation) = self.operation else { return false };
        let Some(spec) = &operation.body else { return false };
        let replies = &operation.replies[operation.success()];
        spec.examples
            .iter()
            .any(|example| example.value == *body && replies.position(&example.name).is_some_and(|at| at > 0))
    }

    /// Whether the request breaks a rule at a pointer that starts so.
    fn breaks(&self, pointer: &str) -> bool {
        self.exchange.violations.iter().any(|violation| violation.pointer.starts_with(pointer))
    }

    fn add(&mut self, category: &str, values: Map<String, Value>, rules: Rules) {
        if !values.is_empty() {
            let key = if category == "header" { "headers" } else { category };
            self.members.insert(key.into(), values.into());
        }
        if let Some(rules) = rules.into_map() {
            self.rules.insert(category.into(), rules.into());
        }
    }

    /// The request, and the values that the provider's state has.
    fn finish(mut self) -> (Value, Map<String, Value>) {
        let (params, generators) = self.fillable.into_generators();
        if !self.rules.is_empty() {
            self.members.insert("matchingRules".into(), self.rules.into());
        }
        if !generators.is_empty() {
            self.members.insert("generators".into(), generators.into());
        }
        (self.members.into(), params)
    }
}

fn reply(contract: &Contract, operation: Option<&Operation>, exchange: &Exchange) -> Result<Value, String> {
    let reply = &exchange.reply;
    // A refusal before any operation matched looks like that of any operation.
    let operation = operation.or_else(|| contract.operations().first());
    let replies = operation
        .and_then(|operation| operation.replies.iter().find(|replies| replies.status == reply.status));
    let mut members = Map::from_iter([("status".to_owned(), json!(reply.status))]);
    let mut rules = Map::new();
    if let Some(media_type) = reply.headers.all("content-type").next() {
        let media_type = String::from_utf8_lossy(media_type);
        let plain = media_type.split(';').next().unwrap_or_default().trim();
        members.insert("headers".into(), json!({"Content-Type": [plain]}));
        let pattern = format!("^{}(?:\\s*;.*)?$", rules::escape(plain));
        rules.insert("header".into(), json!({"Content-Type": rules::regex(&pattern)}));
    }
    if !reply.body.is_empty() {
        let body = json_body(&reply.body).ok_or("the body of the reply is not plain JSON")?;
        let documented = replies.into_iter().flat_map(|replies| replies.examples.iter());
        let documented = documented.filter(|example| example.assumed.is_none());
        let samples: Vec<&Value> = std::iter::once(&body)
            .chain(documented.map(|example| &example.value).filter(|value| is_of_kind(value, &body)))
            .collect();
        let schema: Option<&Schema> = replies.and_then(|replies| replies.schema.as_deref());
        let mut body_rules = Rules::default();
        let expected = body_rules.reply(schema, &samples);
        members.insert("body".into(), content(&expected));
        if let Some(body_rules) = body_rules.into_map() {
            rules.insert("body".into(), body_rules.into());
        }
    }
    if !rules.is_empty() {
        members.insert("matchingRules".into(), rules.into());
    }
    Ok(members.into())
}

fn is_of_kind(value: &Value, other: &Value) -> bool {
    std::mem::discriminant(value) == std::mem::discriminant(other)
}

fn content(body: &Value) -> Value {
    json!({"content": body, "contentType": "application/json", "encoded": false})
}

fn json_body(bytes: &[u8]) -> Option<Value> {
    let mut value = serde_json::from_slice(bytes).ok().filter(|value| is_shallow(value, MAX_DEPTH))?;
    spell_whole(&mut value);
    Some(value)
}

/// Writes `100.0` as `100`: Pact's verifier for JavaScript does so on the way, under the length of the longer one.
fn spell_whole(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(whole) = number.as_f64().and_then(whole) {
                *value = whole.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(spell_whole),
        Value::Object(members) => members.values_mut().for_each(spell_whole),
        _ => {}
    }
}

/// The integer that a number is, if it is one that every reader of JSON has exactly.
fn whole(number: f64) -> Option<i64> {
    const MOST: f64 = 9_007_199_254_740_991.0;
    if number.fract() != 0.0 || number.abs() > MOST {
        return None;
    }
    format!("{number:.0}").parse().ok()
}

fn is_shallow(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| is_shallow(item, levels - 1)),
        Value::Object(members) => levels > 0 && members.values().all(|member| is_shallow(member, levels - 1)),
        _ => true,
    }
}

/// Pact's path of the value at a JSON pointer; none when there is no such value.
fn at(body: &Value, pointer: &str) -> Option<String> {
    let mut path = String::from("$");
    let mut value = body;
    for key in names(pointer) {
        if let Value::Array(items) = value {
            value = items.get(key.parse::<usize>().ok()?)?;
            path = format!("{path}[{key}]");
        } else {
            value = value.get(&*key)?;
            path = rules::child(&path, &key)?;
        }
    }
    Some(path)
}
