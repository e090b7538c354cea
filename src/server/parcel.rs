//! The bytes of a reply on their way to hyper, and what becomes known once they have gone.

use std::{sync::Weak, time::Instant};

use bytes::{Buf, Bytes};
use tokio::sync::oneshot;

use super::{
    budget::Hold,
    watch::{Held, InFlight},
};
use crate::{Delivery, DeliveryCell, Recorded};

/// Bytes on their way to the client.
#[derive(Debug)]
pub(super) struct Parcel {
    bytes: Bytes,
    with: With,
}

/// What goes with the bytes, and is dropped once hyper has no more need of them.
#[derive(Debug)]
pub(super) enum With {
    Nothing,
    /// What a piece has of a budget.
    Held {
        _held: Held,
    },
    /// What the last bytes of a reply have.
    Receipt(Receipt),
    /// Tells who waits for it that the bytes have gone.
    Taken {
        _taken: oneshot::Sender<()>,
    },
}

/// Settles the delivery of an exchange: sent when the last byte has gone to the connection, aborted when it is dropped
/// before.
#[derive(Debug)]
pub(super) struct Receipt {
    /// Settled whatever becomes of the exchange.
    delivery: Option<DeliveryCell>,
    /// Weak, because a reply that nobody takes must not keep what the journal has let go of.
    recorded: Weak<Recorded>,
    /// When the reply was there, or handed over.
    since: Instant,
    /// Whether it is held back.
    is_waiting: bool,
    _held: Option<Held>,
    pub(super) in_flight: InFlight,
}

impl Parcel {
    /// A whole body that is not part of an exchange.
    pub(super) fn plain(bytes: Bytes, hold: Hold, in_flight: InFlight) -> Self {
        Self::whole(bytes, Receipt::new(Weak::new(), hold, in_flight))
    }

    /// A whole body. An empty one is never asked for, so it counts as sent as soon as it is handed over.
    pub(super) fn whole(bytes: Bytes, mut receipt: Receipt) -> Self {
        receipt.handed_over();
        if bytes.is_empty() {
            receipt.settle(Delivery::Sent);
        }
        Self { bytes, with: With::Receipt(receipt) }
    }

    /// A piece.
    pub(super) fn piece(bytes: Bytes, with: With) -> Self {
        Self { bytes, with }
    }
}

impl Receipt {
    /// Of this exchange, and with what its reply has of a budget.
    pub(super) fn new(recorded: Weak<Recorded>, hold: Hold, in_flight: InFlight) -> Self {
        Self {
            delivery: recorded.upgrade().map(|recorded| recorded.delivery.clone()),
            recorded,
            since: Instant::now(),
            is_waiting: false,
            _held: in_flight.holding(hold),
            in_flight,
        }
    }

    /// The reply is held back from now on.
    pub(super) fn waits(&mut self) {
        self.is_waiting = true;
        self.since = Instant::now();
    }

    /// The reply is held back no longer.
    pub(super) fn goes_on(&mut self) {
        self.measure();
        self.is_waiting = false;
        self.since = Instant::now();
    }

    /// The reply, or a piece of it, is handed over.
    pub(super) fn handed_over(&mut self) {
        self.in_flight.replying();
    }

    fn measure(&self) {
        if let Some(Recorded { timing, .. }) = self.recorded.upgrade().as_deref() {
            let time = self.since.elapsed();
            if self.is_waiting { timing.delayed(time) } else { timing.sent(time) }
        }
    }

    fn settle(&mut self, delivery: Delivery) {
        if let Some(cell) = self.delivery.take() {
            self.measure();
            cell.settle(delivery);
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.settle(Delivery::Aborted);
    }
}

impl Buf for Parcel {
    fn remaining(&self) -> usize {
        self.bytes.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        if self.bytes.is_empty()
            && let With::Receipt(receipt) = &mut self.with
        {
            receipt.settle(Delivery::Sent);
        }
    }
}
