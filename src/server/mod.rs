//! The server: hyper around a [`Stub`].
//!
//! hyper's requests are turned into ours at the edge, the stub decides, the journal records, and only then the reply
//! leaves. Everything here is about connections: limits, timeouts, cross-origin requests, the control API, stopping.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize},
    },
    time::Duration,
};

use hyper_util::server::conn::auto;
use socket2::SockRef;
use tokio_util::sync::CancellationToken;

use crate::{
    Contract, ScriptSettings, Scripts, Secrets, Settings, Stub, TokenPolicy,
    journal::{self, Journal},
    token::Secret,
};

mod accept;
mod body;
mod budget;
mod control;
mod cors;
mod course;
mod embed;
mod handle;
mod head;
mod index;
mod paced;
mod parcel;
mod sessions;
mod socket;
mod tasks;
#[cfg(test)]
mod tests;
mod watch;

pub use embed::{ScriptGuard, Server, SessionHandle};
pub use sessions::{Kept, SessionError, SessionLimits, Sessions};

/// Everything that a server is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The contract to answer by.
    pub contract: Arc<Contract>,
    /// Who may use the control API.
    pub control: ControlConfig,
    /// How much the journal keeps.
    pub journal: journal::Limits,
    /// What writes the journal's exchanges as they come, when something does; it is for one server.
    pub journal_writer: Option<Arc<journal::Writer>>,
    /// Whether the journal, its exports and the log have secrets as they were sent.
    pub keep_secrets: bool,
    /// Limits on what clients send, and when.
    pub limits: Limits,
    /// Where to listen. [`serve`] is given a listener and does not look at this.
    pub listen: SocketAddr,
    /// Origins whose pages may call the API, such as `http://localhost:3000`; any when there are none. The control API
    /// has its own, [`ControlConfig::origins`].
    pub origins: Vec<String>,
    /// What is to happen to some replies; nothing but what the control API or [`Server::script`] add when there are none. They
    /// are for one server, of the same contract.
    pub scripts: Option<Arc<Scripts>>,
    /// Values that are replaced wherever they stand in what is recorded, besides the control token and the secret that
    /// tokens are verified with.
    pub secrets: Vec<Secret>,
    /// The sessions of a server that has state; empty ones when there are none. They are for one server, of the same contract
    /// and with the same [`StateSettings`](crate::StateSettings).
    pub sessions: Option<Arc<Sessions>>,
    /// How strict the stub is, and whether it has state.
    pub settings: Settings,
}

impl Default for Config {
    /// The built-in contract on a free port of the loopback interface, with the usual settings.
    fn default() -> Self {
        Self {
            contract: Contract::builtin(),
            control: ControlConfig::default(),
            journal: journal::Limits::default(),
            journal_writer: None,
            keep_secrets: false,
            limits: Limits::default(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            origins: Vec::new(),
            scripts: None,
            secrets: Vec::new(),
            sessions: None,
            settings: Settings::default(),
        }
    }
}

/// Who may use the control API.
#[derive(Clone, Debug, Default)]
pub struct ControlConfig {
    /// Host names that are accepted besides `localhost` and IP addresses.
    pub hosts: Vec<String>,
    /// Origins whose pages may read its replies.
    pub origins: Vec<String>,
    /// Whether it may stop the server; without a token only callers of the same machine.
    pub stop: bool,
    /// The bearer token that it asks for.
    pub token: Option<Secret>,
}

/// Limits on what clients send, and when. The largest body is a setting of the stub.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Time for the body of a request.
    pub body_time: Duration,
    /// Bytes of unfinished bodies, and of replies that repeat them and are held back or not taken yet, of all connections
    /// together.
    /// When they are used up, bodies wait for each other, and who then brings or takes less than 16 KiB in a fifteenth of
    /// [`Limits::body_time`] is given up. The first 16 KiB of each are not counted, over HTTP/2 the first 4 KiB. A quarter
    /// is for bodies that are announced as 64 KiB or less, so that they do not wait for larger ones.
    pub bodies: usize,
    /// Connections at a time; more wait to be accepted.
    pub connections: usize,
    /// Bytes of target and headers; at least 8 KiB.
    pub head_bytes: usize,
    /// Time for target and headers, from their first byte.
    pub head_time: Duration,
    /// Headers of a request.
    pub headers: usize,
    /// Time that a connection may be open without a request.
    pub idle_time: Duration,
    /// Bytes of replies of the control API that are made and not taken yet, of all connections together. When they are
    /// used up, lists and exports wait, and what cannot wait is refused with 503; who takes too little is given up, as with
    /// [`Limits::bodies`].
    pub replies: usize,
    /// Time for the client to take a reply, or the next piece of one that is made while it is sent. It begins when the reply
    /// is no longer held back.
    pub reply_time: Duration,
    /// Time that a stopping server gives its connections.
    pub stop_time: Duration,
    /// Requests at a time on one HTTP/2 connection. When all connections together have more than sixteen times as many as
    /// there may be connections, one that has eight is refused more, with 503. Those whose replies are held back count.
    pub streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_time: Duration::from_secs(30),
            bodies: 256 * 1024 * 1024,
            connections: 1024,
            head_bytes: 64 * 1024,
            head_time: Duration::from_secs(10),
            headers: 100,
            idle_time: Duration::from_secs(60),
            replies: 32 * 1024 * 1024,
            reply_time: Duration::from_secs(30),
            stop_time: Duration::from_millis(500),
            streams: 128,
        }
    }
}

