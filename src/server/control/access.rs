//! Who may call the control API: by host name, bearer token and origin.
//!
//! The host is checked because a page can have its own name point to the loopback address (DNS rebinding): to the browser
//! that is the page's own origin, and only the `Host` header tells.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use bytes::Bytes;
use hyper::{
    Method, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION,
        HOST, HeaderName, HeaderValue, ORIGIN, VARY, WWW_AUTHENTICATE,
    },
    http::request::Parts,
};
use sha2::{Digest, Sha256};

use super::{
    Answer, ControlConfig,
    body::{self, ControlBody},
    reply::Refused,
};

/// Who may call.
pub(super) struct Access {
    config: ControlConfig,
}

impl Access {
    pub(super) fn new(config: ControlConfig) -> Self {
        Self { config }
    }

    /// Every name that the call is addressed to must be one that a foreign page cannot have.
    pub(super) fn check_host(&self, parts: &Parts) -> Result<(), Refused> {
        let mut hosts = hosts(parts).peekable();
        if hosts.peek().is_none() {
            return Err(forbidden("nothing", "NAME"));
        }
        for host in hosts {
            let host = host.unwrap_or("something that is no text");
            if !self.accepts_host(host) {
                let name = split(host).unwrap_or("NAME");
                return Err(forbidden(&format!("`{host}`"), name));
            }
        }
        Ok(())
    }

    fn accepts_host(&self, host: &str) -> bool {
        let Some(name) = split(host) else {
            return false;
        };
        name.eq_ignore_ascii_case("localhost")
            || IpAddr::from_str(name).is_ok()
            || self
                .config
                .hosts
                .iter()
                .any(|accepted| accepted.eq_ignore_ascii_case(name) || accepted.eq_ignore_ascii_case(host))
    }

    /// The bearer token, when one is asked for.
    pub(super) fn check_token(&self, parts: &Parts) -> Result<(), Refused> {
        self.check_token_or(parts, None)
    }

    /// The bearer token, when one is asked for, or the token that came in another way. The time that it takes does
    /// not depend on how much of it is right.
    pub(super) fn check_token_or(&self, parts: &Parts, other: Option<&str>) -> Result<(), Refused> {
        let Some(token) = &self.config.token else {
            return Ok(());
        };
        let mut values = parts.headers.get_all(AUTHORIZATION).iter();
        let (value, more) = (values.next(), values.next());
        let bearer = value
            .filter(|_| more.is_none())
            .and_then(|value| value.as_bytes().split_at_checked(BEARER.len()))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(BEARER))
            .map(|(_, given)| given.trim_ascii());
        let given = bearer.or(other.map(str::as_bytes));
        let expected = Sha256::digest(token.reveal().as_bytes());
        let found = Sha256::digest(given.unwrap_or_default());
        let differing =
            expected.iter().zip(found.iter()).fold(0, |differing, (left, right)| differing | (left ^ right));
        if given.is_some() && differing == 0 {
            return Ok(());
        }
        let found = match given {
            Some(_) => "another one",
            None => "none",
        };
        Err(Refused::new(
            StatusCode::UNAUTHORIZED,
            format!(
                "expected `Authorization: Bearer` with the token given by --control-token, but found {found}"
            ),
        )
        .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"standin\"")))
    }

    /// Whether the server may be stopped, by this caller: one who has the token, or who could end the process anyway.
    pub(super) fn check_stop(&self, parts: &Parts) -> Result<(), Refused> {
        let forbidden = |error: &str| Err(Refused::new(StatusCode::FORBIDDEN, error));
        if !self.config.stop {
            return forbidden("this server is part of another program, which stops it");
        }
        let peer = parts.extensions.get::<SocketAddr>();
        if self.config.token.is_some() || peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback()) {
            return Ok(());
        }
        forbidden(
            "expected a caller on the same machine, but found one from elsewhere; \
             start standin with --control-token to stop it from there",
        )
    }

    /// Answers a preflight: yes to a configured origin, no to any other.
    pub(super) fn preflight(&self, parts: &Parts) -> Answer {
        if self.origin(parts).is_none() {
            let origin = parts.headers.get(ORIGIN).map_or(&[][..], |o| o.as_bytes());
            let origin = String::from_utf8_lossy(origin);
            return Err(Refused::new(
                StatusCode::FORBIDDEN,
                format!(
                    "expected an origin given by --control-origin, but found `{origin}`; \
                     start standin with --control-origin {origin}"
                ),
            ));
        }
        let mut response = Response::new(body::whole(Bytes::new()));
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST, DELETE"));
        headers.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("authorization, content-type, last-event-id"),
        );
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        if parts.headers.contains_key(REQUEST_PRIVATE_NETWORK) {
            headers.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
        }
        Ok(response)
    }

    /// Lets a page of a configured origin read the reply.
    pub(super) fn open(&self, parts: &Parts, response: &mut Response<ControlBody>) {
        if self.config.origins.is_empty() {
            return;
        }
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = self.origin(parts) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("allow, content-disposition, www-authenticate"),
            );
        }
    }

    /// The origin that the call comes from, when it is configured.
    fn origin<'a>(&self, parts: &'a Parts) -> Option<&'a HeaderValue> {
        let origin = parts.headers.get(ORIGIN)?;
        let text = origin.to_str().ok()?;
        self.config
            .origins
            .iter()
            .any(|accepted| accepted.trim_end_matches('/').eq_ignore_ascii_case(text))
            .then_some(origin)
    }
}

