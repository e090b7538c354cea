//! What the README and the pages beside it say, done.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::support::{
    AGENTS, Call,
    call::words,
    program::{Folder, Server, end_with_input, run},
};

/// The README and the pages that it leads to.
const PAGES: [&str; 8] = [
    "README.md",
    "docs/control.md",
    "docs/generate.md",
    "docs/operations.md",
    "docs/scripts.md",
    "docs/serve.md",
    "docs/state.md",
    "docs/verify.md",
];

fn page(name: &str) -> String {
    fs::read_to_string(name).unwrap()
}

/// The text of the fenced block that is called so, after its language.
fn block(name: &str) -> String {
    let pages = PAGES.map(page).concat();
    let mut lines = pages.lines();
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
fn the_refusal_is_what_the_refused_call_gets() {
    let reply = Server::start(&[]).call(&Call::curl(&block("refused-call")));

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
#[cfg(unix)]
fn what_is_generated_can_be_checked() {
    let folder = Folder::new();
    let script = format!(
        "set -e\nstandin() {{ '{}' \"$@\"; }}\n{}\n{}\n",
        env!("CARGO_BIN_EXE_standin"),
        block("generate"),
        block("check"),
    );
    let mut shell = Command::new("sh");
    let ended = end_with_input(shell.current_dir(folder.path(".")), script.as_bytes());
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.contains("\nimport.json: ok\n"), "{}", ended.out);
    assert_eq!(fs::read_dir(folder.path("bodies")).unwrap().count(), 100);
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
    let table = page("docs/serve.md");
    let help = run(["serve", "--help"]).fine();
    let mut flag = String::new();
    for line in help.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("--").and_then(|rest| rest.split(' ').next()) {
            // A switch has no value behind it.
            flag = [' ', '`']
                .map(|end| format!("| `--{name}{end}"))
                .into_iter()
                .find(|flag| table.contains(flag))
                .expect(name);
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
    let table = page("docs/operations.md");
    let operations = run(["contract", "show"]).fine();
    for line in operations.lines().skip(1) {
        let cells: Vec<_> = line.split_whitespace().take(3).collect();
        let row = format!("| `{}` | `{} {}", cells[0], cells[1], cells[2]);
        assert!(table.contains(&row), "{row}");
    }
    assert_eq!(table.matches("\n| `").count(), operations.lines().count() - 1);
}

#[test]
fn the_choice_of_replies_works_as_the_readme_says() {
    let server = Server::start(&[]);
    let reply = server.call(&Call::curl(&block("forced-error")));
    assert_eq!(reply.status, 429);
    assert_eq!(reply.header("preference-applied"), Some("code=429"), "{reply:?}");
    let invalid = server.call(&Call::post(AGENTS, "{}").header("Prefer", "code=429"));
    assert_eq!(invalid.status, 412);
}

#[test]
fn the_pipelines_assertions_fail_when_every_call_was_refused_and_hold_when_none_was() {
    let commands = block("pipeline").replace("\\\n", " ").replace("curl -fsS", "curl");
    let assertions: Vec<_> = commands.lines().filter(|line| line.contains("requests/verify")).collect();
    assert_eq!(assertions.len(), 2);
    let good = Call::curl(&block("first-call"));
    let mut bad = good.clone();
    bad.body = "{}".into();
    let statuses = |calls: &[&Call]| {
        let server = Server::start(&[]);
        for call in calls {
            server.call(call);
        }
        let status = |command: &&str| server.call(&Call::curl(command.trim())).status;
        assertions.iter().map(status).collect::<Vec<_>>()
    };

    assert_eq!(statuses(&[&good]), [200, 200]);
    assert_eq!(statuses(&[&bad, &bad]), [417, 417]);
    assert_eq!(statuses(&[&good, &bad]), [200, 417]);
    assert_eq!(statuses(&[]), [417, 200]);
}

#[test]
fn every_link_between_the_pages_leads_somewhere() {
    for name in PAGES {
        let text = page(name);
        let folder = Path::new(name).parent().unwrap();
        for target in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { name.into() } else { folder.join(file) };
            assert!(file.exists(), "{name}: {target}");
            let has_anchor = || fs::read_to_string(&file).unwrap().lines().any(|line| slug(line) == anchor);
            assert!(anchor.is_empty() || has_anchor(), "{name}: {target}");
        }
    }
}

/// The anchor of a heading.
fn slug(line: &str) -> String {
    let words = line.trim_start_matches('#').trim().to_lowercase();
    let kept = words.chars().filter(|character| character.is_alphanumeric() || " -".contains(*character));
    kept.map(|character| if character == ' ' { '-' } else { character }).collect()
}
