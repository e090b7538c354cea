//! An exchange as a journal keeps it, and what becomes known of it afterwards: what was hidden, how long it took, whether
//! its reply was delivered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering, fence},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::Exchange;

/// An exchange as a journal keeps it: numbered, its secrets replaced.
#[derive(Debug)]
pub struct Recorded {
    /// The number: 1 for the first exchange of a journal, never used again.
    pub id: u64,
    /// The exchange, with secrets replaced.
    pub exchange: Exchange,
    /// Where a secret was replaced.
    pub redactions: Arc<[Redaction]>,
    /// How long its parts took.
    pub timing: Timing,
    /// Whether the reply went out.
    pub delivery: DeliveryCell,
}

impl Recorded {
    /// The kind of secret that was replaced at a pointer such as `/request/body`.
    pub fn redaction(&self, pointer: &str) -> Option<SecretKind> {
        self.redactions
            .iter()
            .find(|redaction| redaction.pointer == pointer)
            .map(|redaction| redaction.secret)
    }
}

/// A place of a recorded exchange at which a secret was replaced.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Redaction {
    /// Where: `/request/method`, `/request/target`, `/request/body`, `/reply/body`, `/violations`, `/readings`,
    /// `/state/resource/id`, `…/before`, `…/after`, `/scripted/decided/body`, `/scripted/breaches`, or a header, such as `/request/header/cookie`.
    pub pointer: String,
    /// What kind of secret it was.
    pub secret: SecretKind,
}

/// Why something is a secret.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SecretKind {
    /// It is the value of a header that carries credentials, such as `cookie`.
    Credential,
    /// It has the form of a JWT.
    Jwt,
    /// It is the value of the header that carries the contract's token.
    Token,
    /// It is a value that is known to be secret, such as the client secret.
    Value,
}

/// How long the parts of an exchange took, as far as that is known: an exchange that did not come over a connection
/// took no time.
#[derive(Debug, Default)]
pub struct Timing {
    /// From the head of the request to the end of its body.
    pub body: Duration,
    /// From there to the reply.
    pub answer: Duration,
    /// Microseconds from there for which the reply was held back; 0 when it was not, and while it is.
    delay: AtomicU64,
    /// Microseconds from there until the connection had taken all of the reply; 0 while it is under way.
    send: AtomicU64,
}

impl Timing {
    /// The time that the request's body and the answer took; the reply is still to be sent.
    pub fn new(body: Duration, answer: Duration) -> Self {
        Self { body, answer, ..Self::default() }
    }

    /// For how long the reply was held back, by its [`Course`](crate::Course), in microseconds; zero when it was not, and while it is.
    pub fn delay(&self) -> Duration {
        Duration::from_micros(self.delay.load(Ordering::Relaxed))
    }

    /// Says that the reply was held back for so long, besides what it was before: first it waits, and then it hangs.
    pub fn delayed(&self, time: Duration) {
        self.delay.fetch_add(micros(time), Ordering::Relaxed);
    }

    /// From the reply, and what it was held back, until the connection had taken all of it, in microseconds; zero while it
    /// is under way.
    pub fn send(&self) -> Duration {
        Duration::from_micros(self.send.load(Ordering::Relaxed))
    }

    /// Says how long it took to send the reply.
    pub fn sent(&self, time: Duration) {
        self.send.store(micros(time), Ordering::Relaxed);
    }
}

/// Whole microseconds.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// What became of a reply.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Delivery {
    /// It is recorded and not yet on its way to its end.
    Pending,
    /// The connection took its last byte.
    Sent,
    /// The connection ended before that.
    Aborted,
}

/// A [`Delivery`] that the server sets once the reply has left, without a lock. Its clones are the same cell: who waits
/// for the delivery need not keep the exchange.
#[derive(Clone, Debug)]
pub struct DeliveryCell(Arc<AtomicU8>);

impl DeliveryCell {
    /// A cell that holds `delivery`.
    pub fn new(delivery: Delivery) -> Self {
        Self(Arc::new(AtomicU8::new(delivery as u8)))
    }

    /// Whether there is no other clone, so that nobody else can settle it.
    pub(crate) fn is_alone(&self) -> bool {
        let is_alone = Arc::strong_count(&self.0) == 1;
        // What the last other clone was used for is to be seen by whoever finds that it has gone.
        fence(Ordering::Acquire);
        is_alone
    }

    /// What is known so far.
    pub fn get(&self) -> Delivery {
        match self.0.load(Ordering::Acquire) {
            0 => Delivery::Pending,
            1 => Delivery::Sent,
            _ => Delivery::Aborted,
        }
    }

    /// Settles a pending delivery; one that is settled stays as it is. Returns whether this call settled it.
    pub fn settle(&self, delivery: Delivery) -> bool {
        self.0
            .compare_exchange(Delivery::Pending as u8, delivery as u8, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}
