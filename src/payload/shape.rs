//! What a text should look like, inferred from its samples: ids, names, addresses, languages, sentences.
//!
//! No name of a field is looked at, so this works for any contract.

use super::{
    Choices,
    field::{Field, Shape, Texts},
    words,
};
use crate::contract::pattern::witness;

impl Texts {
    /// Looks at the samples, and drops those that are not allowed.
    pub(super) fn prepare(&mut self, field: &Field) {
        self.samples.retain(|text| allowed(field, text));
        let sample = self.samples.iter().find(|text| !text.is_empty()).or(field.numbers.first());
        self.shape = match sample {
            _ if self.holds_json => Shape::Sample,
            Some(text) => shape(text),
            // What must not be empty is mostly an id.
            None if field.min_length > 0 => Shape::Id("0123456789abcdef01234567".into()),
            None => Shape::Name,
        };
        let longest = field.max_length.unwrap_or(300).min(5000);
        let mut odd: Vec<String> = words::ODD.iter().map(|text| (*text).to_owned()).collect();
        odd.retain(|text| allowed(field, text));
        self.odd = odd;
        let shortest = field.min_length.clamp(1, 5000);
        let limits = [("m", shortest), ("é", longest), ("x", longest), ("\u{1f642}", longest.min(60))];
        self.limits = limits.map(|(letter, count)| letter.repeat(count)).into();
        self.limits.retain(|text| allowed(field, text));
        if self.samples.is_empty()
            && let Some(pattern) = field.patterns.first()
            && let Some(text) = witness(pattern, field.min_length, field.max_length.unwrap_or(usize::MAX))
        {
            self.limits.insert(0, text);
        }
    }

    /// Appends a text that is allowed at `field` to `out`, now and then an odd one when `odd` is set; false when none was found.
    pub(super) fn write(&self, field: &Field, odd: bool, choices: &mut Choices, out: &mut String) -> bool {
        let start = out.len();
        if let Some(text) = (!field.values.is_empty()).then(|| choices.pick(&field.values)) {
            out.push_str(text.as_str().unwrap_or_default());
            return text.is_string();
        }
        match choices.below(12) {
            0 => {}
            1 if !self.samples.is_empty() => out.push_str(choices.word(&self.samples)),
            9 if odd && !self.limits.is_empty() => out.push_str(choices.word(&self.limits)),
            10 if odd => self.matching(field, choices, out),
            11 if odd && !self.odd.is_empty() => out.push_str(choices.word(&self.odd)),
            _ => self.shaped(choices, out),
        }
        if out.len() > start && allowed(field, &out[start..]) {
            return true;
        }
        out.truncate(start);
        if let Some(sample) = self.samples.first().or(self.limits.first()).or(self.odd.first()) {
            out.push_str(sample);
            return true;
        }
        for _ in 0..20 {
            self.matching(field, choices, out);
            if allowed(field, &out[start..]) {
                return true;
            }
            out.truncate(start);
        }
        false
    }

    fn shaped(&self, choices: &mut Choices, out: &mut String) {
        match &self.shape {
            Shape::Digits(sample) => scramble(sample, 10, choices, out),
            Shape::Email => {
                let given = choices.word(words::GIVEN);
                out.extend(given.chars().filter(char::is_ascii).map(|c| c.to_ascii_lowercase()));
                out.push('.');
                let family = choices.word(words::FAMILY);
                out.extend(family.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()));
                out.push('@');
                out.push_str(choices.word(words::DOMAINS));
            }
            Shape::FullName => {
                out.push_str(choices.word(words::GIVEN));
                out.push(' ');
                out.push_str(choices.word(words::FAMILY));
            }
            Shape::Id(sample) => scramble(sample, 16, choices, out),
            Shape::Language => out.push_str(choices.word(words::LANGUAGES)),
            Shape::Name => {
                let list = if choices.one_in(3) { words::FAMILY } else { words::GIVEN };
                out.push_str(choices.word(list));
            }
            Shape::Sample => {
                if !self.samples.is_empty() {
                    out.push_str(choices.word(&self.samples));
                }
            }
            Shape::Sentence => out.push_str(choices.word(words::SENTENCES)),
        }
    }

    /// Appends a text made from the pattern.
    fn matching(&self, field: &Field, choices: &mut Choices, out: &mut String) {
        match field.patterns.first() {
            Some(pattern) => pattern.write(&mut |count| choices.below(count), out),
            None => self.shaped(choices, out),
        }
    }
}

/// Whether `text` keeps to everything that the contract says of strings there.
pub(super) fn allowed(field: &Field, text: &str) -> bool {
    (field.values.is_empty() || field.values.iter().any(|value| value == text))
        && (field.min_length == 0 || text.chars().nth(field.min_length - 1).is_some())
        && field.max_length.is_none_or(|most| text.len() <= most || text.chars().nth(most).is_none())
        && field.patterns.iter().all(|pattern| pattern.is_match(text))
}

fn shape(sample: &str) -> Shape {
    let words: Vec<&str> = sample.split_whitespace().collect();
    let all = |test: fn(&u8) -> bool| sample.bytes().all(|byte| test(&byte));
    let has_digit = sample.bytes().any(|byte| byte.is_ascii_digit());
    let is_long = sample.len() >= 12;
    match words.len() {
        0 => Shape::Name,
        1 if sample.contains('@') && sample.contains('.') && !sample.contains('/') => Shape::Email,
        1 if all(u8::is_ascii_digit) => Shape::Digits(sample.to_owned()),
        1 if sample.starts_with('#') => Shape::Id(sample.to_owned()),
        1 if has_digit
            && all(|c| c.is_ascii_alphanumeric() || b"-_".contains(c))
            && (is_long || sample.contains('-')) =>
        {
            Shape::Id(sample.to_owned())
        }
        1 if sample.len() == 2 && all(u8::is_ascii_lowercase) => Shape::Language,
        1 if all(|c| c.is_ascii_uppercase() || *c == b'_') || all(u8::is_ascii_lowercase) => Shape::Sample,
        1 if all(u8::is_ascii_alphanumeric) => Shape::Name,
        1 => Shape::Sample,
        2 | 3 => Shape::FullName,
        _ => Shape::Sentence,
    }
}

/// Writes other digits of `base` where the sample has some; a prefix such as `ag-` and the separators stay.
fn scramble(sample: &str, base: u32, choices: &mut Choices, out: &mut String) {
    let prefix =
        sample.find('-').filter(|at| *at <= 3 && sample[..*at].bytes().all(|c| c.is_ascii_alphabetic()));
    let (prefix, rest) = sample.split_at(prefix.map_or(0, |at| at + 1));
    out.push_str(prefix);
    let mut bits = 0;
    let mut left = 0;
    for character in rest.chars() {
        if !character.is_ascii_alphanumeric() {
            out.push(character);
            continue;
        }
        if left == 0 {
            bits = choices.below(1 << 24);
            left = 6;
        }
        let digit = u32::try_from(bits & 15).unwrap_or(0) % base;
        bits >>= 4;
        left -= 1;
        let digit = char::from_digit(digit, 16).unwrap_or('0');
        out.push(if character.is_ascii_uppercase() { digit.to_ascii_uppercase() } else { digit });
    }
}
