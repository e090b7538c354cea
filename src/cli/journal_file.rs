//! The file that a running server writes its journal to.

use std::{
    ffi::OsString,
    fs::{self, File, Metadata},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    error::{Error, one_line, reason},
    private_file::PrivateFile,
};
use crate::{JournalWriter, render::ndjson};

/// An open journal file. A write has a number of whole lines, and is done as a whole or not at all.
#[derive(Debug)]
pub(super) struct JournalFile {
    open: PrivateFile,
    run: Timestamp,
    /// Beyond this many bytes it is moved away.
    limit: u64,
    /// Whether there is half a line at the end.
    is_cut: bool,
}

impl JournalFile {
    /// Opens a file for another run, which comes after what is there.
    ///
    /// # Errors
    ///
    /// When the file cannot be written, is written by another process, or has something else than a journal.
    pub(super) fn open(path: &Path, limit: u64) -> Result<Self, Error> {
        let refuse = |why: &str| {
            Error::could_not_run(format!("cannot write {}: {why}", one_line(&path.display().to_string())))
        };
        // Before anything is changed about it.
        if fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() > 0) {
            let first = first_line(path).map_err(|error| refuse(&reason(&error)))?;
            check_journal(&first).map_err(|why| refuse(&why))?;
        }
        let open = PrivateFile::open(path)?;
        let is_cut = ends_in_half_a_line(&open.path).map_err(|error| refuse(&reason(&error)))?;
        Ok(Self { open, run: Timestamp::now(), limit, is_cut })
    }

    /// Begins the run, and starts to write what is recorded.
    pub(super) fn start(mut self) -> Result<Arc<JournalWriter>, Error> {
        let path = one_line(&self.open.path.display().to_string());
        let started = self.append(&self.header(false)).and_then(|()| JournalWriter::start(self));
        let refuse =
            |error: io::Error| Error::could_not_run(format!("cannot write {path}: {}", reason(&error)));
        started.map(Arc::new).map_err(refuse)
    }

    fn header(&self, is_continued: bool) -> Vec<u8> {
        (ndjson::header(self.run, is_continued) + "\n").into_bytes()
    }

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let before = self.open.file.metadata()?.len();
        let end_of_line: &[u8] = if self.is_cut { b"\n" } else { b"" };
        let written = self.open.file.write_all(end_of_line).and_then(|()| self.open.file.write_all(lines));
        if written.is_err() {
            self.is_cut |= self.open.file.set_len(before).is_err();
        } else {
            self.is_cut = false;
        }
        written
    }

    /// Goes on in a new file when the one that is open is full, or is no longer where it was.
    fn make_room(&mut self, bytes: usize) -> io::Result<()> {
        let open = self.open.file.metadata()?;
        match fs::metadata(&self.open.path) {
            Ok(found) if is_same(&found, &open) => {
                if open.len().saturating_add(bytes as u64) <= self.limit || open.len() <= SHORTEST {
                    return Ok(());
                }
                fs::rename(&self.open.path, moved(&self.open.path))?;
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.open =
            PrivateFile::open(&self.open.path).map_err(|error| io::Error::other(error.to_string()))?;
        self.is_cut = false;
        self.append(&self.header(true))
    }
}

impl Write for JournalFile {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.make_room(lines.len())?;
        self.append(lines)?;
        Ok(lines.len())
    }

    /// Finds out whether the file is still there.
    fn flush(&mut self) -> io::Result<()> {
        self.make_room(0)
    }
}

/// Where a file goes when it is full.
fn moved(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".1");
    name.into()
}

/// The beginning of a file, up to where its first line ends or is long enough to tell what it is.
fn first_line(path: &Path) -> io::Result<Vec<u8>> {
    let mut first = Vec::new();
    File::open(path)?.take(FIRST).read_to_end(&mut first)?;
    let end = first.iter().position(|&byte| byte == b'\n').unwrap_or(first.len());
    first.truncate(end);
    Ok(first)
}

/// Says what is wrong when a file that begins so is no journal to add to.
fn check_journal(first: &[u8]) -> Result<(), String> {
    let is_exchange = [&b"{\"id\":"[..], b"{\"dropped\":"].iter().any(|start| first.starts_with(start));
    let other = "expected a new file, or a journal that standin has written, but found something else";
    match ndjson::read(first) {
        _ if is_exchange => Ok(()),
        Ok(runs) if runs.first().is_some_and(|run| run.name.is_some()) => Ok(()),
        Err(error) if first.starts_with(b"{\"standin\":") => Err(error.to_string()),
        _ => Err(other.to_owned()),
    }
}

fn ends_in_half_a_line(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(unix)]
fn is_same(left: &Metadata, right: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    (left.dev(), left.ino()) == (right.dev(), right.ino())
}

/// There is no telling.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// How much of a file is looked at to find out what it is.
const FIRST: u64 = 4096;

/// A file with no more than this has a header at most, and is not moved.
const SHORTEST: u64 = 128;
