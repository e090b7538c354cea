//! The proof of a label: the final bytes are read back, and every rule has a predicate of its own.
//!
//! Neither the stub's code nor a schema validator is used. [`faults`] looks at all steps at once, so that a request
//! with faults at two of them is found out.

use std::{borrow::Cow, fmt::Write as _};

use super::{
    field::{Field, FieldId},
    json::{Json, Tree},
    plan::Plan,
    token,
};
use crate::{
    Request, Rule,
    contract::{JsonType, Place, Segment},
    pointer::escape,
};

/// A rule that is broken, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Fault {
    pub(super) pointer: String,
    pub(super) rule: Rule,
}

/// Everything that a request breaks. With `verified`, the token's signature and time count too.
pub(super) fn faults(plan: &Plan, request: &Request, verified: bool) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Err(fault) = route(plan, request) {
        faults.push(fault);
    } else {
        let segments = request.path()[1..].split('/');
        for (segment, sent) in plan.segments.iter().zip(segments) {
            if let Segment::Parameter(name) = segment {
                parameter(plan, Place::Path, name, &[decode(sent, false)], &mut faults);
            }
        }
    }
    if let Some(tokens) = &plan.token {
        let values: Vec<_> = request.headers.all(&tokens.header).collect();
        let rule = match values.as_slice() {
            [] | [b""] => Some(Rule::Required),
            [value] => token::fault(value, tokens, verified, request.received.as_second()),
            _ => Some(Rule::Repeated),
        };
        if let Some(rule) = rule {
            faults.push(fault(format!("/header/{}", tokens.header), rule));
        }
    }
    for slot in plan.parameters.iter().filter(|slot| slot.place != Place::Path) {
        let values = sent(plan, request, slot.place, &slot.name);
        parameter(plan, slot.place, &slot.name, &values, &mut faults);
    }
    if let Some(root) = plan.body {
        body(plan, root, request, &mut faults);
    }
    faults
}

fn fault(pointer: impl Into<String>, rule: Rule) -> Fault {
    Fault { pointer: pointer.into(), rule }
}

/// Whether method and path lead to the plan's operation and to no other.
fn route(plan: &Plan, request: &Request) -> Result<(), Fault> {
    // There are dozens of routes.
    let sent: Option<Vec<_>> = request.path().strip_prefix('/').map(|path| path.split('/').collect());
    let literals = |template: &[Segment]| {
        let sent = sent.as_ref()?;
        if sent.len() != template.len()
            || sent.len() > 1
                && sent.last() == Some(&"")
                && matches!(template.last(), Some(Segment::Parameter(_)))
        {
            return None;
        }
        let mut literals = 0;
        for (segment, sent) in template.iter().zip(sent) {
            match segment {
                Segment::Literal(text) if text == sent => literals += 1,
                Segment::Literal(_) => return None,
                Segment::Parameter(_) => {}
            }
        }
        Some(literals)
    };
    let own = literals(&plan.segments);
    let mut others =
        plan.routes.iter().filter_map(|(method, template)| Some((method, template, literals(template)?)));
    if others.any(|(method, template, count)| {
        *method == request.method
            && (*template != plan.segments || *method != plan.method)
            && own.is_none_or(|own| count >= own)
    }) {
        return Err(fault("another operation", Rule::Path));
    }
    let known = plan.routes.iter().any(|(_, template)| literals(template).is_some());
    match own {
        Some(_) if request.method == plan.method => Ok(()),
        _ if known => Err(fault("/method", Rule::Method)),
        _ => Err(fault("/path", Rule::Path)),
    }
}

pub(super) type Sent<'a> = Result<Cow<'a, str>, ()>;

/// The values that were sent for a parameter, under the spelling of its name that counts.
fn sent<'a>(plan: &Plan, request: &'a Request, place: Place, name: &str) -> Vec<Sent<'a>> {
    let slot = plan.parameters.iter().find(|slot| slot.place == place && slot.name == name);
    let spellings = slot.map_or(&[][..], |slot| &slot.accepts);
    let mut values = Vec::new();
    for name in std::iter::once(name).chain(spellings.iter().map(String::as_str)) {
        if place == Place::Header {
            let all = request.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            values
                .extend(all.map(|(_, value)| std::str::from_utf8(value).map(Cow::Borrowed).map_err(|_| ())));
        } else {
            for pair in request.query().unwrap_or_default().split('&') {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                if decode(key, true).is_ok_and(|key| key == name) {
                    values.push(decode(value, true));
                }
            }
        }
        if !values.is_empty() {
            break;
        }
    }
    values
}

