//! Applies an operator to a valid request.

mod body;
mod request;
mod text;

use super::{
    Choices, Operator,
    operator::Target,
    plan::{Plan, Site},
    valid::Base,
};

/// What an operator did.
pub(super) struct Change {
    pub(super) pointer: String,
    pub(super) was: Option<String>,
    pub(super) became: Option<String>,
}

/// Changes `base` at `site`; none when the operator finds that it does not apply after all.
pub(super) fn apply(
    plan: &Plan,
    operator: Operator,
    site: &Site,
    base: &mut Base,
    choices: &mut Choices,
) -> Option<Change> {
    match site.target {
        Target::Node(_) => body::change(plan, operator, base, choices),
        Target::Parameter(index) => request::change_parameter(plan, operator, index, base, choices),
        Target::Request => request::change(plan, operator, base, choices),
    }
}

impl Change {
    fn new(pointer: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), was: None, became: None }
    }

    fn was(mut self, text: &[u8]) -> Self {
        self.was = Some(excerpt(text));
        self
    }

    fn became(mut self, text: &[u8]) -> Self {
        self.became = Some(excerpt(text));
        self
    }
}

/// The beginning of a text, for a label.
fn excerpt(text: &[u8]) -> String {
    const MOST: usize = 160;
    if text.len() <= MOST
        && let Ok(text) = std::str::from_utf8(text)
    {
        return text.to_owned();
    }
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * MOST)]);
    let mut short: String = text.chars().take(MOST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// A name with other capitals: all, none, or the first letter's turned.
fn recase(name: &str, choices: &mut Choices) -> String {
    let mut forms = [name.to_ascii_lowercase(), name.to_ascii_uppercase(), turned(name)];
    let first = choices.below(forms.len());
    forms.rotate_left(first);
    forms.into_iter().find(|form| form != name).unwrap_or_default()
}

fn turned(name: &str) -> String {
    let turn = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    let at = name.find(|c: char| c.is_ascii_alphabetic());
    name.char_indices().map(|(index, c)| if Some(index) == at { turn(c) } else { c }).collect()
}
