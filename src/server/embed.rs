//! A server inside another program, most often a test.

use std::{
    fmt, io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, atomic::Ordering, mpsc},
    thread::{self, JoinHandle},
};

use jiff::Timestamp;
use serde_json::Value;
use tracing::{Dispatch, dispatcher, subscriber::NoSubscriber};

use super::{Config, LAST, SessionError, Sessions, Shared, accept, registered};
use crate::{
    Expectation, Journal, Recorded, Script, Scripts, Stub, TokenPolicy, Unmet,
    script::Entry,
    session_name,
    token::{self, Secret},
};

/// A running server on a thread of its own. Dropping it stops it.
///
/// ```
/// use standin::{Config, Expectation, Server};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::start(Config::default())?;
///
/// let reply = ureq::get(format!("{}/nowhere", server.url())).call();
///
/// assert!(matches!(reply, Err(ureq::Error::StatusCode(404))));
/// assert_eq!(server.last().unwrap().exchange.request.target, "/nowhere");
/// let unmet = server.verify(&Expectation::from_json(br#"{"outcome": "answered"}"#)?).unwrap_err();
/// assert!(unmet.to_string().starts_with("expected at least 1 matching exchange, but found 0\n"));
/// # Ok(())
/// # }
/// ```
pub struct Server {
    addr: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server; it serves when this returns. Works inside and outside an async runtime. Its events go to the
    /// `tracing` subscriber of the calling thread, or else to the global one.
    ///
    /// # Errors
    ///
    /// When the contract has no refusals in the wording of the settings, the address cannot be bound, or the system
    /// gives no thread or event queue.
    pub fn start(config: Config) -> io::Result<Self> {
        super::check(&config)?;
        let listener = TcpListener::bind(config.listen)?;
        let addr = listener.local_addr()?;
        let shared = Shared::new(config);
        let serving = Arc::clone(&shared);
        let (ready, started) = mpsc::sync_channel(1);
        // A subscriber of the calling thread alone hears what the server's thread says.
        let dispatch = dispatcher::get_default(Dispatch::clone);
        let thread = thread::Builder::new().name("standin".into()).spawn(move || {
            if dispatch.is::<NoSubscriber>() {
                run(serving, listener, &ready);
            } else {
                dispatcher::with_default(&dispatch, || run(serving, listener, &ready));
            }
        })?;
        let server = Self { addr, shared, thread: Some(thread) };
        started.recv().map_err(|_| io::Error::other("the server's thread ended"))??;
        Ok(server)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// What it recorded.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.shared.journal
    }

    /// The newest exchange, when there is one.
    pub fn last(&self) -> Option<Arc<Recorded>> {
        self.journal().get(self.journal().counts().recorded)
    }

    /// The numbers of the exchanges that match, when what was received so far is as expected.
    ///
    /// # Errors
    ///
    /// What was found instead, in words that `unwrap` prints.
    pub fn verify(&self, expectation: &Expectation) -> Result<Vec<u64>, Unmet> {
        self.journal().expect(expectation)
    }

    /// A token that it accepts: signed with the client secret when it checks signatures, else the one that the
    /// documentation's own samples send.
    pub fn token(&self) -> String {
        let contract = self.stub().contract();
        let signed = |secret| {
            let now = Timestamp::now().as_second();
            token::mint(contract.token_claim(), token::SAMPLE_CLIENT, secret, now, None)
        };
        match (&self.stub().settings().token, contract.sample_token()) {
            (TokenPolicy::Verified(secret), _) => signed(secret),
            (_, Some(sample)) => sample.to_owned(),
            (_, None) => signed(&Secret::new(token::DEVELOPMENT_SECRET)),
        }
    }

    /// What it answers with.
    pub fn stub(&self) -> &Arc<Stub> {
        &self.shared.stub
    }

