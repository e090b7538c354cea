//! One call of the control API of a stand-in, by plain HTTP/1.1.

use std::{
    fmt,
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpStream, ToSocketAddrs},
    str::FromStr,
    time::{Duration, Instant},
};

use clap::Args;
use hyper::Uri;
use serde_json::Value;

use super::{error::reason, secret::ControlToken};
use crate::token::Secret;

/// The longest reply that is read of a call without a state in it, in bytes.
const MAX_REPLY: u64 = 1024 * 1024;

/// Where a stand-in listens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Place {
    host: String,
    port: u16,
}

/// A stand-in that runs, as an option of commands.
#[derive(Args, Debug)]
pub(super) struct Running {
    /// Where it is: a URL, or an address and a port as for serve --listen
    #[arg(value_name = "URL", default_value = "127.0.0.1:8484", env = "STANDIN_LISTEN")]
    pub(super) place: Place,

    #[command(flatten)]
    control_token: ControlToken,
}

impl Running {
    /// Makes the call with the control token, as [`Place::call`] does.
    pub(super) fn call(&self, method: &str, path: &str, limit: Duration) -> Result<Answer, String> {
        self.place.call(method, path, self.control_token.value(), limit)
    }
}

/// A whole reply.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// What a stand-in says that refuses a call, as a phrase; none when it says nothing.
    pub(super) fn complaint(&self) -> Option<String> {
        if self.status == 401 {
            return Some(
                "it answers 401: its control API asks for another token; set --control-token".to_owned(),
            );
        }
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        Some(format!("it answers {}: {}", self.status, body["error"].as_str()?))
    }
}

impl FromStr for Place {
    type Err = String;

    /// Takes a URL, or an address and a port as `serve --listen` does.
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected a URL such as http://127.0.0.1:8484, but found `{text}`");
        let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = url.parse().map_err(|_| expected())?;
        let authority = uri.authority().ok_or_else(expected)?;
        let is_base = ["", "/"].contains(&uri.path()) && uri.query().is_none();
        if uri.scheme_str() != Some("http") || authority.as_str().contains('@') || !is_base {
            return Err(expected());
        }
        let has_default = text.contains("://") && authority.as_str() == authority.host();
        let port = authority.port_u16().or(has_default.then_some(80)).filter(|port| *port > 0);
        let port = port.ok_or_else(|| format!("{}: it names no port to call", expected()))?;
        Ok(Self { host: callable(authority.host()), port })
    }
}

/// Who listens on every interface is reached by the loopback one.
fn callable(host: &str) -> String {
    match host.trim_start_matches('[').trim_end_matches(']').parse() {
        Ok(IpAddr::V4(ip)) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
        Ok(IpAddr::V6(ip)) if ip.is_unspecified() => format!("[{}]", Ipv6Addr::LOCALHOST),
        _ => host.to_owned(),
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}", self.host, self.port)
    }
}

impl Place {
    /// Calls it and waits for the whole reply, for at most this long. The error is a phrase that says what there was
    /// instead.
    pub(super) fn call(
        &self,
        method: &str,
        path: &str,
        token: Option<&Secret>,
        limit: Duration,
    ) -> Result<Answer, String> {
        self.send(method, path, token, &[], limit, MAX_REPLY)
    }

