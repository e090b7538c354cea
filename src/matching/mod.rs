//! Does an exchange look like this? One answer for filters, waits, expectations, and whoever else asks.

mod comparison;
mod named;
mod reader;

use std::fmt;

use memchr::memmem;
use serde_json::Value;

use crate::{Exchange, Outcome, Request};

pub use comparison::Difference;
pub(crate) use comparison::{Body, Comparison};
pub use named::Named;
pub use reader::MatcherError;
pub(crate) use reader::{CONDITIONS, Form, Members};

/// What an exchange looks like: it matches when every condition that is set holds.
///
/// ```
/// use standin::{Contract, Matcher, Request, Settings, Stub};
///
/// let stub = Stub::new(Contract::builtin(), Settings::default());
/// let exchange = stub.respond(Request::new("POST", "/nowhere").body(r#"{"firstName": "Ada", "age": 3}"#));
///
/// let matcher = Matcher::from_json(br#"{"outcome": ["refused", "unmatched"], "body": {"firstName": "Ada"}}"#)?;
/// assert!(matcher.matches(&exchange));
/// # Ok::<(), standin::MatcherError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matcher {
    /// The operation's id.
    pub operation: Option<String>,
    /// What became of the request: one of these; anything when there are none.
    pub outcome: Vec<Outcome>,
    /// The status of the reply.
    pub status: Option<u16>,
    /// The session that the request belongs to.
    pub session: Option<String>,
    /// The id of the script that acted on it.
    pub script: Option<String>,
    /// The request's path, as sent but for a session before it.
    pub path: Option<String>,
    /// Headers of the request, names in any case.
    pub header: Vec<Named>,
    /// Parameters of the request's query, decoded.
    pub query: Vec<Named>,
    /// A part of the target, of the request's body, or of a violation's pointer or message.
    pub contains: Option<String>,
    /// A part of the request's body: objects need to have the members that are given, arrays the items that are given at
    /// the same places, everything else needs to be equal; `5` equals `5.0`. Any body, or none, when it is not set.
    pub body: Option<Value>,
}

impl Matcher {
    /// How many differences are put into words at most.
    pub const MAX_DIFFERENCES: usize = 20;

    /// Whether every condition that is set holds.
    pub fn matches(&self, exchange: &Exchange) -> bool {
        self.matches_with(exchange, &Body::of(&exchange.request))
    }

    /// The same for an exchange that is looked at more than once, whose request's body is this.
    pub(crate) fn matches_with(&self, exchange: &Exchange, body: &Body) -> bool {
        self.compared(exchange, body, 0).agrees()
    }

    /// The conditions that take no time to look at. What does not match these does not match it.
    pub(crate) fn quick(&self) -> Self {
        Self {
            operation: self.operation.clone(),
            outcome: self.outcome.clone(),
            status: self.status,
            session: self.session.clone(),
            script: self.script.clone(),
            path: self.path.clone(),
            ..Self::default()
        }
    }

    /// In what an exchange agrees and differs. One of another operation is not looked at any further.
    pub(crate) fn compare(&self, exchange: &Exchange) -> Comparison {
        self.compared(exchange, &Body::of(&exchange.request), Self::MAX_DIFFERENCES)
    }

    fn compared(&self, exchange: &Exchange, sent: &Body, most: usize) -> Comparison {
        let mut comparison = Comparison::new(most);
        let request = &exchange.request;
        if let Some(operation) = self.operation.as_deref() {
            let found = exchange.operation.as_deref();
            comparison.condition(
                "/operation",
                operation,
                found == Some(operation),
                found.unwrap_or("nothing"),
            );
            if !comparison.agrees() {
                return comparison;
            }
        }
        if !self.outcome.is_empty() {
            let found = exchange.outcome();
            comparison.condition("/outcome", OneOf(&self.outcome), self.outcome.contains(&found), found);
        }
        if let Some(status) = self.status {
            let found = exchange.reply.status;
            comparison.condition("/status", status, found == status, found);
        }
        if let Some(session) = &self.session {
            let found = exchange.session();
            comparison.condition("/session", session, found == session, found);
        }
        if let Some(script) = self.script.as_deref() {
            let found = exchange.scripted.as_ref().and_then(|scripted| scripted.script.as_deref());
            comparison.condition("/script", script, found == Some(script), found.unwrap_or("nothing"));
        }
        if let Some(path) = &self.path {
            let found = request.path();
            comparison.condition("/path", path, found == path, found);
        }
        for header in &self.header {
            header.compare_header(request, &mut comparison);
        }
        if !self.query.is_empty() && !comparison.is_over() {
            named::compare_query(&self.query, request, &mut comparison);
        }
        if let Some(text) = self.contains.as_deref().filter(|_| !comparison.is_over()) {
            comparison.condition("/contains", text, contains(exchange, text), "nothing");
        }
        if let Some(body) = self.body.as_ref().filter(|_| !comparison.is_over()) {
            comparison.body(body, sent);
        }
        comparison
    }
}

struct OneOf<'a>(&'a [Outcome]);

