//! `serve --journal-file`: what is in the file at any moment, and what `standin journal` makes of it.
#![cfg(unix)]

use std::{
    collections::BTreeSet,
    fmt::Write,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use serde_json::{Value, json};

use crate::support::{
    AGENTS, Call, Client, eventually, get,
    program::{Folder, Server, run},
};

const NAME: &str = "journal.ndjson";

fn serve(file: &str, flags: &[&str]) -> Server {
    Server::start(&[&["--journal-file", file], flags].concat())
}

fn stop(server: Server) -> Vec<String> {
    server.signal("TERM");
    let (status, rest) = server.wait();
    assert!(status.success(), "{rest:?}");
    rest
}

fn lines(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The numbers of the exchanges in a file.
fn ids(file: &str) -> Vec<u64> {
    let lines = lines(file);
    lines
        .iter()
        .filter(|line| line.get("request").is_some())
        .map(|line| line["id"].as_u64().unwrap())
        .collect()
}

/// The numbers in the table that `standin journal` prints.
fn shown(table: &str) -> Vec<u64> {
    table.lines().skip(1).map(|row| row.split(' ').next().unwrap().parse().unwrap()).collect()
}

fn path(folder: &Folder) -> String {
    folder.path(NAME).to_str().unwrap().to_owned()
}

#[test]
fn a_line_is_there_while_the_server_runs() {
    let folder = Folder::new();
    let file = path(&folder);
    let server = serve(&file, &[]);
    let begins = lines(&file);
    assert_eq!((&begins[0]["standin"], &begins[0]["format"]), (&json!("journal"), &json!(1)));
    assert!(begins[0]["run"].is_string() && begins.len() == 1, "{begins:?}");

    server.call(&Call::post(AGENTS, "{}"));

    eventually("the exchange is in the file", || fs::read_to_string(&file).unwrap().lines().nth(1).map(drop));
    let line = &lines(&file)[1];
    assert_eq!((&line["id"], &line["delivery"]), (&json!(1), &json!("sent")), "{line}");
    let health = server.call(&Call::get("/__standin/health")).json();
    assert_eq!(health["journalFile"], json!({"written": 1, "dropped": 0}));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    stop(server);
}

#[test]
fn health_says_when_there_is_no_file() {
    assert_eq!(Server::start(&[]).call(&Call::get("/__standin/health")).json()["journalFile"], Value::Null);
}

#[test]
fn a_server_that_starts_again_goes_on_in_the_file_and_each_run_can_be_shown() {
    let folder = Folder::new();
    let file = path(&folder);
    for calls in [2, 1] {
        let server = serve(&file, &[]);
        for _ in 0..calls {
            server.call(&Call::get("/"));
            server.call(&Call::get("/elsewhere"));
        }
        stop(server);
    }
    assert_eq!(ids(&file), [1, 2, 1]);

    let last = run(["journal", &file]);
    let first = run(["journal", &file, "--run", "1"]);

    assert_eq!((last.code, shown(&last.out)), (0, vec![1]));
    assert!(
        last.err.contains(": this is run 2 of 2, of 2") && last.err.contains("; --run N shows another\n")
    );
    assert_eq!((first.code, shown(&first.out)), (0, vec![1, 2]));
    let none = run(["journal", &file, "--run", "3"]);
    assert!(none.complaint(3).ends_with(": expected a run from 1 to 2, but found --run 3"), "{none:?}");
    assert!(
        run(["journal", &file, "--run", "0"]).complaint(2).contains("expected a number from 1 up, or last")
    );
}

#[test]
fn a_kill_loses_nothing_that_was_in_the_file_and_leaves_a_file_that_can_be_read_and_gone_on_with() {
    let folder = Folder::new();
    let file = path(&folder);
    let server = serve(&file, &[]);
    for _ in 0..20 {
        server.call(&Call::post(AGENTS, "{}"));
    }
    eventually("all are in the file", || {
        (fs::read_to_string(&file).unwrap().lines().count() == 21).then_some(())
    });
    let mut client = Client::connect(&server.address);
    for _ in 0..20 {
        client.call(get("/elsewhere"));
    }
    server.signal("KILL");
    assert!(!server.wait().0.success());

    // At most what came in the last moment is missing.
    let ended = run(["journal", &file]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let found = shown(&ended.out);
    assert!(found.len() >= 20, "{ended:?}");
    assert_eq!(found, (1..=found.len() as u64).collect::<Vec<_>>());

    let server = serve(&file, &[]);
    server.call(&Call::get("/elsewhere"));
    stop(server);
    assert_eq!(shown(&run(["journal", &file]).out), [1]);
    assert_eq!(shown(&run(["journal", &file, "--run", "1"]).out), found);
}

#[test]
fn half_a_line_at_the_end_is_left_out_and_said_also_when_a_server_has_gone_on_behind_it() {
    let folder = Folder::new();
    let file = path(&folder);
    let server = serve(&file, &[]);
    server.call(&Call::get("/elsewhere"));
    server.call(&Call::get("/elsewhere"));
    stop(server);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, &text[..text.len() - 20]).unwrap();
    let says = ": line 3 is not finished, and left out: the server was ended while it wrote\n";

    let ended = run(["journal", &file]);
    assert_eq!((ended.code, shown(&ended.out)), (0, vec![1]));
    assert!(ended.err.ends_with(says), "{ended:?}");

    stop(serve(&file, &[]));
    let ended = run(["journal", &file, "--run", "1"]);
    assert_eq!((ended.code, shown(&ended.out)), (0, vec![1]));
    assert!(ended.err.ends_with(says), "{ended:?}");
}

#[test]
fn a_full_file_is_moved_away_and_the_new_one_says_that_it_goes_on() {
    let folder = Folder::new();
    let file = path(&folder);
    let server = serve(&file, &["--journal-file-bytes", "20kB"]);
    for number in 1..=50 {
        server.call(&Call::get("/elsewhere"));
        let written =
            || server.call(&Call::get("/__standin/health")).json()["journalFile"]["written"].clone();
        eventually("it is written", || (written() == number).then_some(()));
    }
    stop(server);

    let moved = file.clone() + ".1";
    let (before, after) = (ids(&moved), ids(&file));
    assert_eq!(after.last(), Some(&50));
    assert_eq!([&*before, &after].concat(), (before[0]..=50).collect::<Vec<_>>());
    for file in [&file, &moved] {
        let found = fs::metadata(file).unwrap();
        assert!(found.len() <= 20_000, "{}", found.len());
        assert_eq!(found.permissions().mode() & 0o777, 0o600);
    }
    let header = lines(&file).remove(0);
    assert_eq!(header["continued"], true);
    assert_eq!(header["run"], lines(&moved)[0]["run"]);
    let ended = run(["journal", &file]);
    assert_eq!(shown(&ended.out), after);
    assert!(ended.err.contains("the beginning of this run was moved"), "{ended:?}");
    // Together they are one run.
    let both = [fs::read(&moved).unwrap(), fs::read(&file).unwrap()].concat();
    assert_eq!(shown(&run(["journal", &folder.file("both", both)]).out), [before, after].concat());
}

#[test]
fn every_exchange_is_in_the_file_or_counted_there_and_at_the_stop() {
    const REQUESTS: usize = 30_000;
    let folder = Folder::new();
    let file = path(&folder);
    let quiet = "standin=info,standin::exchange=off";
    let server = serve(&file, &["--journal-entries", "10000", "--log-filter", quiet]);
    let mut client = Client::connect(&server.address);
    let batch = get("/elsewhere").repeat(100);
    for _ in 0..REQUESTS / 100 {
        client.send(&batch);
        for _ in 0..100 {
            assert_eq!(client.reply().status, 404);
        }
    }
    // Nobody is in a hurry.
    run(["stop", &server.address]).fine();
    let (status, rest) = server.wait();
    assert!(status.success(), "{rest:?}");

    let lines = lines(&file);
    let dropped: u64 = lines.iter().filter_map(|line| line["dropped"].as_u64()).sum();
    let ids = ids(&file);
    let different: BTreeSet<_> = ids.iter().collect();
    assert_eq!(different.len(), ids.len());
    assert_eq!(ids.len() as u64 + dropped, REQUESTS as u64);
    let mut says = String::new();
    write!(says, "{dropped} of {REQUESTS} exchanges are missing there").unwrap();
    assert_eq!(rest.iter().any(|line| line.contains(&says)), dropped > 0, "{dropped}: {rest:?}");
}

#[test]
fn a_file_that_is_moved_away_by_somebody_else_is_begun_anew() {
    let folder = Folder::new();
    let file = path(&folder);
    let server = serve(&file, &[]);
    let written = |file: &str, lines: usize| {
        let count = || fs::read_to_string(file).map_or(0, |text| text.lines().count());
        eventually("the lines are there", || (count() == lines).then_some(()));
    };
    server.call(&Call::get("/elsewhere"));
    written(&file, 2);
    let moved = file.clone() + ".old";
    fs::rename(&file, &moved).unwrap();
    server.call(&Call::get("/elsewhere"));
    written(&file, 2);
    stop(server);

    assert_eq!((ids(&moved), ids(&file)), (vec![1], vec![2]));
    assert_eq!(lines(&file)[0]["continued"], true);
}

#[test]
fn a_file_that_cannot_be_written_any_more_is_exit_code_3_and_says_how_much_it_lacks() {
    let folder = Folder::new();
    let inner = folder.path("inner");
    fs::create_dir(&inner).unwrap();
    let file = inner.join(NAME);
    let server = serve(file.to_str().unwrap(), &[]);
    fs::remove_dir_all(&inner).unwrap();
    server.call(&Call::get("/elsewhere"));
    server.signal("TERM");
    let (status, rest) = server.wait();
    assert_eq!(status.code(), Some(3), "{rest:?}");
    let said = rest.iter().find(|line| line.starts_with("standin: cannot write ")).unwrap();
    assert!(said.ends_with("; 1 of 1 exchanges are missing there"), "{said}");
}

#[test]
fn what_is_no_journal_is_refused_and_left_as_it_is() {
    let folder = Folder::new();
    for (text, why) in [
        (
            "export PATH=/bin\n",
            "expected a new file, or a journal that standin has written, but found something else",
        ),
        ("{\"a\": 1}\n", "but found something else"),
        ("\n", "but found something else"),
        (
            "{\"standin\":\"journal\",\"format\":2,\"run\":\"x\"}\n",
            "/format: expected `1`, but found `2`; a newer standin has written it",
        ),
    ] {
        let file = folder.file("other", text);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let ended = run(["serve", "--listen", "127.0.0.1:0", "--journal-file", &file]);
        assert!(ended.complaint(3).ends_with(why), "{ended:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    }
}

#[test]
fn an_export_and_an_older_file_can_be_gone_on_with() {
    let folder = Folder::new();
    let server = Server::start(&[]);
    server.call(&Call::get("/elsewhere"));
    let export = server.call(&Call::get("/__standin/export?format=ndjson")).body;
    let file = folder.file(NAME, export);
    let server = serve(&file, &[]);
    server.call(&Call::get("/elsewhere"));
    stop(server);

    assert_eq!(shown(&run(["journal", &file, "--run", "1"]).out), [1]);
    assert_eq!(shown(&run(["journal", &file]).out), [1]);
    assert_eq!(lines(&file).len(), 3);
}

#[test]
fn two_servers_do_not_write_one_file_and_a_link_is_followed() {
    let folder = Folder::new();
    let file = path(&folder);
    let link = folder.path("link");
    symlink(&file, &link).unwrap();
    let server = serve(link.to_str().unwrap(), &[]);
    let second = run(["serve", "--listen", "127.0.0.1:0", "--journal-file", &file]);
    assert!(second.complaint(3).contains("another process writes it"), "{second:?}");
    server.call(&Call::get("/elsewhere"));
    stop(server);

    assert!(link.is_symlink());
    assert_eq!(ids(&file), [1]);
}

#[test]
fn a_gap_in_a_file_is_said() {
    let folder = Folder::new();
    let ended = run(["journal", &folder.file("gap", "{\"dropped\":5}\n")]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.err.ends_with("gap: 5 exchanges are missing: they could not be written in time\n"),
        "{ended:?}"
    );
}
