//! Labels and verdicts check each other: what the generators say of a request, the stub finds, and the other way round.

// The counts are there to be read.
#![allow(clippy::print_stdout)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use arbitrary::{Arbitrary, Unstructured};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use standin::{
    Contract, Rule,
    contract::Schema,
    fuzzing::Verdicts,
    payload::{self, Case, Choices, Generator, Label, Operator},
};

const CASES: u64 = 20_000;
/// The operations that have that many; each of them has a test of its own, so that they run side by side.
const WITH_MANY_CASES: [&str; 5] =
    ["createAgent", "updateAgent", "importData", "importDataV2", "createQueue"];

/// Attempts at each operator, and how many of them could not be proved.
#[derive(Default)]
struct Tally(BTreeMap<Operator, (u64, u64)>);

impl Tally {
    fn count(&mut self, operator: Operator, is_discarded: bool) {
        let (attempts, discarded) = self.0.entry(operator).or_default();
        *attempts += 1;
        *discarded += u64::from(is_discarded);
    }

    fn print(&self, title: &str) {
        println!("{title}");
        for (operator, (attempts, discarded)) in &self.0 {
            println!("  {:<20} {attempts:>7} {discarded:>6} discarded", operator.name());
        }
    }
}

fn agreement(contract: &Arc<Contract>, operation: &str, cases: u64) -> Tally {
    let verdicts = Verdicts::new(contract);
    let generator = Generator::new(contract.operation(operation).unwrap());
    let mut tally = Tally::default();
    let mut discarded = 0;
    for index in 0..cases {
        match generator.try_valid(&mut Choices::seeded("agreement valid", 1, index)) {
            Some(case) => verdicts.confirm(&case),
            None => discarded += 1,
        }
        match generator.try_mutant(&mut Choices::seeded("agreement mutant", 1, index)) {
            Ok(case) => {
                let Label::Mutant { operator, .. } = &case.label else {
                    panic!("{case}");
                };
                tally.count(*operator, false);
                verdicts.confirm(&case);
            }
            Err(operator) => tally.count(operator, true),
        }
    }
    tally.print(&format!("{operation}: {cases} valid ({discarded} discarded), {cases} mutants"));
    assert!(discarded * 20 < cases, "{operation}: {discarded} of {cases} valid cases are not proved");
    for operator in generator.operators() {
        let (attempts, discarded) = tally.0.get(&operator).copied().unwrap_or_default();
        assert!(attempts > discarded, "{operation}: {operator} never gave a case");
        assert!(
            discarded * 20 <= attempts,
            "{operation}: {discarded} of {attempts} cases of {operator} are not proved"
        );
    }
    tally
}

#[test]
fn labels_and_verdicts_agree_on_create_agent() {
    agreement(&Contract::builtin(), "createAgent", CASES);
}

#[test]
fn labels_and_verdicts_agree_on_update_agent() {
    agreement(&Contract::builtin(), "updateAgent", CASES);
}

#[test]
fn labels_and_verdicts_agree_on_import_data() {
    agreement(&Contract::builtin(), "importData", CASES);
}

#[test]
fn labels_and_verdicts_agree_on_import_data_v2() {
    agreement(&Contract::builtin(), "importDataV2", CASES);
}

#[test]
fn labels_and_verdicts_agree_on_create_queue() {
    agreement(&Contract::builtin(), "createQueue", CASES);
}

#[test]
fn labels_and_verdicts_agree_on_the_operations_around_them() {
    let contract = Contract::builtin();
    let others = contract.operations().iter().filter(|operation| !WITH_MANY_CASES.contains(&&*operation.id));
    for operation in others {
        agreement(&contract, &operation.id, 1500);
    }
}

#[test]
fn labels_and_verdicts_agree_on_another_contract() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/made-up.openapi.json");
    let made_up = Arc::new(Contract::load(&file).unwrap());
    for contract in [other_contract(), made_up] {
        for operation in contract.operations() {
            agreement(&contract, &operation.id, 3000);
        }
    }
}

