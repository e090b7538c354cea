//! Valid requests: from the plan, every optional part there and not there, plain values and odd ones.

mod writer;

use super::{
    Choices,
    field::{Field, FieldId},
    head::Draft,
    plan::{Plan, Target},
    shape,
};
use crate::contract::{JsonType, Place};
use writer::Writer;

/// A valid request in parts, and where each value of its body stands.
pub(super) struct Base {
    pub(super) draft: Draft,
    pub(super) spots: Vec<Spot>,
    /// The spot that was asked for.
    pub(super) target: Option<usize>,
}

/// Where a value stands in a body.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub(super) field: FieldId,
    /// The position of the spot that it is in; the body itself is in itself.
    pub(super) parent: usize,
    /// Its position among a list's items.
    pub(super) index: usize,
    /// Where its name starts, or the value when it has none.
    pub(super) start: usize,
    /// Where the value starts.
    pub(super) value: usize,
    /// Where the value ends.
    pub(super) end: usize,
}

const MEDIA_TYPES: [&str; 5] = [
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "Application/JSON",
    "application/json ; version=\"1\"",
];

/// Makes a valid request, in which `target` is there, and with it the fields of the body that lead to it. An object is
/// put there with `as_object`.
pub(super) fn base(
    plan: &Plan,
    target: Option<Target>,
    path: &[FieldId],
    as_object: bool,
    choices: &mut Choices,
) -> Base {
    // Most cases are plain to read; the others have odd texts in many places.
    let odd = choices.one_in(4);
    let wanted = match target {
        Some(Target::Parameter(index)) => Some(index),
        _ => None,
    };
    let texts = parameters(plan, path, wanted, odd, choices);
    let token = plan.token.as_ref().map(|tokens| choices.pick(&tokens.valid).as_str());
    let is_wanted = target == Some(Target::Request);
    let sends_body = plan
        .body
        .filter(|root| plan.fields[*root].required || !path.is_empty() || is_wanted || choices.below(2) == 1);
    let media = sends_body.map(|_| if odd { *choices.pick(&MEDIA_TYPES) } else { MEDIA_TYPES[0] });
    let mut draft = Draft::new(plan, &texts, token, media);
    for (name, _, index) in &mut draft.query {
        // A query parameter under another name that is accepted.
        let accepts = &plan.parameters[*index].accepts;
        if !accepts.is_empty() && target != Some(Target::Parameter(*index)) && choices.one_in(8) {
            *name = super::head::percent_encode(choices.word(accepts), true);
        }
    }
    let mut base = Base { draft, spots: Vec::new(), target: None };
    if let Some(root) = sends_body {
        let mut writer = Writer {
            plan,
            texts: &texts,
            path,
            out: Vec::with_capacity(1024),
            spots: Vec::with_capacity(64),
            target: None,
            as_object,
            odd,
            planned: Vec::new(),
            scratch: String::new(),
            gap: if odd { ["", " ", "\r\n\t"][choices.below(3)] } else { "" },
            ascii: odd && choices.one_in(4),
            large_list: choices.one_in(200),
            choices,
        };
        writer.value(root, 0, 0, 0, (!path.is_empty()).then_some(0));
        base.draft.body = writer.out;
        base.spots = writer.spots;
        base.target = writer.target;
    }
    base
}

/// The texts of the parameters, none for those that are left out.
fn parameters(
    plan: &Plan,
    path: &[FieldId],
    wanted: Option<usize>,
    odd: bool,
    choices: &mut Choices,
) -> Vec<Option<String>> {
    let mut texts: Vec<Option<String>> = Vec::with_capacity(plan.parameters.len());
    let pinned = pinned(plan, path, choices);
    for (index, slot) in plan.parameters.iter().enumerate() {
        if let Some(fixed) = &plan.fields[slot.field].fixed {
            texts.push(Some(fixed.text.clone()));
            continue;
        }
        if !slot.required && wanted != Some(index) && choices.below(2) == 0 {
            texts.push(None);
            continue;
        }
        let field = &plan.fields[slot.field];
        if let Some((_, text)) = pinned.as_ref().filter(|(parameter, _)| *parameter == index) {
            texts.push(Some(text.clone()));
            continue;
        }
        let twin = field.same_as.iter().find_map(|other| texts.get(*other)?.clone());
        if let Some(text) = twin.filter(|text| fits(slot.place, field, text))
            && !choices.one_in(8)
        {
            texts.push(Some(text));
            continue;
        }
        let mut text = String::new();
        scalar(field, odd, choices, &mut text);
        if !fits(slot.place, field, &text) {
            let samples = field.texts.samples.iter();
            text = samples
                .filter(|text| fits(slot.place, field, text))
                .map(String::clone)
                .next()
                .unwrap_or_else(|| "m".repeat(field.min_length.clamp(1, 5000)));
        }
        texts.push(Some(text));
    }
    texts
}

