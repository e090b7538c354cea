//! Valid requests: from the plan, every optional part there and not there, plain values and odd ones.

use super::{
    Choices,
    field::{Field, FieldId},
    head::Draft,
    plan::{Plan, Target},
    shape, words,
};
use crate::contract::{JsonType, Place};

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

// Four independent facts.
#[allow(clippy::struct_excessive_bools)]
struct Writer<'p, 'c, 'x> {
    plan: &'p Plan,
    /// The parameters' texts, which some members repeat.
    texts: &'p [Option<String>],
    /// The fields that must be there.
    path: &'p [FieldId],
    choices: &'c mut Choices<'x>,
    out: Vec<u8>,
    spots: Vec<Spot>,
    target: Option<usize>,
    as_object: bool,
    odd: bool,
    /// Members whose text is settled, or which must be left out, because a branch depends on them.
    planned: Vec<(&'p [FieldId], Option<String>)>,
    scratch: String,
    /// White space between tokens.
    gap: &'static str,
    /// Whether characters beyond ASCII are escaped.
    ascii: bool,
    /// Whether a large list is still to be written.
    large_list: bool,
}

impl<'p> Writer<'p, '_, '_> {
    /// Writes the value of a field. `at` is the field's position in the path, when it is on it.
    fn value(&mut self, id: FieldId, parent: usize, index: usize, start: usize, at: Option<usize>) {
        let field = &self.plan.fields[id];
        let spot = self.spots.len();
        let value = self.out.len();
        self.spots.push(Spot { field: id, parent, index, start, value, end: 0 });
        let next = at.and_then(|at| self.path.get(at + 1)).copied();
        if at.is_some() && next.is_none() {
            self.target = Some(spot);
        }
        if let Some(fixed) = field.fixed.as_ref().filter(|_| !(at.is_some() && self.as_object)) {
            self.out.extend_from_slice(&fixed.json);
            self.spots[spot].end = self.out.len();
            return;
        }
        let kind = match next {
            Some(next) if field.items == Some(next) => JsonType::Array,
            Some(_) => JsonType::Object,
            None if at.is_some() && self.as_object => JsonType::Object,
            None => self.kind(field),
        };
        match kind {
            JsonType::Array => self.list(field, spot, at, next),
            JsonType::Boolean => {
                let text = if self.choices.below(2) == 1 { "true" } else { "false" };
                self.out.extend_from_slice(text.as_bytes());
            }
            JsonType::Integer | JsonType::Number => {
                self.scratch.clear();
                number(field, self.odd, self.choices, &mut self.scratch);
                self.out.extend_from_slice(self.scratch.as_bytes());
            }
            JsonType::Null => self.out.extend_from_slice(b"null"),
            JsonType::Object => self.object(id, spot, at, next),
            JsonType::String => self.text(id),
        }
        self.spots[spot].end = self.out.len();
    }

    fn kind(&mut self, field: &Field) -> JsonType {
        const ANY: [JsonType; 6] = [
            JsonType::String,
            JsonType::Integer,
            JsonType::Boolean,
            JsonType::Null,
            JsonType::Array,
            JsonType::Object,
        ];
        match field.types.len() {
            0 if !field.properties.is_empty() => JsonType::Object,
            0 if field.items.is_some() => JsonType::Array,
            0 => *self.choices.pick(&ANY),
            1 => field.types[0],
            _ if !field.values.is_empty() => {
                let value = self.choices.pick(&field.values);
                field.types.iter().copied().find(|kind| kind.holds(value)).unwrap_or(field.types[0])
            }
            // The first type is the canonical one.
            count => field.types[self.choices.below(count + 2).saturating_sub(2)],
        }
    }

    fn text(&mut self, id: FieldId) {
        let field = &self.plan.fields[id];
        let settled = self.planned.iter().position(|(chain, _)| chain.last() == Some(&id));
        if let Some(text) = settled.and_then(|at| self.planned[at].1.clone()) {
            quote(&text, self.ascii, &mut self.out);
            return;
        }
        let twin = field.same_as.iter().find_map(|parameter| self.texts[*parameter].as_deref());
        if let Some(text) = twin.filter(|text| shape::allowed(field, text))
            && !self.choices.one_in(8)
        {
            quote(text, self.ascii, &mut self.out);
            return;
        }
        self.scratch.clear();
        field.texts.write(field, self.odd, self.choices, &mut self.scratch);
        quote(&self.scratch, self.ascii, &mut self.out);
    }