impl Limits {
    /// How many requests there may be at a time before connections get no more than their share.
    fn requests(&self) -> usize {
        self.connections.saturating_mul(2 * watch::SHARE as usize)
    }

    /// How long somebody may take for [`budget::PACE`] bytes while others wait for memory.
    fn pace(&self) -> Duration {
        self.body_time / 15
    }
}

/// Serves `listener` until `shutdown` is done, or the control API stops it, and the connections have ended; returns the
/// journal.
///
/// Waits, streams and idle connections end at once, requests under way are given [`Limits::stop_time`].
///
/// # Errors
///
/// When the contract has no refusals in the wording of the settings, or the listener cannot be registered with the
/// runtime. Once it serves, no error ends it.
///
/// # Panics
///
/// Outside a tokio runtime with I/O and time enabled.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()>,
) -> io::Result<Arc<Journal>> {
    check(&config)?;
    let listener = registered(listener)?;
    let shared = Shared::new(config);
    tokio::join!(accept::run(Arc::clone(&shared), listener), async {
        tokio::select! {
            () = shutdown => shared.stop.cancel(),
            () = shared.stop.cancelled() => {}
        }
    });
    Ok(Arc::clone(&shared.journal))
}

/// The listener as the runtime's, with as many clients waiting to be accepted as the system allows.
fn registered(listener: TcpListener) -> io::Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    // std asks for 128. A system that does not take another number goes on with that.
    let socket = SockRef::from(&listener);
    let _ = socket.listen(i32::MAX);
    // What clients do not read, the system keeps, megabytes for each if it may. Connections inherit this.
    let _ = socket.set_send_buffer_size(UNREAD);
    tokio::net::TcpListener::from_std(listener)
}

/// Refuses settings that the contract cannot keep.
fn check(config: &Config) -> io::Result<()> {
    let words = config.contract.words(config.settings.errors);
    words.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}

/// What must not get into the journal.
fn secrets(config: &Config) -> Secrets {
    if config.keep_secrets {
        return Secrets::kept();
    }
    let client_secret = match &config.settings.token {
        TokenPolicy::Verified(secret) => Some(secret),
        TokenPolicy::Any | TokenPolicy::WellFormed => None,
    };
    let values = client_secret.into_iter().chain(&config.control.token).chain(&config.secrets);
    values.fold(Secrets::of(&config.contract), |secrets, value| secrets.value(value.clone()))
}

/// A server without a listener: it is handed its connections, by a fuzz target.
#[cfg(feature = "payload")]
pub(crate) struct Connections(Arc<Shared>);

#[cfg(feature = "payload")]
impl Connections {
    pub(crate) fn new(config: Config) -> Self {
        Self(Shared::new(config))
    }

    /// Serves a connection until it ends.
    pub(crate) fn serve(&self, stream: tokio::io::DuplexStream) -> impl Future<Output = ()> + Send + 'static {
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let stop = self.0.stop.child_token();
        accept::connection(Arc::clone(&self.0), stream, peer, watch::Watch::new(), stop)
    }
}

