//! Cross-origin requests: a page from any origin, or from those that are named, may call the API and read what it
//! answers, with credentials or without.

use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
        ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
        ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue, ORIGIN, VARY,
    },
    http::request::Parts,
};

use crate::{Contract, violation::quote};

/// Which pages may call, and what preflights are answered with.
#[derive(Debug)]
pub(super) struct Cors {
    methods: HeaderValue,
    /// The origins that may; any when there are none.
    origins: Vec<String>,
}

impl Cors {
    /// Allows the contract's methods and the usual ones: a browser hides the answer to a method that is not allowed
    /// here, and with it the 405 that says which one is meant.
    pub(super) fn new(contract: &Contract, origins: Vec<String>) -> Self {
        let mut methods = vec!["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];
        methods.extend(contract.operations().iter().map(|op| op.method.as_str()));
        methods.sort_unstable();
        methods.dedup();
        Self {
            methods: HeaderValue::from_str(&methods.join(", "))
                .unwrap_or(HeaderValue::from_static("GET, HEAD, POST, PUT")),
            origins,
        }
    }

    /// Fails when the request is one that a page of this origin may not make: a preflight, or one that can change
    /// something. What it may not read, the browser keeps from it.
    pub(super) fn check(&self, parts: &Parts) -> Result<(), String> {
        let Some(origin) = parts.headers.get(ORIGIN).filter(|origin| !self.allows(origin)) else {
            return Ok(());
        };
        let is_safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        if is_safe && !is_preflight(parts) {
            return Ok(());
        }
        let origin = quote(&String::from_utf8_lossy(origin.as_bytes()));
        Err(format!("expected an origin given by --origin, but found {origin}"))
    }

    /// The answer to a preflight from an origin that may call.
    pub(super) fn preflight<B>(&self, request: &HeaderMap, body: B) -> Response<B> {
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        self.open(headers, request.get(ORIGIN).cloned());
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
        for asked in request.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.append(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
        }
        if request.get(&REQUEST_PRIVATE_NETWORK).is_some_and(|asked| asked == "true") {
            headers.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        headers.append(VARY, PREFLIGHT_VARIES);
        response
    }

    /// Lets a page of the origin that a request came from read the reply, and the headers that explain it. Each is named
    /// and the origin repeated, as `*` is not for requests with credentials.
    pub(super) fn open(&self, headers: &mut HeaderMap, origin: Option<HeaderValue>) {
        headers.append(VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = origin.filter(|origin| self.allows(origin)) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        self.origins.is_empty() || is_one_of(&self.origins, origin)
    }
}

/// Whether a request asks for permission rather than for an operation.
pub(super) fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS
        && parts.headers.contains_key(ORIGIN)
        && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Whether the origin is in a list of them.
pub(super) fn is_one_of(origins: &[String], origin: &HeaderValue) -> bool {
    origins
        .iter()
        .any(|listed| listed.trim_end_matches('/').as_bytes().eq_ignore_ascii_case(origin.as_bytes()))
}

const EXPOSED: HeaderValue = HeaderValue::from_static(
    "X-Standin-Exchange, X-Standin-Ledger, Preference-Applied, Allow, WWW-Authenticate, Retry-After",
);
const PREFLIGHT_VARIES: HeaderValue = HeaderValue::from_static(
    "Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network",
);
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");
const REQUEST_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
