//! Exchanges on their way to a reader: their numbers, and each exchange only when its turn comes.
//!
//! So a reader that takes its time keeps nothing alive that the journal has let go of. What has gone by the time that its
//! turn comes is counted.

use std::{borrow::Borrow, iter, mem, ops::RangeInclusive, sync::Arc, vec};

use crate::{Exchange, Journal, Recorded};

/// Exchanges that are looked up one by one.
pub(super) struct Numbers<I> {
    journal: Arc<Journal>,
    numbers: I,
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

impl Numbers<vec::IntoIter<u64>> {
    /// These exchanges.
    pub(super) fn these(journal: &Arc<Journal>, numbers: Vec<u64>) -> Self {
        Self { journal: Arc::clone(journal), numbers: numbers.into_iter() }
    }
}

impl Numbers<RangeInclusive<u64>> {
    /// All that are kept at this moment.
    pub(super) fn all(journal: &Arc<Journal>) -> Self {
        let (oldest, newest) = bounds(journal);
        Self { journal: Arc::clone(journal), numbers: oldest..=newest }
    }
}

impl<I: Iterator<Item = u64>> Numbers<I> {
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

    /// Those that are there when their turn comes.
    pub(super) fn exchanges(mut self) -> impl Iterator<Item = impl Borrow<Exchange>> {
        iter::from_fn(move || match self.look() {
            Look::Found(recorded, _) => Some(Kept(recorded)),
            Look::End(_) => None,
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
                (oldest, _) = bounds(&self.journal);
            }
            gone += 1;
        }
        Look::End(gone)
    }
}

/// A recorded exchange, for those who want the exchange.
struct Kept(Arc<Recorded>);

impl Borrow<Exchange> for Kept {
    fn borrow(&self) -> &Exchange {
        &self.0.exchange
    }
}

/// The number of the oldest exchange that is kept, or of the next one, and that of the newest.
fn bounds(journal: &Journal) -> (u64, u64) {
    let chunk = journal.read(0, 1);
    (chunk.exchanges.first().map_or(chunk.last + 1, |oldest| oldest.id), chunk.last)
}
