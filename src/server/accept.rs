//! Connections: accepted, served, ended.

use std::{
    collections::HashMap,
    error::Error,
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    task::Poll,
    time::Duration,
};

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{self, JoinSet},
    time::{sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Shared,
    handle::handle,
    socket::{Socket, Watched},
    watch::{Overdue, Watch},
};

/// Serves the connections of `listener` until the shared is told to stop, and returns when all of them are done.
pub(super) async fn run(shared: Arc<Shared>, listener: TcpListener) {
    let mut connections = Connections::default();
    // One that is accepted when there is no room waits here.
    let mut waiting = None;
    let mut stopped = pin!(shared.stop.cancelled());
    loop {
        let has_room = connections.tasks.len() < shared.limits.connections;
        if has_room && let Some((stream, peer)) = waiting.take() {
            connections.serve(&shared, stream, peer);
            continue;
        }
        if waiting.is_some() {
            connections.make_room();
        }
        tokio::select! {
            () = &mut stopped => break,
            true = connections.ended(&shared) => {}
            accepted = listener.accept(), if waiting.is_none() => match accepted {
                Ok((stream, peer)) => {
                    // A socket that refuses this works, only slower.
                    let _ = stream.set_nodelay(true);
                    waiting = Some((stream, peer));
                }
                Err(error) => {
                    tracing::error!(target: "standin::server", "cannot accept a connection: {error}");
                    // It is most likely a want of file descriptors, which takes a moment to pass.
                    connections.make_room();
                    tokio::select! {
                        () = &mut stopped => break,
                        true = connections.ended(&shared) => {}
                        () = sleep(PAUSE) => {}
                    }
                }
            },
            // By then another connection may have been idle for long enough.
            () = sleep(PAUSE), if waiting.is_some() => {}
        }
    }
    drop(listener);
    drop(waiting);
    let drained = timeout(shared.limits.stop_time, async { while connections.ended(&shared).await {} });
    if drained.await.is_err() {
        connections.tasks.shutdown().await;
    }
    // The requests of an HTTP/2 connection end with it, but on their own; what is cut off is recorded then.
    let _ = timeout(LAST, shared.tasks.ended()).await;
}

/// The connections that there are.
#[derive(Default)]
struct Connections {
    tasks: JoinSet<()>,
    open: HashMap<task::Id, Open>,
}

struct Open {
    watch: Arc<Watch>,
    /// Tells it to stop.
    stop: CancellationToken,
}

impl Connections {
    fn serve(&mut self, shared: &Arc<Shared>, stream: TcpStream, peer: SocketAddr) {
        // A token of its own, so that a look at it is never a look at what all connections share.
        let open = Open { watch: Watch::new(), stop: shared.stop.child_token() };
        let serving =
            connection(Arc::clone(shared), stream, peer, Arc::clone(&open.watch), open.stop.clone());
        self.open.insert(self.tasks.spawn(serving).id(), open);
    }

    /// Returns when a connection has ended; false at once when there is none.
    async fn ended(&mut self, shared: &Shared) -> bool {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => {
                if error.is_panic() {
                    shared.counters.fault("a connection");
                }
                error.id()
            }
            None => return false,
        };
        self.open.remove(&id);
        true
    }

    /// Has the connection end that has been without a whole request, or has hung as was asked, for longest; unless one is
    /// ending already, or none has been so for a while.
    fn make_room(&self) {
        if self.open.values().any(|open| open.stop.is_cancelled() && open.watch.idle_since().is_some()) {
            return;
        }
        let idle = self.open.values().filter_map(|open| Some((open.watch.idle_since()?, open)));
        if let Some((since, open)) = idle.min_by_key(|(since, _)| *since)
            && since.elapsed() >= PAUSE
        {
            open.stop.cancel();
        }
    }
}