    /// The session of this name, to look into or to prepare for a test.
    ///
    /// ```
    /// use standin::{Config, Server, Settings, StateSettings};
    ///
    /// let settings = Settings { state: Some(StateSettings::default()), ..Settings::default() };
    /// let server = Server::start(Config { settings, ..Config::default() }).unwrap();
    /// let session = server.session("suite-1");
    ///
    /// let before = session.state();
    /// // The client under test is given `session.url()` as its base URL.
    /// session.set_state(&before).unwrap();
    /// session.reset();
    /// assert_eq!(session.state(), before);
    /// ```
    ///
    /// # Panics
    ///
    /// When the server has no state ([`Settings::state`](crate::Settings::state)), or no session can have this name.
    pub fn session(&self, name: &str) -> SessionHandle<'_> {
        assert!(session_name::is_name(name), "{}", SessionError::Name(name.to_owned()));
        let sessions = self.shared.sessions.as_ref();
        let sessions =
            sessions.expect("expected a server that keeps state, which `Settings::state` asks for");
        SessionHandle { server: self, sessions, name: name.to_owned() }
    }

    /// Adds a script, which is removed when its guard is dropped.
    ///
    /// ```
    /// use standin::{Config, Script, Server};
    ///
    /// let server = Server::start(Config::default()).unwrap();
    /// let busy = server.script(Script::any().times(2).reply(503));
    /// let status = || match ureq::get(server.url()).call() {
    ///     Ok(reply) => reply.status().as_u16(),
    ///     Err(ureq::Error::StatusCode(status)) => status,
    ///     Err(error) => panic!("{error}"),
    /// };
    /// // The index is no request to the API, and no script is about it.
    /// assert_eq!(status(), 200);
    /// assert_eq!(busy.acted(), 0);
    /// ```
    ///
    /// # Panics
    ///
    /// When the script is refused, because it can never act, or there are too many; with all that is wrong with it.
    #[must_use = "the script goes with its guard"]
    #[track_caller]
    pub fn script(&self, script: Script) -> ScriptGuard<'_> {
        let scripts = self.scripts();
        let added = scripts.add_entry(&script.into(), Timestamp::now());
        ScriptGuard { scripts, script: added.unwrap_or_else(|error| panic!("{error}")) }
    }

    /// Its scripts.
    pub fn scripts(&self) -> &Arc<Scripts> {
        &self.shared.scripts
    }

    /// How many times something was refused before it was a request: bytes that are not HTTP, a head that is too large
    /// or does not arrive in time.
    pub fn unparsed(&self) -> u64 {
        self.shared.counters.unparsed.load(Ordering::Relaxed)
    }

    /// Stops it, which takes no longer than [`Limits::stop_time`](super::Limits::stop_time), and returns its journal.
    pub fn stop(self) -> Arc<Journal> {
        Arc::clone(&self.shared.journal)
    }
}

/// A script of a server; it is removed when this is dropped.
#[derive(Debug)]
pub struct ScriptGuard<'a> {
    scripts: &'a Scripts,
    script: Arc<Entry>,
}

impl ScriptGuard<'_> {
    /// Its id, under which exchanges name it.
    pub fn id(&self) -> &str {
        self.script.id()
    }

    /// How often it has acted.
    pub fn acted(&self) -> u64 {
        self.script.acted()
    }
}

impl Drop for ScriptGuard<'_> {
    fn drop(&mut self) {
        self.scripts.remove_entry(&self.script);
    }
}

/// A session of a server that has state.
#[derive(Clone, Debug)]
pub struct SessionHandle<'a> {
    server: &'a Server,
    sessions: &'a Sessions,
    name: String,
}

impl SessionHandle<'_> {
    /// The base URL of requests that belong to it.
    pub fn url(&self) -> String {
        format!("{}/@{}", self.server.url(), self.name)
    }

    /// What it has, as JSON: that of the start when nothing has changed it yet.
    pub fn state(&self) -> Value {
        self.sessions.get(&self.name).unwrap_or_else(|_| self.sessions.fresh(&self.name)).snapshot()
    }

    /// Gives it another state, of the form that [`SessionHandle::state`] has.
    ///
    /// # Errors
    ///
    /// When the contract does not allow such a state, or there is no room for it. Then it has what it had before.
    pub fn set_state(&self, state: &Value) -> Result<(), SessionError> {
        self.sessions.put(&self.name, self.sessions.read(&self.name, state)?)
    }

    /// Lets it be as it was at the start.
    pub fn reset(&self) {
        // The one error is that nothing has changed it.
        let _ = self.sessions.reset(&self.name);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic of that thread was reported when it happened.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("addr", &self.addr).finish_non_exhaustive()
    }
}

fn run(shared: Arc<Shared>, listener: TcpListener, ready: &mpsc::SyncSender<io::Result<()>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = runtime.and_then(|runtime| {
        let listener = {
            let _context = runtime.enter();
            registered(listener)?
        };
        let _ = ready.send(Ok(()));
        runtime.block_on(accept::run(shared, listener));
        runtime.shutdown_timeout(LAST);
        Ok(())
    });
    if let Err(error) = served {
        let _ = ready.send(Err(error));
    }
}
