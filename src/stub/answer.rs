//! Step 5: answer with a sample, by default the page's own; `Prefer` (RFC 7240) chooses another.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{
    Sent,
    effect::Shown,
    prefer::{self, Wish},
    profile::Profile,
};
use crate::{
    Operation, Reading, Reply, Request,
    contract::{Errors, Example, Place, Replies, position},
    json::{self, View},
    percent,
};

/// The replies of one operation, ready to be sent: for each status of the operation, for each of its examples.
#[derive(Debug)]
pub(super) struct Prepared(Vec<Vec<Reply>>);

impl Prepared {
    pub(super) fn new(operation: &Operation, profile: &Profile) -> Self {
        let prepare = |replies: &Replies| {
            let examples = replies.samples(profile.errors()).iter();
            examples.map(|example| reply(replies, example, profile)).collect()
        };
        Self(operation.replies.iter().map(prepare).collect())
    }

    /// Which reply a request prefers.
    pub(super) fn prefer(operation: &Operation, wish: &Wish, errors: Errors) -> Preferred {
        let mut applied = Vec::new();
        let mut status = operation.success();
        let mut ignored = Vec::new();
        if let Some(code) = &wish.code {
            let sampled = |replies: &&Replies| !replies.samples(errors).is_empty();
            let chosen = code.parse::<u16>().ok().and_then(|code| {
                operation.replies.iter().position(|replies| replies.status == code && sampled(&replies))
            });
            if let Some(index) = chosen {
                status = index;
                applied.push(format!("code={}", operation.replies[index].status));
            } else {
                let known =
                    operation.replies.iter().filter(sampled).map(|replies| replies.status.to_string());
                ignored.push(prefer::ignored("code", code, "codes", &known.collect::<Vec<_>>()));
            }
        }
        let samples = operation.replies[status].samples(errors);
        let mut example = None;
        if let Some(name) = &wish.example {
            example = position(samples, name);
            if example.is_some() {
                applied.push(format!("example={}", prefer::word(name)));
            } else {
                let known: Vec<_> = samples.iter().map(|example| &example.name).collect();
                ignored.push(prefer::ignored("example", name, "examples", &known));
            }
        }
        applied.append(&mut ignored);
        Preferred { status, example, applied }
    }

    /// The sample that answers a request.
    pub(super) fn sample(
        &self,
        operation: &Operation,
        preferred: &Preferred,
        request: &Request,
        body: &Sent,
        errors: Errors,
        readings: &mut Vec<Reading>,
    ) -> Reply {
        let status = preferred.status;
        let replies = &operation.replies[status];
        let samples = replies.samples(errors);
        let index = preferred.example.or_else(|| match body {
            Sent::Plain { usual } if status == operation.success() => Some(*usual),
            _ => None,
        });
        let body = if index.is_none() || replies.echoes { body.read(request) } else { None };
        let body = body.as_deref();
        let index = index.unwrap_or_else(|| usual_example(operation, samples, request, body));
        let example = &samples[index];
        // What the usual sample contradicts is in the ledger for good; only an unusual one is worth saying each time.
        let unusual = if index > 0 { example.ledger.as_slice() } else { &[] };
        readings.extend(unusual.iter().map(|id| Reading {
            ledger: id.clone(),
            pointer: "/body".into(),
            note: format!("the sample reply `{}` answers", example.name),
        }));
        let mut reply = self.0[status][index].clone();
        if let (true, Some(Value::Object(sent)), Value::Object(added)) =
            (replies.echoes, body, &example.value)
        {
            reply.body = echo(sent, added);
        }
        reply
    }

    /// The sample of this name, or the first with this status.
    pub(super) fn find(
        &self,
        operation: &Operation,
        status: Option<u16>,
        example: Option<&str>,
        errors: Errors,
    ) -> Option<&Reply> {
        let all = operation.replies.iter().zip(&self.0);
        let mut fitting = all.filter(|(replies, _)| status.is_none_or(|status| status == replies.status));
        fitting.find_map(|(replies, prepared)| match example {
            Some(name) => prepared.get(position(replies.samples(errors), name)?),
            None => prepared.first(),
        })
    }

    /// The reply to a success, with this body.
    pub(super) fn success(&self, operation: &Operation, body: Shown) -> Reply {
        let Reply { status, headers, body: sample } = &self.0[operation.success()][0];
        let body = match body {
            Shown::Text(text) => text.into(),
            Shown::Value(value) => bytes(&value, sample.len()),
        };
        Reply { status: *status, headers: headers.clone(), body }
    }
}

/// A value as text, which is about this long.
fn bytes(value: &Value, length: usize) -> Bytes {
    let mut text = String::with_capacity(length.next_power_of_two());
    json::write(value, &mut text);
    text.into()
}

/// Which of an operation's replies a request prefers.
#[derive(Debug)]
pub(super) struct Preferred {
    /// The position of the status.
    pub(super) status: usize,
    /// The position of the example, when one is asked for.
    pub(super) example: Option<usize>,
    /// What is said about it.
    pub(super) applied: Vec<String>,
}

fn reply(replies: &Replies, example: &Example, profile: &Profile) -> Reply {
    let Replies { status, headers, .. } = replies;
    if *status >= 400 {
        return profile.reply(*status, headers, example.text.clone());
    }
    let media = (!example.text.is_empty()).then_some(("content-type", "application/json"));
    let headers =
        media.into_iter().chain(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    Reply { status: *status, headers: headers.collect(), body: example.text.clone() }
}

/// Which of the samples of a success answers a request, as [`Prepared::sample`] says it.
pub(super) fn usual<'v, V: View<'v>>(
    operation: &Operation,
    request: &Request,
    errors: Errors,
    body: V,
) -> usize {
    usual_example(operation, operation.replies[operation.success()].samples(errors), request, Some(body))
}

/// The sample of the same name as the one that was sent, else that of the branch which applies, else the one with the
/// name of what a parameter of the query chooses from a list, else the first.
fn usual_example<'v, V: View<'v>>(
    operation: &Operation,
    samples: &[Example],
    request: &Request,
    body: Option<V>,
) -> usize {
    if samples.len() < 2 {
        return 0;
    }
    let by_body = operation.body.as_ref().zip(body).and_then(|(spec, body)| {
        let sent = spec.examples.iter().find(|example| body.equals(&example.value));
        let same = sent.and_then(|example| position(samples, &example.name));
        let branch = || spec.schema.branches_of(body).find_map(|branch| position(samples, &branch.title));
        same.or_else(branch)
    });
    by_body.or_else(|| chosen_in_query(operation, samples, request)).unwrap_or(0)
}

/// The sample with the name of the value that was sent for a parameter of the query which has a list of values.
fn chosen_in_query(operation: &Operation, samples: &[Example], request: &Request) -> Option<usize> {
    let lists = |name: &str| {
        let mut parameters = operation.parameters_in(Place::Query);
        parameters.any(|parameter| parameter.name == name && !parameter.schema.values.is_empty())
    };
    request.query()?.split('&').filter_map(|pair| pair.split_once('=')).find_map(|(name, value)| {
        let name = percent::decode_form(name).ok().filter(|name| lists(name));
        name.and(percent::decode_form(value).ok()).and_then(|value| position(samples, &value))
    })
}

/// The body that was sent, with the sample's members added.
fn echo(sent: &Map<String, Value>, added: &Map<String, Value>) -> Bytes {
    let mut members = sent.clone();
    members.extend(added.clone());
    bytes(&Value::Object(members), 0)
}
