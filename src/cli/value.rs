//! Values of options, checked before anything is begun.

use std::time::Duration;

use bytesize::ByteSize;

use crate::course;

/// An address and a port.
pub(super) fn address(text: &str) -> Result<String, String> {
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    match port.map(|(_, port)| port.parse::<u16>()) {
        Some(Ok(_)) => Ok(text.to_owned()),
        _ => Err("expected an address and a port, such as 127.0.0.1:8484".into()),
    }
}

/// How many there may be.
pub(super) fn entries(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&entries| entries > 0).ok_or_else(|| "expected a number from 1 up".into())
}

/// A number of bytes.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let size: Option<ByteSize> = text.parse().ok();
    size.and_then(|size| usize::try_from(size.as_u64()).ok())
        .ok_or_else(|| "expected a size such as 1MiB, 500kB or 4096".into())
}

/// How long something takes.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    course::time(text).ok_or_else(|| "expected a time such as 500ms, 2s or 5m".into())
}

/// How long something may take.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    course::time(text)
        .filter(|time| !time.is_zero())
        .ok_or_else(|| format!("expected a time such as 10s or 500ms, but found `{text}`"))
}

/// A value under its name.
pub(super) fn setting(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE, such as streamId=st-1"),
    }
}

/// The name of a host, in lower case.
pub(super) fn host_name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(['/', ':', ' ']) {
        return Err("expected a host name without scheme and port, such as standin.test".into());
    }
    Ok(text.to_ascii_lowercase())
}

/// The origin of a page, in lower case.
pub(super) fn origin(text: &str) -> Result<String, String> {
    match text.split_once("://") {
        Some((scheme, host)) if !scheme.is_empty() && !host.is_empty() && !host.contains('/') => {
            Ok(text.to_ascii_lowercase())
        }
        _ => Err("expected an origin without a path, such as http://localhost:3000".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("1MiB"), Ok(1024 * 1024));
        assert_eq!(size("500kB"), Ok(500_000));
        assert_eq!(size("4096"), Ok(4096));
        assert!(size("much").is_err());
        assert!(size("-1").is_err());
    }

    #[test]
    fn settings_and_times_are_checked_early() {
        assert_eq!(setting("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(setting("a="), Ok(("a".into(), String::new())));
        assert!(setting("a").is_err());
        assert!(setting("=b").is_err());
        assert_eq!(timeout("500ms"), Ok(Duration::from_millis(500)));
        assert!(timeout("0s").is_err() && timeout("-1s").is_err() && timeout("soon").is_err());
    }

    #[test]
    fn addresses_names_and_origins_are_checked_early() {
        assert!(address("localhost:0").is_ok());
        assert!(address("[::1]:8484").is_ok());
        assert!(address("8484").is_err());
        assert!(address(":8484").is_err());
        assert!(address("localhost:99999").is_err());
        assert_eq!(host_name("Standin.Test"), Ok("standin.test".into()));
        assert!(host_name("http://standin.test").is_err());
        assert!(origin("http://localhost:3000").is_ok());
        assert!(origin("http://localhost:3000/").is_err());
        assert!(origin("localhost").is_err());
    }
}
