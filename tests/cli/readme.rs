//! What the README says, done.

use std::fs;

use serde_json::Value;

use crate::support::{
    AGENTS, Call,
    call::words,
    program::{Server, run},
};

fn readme() -> String {
    fs::read_to_string("README.md").unwrap()
}

/// The text of the fenced block that is called so, after its language.
fn block(name: &str) -> String {
    let readme = readme();
    let mut lines = readme.lines();
    let begins = |line: &str| line.starts_with("```") && line.split(' ').nth(1) == Some(name);
    lines.find(|line| begins(line)).unwrap_or_else(|| panic!("no block called {name}"));
    lines.take_while(|line| !line.starts_with("```")).collect::<Vec<_>>().join("\n")
}

fn json(file: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn the_first_call_gets_the_pages_sample_reply() {
    let reply = Server::start(&[]).call(&Call::curl(&block("first-call")));
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json(), json("fixtures/createAgent/response.json"));
}

#[test]
fn the_refusal_is_what_a_call_without_role_gets() {
    let mut call = Call::curl(&block("first-call"));
    let mut body: Value = serde_json::from_slice(&call.body).unwrap();
    body.as_object_mut().unwrap().remove("roleId");
    call.body = body.to_string().into();

    let reply = Server::start(&[]).call(&call);

    assert_eq!(reply.status, 412);
    assert_eq!(reply.json(), serde_json::from_str::<Value>(&block("refusal")).unwrap());
}

#[test]
fn the_control_commands_succeed_after_the_first_call() {
    let server = Server::start(&[]);
    server.call(&Call::curl(&block("first-call")));
    for command in block("control").lines() {
        let reply = server.call(&Call::curl(command));
        assert!((200..300).contains(&reply.status), "{command}: {reply:?}");
    }
}

#[test]
fn the_check_command_is_fine() {
    let words = words(&block("check"));
    assert_eq!(words[0], "standin");
    run(&words[1..]).fine();
}

#[test]
fn the_calls_of_the_fixtures_get_their_pages_sample_replies() {
    let server = Server::start(&[]);
    let text = fs::read_to_string("fixtures/README.md").unwrap();
    let mut operation = "";
    let mut called = 0;
    for part in text.split("\n### ").skip(1) {
        operation = part.lines().next().unwrap_or(operation);
        for block in part.split("```sh\n").skip(1) {
            let command = block.split("```").next().unwrap();
            let file = words(command)
                .iter()
                .find_map(|word| Some(word.strip_prefix("@fixtures/")?.to_owned()))
                .unwrap();
            let expected = match file.split_once("request.").unwrap() {
                (folder, "json") => format!("{folder}response.json"),
                (folder, kind) => format!("{folder}{kind}"),
            };
            let reply = server.call(&Call::curl(command));
            assert_eq!(reply.status, 200, "{operation}: {reply:?}");
            assert_eq!(reply.json(), json(&format!("fixtures/{expected}")), "{operation}");
            called += 1;
        }
    }
    assert!(called >= 5, "{called}");
}

#[test]
fn the_table_of_options_is_complete() {
    let readme = readme();
    let (_, table) = readme.split_once("## Options of `standin serve`").unwrap();
    let (table, _) = table.split_once("\nExit codes").unwrap();
    let help = run(["serve", "--help"]).fine();
    let mut flag = String::new();
    for line in help.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("--").and_then(|rest| rest.split(' ').next()) {
            flag = format!("| `--{name} ");
            assert!(table.contains(&flag), "{flag} is not in the README");
        } else if let Some(default) = line.strip_prefix("[default: ") {
            let row = table.lines().find(|row| row.starts_with(&flag)).unwrap();
            let default = default.trim_end_matches(']');
            assert!(
                row.contains(&format!("| `{default}` |")),
                "{flag}: the default is {default}, and not in {row}"
            );
        } else if let Some(variable) = line.strip_prefix("[env: ") {
            let variable = variable.trim_end_matches(['=', ']']);
            let expected = flag.trim_matches(['|', ' ', '`', '-']).to_uppercase().replace('-', "_");
            let row = table.lines().find(|row| row.starts_with(&flag)).unwrap();
            assert!(
                variable == format!("STANDIN_{expected}") || row.contains(variable),
                "{flag}: the variable is {variable}"
            );
        }
    }
    assert_eq!(table.matches("| `--").count(), help.matches("\n      --").count(), "{table}");
}

#[test]
fn the_table_of_operations_is_what_the_contract_has() {
    let readme = readme();
    let operations = run(["contract", "show"]).fine();
    for line in operations.lines().skip(1) {
        let cells: Vec<_> = line.split_whitespace().take(3).collect();
        let row = format!("| `{}` | `{} {}", cells[0], cells[1], cells[2]);
        assert!(readme.contains(&row), "{row}");
    }
}

#[test]
fn the_choice_of_replies_works_as_the_readme_says() {
    let server = Server::start(&[]);
    let call = Call::curl(&block("first-call")).header("Prefer", "code=429");
    let reply = server.call(&call);
    assert_eq!(reply.status, 429);
    assert_eq!(reply.header("preference-applied"), Some("code=429"), "{reply:?}");
    let invalid = server.call(&Call::post(AGENTS, "{}").header("Prefer", "code=429"));
    assert_eq!(invalid.status, 412);
}
