//! The provider that is verified: its base URL, taken apart.

use std::{
    net::{IpAddr, TcpStream, ToSocketAddrs},
    str::FromStr,
    time::{Duration, Instant},
};

use hyper::Uri;

/// A base URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Provider {
    scheme: String,
    host: String,
    port: Option<u16>,
    path: String,
}

impl Provider {
    /// `http` or `https`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, when the URL names one.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// What stands before each path, without a slash at the end.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The URL, without a slash at the end.
    pub fn url(&self) -> String {
        let port = self.port.map_or_else(String::new, |port| format!(":{port}"));
        format!("{}://{}{port}{}", self.scheme, self.host, self.path)
    }

    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost")
            || host.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
    }

    /// Finds out whether there is anybody, and says why not.
    ///
    /// # Errors
    ///
    /// The reason, as a phrase that completes "but found …".
    pub fn connect(&self, timeout: Duration) -> Result<(), String> {
        let port = self.port.unwrap_or(if self.scheme == "https" { 443 } else { 80 });
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let addresses =
            (host, port).to_socket_addrs().map_err(|_| format!("no address for the host `{host}`"))?;
        let began = Instant::now();
        let mut reason = format!("no address for the host `{host}`");
        for address in addresses {
            let left = timeout.saturating_sub(began.elapsed()).max(Duration::from_millis(1));
            match TcpStream::connect_timeout(&address, left) {
                Ok(_) => return Ok(()),
                Err(error) => {
                    reason = format!("no connection to {address}: {}", lower_first(&error.to_string()));
                }
            }
        }
        Err(reason)
    }
}

impl FromStr for Provider {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected a URL such as http://127.0.0.1:8484";
        let uri: Uri = text.parse().map_err(|error| format!("{expected}: {error}"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(expected.to_owned());
        };
        if !["http", "https"].contains(&scheme) || authority.as_str().contains('@') || uri.query().is_some() {
            return Err(format!("{expected}, without credentials and query"));
        }
        if authority.port_u16().is_none() && authority.as_str() != authority.host() {
            return Err(format!("{expected}, with a port from 1 to 65535"));
        }
        Ok(Self {
            scheme: scheme.to_owned(),
            host: authority.host().to_owned(),
            port: authority.port_u16(),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

fn lower_first(text: &str) -> String {
    let text = text.split_once(" (os error").map_or(text, |(words, _)| words);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_taken_apart_and_put_together() {
        for (text, url) in [
            ("http://127.0.0.1:8484", "http://127.0.0.1:8484"),
            ("https://platform.kore.ai/", "https://platform.kore.ai"),
            ("http://[::1]:80/base/", "http://[::1]:80/base"),
        ] {
            assert_eq!(text.parse::<Provider>().unwrap().url(), url);
        }
        for (text, is_loopback) in [
            ("http://127.0.0.1:8484", true),
            ("http://127.1.2.3", true),
            ("http://[::1]:80", true),
            ("http://LOCALHOST", true),
            ("http://0.0.0.0:8484", false),
            ("http://localhost.example", false),
            ("https://platform.kore.ai", false),
        ] {
            assert_eq!(text.parse::<Provider>().unwrap().is_loopback(), is_loopback, "{text}");
        }
        for text in
            ["", "localhost", "localhost:80", "ftp://x", "http://a:b@x", "http://x/?a=b", "http://x:99999"]
        {
            assert!(text.parse::<Provider>().is_err(), "{text}");
        }
    }
}
