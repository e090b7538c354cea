//! The program as a person runs it, and files for it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};

/// What a run printed and how it ended.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs the program without anything from the environment.
pub fn standin(arguments: &[&str]) -> Run {
    run(arguments, &[])
}

/// Runs the program with these variables and no others of its own.
pub fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_standin"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("STANDIN_")) {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    let Output { status, stdout, stderr } = command.args(arguments).output().expect("the program runs");
    Run {
        code: status.code().expect("it ended by itself"),
        out: String::from_utf8(stdout).expect("it prints UTF-8"),
        err: String::from_utf8(stderr).expect("it prints UTF-8"),
    }
}

/// Runs `standin verify`.
pub fn verify(url: &str, arguments: &[&str]) -> Run {
    standin(&[&["verify", url], arguments].concat())
}

/// A place for a test's files.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verify").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// A file in it, by its path.
pub fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("a file can be written");
    path.to_str().expect("its name is text").to_owned()
}

/// A pact with one interaction: a GET of a path that gets 200 and an object with a name.
pub fn small_pact(path: &str) -> Value {
    json!({
        "consumer": {"name": "small"},
        "provider": {"name": "agentassist"},
        "metadata": {"pactSpecification": {"version": "4.0"}},
        "interactions": [{
            "type": "Synchronous/HTTP",
            "description": "get a name",
            "request": {"method": "GET", "path": path},
            "response": {
                "status": 200,
                "headers": {"Content-Type": ["application/json"]},
                "body": {"content": {"name": "x"}, "contentType": "application/json", "encoded": false},
                "matchingRules": {"body": {"$.name": {"combine": "AND", "matchers": [{"match": "type"}]}}},
            },
        }],
    })
}
