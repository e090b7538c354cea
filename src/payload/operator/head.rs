//! Operators that change method, path or media type, or the way in which headers are written.

use super::{
    change::{Change, recase},
    definition::{Act, Edit, Effect, operators},
};
use crate::{
    Rule,
    contract::Segment,
    payload::{plan::Plan, valid::Base},
};

operators! {
    /// Writes the names of headers in capitals; stays valid.
    HEADER_CASE = "headerCase" {
        in_capitals: true,
        acts: &[Act::Request {
            at: |_| Some(Effect::Harmless),
            change: |_| Some(Change::new("/header")),
        }],
    }

    /// Changes a literal segment of the path.
    LITERAL_SEGMENT = "literalSegment" {
        is_assumed: true,
        acts: &[Act::Request {
            at: |plan| literals(plan).next().map(|_| Effect::Breaks(Rule::Path)),
            change: |edit| Some(literal_segment(edit)),
        }],
    }

    /// Leaves out the media type.
    MEDIA_TYPE_MISSING = "mediaTypeMissing" {
        acts: &[Act::Request {
            at: |plan| plan.body.map(|_| Effect::Breaks(Rule::Required)),
            change: |edit| {
                let change = Change::new(MEDIA_TYPE).was(media_type(edit.base)?);
                edit.base.draft.headers.retain(|(name, _)| name != "content-type");
                Some(change)
            },
        }],
    }

    /// Sends the media type twice.
    MEDIA_TYPE_REPEATED = "mediaTypeRepeated" {
        is_assumed: true,
        acts: &[Act::Request {
            at: |plan| plan.body.map(|_| Effect::Breaks(Rule::Repeated)),
            change: |edit| {
                let became = *edit.choices.pick(&["application/json", "text/plain"]);
                edit.base.draft.headers.push(("content-type".into(), became.into()));
                Some(Change::new(MEDIA_TYPE).became(became.as_bytes()))
            },
        }],
    }

    /// Announces another media type.
    MEDIA_TYPE_WRONG = "mediaTypeWrong" {
        acts: &[Act::Request {
            at: |plan| plan.body.map(|_| Effect::Breaks(Rule::MediaType)),
            change: wrong_media_type,
        }],
    }

    /// Ends the path with a slash.
    TRAILING_SLASH = "trailingSlash" {
        is_assumed: true,
        acts: &[Act::Request {
            at: |_| Some(Effect::Breaks(Rule::Path)),
            change: |edit| {
                edit.base.draft.segments.push(String::new());
                Some(Change::new("/path").became(b"/"))
            },
        }],
    }

    /// Uses a method that the path does not have.
    WRONG_METHOD = "wrongMethod" {
        acts: &[Act::Request {
            at: |_| Some(Effect::Breaks(Rule::Method)),
            change: |edit| Some(wrong_method(edit)),
        }],
    }
}

/// The positions of the literal segments.
fn literals(plan: &Plan) -> impl Iterator<Item = usize> {
    let is_literal = |segment: &Segment| matches!(segment, Segment::Literal(text) if !text.is_empty());
    (0..plan.segments.len()).filter(move |at| is_literal(&plan.segments[*at]))
}

fn literal_segment(edit: &mut Edit) -> Change {
    let literals: Vec<_> = literals(edit.plan).collect();
    let at = *edit.choices.pick(&literals);
    let was = &edit.base.draft.segments[at];
    let first = was.as_bytes()[0];
    let became = match edit.choices.below(4) {
        0 => format!("{was}x"),
        1 if was.is_ascii() => format!("%{first:02X}{}", &was[1..]),
        2 => recase(was, edit.choices),
        // Adding a segment could make it the path of another operation.
        _ => format!("{was}-{was}"),
    };
    let change = Change::new("/path").was(was.as_bytes()).became(became.as_bytes());
    edit.base.draft.segments[at] = became;
    change
}

fn wrong_method(edit: &mut Edit) -> Change {
    let plan = edit.plan;
    let used = |method: &str| {
        let mut routes = plan.routes.iter();
        routes.any(|(other, segments)| other == method && segments.len() == plan.segments.len())
    };
    let small = plan.method.to_ascii_lowercase();
    let methods = ["DELETE", "PATCH", "PUT", "POST", "PROPFIND", small.as_str()];
    let methods: Vec<_> = methods.into_iter().filter(|method| !used(method)).collect();
    let became = (*edit.choices.pick(&methods)).to_owned();
    let change = Change::new("/method").was(plan.method.as_bytes()).became(became.as_bytes());
    edit.base.draft.method = became;
    change
}

const MEDIA_TYPE: &str = "/header/Content-Type";

fn media_type(base: &Base) -> Option<&[u8]> {
    base.draft.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_slice())
}

fn wrong_media_type(edit: &mut Edit) -> Option<Change> {
    let became = *edit.choices.pick(&[
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "text/json",
        "application/json5",
        "application/problem+json",
        "json",
        "application/json, text/plain",
    ]);
    let change = Change::new(MEDIA_TYPE).was(media_type(edit.base)?).became(became.as_bytes());
    edit.base.draft.headers.iter_mut().find(|(name, _)| name == "content-type")?.1 = became.into();
    Some(change)
}