    fn list(&mut self, field: &Field, spot: usize, at: Option<usize>, next: Option<FieldId>) {
        const LENGTHS: [usize; 8] = [0, 1, 1, 1, 1, 2, 3, 5];
        let mut length = *self.choices.pick(&LENGTHS);
        let Some(items) = field.items else {
            // Nothing is said about the items, so they are of any kind.
            self.out.push(b'[');
            for index in 0..length.saturating_sub(1) {
                self.separate(index);
                self.anything();
            }
            self.out.push(b']');
            return;
        };
        if self.large_list && !self.plan.fields[items].properties.is_empty() {
            self.large_list = false;
            length = 50 + self.choices.below(200);
        }
        let wanted = next.map(|_| {
            length = length.max(1);
            self.choices.below(length)
        });
        self.out.push(b'[');
        for index in 0..length {
            self.separate(index);
            let start = self.out.len();
            let on_path = at.filter(|_| wanted == Some(index)).map(|at| at + 1);
            self.value(items, spot, index, start, on_path);
        }
        self.out.push(b']');
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.out.push(b',');
            self.out.extend_from_slice(self.gap.as_bytes());
        }
    }

    fn object(&mut self, id: FieldId, spot: usize, at: Option<usize>, next: Option<FieldId>) {
        let plan = self.plan;
        let field = &plan.fields[id];
        if field.properties.is_empty() && field.branches.is_empty() {
            self.free_object(field);
            return;
        }
        let planned = self.planned.len();
        let fork = self.fork(field, next);
        let members = plan.members(id, fork);
        // None, all, or each one as it comes.
        let density = self.choices.below(4);
        self.out.push(b'{');
        let mut count = 0;
        for member in members {
            let field = &plan.fields[*member];
            let settled = self.planned.iter().find(|(chain, _)| chain.contains(member));
            let is_there = match settled {
                Some((chain, None)) if chain.last() == Some(member) => false,
                Some((_, Some(_))) => true,
                _ => {
                    field.required
                        || field.fixed.is_some()
                        || next == Some(*member)
                        || density == 1
                        || density > 1 && self.choices.below(2) == 1
                }
            };
            if !is_there {
                continue;
            }
            self.separate(count);
            count += 1;
            let start = self.out.len();
            if !field.accepts.is_empty() && next != Some(*member) && self.choices.one_in(8) {
                quote(self.choices.word(&field.accepts), false, &mut self.out);
                self.out.push(b':');
            } else {
                self.out.extend_from_slice(field.key.as_bytes());
            }
            self.out.extend_from_slice(self.gap.as_bytes());
            let on_path = at.filter(|_| next == Some(*member)).map(|at| at + 1);
            self.value(*member, spot, 0, start, on_path);
        }
        self.out.push(b'}');
        self.planned.truncate(planned);
    }

    /// Chooses the branch of an object, and with it the text of the member that selects it.
    fn fork(&mut self, field: &'p Field, next: Option<FieldId>) -> Option<usize> {
        let selector = field.selector.last()?;
        let selecting = &self.plan.fields[*selector];
        let of =
            |text: &str| field.branches.iter().position(|fork| fork.values.iter().any(|value| value == text));
        let suits = |fork: Option<usize>| {
            let members = fork.map_or(&field.properties, |fork| &field.branches[fork].properties);
            next.is_none_or(|next| members.contains(&next))
        };
        if let Some(fixed) = &selecting.fixed {
            self.planned.push((&field.selector, Some(fixed.text.clone())));
            return of(&fixed.text);
        }
        // As the parameter says that ought to have the same value.
        let twin = selecting.same_as.iter().find_map(|parameter| self.texts[*parameter].as_deref());
        if let Some(text) = twin.filter(|text| shape::allowed(selecting, text) && suits(of(text)))
            && !self.choices.one_in(8)
        {
            self.planned.push((&field.selector, Some(text.to_owned())));
            return of(text);
        }
        for _ in 0..4 {
            let mut text = String::new();
            selecting.texts.write(selecting, self.odd, self.choices, &mut text);
            if suits(of(&text)) {
                let fork = of(&text);
                self.planned.push((&field.selector, Some(text)));
                return fork;
            }
        }
        let forks: Vec<_> = (0..field.branches.len()).filter(|fork| suits(Some(*fork))).collect();
        if forks.is_empty() {
            self.planned.push((&field.selector, None));
            return None;
        }
        let fork = *self.choices.pick(&forks);
        let text = self.choices.pick(&field.branches[fork].values).clone();
        self.planned.push((&field.selector, Some(text)));
        Some(fork)
    }

    /// An object of which the contract says nothing: as in a sample, or with any members.
    fn free_object(&mut self, field: &Field) {
        let sample = self.choices.below(4);
        if sample > 1 && !field.objects.is_empty() {
            self.out.extend_from_slice(self.choices.word(&field.objects).as_bytes());
            return;
        }
        let count = if sample == 0 { 0 } else { self.choices.below(words::MEMBERS.len() + 1) };
        self.out.push(b'{');
        for (index, name) in words::MEMBERS[..count].iter().enumerate() {
            self.separate(index);
            quote(name, false, &mut self.out);
            self.out.push(b':');
            self.anything();
        }
        self.out.push(b'}');
    }

    /// A small value of any type.
    fn anything(&mut self) {
        match self.choices.below(8) {
            0 => self.out.extend_from_slice(b"{}"),
            1 => self.out.extend_from_slice(b"[]"),
            2 => self.out.extend_from_slice(b"null"),
            3 => self.out.extend_from_slice(b"true"),
            4 => self.out.extend_from_slice(b"17.5"),
            5 => quote(self.choices.word(words::ODD), self.ascii, &mut self.out),
            6 => quote(self.choices.word(words::SENTENCES), self.ascii, &mut self.out),
            _ => quote(self.choices.word(words::GIVEN), self.ascii, &mut self.out),
        }
    }
}
