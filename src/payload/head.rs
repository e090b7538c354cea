//! The head of a request: the parts that it is put together from.

use bytes::Bytes;

use super::{RECEIVED, plan::Plan};
use crate::{
    BodyEnd, Headers, Request,
    contract::{Place, Segment},
    percent,
};

/// A request in parts, still to be changed.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) method: String,
    /// The path's segments as they are sent.
    pub(super) segments: Vec<String>,
    /// Names and values of the query as they are sent, with the parameter's position.
    pub(super) query: Vec<(String, String, usize)>,
    /// Names in lower case.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

impl Draft {
    /// The request that the parts make.
    pub(super) fn request(&self) -> Request {
        let mut target = String::with_capacity(160);
        for segment in &self.segments {
            target.push('/');
            target.push_str(segment);
        }
        for (index, (name, value, _)) in self.query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(name);
            target.push('=');
            target.push_str(value);
        }
        let mut headers = Headers::with_capacity(self.headers.len(), 400);
        for (name, value) in &self.headers {
            headers.push(name, value);
        }
        Request {
            method: self.method.clone(),
            target,
            headers,
            body: Bytes::copy_from_slice(&self.body),
            body_end: BodyEnd::Complete,
            received: RECEIVED,
        }
    }

    /// The head for these parameters' texts.
    pub(super) fn new(
        plan: &Plan,
        texts: &[Option<String>],
        token: Option<&str>,
        media: Option<&str>,
    ) -> Self {
        let text = |place: Place, name: &str| {
            let index = plan.parameters.iter().position(|slot| slot.place == place && slot.name == name)?;
            texts[index].as_deref()
        };
        let segments = plan.segments.iter().map(|segment| match segment {
            Segment::Literal(literal) => literal.clone(),
            Segment::Parameter(name) => percent_encode(text(Place::Path, name).unwrap_or_default(), false),
        });
        let mut draft = Self {
            method: plan.method.clone(),
            segments: segments.collect(),
            query: Vec::new(),
            headers: Vec::with_capacity(6),
            body: Vec::new(),
        };
        if let (Some(tokens), Some(token)) = (&plan.token, token) {
            draft.headers.push((tokens.header.clone(), token.into()));
        }
        if let Some(media) = media {
            draft.headers.push(("content-type".into(), media.into()));
        }
        for (index, (slot, text)) in plan.parameters.iter().zip(texts).enumerate() {
            match (slot.place, text) {
                (Place::Query, Some(text)) => {
                    draft.query.push((percent_encode(&slot.name, true), percent_encode(text, true), index));
                }
                (Place::Header, Some(text)) => {
                    draft.headers.push((slot.name.to_ascii_lowercase(), text.clone().into_bytes()));
                }
                _ => {}
            }
        }
        draft
    }
}

/// Writes a text for a place of the target: everything but letters, digits and `-._~` as `%XX`.
pub(super) fn percent_encode(text: &str, plus: bool) -> String {
    if plus { percent::encode_form(text) } else { percent::encode(text) }.into_owned()
}