/// Takes the escapes out of a part of the target.
pub(super) fn decode(text: &str, plus: bool) -> Sent<'_> {
    if !(text.contains('%') || plus && text.contains('+')) {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    if plus {
        bytes.iter_mut().filter(|byte| **byte == b'+').for_each(|byte| *byte = b' ');
    }
    for part in parts {
        let digits =
            part.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())).ok_or(())?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| ())?);
        bytes.extend(part[2..].bytes().map(|byte| if plus && byte == b'+' { b' ' } else { byte }));
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| ())
}

fn parameter(plan: &Plan, place: Place, name: &str, values: &[Sent], faults: &mut Vec<Fault>) {
    let Some(slot) = plan.parameters.iter().find(|slot| slot.place == place && slot.name == name) else {
        return;
    };
    let rule = match values {
        [] if slot.required => Some(Rule::Required),
        [] => None,
        [Ok(text)] => parameter_rule(&plan.fields[slot.field], text),
        [Err(())] => Some(Rule::Format),
        _ => Some(Rule::Repeated),
    };
    if let Some(rule) = rule {
        faults.push(fault(format!("/{}/{}", place.name(), escape(name)), rule));
    }
}

/// The rule that a parameter's text breaks. Where no string is allowed, the text stands for a number or a boolean.
pub(super) fn parameter_rule(field: &Field, text: &str) -> Option<Rule> {
    if field.allows(JsonType::String) {
        return text_rule(field, text);
    }
    match Tree::read(text.as_bytes()) {
        Ok(tree) if text.trim_ascii() == text && field.allows(tree.root().kind()) => {
            scalar_rule(field, tree.root())
        }
        _ => Some(Rule::Type),
    }
}

/// The first rule that a string breaks: listed values, form, length.
fn text_rule(field: &Field, text: &str) -> Option<Rule> {
    if !field.values.is_empty() && !field.values.iter().any(|value| value.as_str() == Some(text)) {
        return Some(Rule::Enum);
    }
    if field.patterns.iter().any(|pattern| !pattern.is_match(text)) {
        return Some(Rule::Format);
    }
    if field.min_length == 0 && field.max_length.is_none() {
        return None;
    }
    let length = text.chars().count();
    if length < field.min_length {
        return Some(Rule::MinLength);
    }
    field.max_length.is_some_and(|most| length > most).then_some(Rule::MaxLength)
}

/// The first rule that a value breaks by itself, its type being allowed.
pub(super) fn scalar_rule(field: &Field, value: Json) -> Option<Rule> {
    match value.kind() {
        JsonType::String => text_rule(field, &value.text()),
        JsonType::Integer | JsonType::Number => {
            let number = value.number();
            if !field.values.is_empty() && !field.values.iter().any(|value| value.as_f64() == Some(number)) {
                Some(Rule::Enum)
            } else if field.minimum.is_some_and(|least| number < least) {
                Some(Rule::Minimum)
            } else {
                field.maximum.is_some_and(|most| number > most).then_some(Rule::Maximum)
            }
        }
        _ if field.values.is_empty() => None,
        _ => {
            let same = |listed: &serde_json::Value| {
                serde_json::from_str(value.raw()).is_ok_and(|value: serde_json::Value| value == *listed)
            };
            (!field.values.iter().any(same)).then_some(Rule::Enum)
        }
    }
}

fn body(plan: &Plan, root: FieldId, request: &Request, faults: &mut Vec<Fault>) {
    if request.body.is_empty() && !plan.fields[root].required {
        return;
    }
    let media: Vec<_> = request.headers.all("content-type").collect();
    match media.as_slice() {
        [] => faults.push(fault("/header/Content-Type", Rule::Required)),
        [value] => {
            let name = value.split(|byte| *byte == b';').next().unwrap_or_default();
            if !name.trim_ascii().eq_ignore_ascii_case(b"application/json") {
                faults.push(fault("/header/Content-Type", Rule::MediaType));
            }
        }
        _ => faults.push(fault("/header/Content-Type", Rule::Repeated)),
    }
    match Tree::read(&request.body) {
        Err(rule) => faults.push(fault("/body", rule)),
        Ok(tree) => walk(plan, root, tree.root(), &At::Root, faults),
    }
}

