//! Where a campaign sends its requests.

use std::{fmt, str::FromStr};

use http::Uri;

use super::CampaignError;

/// The one server that a campaign sends requests to: a base URL taken apart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    is_secure: bool,
    host: String,
    port: Option<u16>,
    prefix: String,
}

impl Target {
    /// Whether it is spoken to by TLS.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// The host: a name or an address, without brackets.
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port.
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
        let host = self.host();
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
    }
}

impl FromStr for Target {
    type Err = CampaignError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let wrong = |found: &str| {
            CampaignError::Usage(format!(
                "expected a base URL such as http://127.0.0.1:8484, but found {found}"
            ))
        };
        let uri: Uri = url.parse().map_err(|_| wrong(&crate::violation::quote(url)))?;
        let is_secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong(&crate::violation::quote(url))),
        };
        let authority = uri.authority().ok_or_else(|| wrong("one without a host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("one with a user's name"));
        }
        if uri.query().is_some() {
            return Err(wrong("one with a query"));
        }
        Ok(Self {
            is_secure,
            host: authority.host().to_owned(),
            port: authority.port_u16(),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let target: Target = "http://[::1]:8484/api/".parse().unwrap();
        assert_eq!((target.host(), target.port(), target.prefix()), ("::1", 8484, "/api"));
        assert_eq!(target.to_string(), "http://[::1]:8484/api");
        assert!(target.is_loopback());
        let target: Target = "https://platform.kore.ai".parse().unwrap();
        assert_eq!((target.port(), target.is_secure(), target.is_loopback()), (443, true, false));
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        for wrong in ["", "host", "ftp://a", "http://", "http://a?b", "http://u@a", "http://a b"] {
            let error = wrong.parse::<Target>().unwrap_err().to_string();
            assert!(error.starts_with("expected a base URL such as "), "{error}");
        }
    }
}
