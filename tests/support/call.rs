//! A request in parts, as a program or curl would send it.

use std::{fs, process::Command};

use super::{Client, Reply, TOKEN};

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

    /// A POST of JSON with the documentation's token and an account.
    pub fn post(target: &str, body: &str) -> Self {
        let call =
            Self { method: "POST".into(), target: target.into(), body: body.into(), ..Self::default() };
        call.header("auth", TOKEN).header("accountId", "a").header("Content-Type", "application/json")
    }

    /// The same request as the stand-in's own type has it.
    pub fn of(request: &standin::Request) -> Self {
        let call = Self {
            method: request.method.clone(),
            target: request.target.clone(),
            body: request.body.to_vec(),
            ..Self::default()
        };
        let headers = request.headers.iter();
        headers.fold(call, |call, (name, value)| call.header(name, &String::from_utf8_lossy(value)))
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The request of a curl command, whatever host it names.
    pub fn curl(command: &str) -> Self {
        let mut words = words(command).into_iter();
        assert_eq!(words.next().as_deref(), Some("curl"), "{command}");
        Self::of_arguments(words)
    }

    /// The request of a script that calls curl once, as a shell reads it that has the token in `STANDIN_TOKEN`.
    #[cfg(unix)]
    pub fn shell(script: &str, token: &str) -> Self {
        let curl = "curl() { for a; do printf '%s\\0' \"$a\"; done; [ \"$a\" = @- ] && cat; }";
        let output = Command::new("sh")
            .args(["-c", &format!("{curl}\n{script}\n")])
            .env("STANDIN_TOKEN", token)
            .output()
            .unwrap();
        assert!(output.stderr.is_empty(), "{output:?}\n{script}");
        let parts: Vec<_> = output.stdout.split(|byte| *byte == 0).collect();
        let (body, arguments) = parts.split_last().unwrap();
        let arguments = arguments.iter().map(|argument| String::from_utf8_lossy(argument).into_owned());
        let mut call = Self::of_arguments(arguments);
        if !body.is_empty() {
            call.body = body.to_vec();
        }
        call
    }

    fn of_arguments(mut words: impl Iterator<Item = String>) -> Self {
        let mut call = Self::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--location" | "--path-as-is" | "-g" | "-sS" | "--http1.1" => {}
                "--request" | "-X" => call.method = words.next().unwrap(),
                "--header" | "-H" => {
                    let header = words.next().unwrap();
                    // A name alone is a header that curl is not to add.
                    match (header.split_once(": "), header.strip_suffix(';')) {
                        (Some((name, value)), _) => call = call.header(name, value),
                        (None, Some(name)) => call = call.header(name, ""),
                        (None, None) => assert!(header.ends_with(':'), "{header}"),
                    }
                }
                "--data-binary" => assert_eq!(words.next().as_deref(), Some("@-")),
                "--data-raw" => call.body = words.next().unwrap().into(),
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

    /// Sends it on a connection of its own.
    #[track_caller]
    pub fn send(&self, address: &str) -> Reply {
        let mut request = format!(
            "{} {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.method,
            self.target,
            self.body.len()
        );
        for (name, value) in &self.headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        request.push_str("\r\n");
        Client::connect(address).call([request.as_bytes(), &self.body].concat())
    }
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