/// Where a value stands; written out only when there is something to say.
enum At<'a> {
    Root,
    Name(&'a At<'a>, &'a str),
    Index(&'a At<'a>, usize),
}

impl At<'_> {
    fn pointer(&self) -> String {
        let (parent, segment): (_, &dyn std::fmt::Display) = match self {
            Self::Root => return "/body".into(),
            Self::Name(parent, name) => (parent, &escape(name)),
            Self::Index(parent, index) => (parent, index),
        };
        let mut pointer = parent.pointer();
        // Writing to a string does not fail.
        let _ = write!(pointer, "/{segment}");
        pointer
    }
}

fn walk(plan: &Plan, id: FieldId, value: Json, at: &At, faults: &mut Vec<Fault>) {
    let field = &plan.fields[id];
    let kind = value.kind();
    if !field.allows(kind) {
        faults.push(fault(at.pointer(), Rule::Type));
        return;
    }
    if let Some(rule) = scalar_rule(field, value) {
        faults.push(fault(at.pointer(), rule));
        return;
    }
    match kind {
        JsonType::Array => {
            if let Some(items) = field.items {
                for (index, item) in value.children().enumerate() {
                    walk(plan, items, item, &At::Index(at, index), faults);
                }
            }
        }
        JsonType::Object if !field.properties.is_empty() || !field.branches.is_empty() => {
            let members = plan.members(id, fork(plan, field, value));
            let found = assign(plan, members, value);
            for (member, found) in members.iter().zip(found) {
                let field = &plan.fields[*member];
                let at = At::Name(at, &field.name);
                match found {
                    Some(value) => walk(plan, *member, value, &at, faults),
                    None if field.required => faults.push(fault(at.pointer(), Rule::Required)),
                    None => {}
                }
            }
        }
        _ => {}
    }
}

impl Plan {
    /// The text of a body that the names of members lead to, under whatever accepted spelling.
    pub(super) fn named<'t>(&self, tree: &'t Tree<'t>, names: &[String]) -> Option<Json<'t>> {
        let mut id = self.body?;
        let mut value = tree.root();
        for name in names {
            let mut properties = self.fields[id].properties.iter().copied();
            id = properties.find(|member| self.fields[*member].name == *name)?;
            value = find(self, id, value)?;
        }
        (value.kind() == JsonType::String).then_some(value)
    }
}

/// The branch that applies to an object.
fn fork(plan: &Plan, field: &Field, value: Json) -> Option<usize> {
    if field.selector.is_empty() {
        return None;
    }
    let selected = field.selector.iter().try_fold(value, |value, member| find(plan, *member, value))?;
    let text = (selected.kind() == JsonType::String).then(|| selected.text())?;
    field.branches.iter().position(|fork| fork.values.iter().any(|value| *value == text))
}

/// The value of a member: under its canonical name, or else under the first other spelling that is there.
fn find<'t>(plan: &Plan, member: FieldId, object: Json<'t>) -> Option<Json<'t>> {
    let field = &plan.fields[member];
    object.member(&field.name).or_else(|| field.accepts.iter().find_map(|name| object.member(name)))
}

/// The values of all members. Mostly they stand in the order of the plan.
fn assign<'t>(plan: &Plan, members: &[FieldId], object: Json<'t>) -> Vec<Option<Json<'t>>> {
    let mut found = vec![None; members.len()];
    let mut guess = 0;
    for value in object.children() {
        let name = value.name();
        let position = (guess..members.len())
            .chain(0..guess)
            .find(|position| plan.fields[members[*position]].name == name);
        if let Some(position) = position {
            found[position] = Some(value);
            guess = position + 1;
        }
    }
    for (found, member) in found.iter_mut().zip(members) {
        if found.is_none() && !plan.fields[*member].accepts.is_empty() {
            *found = find(plan, *member, object);
        }
    }
    found
}

#[cfg(test)]
mod tests;
