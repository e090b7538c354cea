//! A request out of bytes: as it stands on the wire.

use crate::{Request, payload::RECEIVED};

/// Reads a line with method and target, lines with headers, an empty line and a body. Anything is a request.
pub(super) fn parse(bytes: &[u8]) -> Request {
    let mut rest = bytes;
    let first = String::from_utf8_lossy(line(&mut rest)).into_owned();
    let (method, target) = first.split_once(' ').unwrap_or((&first, ""));
    let target = target.strip_suffix(" HTTP/1.1").unwrap_or(target);
    let mut request = Request::new(method, target);
    request.received = RECEIVED;
    while !rest.is_empty() {
        let header = line(&mut rest);
        if header.is_empty() {
            break;
        }
        let colon = header.iter().position(|byte| *byte == b':').unwrap_or(header.len());
        let name = String::from_utf8_lossy(&header[..colon]);
        request.headers.push(&name, header.get(colon + 1..).unwrap_or_default().trim_ascii());
    }
    request.body(rest.to_vec())
}

/// Takes a line off; its end is a line feed, with or without a carriage return.
fn line<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let line = &rest[..end];
    *rest = rest.get(end + 1..).unwrap_or_default();
    line.strip_suffix(b"\r").unwrap_or(line)
}
