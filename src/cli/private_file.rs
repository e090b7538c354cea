//! A file that its owner alone reads, and that one process at a time adds to or replaces.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use super::error::{Error, one_line, reason};

/// A file that is open to append. It stays locked as long as `file` is open.
#[derive(Debug)]
pub(super) struct PrivateFile {
    pub(super) file: File,
    /// Where it is once every link is followed.
    pub(super) path: PathBuf,
}

impl PrivateFile {
    /// Opens a file, or makes it; a link is followed, also to where nothing is yet.
    ///
    /// # Errors
    ///
    /// When it is no regular file, cannot be written, or another process has opened it like this.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let refuse = |why: &str| {
            Error::could_not_run(format!("cannot write {}: {why}", one_line(&path.display().to_string())))
        };
        let failed = |error: io::Error| {
            refuse(&format!("{}; name a file in a folder that exists and is writable", reason(&error)))
        };
        // Opening a pipe would wait for its reader.
        if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(refuse("it is not a regular file"));
        }
        let file = private(OpenOptions::new().append(true).create(true)).open(path).map_err(failed)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                return Err(refuse("another process writes it; stop that, or name another file"));
            }
            // A file system without locks is no reason not to write.
            Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => {
                return Err(failed(error));
            }
            _ => {}
        }
        keep_private(&file).map_err(failed)?;
        let path = fs::canonicalize(path).map_err(failed)?;
        Ok(Self { file, path })
    }

    /// Puts another file in its place, which is written as a whole, or stays away: whoever looks, whatever happens,
    /// finds the one or the other.
    pub(super) fn replace(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<u64> {
        let mut name = OsString::from(&self.path);
        name.push(".new");
        let new = PathBuf::from(name);
        let replaced = self.replace_by(&new, write);
        if replaced.is_err() {
            let _ = fs::remove_file(&new);
        }
        replaced
    }

    fn replace_by(
        &mut self,
        new: &Path,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<u64> {
        let file = private(OpenOptions::new().write(true).create(true).truncate(true)).open(new)?;
        keep_private(&file)?;
        // Whoever opens it once it is in place finds it taken.
        match file.try_lock() {
            Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => {
                return Err(error);
            }
            _ => {}
        }
        let mut out = BufWriter::with_capacity(64 * 1024, &file);
        write(&mut out)?;
        out.flush()?;
        drop(out);
        file.sync_all()?;
        fs::rename(new, &self.path)?;
        // So that the name is there after a power failure, too, where folders can be synced.
        if let Some(folder) = self.path.parent() {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        let length = file.metadata()?.len();
        self.file = file;
        Ok(length)
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, OWNER_ALONE)
}

/// Takes the permissions of a file that was there before.
#[cfg(unix)]
fn keep_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    if file.metadata()?.permissions().mode() & 0o777 == OWNER_ALONE {
        return Ok(());
    }
    file.set_permissions(fs::Permissions::from_mode(OWNER_ALONE))
}

#[cfg(unix)]
const OWNER_ALONE: u32 = 0o600;

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(not(unix))]
fn keep_private(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A folder of this test's own, which goes with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("standin-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self(folder.canonicalize().unwrap())
        }

        fn file(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_file_and_an_old_one_are_their_owners_alone_and_what_was_there_stays() {
        let folder = Folder::new("private-mode");
        let (new, old) = (folder.file("new"), folder.file("old"));
        fs::write(&old, "before\n").unwrap();
        fs::set_permissions(&old, fs::Permissions::from_mode(0o644)).unwrap();

        for file in [&new, &old] {
            PrivateFile::open(file).unwrap().file.write_all(b"more\n").unwrap();
            assert_eq!(mode(file), 0o600);
        }
        assert_eq!(fs::read_to_string(old).unwrap(), "before\nmore\n");
    }

    #[test]
    fn a_link_is_followed_also_to_where_nothing_is_yet() {
        let folder = Folder::new("private-link");
        let (link, away) = (folder.file("link"), folder.file("away"));
        symlink(&away, &link).unwrap();

        assert_eq!(PrivateFile::open(&link).unwrap().path, away);
        assert!(link.is_symlink() && away.is_file());
    }

    #[test]
    fn a_file_that_is_open_cannot_be_opened_again_by_any_name() {
        let folder = Folder::new("private-lock");
        let (file, link) = (folder.file("file"), folder.file("link"));
        symlink(&file, &link).unwrap();

        let open = PrivateFile::open(&file).unwrap();
        for name in [&file, &link] {
            let error = PrivateFile::open(name).unwrap_err().to_string();
            assert!(
                error.ends_with(": another process writes it; stop that, or name another file"),
                "{error}"
            );
        }
        drop(open);
        PrivateFile::open(&file).unwrap();
    }

    #[test]
    fn a_file_that_is_replaced_is_the_new_one_or_the_old_one_and_stays_its_owners() {
        let folder = Folder::new("private-replace");
        let (file, new) = (folder.file("file"), folder.file("file.new"));
        fs::write(&file, "before").unwrap();
        let mut open = PrivateFile::open(&file).unwrap();

        let failed = open.replace(|out| {
            out.write_all(b"half")?;
            Err(io::Error::other("the disk is full"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "the disk is full");
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), new.exists()), ("before", false));

        assert_eq!(open.replace(|out| out.write_all(b"after")).unwrap(), 5);
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), new.exists()), ("after", false));
        assert_eq!(mode(&file), 0o600);
        let error = PrivateFile::open(&file).unwrap_err().to_string();
        assert!(error.ends_with(": another process writes it; stop that, or name another file"), "{error}");
    }

    #[test]
    fn what_is_no_regular_file_is_refused() {
        for path in ["/dev/null", "/"] {
            let error = PrivateFile::open(Path::new(path)).unwrap_err().to_string();
            assert_eq!(error, format!("cannot write {path}: it is not a regular file"));
        }
        let folder = Folder::new("private-none");
        let error = PrivateFile::open(&folder.file("none/file")).unwrap_err().to_string();
        assert!(error.contains(": no such file or directory; name a file in a folder"), "{error}");
    }
}
