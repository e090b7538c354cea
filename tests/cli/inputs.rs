//! What is no file, or has no end, in place of a file.

#![cfg(unix)]

use std::{
    fs::File,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::program::{Folder, ended, run, standin, start};

/// The contract's document with a sample of createAgent in another file.
fn contract_with_sample(folder: &Folder, sample: &str) -> String {
    let mut document: Value = serde_json::from_str(&run(["contract", "openapi"]).fine()).unwrap();
    let paths = document["paths"].as_object_mut().unwrap();
    let operation = paths.values_mut().find_map(|path| path.get_mut("post")).unwrap();
    let examples = operation["requestBody"]["content"]["application/json"]["examples"].as_object_mut();
    *examples.unwrap().values_mut().next().unwrap() = json!({"externalValue": sample});
    folder.file("contract.json", document.to_string())
}

#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let folder = Folder::new();
    let pipe = folder.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let pipe = pipe.to_str().unwrap();
    let own = folder.path("");
    for (source, kind) in [(pipe, "a pipe"), (own.to_str().unwrap(), "a folder"), ("/dev/zero", "a device")] {
        for arguments in [
            &["serve", "--listen=127.0.0.1:0", "--contract", source] as &[_],
            &["contract", "openapi", "--contract", source],
            &["check", "createAgent", source],
            &["journal", source],
            &["token", "--client-secret-file", source],
        ] {
            let ended = run(arguments);
            assert!(
                ended.err.contains(&format!("expected a regular file, but found {kind}")),
                "{arguments:?}: {ended:#?}"
            );
            assert!(matches!(ended.code, 2 | 3), "{arguments:?}: {ended:#?}");
        }
        let ended = run(["serve", "--listen=127.0.0.1:0", "--journal-file", source]);
        assert!(ended.complaint(3).contains(": it is not a regular file"), "{ended:#?}");
    }
    for (sample, kind) in [("pipe", "a pipe"), (".", "a folder")] {
        let contract = contract_with_sample(&folder, sample);
        let ended = run(["contract", "openapi", "--contract", &contract]);
        let says = format!("/externalValue: {sample}: expected a regular file, but found {kind}");
        assert!(ended.complaint(3).contains(&says), "{ended:#?}");
    }
}

#[test]
fn standard_input_that_has_no_end_is_read_up_to_a_limit() {
    for (arguments, says) in [
        (
            &["check", "createAgent", "-"] as &[_],
            "standard input: expected at most 16777216 bytes, but found more",
        ),
        (&["journal", "-"], "standard input, line 1: expected at most 134217728 bytes, but found more"),
    ] {
        let mut command = standin(arguments);
        command.stdin(Stdio::from(File::open("/dev/zero").unwrap()));
        let ended = ended(start(&mut command));
        assert!(ended.complaint(3).contains(says), "{ended:#?}");
    }
}
