//! Who may call the control API: by host name, page, bearer token and origin.
//!
//! The host is checked because a page can have its own name point to the loopback address (DNS rebinding): to the browser
//! that is the page's own origin, and only the `Host` header tells.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use bytes::Bytes;
use hyper::{
    Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, AUTHORIZATION, HOST, HeaderName, HeaderValue,
        ORIGIN, VARY, WWW_AUTHENTICATE,
    },
    http::request::Parts,
};
use sha2::{Digest, Sha256};

use super::{
    super::cors,
    Answer, ControlConfig,
    body::{self, ControlBody},
    reply::Refused,
};

/// The pages in a browser that may send a call and read the reply. Others could tell how long the reply takes, even
/// though a browser keeps it from them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Pages {
    /// All: the reply says nothing about what was received.
    All,
    /// Those of this server, and those of configured origins.
    Own,
}

/// Where a call may have the control token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Token {
    /// Nowhere: it is not asked for. A browser that opens a page has no place for it.
    None,
    /// In the header `authorization`.
    Header,
    /// There, or as the parameter `token`: its callers are given a URL, and have no place for a header.
    HeaderOrQuery,
}

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

    /// The page that sends the call, when a browser says that there is one, must be this server's own or of a configured
    /// origin. Others could not read the reply, but they could find out from the time that it takes what was received.
    pub(super) fn check_page(&self, parts: &Parts) -> Result<(), Refused> {
        if self.origin(parts, Pages::Own).is_some() {
            return Ok(());
        }
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let own = host(parts).map(without_usual_port);
        let is_own = |origin: &&HeaderValue| {
            let origin = origin.to_str().ok().and_then(|text| text.split_once("://"));
            own.zip(origin).is_some_and(|(own, (_, host))| own.eq_ignore_ascii_case(without_usual_port(host)))
        };
        if let Some(origin) = parts.headers.get_all(ORIGIN).iter().find(|origin| !is_own(origin)) {
            return Err(foreign_page(&text(origin)));
        }
        let mut sites = parts.headers.get_all(SEC_FETCH_SITE).iter();
        // `none` is a person who typed the address, or followed a bookmark.
        match sites.find(|site| !matches!(site.as_bytes(), b"same-origin" | b"none")) {
            Some(site) => Err(foreign_page(&text(site))),
            None => Ok(()),
        }
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

    /// Whether a caller may send what only this server's own pages may, by all that its head says.
    pub(super) fn may_call(&self, parts: &Parts) -> bool {
        self.check_host(parts).is_ok() && self.check_page(parts).is_ok() && self.check_token(parts).is_ok()
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

    /// Answers a preflight: yes to a configured origin, or to any when all pages may call; no to any other.
    pub(super) fn preflight(&self, parts: &Parts, pages: Pages) -> Answer {
        if self.origin(parts, pages).is_none() {
            let origin = parts.headers.get(ORIGIN).map_or(&[][..], |origin| origin.as_bytes());
            return Err(foreign_page(&String::from_utf8_lossy(origin)));
        }
        let mut response = Response::new(body::whole(Bytes::new()));
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers
            .insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE"));
        headers.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("authorization, content-type, last-event-id, x-standin-session"),
        );
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        if parts.headers.contains_key(REQUEST_PRIVATE_NETWORK) {
            headers.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
        }
        Ok(response)
    }

    /// Lets a page of a configured origin read the reply, and one of any origin that of a call which all pages may
    /// send.
    pub(super) fn open(&self, parts: &Parts, pages: Pages, response: &mut Response<ControlBody>) {
        if self.config.origins.is_empty() && pages == Pages::Own {
            return;
        }
        let headers = response.headers_mut();
        headers.append(VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = self.origin(parts, pages) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("allow, content-disposition, www-authenticate"),
            );
        }
    }

    /// The origin that the call comes from, when it is configured or any will do.
    fn origin<'a>(&self, parts: &'a Parts, pages: Pages) -> Option<&'a HeaderValue> {
        let origin = parts.headers.get(ORIGIN)?;
        (pages == Pages::All || cors::is_one_of(&self.config.origins, origin)).then_some(origin)
    }
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

/// A host without the port that its scheme implies.
fn without_usual_port(host: &str) -> &str {
    host.strip_suffix(":80").or_else(|| host.strip_suffix(":443")).unwrap_or(host)
}

/// The refusal of a page, by its origin or by where a browser says that it is.
fn foreign_page(found: &str) -> Refused {
    let origin = if found.contains("://") { found } else { "ORIGIN" };
    Refused::new(
        StatusCode::FORBIDDEN,
        format!(
            "expected a page of this server or of an origin given by --control-origin, but found `{found}`; \
             start standin with --control-origin {origin}"
        ),
    )
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
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
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
