//! Connections: accepted, served, ended.

use std::{
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
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::JoinSet,
    time::{sleep, sleep_until, timeout},
};

use super::{
    Shared,
    handle::handle,
    socket::Watched,
    watch::{Overdue, Watch},
};

/// Serves the connections of `listener` until the shared is told to stop, and returns when all of them are done.
pub(super) async fn run(shared: Arc<Shared>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    let mut stopped = pin!(shared.stop.cancelled());
    loop {
        // At the limit nothing is accepted: clients wait in the listener's backlog.
        let has_room = connections.len() < shared.limits.connections;
        tokio::select! {
            () = &mut stopped => break,
            Some(done) = connections.join_next() => report(&shared, done),
            accepted = listener.accept(), if has_room => match accepted {
                Ok((stream, peer)) => {
                    // A socket that refuses this works, only slower.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(connection(Arc::clone(&shared), stream, peer));
                }
                Err(error) => {
                    tracing::error!(target: "standin::server", "cannot accept a connection: {error}");
                    // It is most likely a want of file descriptors, which takes a moment to pass.
                    tokio::select! {
                        () = &mut stopped => break,
                        () = sleep(PAUSE) => {}
                    }
                }
            },
        }
    }
    drop(listener);
    let drained = timeout(shared.limits.stop_time, async {
        while let Some(done) = connections.join_next().await {
            report(&shared, done);
        }
    });
    if drained.await.is_err() {
        connections.shutdown().await;
    }
    // The requests of an HTTP/2 connection end with it, but on their own; what is cut off is recorded then.
    let _ = timeout(LAST, shared.tasks.ended()).await;
}

fn report(shared: &Shared, done: Result<(), tokio::task::JoinError>) {
    if done.is_err_and(|error| error.is_panic()) {
        shared.counters.fault("a connection");
    }
}

/// Serves one connection until it ends.
pub(super) async fn connection<S>(shared: Arc<Shared>, stream: S, peer: SocketAddr)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    tracing::debug!(target: "standin::connection", %peer, "opened");
    let watch = Watch::new();
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&watch)));
    let service = service_fn(|request| handle(&shared, &watch, peer, request));
    let mut connection = pin!(shared.http.serve_connection(io, service));
    // A token of its own, so that a look at it is never a look at what all connections share.
    let stop = shared.stop.child_token();
    let mut stopped = pin!(stop.cancelled());
    let mut is_stopping = false;
    let mut timer = pin!(sleep_until(watch.first_look(&shared.limits)));
    let mut is_armed = false;
    let ended = poll_fn(|cx| {
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
        self.bodies.is_short() || self.replies.is_short()
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

/// How long nothing is accepted after an error.
const PAUSE: Duration = Duration::from_millis(50);
