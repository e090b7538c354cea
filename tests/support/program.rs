//! The program as a person runs it, and files for it. Every wait has an end.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
};

use super::{Call, PATIENCE, Reply};

/// The program in the package's folder, with no variable of ours set.
pub fn standin<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_standin"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("STANDIN_")) {
            command.env_remove(name);
        }
    }
    command
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// The one line on standard error of a command that went wrong.
    #[track_caller]
    pub fn complaint(&self, code: i32) -> &str {
        assert_eq!(self.code, code, "{self:#?}");
        let line = self.err.strip_suffix('\n').unwrap_or_default();
        assert!(line.starts_with("standin: ") && !line.contains('\n'), "{self:#?}");
        line
    }

    /// The output of a command that went well.
    #[track_caller]
    pub fn fine(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{self:#?}");
        self.out
    }
}

/// Runs the program.
#[track_caller]
pub fn run<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Ended {
    end(&mut standin(arguments))
}

/// Runs the program, which reads `input` from its standard input.
#[track_caller]
pub fn run_with_input<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>, input: &[u8]) -> Ended {
    end_with_input(&mut standin(arguments), input)
}

/// Runs `standin verify`.
#[track_caller]
pub fn verify(url: &str, arguments: &[&str]) -> Ended {
    run([&["verify", url], arguments].concat())
}

/// Runs a command to its end.
#[track_caller]
pub fn end(command: &mut Command) -> Ended {
    end_with_input(command, b"")
}

/// Runs a command to its end, with this on its standard input.
#[track_caller]
pub fn end_with_input(command: &mut Command, input: &[u8]) -> Ended {
    let mut child = start(command.stdin(Stdio::piped()));
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_owned());
    // A program that ends early does not read it all.
    thread::spawn(move || stdin.write_all(&input));
    ended(child)
}

/// Starts a command whose output is collected.
pub fn start(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// What is left of the output of a process that ends by itself; what does not end in time is killed.
#[track_caller]
pub fn ended(mut child: Child) -> Ended {
    let out = child.stdout.take().map(whole);
    let err = child.stderr.take().map(whole);
    let outputs =
        [out, err].map(|output| output.map_or(Ok(Vec::new()), |output| output.recv_timeout(PATIENCE)));
    if outputs.iter().any(Result::is_err) {
        let _ = child.kill();
    }
    let status = child.wait().expect("it can be waited for");
    let [out, err] = outputs.map(|output| {
        String::from_utf8(output.expect("it ends before patience does")).expect("it prints UTF-8")
    });
    Ended { code: status.code().expect("it ends by itself"), out, err }
}

/// A folder of the test's own, gone when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("test-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The path of a name in it; the folder's own for no name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The path of a new file.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running `standin serve`. It is killed when it is dropped.
pub struct Server {
    child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
    /// The first line on standard output.
    pub ready: String,
    /// The address in it.
    pub address: String,
}

impl Server {
    /// Starts it on a free port and waits for the ready line.
    pub fn start(flags: &[&str]) -> Self {
        Self::spawn(standin(["serve", "--listen", "127.0.0.1:0"].iter().chain(flags)))
    }

    pub fn spawn(mut command: Command) -> Self {
        let mut child = start(&mut command);
        let out = lines(child.stdout.take().unwrap());
        let err = lines(child.stderr.take().unwrap());
        let Ok(ready) = out.recv_timeout(PATIENCE) else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("not ready: {:?}", err.iter().collect::<Vec<_>>());
        };
        let address = ready.split_once("http://").expect("a URL in the ready line").1;
        let end = address.find([' ', '"', '/']).unwrap();
        let address = address[..end].to_owned();
        Self { child, out, err, ready, address }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next line on standard error.
    #[track_caller]
    pub fn log_line(&self) -> String {
        self.err.recv_timeout(PATIENCE).expect("a line on standard error")
    }

    /// Sends it a signal, such as `TERM`.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits until it has ended; the second value is what it wrote to standard error after what was read.
    pub fn wait(mut self) -> (ExitStatus, Vec<String>) {
        // Both end when the program does.
        drain(&self.out);
        let rest = drain(&self.err);
        (self.child.wait().unwrap(), rest)
    }

    #[track_caller]
    pub fn call(&self, call: &Call) -> Reply {
        call.send(&self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// The lines until the program has ended.
fn drain(lines: &Receiver<String>) -> Vec<String> {
    let mut rest = Vec::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => rest.push(line),
            Err(RecvTimeoutError::Disconnected) => return rest,
            Err(RecvTimeoutError::Timeout) => panic!("it does not end; it wrote {rest:?}"),
        }
    }
}

/// All that is read, once it has ended.
fn whole(mut from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, whole) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What is broken off shows as output that is missing.
        let _ = from.read_to_end(&mut bytes);
        sender.send(bytes)
    });
    whole
}
