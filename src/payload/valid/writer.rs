//! Writes a body field by field, and notes where each value stands.

use super::{
    super::{
        Choices,
        field::{Field, FieldId},
        plan::Plan,
        shape, words,
    },
    Spot, number, quote,
};
use crate::contract::JsonType;

// Four independent facts.
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Writer<'p, 'c, 'x> {
    pub(super) plan: &'p Plan,
    /// The parameters' texts, which some members repeat.
    pub(super) texts: &'p [Option<String>],
    /// The fields that must be there.
    pub(super) path: &'p [FieldId],
    pub(super) choices: &'c mut Choices<'x>,
    pub(super) out: Vec<u8>,
    pub(super) spots: Vec<Spot>,
    pub(super) target: Option<usize>,
    pub(super) as_object: bool,
    pub(super) odd: bool,
    /// Members whose text is settled, or which must be left out, because a branch depends on them.
    pub(super) planned: Vec<(&'p [FieldId], Option<String>)>,
    pub(super) scratch: String,
    /// White space between tokens.
    pub(super) gap: &'static str,
    /// Whether characters beyond ASCII are escaped.
    pub(super) ascii: bool,
    /// Whether a large list is still to be written.
    pub(super) large_list: bool,
}

impl<'p> Writer<'p, '_, '_> {
    /// Writes the value of a field. `at` is the field's position in the path, when it is on it.
    pub(super) fn value(
        &mut self,
        id: FieldId,
        parent: usize,
        index: usize,
        start: usize,
        at: Option<usize>,
    ) {
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