/// What the built-in contract does not have: another token, limits of numbers, plain parameters of other types, optional parts.
fn other_contract() -> Arc<Contract> {
    let causes = [
        "credentials",
        "incomplete",
        "json",
        "mediaType",
        "method",
        "path",
        "size",
        "timeout",
        "token",
        "violations",
    ];
    let causes: Map<_, _> =
        causes.iter().map(|cause| ((*cause).to_owned(), json!({"value": cause}))).collect();
    let refused = json!({"examples": causes});
    let document = json!({
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key", "x-claim": "client"}}},
        "paths": {
            "/shops/{shop}/orders/{number}": {
                "put": {
                    "operationId": "order",
                    "parameters": [
                        {"name": "shop", "in": "path", "required": true, "schema": {"type": "string", "pattern": "^[a-z]{2,8}$"}},
                        {"name": "number", "in": "path", "required": true, "schema": {"type": "integer", "minimum": 1}},
                        {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 99}},
                        {"name": "dry", "in": "query", "required": true, "schema": {"type": "boolean"}},
                        {"name": "X-Ratio", "in": "header", "schema": {"type": "number", "maximum": 0.5}}
                    ],
                    "requestBody": {"required": true, "content": {"application/json": {"schema": {
                        "type": "object",
                        "required": ["code"],
                        "properties": {
                            "code": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{2,4}$", "title": "a code"},
                            "pin": {"type": "string", "minLength": 4, "maxLength": 6},
                            "count": {"type": "integer", "minimum": 1, "maximum": 1000},
                            "share": {"type": "number", "minimum": -1.5, "maximum": 1.5},
                            "level": {"type": ["integer", "null"], "enum": [1, 2, 3, null]},
                            "kind": {"type": "string"},
                            "parts": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
                            "anything": {},
                            "detail": {"type": "object"}
                        },
                        "allOf": [{
                            "title": "gift",
                            "if": {"properties": {"kind": {"enum": ["gift"]}}, "required": ["kind"]},
                            "then": {"properties": {"detail": {
                                "type": "object", "required": ["to"], "properties": {"to": {"type": "string", "minLength": 1}}
                            }}}
                        }]
                    }}}},
                    "responses": {
                        "200": {"content": {"application/json": {"examples": {"done": {"value": {}}}}}},
                        "400": {"content": {"application/json": refused, "application/problem+json": refused}}
                    }
                }
            },
            "/ping": {
                "post": {
                    "operationId": "ping",
                    "requestBody": {"content": {"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}}},
                    "responses": {"200": {"content": {"application/json": {"examples": {"done": {"value": {}}}}}}}
                },
                "get": {
                    "operationId": "look",
                    "responses": {"200": {"content": {"application/json": {"examples": {"done": {"value": {}}}}}}}
                }
            }
        }
    });
    Arc::new(Contract::from_document(document).unwrap())
}

#[test]
fn every_operator_and_every_rule_that_whole_requests_can_break_is_reached() {
    let contracts = [Contract::builtin(), other_contract()];
    let generators: Vec<_> =
        contracts.iter().flat_map(|contract| contract.operations()).map(Generator::new).collect();
    let operators: BTreeSet<_> = generators.iter().flat_map(Generator::operators).collect();
    let missing: Vec<_> = Operator::all().iter().filter(|operator| !operators.contains(operator)).collect();
    assert!(missing.is_empty(), "no operation has a place for {missing:?}");

    let mut rules = BTreeSet::new();
    for generator in &generators {
        for rule in generator.rules() {
            let narrowed = generator.breaking(rule).unwrap();
            let case = narrowed.mutant_at(0, 0).unwrap_or_else(|| panic!("{generator:?}: {rule}"));
            assert!(matches!(case.label, Label::Mutant { rule: Some(found), .. } if found == rule), "{case}");
            rules.insert(rule);
        }
    }
    // These are about how a request arrives, how large a server lets it be, and what is there already.
    let of_the_server =
        [Rule::Capacity, Rule::Incomplete, Rule::Reference, Rule::Size, Rule::Timeout, Rule::Unique];
    let missing: Vec<_> =
        Rule::ALL.iter().filter(|rule| !rules.contains(rule) && !of_the_server.contains(rule)).collect();
    assert!(missing.is_empty(), "no mutant breaks {missing:?}");
}

#[test]
fn every_property_is_there_in_some_valid_case_and_every_optional_one_is_not_in_another() {
    for operation in Contract::builtin().operations() {
        let generator = Generator::new(operation);
        let Some(schema) = operation.body.as_ref().map(|body| &body.schema) else {
            continue;
        };
        let mut seen = BTreeMap::new();
        expected(schema, "", &mut seen);
        for index in 0..4000 {
            let case = generator.valid_at(2, index).unwrap();
            let body: Value = serde_json::from_slice(&case.request.body).unwrap();
            observe(schema, &body, "", &mut seen);
        }
        for (pointer, seen) in seen {
            assert!(seen.present, "{}: {pointer} is never there", operation.id);
            assert!(seen.absent || seen.required, "{}: {pointer} is never left out", operation.id);
        }
    }
}

#[derive(Default)]
struct Seen {
    required: bool,
    present: bool,
    absent: bool,
}

/// Lists the properties of a schema; `*` stands for any item.
fn expected(schema: &Schema, pointer: &str, seen: &mut BTreeMap<String, Seen>) {
    if let Some(items) = &schema.items {
        expected(items, &format!("{pointer}/*"), seen);
    }
    let branches = schema.branches.iter().flat_map(|branch| &branch.then.properties);
    for property in schema.properties.iter().chain(branches) {
        let pointer = format!("{pointer}/{}", property.name);
        seen.entry(pointer.clone()).or_default().required |= property.required;
        expected(&property.schema, &pointer, seen);
    }
}

fn observe(schema: &Schema, value: &Value, pointer: &str, seen: &mut BTreeMap<String, Seen>) {
    match value {
        Value::Array(list) => {
            if let Some(items) = &schema.items {
                for item in list {
                    observe(items, item, &format!("{pointer}/*"), seen);
                }
            }
        }
        Value::Object(members) => {
            let branches = schema.branches_for(value).flat_map(|branch| &branch.then.properties);
            for property in schema.properties.iter().chain(branches) {
                let pointer = format!("{pointer}/{}", property.name);
                let names = std::iter::once(&property.name).chain(&property.accepts);
                let member = names.into_iter().find_map(|name| members.get(name));
                let entry = seen.entry(pointer.clone()).or_default();
                entry.present |= member.is_some();
                entry.absent |= member.is_none();
                if let Some(member) = member {
                    observe(&property.schema, member, &pointer, seen);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn valid_cases_reach_the_edges() {
    let contract = Contract::builtin();
    let bodies = |operation: &str| -> Vec<String> {
        let generator = Generator::new(contract.operation(operation).unwrap());
        let cases = (0..4000).map(|index| generator.valid_at(3, index).unwrap());
        cases.map(|case| String::from_utf8(case.request.body.to_vec()).unwrap()).collect()
    };
    let agents = bodies("updateAgent");
    assert!(agents.iter().any(|body| body.contains(&format!("\"firstName\":\"{}\"", "é".repeat(50)))));
    assert!(agents.iter().any(|body| body.contains("\"skills\":[]")));
    assert!(agents.iter().any(|body| body.contains("\\ud83d")), "escaped surrogate pairs");
    assert!(agents.iter().any(|body| body.contains("\"emaiId\":")), "another spelling of a name");
    let agents = bodies("createAgent");
    assert!(agents.iter().any(|body| body.contains("A..Zxyz09!'''()*+,-./:;<=>?@[]^_`{|}")));
    assert!(agents.iter().any(|body| body.contains("李雷")));
    let imports = bodies("importDataV2");
    assert!(imports.iter().any(|body| body.len() > 30_000), "a large import");
}

#[test]
fn a_failing_case_shrinks_to_a_small_one_whose_label_still_holds() {
    let contract = Contract::builtin();
    let verdicts = Verdicts::new(&contract);
    let operation = contract.operation("updateAgent").unwrap();
    let is_about = |case: &Case| matches!(&case.label, Label::Mutant { rule: Some(Rule::Enum), pointer, .. } if pointer.starts_with("/body/skills/"));
    let mut runner = TestRunner::new_with_rng(
        Config { cases: 20_000, failure_persistence: None, ..Config::default() },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let result = runner.run(&payload::mutants(operation), |case| {
        verdicts.confirm(&case);
        if is_about(&case) { Err(TestCaseError::fail("found")) } else { Ok(()) }
    });
    let Err(TestError::Fail(_, case)) = result else {
        panic!("{result:?}");
    };
    assert!(is_about(&case), "{case}");
    verdicts.confirm(&case);
    let body: Value = serde_json::from_slice(&case.request.body).unwrap();
    let members = body.as_object().unwrap();
    assert_eq!(members.len(), 7, "only what is required is left: {body}");
    assert_eq!(members["skills"].as_array().map(Vec::len), Some(1), "{body}");
    assert!(case.request.body.len() < 300, "{body}");
}

#[test]
fn any_bytes_make_a_case_whose_label_holds() {
    let verdicts = Verdicts::new(&Contract::builtin());
    let mut random = 1_u32;
    for length in (0..400).chain([5000]) {
        let bytes: Vec<u8> = (0..length)
            .map(|_| {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                random.to_be_bytes()[0]
            })
            .collect();
        let case = Case::arbitrary(&mut Unstructured::new(&bytes)).unwrap();
        verdicts.confirm(&case);
    }
}

#[test]
fn a_label_survives_json() {
    let generator = Generator::new(Contract::builtin().operation("createQueue").unwrap());
    for index in 0..500 {
        let label = generator.mutant_at(4, index).unwrap().label;
        let text = serde_json::to_string(&label).unwrap();
        assert_eq!(serde_json::from_str::<Label>(&text).unwrap(), label, "{text}");
    }
}

#[test]
fn a_seed_gives_the_same_cases_for_ever() {
    let contract = Contract::builtin();
    let mut digest = Sha256::new();
    for operation in contract.operations() {
        let generator = Generator::new(operation);
        for index in 0..200 {
            for case in [generator.valid_at(7, index), generator.mutant_at(7, index)] {
                let case = case.unwrap();
                digest.update(format!("{case}\n{:?}\n", case.request.headers));
                digest.update(&case.request.body);
            }
        }
    }
    let digest = digest.finalize();
    assert_eq!(
        digest[..8],
        0xfec4_b55f_9462_b29e_u64.to_be_bytes(),
        "the cases of a seed are others than before. That is right when the contract or the fixtures changed, or when \
         the generators were changed on purpose: then put the new digest here and say so in the changelog. Otherwise \
         something depends on the machine or on a crate's version, and that is a mistake"
    );
}
