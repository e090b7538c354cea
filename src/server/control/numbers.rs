//! Exchanges on their way to a reader: their numbers, and each exchange only when its turn comes.
//!
//! So a reader that takes its time keeps nothing alive that the journal has let go of. What has gone by the time that its
//! turn comes is counted.

use std::{iter, mem, sync::Arc, vec};

use crate::{Journal, Recorded};

/// Exchanges that are looked up one by one.
pub(super) struct Numbers {
    journal: Arc<Journal>,
    numbers: vec::IntoIter<u64>,
}

/// How a text is made of exchanges.
pub(super) struct Layout<R, G, T> {
    /// What stands between two items.
    pub(super) separator: &'static str,
    /// An exchange as an item.
    pub(super) render: R,
    /// The item that stands for so many exchanges which have gone; nothing where it is empty.
    pub(super) gap: G,
    /// The end of the text, when so many have gone in all.
    pub(super) tail: T,
}

/// What came of a look.
enum Look {
    /// The next exchange that is there, and how many before it have gone.
    Found(Arc<Recorded>, u64),
    /// There are no more, and this many that were to come have gone.
    End(u64),
}

impl Numbers {
    /// These exchanges.
    pub(super) fn these(journal: &Arc<Journal>, numbers: Vec<u64>) -> Self {
        Self { journal: Arc::clone(journal), numbers: numbers.into_iter() }
    }

    /// The text in pieces, each of them made when it is asked for.
    pub(super) fn text<R, G, T>(mut self, layout: Layout<R, G, T>) -> impl Iterator<Item = String>
    where
        R: Fn(&Recorded) -> String,
        G: Fn(u64) -> String,
        T: Fn(u64) -> String,
    {
        let Layout { separator, render, gap, tail } = layout;
        let mut before = "";
        let mut total = 0;
        let mut is_end = false;
        iter::from_fn(move || {
            if is_end {
                return None;
            }
            let (found, gone) = match self.look() {
                Look::Found(recorded, gone) => (Some(recorded), gone),
                Look::End(gone) => (None, gone),
            };
            total += gone;
            let gap = if gone > 0 { gap(gone) } else { String::new() };
            let mut text = String::new();
            for item in [gap, found.as_ref().map(|recorded| render(recorded)).unwrap_or_default()] {
                if !item.is_empty() {
                    text += mem::replace(&mut before, separator);
                    text += &item;
                }
            }
            if found.is_none() {
                is_end = true;
                text += &tail(total);
            }
            Some(text).filter(|text| !text.is_empty())
        })
    }

    fn look(&mut self) -> Look {
        let mut gone = 0;
        let mut oldest = 0;
        for number in &mut self.numbers {
            if number >= oldest {
                if let Some(recorded) = self.journal.get(number) {
                    return Look::Found(recorded, gone);
                }
                oldest = oldest_of(&self.journal);
            }
            gone += 1;
        }
        Look::End(gone)
    }
}

/// The number of the oldest exchange that is kept, or of the next one.
fn oldest_of(journal: &Journal) -> u64 {
    let chunk = journal.read(0, 1);
    chunk.exchanges.first().map_or(chunk.last + 1, |oldest| oldest.id)
}
