//! What the calls that take long may take of the machine together: places for them, and time for searching.
//!
//! Whoever searches takes turns with all others, part by part, so there is one search at a time at most. What that takes of
//! the processors is kept to a tenth in the long run: the answers of the API come first, and slower by more than that, as
//! they find the caches full of other things.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::available_parallelism,
    time::{Duration, Instant as Clock},
};

use hyper::{
    StatusCode,
    header::{HeaderValue, RETRY_AFTER},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{spawn, spawn_blocking},
    time::{Instant, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;

use super::reply::Refused;
use crate::server::watch::InFlight;

/// The places, and the time.
pub(super) struct Load {
    searches: Places,
    states: Places,
    streams: Places,
    waits: Places,
    turn: Arc<Semaphore>,
    texts: Arc<Semaphore>,
    /// Until when the searching so far lasts, at the pace that is allowed.
    paid: Mutex<Instant>,
    /// How many there are. To ask the system each time takes longer than a part of a search.
    processors: u32,
}

/// What a call that takes long does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Task {
    /// Goes through the journal and comes to an end.
    Search,
    /// Reads or writes the whole state of a session, or brings scripts.
    State,
    /// Sends events until its reader goes.
    Stream,
    /// Waits for exchanges.
    Wait,
}

struct Places {
    left: Arc<Semaphore>,
    total: usize,
}

/// A call's place among those that take long. It ends with the call.
pub(super) struct Place {
    load: Arc<Load>,
    _permit: OwnedSemaphorePermit,
}

impl Load {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            searches: Places::new(SEARCHES),
            states: Places::new(STATES),
            streams: Places::new(STREAMS),
            waits: Places::new(WAITS),
            turn: Arc::new(Semaphore::new(1)),
            texts: Arc::new(Semaphore::new(TEXTS)),
            paid: Mutex::new(Instant::now()),
            processors: available_parallelism()
                .ok()
                .and_then(|count| u32::try_from(count.get()).ok())
                .unwrap_or(1),
        })
    }

    /// Gives a call a place, or says that there is none. From now on the call ends when its client is gone.
    pub(super) fn place(self: &Arc<Self>, task: Task, caller: &InFlight) -> Result<Place, Refused> {
        let places = self.places(task);
        let Ok(permit) = Arc::clone(&places.left).try_acquire_owned() else {
            let error = format!(
                "expected at most {} {} at a time, and there are as many; try again later",
                places.total,
                task.name()
            );
            let refused = Refused::new(StatusCode::SERVICE_UNAVAILABLE, error);
            return Err(refused.header(RETRY_AFTER, HeaderValue::from_static("1")));
        };
        caller.ends_with_client();
        Ok(Place { load: Arc::clone(self), _permit: permit })
    }

    /// Waits until there is memory for another text that may be large; it is free again when what this gives is dropped.
    pub(super) async fn text(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.texts).acquire_owned().await.ok()
    }

    /// How many of these calls there are.
    pub(super) fn count(&self, task: Task) -> usize {
        let places = self.places(task);
        places.total - places.left.available_permits()
    }

    fn places(&self, task: Task) -> &Places {
        match task {
            Task::Search => &self.searches,
            Task::State => &self.states,
            Task::Stream => &self.streams,
            Task::Wait => &self.waits,
        }
    }

    /// Returns when there is time for searching.
    async fn rest(&self) {
        let paid = *self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(end) = paid.checked_sub(AT_ONCE)
            && end > Instant::now()
        {
            sleep_until(end).await;
        }
    }

    /// Counts time that was spent searching.
    fn charge(&self, spent: Duration) {
        // Where there are as many processors as that or more, one may be used all the time.
        let takes = (spent * SHARE / self.processors).max(spent);
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        *paid = (*paid).max(Instant::now()) + takes;
    }
}

impl Places {
    fn new(total: usize) -> Self {
        Self { left: Arc::new(Semaphore::new(total)), total }
    }
}

impl Task {
    fn name(self) -> &'static str {
        match self {
            Self::Search => "searches",
            Self::State => "states or scripts on their way",
            Self::Stream => "event streams",
            Self::Wait => "waits",
        }
    }
}

impl Place {
    /// Does a part of a search when it is its turn: on a thread of its own if it is long. When the call is given up
    /// meanwhile, the part under way is the last.
    ///
    /// It is a task of its own: hyper need not look at a reply whose client does not read, and a turn must not be kept by
    /// one that nobody looks at.
    pub(super) async fn part<T: Send + 'static>(
        &self,
        is_long: bool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refused> {
        let load = Arc::clone(&self.load);
        let part = async move {
            // The semaphore is never closed.
            let turn = Arc::clone(&load.turn).acquire_owned().await.ok();
            load.rest().await;
            let asked = Clock::now();
            let work = move || {
                // The way back from another thread takes as long as the way there.
                let way = asked.elapsed();
                let done = work();
                load.charge(asked.elapsed() + way + if is_long { THREAD } else { TURN });
                drop(turn);
                done
            };
            if is_long { spawn_blocking(work).await } else { Ok(work()) }
        };
        match AbortOnDropHandle::new(spawn(part)).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) | Err(error) => {
                Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
            }
        }
    }
}

