//! The same for a client that is asynchronous: `cargo test --example tokio_test`.

use std::error::Error;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use standin::{Config, Server};

/// A client of the API.
struct Agents {
    api: String,
    token: String,
    http: Client<HttpConnector, Full<Bytes>>,
}

impl Agents {
    fn new(api: String, token: String) -> Self {
        Self { api, token, http: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Creates an agent and returns status and body of the reply.
    async fn create(&self, agent: &'static str) -> Result<(StatusCode, Bytes), Box<dyn Error>> {
        let request = Request::post(format!("{}/agentassist/api/v1/public/st-1/agents", self.api))
            .header("auth", &self.token)
            .header("accountId", "649bdcaf5037ed113942xxxx")
            .header("content-type", "application/json")
            .body(Full::from(agent))?;
        let reply = self.http.request(request).await?;
        Ok((reply.status(), reply.into_body().collect().await?.to_bytes()))
    }
}

const ADA: &str =
    r#"{"emailId": "ada@example.com", "firstName": "Ada", "lastName": "L", "roleId": "67654be3"}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start(Config::default())?;
    Agents::new(server.url(), server.token()).create(ADA).await.map(drop)
}

#[cfg(test)]
mod tests {
    use standin::Expectation;

    use super::*;

    #[tokio::test]
    async fn two_agents_are_created_at_the_same_time() -> Result<(), Box<dyn Error>> {
        // It serves on a thread of its own, so nothing here waits for it.
        let server = Server::start(Config::default())?;
        let agents = Agents::new(server.url(), server.token());

        let (first, second) = tokio::join!(agents.create(ADA), agents.create(ADA));

        assert_eq!((first?.0, second?.0), (StatusCode::OK, StatusCode::OK));
        let created = r#"{"operation": "createAgent", "outcome": "answered", "count": 2}"#;
        assert_eq!(server.verify(&Expectation::from_json(created.as_bytes())?)?, [1, 2]);
        Ok(())
    }
}
