//! Operators that change one value or member of the body.

use super::{Change, recase};
use crate::{
    contract::{JsonType, escape},
    payload::{
        Choices, Operator,
        plan::{Node, Plan},
        valid::{self, Base, Spot},
        words,
    },
};

pub(super) fn change(
    plan: &Plan,
    operator: Operator,
    base: &mut Base,
    choices: &mut Choices,
) -> Option<Change> {
    use Operator as O;
    let at = base.target?;
    let spot = base.spots[at];
    let node = &plan.nodes[spot.node];
    match operator {
        O::AcceptedName => Some(rename(plan, base, at, choices.word(&node.accepts))),
        O::DropMember => Some(drop_member(plan, base, at)),
        O::DuplicateMember => {
            let other = ["null", "0", "\"\"", "[]", "{\"alpha\":1}"][choices.below(5)];
            let mut twin = base.draft.body[spot.start..spot.value].to_vec();
            twin.extend_from_slice(other.as_bytes());
            twin.push(b',');
            let change = Change::new(pointer(plan, base, at)).became(&twin);
            splice(base, spot.start, spot.start, &twin);
            Some(change)
        }
        O::MemberCase => {
            let name = recase(&node.name, choices);
            let siblings = plan.nodes.iter().filter(|other| other.parent == node.parent);
            let mut names = siblings.flat_map(|other| std::iter::once(&other.name).chain(&other.accepts));
            (!name.is_empty() && !names.any(|other| *other == name)).then(|| rename(plan, base, at, &name))
        }
        O::UnknownMember => {
            let name = unknown(plan, &spot, choices)?;
            let value = *choices.pick(&[
                "1",
                "null",
                "\"\"",
                "[]",
                "{}",
                "true",
                "\"something\"",
                "[{\"a\":[null]}]",
            ]);
            let mut text = Vec::new();
            valid::quote(name, false, &mut text);
            text.push(b':');
            text.extend_from_slice(value.as_bytes());
            let pointer = format!("{}/{}", pointer(plan, base, at), escape(name));
            let change = Change::new(pointer).became(value.as_bytes());
            insert_member(base, &spot, text);
            Some(change)
        }
        _ => {
            let was = base.draft.body[spot.value..spot.end].to_vec();
            let became = value(operator, node, &was, choices)?;
            let change = Change::new(pointer(plan, base, at)).was(&was).became(&became);
            splice(base, spot.value, spot.end, &became);
            Some(change)
        }
    }
}

/// The JSON text that takes the place of `was`.
fn value(operator: Operator, node: &Node, was: &[u8], choices: &mut Choices) -> Option<Vec<u8>> {
    use Operator as O;
    let wrapped = |open: &str, close: &str| [open.as_bytes(), was, close.as_bytes()].concat();
    let text = match operator {
        O::ArrayForScalar => {
            if choices.one_in(3) {
                b"[]".to_vec()
            } else {
                wrapped("[", "]")
            }
        }
        O::AcceptedType => return accepted_type(node, was, choices),
        O::BooleanForOther => choices.pick(&["true", "false"]).as_bytes().to_vec(),
        O::NullValue => b"null".to_vec(),
        O::NumberForOther => {
            // What stands in quotes, without them, is the likeliest mistake.
            let bare = was.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or_default();
            let is_number =
                (1..=15).contains(&bare.len()) && bare.iter().all(u8::is_ascii_digit) && bare[0] != b'0';
            if is_number {
                bare.to_vec()
            } else {
                choices.pick(&["0", "1", "-1", "42", "3.5"]).as_bytes().to_vec()
            }
        }
        O::ObjectForScalar => {
            if choices.one_in(3) {
                b"{}".to_vec()
            } else {
                wrapped("{\"alpha\":", "}")
            }
        }
        O::StringForOther => {
            let is_scalar = !matches!(was.first(), Some(b'{' | b'['));
            if is_scalar && !choices.one_in(4) {
                wrapped("\"", "\"")
            } else {
                choices.pick(&["\"\"", "\"text\"", "\"[]\"", "\"null\""]).as_bytes().to_vec()
            }
        }
        O::WrongContainer => match (node.allows(JsonType::Object), choices.one_in(3)) {
            (true, false) => wrapped("[", "]"),
            (true, true) => b"[]".to_vec(),
            (false, false) => wrapped("{\"0\":", "}"),
            (false, true) => b"{}".to_vec(),
        },
        O::OffEnum if !node.allows(JsonType::String) => off_enum(node)?.into_bytes(),
        O::AboveMaximum | O::BelowMinimum | O::NotInteger => {
            let mut text = String::new();
            number(operator, node, choices, &mut text);
            text.into_bytes()
        }
        _ => {
            let was: String = serde_json::from_slice(was).unwrap_or_default();
            let mut quoted = Vec::new();
            valid::quote(&text(operator, node, &was, &|_| true, choices)?, false, &mut quoted);
            quoted
        }
    };
    Some(text)
}

