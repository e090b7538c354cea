//! Running the program, calling it, and reading commands as a shell does. Every wait has an end.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc::{Receiver, channel},
    },
    thread,
    time::Duration,
};

use serde_json::Value;

/// The longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub const CREATE_AGENT: &str = "/agentassist/api/v1/public/st-1/agents";

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

pub fn run<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Ended {
    end(&mut standin(arguments))
}

pub fn end(command: &mut Command) -> Ended {
    let output = command.output().expect("the program starts");
    Ended {
        code: output.status.code().expect("it ends by itself"),
        out: String::from_utf8(output.stdout).expect("it prints UTF-8"),
        err: String::from_utf8(output.stderr).expect("it prints UTF-8"),
    }
}

/// Runs a command that reads `input` from its standard input.
pub fn run_with_input<'a>(arguments: impl IntoIterator<Item = &'a str>, input: &[u8]) -> Ended {
    let mut command = standin(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin: ChildStdin = child.stdin.take().unwrap();
    // A program that ends early does not read it all.
    let _ = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder of the test's own, gone when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

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
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let out = lines(child.stdout.take().unwrap());
        let err = lines(child.stderr.take().unwrap());
        let Ok(ready) = out.recv_timeout(PATIENCE) else {
            let _ = child.kill();
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
        // Both channels end when the program does.
        while self.out.recv_timeout(PATIENCE).is_ok() {}
        let mut rest = Vec::new();
        while let Ok(line) = self.err.recv_timeout(PATIENCE) {
            rest.push(line);
        }
        (self.child.wait().unwrap(), rest)
    }

    pub fn call(&self, request: &Call) -> Reply {
        call(&self.address, request)
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

/// A request as curl would send it.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Call {
    pub fn get(target: &str) -> Self {
        Self { method: "GET".into(), target: target.into(), ..Self::default() }
    }

    /// A POST of JSON with a token and an account.
    pub fn post(target: &str, body: &str) -> Self {
        let token = run(["token"]).fine();
        let headers = [("auth", token.trim()), ("accountId", "a"), ("Content-Type", "application/json")];
        Self {
            method: "POST".into(),
            target: target.into(),
            headers: headers.map(|(name, value)| (name.into(), value.into())).into(),
            body: body.into(),
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The request of a curl command, whatever host it names.
    pub fn curl(command: &str) -> Self {
        let mut words = words(command).into_iter();
        assert_eq!(words.next().as_deref(), Some("curl"), "{command}");
        let mut call = Self::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--location" => {}
                "--request" => call.method = words.next().unwrap(),
                "--header" => {
                    let header = words.next().unwrap();
                    let (name, value) = header.split_once(": ").unwrap();
                    call = call.header(name, value);
                }
                "--data" => {
                    let data = words.next().unwrap();
                    call.body = match data.strip_prefix('@') {
                        Some(file) => fs::read(file).unwrap(),
                        None => data.into(),
                    };
                }
                url => {
                    let rest = url
                        .strip_prefix("http://")
                        .unwrap_or_else(|| panic!("not known to curl here: {url}"));
                    rest[rest.find('/').unwrap()..].clone_into(&mut call.target);
                }
            }
        }
        if call.method.is_empty() {
            call.method = if call.body.is_empty() { "GET" } else { "POST" }.into();
        }
        call
    }
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Sends a request on a connection of its own.
pub fn call(address: &str, call: &Call) -> Reply {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut head = format!(
        "{} {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n",
        call.method,
        call.target,
        call.body.len()
    );
    for (name, value) in &call.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    stream.write_all((head + "\r\n").as_bytes()).unwrap();
    stream.write_all(&call.body).unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    let reply = String::from_utf8(reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").expect("a reply");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head: head.to_owned(), body: body.to_owned() }
}

/// The words of a shell command; quotes and continued lines are understood, nothing else is.
pub fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = command.chars();
    while let Some(character) = characters.next() {
        match character {
            '\'' => word
                .get_or_insert_default()
                .extend(characters.by_ref().take_while(|character| *character != '\'')),
            '\\' => match characters.next() {
                Some('\n') | None => {}
                Some(escaped) => word.get_or_insert_default().push(escaped),
            },
            _ if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}
