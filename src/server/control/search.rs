//! Searching the journal without holding up anything else: part by part, and what takes long by turns with the others.
//!
//! Whoever gives up a search drops it, and it ends with the part under way.

use std::sync::Arc;

use tokio::task::yield_now;

use super::{load::Place, reply::Refused};
use crate::{Filter, Journal, Matcher, Recorded};

/// A search under way. It keeps a position and nothing else.
pub(super) struct Search {
    filter: Arc<Filter>,
    journal: Arc<Journal>,
    /// The number up to which it has looked.
    pub(super) position: u64,
}

/// What a look at a part of the journal found.
pub(super) struct Slice {
    /// The numbers of those that match, oldest first.
    pub(super) found: Vec<u64>,
    /// How many went for want of room before they could be looked at.
    pub(super) dropped: u64,
    /// The number past which the look began, those left out that have gone.
    pub(super) from: u64,
    /// Whether there was nothing left to look at.
    pub(super) is_end: bool,
}

impl Search {
    pub(super) fn new(journal: &Arc<Journal>, filter: Filter) -> Self {
        Self { position: filter.after, filter: Arc::new(filter), journal: Arc::clone(journal) }
    }

    /// Whether it takes long enough to need a place.
    pub(super) fn needs_place(filter: &Filter) -> bool {
        let Matcher { contains, header, query, .. } = &filter.matcher;
        contains.is_some() || !query.is_empty() || header.len() > FEW
    }

    /// Looks at the next part of the journal. Without a place it is one that needs none.
    pub(super) async fn next(&mut self, place: Option<&Place>) -> Result<Slice, Refused> {
        let chunk = self.journal.read(self.position, SLICE).one_look();
        let dropped = chunk.dropped;
        let Some(newest) = chunk.exchanges.last().map(|newest| newest.id) else {
            // Whatever was recorded past the position has gone already.
            self.position = self.position.max(chunk.last);
            return Ok(Slice { found: Vec::new(), dropped, from: self.position, is_end: true });
        };
        let from = chunk.exchanges.first().map_or(self.position, |oldest| oldest.id - 1);
        let filter = Arc::clone(&self.filter);
        let is_long = is_long(&chunk.exchanges);
        let matching = move || {
            let matching = chunk.exchanges.iter().filter(|recorded| filter.matches(recorded));
            matching.map(|recorded| recorded.id).collect()
        };
        let place = place.filter(|_| Self::needs_place(&self.filter));
        let found = if let Some(place) = place {
            place.part(is_long, matching).await?
        } else {
            yield_now().await;
            matching()
        };
        self.position = newest;
        Ok(Slice { found, dropped, from, is_end: false })
    }
}

/// The numbers of those that match up to `until`, oldest first; it stops looking when there are `limit` of them or more.
pub(super) async fn matching(
    journal: &Arc<Journal>,
    place: Option<&Place>,
    filter: Filter,
    until: u64,
    limit: usize,
) -> Result<Vec<u64>, Refused> {
    let mut search = Search::new(journal, filter);
    let mut found = Vec::new();
    while found.len() < limit && search.position < until {
        let slice = search.next(place).await?;
        found.extend(slice.found.into_iter().filter(|&id| id <= until));
        if slice.is_end {
            break;
        }
    }
    Ok(found)
}

/// Whether looking for a text in these takes longer than a request may wait.
fn is_long(exchanges: &[Arc<Recorded>]) -> bool {
    let bytes = |recorded: &Arc<Recorded>| {
        let exchange = &recorded.exchange;
        let violations = exchange.violations.len() * VIOLATION;
        exchange.request.target.len() + exchange.request.body.len() + violations
    };
    exchanges.iter().map(bytes).sum::<usize>() > LONG
}

/// How many headers are looked for in no time.
const FEW: usize = 16;

/// How many exchanges are looked at together.
const SLICE: usize = 64;

/// How many bytes are searched where they are.
const LONG: usize = 64 * 1024;

/// What a violation counts for: its message is put together before it is searched.
const VIOLATION: usize = 1024;

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, pin::pin};

    use super::*;
    use crate::journal::tests::{exchange, journal};
    use crate::server::{
        control::load::{Load, Task},
        watch::{InFlight, Watch},
    };

    fn search(exchanges: usize, body: &str, contains: Option<&str>) -> Search {
        let journal = Arc::new(journal(1000, 0));
        for _ in 0..exchanges {
            journal.record(exchange("createAgent", body));
        }
        let matcher = Matcher { contains: contains.map(str::to_owned), ..Matcher::default() };
        Search::new(&journal, Filter { matcher, ..Filter::default() })
    }

    /// Searches to the end, and says how often others had their turn in between.
    async fn turns(mut search: Search) -> usize {
        let load = Load::new();
        let place = Search::needs_place(&search.filter)
            .then(|| load.place(Task::Search, &InFlight::begin(Watch::new(), &Arc::default())).ok().unwrap());
        let mut all = pin!(async { while !search.next(place.as_ref()).await.unwrap().is_end {} });
        let mut turns = 0;
        poll_fn(|cx| {
            turns += 1;
            all.as_mut().poll(cx)
        })
        .await;
        turns
    }

    #[tokio::test]
    async fn others_have_their_turn_while_a_journal_is_searched() {
        assert!(turns(search(10 * SLICE, "{}", None)).await >= 10);
        assert!(turns(search(10 * SLICE, "{}", Some("nowhere"))).await >= 10);
    }

    #[tokio::test]
    async fn what_takes_long_is_told_from_what_does_not() {
        for (count, body, expected) in
            [(SLICE, LONG / SLICE, true), (1, LONG, true), (SLICE, 2, false), (1, LONG / 2, false)]
        {
            let search = search(count, &"x".repeat(body), None);
            assert_eq!(is_long(&search.journal.snapshot()), expected, "{count} of {body}");
        }
    }
}
