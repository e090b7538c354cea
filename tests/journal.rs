//! What the journal promises while many record at once.

use std::{
    collections::BTreeSet,
    sync::{Arc, Barrier, mpsc},
    thread,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use standin::{
    Config, Contract, Delivery, Exchange, Expectation, Filter, Headers, Journal, JournalLimits, Matcher,
    Reading, Reply, Request, Rule, Secrets, Server, Step, Verdict, Violation, pact,
    render::{curl, har, ndjson},
    token::Secret,
};

const RECORDERS: usize = 64;
const EACH: usize = 100;
const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJhcHBJZCI6ImNzLTEifQ.c2lnbmF0dXJl";

fn exchange(target: &str) -> Exchange {
    Exchange {
        request: Request::new("POST", target).body(r#"{"firstName":"Ada"}"#),
        reply: Reply { status: 200, headers: Headers::default(), body: "{}".into() },
        operation: None,
        step: Step::Answer,
        violations: Vec::new(),
        more_violations: false,
        readings: Vec::new(),
        state: None,
        scripted: None,
    }
}

/// Starts every recorder at the same moment; each records `EACH` exchanges and hands its numbers back.
fn record_from_many_threads(journal: &Arc<Journal>) -> Vec<Vec<u64>> {
    let start = Arc::new(Barrier::new(RECORDERS));
    let recorders: Vec<_> = (0..RECORDERS)
        .map(|recorder| {
            let (journal, start) = (Arc::clone(journal), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                (0..EACH).map(|n| journal.record(exchange(&format!("/{recorder}/{n}"))).id).collect()
            })
        })
        .collect();
    recorders.into_iter().map(|recorder| recorder.join().unwrap()).collect()
}

#[test]
fn numbers_are_unique_and_without_gaps_and_in_order_for_each_recorder() {
    let journal = Arc::new(Journal::new(JournalLimits::default()));

    let numbers = record_from_many_threads(&journal);

    for numbers in &numbers {
        assert!(numbers.is_sorted());
    }
    let all: BTreeSet<u64> = numbers.into_iter().flatten().collect();
    let total = (RECORDERS * EACH) as u64;
    assert_eq!(all, (1..=total).collect());
    let kept: Vec<u64> = journal.snapshot().iter().map(|it| it.id).collect();
    assert_eq!(kept, (1..=total).collect::<Vec<_>>());
}

#[test]
fn the_bounds_hold_at_every_moment() {
    let limits = JournalLimits { entries: 50, bytes: 40_000 };
    let journal = Arc::new(Journal::new(limits));
    let (stop, stopped) = mpsc::channel::<()>();
    let watcher = thread::spawn({
        let journal = Arc::clone(&journal);
        move || {
            while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
                let counts = journal.counts();
                assert!(counts.kept <= limits.entries && counts.bytes <= limits.bytes);
                assert_eq!(counts.recorded, counts.dropped + counts.kept as u64);
                let kept = journal.snapshot();
                assert!(kept.windows(2).all(|two| two[0].id + 1 == two[1].id));
            }
        }
    });

    record_from_many_threads(&journal);
    drop(stop);
    watcher.join().unwrap();

    let counts = journal.counts();
    assert_eq!(counts.recorded, (RECORDERS * EACH) as u64);
    assert!(counts.kept > 0);
}

#[test]
fn a_wait_is_woken_by_what_it_waits_for() {
    let journal = Arc::new(Journal::new(JournalLimits::default()));
    let filter = Filter {
        matcher: Matcher { contains: Some("/wanted".to_owned()), ..Matcher::default() },
        ..Filter::default()
    };
    let waiters: Vec<_> = (0..8)
        .map(|_| {
            let (journal, filter) = (Arc::clone(&journal), filter.clone());
            thread::spawn(move || journal.wait(&filter, 3, Duration::from_secs(600)))
        })
        .collect();

    for target in ["/wanted/1", "/other", "/wanted/2", "/other", "/wanted/3"] {
        journal.record(exchange(target));
    }

    for waiter in waiters {
        let found = waiter.join().unwrap().unwrap();
        let numbers: Vec<u64> = found.iter().map(|it| it.id).collect();
        assert_eq!(numbers, [1, 3, 5]);
    }
}

#[test]
fn a_verdict_is_never_guessed_while_exchanges_go() {
    let journal = Arc::new(Journal::new(JournalLimits { entries: 20, ..JournalLimits::default() }));
    let recorder = thread::spawn({
        let journal = Arc::clone(&journal);
        move || record_from_many_threads(&journal)
    });
    // Every exchange matches, so from the start there are always as many as were recorded when it was asked.
    let expectation =
        |n| Expectation { after: Some(0), at_least: n, at_most: Some(n), ..Expectation::default() };

    while !recorder.is_finished() {
        let before = journal.counts().recorded;
        let verdict = journal.verify(&expectation(before));
        let after = journal.counts().recorded;
        match verdict {
            Verdict::Held { ids } => assert_eq!(ids.len() as u64, before),
            Verdict::Failed { .. } => assert!(after > before),
            Verdict::Unknown { dropped, forgotten } => {
                assert!(dropped > 0 && dropped <= after && forgotten == 0);
            }
        }
    }

    recorder.join().unwrap();
    let total = journal.counts().recorded;
    assert_eq!(journal.verify(&expectation(total)), Verdict::Unknown { dropped: total - 20, forgotten: 0 });
}