/// Appends a number on the wrong side of a limit.
pub(super) fn number(operator: Operator, node: &Node, choices: &mut Choices, out: &mut String) {
    let above =
        |most: f64, step: f64| if node.allows(JsonType::Number) { most + step } else { most.floor() + 1.0 };
    let step = if choices.one_in(2) { 0.5 } else { 1.0 };
    match operator {
        Operator::AboveMaximum => valid::push_number(node.maximum.map(|most| above(most, step)), out),
        Operator::BelowMinimum => valid::push_number(node.minimum.map(|least| -above(-least, step)), out),
        _ => out.push_str(choices.word(&["5.5", "0.1", "-2.75", "1e-3"])),
    }
}

/// A number that is not listed, where only numbers are.
pub(super) fn off_enum(node: &Node) -> Option<String> {
    let largest = node.values.iter().filter_map(serde_json::Value::as_f64).reduce(f64::max)?;
    Some((largest.floor() + 1.0).to_string())
}

/// A text that breaks the rule of the operator, and that is `usable`.
pub(super) fn text(
    operator: Operator,
    node: &Node,
    was: &str,
    usable: &dyn Fn(&str) -> bool,
    choices: &mut Choices,
) -> Option<String> {
    let matches = |text: &str| node.patterns.iter().all(|pattern| pattern.is_match(text));
    match operator {
        Operator::BadFormat => {
            let middle = was.char_indices().nth(was.chars().count() / 2).map_or(0, |(at, _)| at);
            let (left, right) = was.split_at(middle);
            let symbol = |c: char| !c.is_alphanumeric();
            let mut forms = vec![
                format!("{left} {right}"),
                format!("{was} "),
                was.replacen(symbol, "", 1),
                was.replace(symbol, ""),
                format!("{left}@{right}@"),
                "?".into(),
                "not in this form".into(),
                String::new(),
            ];
            let first = choices.below(forms.len());
            forms.rotate_left(first);
            forms.into_iter().find(|form| !matches(form) && usable(form))
        }
        Operator::EmptyText => Some(String::new()),
        Operator::OffEnum => {
            let listed = choices.pick(&node.values).as_str().unwrap_or("other").to_owned();
            let mut forms = vec![
                "other".into(),
                listed.to_uppercase(),
                listed.to_lowercase(),
                format!("{listed} "),
                format!("{listed}s"),
                String::new(),
                "null".into(),
            ];
            let first = choices.below(forms.len());
            forms.rotate_left(first);
            forms.into_iter().find(|form| usable(form) && !node.values.iter().any(|value| value == form))
        }
        Operator::TextTooLong => {
            let most = node.max_length?;
            let more = [1, 1, 2, 50, 500][choices.below(5)];
            let letter = ["x", "é", "字", "🙂"][choices.below(4)];
            let letter = if usable(letter) { letter } else { "x" };
            let mut long = was.to_owned();
            long.push_str(&letter.repeat((most + more).saturating_sub(was.chars().count())));
            matches(&long).then_some(long)
        }
        Operator::TextTooShort => {
            let short: String = was.chars().take(node.min_length - 1).collect();
            matches(&short).then_some(short)
        }
        _ => None,
    }
}

