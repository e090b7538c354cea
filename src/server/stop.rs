//! The signal that ends a server, for everything that waits.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;

/// Set once, never reset.
#[derive(Debug, Default)]
pub(super) struct Stop {
    set: AtomicBool,
    notify: Notify,
}

impl Stop {
    pub(super) fn set(&self) {
        self.set.store(true, Ordering::SeqCst);
        self.notify.notify_waiters();
    }

    pub(super) fn is_set(&self) -> bool {
        self.set.load(Ordering::Relaxed)
    }

    /// Returns once the signal is set.
    pub(super) async fn wait(self: Arc<Self>) {
        let mut notified = pin!(self.notify.notified());
        notified.as_mut().enable();
        if !self.set.load(Ordering::SeqCst) {
            notified.await;
        }
    }
}