/// The parameter that ought to have the same value as the member that selects the branch on the way, and the value.
fn pinned(plan: &Plan, path: &[FieldId], choices: &mut Choices) -> Option<(usize, String)> {
    path.windows(2).find_map(|pair| {
        let field = &plan.fields[pair[0]];
        let parameter = *plan.fields[*field.selector.last()?].same_as.first()?;
        let fork = field.branches.iter().find(|fork| fork.properties.contains(&pair[1]))?;
        (!field.properties.contains(&pair[1])).then(|| (parameter, choices.pick(&fork.values).clone()))
    })
}

/// Whether a text can be sent in that place by every client, and is allowed there.
fn fits(place: Place, field: &Field, text: &str) -> bool {
    can_be_sent(place, text) && (!field.allows(JsonType::String) || shape::allowed(field, text))
}

/// Whether a text can be sent in that place by every client.
pub(super) fn can_be_sent(place: Place, text: &str) -> bool {
    match place {
        Place::Header => {
            text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
                && !text.starts_with(' ')
                && !text.ends_with(' ')
        }
        Place::Path => !matches!(text, "" | "." | ".."),
        Place::Query => true,
    }
}

/// Appends the text of a plain value for a parameter.
fn scalar(field: &Field, odd: bool, choices: &mut Choices, out: &mut String) {
    if field.allows(JsonType::String) {
        field.texts.write(field, odd, choices, out);
    } else if field.allows(JsonType::Integer) {
        number(field, odd, choices, out);
    } else {
        out.push_str(["false", "true"][choices.below(2)]);
    }
}

/// Appends a number that is allowed there.
pub(super) fn number(field: &Field, odd: bool, choices: &mut Choices, out: &mut String) {
    const ODD: [&str; 12] = [
        "0",
        "1",
        "-1",
        "5.0",
        "0.5",
        "100",
        "-0",
        "2147483648",
        "9007199254740993",
        "1e2",
        "1E-3",
        "123456789012345678901234567890",
    ];
    if let Some(value) = (!field.values.is_empty()).then(|| choices.pick(&field.values)) {
        out.push_str(&value.to_string());
        return;
    }
    let start = out.len();
    match choices.below(8) {
        0 | 1 if !field.numbers.is_empty() => out.push_str(choices.word(&field.numbers)),
        5 if odd => out.push_str(choices.word(&ODD)),
        6 if field.minimum.is_some() => push_number(field.minimum, out),
        7 if field.maximum.is_some() => push_number(field.maximum, out),
        0 => out.push('0'),
        _ => out.push_str(&choices.below(20).to_string()),
    }
    let value: f64 = out[start..].parse().unwrap_or(f64::NAN);
    if holds(field, value) {
        return;
    }
    out.truncate(start);
    // The nearest integer within the limits.
    let value = field.minimum.map(f64::ceil).or(field.maximum.map(f64::floor));
    push_number(value, out);
}

fn holds(field: &Field, value: f64) -> bool {
    value.is_finite()
        && (field.allows(JsonType::Number) || value.fract() == 0.0)
        && field.minimum.is_none_or(|least| value >= least)
        && field.maximum.is_none_or(|most| value <= most)
}

pub(super) fn push_number(value: Option<f64>, out: &mut String) {
    out.push_str(&value.unwrap_or(0.0).to_string());
}

/// Appends a text as a JSON string.
pub(super) fn quote(text: &str, ascii: bool, out: &mut Vec<u8>) {
    out.push(b'"');
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\' && (byte < 0x80 || !ascii)) {
        out.extend_from_slice(text.as_bytes());
    } else {
        for character in text.chars() {
            match character {
                '"' | '\\' => out.extend([b'\\', character as u8]),
                '\n' => out.extend(b"\\n"),
                '\t' => out.extend(b"\\t"),
                '\0'..' ' => out.extend(format!("\\u{:04x}", u32::from(character)).bytes()),
                _ if ascii && !character.is_ascii() => {
                    let mut units = [0; 2];
                    for unit in character.encode_utf16(&mut units) {
                        out.extend(format!("\\u{unit:04x}").bytes());
                    }
                }
                _ => out.extend(character.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
    }
    out.push(b'"');
}