    /// The same with a body, and with another limit for the length of the reply.
    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&Secret>,
        body: &[u8],
        limit: Duration,
        longest: u64,
    ) -> Result<Answer, String> {
        let end = Instant::now().checked_add(limit);
        let left = || match end {
            None => Ok(limit),
            Some(end) => match end.saturating_duration_since(Instant::now()) {
                Duration::ZERO => Err(format!("no reply within {limit:?}")),
                left => Ok(left),
            },
        };
        let mut stream = self.connect(&left)?;
        let broken = |error: io::Error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => format!("no reply within {limit:?}"),
            _ => format!("the connection ended: {}", reason(&error)),
        };
        let authorization =
            token.map(|token| format!("authorization: Bearer {}\r\n", token.reveal())).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}:{}\r\n{authorization}content-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            self.host,
            self.port,
            body.len()
        );
        stream.set_write_timeout(Some(left()?)).map_err(broken)?;
        stream.write_all(request.as_bytes()).map_err(broken)?;
        // Who refuses a body need not read it; the reply says why.
        let unsent = stream.write_all(body);
        let mut reply = Vec::new();
        let mut part = [0; 8192];
        loop {
            stream.set_read_timeout(Some(left()?)).map_err(broken)?;
            match stream.read(&mut part).map_err(broken)? {
                0 => break,
                length => reply.extend_from_slice(&part[..length]),
            }
            if reply.len() as u64 > longest {
                return Err(format!("a reply of more than {longest} bytes"));
            }
        }
        if reply.is_empty() {
            unsent.map_err(broken)?;
        }
        parse(&reply).ok_or_else(|| "something that is no whole HTTP reply".to_owned())
    }

    /// Connects, and waits until the connection ends, for at most this long; false when nobody is there.
    pub(super) fn wait_for_end(&self, limit: Duration) -> bool {
        let limit = limit.max(Duration::from_millis(1));
        let Ok(mut stream) = self.connect(&|| Ok(limit)) else {
            return false;
        };
        // However it ends, it has ended.
        let _ = stream.set_read_timeout(Some(limit)).and_then(|()| stream.read(&mut [0]));
        true
    }

    fn connect(&self, left: &impl Fn() -> Result<Duration, String>) -> Result<TcpStream, String> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let unknown = || format!("no address for the host `{host}`");
        let mut found = unknown();
        for address in (host, self.port).to_socket_addrs().map_err(|_| unknown())? {
            match TcpStream::connect_timeout(&address, left()?) {
                Ok(stream) => return Ok(stream),
                Err(error) => found = format!("no connection to {address}: {}", reason(&error)),
            }
        }
        Err(found)
    }
}

/// Status and body of a reply that ended with its connection; none when it is cut short.
fn parse(reply: &[u8]) -> Option<Answer> {
    let end = reply.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = str::from_utf8(&reply[..end]).ok()?;
    let body = reply[end + 4..].to_vec();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    let length = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    match length {
        Some((_, length)) if length.trim().parse() != Ok(body.len()) => None,
        _ => Some(Answer { status, body }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_url_or_an_address_and_a_port() {
        for (text, url) in [
            ("http://127.0.0.1:8484", "http://127.0.0.1:8484"),
            ("http://standin:8484/", "http://standin:8484"),
            ("http://standin", "http://standin:80"),
            ("localhost:1", "http://localhost:1"),
            ("0.0.0.0:8484", "http://127.0.0.1:8484"),
            ("[::]:8484", "http://[::1]:8484"),
            ("http://[::1]:8484", "http://[::1]:8484"),
        ] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), url);
        }
        for text in [
            "",
            "localhost",
            "127.0.0.1:0",
            "https://127.0.0.1:8484",
            "http://a:b@localhost",
            "http://localhost/agentassist",
            "http://localhost/?a=b",
            "http://localhost:99999",
            "a b:1",
        ] {
            let error = text.parse::<Place>().unwrap_err();
            assert!(error.starts_with("expected a URL such as http://127.0.0.1:8484, but found "), "{error}");
        }
    }

    #[test]
    fn a_reply_that_is_cut_short_is_none() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(parse(whole), Some(Answer { status: 200, body: b"{}".to_vec() }));
        for end in 0..whole.len() {
            assert_eq!(parse(&whole[..end]), None, "{end}");
        }
        assert_eq!(parse(b"HTTP/1.0 503 No\r\n\r\n"), Some(Answer { status: 503, body: Vec::new() }));
        assert_eq!(parse(b"SSH-2.0-x\r\n\r\n"), None);
        assert_eq!(parse(b"HTTP/1.1 abc\r\n\r\n"), None);
    }
}
