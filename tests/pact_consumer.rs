//! The consumer's contract: written by Pact's own consumer library while a small client runs against its mock server,
//! and compared with the file that is committed.

mod support;

use std::{env, fs, path::Path};

use pact_consumer::{mock_server::StartMockServer, prelude::PactBuilder};
use pact_models::v4::synch_http::SynchronousHttp;
use serde_json::{Map, Value};
use standin::pact::{self, PROVIDER};
use support::{
    agentassist::Agentassist,
    interactions::{INTERACTIONS, stub},
};

const CONSUMER: &str = "agentassist-client";
const COMMITTED: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/contracts/pacts/agentassist-client-agentassist.json");

#[test]
fn the_client_keeps_to_the_committed_contract() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pacts");
    // Pact adds to a file that is there.
    let _ = fs::remove_dir_all(&folder);
    let stub = stub();
    for interaction in INTERACTIONS.iter() {
        let json = interaction.to_json(&stub);
        let described = SynchronousHttp::from_json(&json, 0).expect("Pact reads what is written here");
        let mut builder = PactBuilder::new_v4(CONSUMER, PROVIDER);
        builder.with_output_dir(&folder).push_interaction(&described);
        let mock = builder.start_mock_server(None, None);

        let url = mock.url();
        (interaction.call)(&Agentassist {
            address: format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port")),
            token: stub.contract().sample_token().map(str::to_owned),
            account: Some("649bdcaf5037ed113942xxxx".into()),
        });
        // Dropping the server compares what it received with the contract, and writes the file.
        drop(mock);
    }

    // Pact's library has read what is written here without it, and has written the same.
    let interactions: Vec<_> = INTERACTIONS.iter().map(|interaction| interaction.to_json(&stub)).collect();
    let file = folder.join(format!("{CONSUMER}-{PROVIDER}.json"));
    let written = normal(&read(&file));
    let own = normal(&pact::document(CONSUMER, &interactions));
    assert_eq!(difference("", &own, &written), None);

    if env::var_os("STANDIN_RENEW_PACTS").is_some() {
        fs::write(COMMITTED, format!("{written:#}\n")).expect("the contract can be written");
    }
    let committed = read(Path::new(COMMITTED));
    assert!(
        committed == written,
        "the contract is not what the client does any more: {}\n\
         look at what has changed, and renew the file with\n\
         STANDIN_RENEW_PACTS=1 cargo test --test pact_consumer",
        difference("", &committed, &written).unwrap_or_default(),
    );
}

fn read(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).expect("a pact is JSON")
}

/// A pact in a stable order, without what depends on the version of a library.
fn normal(pact: &Value) -> Value {
    let mut interactions = pact["interactions"].as_array().expect("a pact has interactions").clone();
    for interaction in &mut interactions {
        // A hash over the interaction's parts in memory.
        interaction.as_object_mut().expect("an interaction is an object").shift_remove("key");
    }
    let position = |interaction: &Value| {
        INTERACTIONS.iter().position(|known| interaction["description"] == known.description)
    };
    interactions.sort_by_key(position);
    let names = pact["consumer"]["name"].as_str().expect("the consumer has a name");
    sorted(&pact::document(names, &interactions))
}

/// The value with the members of all its objects in alphabetical order; bodies stay as they are.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            let sorted = members.into_iter().map(|(key, value)| {
                (key.clone(), if key == "content" { value.clone() } else { sorted(value) })
            });
            Value::Object(sorted.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// The first place where two values differ, and how.
fn difference(path: &str, committed: &Value, written: &Value) -> Option<String> {
    match (committed, written) {
        (Value::Object(left), Value::Object(right)) => {
            let names = left.keys().chain(right.keys());
            names.into_iter().find_map(|name| {
                let of = |members: &Map<_, _>| members.get(name).cloned().unwrap_or_default();
                difference(&format!("{path}/{name}"), &of(left), &of(right))
            })
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let pairs = left.iter().zip(right).enumerate();
            pairs
                .into_iter()
                .find_map(|(index, (left, right))| difference(&format!("{path}/{index}"), left, right))
        }
        _ if committed == written => None,
        _ => Some(format!("{path} was {committed} and is {written}")),
    }
}
