//! A case as a command for a POSIX shell.

use std::fmt::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::payload::Case;

/// Where the commands send the requests.
const ADDRESS: &str = "http://127.0.0.1:8484";

/// Headers that curl adds unless it is told not to.
const OWN: [&str; 4] = ["accept", "content-type", "expect", "user-agent"];

/// The end of a body in the script.
const END: &str = "END_OF_BODY";

/// A command that sends exactly this request; none when curl cannot.
///
/// The body comes on standard input, so that its length and its characters do not matter.
pub(super) fn command(case: &Case) -> Option<String> {
    let request = &case.request;
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    if !request.target.starts_with('/') || !request.target.bytes().all(plain) {
        return None;
    }
    let mut command = format!(
        "curl -sS -g --path-as-is --http1.1 -X {} {}",
        quoted(&request.method),
        quoted(&format!("{ADDRESS}{}", request.target))
    );
    for (name, value) in case.headers() {
        let value = std::str::from_utf8(value).ok().filter(|value| !value.contains(char::is_control))?;
        // A header without a value ends in a semicolon for curl.
        let header = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        let _ = write!(command, " \\\n  -H {}", quoted(&header));
    }
    for name in OWN {
        if request.headers.all(name).next().is_none() {
            let _ = write!(command, " -H '{name}:'");
        }
    }
    if request.body.is_empty() {
        return Some(command);
    }
    command.push_str(" --data-binary @-");
    let text = std::str::from_utf8(&request.body)
        .ok()
        // A terminal acts on control characters.
        .filter(|text| !text.contains(|c: char| c.is_control() && c != '\n' || c == '\u{feff}'))
        .filter(|text| text.lines().all(|line| line != END));
    let (reader, text) = match text {
        // The last line's end is not a part of the body.
        Some(text) => (format!("head -c {}", text.len()), text.to_owned()),
        None => ("base64 -d".to_owned(), BASE64_STANDARD.encode(&request.body)),
    };
    Some(format!("{reader} <<'{END}' | {command}\n{text}\n{END}"))
}

/// A word for the shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Contract,
        payload::{Generator, Operator},
    };

    #[test]
    fn a_command_adds_nothing_and_puts_the_body_beside_its_arguments() {
        let contract = Contract::builtin();
        let generator = Generator::new(contract.operation("createAgent").unwrap());
        let generator = generator.using(Operator::MEDIA_TYPE_MISSING).unwrap();
        let command = command(&generator.mutant_at(1, 0).unwrap()).unwrap();
        assert!(
            command.contains("curl -sS -g --path-as-is --http1.1 -X 'POST' 'http://127.0.0.1:8484/"),
            "{command}"
        );
        assert!(command.contains("-H 'content-type:'"), "{command}");
        assert!(command.contains("--data-binary @-"), "{command}");
    }

    #[test]
    fn a_quote_stays_a_quote() {
        assert_eq!(quoted("O'Brien"), "'O'\\''Brien'");
    }
}
