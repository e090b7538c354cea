//! What is created can be read, listed, changed and deleted, and what is imported is exported: for every resource of the
//! built-in contract, as its `x-effect` says, over the core and over HTTP.

mod state_support;
mod support;

use std::sync::Arc;

use serde_json::{Value, json};
use standin::{
    Contract, Errors, Operation, Request, Server, Settings, StateSettings, Stub,
    contract::{Place, Segment},
    pact,
};
use state_support::Client;
use support::Call;

/// The operations on one resource that close the circle.
struct Circle {
    resource: String,
    create: String,
    read: String,
    list: String,
    update: String,
    delete: String,
    /// The resource that it is a part of.
    parent: Option<String>,
}

/// The operations that do something, each with its `x-effect`.
fn effects(contract: &Contract) -> Vec<(&str, &Value)> {
    let items = contract.document()["paths"].as_object().expect("paths").values();
    let operations = items.flat_map(|item| item.as_object().expect("an item").values());
    operations
        .filter_map(|operation| Some((operation["operationId"].as_str()?, operation.get("x-effect")?)))
        .collect()
}

fn circles(contract: &Contract) -> Vec<Circle> {
    let effects = effects(contract);
    let resources = contract.document()["x-resources"].as_object().expect("resources");
    let circles = resources.iter().filter_map(|(resource, own)| {
        let operation = |does: &str| {
            let mut named = effects.iter().filter(|(_, effect)| {
                // A look-up by another member is no list.
                effect["does"] == does && effect["resource"] == **resource && effect.get("where").is_none()
            });
            named.next().map(|(id, _)| (*id).to_owned())
        };
        Some(Circle {
            create: operation("create")?,
            read: operation("read").expect("what is created can be read"),
            list: operation("list").expect("what is created can be listed"),
            update: operation("update").expect("what is created can be changed"),
            delete: operation("delete").expect("what is created can be deleted"),
            parent: own["parent"]["resource"].as_str().map(str::to_owned),
            resource: resource.clone(),
        })
    });
    circles.collect()
}

/// Sends requests of one session.
struct Caller<'a> {
    contract: Arc<Contract>,
    send: Box<dyn FnMut(Request) -> (u16, Value) + 'a>,
    /// Values of path parameters, instead of the examples.
    values: Vec<(String, String)>,
}

impl Caller<'_> {
    /// Calls an operation with the documentation's values, but for those that are set, and with this body.
    fn call(&mut self, id: &str, body: Option<&Value>) -> (u16, Value) {
        let contract = Arc::clone(&self.contract);
        let operation = contract.operation(id).expect("it is an operation");
        let mut request = pact::sample(&self.contract, operation, None);
        let query = request.target.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
        request.target = format!("{}{query}", self.path(operation));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        (self.send)(request)
    }

    fn ok(&mut self, id: &str, body: Option<&Value>) -> Value {
        let (status, reply) = self.call(id, body);
        assert_eq!(status, 200, "{id}: {reply}");
        reply
    }

    fn path(&self, operation: &Operation) -> String {
        let segments = operation.segments.iter().map(|segment| match segment {
            Segment::Literal(text) => format!("/{text}"),
            Segment::Parameter(name) => format!("/{}", self.value(operation, name)),
        });
        segments.collect()
    }

    fn value(&self, operation: &Operation, name: &str) -> String {
        if let Some((_, value)) = self.values.iter().find(|(other, _)| other == name) {
            return value.clone();
        }
        let mut parameters = operation.parameters_in(Place::Path);
        let parameter = parameters.find(|parameter| parameter.name == name).expect("a parameter");
        match &parameter.scope {
            // Every operation of a circle is about the same stream.
            Some(scope) => format!("the-{scope}"),
            None => parameter.example.clone().expect("an example"),
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.values.retain(|(other, _)| other != name);
        self.values.push((name.to_owned(), value.to_owned()));
    }

    /// The body that the documentation sends.
    fn sample(&self, id: &str) -> Value {
        self.contract.operation(id).expect("it is an operation").body.as_ref().expect("a body").examples[0]
            .value
            .clone()
    }

    fn effect(&self, id: &str) -> Value {
        effects(&self.contract).iter().find(|(other, _)| *other == id).expect("an effect").1.clone()
    }

    /// Creates one, and has the operations on one thing be about it.
    fn create(&mut self, circle: &Circle, body: &Value) -> String {
        let reply = self.ok(&circle.create, Some(body));
        let id = reply["id"].as_str().unwrap_or_else(|| panic!("{}: {reply}", circle.create)).to_owned();
        let key = self.effect(&circle.read)["key"].as_str().expect("a key").replace("/path/", "");
        self.set(&key, &id);
        id
    }

    /// An export of one type.
    fn export(&mut self, id: &str, kind: &str) -> Value {
        let contract = Arc::clone(&self.contract);
        let operation = contract.operation(id).expect("it is an operation");
        let request = pact::sample(&self.contract, operation, None);
        let (_, query) = request.target.split_once('?').expect("a query");
        let query = query.replace("type=skillGroups", &format!("type={kind}"));
        let target = format!("{}?{query}", self.path(operation));
        let (status, reply) = (self.send)(Request { target, ..request });
        assert_eq!(status, 200, "{id} {kind}: {reply}");
        reply
    }

    /// The ids in a list, and how many there are by its own count.
    fn listed(&mut self, circle: &Circle) -> (Vec<String>, u64) {
        let reply = self.ok(&circle.list, None);
        let results = reply["results"].as_array().expect("a list").iter();
        let ids = results.map(|item| item["id"].as_str().expect("an id").to_owned()).collect();
        (ids, reply["totalResults"].as_u64().expect("a total"))
    }
}

