//! Operators that change a parameter, the head, or the body's text.

use super::{
    Change,
    body::{self, number},
    recase, text,
};
use crate::{
    contract::{JsonType, Place, Segment, escape},
    payload::{
        Choices, Operator,
        head::{Tokens, percent_encode},
        plan::{Plan, Slot},
        valid::{self, Base},
    },
};

/// Changes a parameter.
pub(super) fn change_parameter(
    plan: &Plan,
    operator: Operator,
    index: usize,
    base: &mut Base,
    choices: &mut Choices,
) -> Option<Change> {
    use Operator as O;
    let slot = &plan.parameters[index];
    let node = &plan.nodes[slot.node];
    let place = format!("/{}/{}", slot.place.name(), escape(&slot.name));
    let was = sent(plan, slot, index, base)?;
    let change = Change::new(place).was(&was);
    let was = String::from_utf8_lossy(&was).into_owned();
    let became = match operator {
        O::AcceptedName | O::ParameterCase => {
            let name = if operator == O::AcceptedName {
                choices.pick(&slot.accepts).clone()
            } else {
                recase(&slot.name, choices)
            };
            let is_known = |other: &Slot| other.name == name || other.accepts.contains(&name);
            if operator == O::ParameterCase && (name.is_empty() || plan.parameters.iter().any(is_known)) {
                return None;
            }
            let change = Change { was: Some(slot.name.clone()), ..change }.became(name.as_bytes());
            if slot.place == Place::Query {
                let pair = base.draft.query.iter_mut().find(|(.., other)| *other == index)?;
                pair.0 = percent_encode(&name, true);
            } else {
                let old = slot.name.to_ascii_lowercase();
                let header = base.draft.headers.iter_mut().find(|(other, _)| *other == old)?;
                header.0 = name.to_ascii_lowercase();
            }
            return Some(change);
        }
        O::BadEscape => {
            let bad = *choices.pick(&["%zz", "%", "%4", "%FF", "%C3%28", "%u0041"]);
            if choices.one_in(2) { bad.to_owned() } else { format!("{was}{bad}") }
        }
        O::DotSegment => choices.pick(&["..", "."]).to_string(),
        O::EmptySegment | O::EmptyText => String::new(),
        O::EncodedNul => format!("{was}%00"),
        O::EncodedSlash => choices.pick(&["a%2Fb", "%2F", "..%2F..", "%2f%2e%2e"]).to_string(),
        O::LongSegment => "a".repeat(1000 + choices.below(7000)),
        O::ParameterMissing => {
            base.draft.query.retain(|(.., other)| *other != index);
            if slot.place == Place::Header {
                let name = slot.name.to_ascii_lowercase();
                base.draft.headers.retain(|(other, _)| *other != name);
            }
            return Some(change);
        }
        O::ParameterRepeated => {
            let other = if choices.one_in(2) { was.clone() } else { format!("{was}2") };
            match slot.place {
                Place::Query => {
                    let at = base.draft.query.iter().position(|(.., other)| *other == index)?;
                    let (name, ..) = &base.draft.query[at];
                    base.draft.query.push((name.clone(), other.clone(), index));
                }
                _ => base.draft.headers.push((slot.name.to_ascii_lowercase(), other.clone().into_bytes())),
            }
            return Some(change.became(other.as_bytes()));
        }
        O::AboveMaximum | O::BelowMinimum | O::NotInteger => {
            let mut text = String::new();
            number(operator, node, choices, &mut text);
            text
        }
        O::OffEnum if !node.allows(JsonType::String) => body::off_enum(node)?,
        O::StringForOther if slot.place == Place::Path => "abc".into(),
        O::StringForOther => choices.pick(&["abc", "", "1,5", "yes"]).to_string(),
        _ => {
            let usable = |text: &str| valid::can_be_sent(slot.place, text);
            let text = body::text(operator, node, &was, &usable, choices)?;
            match slot.place {
                Place::Header => text,
                Place::Path | Place::Query => percent_encode(&text, slot.place == Place::Query),
            }
        }
    };
    let mut change = change.became(became.as_bytes());
    let is_last = matches!(plan.segments.last(), Some(Segment::Parameter(name)) if *name == slot.name);
    if slot.place == Place::Path && became.is_empty() && is_last {
        // That is another path, not an empty value.
        change.pointer = "/path".into();
    }
    match slot.place {
        Place::Header => {
            let name = slot.name.to_ascii_lowercase();
            base.draft.headers.iter_mut().find(|(other, _)| *other == name)?.1 = became.into_bytes();
        }
        Place::Path => *segment(plan, &slot.name, base)? = became,
        Place::Query => base.draft.query.iter_mut().find(|(.., other)| *other == index)?.1 = became,
    }
    Some(change)
}

/// What is sent for a parameter, as it is sent.
fn sent(plan: &Plan, slot: &Slot, index: usize, base: &mut Base) -> Option<Vec<u8>> {
    Some(match slot.place {
        Place::Header => {
            let name = slot.name.to_ascii_lowercase();
            base.draft.headers.iter().find(|(other, _)| *other == name)?.1.clone()
        }
        Place::Path => segment(plan, &slot.name, base)?.clone().into_bytes(),
        Place::Query => base.draft.query.iter().find(|(.., other)| *other == index)?.1.clone().into_bytes(),
    })
}

