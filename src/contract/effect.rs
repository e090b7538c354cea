//! `x-effect`: what an operation does with resources.

use std::sync::{Arc, OnceLock};

use jsonschema::Validator;

use super::{Cause, Resource, Schema, choice::Choice, choice::Way, pointer::Pointer, schema::Frame};
use crate::pointer::escape;

/// What an operation does with the state of a session.
#[derive(Debug)]
pub(crate) struct Effect {
    pub(crate) does: Does,
    /// What tells the kind, where there are several.
    pub(crate) by: Option<Source>,
    /// What is imported.
    pub(crate) items: Option<Source>,
    /// What it is about: one without values, or several.
    pub(crate) kinds: Vec<Kind>,
    /// The id of the one that is meant.
    pub(crate) key: Option<Source>,
    /// The id of the parent.
    pub(crate) parent: Option<Source>,
    /// Members of the record that are shown though the page's reply lacks them, or not.
    pub(crate) also: Vec<(Pointer, Choice)>,
    pub(crate) left_out: Choice,
    pub(crate) missing: Choice,
    pub(crate) page: Option<Paging>,
    pub(crate) tells: Vec<(Pointer, Tell)>,
    /// What the reply looks like.
    pub(crate) reply: Arc<Schema>,
    pub(super) judge: OnceLock<Frame>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Does {
    Create,
    Delete,
    Export,
    Import,
    List,
    Read,
    Update,
}

/// Things of one resource that an operation is about.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The texts that name it; none where there is but one.
    pub(crate) values: Vec<String>,
    /// The resource's position.
    pub(crate) resource: usize,
    /// The path parameters that tell whose it is, as the resource has them.
    pub(crate) scope: Vec<String>,
    pub(crate) take: Take,
    pub(crate) give: Option<Give>,
    /// What a record has to have, to be listed.
    pub(crate) wheres: Vec<(Pointer, Source)>,
    /// Members of an item that are resources of their own.
    pub(crate) parts: Vec<Part<Take>>,
}

/// A member whose items are resources of their own.
#[derive(Debug)]
pub(crate) struct Part<T> {
    pub(crate) member: String,
    pub(crate) resource: usize,
    pub(crate) how: T,
}

/// What of a request goes elsewhere in the record than under its own name; nowhere, when there is no pointer.
pub(crate) type Take = Vec<(Source, Option<Pointer>)>;

/// What of a record is shown elsewhere than under its own name; nowhere, when there is no pointer.
pub(crate) type Moves = Vec<(Pointer, Option<Pointer>)>;

/// How a record becomes a reply.
#[derive(Debug, Default)]
pub(crate) struct Give {
    pub(crate) at: Pointer,
    pub(crate) members: Moves,
    pub(crate) count: Vec<Pointer>,
    /// Members that are shown only when the request has one of some values.
    pub(crate) only: Vec<(Pointer, Source, Vec<String>)>,
    /// Whether all that is stored is shown.
    pub(crate) whole: bool,
    /// Whether only what the reply's schema requires comes from the sample.
    pub(crate) required_alone: bool,
    pub(crate) parts: Vec<Part<Moves>>,
}

/// How a list comes page by page.
#[derive(Debug)]
pub(crate) struct Paging {
    pub(crate) number: Option<Source>,
    pub(crate) skip: Option<Source>,
    pub(crate) limit: Option<Source>,
    pub(crate) size: usize,
    pub(crate) most: usize,
}

/// What the reply tells about a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tell {
    Limit,
    More,
    Number,
    Pages,
    Skip,
    Total,
}

/// A place in a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Source {
    Body(Pointer),
    Header(String),
    /// In the item of an import that it is about.
    Item(Pointer),
    Path(String),
    Query(String),
}

impl Effect {
    /// Whether a request can be refused for this cause, for one choice or another.
    pub(crate) fn can_refuse(&self, cause: Cause, resources: &[Resource]) -> bool {
        let stores = matches!(self.does, Does::Create | Does::Import | Does::Update);
        let touched = || {
            let parts = self.kinds.iter().flat_map(|kind| kind.parts.iter().map(|part| part.resource));
            self.kinds.iter().map(|kind| kind.resource).chain(parts)
        };
        match cause {
            Cause::Full => stores,
            Cause::InUse => {
                self.does == Does::Delete
                    && resources.iter().filter_map(|resource| resource.parent.as_ref()).any(|parent| {
                        touched().any(|own| own == parent.resource) && parent.gone.may_be(Way::Refuse)
                    })
            }
            Cause::Missing => self.missing.may_be(Way::Refuse),
            Cause::Taken => {
                let refuses =
                    |own: usize| resources[own].unique.iter().any(|(_, choice)| choice.may_be(Way::Refuse));
                stores && touched().any(refuses)
            }
            _ => false,
        }
    }

    /// Whether it changes nothing, and looks at every record of a place or at many; `sent` is what was sent for a parameter.
    pub(crate) fn looks_at_many<'s>(&self, sent: impl Fn(&Source) -> Option<&'s str>) -> bool {
        let is_filtered = || self.kinds.iter().any(|kind| !kind.wheres.is_empty());
        let is_long = || self.page.as_ref().is_none_or(|page| page.limit(sent) > Paging::MANY);
        self.does == Does::Export || self.does == Does::List && (is_filtered() || is_long())
    }

    /// Judges replies by their schema.
    pub(crate) fn judge(&self) -> &Validator {
        let compiled = || self.reply.validator().expect("the built-in schemas compile, as a test shows");
        &self.judge.get_or_init(|| Frame::from(compiled())).0
    }

    /// The kind that a text names; the only one when there is no text.
    pub(crate) fn kind(&self, text: Option<&str>) -> Option<&Kind> {
        match (&self.by, text) {
            (None, _) => self.kinds.first(),
            (Some(_), text) => {
                self.kinds.iter().find(|kind| kind.values.iter().any(|value| text == Some(value)))
            }
        }
    }
}

impl Paging {
    /// How many records are more than a page has that somebody looks at.
    const MANY: usize = 1000;

    /// How many records a page has at most; `sent` is what was sent for a parameter.
    pub(crate) fn limit<'s>(&self, sent: impl Fn(&Source) -> Option<&'s str>) -> usize {
        let limit = self.limit.as_ref().and_then(sent).and_then(|text| text.trim().parse().ok());
        limit.unwrap_or(self.size).clamp(1, self.most)
    }
}

impl Source {
    /// The pointer into the request.
    pub(crate) fn pointer(&self) -> String {
        match self {
            Self::Body(pointer) => format!("/body{}", pointer.text()),
            Self::Header(name) => format!("/header/{}", escape(name)),
            Self::Item(pointer) => format!("/item{}", pointer.text()),
            Self::Path(name) => format!("/path/{}", escape(name)),
            Self::Query(name) => format!("/query/{}", escape(name)),
        }
    }
}
