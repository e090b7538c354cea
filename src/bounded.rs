//! Files and streams that have an end: what is read of one has a limit, and a file is a regular one.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

/// All of a regular file, or of what a link to one leads to.
///
/// # Errors
///
/// When it cannot be read, is something else, which could block or never end, or has more than `limit` bytes.
pub(crate) fn file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let size = file.metadata()?.len();
    if size > limit {
        return Err(too_large(limit, &size.to_string()));
    }
    stream(file, limit)
}

/// Opens a regular file.
///
/// # Errors
///
/// When it cannot be opened or is something else.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // Opening a pipe would wait for whoever writes it.
    let found = fs::metadata(path)?.file_type();
    if !found.is_file() {
        let error = format!("expected a regular file, but found {}", kind(found));
        return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
    }
    File::open(path)
}

/// The same as text.
pub(crate) fn text(path: &Path, limit: u64) -> io::Result<String> {
    String::from_utf8(file(path, limit)?).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        let error = format!("expected UTF-8, but found something else after {place} bytes");
        io::Error::new(io::ErrorKind::InvalidData, error)
    })
}

/// All that a stream has.
///
/// # Errors
///
/// When it cannot be read, or has more than `limit` bytes.
pub(crate) fn stream(from: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(limit, "more"));
    }
    Ok(bytes)
}

/// The lines of a stream, without their ends. A line of more than `limit` bytes is the last, an error.
#[cfg(feature = "cli")]
pub(crate) fn lines(mut from: impl io::BufRead, limit: u64) -> impl Iterator<Item = io::Result<Vec<u8>>> {
    use io::BufRead as _;

    let mut is_over = false;
    std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let mut line = Vec::new();
        let read = from.by_ref().take(limit.saturating_add(1)).read_until(b'\n', &mut line);
        let has_end = line.pop_if(|byte| *byte == b'\n').is_some();
        is_over = !has_end;
        match read {
            Err(error) => Some(Err(error)),
            Ok(_) if line.len() as u64 > limit => Some(Err(too_large(limit, "more"))),
            Ok(0) => None,
            Ok(_) => Some(Ok(line)),
        }
    })
}

fn too_large(limit: u64, found: &str) -> io::Error {
    let error = format!("expected at most {limit} bytes, but found {found}");
    io::Error::new(io::ErrorKind::FileTooLarge, error)
}

/// What is no regular file, in words.
fn kind(found: fs::FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;

        if found.is_fifo() {
            return "a pipe";
        }
        if found.is_socket() {
            return "a socket";
        }
    }
    if found.is_dir() { "a folder" } else { "a device" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_read_up_to_its_limit() {
        assert_eq!(stream(&b"abc"[..], 3).unwrap(), b"abc");
        let error = stream(&b"abcd"[..], 3).unwrap_err();
        assert_eq!(error.to_string(), "expected at most 3 bytes, but found more");
        let error = stream(io::repeat(0), 1000).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }

    #[cfg(feature = "cli")]
    #[test]
    fn lines_are_read_up_to_their_limit() {
        let read = |text: &'static str| -> Vec<_> {
            let lines = lines(text.as_bytes(), 3);
            lines
                .map(|line| line.map(|line| String::from_utf8(line).unwrap()).map_err(|e| e.kind()))
                .collect()
        };
        assert_eq!(read("a\n\nabc\nb"), ["a", "", "abc", "b"].map(|line| Ok(line.to_owned())));
        assert_eq!(read("a\n"), [Ok("a".to_owned())]);
        assert_eq!(read(""), []);
        assert_eq!(read("a\nabcd\nb"), [Ok("a".to_owned()), Err(io::ErrorKind::FileTooLarge)]);
        assert!(lines(io::BufReader::new(io::repeat(0)), 1000).next().unwrap().is_err());
    }

    #[test]
    fn a_file_is_refused_by_its_size_before_it_is_read() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let size = fs::metadata(&manifest).unwrap().len();
        assert_eq!(file(&manifest, size).unwrap().len() as u64, size);
        let error = file(&manifest, size - 1).unwrap_err().to_string();
        assert_eq!(error, format!("expected at most {} bytes, but found {size}", size - 1));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_named() {
        for (path, kind) in [("/", "a folder"), ("/dev/zero", "a device")] {
            let error = file(Path::new(path), 10).unwrap_err().to_string();
            assert_eq!(error, format!("expected a regular file, but found {kind}"));
        }
    }
}
