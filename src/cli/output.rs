//! Standard output, standard error, and files that are there whole or not at all.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anstream::AutoStream;
use clap::builder::styling::Style;

use super::{
    error::{Error, reason},
    style, wrap,
};
use crate::bounded;

/// Writes to standard output at once. A reader that went away, such as `head`, is no error.
pub(super) fn print(text: &str) -> Result<(), Error> {
    write_all(&mut io::stdout().lock(), text)
}

/// The same for text that is painted; its colours do not go where nobody sees them.
pub(super) fn print_painted(text: &str) -> Result<(), Error> {
    write_all(&mut AutoStream::auto(io::stdout()).lock(), text)
}

fn write_all(stdout: &mut impl Write, text: &str) -> Result<(), Error> {
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::could_not_run(format!("cannot write to standard output: {}", reason(&error))))
        }
        _ => Ok(()),
    }
}

/// Says something on standard error, in lines that fit a terminal; it begins with our name, in that style.
pub(super) fn say(name: Style, message: &str) {
    let text = wrap::beside("standin: ", message, wrap::error_width());
    complain(&text.trim_end().replacen("standin:", &style::paint(name, "standin:"), 1));
}

/// Writes a line to standard error, which may be painted; there is nobody to tell when that fails.
pub(super) fn complain(line: &str) {
    let _ = writeln!(AutoStream::auto(io::stderr()).lock(), "{line}");
}

/// The bytes of a file, or of standard input for `-`, which has at most `limit`.
pub(super) fn read(file: &Path, limit: u64) -> io::Result<Vec<u8>> {
    if is_stdin(file) { bounded::stream(io::stdin().lock(), limit) } else { bounded::file(file, limit) }
}

/// The lines of a file, or of standard input for `-`, each of which has at most `limit` bytes.
pub(super) fn lines(file: &Path, limit: u64) -> io::Result<Box<dyn Iterator<Item = io::Result<Vec<u8>>>>> {
    Ok(if is_stdin(file) {
        Box::new(bounded::lines(io::stdin().lock(), limit))
    } else {
        Box::new(bounded::lines(io::BufReader::new(bounded::open(file)?), limit))
    })
}

/// Whether the name stands for standard input.
pub(super) fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

/// Fails when several of the files are standard input.
pub(super) fn check_stdin(files: &[PathBuf]) -> Result<(), Error> {
    if files.iter().filter(|file| is_stdin(file)).count() > 1 {
        return Err(Error::usage("standard input can be read once; name - once"));
    }
    Ok(())
}

/// How a file is called in messages.
pub(super) fn name_of(file: &Path) -> String {
    if is_stdin(file) { "standard input".into() } else { file.display().to_string() }
}

/// A file to be written later.
#[derive(Clone, Debug)]
pub(super) struct Target {
    file: PathBuf,
    scratch: PathBuf,
}

impl Target {
    /// Finds out now whether `file` can be written, so that nothing is lost later.
    pub(super) fn new(file: &Path) -> Result<Self, Error> {
        let refuse = |why: &str| {
            Error::could_not_run(format!(
                "cannot write {}: {why}; name a file in a folder that exists and is writable",
                file.display()
            ))
        };
        // A link is followed, so that it is its target that is replaced.
        let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        match fs::metadata(&file) {
            Ok(found) if !found.is_file() => return Err(refuse("it is not a regular file")),
            Ok(found) if found.permissions().readonly() => {
                return Err(refuse("it is read-only"));
            }
            _ => {}
        }
        let Some(name) = file.file_name() else {
            return Err(refuse("that is not a file's name"));
        };
        let mut scratch = name.to_owned();
        scratch.push(format!(".{}.part", std::process::id()));
        let target = Self { scratch: file.with_file_name(scratch), file };
        fs::File::create(&target.scratch)
            .and_then(|_| fs::remove_file(&target.scratch))
            .map_err(|error| refuse(&reason(&error)))?;
        Ok(target)
    }

    /// Where it is, in the same words for whatever names it: two targets of one place are the same file.
    pub(super) fn place(&self) -> PathBuf {
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        folder.join(self.file.file_name().unwrap_or_default())
    }

    /// Writes the file: beside it first, then in its place.
    pub(super) fn write<'a>(
        &self,
        parts: impl IntoIterator<Item = impl AsRef<[u8]> + 'a>,
    ) -> Result<(), Error> {
        let mut draft = self.draft()?;
        for part in parts {
            draft.write(part.as_ref())?;
        }
        draft.finish()
    }

    /// Begins to write the file, beside it.
    pub(super) fn draft(&self) -> Result<Draft, Error> {
        let file = fs::File::create(&self.scratch).map_err(|error| self.failed(&error))?;
        Ok(Draft { target: self.clone(), file: Some(io::BufWriter::new(file)) })
    }

    fn failed(&self, error: &io::Error) -> Error {
        Error::could_not_run(format!("cannot write {}: {}", self.file.display(), reason(error)))
    }
}

/// A file that is written bit by bit, beside its place until it is whole. It is gone when it is dropped before that.
pub(super) struct Draft {
    target: Target,
    /// None once it is whole.
    file: Option<io::BufWriter<fs::File>>,
}

impl Draft {
    /// Adds to it.
    pub(super) fn write(&mut self, part: &[u8]) -> Result<(), Error> {
        let written = self.file.as_mut().map_or(Ok(()), |file| file.write_all(part));
        written.map_err(|error| self.target.failed(&error))
    }

    /// Puts it in its place.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let placed = file.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| {
            file.sync_all()?;
            fs::rename(&self.target.scratch, &self.target.file)
        });
        placed.map_err(|error| {
            let _ = fs::remove_file(&self.target.scratch);
            self.target.failed(&error)
        })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = fs::remove_file(&self.target.scratch);
        }
    }
}