/// Calls `see` with a caller of each kind and in both wordings.
fn everywhere(see: impl Fn(&mut Caller)) {
    let contract = Contract::builtin();
    for errors in [Errors::Vendor, Errors::Rfc] {
        let settings = Settings { errors, state: Some(StateSettings::default()), ..Settings::default() };
        let mut client = Client::new(Stub::new(Arc::clone(&contract), settings.clone()));
        let core = move |request: Request| {
            let received = client.request("GET", "/", None).received;
            let reply = client.exchange(Request { received, ..request }).reply;
            (reply.status, serde_json::from_slice(&reply.body).expect("JSON"))
        };
        see(&mut Caller { contract: Arc::clone(&contract), send: Box::new(core), values: Vec::new() });

        let server = support::server(|config| config.settings = settings);
        let http = |request: Request| over_http(&server, &request);
        see(&mut Caller { contract: Arc::clone(&contract), send: Box::new(http), values: Vec::new() });
    }
}

fn over_http(server: &Server, request: &Request) -> (u16, Value) {
    let reply = Call::of(request).header("X-Standin-Session", "circle").send(&server.addr().to_string());
    (reply.status, reply.json())
}

/// The members of `sent` that `shown` has too are the same there.
fn assert_shows(shown: &Value, sent: &Value, what: &str) {
    let (Some(shown), Some(sent)) = (shown.as_object(), sent.as_object()) else {
        panic!("{what}: expected objects, but found {shown} and {sent}");
    };
    let mut count = 0;
    for (name, value) in sent {
        if let Some(other) = shown.get(name) {
            assert_eq!(other, value, "{what}: {name}");
            count += 1;
        }
    }
    assert!(count > 0, "{what}: nothing of it is shown");
}

#[test]
fn five_resources_close_the_circle() {
    let circles = circles(&Contract::builtin());
    let names: Vec<_> = circles.iter().map(|circle| circle.resource.as_str()).collect();
    assert_eq!(names, ["agent", "queue", "skillGroup", "skill", "agentGroup"]);
}