fn accepted_type(node: &Node, was: &[u8], choices: &mut Choices) -> Option<Vec<u8>> {
    let now = match was.first()? {
        b'"' => JsonType::String,
        b'[' => JsonType::Array,
        b'{' => JsonType::Object,
        b't' | b'f' => JsonType::Boolean,
        b'n' => JsonType::Null,
        _ => JsonType::Number,
    };
    let is_other = |kind: &&JsonType| match kind {
        JsonType::Integer => now != JsonType::Number,
        // An object may need members.
        JsonType::Object => false,
        kind => **kind != now,
    };
    let kinds: Vec<_> = node.types.iter().filter(is_other).collect();
    let kind = **kinds.get(choices.below(kinds.len()))?;
    let mut text = String::new();
    Some(match kind {
        JsonType::Array => b"[]".to_vec(),
        JsonType::Boolean => b"true".to_vec(),
        JsonType::Null => b"null".to_vec(),
        JsonType::String => {
            let mut quoted = Vec::new();
            node.texts.write(node, false, choices, &mut text);
            valid::quote(&text, false, &mut quoted);
            quoted
        }
        _ => {
            valid::number(node, false, choices, &mut text);
            text.into_bytes()
        }
    })
}

fn rename(plan: &Plan, base: &mut Base, at: usize, name: &str) -> Change {
    let spot = base.spots[at];
    let was = base.draft.body[spot.start..spot.value].to_vec();
    let end = was.iter().rposition(|byte| *byte == b':').unwrap_or(was.len());
    let mut key = Vec::new();
    valid::quote(name, false, &mut key);
    let change = Change::new(pointer(plan, base, at)).was(&was[..end]).became(&key);
    splice(base, spot.start, spot.start + end, &key);
    change
}

fn drop_member(plan: &Plan, base: &mut Base, at: usize) -> Change {
    let Spot { mut start, value, mut end, .. } = base.spots[at];
    let change = Change::new(pointer(plan, base, at)).was(&base.draft.body[value..end]);
    let body = &base.draft.body;
    if body.get(end) == Some(&b',') {
        end += 1;
    } else if let Some(comma) = body[..start].iter().rposition(|byte| !byte.is_ascii_whitespace())
        && body[comma] == b','
    {
        start = comma;
    }
    splice(base, start, end, b"");
    change
}

/// A name that none of the members at `spot` has.
pub(super) fn unknown(plan: &Plan, spot: &Spot, choices: &mut Choices) -> Option<&'static str> {
    let first = choices.below(words::UNKNOWN.len());
    let mut names = words::UNKNOWN.iter().cycle().skip(first).take(words::UNKNOWN.len());
    let members = || plan.nodes.iter().filter(|node| node.parent == Some(spot.node));
    let is_known = |name: &str| {
        members().any(|node| {
            node.name.eq_ignore_ascii_case(name)
                || node.accepts.iter().any(|other| other.eq_ignore_ascii_case(name))
        })
    };
    names.find(|name| !is_known(name)).copied()
}

/// Puts a member at the beginning of an object.
pub(super) fn insert_member(base: &mut Base, spot: &Spot, mut member: Vec<u8>) {
    let rest = base.draft.body[spot.value + 1..spot.end].trim_ascii_start();
    if rest != b"}" {
        member.push(b',');
    }
    splice(base, spot.value + 1, spot.value + 1, &member);
}

pub(super) fn splice(base: &mut Base, start: usize, end: usize, text: &[u8]) {
    base.draft.body.splice(start..end, text.iter().copied());
}

/// The pointer of a spot, in canonical names.
pub(super) fn pointer(plan: &Plan, base: &Base, at: usize) -> String {
    let spot = &base.spots[at];
    let node = &plan.nodes[spot.node];
    if node.parent.is_none() {
        return "/body".into();
    }
    let parent = pointer(plan, base, spot.parent);
    if node.name.is_empty() && plan.nodes[base.spots[spot.parent].node].items == Some(spot.node) {
        format!("{parent}/{}", spot.index)
    } else {
        format!("{parent}/{}", escape(&node.name))
    }
}
