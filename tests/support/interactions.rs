//! The interactions that a client of the API has: what it asks, and what it does with the answer.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};
use standin::{Contract, Operation, Request, Settings, Stub, pact};

use super::{
    Call,
    agentassist::{Agent, Agentassist, Queue, Refusal},
};

/// One interaction of the consumer's contract.
pub struct Interaction {
    pub description: String,
    /// The request that the contract is about.
    pub request: Box<dyn Fn(&Contract) -> Request + Send + Sync>,
    /// The client's call of the same, and what it has to make of the reply.
    pub call: Box<dyn Fn(&Agentassist) + Send + Sync>,
}

/// The same, written out.
struct Written {
    description: &'static str,
    request: fn(&Contract) -> Request,
    call: fn(&Agentassist),
}

impl Interaction {
    /// The interaction as it stands in a pact. The reply is the stand-in's, what may vary is the contract's.
    pub fn to_json(&self, stub: &Stub) -> Value {
        let exchange = stub.respond((self.request)(stub.contract()));
        pact::interaction(stub.contract(), &self.description, &exchange).expect("a pact can hold it")
    }
}

/// A stand-in that answers as the documentation does, without further detail.
pub fn stub() -> Stub {
    Stub::new(Contract::builtin(), Settings { detail: false, ..Settings::default() })
}

/// The client's contract: what it does with the five operations of the pages, and a plain call of each one around them.
pub static INTERACTIONS: LazyLock<Vec<Interaction>> = LazyLock::new(|| {
    let written = WRITTEN.iter().map(|written| Interaction {
        description: written.description.to_owned(),
        request: Box::new(written.request),
        call: Box::new(written.call),
    });
    let contract = Contract::builtin();
    let is_of_the_pages = |operation: &&Operation| {
        ["createAgent", "updateAgent", "importData", "importDataV2", "createQueue"].contains(&&*operation.id)
    };
    let around = contract.operations().iter().filter(|operation| !is_of_the_pages(operation)).map(plain);
    written.chain(around).collect()
});

/// The documentation's request; the client looks at the members of its reply.
fn plain(operation: &Operation) -> Interaction {
    let id = operation.id.to_string();
    let request = move |contract: &Contract| {
        let operation = contract.operation(&id).expect("it is an operation");
        pact::sample(contract, operation, operation.body.as_ref().map(|body| &body.examples[0]))
    };
    let request = Arc::new(request);
    let asked = Arc::clone(&request);
    let (first, rest) = operation.summary.split_at(1);
    Interaction {
        description: first.to_lowercase() + rest,
        request: Box::new(move |contract| request(contract)),
        call: Box::new(move |api| {
            let stub = stub();
            let request = asked(stub.contract());
            let reply = Call::of(&request).send(&api.address);
            let expected = stub.respond(request).reply;
            assert_eq!(reply.status, expected.status);
            let expected = serde_json::from_slice(&expected.body).expect("JSON");
            assert_eq!(members(&reply.json()), members(&expected));
        }),
    }
}

/// The names of a reply's members, those of its first item when it is a list.
fn members(reply: &Value) -> Vec<&String> {
    let first = reply.as_array().map_or(reply, |items| &items[0]);
    first.as_object().expect("an object").keys().collect()
}

const WRITTEN: &[Written] = &[
    Written {
        description: "create an agent",
        request: |contract| sample(contract, "createAgent", "sample"),
        call: |api| {
            let agent = api.create_agent(STREAM, &fixture("createAgent/request")).unwrap();
            assert_eq!(agent, created_agent());
        },
    },
    Written {
        description: "update an agent",
        request: |contract| sample(contract, "updateAgent", "sample"),
        call: |api| {
            let agent = update(api, &fixture("updateAgent/request")).unwrap();
            assert_eq!(agent.id.as_deref(), Some(AGENT));
            assert_eq!(agent.phone, "9123456xxxx");
            assert_eq!(agent.queues, ["qu-353c014-96bb-4c3e-aebd-87a37927c780"]);
        },
    },
    Written {
        description: "import data (v1)",
        request: |contract| sample(contract, "importData", "sample"),
        call: |api| {
            let import = fixture("importData/request");
            let ids = api.import("st-9a5e4e7d-f540-5cb3-83ed-639cdc4dxxxx", &import).unwrap();
            assert_eq!(ids[0], "we-c377680-66c0-480d-a76d-3d25b321xxxx");
        },
    },
    Written {
        description: "import skill groups (v2)",
        request: |contract| sample(contract, "importDataV2", "sample"),
        call: |api| import(api, "request", "Imported skill groups data successfully"),
    },
    Written {
        description: "import queues (v2)",
        request: |contract| typed(contract, "queues"),
        call: |api| import(api, "request.queues", "Imported queues data successfully"),
    },
    Written {
        description: "import standard responses (v2)",
        request: |contract| typed(contract, "standardResponses"),
        call: |api| {
            import(api, "request.standardResponses", "Imported standard responses data successfully");
        },
    },
    Written {
        description: "import waiting experiences (v2)",
        request: |contract| typed(contract, "waitingExperience"),
        call: |api| {
            import(api, "request.waitingExperience", "Imported waiting experience data successfully");
        },
    },
    Written {
        description: "create a queue",
        request: |contract| with_body(sample(contract, "createQueue", "sample"), &a_queue()),
        call: |api| {
            assert_eq!(
                api.create_queue(STREAM, &a_queue()).unwrap(),
                Queue::Created {
                    id: "qu-854eaa2-b0b6-4327-9008-723d7519xxxx".into(),
                    created_by: "u-da9ca787-797d-53bf-9311-44fe23ffxxxx".into(),
                }
            );
        },
    },
    Written {
        description: "create the documentation's queue, which is answered with waiting experiences",
        request: |contract| sample(contract, "createQueue", "sample"),
        call: |api| {
            let queue = api.create_queue(STREAM, &fixture("createQueue/request")).unwrap();
            let Queue::WaitingExperiences(ids) = queue else { panic!("{queue:?}") };
            assert_eq!(ids[0], "we-c377680-66c0-480d-a76d-3d25b321xxxx");
        },
    },
    Written {
        description: "create an agent without a token",
        request: |contract| without(sample(contract, "createAgent", "sample"), "auth"),
        call: |api| {
            let api = Agentassist { token: None, ..same(api) };
            assert_eq!(create(&api), Err(refused(401, "Invalid SDK credentials", 4002)));
        },
    },
    Written {
        description: "create an agent with a token that is no JWT",
        request: |contract| {
            without(sample(contract, "createAgent", "sample"), "auth").header("auth", "not-a-jwt")
        },
        call: |api| {
            let api = Agentassist { token: Some("not-a-jwt".into()), ..same(api) };
            assert_eq!(create(&api), Err(refused(401, "Invalid JWT token", 4002)));
        },
    },
    Written {
        description: "create an agent without an account",
        request: |contract| without(sample(contract, "createAgent", "sample"), "accountid"),
        call: |api| {
            let api = Agentassist { account: None, ..same(api) };
            assert_eq!(create(&api), Err(refused(412, INVALID, 412)));
        },
    },
    Written {
        description: "create an agent without a role",
        request: |contract| with_body(sample(contract, "createAgent", "sample"), &without_role()),
        call: |api| {
            assert_eq!(api.create_agent(STREAM, &without_role()), Err(refused(412, INVALID, 412)));
        },
    },
    Written {
        description: "update an agent with a proficiency that there is not",
        request: |contract| with_body(sample(contract, "updateAgent", "sample"), &guru()),
        call: |api| assert_eq!(update(api, &guru()), Err(refused(412, INVALID, 412))),
    },
    Written {
        description: "create an agent with the wrong method",
        request: |contract| {
            let sample = sample(contract, "createAgent", "sample");
            Request { method: "PUT".into(), ..sample }
        },
        call: |api| {
            let path = format!("/agentassist/api/v1/public/{STREAM}/agents");
            let refusal = api.call("PUT", &path, &fixture("createAgent/request")).unwrap_err();
            assert_eq!(refusal, refused(405, "Method Not Allowed", 405));
        },
    },
];

