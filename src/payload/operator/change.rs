//! What an operator did, for the label.

use crate::payload::Choices;

/// What an operator did.
pub(in crate::payload) struct Change {
    pub(in crate::payload) pointer: String,
    pub(in crate::payload) was: Option<String>,
    pub(in crate::payload) became: Option<String>,
}
impl Change {
    pub(super) fn new(pointer: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), was: None, became: None }
    }

    pub(super) fn was(mut self, text: &[u8]) -> Self {
        self.was = Some(excerpt(text));
        self
    }

    pub(super) fn became(mut self, text: &[u8]) -> Self {
        self.became = Some(excerpt(text));
        self
    }
}

/// The beginning of a text, for a label.
pub(in crate::payload) fn excerpt(text: &[u8]) -> String {
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

/// A name with other capitals; empty when it has no letters.
pub(super) fn recase(name: &str, choices: &mut Choices) -> String {
    let mut forms = forms(name);
    let first = choices.below(forms.len());
    forms.rotate_left(first);
    forms.into_iter().find(|form| form != name).unwrap_or_default()
}

/// Every form of a name with other capitals.
pub(super) fn recased(name: &str) -> Vec<String> {
    forms(name).into_iter().filter(|form| form != name).collect()
}

/// A name in small letters, in capitals, and with the first letter turned.
fn forms(name: &str) -> [String; 3] {
    let turn = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    let at = name.find(|c: char| c.is_ascii_alphabetic());
    let turned = name.char_indices().map(|(index, c)| if Some(index) == at { turn(c) } else { c });
    [name.to_ascii_lowercase(), name.to_ascii_uppercase(), turned.collect()]
}
