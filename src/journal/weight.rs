//! How much memory an exchange takes once it is kept.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    Breach, Delivery, Exchange, Reading, Recorded, Redaction, Reply, Scripted, Touched, TouchedResource,
    Violation,
};

/// At least the bytes that an exchange takes once it is kept. A reply's body counts even where it is shared.
///
/// Bodies that have much more memory than they need are given less.
pub(super) fn settle(exchange: &mut Exchange, redactions: &[Redaction]) -> usize {
    let decided = exchange.scripted.as_mut().and_then(|scripted| scripted.decided.as_mut());
    let decided = decided.map(|reply| &mut reply.body);
    let bodies = [&mut exchange.request.body, &mut exchange.reply.body].into_iter().chain(decided);
    let bodies = bodies.map(body).sum::<usize>();
    let Exchange {
        request,
        reply,
        operation: _, // shared with the contract
        step: _,
        violations,
        more_violations: _,
        readings,
        state,
        scripted,
    } = &*exchange;
    let violation_text = violations.iter().flat_map(|violation| {
        let Violation { pointer, rule: _, expected, found, source } = violation;
        [pointer, expected, found, source]
    });
    let reading_text = readings.iter().flat_map(|reading| {
        let Reading { ledger, pointer, note } = reading;
        [ledger, pointer, note]
    });
    let redaction_text = redactions.iter().map(|redaction| &redaction.pointer);
    let touched = state.iter().filter_map(|state| state.resource.as_ref()).flat_map(|resource| {
        let TouchedResource { name: _, id, before, after, cut: _ } = resource; // the name is the contract's
        [Some(id), before.as_ref(), after.as_ref()].into_iter().flatten()
    });
    let texts = violation_text.chain(reading_text).chain(redaction_text).chain(touched);
    let breach_text = scripted.iter().flat_map(|scripted| &scripted.breaches).flat_map(|breach| {
        let Breach { pointer, message } = breach;
        [pointer, message]
    });
    let texts = texts.chain(breach_text);
    let scripted = scripted.as_deref().map_or([0; 5], |scripted| {
        let Scripted { script, decided, course: _, discarded: _, breaches } = scripted;
        // The id is shared with the script, as long as there is one.
        let id = script.as_ref().map_or(0, |id| COUNTERS + id.len());
        let [names, ends] = decided.as_ref().map_or([0; 2], |Reply { headers, .. }| headers.blocks());
        [size_of::<Scripted>(), id, names, ends, breaches.capacity() * size_of::<Breach>()]
    });
    let own = block(COUNTERS + size_of::<Recorded>()) + PLACES * size_of::<(Arc<Recorded>, usize)>();
    let lists = [
        request.method.capacity(),
        request.target.capacity(),
        violations.capacity() * size_of::<Violation>(),
        readings.capacity() * size_of::<Reading>(),
        COUNTERS + size_of_val(redactions),
        COUNTERS + size_of::<Delivery>(),
        state.as_ref().map_or(0, |_| size_of::<Touched>()),
    ];
    own + bodies
        + [lists.as_slice(), &request.headers.blocks(), &reply.headers.blocks(), &scripted]
            .into_iter()
            .flatten()
            .map(|&size| block(size))
            .sum::<usize>()
        + texts.map(|text| block(text.capacity())).sum::<usize>()
}

/// What a body takes, once it has been given no more than it needs.
///
/// A slice of a larger buffer that others hold too counts as what it shows, since there is no telling.
fn body(body: &mut Bytes) -> usize {
    let held = match std::mem::take(body).try_into_mut() {
        Ok(own) if own.capacity() - own.len() > SPARE => {
            *body = Bytes::copy_from_slice(&own);
            body.len()
        }
        Ok(own) => {
            let capacity = own.capacity();
            *body = own.freeze();
            capacity
        }
        Err(shared) => {
            *body = shared;
            body.len()
        }
    };
    // Once a reader has cloned it, the body has a counter beside its bytes.
    block(held) + if held == 0 { 0 } else { block(COUNTERS + size_of::<usize>()) }
}

/// What the usual allocators take for a block of this size.
fn block(size: usize) -> usize {
    if size == 0 { 0 } else { (size + 8).next_multiple_of(16).max(32) }
}

/// The two counters of an `Arc`.
const COUNTERS: usize = 2 * size_of::<usize>();

/// How many places the list of kept exchanges has at most for each of them.
const PLACES: usize = 4;

/// How many bytes a body may have for nothing.
const SPARE: usize = 64;