impl fmt::Display for OneOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, outcome) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { " or " };
            write!(f, "{separator}{outcome}")?;
        }
        Ok(())
    }
}

fn contains(exchange: &Exchange, text: &str) -> bool {
    let Request { target, body, .. } = &exchange.request;
    let finder = memmem::Finder::new(text);
    finder.find(target.as_bytes()).is_some()
        || finder.find(body).is_some()
        || exchange
            .violations
            .iter()
            .any(|violation| violation.pointer.contains(text) || violation.message().contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rule, Step, Violation, journal::tests::exchange};

    fn refused() -> Exchange {
        let mut exchange = exchange("createAgent", r#"{"emailId":"foo"}"#);
        exchange.request.target = "/agents/a%20b?groupId=a+b&x=1&x=2&flag".to_owned();
        exchange.request.headers.push("accountId", b"acc-1");
        exchange.step = Step::Validate;
        exchange.reply.status = 412;
        exchange.violations.push(Violation {
            pointer: "/body/emailId".into(),
            rule: Rule::Format,
            expected: "an e-mail address".into(),
            found: "`foo`".into(),
            source: "observed".into(),
        });
        exchange
    }

    fn matcher(json: &str) -> Matcher {
        Matcher::from_json(json.as_bytes()).unwrap()
    }

    #[test]
    fn each_condition_takes_and_leaves() {
        for (expected, json) in [
            (true, "{}"),
            (true, r#"{"operation":"createAgent"}"#),
            (false, r#"{"operation":"createQueue"}"#),
            (true, r#"{"outcome":"refused"}"#),
            (true, r#"{"outcome":["answered","refused"]}"#),
            (false, r#"{"outcome":["answered","unmatched"]}"#),
            (true, r#"{"status":412}"#),
            (false, r#"{"status":200}"#),
            (true, r#"{"path":"/agents/a%20b"}"#),
            (false, r#"{"path":"/agents"}"#),
            (true, r#"{"header":"accountid"}"#),
            (true, r#"{"header":["accountId=acc-1","content-type"]}"#),
            (false, r#"{"header":"accountId=acc-2"}"#),
            (false, r#"{"header":"auth"}"#),
            (true, r#"{"query":["groupId=a b","x=2","flag"]}"#),
            (true, r#"{"query":"flag="}"#),
            (false, r#"{"query":"groupid"}"#),
            (false, r#"{"query":"x=3"}"#),
            (true, r#"{"body":{"emailId":"foo"}}"#),
            (false, r#"{"body":{"emailId":"bar"}}"#),
            (true, r#"{"operation":"createAgent","status":412,"body":{}}"#),
            (false, r#"{"operation":"createAgent","status":200,"body":{}}"#),
        ] {
            let matcher = matcher(json);
            let exchange = refused();
            assert_eq!(matcher.matches(&exchange), expected, "{json}");
            let comparison = matcher.compare(&exchange);
            assert_eq!(
                (comparison.agrees(), comparison.differences.is_empty()),
                (expected, expected),
                "{json}"
            );
        }
    }

    #[test]
    fn a_text_is_looked_for_in_target_body_pointer_and_message() {
        for (expected, text) in [
            (true, "/agents/a%20b"),
            (true, r#"emailId":"f"#),
            (true, "/body/emailId"),
            (true, "but found `foo`"),
            (true, ""),
            (false, "application/json"),
        ] {
            let matcher = Matcher { contains: Some(text.to_owned()), ..Matcher::default() };
            assert_eq!(matcher.matches(&refused()), expected, "{text}");
        }
    }

    #[test]
    fn a_text_is_found_in_a_body_that_is_no_text() {
        for (expected, body, text) in
            [(true, b"\xff\x00guru\xfe".as_slice(), "guru"), (false, b"\xff", "guru"), (true, b"\xff", "")]
        {
            let mut exchange = refused();
            exchange.request.body = body.into();
            let matcher = Matcher { contains: Some(text.to_owned()), ..Matcher::default() };
            assert_eq!(matcher.matches(&exchange), expected);
        }
    }

    #[test]
    fn every_condition_that_fails_is_named() {
        let matcher = matcher(
            r#"{"operation":"createAgent","outcome":["answered","unmatched"],"status":200,"path":"/a",
                "header":["auth","accountId=acc-2"],"query":["y","x=3"],"contains":"nobody","body":{"emailId":"bar"}}"#,
        );

        let comparison = matcher.compare(&refused());

        assert_eq!(comparison.matching, 1);
        let texts: Vec<_> = comparison
            .differences
            .iter()
            .map(|it| format!("{}: {}, but {}", it.pointer, it.expected, it.found))
            .collect();
        assert_eq!(
            texts,
            [
                "/outcome: answered or unmatched, but refused",
                "/status: 200, but 412",
                "/path: /a, but /agents/a%20b",
                "/header/auth: anything, but nothing",
                "/header/accountId: acc-2, but acc-1",
                "/query/y: anything, but nothing",
                "/query/x: 3, but 1, 2",
                "/contains: nobody, but nothing",
                r#"/body/emailId: "bar", but "foo""#,
            ]
        );
    }
}
