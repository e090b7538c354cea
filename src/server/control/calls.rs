//! The calls of the control API: one table of everything that there is.

use std::{future::Future, pin::Pin};

use hyper::{
    Method, StatusCode,
    header::{ALLOW, HeaderValue},
    http::request::Parts,
};
use serde_json::Value;

use super::{
    Answer, ControlState,
    access::{Pages, Token},
    ask::Ask,
    body, export, health, ledger, openapi,
    reply::Refused,
    requests, scripts, sessions, states, stop, stream,
};
use crate::{
    Scripts, near,
    server::index::{List, Row},
};

/// One call.
pub(crate) struct Call {
    /// The method; a HEAD is taken where a GET is.
    pub(crate) method: Method,
    /// The path; `ID` at its end, or `NAME`, stands for anything without a slash.
    pub(crate) path: &'static str,
    /// What of its query is worth showing.
    query: &'static str,
    /// What it is good for.
    pub(crate) purpose: &'static str,
    /// Whether its query may have the conditions of a matcher, and `after`.
    pub(super) filters: bool,
    /// The other parameters that its query may have.
    pub(super) params: &'static [&'static str],
    /// Where it may have the control token.
    pub(super) token: Token,
    /// The pages that may send it.
    pub(super) pages: Pages,
    pub(super) handler: Handler,
}

/// What answers a call.
pub(super) enum Handler {
    Now(fn(&Ask<'_>) -> Answer),
    Later(Later),
    /// A call with a body that may be longer than those of others: how long, in bytes.
    Brings(fn(&ControlState) -> usize, Later),
}

type Later = for<'a> fn(Ask<'a>) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// The call that a request is, and what stands for `ID` or `NAME` in its path.
pub(super) fn find(parts: &Parts) -> Result<(&'static Call, &str), Refused> {
    let path = match parts.uri.path() {
        "/__standin" => "/__standin/",
        path => path,
    };
    // Names before numbers: the longest path that fits is meant.
    let named = |call: &Call| call.path == path;
    let numbered = |call: &Call| id(call, path).is_some();
    let is_there: &dyn Fn(&Call) -> bool = if CALLS.iter().any(named) { &named } else { &numbered };
    // hyper leaves the body out of the reply to a HEAD.
    let method = if parts.method == Method::HEAD { &Method::GET } else { &parts.method };
    let mut there = CALLS.iter().filter(|call| is_there(call)).peekable();
    if there.peek().is_none() {
        let hint = near::hint(path, CALLS.iter().map(|call| call.path));
        let error = format!("expected a path of the control API, but found `{path}`{hint}");
        return Err(Refused::new(StatusCode::NOT_FOUND, error).with("paths", paths()));
    }
    let mut allowed = Vec::new();
    for call in there {
        if call.method == method {
            return Ok((call, id(call, path).unwrap_or_default()));
        }
        allowed.push(call.method.as_str());
        if call.method == Method::GET {
            allowed.push("HEAD");
        }
    }
    let allowed = allowed.join(", ");
    let error = format!("expected {allowed}, but found `{}`", parts.method);
    let mut refused = Refused::new(StatusCode::METHOD_NOT_ALLOWED, error);
    if let Ok(allowed) = HeaderValue::from_str(&allowed) {
        refused = refused.header(ALLOW, allowed);
    }
    Err(refused)
}

/// The pages that may call this path and read what it answers, whatever the method.
pub(super) fn pages(parts: &Parts) -> Pages {
    let path = parts.uri.path();
    let all = CALLS.iter().any(|call| call.path == path && call.pages == Pages::All);
    if all { Pages::All } else { Pages::Own }
}

impl Call {
    /// Its path with what of its query is worth showing.
    pub(crate) fn shown(&self) -> String {
        format!("{}{}", self.path, self.query)
    }
}

fn id<'a>(call: &Call, path: &'a str) -> Option<&'a str> {
    let (before, after) = call.path.split_once("NAME").or_else(|| call.path.split_once("ID"))?;
    let id = path.strip_prefix(before)?.strip_suffix(after)?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

/// What there is to call, for whoever asked for something else.
fn paths() -> Value {
    CALLS.iter().map(|call| format!("{} {}", call.method, call.shown())).collect()
}

/// The calls, as the index has them.
pub(crate) fn list() -> List {
    let rows = CALLS.iter().map(|call| Row {
        id: None,
        method: call.method.to_string(),
        path: call.shown(),
        summary: call.purpose.to_owned(),
        is_link: call.method == Method::GET && call.shown() == call.path && !call.path.ends_with("ID"),
    });
    List { name: "control", heading: "Control API", rows: rows.collect() }
}