fn segment<'b>(plan: &Plan, name: &str, base: &'b mut Base) -> Option<&'b mut String> {
    let at = plan
        .segments
        .iter()
        .position(|segment| matches!(segment, Segment::Parameter(other) if other == name))?;
    base.draft.segments.get_mut(at)
}

/// Changes the request as a whole.
pub(super) fn change(
    plan: &Plan,
    operator: Operator,
    base: &mut Base,
    choices: &mut Choices,
) -> Option<Change> {
    use Operator as O;
    match operator {
        O::HeaderCase => Some(Change::new("/header")),
        O::LiteralSegment => {
            let is_literal =
                |segment: &Segment| matches!(segment, Segment::Literal(text) if !text.is_empty());
            let literals: Vec<_> =
                (0..plan.segments.len()).filter(|at| is_literal(&plan.segments[*at])).collect();
            let at = *choices.pick(&literals);
            let was = &base.draft.segments[at];
            let first = was.as_bytes()[0];
            let became = match choices.below(4) {
                0 => format!("{was}x"),
                1 if was.is_ascii() => format!("%{first:02X}{}", &was[1..]),
                2 => recase(was, choices),
                // Adding a segment could make it the path of another operation.
                _ => format!("{was}-{was}"),
            };
            let change = Change::new("/path").was(was.as_bytes()).became(became.as_bytes());
            base.draft.segments[at] = became;
            Some(change)
        }
        O::TrailingSlash => {
            base.draft.segments.push(String::new());
            Some(Change::new("/path").became(b"/"))
        }
        O::WrongMethod => {
            let used = |method: &str| {
                let mut routes = plan.routes.iter();
                routes.any(|(other, segments)| other == method && segments.len() == plan.segments.len())
            };
            let small = plan.method.to_ascii_lowercase();
            let methods = ["DELETE", "PATCH", "PUT", "POST", "PROPFIND", small.as_str()];
            let methods: Vec<_> = methods.into_iter().filter(|method| !used(method)).collect();
            let became = (*choices.pick(&methods)).to_owned();
            let change = Change::new("/method").was(plan.method.as_bytes()).became(became.as_bytes());
            base.draft.method = became;
            Some(change)
        }
        O::MediaTypeMissing => {
            let change = Change::new("/header/Content-Type").was(media(base)?);
            base.draft.headers.retain(|(name, _)| name != "content-type");
            Some(change)
        }
        O::MediaTypeRepeated => {
            let became = *choices.pick(&["application/json", "text/plain"]);
            base.draft.headers.push(("content-type".into(), became.into()));
            Some(Change::new("/header/Content-Type").became(became.as_bytes()))
        }
        O::MediaTypeWrong => {
            let became = *choices.pick(&[
                "text/plain",
                "application/xml",
                "application/x-www-form-urlencoded",
                "text/json",
                "application/json5",
                "application/problem+json",
                "json",
                "application/json, text/plain",
            ]);
            let change = Change::new("/header/Content-Type").was(media(base)?).became(became.as_bytes());
            base.draft.headers.iter_mut().find(|(name, _)| name == "content-type")?.1 = became.into();
            Some(change)
        }
        _ => match &plan.token {
            Some(tokens) if operator.name().starts_with("token") => token(operator, tokens, base, choices),
            _ => text::change(plan, operator, base, choices),
        },
    }
}

fn media(base: &Base) -> Option<&[u8]> {
    base.draft.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_slice())
}

/// Changes the token. The label does not repeat it.
fn token(operator: Operator, tokens: &Tokens, base: &mut Base, choices: &mut Choices) -> Option<Change> {
    use Operator as O;
    let headers = &mut base.draft.headers;
    let at = headers.iter().position(|(name, _)| *name == tokens.header)?;
    let valid = String::from_utf8_lossy(&headers[at].1).into_owned();
    let (signed, signature) = valid.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let change = Change::new(format!("/header/{}", tokens.header));
    let value = match operator {
        O::TokenAlgorithm => choices.pick(&tokens.algorithm).clone(),
        O::TokenAppIdCase => choices.pick(&tokens.app_id_case).clone(),
        O::TokenAppIdMissing => choices.pick(&tokens.app_id_missing).clone(),
        O::TokenEncoding => match choices.below(4) {
            0 => format!("{header}.{payload}!.{signature}"),
            1 => format!("{header}=.{payload}.{signature}"),
            2 => format!("{header}.{payload}.{signature}+"),
            _ => format!("{{}}.{payload}.{signature}"),
        },
        O::TokenExpired => choices.pick(&tokens.expired).clone(),
        O::TokenMissing => {
            if choices.one_in(3) {
                headers[at].1.clear();
            } else {
                headers.remove(at);
            }
            return Some(change);
        }
        O::TokenParts => match choices.below(4) {
            0 => signed.to_owned(),
            1 => format!("{valid}.{signature}"),
            2 => header.to_owned(),
            _ => "token".into(),
        },
        O::TokenRepeated => {
            let twin = headers[at].clone();
            headers.push(twin);
            return Some(change);
        }
        O::TokenScheme => format!("{} {valid}", choices.pick(&["Bearer", "JWT", "bearer"])),
        O::TokenSecret => choices.pick(&tokens.other_secret).clone(),
        _ => return None,
    };
    headers[at].1 = value.into_bytes();
    Some(change)
}
