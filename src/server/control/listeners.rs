//! Who waits for exchanges, and for which: each is woken when enough of those came that may be what it waits for, and not
//! for every exchange.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

use crate::{Journal, Matcher, Recorded};

/// Everybody who waits.
#[derive(Default)]
pub(super) struct Listeners {
    /// How many there are; nobody takes the lock when there are none.
    count: AtomicUsize,
    /// By the operation that they wait for: an exchange of another one takes no time for them. Those who wait for any, or
    /// are to be woken whatever came, have none.
    entries: Mutex<HashMap<Option<Arc<str>>, Vec<Entry>>>,
}

/// One who waits.
pub(super) struct Listener {
    listeners: Arc<Listeners>,
    journal: Arc<Journal>,
    operation: Option<Arc<str>>,
    woken: Arc<Notify>,
}

struct Entry {
    /// The conditions that take no time to look at.
    quick: Matcher,
    /// Exchanges up to this number have been looked at.
    after: u64,
    /// How many more have to come that may match; none while nobody waits.
    missing: usize,
    /// How many may come at most, whatever they are.
    most: u64,
    woken: Arc<Notify>,
}

impl Listeners {
    /// An exchange was recorded.
    pub(super) fn recorded(&self, recorded: &Recorded) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let mut entries = self.lock();
        let operation = &recorded.exchange.operation;
        for key in operation.is_some().then_some(operation).into_iter().chain([&None]) {
            for entry in entries.get_mut(key).into_iter().flatten() {
                entry.heard(recorded);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<Arc<str>>, Vec<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn heard(&mut self, recorded: &Recorded) {
        if self.missing == 0 || recorded.id <= self.after {
            return;
        }
        if self.quick.matches(&recorded.exchange) {
            self.missing -= 1;
        }
        if recorded.id - self.after >= self.most {
            self.missing = 0;
        }
        if self.missing == 0 {
            self.woken.notify_one();
        }
    }
}

impl Listener {
    /// Somebody who is going to wait for exchanges that look like this, and to be woken when `most` of any kind have come.
    pub(super) fn new(
        listeners: &Arc<Listeners>,
        journal: &Arc<Journal>,
        matcher: &Matcher,
        most: u64,
    ) -> Self {
        let woken = Arc::new(Notify::new());
        let entry = Entry { quick: matcher.quick(), after: 0, missing: 0, most, woken: Arc::clone(&woken) };
        let operation = matcher.operation.as_deref().filter(|_| most == u64::MAX).map(Arc::from);
        listeners.lock().entry(Option::clone(&operation)).or_default().push(entry);
        listeners.count.fetch_add(1, Ordering::SeqCst);
        Self { listeners: Arc::clone(listeners), journal: Arc::clone(journal), operation, woken }
    }

    /// Returns when `missing` exchanges past the number `after` may match, or earlier.
    pub(super) async fn heard(&self, after: u64, missing: usize) {
        self.entry(|entry| {
            entry.after = after;
            entry.missing = missing;
        });
        // What came before the entry was made has woken nobody.
        if self.journal.counts().recorded > after {
            return;
        }
        self.woken.notified().await;
    }

    fn entry(&self, change: impl FnOnce(&mut Entry)) {
        let mut entries = self.listeners.lock();
        let mut own = entries.get_mut(&self.operation).into_iter().flatten();
        if let Some(entry) = own.find(|entry| Arc::ptr_eq(&entry.woken, &self.woken)) {
            change(entry);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.listeners.count.fetch_sub(1, Ordering::SeqCst);
        let mut entries = self.listeners.lock();
        let Some(own) = entries.get_mut(&self.operation) else { return };
        own.retain(|entry| !Arc::ptr_eq(&entry.woken, &self.woken));
        if own.is_empty() {
            entries.remove(&self.operation);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Poll, Wake, Waker},
    };

    use super::*;
    use crate::journal::tests::{exchange, journal};

    /// Counts how often it wakes somebody.
    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    struct Case {
        listeners: Arc<Listeners>,
        journal: Arc<Journal>,
    }

    impl Case {
        fn new(n: usize) -> Self {
            let listeners = Arc::<Listeners>::default();
            let journal = Arc::new(journal(100, n));
            let heard = Arc::clone(&listeners);
            journal.on_record(Box::new(move |recorded| heard.recorded(recorded)));
            Self { listeners, journal }
        }

        fn listener(&self, matcher: &str, most: u64) -> Listener {
            let matcher = Matcher::from_json(matcher.as_bytes()).unwrap();
            Listener::new(&self.listeners, &self.journal, &matcher, most)
        }
    }

    #[test]
    fn one_is_woken_by_what_it_waits_for_and_by_nothing_else() {
        for (matcher, missing, most, operations, expected) in [
            (r#"{"operation":"createQueue"}"#, 1, u64::MAX, &["createAgent", "createAgent"][..], 0),
            (
                r#"{"operation":"createQueue"}"#,
                1,
                u64::MAX,
                &["createAgent", "createQueue", "createQueue"],
                1,
            ),
            (r#"{"operation":"createQueue"}"#, 2, u64::MAX, &["createQueue", "createAgent"], 0),
            (
                r#"{"operation":"createQueue"}"#,
                2,
                u64::MAX,
                &["createQueue", "createAgent", "createQueue"],
                1,
            ),
            (r#"{"outcome":"refused"}"#, 1, u64::MAX, &["createQueue"], 0),
            (r#"{"status":200,"contains":"nowhere"}"#, 1, u64::MAX, &["createQueue"], 1),
            (r#"{"operation":"createQueue"}"#, 1, 3, &["createAgent", "createAgent"], 0),
            (r#"{"operation":"createQueue"}"#, 1, 3, &["createAgent", "createAgent", "createAgent"], 1),
        ] {
            let case = Case::new(3);
            let listener = case.listener(matcher, most);
            let mut heard = pin!(listener.heard(3, missing));
            let count = Arc::<Count>::default();
            let waker = Waker::from(Arc::clone(&count));
            let mut context = Context::from_waker(&waker);
            assert_eq!(heard.as_mut().poll(&mut context), Poll::Pending);

            for operation in operations {
                case.journal.record(exchange(operation, "{}"));
            }

            assert_eq!(count.0.load(Ordering::SeqCst), expected, "{matcher} {operations:?}");
            assert_eq!(heard.as_mut().poll(&mut context).is_ready(), expected == 1);
        }
    }

    #[tokio::test]
    async fn what_came_before_one_waits_is_not_missed() {
        let case = Case::new(3);

        case.listener("{}", u64::MAX).heard(2, 1).await;
    }

    #[test]
    fn one_who_is_gone_leaves_nothing() {
        let case = Case::new(0);
        let (one, other) = (case.listener("{}", 1), case.listener("{}", 1));

        drop(one);
        assert_eq!((case.listeners.count.load(Ordering::SeqCst), case.listeners.lock().len()), (1, 1));
        drop(other);

        assert_eq!((case.listeners.count.load(Ordering::SeqCst), case.listeners.lock().len()), (0, 0));
    }
}
