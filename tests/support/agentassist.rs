//! A small client of the API, as a program that uses it might have one: JSON in and out.

use serde_json::Value;

use super::Call;

/// The API at a base URL, for one account.
pub struct Agentassist {
    /// Host and port.
    pub address: String,
    /// The token; without one, the header is left out.
    pub token: Option<String>,
    /// The account; without one, the header is left out.
    pub account: Option<String>,
}

/// A reply that is no success.
#[derive(Debug, Eq, PartialEq)]
pub struct Refusal {
    pub status: u16,
    pub message: String,
    pub code: i64,
}

/// An agent, as far as this client cares.
#[derive(Debug, Eq, PartialEq)]
pub struct Agent {
    /// Only an update tells it.
    pub id: Option<String>,
    pub user_id: String,
    pub email: String,
    /// A number or a string on the wire.
    pub phone: String,
    pub chat_languages: Vec<String>,
    pub queues: Vec<String>,
}

/// What creating a queue answers.
#[derive(Debug, Eq, PartialEq)]
pub enum Queue {
    /// The queue, with the id that it was given.
    Created { id: String, created_by: String },
    /// Waiting experiences, by their ids.
    WaitingExperiences(Vec<String>),
}

impl Agentassist {
    pub fn create_agent(&self, stream: &str, agent: &Value) -> Result<Agent, Refusal> {
        let path = format!("/agentassist/api/v1/public/{stream}/agents");
        self.call("POST", &path, agent).map(|reply| Agent::read(&reply))
    }

    pub fn update_agent(
        &self,
        stream: &str,
        agent: &str,
        group: &str,
        changes: &Value,
    ) -> Result<Agent, Refusal> {
        let path = format!("/agentassist/api/v1/public/{stream}/agents/{agent}?groupId={group}");
        self.call("PUT", &path, changes).map(|reply| Agent::read(&reply))
    }

    /// Imports by version 1, and returns the ids of the waiting experiences that it answers with.
    pub fn import(&self, bot: &str, import: &Value) -> Result<Vec<String>, Refusal> {
        let path = format!("/agentassist/api/public/analytics/{bot}/exportSmartAssistFunctionalities");
        self.call("POST", &path, import).map(|reply| texts(&reply, "id"))
    }

    /// Imports by version 2, and returns the message.
    pub fn import_v2(&self, bot: &str, import: &Value) -> Result<String, Refusal> {
        let meta = &import["metaData"];
        let path = format!(
            "/agentassist/api/v1/public/analytics/{bot}/storeSmartAssistFunctionalities?accountId={}&orgId={}&type={}",
            text(&meta["accountId"]),
            text(&meta["orgId"]),
            text(&meta["type"]),
        );
        self.call("POST", &path, import).map(|reply| text(&reply["msg"]))
    }

    pub fn create_queue(&self, stream: &str, queue: &Value) -> Result<Queue, Refusal> {
        let path = format!("/agentassist/api/v1/public/{stream}/queues");
        let reply = self.call("POST", &path, queue)?;
        Ok(if reply.is_array() {
            Queue::WaitingExperiences(texts(&reply, "id"))
        } else {
            Queue::Created { id: text(&reply["id"]), created_by: text(&reply["createdBy"]) }
        })
    }

    pub fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, Refusal> {
        let call = Call {
            method: method.into(),
            target: path.into(),
            body: body.to_string().into(),
            ..Call::default()
        };
        let call = self.token.iter().fold(call, |call, token| call.header("auth", token));
        let call = self.account.iter().fold(call, |call, account| call.header("accountId", account));
        let reply = call.header("content-type", "application/json").send(&self.address);
        let json = reply.json();
        if (200..300).contains(&reply.status) {
            return Ok(json);
        }
        let error = &json["errors"][0];
        Err(Refusal {
            status: reply.status,
            message: text(&error["msg"]),
            code: error["code"].as_i64().expect("a refusal has a code"),
        })
    }
}

impl Agent {
    fn read(reply: &Value) -> Self {
        Self {
            id: reply["id"].as_str().map(str::to_owned),
            user_id: text(&reply["userId"]),
            email: text(&reply["emailId"]),
            phone: match &reply["phoneNumber"] {
                Value::Number(number) => number.to_string(),
                other => text(other),
            },
            chat_languages: texts(&reply["chatLanguageSupport"], "language"),
            queues: texts(&reply["queues"], "id"),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("expected text, but found {value}")).to_owned()
}

fn texts(list: &Value, name: &str) -> Vec<String> {
    let list = list.as_array().unwrap_or_else(|| panic!("expected a list, but found {list}"));
    list.iter().map(|item| text(&item[name])).collect()
}
