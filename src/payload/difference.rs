//! The other half of the proof: nothing but the labelled place differs from the valid request.

use std::borrow::Cow;

use super::{
    Operator,
    json::{Json, Tree},
    plan::Plan,
    proof,
};
use crate::{
    Request,
    contract::{JsonType, Place, Segment},
    pointer::unescape,
};

/// Whether `changed` is `valid` but for what stands at `pointer`, and differs there.
pub(super) fn is_only_at(
    plan: &Plan,
    operator: Operator,
    pointer: &str,
    valid: &Request,
    changed: &Request,
) -> bool {
    let place = |name: &str| pointer.strip_prefix(name).and_then(|rest| rest.strip_prefix('/')).map(unescape);
    if valid == changed {
        return operator.writes_capitals();
    }
    (valid.method == changed.method || pointer == "/method")
        && path(plan, pointer == "/path", place("/path").as_deref(), valid, changed)
        && query(plan, place("/query").as_deref(), valid, changed)
        && headers(plan, place("/header").as_deref(), valid, changed)
        && (valid.body == changed.body || body(pointer, &valid.body, &changed.body))
}

fn path(plan: &Plan, whole: bool, name: Option<&str>, valid: &Request, changed: &Request) -> bool {
    if whole || valid.path() == changed.path() {
        return true;
    }
    let Some(name) = name else {
        return false;
    };
    let (valid, changed) = (valid.path()[1..].split('/'), changed.path()[1..].split('/'));
    valid.clone().count() == changed.clone().count()
        && plan.segments.iter().zip(valid.zip(changed)).all(|(segment, (valid, changed))| {
            valid == changed || matches!(segment, Segment::Parameter(other) if other == name)
        })
}

fn query(plan: &Plan, name: Option<&str>, valid: &Request, changed: &Request) -> bool {
    let rest = |request: &Request| -> Vec<String> {
        let pairs = request.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let is_other = |pair: &&str| {
            let key = proof::decode(pair.split('=').next().unwrap_or_default(), true).unwrap_or_default();
            !name.is_some_and(|name| {
                names(plan, Place::Query, name).any(|other| other.eq_ignore_ascii_case(&key))
            })
        };
        pairs.filter(is_other).map(str::to_owned).collect()
    };
    valid.query() == changed.query() || name.is_some() && rest(valid) == rest(changed)
}

fn headers(plan: &Plan, name: Option<&str>, valid: &Request, changed: &Request) -> bool {
    if valid.headers == changed.headers {
        return true;
    }
    let Some(name) = name else {
        return false;
    };
    let is_other = |(key, _): &(&str, &[u8])| {
        !names(plan, Place::Header, name).any(|other| other.eq_ignore_ascii_case(key))
    };
    valid.headers.iter().filter(is_other).eq(changed.headers.iter().filter(is_other))
}

/// The spellings of a parameter's name; the name itself when it is none of the plan's.
fn names<'a>(plan: &'a Plan, place: Place, name: &'a str) -> impl Iterator<Item = &'a str> {
    let slots = plan.parameters.iter().filter(move |slot| slot.place == place && slot.name == name);
    std::iter::once(name).chain(slots.flat_map(|slot| &slot.accepts).map(String::as_str))
}

fn body(pointer: &str, valid: &[u8], changed: &[u8]) -> bool {
    let Some(rest) = pointer.strip_prefix("/body") else {
        return false;
    };
    let (Ok(before), Ok(after)) = (Tree::read(valid), Tree::read(changed)) else {
        return text(valid, changed);
    };
    let segments: Vec<_> = rest.split('/').skip(1).map(unescape).collect();
    value(&segments, before.root(), after.root())
}

/// What is no JSON any more differs in one place: something was put in, cut off, or a number was replaced.
fn text(valid: &[u8], changed: &[u8]) -> bool {
    let start = valid.iter().zip(changed).take_while(|(valid, changed)| valid == changed).count();
    let tail = valid[start..].iter().rev().zip(changed[start..].iter().rev());
    let end = valid.len() - tail.take_while(|(valid, changed)| valid == changed).count();
    let gone = &valid[start..end];
    let is_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    gone.is_empty() || start == changed.len() || gone.iter().all(is_number)
}

fn value(segments: &[Cow<'_, str>], before: Json, after: Json) -> bool {
    let Some((name, rest)) = segments.split_first() else {
        return true;
    };
    match (before.kind(), after.kind()) {
        (JsonType::Array, JsonType::Array) => {
            let index = name.parse::<usize>().ok();
            before.children().count() == after.children().count()
                && before.children().zip(after.children()).enumerate().all(|(at, (before, after))| {
                    before.raw() == after.raw() || Some(at) == index && value(rest, before, after)
                })
        }
        (JsonType::Object, JsonType::Object) => {
            // Names are compared without regard to capitals, because some operators change those.
            let is_other = |member: &Json| !member.name().eq_ignore_ascii_case(name);
            let same = before
                .children()
                .filter(is_other)
                .map(member)
                .eq(after.children().filter(is_other).map(member));
            if !same {
                // An accepted spelling stands in the name's place.
                return rest.is_empty() && renamed(name, before, after);
            }
            match (before.member(name), after.member(name)) {
                (Some(before), Some(after)) => before.raw() == after.raw() || value(rest, before, after),
                _ => rest.is_empty(),
            }
        }
        _ => false,
    }
}

fn member(value: Json<'_>) -> (std::borrow::Cow<'_, str>, &str) {
    (value.name(), value.raw())
}

/// Whether one member has another name and the same value, and all others are the same.
fn renamed(name: &str, before: Json, after: Json) -> bool {
    before.children().count() == after.children().count()
        && before.children().zip(after.children()).all(|(before, after)| {
            before.raw() == after.raw() && (before.name() == after.name() || before.name() == name)
        })
}