/// Every call there is.
pub(crate) static CALLS: [Call; 28] = [
    Call {
        method: Method::GET,
        path: "/__standin/",
        query: "",
        purpose: "this list; a page for browsers",
        filters: false,
        params: &[],
        token: Token::None,
        pages: Pages::All,
        handler: Handler::Now(|ask| Ok(ask.state.index.response(&ask.parts.headers).map(body::whole))),
    },
    Call {
        method: Method::GET,
        path: "/__standin/health",
        query: "",
        purpose: "whether it serves, and its counts",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Now(|ask| Ok(health(ask))),
    },
    Call {
        method: Method::GET,
        path: "/__standin/requests",
        query: "",
        purpose: "recorded exchanges; wait=N waits for them",
        filters: true,
        params: &["limit", "wait", "timeout"],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Later(|ask| Box::pin(requests::list_or_wait(ask))),
    },
    Call {
        method: Method::GET,
        path: "/__standin/requests/ID",
        query: "",
        purpose: "one exchange",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Now(requests::one),
    },
    Call {
        method: Method::DELETE,
        path: "/__standin/requests",
        query: "",
        purpose: "forget all exchanges",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Now(|ask| Ok(requests::clear(ask))),
    },
    Call {
        method: Method::POST,
        path: "/__standin/requests/verify",
        query: "",
        purpose: "assert which requests were received",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Later(|ask| Box::pin(requests::verify(ask))),
    },
    Call {
        method: Method::GET,
        path: "/__standin/requests/stream",
        query: "",
        purpose: "server-sent events, one per exchange",
        filters: true,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Now(stream::stream),
    },
    Call {
        method: Method::GET,
        path: "/__standin/export",
        query: "?format=ndjson|har|curl|pact",
        purpose: "the journal as a file",
        filters: true,
        params: &["format", "consumer"],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Later(|ask| Box::pin(export::export(ask))),
    },
    Call {
        method: Method::GET,
        path: "/__standin/sessions",
        query: "",
        purpose: "the sessions that have been changed",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Now(sessions::list),
    },
    Call {
        method: Method::DELETE,
        path: "/__standin/sessions/NAME",
        query: "",
        purpose: "forget a session",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Now(sessions::remove),
    },
    Call {
        method: Method::GET,
        path: "/__standin/sessions/NAME/state",
        query: "",
        purpose: "what a session has",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Later(|ask| Box::pin(sessions::get(ask))),
    },
    Call {
        method: Method::PUT,
        path: "/__standin/sessions/NAME/state",
        query: "",
        purpose: "give it another state",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Brings(sessions::longest, |ask| Box::pin(sessions::put(ask))),
    },
    Call {
        method: Method::DELETE,
        path: "/__standin/sessions/NAME/state",
        query: "",
        purpose: "take everything out of it",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Now(sessions::empty),
    },
    Call {
        method: Method::POST,
        path: "/__standin/sessions/NAME/reset",
        query: "",
        purpose: "back to the start",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Now(sessions::reset),
    },
    Call {
        method: Method::POST,
        path: "/__standin/sessions/NAME/fork",
        query: "?to=NAME",
        purpose: "another session with the same state",
        filters: false,
        params: &["to"],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Now(sessions::fork),
    },
    Call {
        method: Method::GET,
        path: "/__standin/scripts",
        query: "",
        purpose: "what is to happen to some replies, and what has",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Later(|ask| Box::pin(scripts::list(ask))),
    },
    Call {
        method: Method::POST,
        path: "/__standin/scripts",
        query: "",
        purpose: "add a script, or a preset",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Later(|ask| Box::pin(scripts::add(ask))),
    },
    Call {
        method: Method::PUT,
        path: "/__standin/scripts",
        query: "",
        purpose: "other scripts in place of all",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Brings(|_| Scripts::MOST_BYTES, |ask| Box::pin(scripts::replace(ask))),
    },
    Call {
        method: Method::DELETE,
        path: "/__standin/scripts",
        query: "",
        purpose: "remove all scripts",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Now(|ask| Ok(scripts::clear(ask))),
    },
    Call {
        method: Method::GET,
        path: "/__standin/scripts/presets",
        query: "",
        purpose: "scripts for what people ask for most",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Now(|ask| Ok(scripts::presets(ask))),
    },
    Call {
        method: Method::GET,
        path: "/__standin/scripts/schema.json",
        query: "",
        purpose: "a JSON Schema of scripts, for editors",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Now(|ask| Ok(scripts::schema(ask))),
    },
    Call {
        method: Method::GET,
        path: "/__standin/scripts/ID",
        query: "",
        purpose: "one script",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Now(scripts::one),
    },
    Call {
        method: Method::PUT,
        path: "/__standin/scripts/ID",
        query: "",
        purpose: "another script in its place",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Later(|ask| Box::pin(scripts::put(ask))),
    },
    Call {
        method: Method::DELETE,
        path: "/__standin/scripts/ID",
        query: "",
        purpose: "remove a script",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Now(scripts::remove),
    },
    Call {
        method: Method::POST,
        path: "/__standin/provider-states",
        query: "",
        purpose: "what Pact's verifiers call",
        filters: false,
        params: &["token", "session"],
        token: Token::HeaderOrQuery,
        pages: Pages::Own,
        handler: Handler::Later(|ask| Box::pin(states::change(ask))),
    },
    Call {
        method: Method::GET,
        path: "/__standin/openapi.json",
        query: "?for=generators",
        purpose: "the contract as OpenAPI 3.1, exact or for client generators",
        filters: false,
        params: &["for"],
        token: Token::Header,
        pages: Pages::All,
        handler: Handler::Now(openapi),
    },
    Call {
        method: Method::GET,
        path: "/__standin/ledger",
        query: "",
        purpose: "where the documentation contradicts itself",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::All,
        handler: Handler::Now(|ask| Ok(ledger(ask))),
    },
    Call {
        method: Method::POST,
        path: "/__standin/stop",
        query: "",
        purpose: "end the server",
        filters: false,
        params: &[],
        token: Token::Header,
        pages: Pages::Own,
        handler: Handler::Now(stop),
    },
];
