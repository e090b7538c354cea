//! The fuzz targets over their seeds, and the dictionary: what a fuzzer does, without one.

use std::{collections::BTreeSet, fs, panic, path::Path};

use serde_json::Value;
use standin::{Contract, fuzzing::TARGETS};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz"))
}

#[test]
fn every_target_keeps_its_promise_on_every_seed() {
    for (name, body) in TARGETS {
        let mut seeds: Vec<_> = fs::read_dir(folder().join("seeds").join(name))
            .unwrap_or_else(|error| panic!("the seeds of {name}: {error}"))
            .map(|seed| seed.unwrap().path())
            .collect();
        seeds.sort();
        assert!(seeds.len() >= 5, "{name} has {} seeds", seeds.len());
        for seed in seeds {
            let bytes = fs::read(&seed).unwrap();
            let kept = panic::catch_unwind(|| body(&bytes));
            assert!(kept.is_ok(), "{} breaks the promise of {name}; the reason stands above", seed.display());
        }
    }
}

#[test]
fn every_target_has_its_seeds_and_its_program_and_nothing_else_has() {
    let names: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let files = |place: &str, end: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(folder().join(place)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.map(|name| name.trim_end_matches(end).to_owned()).collect()
    };
    assert_eq!(files("seeds", ""), names);
    assert_eq!(files("fuzz_targets", ".rs"), names);
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not in Cargo.toml");
        assert!(readme.contains(&format!("| `{name}` |")), "{name} is not in README.md");
    }
}

#[test]
fn the_dictionary_has_the_names_of_the_contract() {
    let file = folder().join("dict");
    let wanted = dictionary();
    if std::env::var_os("UPDATE_FUZZ_DICT").is_some() {
        fs::write(&file, &wanted).unwrap();
    }
    assert!(
        fs::read_to_string(&file).is_ok_and(|found| found == wanted),
        "fuzz/dict is not what the contract says; write it anew with `UPDATE_FUZZ_DICT=1 cargo test --test fuzz_seeds`"
    );
}

/// libFuzzer's dictionary: the names, enumerated values and paths of the contract, and what the formats consist of.
fn dictionary() -> String {
    let contract = Contract::builtin();
    let mut words: BTreeSet<String> = [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "null",
        "true",
        "false",
        "1e400",
        "\\ud800",
        "\u{feff}",
        "HTTP/1.1\r\n",
        "\r\n\r\n",
        "application/json",
        "content-length: ",
        "transfer-encoding: chunked\r\n",
        "e30.e30.e30",
        "HS256",
        "appId",
        "Prefer: example=",
        "Prefer: code=",
        "%2F",
        "%00",
        "%zz",
        "..",
    ]
    .map(str::to_owned)
    .into();
    if let Some(header) = contract.token_header() {
        words.insert(format!("{header}: "));
    }
    for operation in contract.operations() {
        words.insert(operation.method.clone());
        words.extend(
            operation.path.split('/').filter(|text| !text.contains('{')).map(|text| format!("/{text}")),
        );
        for parameter in &operation.parameters {
            words.insert(parameter.name.clone());
            words.extend(parameter.accepts.iter().cloned());
        }
    }
    names(contract.document(), &mut words);
    let line = |word: String| {
        let escaped: String = word
            .bytes()
            .map(|byte| match byte {
                b'"' | b'\\' => format!("\\{}", char::from(byte)),
                b' '..=b'~' => char::from(byte).to_string(),
                _ => format!("\\x{byte:02x}"),
            })
            .collect();
        format!("\"{escaped}\"\n")
    };
    let lines: String = words.into_iter().filter(|word| !word.is_empty() && word != "/").map(line).collect();
    format!("# Made from the contract by tests/fuzz_seeds.rs.\n{lines}")
}

/// The names of properties and the values of enumerations.
fn names(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| names(item, words)),
        Value::Object(members) => {
            for (key, value) in members {
                match (key.as_str(), value) {
                    ("properties", Value::Object(properties)) => {
                        words.extend(properties.keys().map(|name| format!("\"{name}\"")));
                    }
                    ("enum" | "x-accepts", Value::Array(values)) => {
                        words.extend(
                            values.iter().filter_map(Value::as_str).map(|text| format!("\"{text}\"")),
                        );
                    }
                    _ => {}
                }
                names(value, words);
            }
        }
        _ => {}
    }
}
