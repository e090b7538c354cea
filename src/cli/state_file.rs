//! The file that keeps the sessions of a running server.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    error::{Error, one_line, reason},
    private_file::PrivateFile,
};
use crate::{Kept, Sessions, Violation, bounded, json};

/// An open state file, and what it had.
#[derive(Debug)]
pub(super) struct StateFile {
    open: PrivateFile,
    name: String,
}

/// A thread that writes the file whenever there were changes.
pub(super) struct Keeping {
    stop: Sender<()>,
    ended: Receiver<io::Result<()>>,
    name: String,
}

impl StateFile {
    /// Opens a file, and has the sessions take over what is in it. A file that is not there, or has nothing in it, is a new
    /// one.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written, is written by another process, or has anything else than sessions that this
    /// version can read; nothing is changed about it.
    pub(super) fn open(path: &Path, sessions: &Sessions) -> Result<Self, Error> {
        let name = one_line(&path.display().to_string());
        let unusable = |why: &str| {
            let advice = "correct or move the file, or name another one";
            Error::could_not_run(one_line(&format!("cannot use the state file {name}: {why}; {advice}")))
        };
        if fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() > 0) {
            let text = bounded::file(path, LONGEST).map_err(|error| unusable(&reason(&error)))?;
            let document = json::parse(&text).map_err(|error| unusable(&error.to_string()))?;
            sessions.restore(&document).map_err(|violations| unusable(&listed(&violations)))?;
        }
        Ok(Self { open: PrivateFile::open(path)?, name })
    }

    /// Writes the file for the first time, and from now on whenever the sessions have changed.
    pub(super) fn keep(mut self, sessions: Arc<Sessions>) -> Result<Keeping, Error> {
        let name = self.name.clone();
        let refuse = |error: io::Error| {
            let advice = "name a file in a folder that is writable";
            Error::could_not_run(format!("cannot write {name}: {}; {advice}", reason(&error)))
        };
        let changes = sessions.changes();
        self.open.replace(|out| sessions.write(out)).map_err(refuse)?;
        sessions.kept(Kept { changes, at: Instant::now(), error: None });
        let (stop, stopped) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let keeper = thread::Builder::new().name("standin-state".into());
        keeper.spawn(move || drop(end.send(self.run(&sessions, changes, &stopped)))).map_err(refuse)?;
        Ok(Keeping { stop, ended, name })
    }

    /// Writes until it is stopped, and then for the last time; how that went.
    fn run(&mut self, sessions: &Sessions, mut written: u64, stopped: &Receiver<()>) -> io::Result<()> {
        let mut pause = SOON;
        let mut trouble = None;
        let mut at = Instant::now();
        loop {
            let is_end = stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout);
            let changes = sessions.changes();
            let mut last = Ok(());
            if changes == written {
                at = Instant::now();
            } else {
                let begun = Instant::now();
                match self.open.replace(|out| sessions.write(out)) {
                    Ok(length) => {
                        (written, at) = (changes, begun);
                        pause = if length <= QUICK { SOON } else { SOON.max(10 * begun.elapsed()) };
                        if trouble.take().is_some() {
                            tracing::info!(target: "standin::server", "{} is written again", self.name);
                        }
                    }
                    Err(error) => {
                        let why = reason(&error);
                        if trouble.as_ref() != Some(&why) {
                            tracing::warn!(target: "standin::server", "cannot write {}: {why}", self.name);
                        }
                        trouble = Some(why);
                        pause = SOON.max(10 * begun.elapsed());
                        last = Err(error);
                    }
                }
            }
            sessions.kept(Kept { changes: written, at, error: trouble.clone() });
            if is_end {
                return last;
            }
        }
    }
}

impl Keeping {
    /// Writes what there is to write, for at most this long.
    pub(super) fn finish(self, limit: Duration) -> Result<(), Error> {
        let _ = self.stop.send(());
        let why = match self.ended.recv_timeout(limit) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => reason(&error),
            Err(_) => format!("it takes longer than {limit:?}"),
        };
        let name = self.name;
        Err(Error::could_not_run(format!("cannot write {name}: {why}; the last changes are missing there")))
    }
}

/// What is wrong, in a line.
pub(super) fn listed(violations: &[Violation]) -> String {
    let mut text = Vec::new();
    for violation in violations.iter().take(MOST) {
        let _ = write!(text, "{}{violation}", if text.is_empty() { "" } else { "; " });
    }
    if violations.len() > MOST {
        let _ = write!(text, "; and {} more", violations.len() - MOST);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// How long after a look the next one comes.
const SOON: Duration = Duration::from_millis(500);

/// Up to this many bytes the file is written at once; later in intervals of ten times what that takes.
const QUICK: u64 = 8 * 1024 * 1024;

/// The largest file that is read, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024 * 1024;

/// How many violations are listed at most.
const MOST: usize = 10;