const CLIENT_SECRET: &str = "correct \"horse\" bättery";

/// The built-in contract, whose token is in another header.
fn contract_with_header(name: &str) -> Arc<Contract> {
    let mut document = Contract::builtin().document().clone();
    let schemes = document["components"]["securitySchemes"].as_object_mut().unwrap();
    assert_eq!(schemes.len(), 1);
    for scheme in schemes.values_mut() {
        scheme["name"] = name.into();
    }
    // The samples that are in files of their own are those of the built-in contract.
    inline_samples(&mut document);
    Arc::new(Contract::from_document(document).unwrap())
}

fn inline_samples(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(members) => {
            if let Some(file) = members.get("externalValue").and_then(serde_json::Value::as_str) {
                let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts").join(file);
                let sample = std::fs::read_to_string(path).unwrap();
                members.shift_remove("externalValue");
                members.insert("value".to_owned(), serde_json::from_str(&sample).unwrap());
            }
            members.values_mut().for_each(inline_samples);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(inline_samples),
        _ => {}
    }
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
}

/// A secret as it is, and in every encoding that clients use by mistake.
fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::Value::from(secret).to_string();
    vec![
        json[1..json.len() - 1].to_owned(),
        secret.to_owned(),
        percent(secret),
        secret.replace('.', "%2e").replace('"', "%22").replace(' ', "%20").replace('ä', "%C3%A4"),
        BASE64_STANDARD.encode(secret),
        BASE64_STANDARD.encode(format!("user:{secret}")),
        BASE64_STANDARD.encode(format!("ab:{secret}:c")),
        percent(&BASE64_STANDARD.encode(secret)),
    ]
}

