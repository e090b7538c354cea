//! What is wrong with the head of a request that hyper lets through.
//!
//! hyper frames bodies and knows what a header looks like. The rest of what RFC 9112 and RFC 9113 ask of a server is here.

use hyper::{
    HeaderMap, Method, StatusCode, Version,
    header::{HOST, TRANSFER_ENCODING},
    http::{request::Parts, uri::Authority},
};

use super::Limits;

/// Why a request is refused before anything looks at it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    pub(super) reason: &'static str,
}

const fn bad(reason: &'static str) -> Fault {
    Fault { status: StatusCode::BAD_REQUEST, reason }
}

/// The first thing that is wrong with a head.
pub(super) fn fault(parts: &Parts, limits: &Limits) -> Option<Fault> {
    let is_http2 = parts.version >= Version::HTTP_2;
    // An HTTP/1 head has passed hyper's limits.
    if is_http2 && is_too_much(parts, limits) {
        return Some(Fault {
            status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            reason: "message head is too large",
        });
    }
    target(parts).or_else(|| if is_http2 { host_of_http2(parts) } else { http1(parts) })
}

fn is_too_much(parts: &Parts, limits: &Limits) -> bool {
    let target = parts.uri.path_and_query().map_or(0, |path| path.as_str().len());
    let fields: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    parts.headers.len() > limits.headers || target + fields > limits.head_bytes
}

fn target(parts: &Parts) -> Option<Fault> {
    let Parts { method, uri, .. } = parts;
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Some(bad("expected a target without a user's name, but found one"));
    }
    match uri.path() {
        path if path.starts_with('/') && method != Method::CONNECT => None,
        "*" if method == Method::OPTIONS => None,
        "" if method == Method::CONNECT => None,
        _ if method == Method::CONNECT => Some(bad("expected a host and a port as target of `CONNECT`")),
        _ => Some(bad("expected a target that begins with `/`")),
    }
}

/// RFC 9112: a body that nobody else could take for another one, and one host.
fn http1(parts: &Parts) -> Option<Fault> {
    let codings = || codings(&parts.headers);
    if codings().any(|coding| !coding.eq_ignore_ascii_case(b"chunked")) {
        return Some(Fault {
            status: StatusCode::NOT_IMPLEMENTED,
            reason: "expected no transfer coding but `chunked`, but found another",
        });
    }
    if codings().nth(1).is_some() {
        return Some(bad("expected `chunked` once, but found it more than once"));
    }
    let mut hosts = parts.headers.get_all(HOST).iter();
    let Some(host) = hosts.next() else {
        return (parts.version == Version::HTTP_11)
            .then_some(bad("expected a header `Host`, but found none"));
    };
    if hosts.next().is_some() {
        return Some(bad("expected one header `Host`, but found more than one"));
    }
    let is_host =
        host.is_empty() || !host.as_bytes().contains(&b'@') && Authority::try_from(host.as_bytes()).is_ok();
    (!is_host)
        .then_some(bad("expected a host and perhaps a port in the header `Host`, but found something else"))
}

/// The transfer codings of all headers, as they are listed.
fn codings(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let values = headers.get_all(TRANSFER_ENCODING).iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|coding| !coding.is_empty())
}

/// RFC 9113: `host` says what the authority says.
fn host_of_http2(parts: &Parts) -> Option<Fault> {
    let authority = parts.uri.authority()?.as_str();
    let mut hosts = parts.headers.get_all(HOST).iter();
    let differs = hosts.any(|host| !host.as_bytes().eq_ignore_ascii_case(authority.as_bytes()));
    differs.then_some(bad("expected a header `host` that says what `:authority` says, but found another"))
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    /// The status that a head is refused with, 0 for none.
    fn refused(version: Version, method: &str, target: &str, headers: &[(&str, &str)]) -> u16 {
        let builder = Request::builder().version(version).method(method).uri(target);
        let request = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
        let (parts, ()) = request.body(()).unwrap().into_parts();
        fault(&parts, &Limits::default()).map_or(0, |fault| fault.status.as_u16())
    }

    #[test]
    fn an_http1_head_has_one_host_and_one_way_to_frame_its_body() {
        let host = ("host", "localhost:8484");
        for (headers, status) in [
            (&[host] as &[_], 0),
            (&[("host", "")], 0),
            (&[("host", "[::1]:80")], 0),
            (&[], 400),
            (&[host, host], 400),
            (&[("host", "localhost/x")], 400),
            (&[("host", "a@localhost")], 400),
            (&[("host", "a b")], 400),
            (&[("host", "a,b c")], 400),
            (&[host, ("transfer-encoding", "Chunked")], 0),
            (&[host, ("transfer-encoding", ", chunked ,")], 0),
            (&[host, ("transfer-encoding", "chunked, chunked")], 400),
            (&[host, ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], 400),
            (&[host, ("transfer-encoding", "gzip, chunked")], 501),
            (&[host, ("transfer-encoding", "gzip"), ("transfer-encoding", "chunked")], 501),
            (&[host, ("transfer-encoding", "chunked;q=1")], 501),
        ] {
            assert_eq!(refused(Version::HTTP_11, "POST", "/a", headers), status, "{headers:?}");
        }
        assert_eq!(refused(Version::HTTP_10, "GET", "/a", &[]), 0);
        assert_eq!(refused(Version::HTTP_10, "GET", "/a", &[host, host]), 400);
    }

    #[test]
    fn a_target_is_of_a_form_that_its_method_has() {
        for (method, target, status) in [
            ("GET", "/a?b", 0),
            ("GET", "http://elsewhere.test/a", 0),
            ("GET", "http://elsewhere.test", 0),
            ("GET", "http://me@elsewhere.test/", 400),
            ("GET", "elsewhere.test", 400),
            ("GET", "*", 400),
            ("OPTIONS", "*", 0),
            ("CONNECT", "elsewhere.test:443", 0),
            ("CONNECT", "/a", 400),
            ("CONNECT", "me@elsewhere.test:443", 400),
        ] {
            let found = refused(Version::HTTP_11, method, target, &[("host", "a")]);
            assert_eq!(found, status, "{method} {target}");
        }
    }

    #[test]
    fn the_host_of_http2_is_its_authority() {
        for (headers, status) in [
            (&[] as &[_], 0),
            (&[("host", "A.test")], 0),
            (&[("host", "b.test")], 400),
            (&[("host", "a.test"), ("host", "b.test")], 400),
        ] {
            assert_eq!(refused(Version::HTTP_2, "GET", "http://a.test/", headers), status, "{headers:?}");
        }
        assert_eq!(refused(Version::HTTP_2, "GET", "/", &[("host", "b.test")]), 0);
        let many = vec![("x", "y"); 101];
        assert_eq!(refused(Version::HTTP_2, "GET", "/", &many), 431);
    }
}