#[test]
fn what_is_created_is_read_listed_changed_and_deleted() {
    everywhere(|caller| {
        let circles = circles(&caller.contract);
        for circle in &circles {
            let what = &circle.resource;
            if let Some(parent) = &circle.parent {
                let parent = circles.iter().find(|other| other.resource == *parent).expect("a parent");
                let body = caller.sample(&parent.create);
                caller.create(parent, &body);
            }
            let (before, _) = caller.listed(circle);
            assert_eq!(before, [""; 0], "{what}");

            let mut body = caller.sample(&circle.create);
            let id = caller.create(circle, &body);
            let read = caller.ok(&circle.read, None);
            assert_eq!(read["id"], *id, "{what}");
            assert_shows(&read, &body, what);
            assert_eq!(caller.listed(circle), (vec![id.clone()], 1), "{what}");

            let member = if body.get("name").is_some() { "name" } else { "lastName" };
            body = caller.sample(&circle.update);
            body[member] = "Changed".into();
            let updated = caller.ok(&circle.update, Some(&body));
            assert_eq!(updated[member], "Changed", "{what}");
            let read = caller.ok(&circle.read, None);
            assert_eq!((&read["id"], &read[member]), (&json!(id), &json!("Changed")), "{what}");

            let deleted = caller.ok(&circle.delete, None);
            assert_eq!((&deleted["id"], &deleted[member]), (&json!(id), &json!("Changed")), "{what}");
            for (operation, body) in
                [(&circle.read, None), (&circle.update, Some(&body)), (&circle.delete, None)]
            {
                assert_eq!(caller.call(operation, body).0, 404, "{what}: {operation} after the delete");
            }
            assert_eq!(caller.listed(circle), (Vec::new(), 0), "{what}");

            let body = caller.sample(&circle.create);
            let other = caller.create(circle, &body);
            assert_ne!(other, id, "{what}: an id is not used twice");
            assert_eq!(caller.ok(&circle.read, None)["id"], *other, "{what}");
        }
    });
}

#[test]
fn a_list_comes_in_pages() {
    everywhere(|caller| {
        for circle in circles(&caller.contract) {
            if circle.parent.is_some() {
                continue;
            }
            for number in 0..12 {
                let mut body = caller.sample(&circle.create);
                // What has to be unique is.
                if body.get("emailId").is_some() {
                    body["emailId"] = format!("agent{number}@example.com").into();
                }
                caller.create(&circle, &body);
            }
            let page = caller.ok(&circle.list, None);
            assert_eq!(page["results"].as_array().map(Vec::len), Some(10), "{}", circle.list);
            for (member, value) in [
                ("limit", json!(10)),
                ("hasMore", json!(true)),
                ("totalPages", json!(2)),
                ("totalResults", json!(12)),
            ] {
                assert_eq!(page[member], value, "{}: {member}", circle.list);
            }
        }
    });
}

#[test]
fn what_is_imported_is_exported() {
    everywhere(|caller| {
        let contract = Arc::clone(&caller.contract);
        for (import, export) in [("importDataV2", "exportDataV2"), ("importData", "exportData")] {
            // Each pair has a stream of its own.
            caller.set("botId", export);
            caller.set("instanceBotId", export);
            caller.set("streamId", export);
            let v2 = contract.operation("importDataV2").expect("an operation");
            for example in &v2.body.as_ref().expect("a body").examples {
                let data = &example.value["data"];
                let meta = &example.value["metaData"];
                let body = match import {
                    "importData" => json!({"Data": data.to_string(), "MetaData": meta}),
                    _ => example.value.clone(),
                };
                let exported = |caller: &mut Caller| {
                    let kind = meta["type"].as_str().expect("a type");
                    let reply = caller.export(export, kind);
                    reply.as_array().expect("a list").clone()
                };
                assert_eq!(exported(caller), [Value::Null; 0], "{export} {}", meta["type"]);
                caller.ok(import, Some(&body));
                let items = exported(caller);
                let sent = data.as_array().expect("a list");
                assert_eq!(items.len(), sent.len(), "{export} {}", meta["type"]);
                for (item, sent) in items.iter().zip(sent) {
                    assert_holds(item, sent);
                }
                // What has an id replaces what had it.
                if sent.iter().all(|item| item.get("_id").or(item.get("id")).is_some()) {
                    caller.ok(import, Some(&body));
                    assert_eq!(exported(caller), items, "{export} {}", meta["type"]);
                }
            }
        }
    });
}

/// All that was sent is there: lists as long, members the same.
fn assert_holds(shown: &Value, sent: &Value) {
    match (shown, sent) {
        (Value::Object(shown), Value::Object(sent)) => {
            for (name, value) in sent {
                assert_holds(shown.get(name).unwrap_or_else(|| panic!("{name} is gone: {shown:?}")), value);
            }
        }
        (Value::Array(shown), Value::Array(sent)) => {
            assert_eq!(shown.len(), sent.len());
            shown.iter().zip(sent).for_each(|(shown, sent)| assert_holds(shown, sent));
        }
        _ => assert_eq!(shown, sent),
    }
}