/// How many searches there may be, those that wait for their turn included.
const SEARCHES: usize = 32;
const STATES: usize = 64;
/// How many texts there are at a time that are as large as a session can be.
const TEXTS: usize = 4;
pub(super) const STREAMS: usize = 64;
pub(super) const WAITS: usize = 256;

/// The part of the processors' time that searching takes is one of so many.
const SHARE: u32 = 10;

/// What it takes to take turns; and when a thread has to be woken for it, beside the way there and back.
const TURN: Duration = Duration::from_micros(5);
const THREAD: Duration = Duration::from_micros(50);

/// How much searching may be done at once after a rest, at the pace that is allowed.
const AT_ONCE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, pin::Pin, sync::mpsc, task::Poll};

    use tokio::task::yield_now;

    use super::*;
    use crate::server::watch::Watch;

    fn place(load: &Arc<Load>, task: Task) -> Result<Place, Refused> {
        load.place(task, &InFlight::begin(Watch::new(), &Arc::default()))
    }

    #[tokio::test]
    async fn there_are_so_many_places_and_one_that_ends_makes_room() {
        let load = Load::new();
        for (task, total, name) in
            [(Task::Search, 32, "searches"), (Task::Stream, 64, "event streams"), (Task::Wait, 256, "waits")]
        {
            let mut places: Vec<_> = (0..total).map(|_| place(&load, task).ok()).collect();
            assert!(places.iter().all(Option::is_some));
            let refused = place(&load, task).err().expect("there is no room").response();
            assert_eq!(refused.status(), 503, "{name}");
            assert_eq!(refused.headers()[RETRY_AFTER], "1");

            places.pop();

            assert!(place(&load, task).is_ok());
            assert_eq!(load.count(task), total - 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn searching_is_kept_to_a_share_of_the_time() {
        let load = Load::new();
        let begin = Instant::now();
        load.charge(Duration::from_millis(10));
        load.rest().await;
        assert_eq!(begin.elapsed(), Duration::ZERO, "a little may be done at once");

        load.charge(Duration::from_secs(100));
        load.rest().await;

        assert!(begin.elapsed() >= Duration::from_secs(99), "{:?}", begin.elapsed());
    }

    /// Looks at a future, and lets others have their turn; whether it is done.
    async fn looked(mut future: Pin<&mut impl Future>) -> bool {
        let is_done = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
        for _ in 0..10 {
            yield_now().await;
        }
        is_done
    }

    #[tokio::test]
    async fn parts_take_turns_and_go_on_after_a_call_that_was_given_up() {
        let load = Load::new();
        let (one, other) =
            (place(&load, Task::Search).ok().unwrap(), place(&load, Task::Search).ok().unwrap());
        let (release, held) = mpsc::channel::<()>();
        let mut first = Box::pin(one.part(true, move || held.recv().is_ok()));
        assert!(!looked(first.as_mut()).await, "it is under way");
        drop(first);
        let mut second = Box::pin(other.part(false, || 2));
        assert!(!looked(second.as_mut()).await);
        assert!(!looked(second.as_mut()).await, "the part is still under way");

        release.send(()).unwrap();

        assert_eq!(second.await.ok(), Some(2));
    }

    #[tokio::test]
    async fn a_part_that_nobody_looks_at_holds_nobody_up() {
        let load = Load::new();
        let places: Vec<_> = (0..3).map(|_| place(&load, Task::Search).ok().unwrap()).collect();
        let mut parts: Vec<_> = places.iter().map(|place| Box::pin(place.part(true, || 1))).collect();
        for part in &mut parts {
            assert!(!looked(part.as_mut()).await);
        }

        assert_eq!(parts.pop().unwrap().await.ok(), Some(1));
        assert_eq!(places[2].part(true, || 2).await.ok(), Some(2));
    }

    #[tokio::test]
    async fn a_part_that_panics_gives_its_turn_back() {
        let load = Load::new();
        let place = place(&load, Task::Search).ok().unwrap();

        let broken = place.part(true, || std::panic::resume_unwind(Box::new("a test"))).await;

        assert!(broken.is_err());
        assert_eq!(place.part(false, || 2).await.ok(), Some(2));
    }
}
