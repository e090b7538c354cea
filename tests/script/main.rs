//! Scripts: how they are read, what they do, and how a server has them.

#[path = "../support/mod.rs"]
mod support;

mod acting;
mod presets;
mod reading;
mod served;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use standin::{
    Change, Contract, Exchange, Request, ScriptSettings, Scripts, Session, Settings, StateSettings, Stub,
};

/// Where and what the documented samples send.
const AGENTS: &str = support::AGENTS;
const QUEUES: &str = "/agentassist/api/v1/public/st-1/queues";

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).expect("a time")
}

fn scripts(settings: ScriptSettings) -> Scripts {
    Scripts::new(&Contract::builtin(), settings)
}

/// A client that sends requests, of which some scripts have heard.
struct Client {
    stub: Stub,
    scripts: Arc<Scripts>,
    name: String,
    session: Session,
    /// When the next request comes, in milliseconds.
    now: i64,
    headers: Vec<(String, String)>,
}

impl Client {
    fn new(scripts: Vec<Value>) -> Self {
        Self::with(ScriptSettings::default(), scripts)
    }

    fn with(settings: ScriptSettings, list: Vec<Value>) -> Self {
        let scripts = scripts(settings);
        for script in list {
            scripts.add(&script, at(0)).unwrap_or_else(|error| panic!("{script}: {error}"));
        }
        Self::of(Arc::new(scripts), "default")
    }

    /// A client of a session.
    fn of(scripts: Arc<Scripts>, name: &str) -> Self {
        let settings = Settings { state: Some(StateSettings::default()), ..Settings::default() };
        Self {
            stub: Stub::new(Contract::builtin(), settings),
            scripts,
            name: name.to_owned(),
            session: Session::new(name),
            now: 0,
            headers: Vec::new(),
        }
    }

    fn send(&mut self, method: &str, target: &str, body: Option<Value>) -> Exchange {
        let mut request = Request::new(method, target)
            .header("auth", support::TOKEN)
            .header("x-standin-session", &self.name);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if self.headers.iter().all(|(name, _)| name != "accountId") {
            request = request.header("accountId", "1");
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        request.received = at(self.now);
        let (mut exchange, mut change) = self.stub.decide(&self.session, self.stub.check(request));
        self.scripts.act(&self.stub, &mut exchange, &mut change);
        self.session.apply(change);
        exchange
    }

    /// Creates an agent.
    fn create(&mut self, email: &str) -> Exchange {
        let agent = json!({"emailId": email, "firstName": "A", "lastName": "B", "roleId": "r-1"});
        self.send("POST", AGENTS, Some(agent))
    }

    /// The statuses that so many creates get.
    fn statuses(&mut self, count: usize) -> Vec<u16> {
        (0..count).map(|number| self.create(&format!("a{number}@example.com")).reply.status).collect()
    }

    fn queues(&mut self) -> Exchange {
        self.send("GET", QUEUES, None)
    }
}

fn body(exchange: &Exchange) -> Value {
    serde_json::from_slice(&exchange.reply.body).expect("the body is JSON")
}

/// The id of the script that acted.
fn script(exchange: &Exchange) -> Option<&str> {
    exchange.scripted.as_ref()?.script.as_deref()
}

/// An exchange by a stub without state, on which scripts acted.
fn sampled(stub: &Stub, scripts: &Scripts, request: Request) -> Exchange {
    let mut exchange = stub.respond(request);
    scripts.act(stub, &mut exchange, &mut Change::default());
    exchange
}