/// What is counted beside the journal.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// What ended by a fault of our own.
    pub(crate) faults: AtomicU64,
    /// HTTP/2 streams that hyper's library refused without asking us.
    pub(crate) resets: AtomicU64,
    /// What was refused before it was a request.
    pub(crate) unparsed: AtomicU64,
}

/// What all connections share: the parts that answer, and what they are limited and counted by.
struct Shared {
    bodies: body::Budgets,
    control: control::ControlState,
    cors: cors::Cors,
    counters: Arc<Counters>,
    http: auto::Builder<tasks::Tasks>,
    index: Option<index::Index>,
    journal: Arc<Journal>,
    limits: Limits,
    replies: Arc<budget::Budget>,
    /// How many requests are under way.
    requests: Arc<AtomicUsize>,
    scripts: Arc<Scripts>,
    /// The sessions, when there is state.
    sessions: Option<Arc<Sessions>>,
    stop: CancellationToken,
    stub: Arc<Stub>,
    tasks: tasks::Tasks,
}

impl Shared {
    fn new(config: Config) -> Arc<Self> {
        let mut journal = Journal::new(config.journal).hiding(secrets(&config));
        if let Some(writer) = config.journal_writer {
            journal = journal.written_by(writer);
        }
        let journal = Arc::new(journal);
        let counters = Arc::new(Counters::default());
        let contract = config.contract;
        let stop = CancellationToken::new();
        let given = config.sessions;
        let sessions = config.settings.state.as_ref().map(|state| {
            given.unwrap_or_else(|| Arc::new(Sessions::empty(&contract, state, SessionLimits::default())))
        });
        let Settings { max_delay, errors, .. } = config.settings;
        let scripts = config.scripts.unwrap_or_else(|| {
            let settings = ScriptSettings { max_delay, errors: Some(errors), ..ScriptSettings::default() };
            Arc::new(Scripts::new(&contract, settings))
        });
        let stub = Arc::new(Stub::new(Arc::clone(&contract), config.settings));
        let tasks = tasks::Tasks::new(Arc::clone(&counters));
        Arc::new(Self {
            bodies: body::Budgets::new(config.limits.bodies, config.limits.pace()),
            control: control::ControlState::new(
                &stub,
                Arc::clone(&journal),
                Arc::clone(&counters),
                stop.clone(),
                Arc::clone(&scripts),
                sessions.clone(),
                config.control,
            ),
            cors: cors::Cors::new(&contract, config.origins),
            counters,
            http: http(&config.limits, &tasks),
            index: index::Index::of_all(&contract, control::list()),
            journal,
            replies: Arc::new(budget::Budget::new(config.limits.replies, config.limits.pace())),
            limits: config.limits,
            requests: Arc::default(),
            scripts,
            sessions,
            stop,
            stub,
            tasks,
        })
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

fn http(limits: &Limits, tasks: &tasks::Tasks) -> auto::Builder<tasks::Tasks> {
    let mut http = auto::Builder::new(tasks.clone());
    let mut http1 = http.http1();
    // A client may close its side once it has said everything, and still read the reply.
    http1.half_close(true);
    http1.header_read_timeout(None);
    http1.max_buf_size(limits.head_bytes.max(8 * 1024));
    // `pipeline_flush` stays off: with it, a reply is lost when the connection closes with bytes left to read, and
    // replies to a client that does not read pile up without bound.
    if limits.headers != HYPER_HEADERS {
        http1.max_headers(limits.headers);
    }
    http.http2()
        .max_concurrent_streams(limits.streams)
        // What a connection may send before it is read, and is given to write before it is taken. The memory that
        // connections have of their own is small, because there are many of them.
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_send_buf_size(WINDOW as usize)
        // Twice as much, so that a head that is a little too large is ours to refuse with a reason. Beyond that h2
        // refuses it, of which only the frames tell: what it unpacks has to have an end.
        .max_header_list_size(u32::try_from(2 * limits.head_bytes).unwrap_or(u32::MAX));
    http
}

/// How many bytes of replies the system keeps for a connection, roughly.
const UNREAD: usize = 64 * 1024;

/// HTTP/2's own window: a client may have used it before it hears of any other.
const WINDOW: u32 = 65_535;

/// hyper's own limit. Setting any other makes it allocate for each request.
const HYPER_HEADERS: usize = 100;

/// How long the embedded server's runtime may take to end.
const LAST: Duration = Duration::from_millis(150);
