//! The tasks that hyper starts: each request of an HTTP/2 connection has one of its own.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use hyper::rt::Executor;
use tokio::sync::Notify;

/// Starts tasks, and knows when all of them have ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Tasks(Arc<Count>);

#[derive(Debug, Default)]
struct Count {
    running: AtomicUsize,
    ended: Notify,
}

impl Tasks {
    /// Returns once no task is left.
    pub(super) async fn ended(&self) {
        loop {
            let mut ended = pin!(self.0.ended.notified());
            ended.as_mut().enable();
            if self.0.running.load(Ordering::SeqCst) == 0 {
                return;
            }
            ended.await;
        }
    }
}

impl<F> Executor<F> for Tasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        let running = Running::begin(&self.0);
        tokio::spawn(async move {
            let _running = running;
            future.await;
        });
    }
}

/// Counts as a task until it is dropped, which is after the task's future.
struct Running(Arc<Count>);

impl Running {
    fn begin(count: &Arc<Count>) -> Self {
        count.running.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.ended.notify_waiters();
        }
    }
}
