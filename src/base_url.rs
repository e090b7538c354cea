//! The URL of a server that requests are sent to.

use std::{error::Error, fmt, net::IpAddr, str::FromStr};

use http::Uri;

use crate::violation::quote;

/// A base URL: where a server is, and what stands before each of its paths.
///
/// ```
/// use standin::BaseUrl;
///
/// let url: BaseUrl = "http://[::1]:8484/api/".parse().unwrap();
/// assert_eq!((url.host(), url.port(), url.prefix()), ("[::1]", 8484, "/api"));
/// assert_eq!(url.to_string(), "http://[::1]:8484/api");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BaseUrl {
    is_secure: bool,
    host: String,
    port: Option<u16>,
    prefix: String,
}

impl BaseUrl {
    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.is_secure { "https" } else { "http" }
    }

    /// Whether it is spoken to by TLS.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// The host: a name or an address, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host as a resolver takes it: without brackets.
    pub fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port, be it the one that is usual for the scheme.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.is_secure { 443 } else { 80 })
    }

    /// What stands before every path; empty or starting with a slash, and never ending with one.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Host and port as the header `host` has them.
    pub fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        let host = self.bare_host();
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let wrong = |found: &str| Err(BaseUrlError(found.to_owned()));
        let Ok(uri) = url.parse::<Uri>() else { return wrong(&quote(url)) };
        let is_secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return wrong(&quote(url)),
        };
        let Some(authority) = uri.authority() else { return wrong("one without a host") };
        if authority.as_str().contains('@') {
            return wrong("one with a user's name");
        }
        if uri.query().is_some() {
            return wrong("one with a query");
        }
        if authority.port_u16().is_none() && authority.as_str() != authority.host() {
            return wrong("one with a port that there cannot be");
        }
        Ok(Self {
            is_secure,
            host: authority.host().to_owned(),
            port: authority.port_u16(),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme(), self.authority(), self.prefix)
    }
}

/// Why a text is no base URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BaseUrlError(String);

impl fmt::Display for BaseUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a URL such as http://127.0.0.1:8484, but found {}", self.0)
    }
}

impl Error for BaseUrlError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_taken_apart_and_put_together() {
        for (text, url, port) in [
            ("http://127.0.0.1:8484", "http://127.0.0.1:8484", 8484),
            ("https://platform.kore.ai/", "https://platform.kore.ai", 443),
            ("http://[::1]:80/base/", "http://[::1]:80/base", 80),
        ] {
            let read: BaseUrl = text.parse().unwrap();
            assert_eq!((read.to_string(), read.port()), (url.to_owned(), port));
        }
    }

    #[test]
    fn this_machine_has_several_names() {
        for (text, is_loopback) in [
            ("http://127.0.0.1:8484", true),
            ("http://127.1.2.3", true),
            ("http://[::1]:80", true),
            ("http://LOCALHOST", true),
            ("http://0.0.0.0:8484", false),
            ("http://localhost.example", false),
            ("https://platform.kore.ai", false),
        ] {
            assert_eq!(text.parse::<BaseUrl>().unwrap().is_loopback(), is_loopback, "{text}");
        }
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        let wrong =
            ["", "host", "localhost:80", "ftp://a", "http://", "http://a?b", "http://u@a", "http://a b"];
        for wrong in wrong.into_iter().chain(["http://x:99999", "http://x:"]) {
            let error = wrong.parse::<BaseUrl>().unwrap_err().to_string();
            assert!(error.starts_with("expected a URL such as http://127.0.0.1:8484, but found "), "{error}");
        }
    }
}