pub(super) fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS
        && parts.headers.contains_key(ORIGIN)
        && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The host and port that the call was addressed to.
pub(super) fn host(parts: &Parts) -> Option<&str> {
    hosts(parts).next().flatten()
}

/// The authority of the target (always so with HTTP/2) and every `Host` header; none for one that is no text.
fn hosts(parts: &Parts) -> impl Iterator<Item = Option<&str>> {
    let authority = parts.uri.authority().map(|authority| Some(authority.as_str()));
    let headers = parts.headers.get_all(HOST).iter();
    authority.into_iter().chain(headers.map(|value| value.to_str().ok()))
}

/// The host without its port, an IPv6 address without its brackets; none when it is neither a name nor an address.
fn split(host: &str) -> Option<&str> {
    let is_port = |port: &str| {
        port.is_empty()
            || port.strip_prefix(':').is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
    };
    if let Some(rest) = host.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        return (is_port(port) && address.contains(':')).then_some(address);
    }
    let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
    (!name.is_empty() && is_port(port)).then_some(name)
}

fn forbidden(found: &str, name: &str) -> Refused {
    Refused::new(
        StatusCode::FORBIDDEN,
        format!(
            "expected the host localhost, an IP address or a name given by --control-host, but found {found}; \
             start standin with --control-host {name}"
        ),
    )
}

const BEARER: &[u8] = b"bearer ";
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");
const REQUEST_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_split_from_its_port() {
        for (host, expected) in [
            ("localhost", Some("localhost")),
            ("localhost:8484", Some("localhost")),
            ("127.0.0.1:1", Some("127.0.0.1")),
            ("[::1]", Some("::1")),
            ("[::1]:8484", Some("::1")),
            ("", None),
            (":80", None),
            ("a:b", None),
            ("a@localhost:80:80", None),
            ("[::1", None),
            ("[::1]x", None),
            ("[localhost]", None),
        ] {
            assert_eq!(split(host), expected, "{host}");
        }
    }

    #[test]
    fn only_names_that_a_foreign_page_cannot_have_are_accepted() {
        let access =
            Access::new(ControlConfig { hosts: vec!["stub.test".to_owned()], ..ControlConfig::default() });

        for host in ["localhost:8484", "LOCALHOST", "10.0.0.1", "[fe80::1]:80", "Stub.test:8484"] {
            assert!(access.accepts_host(host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "user@localhost",
            "stub.test.evil.example",
            "localhost ",
        ] {
            assert!(!access.accepts_host(host), "{host}");
        }
    }
}
