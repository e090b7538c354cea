//! Cross-origin requests: a page from any origin may call the API and read what it answers.

use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
        ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue, ORIGIN, VARY,
    },
    http::request::Parts,
};

use crate::Contract;

/// What preflights are answered with.
#[derive(Debug)]
pub(super) struct Cors {
    methods: HeaderValue,
}

impl Cors {
    /// Allows the contract's methods and the usual ones: a browser hides the answer to a method that is not allowed
    /// here, and with it the 405 that says which one is meant.
    pub(super) fn new(contract: &Contract) -> Self {
        let mut methods = vec!["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];
        methods.extend(contract.operations().iter().map(|op| op.method.as_str()));
        methods.sort_unstable();
        methods.dedup();
        Self {
            methods: HeaderValue::from_str(&methods.join(", "))
                .unwrap_or(HeaderValue::from_static("GET, HEAD, POST, PUT")),
        }
    }

    /// The answer to a preflight.
    pub(super) fn preflight<B>(&self, request: &HeaderMap, body: B) -> Response<B> {
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
        for asked in request.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.append(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
        }
        if request.get(&REQUEST_PRIVATE_NETWORK).is_some_and(|asked| asked == "true") {
            headers.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        headers.insert(VARY, PREFLIGHT_VARIES);
        response
    }
}

/// Whether a request asks for permission rather than for an operation.
pub(super) fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS
        && parts.headers.contains_key(ORIGIN)
        && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Lets a page of any origin read a reply, and the headers that explain it.
pub(super) fn open(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

const ANY: HeaderValue = HeaderValue::from_static("*");
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "X-Standin-Exchange, X-Standin-Ledger, Preference-Applied, Allow, WWW-Authenticate",
);
const PREFLIGHT_VARIES: HeaderValue = HeaderValue::from_static(
    "Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network",
);
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");
const REQUEST_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