/// Serves one connection until it ends.
pub(super) async fn connection<S>(
    shared: Arc<Shared>,
    stream: S,
    peer: SocketAddr,
    watch: Arc<Watch>,
    stop: CancellationToken,
) where
    S: Socket,
{
    tracing::debug!(target: "standin::connection", %peer, "opened");
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&watch)));
    let service = service_fn(|request| handle(&shared, &watch, peer, request));
    let mut connection = pin!(shared.http.serve_connection(io, service));
    let mut stopped = pin!(stop.cancelled());
    let mut is_stopping = false;
    let mut timer = pin!(sleep_until(watch.first_look(&shared.limits)));
    let mut is_armed = false;
    let ended = poll_fn(|cx| {
        watch.has_turn();
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(End::Done(ended));
            }
            shared.refuse_streams(peer, watch.new_resets());
            // Signal and timer are polled once to leave their wake-up; after that a look at their state is enough.
            if !is_stopping && (!is_armed || stop.is_cancelled()) && stopped.as_mut().poll(cx).is_ready() {
                is_stopping = true;
                watch.stop();
                connection.as_mut().graceful_shutdown();
                if !shared.stop.is_cancelled() && watch.idle_since().is_some() {
                    // It makes room for another at once: what hyper has to say, it says now.
                    let overdue = if watch.is_within_head() { Overdue::Head } else { Overdue::Idle };
                    return Poll::Ready(match connection.as_mut().poll(cx) {
                        Poll::Ready(ended) => End::Done(ended),
                        Poll::Pending => End::Overdue(overdue),
                    });
                }
                continue;
            }
            if let Some(deadline) = watch.near_deadline(&shared.limits)
                && deadline < timer.deadline()
            {
                timer.as_mut().reset(deadline);
                is_armed = false;
            }
            if (!is_armed || timer.is_elapsed()) && timer.as_mut().poll(cx).is_ready() {
                is_armed = false;
                match watch.verdict(&shared.limits, shared.is_short()) {
                    Ok(next) => timer.as_mut().reset(next),
                    Err(Overdue::Idle) => {
                        watch.close();
                        connection.as_mut().graceful_shutdown();
                    }
                    // Closing is cut short, so that hyper can still say why it closed.
                    Err(Overdue::Linger) if watch.stop() => watch.close(),
                    Err(overdue) => return Poll::Ready(End::Overdue(overdue)),
                }
                continue;
            }
            is_armed = true;
            return Poll::Pending;
        }
    });
    let ended = ended.await;
    shared.refuse_streams(peer, watch.new_resets());
    match ended {
        End::Done(Err(error)) => {
            if let Some(reason) = refusal(&*error, &watch) {
                shared.refuse(peer, &reason);
            }
        }
        End::Overdue(Overdue::Head) => {
            shared.refuse(peer, "the head of a request did not arrive in time");
        }
        End::Overdue(Overdue::Reply) => {
            tracing::warn!(target: "standin::server", "{peer} did not take its reply in time");
        }
        End::Done(Ok(())) | End::Overdue(Overdue::Idle | Overdue::Linger) => {}
    }
    tracing::debug!(target: "standin::connection", %peer, "closed");
}

/// How a connection ended.
enum End {
    Done(Result<(), Box<dyn Error + Send + Sync>>),
    Overdue(Overdue),
}

/// Why hyper refused what was sent; none when the client merely went away.
fn refusal(error: &(dyn Error + 'static), watch: &Watch) -> Option<String> {
    let error = error.downcast_ref::<hyper::Error>()?;
    let mut source = error.source();
    let reason = source.map(ToString::to_string);
    while let Some(cause) = source {
        if cause.is::<io::Error>() {
            return None;
        }
        source = cause.source();
    }
    let is_refusal = error.is_parse() || watch.is_http2() && reason.is_some();
    if !is_refusal {
        return None;
    }
    Some(match reason {
        Some(reason) => format!("{error}: {reason}"),
        None => error.to_string(),
    })
}

impl Shared {
    /// Whether somebody waits for memory that others have.
    fn is_short(&self) -> bool {
        self.bodies.are_short() || self.replies.is_short()
    }

    /// Counts and logs what never becomes an exchange.
    pub(super) fn refuse(&self, peer: SocketAddr, reason: &str) {
        self.counters.unparsed.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(target: "standin::unparsed", %peer, reason);
    }

    /// Counts and logs HTTP/2 streams that hyper's library has refused.
    fn refuse_streams(&self, peer: SocketAddr, count: u32) {
        if count > 0 {
            self.counters.resets.fetch_add(u64::from(count), Ordering::Relaxed);
            let reason =
                "an HTTP/2 stream was refused: its head is malformed or too large, or it breaks the protocol";
            for _ in 0..count {
                tracing::warn!(target: "standin::unparsed", %peer, reason);
            }
        }
    }
}

/// How long the requests of connections that have ended may take to notice.
const LAST: Duration = Duration::from_millis(100);

/// How long nothing is accepted after an error, and how long a connection may be idle when others wait for its place.
const PAUSE: Duration = Duration::from_millis(50);
