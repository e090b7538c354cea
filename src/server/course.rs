//! A reply on its course: it waits, leaves slowly, or breaks.

use std::{fmt, future::pending, time::Duration};

use bytes::Bytes;
use tokio::time::sleep;

use super::{
    Shared,
    body::ReplyBody,
    paced::{Pace, Paced},
    parcel::Receipt,
    watch::Break,
};
use crate::{Course, Fault};

/// Sends a reply on its course. While it waits it holds no lock, takes no turn and is not late; the stop ends the wait, and
/// a client that is gone, or of HTTP/1 has closed its side, the reply.
///
/// # Errors
///
/// When the stream of HTTP/2 is to be reset. A connection that is to break ends by its socket, and this never returns.
pub(super) async fn carry(
    shared: &Shared,
    course: &Course,
    body: Bytes,
    mut receipt: Receipt,
) -> Result<ReplyBody, Broken> {
    let longest = shared.stub.settings().max_delay;
    let delay = course.delay.min(longest);
    if !delay.is_zero() {
        wait(shared, &mut receipt, delay).await;
    }
    let mut length = body.len();
    match course.fault {
        None => {}
        Some(Fault::Cut(count)) => length = usize::try_from(count).map_or(length, |count| count.min(length)),
        Some(fault) => return Err(broken(shared, fault, receipt).await),
    }
    let pace = course.throttle.filter(|_| length > 0);
    let pace = pace.map(|rate| Pace::new(rate, longest.saturating_sub(delay), shared.stop.clone()));
    Ok(if pace.is_none() && length == body.len() {
        ReplyBody::whole(body, receipt)
    } else {
        ReplyBody::Paced(Box::new(Paced::new(body, length, pace, receipt)))
    })
}

async fn wait(shared: &Shared, receipt: &mut Receipt, time: Duration) {
    receipt.waits();
    receipt.in_flight.ends_with_client();
    tokio::select! {
        () = sleep(time) => {}
        () = shared.stop.cancelled() => {}
    }
    receipt.in_flight.outlives_client();
    receipt.goes_on();
}

/// Ends a reply before its first byte: returns where that ends a stream of HTTP/2, and else never.
async fn broken(shared: &Shared, fault: Fault, mut receipt: Receipt) -> Broken {
    let is_http2 = receipt.in_flight.is_http2();
    if fault == Fault::Hang {
        receipt.waits();
        receipt.in_flight.hangs();
        if !is_http2 {
            receipt.in_flight.break_off(Break::Hang);
        }
        shared.stop.cancelled().await;
    }
    let way = match fault {
        Fault::Garbage => Break::Garbage,
        Fault::Reset => Break::Reset,
        Fault::Close | Fault::Cut(_) | Fault::Empty | Fault::Hang => Break::Close,
    };
    // What is written for the stream that ends is what the socket breaks the connection at.
    if !is_http2 || matches!(fault, Fault::Empty | Fault::Garbage) {
        receipt.in_flight.break_off(way);
    }
    if !is_http2 {
        pending::<()>().await;
    }
    Broken
}

/// A stream of HTTP/2 ends before its reply, as was asked.
#[derive(Debug)]
pub(super) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream is reset, as was asked")
    }
}

impl std::error::Error for Broken {}
