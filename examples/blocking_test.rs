//! A test of a client that waits for its replies: `cargo test --example blocking_test`.
//!
//! The functions above the test are the client; put your own in their place.

use std::error::Error;

use standin::{Config, Server};

/// Creates an agent and returns the e-mail address that the reply has.
fn create_agent(api: &str, token: &str, agent: &str) -> Result<String, Box<dyn Error>> {
    let mut reply = ureq::post(format!("{api}/agentassist/api/v1/public/st-1/agents"))
        .header("auth", token)
        .header("accountId", "649bdcaf5037ed113942xxxx")
        .content_type("application/json")
        .send(agent)?;
    let reply: serde_json::Value = serde_json::from_str(&reply.body_mut().read_to_string()?)?;
    Ok(reply["emailId"].as_str().unwrap_or_default().to_owned())
}

const ADA: &str =
    r#"{"emailId": "ada@example.com", "firstName": "Ada", "lastName": "L", "roleId": "67654be3"}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start(Config::default())?;
    create_agent(&server.url(), &server.token(), ADA).map(drop)
}

#[cfg(test)]
mod tests {
    use standin::Expectation;

    use super::*;

    #[test]
    fn an_agent_is_created_once() -> Result<(), Box<dyn Error>> {
        let server = Server::start(Config::default())?;

        let email = create_agent(&server.url(), &server.token(), ADA)?;

        // The stand-in has no state: the reply is the documentation's sample, whatever was sent.
        assert_eq!(email, "nov5uat@mailinator.com");
        let created = r#"{"operation": "createAgent", "outcome": "answered", "count": 1}"#;
        server.verify(&Expectation::from_json(created.as_bytes())?)?;
        Ok(())
    }

    #[test]
    fn without_a_role_it_is_refused_and_the_server_says_why() -> Result<(), Box<dyn Error>> {
        let server = Server::start(Config::default())?;

        let error = create_agent(&server.url(), &server.token(), r#"{"emailId": "ada@example.com"}"#);

        assert_eq!(error.unwrap_err().to_string(), "http status: 412");
        let refused = server.last().ok_or("nothing was received")?;
        let places: Vec<_> = refused.exchange.violations.iter().map(|v| v.pointer.as_str()).collect();
        assert_eq!(places, ["/body/firstName", "/body/lastName", "/body/roleId"]);
        Ok(())
    }
}