const STREAM: &str = "st-d2aa65cc-a2d2-5b6d-84d7-861509e2xxxx";
const AGENT: &str = "a-1a36a7e-bb33-4bcc-ab7b-ac33773871d8";
const INVALID: &str = "Validation errors/ Invalid arguments";

fn created_agent() -> Agent {
    Agent {
        id: None,
        user_id: "u-021655cc-4cd6-524b-b42a-1bed8b5cxxxx".into(),
        email: "nov5uat@mailinator.com".into(),
        phone: "13456782345".into(),
        chat_languages: vec!["en".into()],
        queues: vec!["qu-80ac056-57db-420b-b937-9581dd20xxxx".into()],
    }
}

fn create(api: &Agentassist) -> Result<Agent, Refusal> {
    api.create_agent(STREAM, &fixture("createAgent/request"))
}

fn update(api: &Agentassist, changes: &Value) -> Result<Agent, Refusal> {
    let account = Some("633ffa91d784f471d0b8xxxx".to_owned());
    let api = Agentassist { account, ..same(api) };
    api.update_agent(STREAM, AGENT, "ag-3234fsdf21312412123", changes)
}

fn import(api: &Agentassist, request: &str, message: &str) {
    let account = Some("67ee382b8226ebf4d953xxxx".to_owned());
    let api = Agentassist { account, ..same(api) };
    let import = fixture(&format!("importDataV2/{request}"));
    assert_eq!(api.import_v2("st-d76e4023-ba1e-52af-a144-248e92c4xxxx", &import).unwrap(), message);
}

fn same(api: &Agentassist) -> Agentassist {
    Agentassist { address: api.address.clone(), token: api.token.clone(), account: api.account.clone() }
}

fn refused(status: u16, message: &str, code: i64) -> Refusal {
    Refusal { status, message: message.to_owned(), code }
}

/// A file of `fixtures`.
pub fn fixture(name: &str) -> Value {
    let path = format!("{}/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_slice(&text).expect("fixtures are JSON")
}

fn a_queue() -> Value {
    json!({"name": "Sales", "hoursOfOperation": {"id": "649bdd219d557c241ad0xxxx"}})
}

fn without_role() -> Value {
    let mut agent = fixture("createAgent/request");
    agent.as_object_mut().expect("it is an object").shift_remove("roleId");
    agent
}

fn guru() -> Value {
    let mut changes = fixture("updateAgent/request");
    changes["chatLanguageSupport"][0]["proficiency"] = "guru".into();
    changes
}

/// The documentation's request.
pub fn sample(contract: &Contract, operation: &str, example: &str) -> Request {
    let operation = contract.operation(operation).expect("it is an operation");
    let body = operation.body.as_ref().expect("it takes a body");
    let example = body.examples.iter().find(|known| known.name == example);
    pact::sample(contract, operation, Some(example.expect("it is an example")))
}

/// An import of another type than the sample's.
fn typed(contract: &Contract, kind: &str) -> Request {
    let mut request = sample(contract, "importDataV2", kind);
    request.target = request.target.replace("type=skillGroups", &format!("type={kind}"));
    request
}

fn with_body(request: Request, body: &Value) -> Request {
    request.body(body.to_string())
}

fn without(mut request: Request, header: &str) -> Request {
    request.headers = request.headers.iter().filter(|(name, _)| *name != header).collect();
    request
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