#[test]
fn what_is_created_comes_out_of_an_export_too() {
    everywhere(|caller| {
        for name in ["streamId", "botId"] {
            caller.set(name, "the-stream");
        }
        let circles = circles(&caller.contract);
        for (resource, kind, id) in [("queue", "queues", "id"), ("skillGroup", "skillGroups", "_id")] {
            let circle = circles.iter().find(|circle| circle.resource == resource).expect("a circle");
            let body = caller.sample(&circle.create);
            let created = caller.create(circle, &body);
            let items = caller.export("exportDataV2", kind);
            assert_eq!(items[0][id], created, "{items}");
            assert_shows(&items[0], &body, kind);
        }
        let skill = circles.iter().find(|circle| circle.resource == "skill").expect("a circle");
        let body = caller.sample(&skill.create);
        let created = caller.create(skill, &body);
        let items = caller.export("exportDataV2", "skillGroups");
        assert_eq!(items[0]["skills"][0]["_id"], created, "{items}");
        assert_shows(&items[0]["skills"][0], &body, "a skill in its group");
    });
}

#[test]
fn an_agent_is_found_by_its_own_id_and_several_can_share_one() {
    everywhere(|caller| {
        let circles = circles(&caller.contract);
        let circle = circles.iter().find(|circle| circle.resource == "agent").expect("a circle");
        caller.set("customId", "x-7");
        assert_eq!(caller.ok("getAgentByCustomId", None), json!([]));
        for (address, custom) in [("a@example.com", "x-7"), ("b@example.com", "y"), ("c@example.com", "x-7")]
        {
            let mut body = caller.sample(&circle.create);
            body["emailId"] = address.into();
            body["customId"] = custom.into();
            caller.create(circle, &body);
        }
        let found = caller.ok("getAgentByCustomId", None);
        let addresses: Vec<_> =
            found.as_array().expect("a list").iter().map(|agent| &agent["emailId"]).collect();
        assert_eq!(addresses, ["a@example.com", "c@example.com"]);
    });
}

#[test]
fn an_agent_without_options_is_the_same_wherever_it_is_read() {
    everywhere(|caller| {
        let circles = circles(&caller.contract);
        let circle = circles.iter().find(|circle| circle.resource == "agent").expect("a circle");
        let body = json!({"emailId": "ada@example.com", "firstName": "Ada", "lastName": "L", "roleId": "67654be356840f366e79xxxx", "customId": "ada"});
        caller.create(circle, &body);
        caller.set("customId", "ada");
        let read = caller.ok(&circle.read, None);
        let listed = caller.ok(&circle.list, None)["results"][0].clone();
        let found = caller.ok("getAgentByCustomId", None)[0].clone();
        for name in [
            "id",
            "userId",
            "orgId",
            "accountId",
            "status",
            "nickName",
            "profImage",
            "onlineStatus",
            "createdAt",
            "createdBy",
        ] {
            assert!(read.get(name).is_some(), "{name}: {read}");
            for other in [&listed, &found] {
                if let Some(value) = other.get(name) {
                    assert_eq!(*value, read[name], "{name}");
                }
            }
        }
        assert_eq!(
            (&read["name"], &read["queues"], &read["skills"]),
            (&json!("Ada L"), &json!([]), &json!([]))
        );
    });
}

#[test]
fn the_start_state_beside_the_fixtures_is_a_state_that_holds_together() {
    let contract = Contract::builtin();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/states/contact-centre.json");
    let snapshot: Value = serde_json::from_slice(&std::fs::read(file).expect("the file")).expect("JSON");
    let session = standin::Session::start(&contract, &snapshot, &standin::StateSettings::default());
    let session = session.unwrap_or_else(|violations| panic!("{violations:#?}"));

    let settings = Settings { state: Some(StateSettings::default()), ..Settings::default() };
    let mut client = Client::new(Stub::new(Arc::clone(&contract), settings));
    client.session = session;
    let mut caller = Caller {
        contract: Arc::clone(&contract),
        send: Box::new(move |request: Request| {
            let reply = client.exchange(request).reply;
            (reply.status, serde_json::from_slice(&reply.body).expect("JSON"))
        }),
        values: Vec::new(),
    };
    caller.set("streamId", "st-d2aa65cc-a2d2-5b6d-84d7-861509e2xxxx");
    for (circle, count) in circles(&contract).iter().zip([12, 4, 3, 3, 3]) {
        if circle.resource == "skill" {
            caller.set("skillGroupId", "66a0c1d2e3f4a5b6c7d8e9f1");
        }
        assert_eq!(caller.listed(circle).1, count, "{}", circle.list);
    }
}
