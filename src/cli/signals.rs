//! The signals that end a server.

use std::{
    future::{Future, pending},
    io, process, thread,
};

use tokio::{runtime, signal, sync::oneshot};

/// Resolves at the first Ctrl-C, SIGTERM or SIGHUP, which are caught from the moment this returns. From then on a
/// Ctrl-C ends the process at once.
///
/// A thread of its own listens, to the very end: whoever wants out does not wait for what the rest is doing.
pub(super) fn first() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    let mut signals = {
        let _inside = runtime.enter();
        Signals::new()?
    };
    let (tell, told) = oneshot::channel();
    thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            signals.any().await;
            let _ = tell.send(());
            signals.interrupt().await;
        });
        end();
    })?;
    Ok(async {
        // Without a listener there is nothing to wait for but the end of the process.
        if told.await.is_err() {
            pending::<()>().await;
        }
    })
}

#[expect(clippy::exit, reason = "nothing is to be waited for")]
fn end() -> ! {
    process::exit(INTERRUPTED)
}

/// What a shell says of a command that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

#[cfg(unix)]
struct Signals {
    interrupt: signal::unix::Signal,
    terminate: signal::unix::Signal,
    /// None for a program that is to outlive its terminal, as `nohup` starts one.
    hang_up: Option<signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use signal::unix::{SignalKind, signal};

        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: if ignores_hang_up() { None } else { Some(signal(SignalKind::hangup())?) },
        })
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            Some(()) = async { self.hang_up.as_mut()?.recv().await } => {}
        }
    }

    async fn interrupt(&mut self) {
        self.interrupt.recv().await;
    }
}

/// Whether this process was started with SIGHUP ignored, as far as the system tells.
#[cfg(unix)]
fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // SIGHUP is the first signal, the lowest bit.
    ignored.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).is_some_and(|bits| bits & 1 == 1)
}

#[cfg(windows)]
struct Signals(signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        signal::windows::ctrl_c().map(Self)
    }

    async fn any(&mut self) {
        self.interrupt().await;
    }

    async fn interrupt(&mut self) {
        self.0.recv().await;
    }
}
