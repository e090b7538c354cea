//! Whether there is a provider to verify.

use std::{
    net::{TcpStream, ToSocketAddrs},
    time::{Duration, Instant},
};

use crate::BaseUrl;

/// Finds out whether there is anybody, and says why not.
///
/// # Errors
///
/// The reason, as a phrase that completes "but found …".
pub(super) fn connect(url: &BaseUrl, timeout: Duration) -> Result<(), String> {
    let host = url.bare_host();
    let nobody = || format!("no address for the host `{host}`");
    let addresses = (host, url.port()).to_socket_addrs().map_err(|_| nobody())?;
    let began = Instant::now();
    let mut reason = nobody();
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

fn lower_first(text: &str) -> String {
    let text = text.split_once(" (os error").map_or(text, |(words, _)| words);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
