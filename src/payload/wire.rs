//! What it takes to send a request so that it arrives as it is.
//!
//! Client libraries write requests anew. What Node's fetch, `undici.request`, Python's requests and hyper's client
//! change or refuse was tried out, and is: small letters of a method, repeated headers, dots as segments, escapes that
//! are broken or not needed, white space around a header's value. `ci/judge_wire.py` and `tests/payload_wire.rs` go on
//! trying it.

use super::{Wire, plan::Plan};
use crate::{Request, contract::Place};

/// Headers that clients write themselves, whatever they are told.
const OWN: [&str; 8] =
    ["connection", "content-length", "expect", "host", "keep-alive", "te", "transfer-encoding", "upgrade"];

/// Headers that clients add when they are not there.
const ADDED: [&str; 5] = ["accept", "accept-encoding", "accept-language", "sec-fetch-mode", "user-agent"];

/// What is needed to send a request; `in_capitals` says whether the names of its headers are.
pub(super) fn of(plan: &Plan, request: &Request, in_capitals: bool) -> Wire {
    let keeps_all = !in_capitals && method(request) && target(&request.target) && headers(plan, request);
    if keeps_all { Wire::Any } else { Wire::Http1Raw }
}

/// Whether fetch sends this method, as it is written and with this body.
fn method(Request { method, body, .. }: &Request) -> bool {
    method.bytes().all(|byte| byte.is_ascii_uppercase())
        && !matches!(method.as_str(), "CONNECT" | "TRACE" | "TRACK")
        && (body.is_empty() || !matches!(method.as_str(), "GET" | "HEAD"))
}

/// Whether nothing in the target is written in another way by those who parse and write URLs.
fn target(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    let has_dots = path.split('/').any(|segment| matches!(segment, "." | ".."));
    let mut parts = target.split('%');
    let plain =
        |text: &str| text.bytes().all(|byte| is_unreserved(byte) || b"/?!$&()*+,;=:@".contains(&byte));
    let is_first_plain = parts.next().is_some_and(plain);
    let escaped = |part: &str| {
        let Some((digits, rest)) = part.split_at_checked(2) else {
            return false;
        };
        let is_upper = digits.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte));
        is_upper && u8::from_str_radix(digits, 16).is_ok_and(|byte| !is_unreserved(byte)) && plain(rest)
    };
    // Python's requests takes several slashes at the beginning for one.
    !has_dots && !target.starts_with("//") && is_first_plain && parts.all(escaped)
}

/// Whether a character of an URL never needs an escape.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Whether no header is joined with another, written anew or added.
fn headers(plan: &Plan, request: &Request) -> bool {
    let headers = &request.headers;
    let is_kept = |(name, value): (&str, &[u8])| {
        headers.all(name).count() == 1
            && !OWN.contains(&name)
            && value.trim_ascii() == value
            && value.iter().all(|byte| (b' '..=b'~').contains(byte))
    };
    let is_added = |name: &str| ADDED.contains(&name) && headers.all(name).next().is_none();
    let names = plan.parameters.iter().filter(|slot| slot.place == Place::Header);
    headers.iter().all(is_kept)
        && !names.map(|slot| slot.name.to_ascii_lowercase()).any(|name| is_added(&name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Contract, payload::Credentials};

    #[test]
    fn what_client_libraries_change_needs_a_plain_socket() {
        let contract = Contract::builtin();
        let plan = Plan::new(contract.operation("createAgent").unwrap(), &Credentials::default());
        let wire = |request: Request| of(&plan, &request, false);
        let post = |target: &str| Request::new("POST", target);
        for request in [
            post("/a/b"),
            post("/a//b/"),
            post("/a/%2F%00?c=d+e&f=%C3%A9"),
            post("/a/%FF"),
            post("/...").header("auth", ""),
            post("/a").header("b", "c d").header("c", "c d").body("{"),
            Request::new("PROPFIND", "/"),
            Request::new("GET", "/"),
        ] {
            assert_eq!(wire(request.clone()), Wire::Any, "{request:?}");
            assert_eq!(of(&plan, &request, true), Wire::Http1Raw);
        }
        for request in [
            post("/a/."),
            post("/a/../b"),
            post("//a"),
            post("/a/%"),
            post("/a/%4"),
            post("/a/%zz"),
            post("/a/%+1"),
            post("/a/%é"),
            post("/a/%2f"),
            post("/a/%61"),
            post("/a/%2E"),
            post("/a/{b}"),
            post("/a b"),
            post("/a?b='c'"),
            post("/a?b=%u0041"),
            post("/é"),
            post("/").header("a", "b").header("A", "b"),
            post("/").header("a", " b"),
            post("/").header("a", "é"),
            post("/").header("a", "b\tc"),
            post("/").header("Host", "a"),
            Request::new("post", "/"),
            Request::new("TRACE", "/"),
            Request::new("GET", "/").body("{}"),
        ] {
            assert_eq!(wire(request.clone()), Wire::Http1Raw, "{request:?}");
        }
    }
}
