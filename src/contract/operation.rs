//! An operation: where it is, what it takes, what it answers.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::{Effect, schema::Schema};

/// One operation of the API.
#[derive(Debug)]
pub struct Operation {
    /// Its `operationId`, such as `createAgent`.
    pub id: Arc<str>,
    /// Its method, in capitals.
    pub method: String,
    /// Its path template, such as `/agents/{agentId}`.
    pub path: String,
    /// The template's segments, without the first slash.
    pub segments: Vec<Segment>,
    /// What it does, in a line.
    pub summary: String,
    /// What else there is to say about it.
    pub description: String,
    /// Ids of the ledger entries that concern it.
    pub ledger: Vec<String>,
    /// The page that documents it.
    pub source: String,
    /// Path, query and header parameters; neither the token nor the media type is one.
    pub parameters: Vec<Parameter>,
    /// The body it takes, when it takes one.
    pub body: Option<Body>,
    /// What it answers, by status code.
    pub replies: Vec<Replies>,
    /// What it does with the state of a session, when it does anything.
    pub(crate) effect: Option<Effect>,
    /// What it shares with the contract's other operations.
    pub(crate) shared: Arc<Shared>,
}

/// What the operations of a contract share.
#[cfg_attr(not(feature = "payload"), allow(dead_code))] // only generators read it
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// The header that carries the token, in lower case.
    pub(crate) token_header: Option<String>,
    /// The claim that names the client in the token's payload.
    pub(crate) token_claim: Option<String>,
    /// Method and path template of each operation.
    pub(crate) routes: Vec<(String, Vec<Segment>)>,
}

/// One segment of a path template.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Segment {
    /// Text that must be there as it is.
    Literal(String),
    /// The place of a path parameter.
    Parameter(String),
}

/// A path, query or header parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Its canonical name.
    pub name: String,
    /// Where it is sent.
    pub place: Place,
    /// Whether it must be there.
    pub required: bool,
    /// Other spellings of its name.
    pub accepts: Vec<String>,
    /// What it holds: a scalar.
    pub schema: Schema,
    /// A value for it that the fixtures use.
    pub example: Option<String>,
    /// What of the caller's it names, such as the stream; none when it names a thing that operations make or read.
    pub scope: Option<String>,
}

/// Where a parameter is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// In a header.
    Header,
    /// In a segment of the path.
    Path,
    /// In the query.
    Query,
}

/// The JSON body of a request.
#[derive(Debug)]
pub struct Body {
    /// Whether it must be there.
    pub required: bool,
    /// Its schema.
    pub schema: Schema,
    /// Its samples.
    pub examples: Vec<Example>,
    /// The page and row that name its media type.
    pub source: String,
    /// Samples of the pages that are not JSON, each with the id of the ledger entry about it.
    pub(crate) broken: Vec<(String, String)>,
}

/// The replies with one status code.
#[derive(Clone, Debug)]
pub struct Replies {
    /// The status code.
    pub status: u16,
    /// What it means.
    pub description: String,
    /// Why the status is assumed, when no page states it.
    pub assumed: Option<String>,
    /// Whether the reply is the request's body with the sample's members added.
    pub echoes: bool,
    /// Its headers with their values, besides those that every reply has.
    pub headers: Vec<(String, String)>,
    /// What the body of the reply looks like.
    pub schema: Option<Arc<Schema>>,
    /// The samples; the first answers when nothing chooses another.
    pub examples: Arc<[Example]>,
    /// What problem details (RFC 9457) with this status look like.
    pub(crate) problem_schema: Option<Arc<Schema>>,
    /// The samples as problem details; there are some only for refusals.
    pub problems: Arc<[Example]>,
}

/// A named sample of a request or reply.
#[derive(Clone, Debug)]
pub struct Example {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// The value as JSON text; empty for a reply without a body.
    pub text: Bytes,
    /// The page that shows it, or `observed`.
    pub source: String,
    /// Why it is assumed, when no page shows it.
    pub assumed: Option<String>,
    /// Ids of the ledger entries about it; answering with it lists them under `readings`.
    pub ledger: Vec<String>,
}

impl Place {
    /// Its name in OpenAPI and in pointers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Path => "path",
            Self::Query => "query",
        }
    }
}

impl Operation {
    /// The parameters of one place.
    pub fn parameters_in(&self, place: Place) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(move |parameter| parameter.place == place)
    }

    /// How many literal segments a path shares with this operation's template; none when it does not fit the template.
    pub(crate) fn fit(&self, path: &str) -> Option<usize> {
        // Bytes, because splitting short texts at a character costs more than everything else here.
        let mut sent = path.strip_prefix('/')?.as_bytes().rsplit(|byte| *byte == b'/');
        let mut literals = 0;
        // From the end, as the paths of one API begin alike.
        for (index, segment) in self.segments.iter().rev().enumerate() {
            let text = sent.next()?;
            match segment {
                Segment::Literal(literal) if literal.as_bytes() == text => literals += 1,
                Segment::Literal(_) => return None,
                // A path that ends in a slash is another path, not one with an empty value.
                Segment::Parameter(_) if text.is_empty() && index == 0 => return None,
                Segment::Parameter(_) => {}
            }
        }
        sent.next().is_none().then_some(literals)
    }

    /// The names and values of the path's parameters, as sent; none when the path does not fit this operation's template.
    pub(crate) fn path_values<'a, 'p>(
        &'a self,
        path: &'p str,
    ) -> Option<impl Iterator<Item = (&'a str, &'p str)>> {
        self.fit(path)?;
        let sent = path.split('/').skip(1);
        Some(self.segments.iter().zip(sent).filter_map(|(segment, text)| match segment {
            Segment::Literal(_) => None,
            Segment::Parameter(name) => Some((name.as_str(), text)),
        }))
    }

    /// Whether no request could tell the two apart.
    pub(super) fn is_reached_like(&self, other: &Self) -> bool {
        let same = |pair: (&Segment, &Segment)| match pair {
            (Segment::Literal(a), Segment::Literal(b)) => a == b,
            (Segment::Parameter(_), Segment::Parameter(_)) => true,
            _ => false,
        };
        self.method == other.method
            && self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(same)
    }

    /// The position among [`Operation::replies`] of those to a request that is accepted: the first 2xx status code.
    pub fn success(&self) -> usize {
        let success =
            |replies: &Replies| (200..300).contains(&replies.status) && !replies.examples.is_empty();
        self.replies.iter().position(success).unwrap_or(0)
    }
}

impl Replies {
    /// The position of the sample of this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        position(&self.examples, name)
    }
}

/// The position of the sample of this name.
pub(crate) fn position(examples: &[Example], name: &str) -> Option<usize> {
    examples.iter().position(|example| example.name == name)
}