/// An exchange with `value` in the place `place`; none when there are no more places.
fn misplaced(place: usize, value: &str) -> Option<Exchange> {
    let mut exchange = exchange("/agents");
    let violation = |found: &str| Violation {
        pointer: "/body/emailId".into(),
        rule: Rule::Format,
        expected: "an e-mail address".into(),
        found: found.into(),
        source: "observed".into(),
    };
    // A form that is JSON already stays so.
    let quoted = if value.contains("\\\"") {
        format!("\"{value}\"")
    } else {
        serde_json::Value::from(value).to_string()
    };
    match place {
        0 => exchange.request = exchange.request.header("x-api-key", value),
        1 => exchange.request = exchange.request.header("authorization", format!("Bearer {value}")),
        2 => exchange.request = exchange.request.header("cookie", format!("a=1; token={value}")),
        3 => exchange.request = exchange.request.header("proxy-authorization", value),
        4 => exchange.request = exchange.request.header("x-anything", format!("a {value}")),
        5 => exchange.reply.headers.push("set-cookie", value.as_bytes()),
        6 => exchange.reply.headers.push("x-anything", value.as_bytes()),
        7 => exchange.request.target = format!("/agents?access_token={value}&a=1"),
        8 => exchange.request.target = format!("/agents/{value}/x"),
        9 => exchange.request.body = format!(r#"{{"a":{{"token":{quoted}}}}}"#).into(),
        10 => exchange.request.body = format!("a=1&token={value}&b=2").into(),
        11 => exchange.request.body = [b"\xff\0", value.as_bytes()].concat().into(),
        12 => exchange.reply.body = format!("[{quoted}]").into(),
        13 => exchange.violations.push(violation(&format!("`{value}`"))),
        14 => exchange.readings.push(Reading {
            ledger: "U3".into(),
            pointer: "/query/x".into(),
            note: format!("read {value}"),
        }),
        _ => return None,
    }
    Some(exchange)
}

#[test]
fn a_secret_is_in_no_rendering() {
    let contract = contract_with_header("X-Api-Key");
    assert_eq!(contract.token_header(), Some("x-api-key"));
    let secrets = || Secrets::of(&contract).value(Secret::new(CLIENT_SECRET));
    for secret in [TOKEN, CLIENT_SECRET] {
        for (place, form) in
            (0..15).flat_map(|place| forms(secret).into_iter().map(move |form| (place, form)))
        {
            let journal = Journal::new(JournalLimits::default()).hiding(secrets());
            let recorded = journal.record(misplaced(place, &form).unwrap());
            recorded.delivery.settle(Delivery::Sent);
            assert_eq!(recorded.redactions.len(), 1, "{place} {form} {recorded:?}");

            let line = ndjson::line(&recorded);
            let exchanges = journal.snapshot();
            let renderings = [
                line.clone(),
                har::log(&exchanges).to_string(),
                curl::command(&recorded, "http://localhost"),
                curl::command(&ndjson::parse(&line).unwrap(), "http://localhost"),
                format!("{recorded:?}"),
                format!("{journal:?}"),
                pact::from_exchanges(&contract, "client", [&recorded.exchange]).to_string(),
                pact::interaction(&contract, "it", &recorded.exchange)
                    .map_or_else(|why| why, |it| it.to_string()),
            ];
            for rendering in &renderings {
                for (start, piece) in pieces(&form, secret) {
                    assert!(!rendering.contains(&piece), "{place} {form}: {start} of it is in {rendering}");
                }
            }
        }
    }
    assert_eq!(misplaced(15, ""), None);
}

/// What must not be seen of a secret in a form: all of it, and for a token what makes it valid, its signature.
fn pieces(form: &str, secret: &str) -> Vec<(&'static str, String)> {
    let mut pieces = vec![("all", form.to_owned()), ("the secret", secret.to_owned())];
    if secret == TOKEN {
        let signature = TOKEN.rsplit('.').next().unwrap();
        pieces.push(("the signature", signature.to_owned()));
        pieces.push(("the signature", percent(signature)));
        for before in ["", "a", "ab"] {
            let encoded = BASE64_STANDARD.encode(format!("{before}{signature}"));
            pieces.push(("the signature", encoded[4..encoded.len() - 4].to_owned()));
        }
    }
    pieces
}

#[test]
fn a_token_is_known_by_its_header_whatever_its_name_and_form() {
    let journal = Journal::new(JournalLimits::default()).hiding(Secrets::default().token_in("X-Api-Key"));
    let mut exchange = exchange("/agents");
    exchange.request = exchange.request.header("X-Api-Key", "no JWT at all").header("cookie", "a=b");

    let recorded = journal.record(exchange);

    // A journal that was exported has no contract at hand.
    for recorded in [&*recorded, &ndjson::parse(&ndjson::line(&recorded)).unwrap()] {
        let command = curl::command(recorded, "http://localhost");
        assert!(command.contains(r#"-H "x-api-key: $STANDIN_TOKEN""#), "{command}");
        assert!(command.contains("cookie is left out"), "{command}");
        let har = har::log(&[recorded]);
        assert_eq!(har["log"]["entries"][0]["request"]["headers"][0]["value"], "$STANDIN_TOKEN");
        assert!(!format!("{recorded:?}{har}{command}").contains("no JWT at all"));
    }
}

#[test]
fn a_server_hides_the_token_of_its_contract_and_its_own_secrets() {
    let contract = contract_with_header("X-Api-Key");
    let mut config = Config { contract, ..Config::default() };
    config.settings.token = standin::TokenPolicy::Verified(Secret::new("client-secret"));
    config.control.token = Some(Secret::new("control-token"));
    let server = Server::start(config).unwrap();
    let mut client = std::net::TcpStream::connect(server.addr()).unwrap();
    std::io::Write::write_all(
        &mut client,
        b"POST /x?token=control-token HTTP/1.1\r\nhost: client-secret\r\nx-api-key: opaque-token\r\nconnection: close\r\n\r\n",
    )
    .unwrap();
    std::io::Read::read_to_end(&mut client, &mut Vec::new()).unwrap();

    let shown = ndjson::line(&server.journal().snapshot()[0]);
    for secret in ["control-token", "client-secret", "opaque-token"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_mistyped_control_path_does_not_keep_the_control_token() {
    let mut config = Config::default();
    config.control.token = Some(Secret::new("control-token"));
    let server = Server::start(config).unwrap();
    for path in ["/__stanbin/requests", "/__Standin/provider-states", "/_standin/", "//__standin/health"] {
        let mut client = std::net::TcpStream::connect(server.addr()).unwrap();
        let request = format!(
            "GET {path}?token=control-token HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        );
        std::io::Write::write_all(&mut client, request.as_bytes()).unwrap();
        std::io::Read::read_to_end(&mut client, &mut Vec::new()).unwrap();

        let last = server.last().unwrap();
        assert!(last.exchange.request.target.starts_with(path), "{last:?}");
        for rendering in [ndjson::line(&last), format!("{last:?}")] {
            assert!(!rendering.contains("control-token"), "{rendering}");
        }
    }
}

#[test]
fn secrets_are_kept_for_whoever_asks_for_it() {
    let journal = Journal::new(JournalLimits::default()).hiding(Secrets::kept());
    let mut exchange = exchange(&format!("/agents?auth={TOKEN}"));
    exchange.request = exchange.request.header("authorization", TOKEN);

    let recorded = journal.record(exchange.clone());

    assert_eq!((&recorded.exchange, recorded.redactions.len()), (&exchange, 0));
}

#[test]
fn a_journal_written_and_read_is_the_same() {
    let journal = Journal::new(JournalLimits::default());
    for target in ["/a", "/b?c=%20", "*"] {
        journal.record(exchange(target));
    }
    let lines: Vec<String> = journal.snapshot().iter().map(|recorded| ndjson::line(recorded)).collect();

    let read = ndjson::read(lines.join("\n").as_bytes()).unwrap();

    let again: Vec<String> = read[0].exchanges.iter().map(ndjson::line).collect();
    assert_eq!(again, lines);
}
