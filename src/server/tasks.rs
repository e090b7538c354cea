//! The tasks that hyper starts: each request of an HTTP/2 connection has one of its own.

use std::{
    future::Future,
    sync::{Arc, atomic::Ordering},
    thread,
};

use hyper::rt::Executor;
use tokio_util::task::TaskTracker;

use super::Counters;

/// Starts tasks, knows when all of them have ended, and reports those that panic: hyper does not look at them again.
#[derive(Clone, Debug)]
pub(super) struct Tasks {
    counters: Arc<Counters>,
    tracker: TaskTracker,
}

impl Tasks {
    pub(super) fn new(counters: Arc<Counters>) -> Self {
        Self { counters, tracker: TaskTracker::new() }
    }

    /// Returns once no task is left.
    pub(super) async fn ended(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}

impl<F> Executor<F> for Tasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        let alarm = Alarm(Arc::clone(&self.counters));
        // What an async block awaits it has twice: as it was given, and while it is polled.
        let future = Box::pin(future);
        self.tracker.spawn(async move {
            let _alarm = alarm;
            future.await;
        });
    }
}

/// Goes off when it is dropped by a panic.
struct Alarm(Arc<Counters>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fault("a request");
        }
    }
}

impl Counters {
    /// Counts and reports a fault of our own, that which ended `what`.
    pub(super) fn fault(&self, what: &str) {
        self.faults.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            target: "standin::server",
            "{what} ended by a fault of this program; please report it"
        );
    }
}
