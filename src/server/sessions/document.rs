//! All sessions as one JSON document, from one run of a server to the next.

use std::io;

use serde_json::{Map, Value};

use super::{SessionError, Sessions, lock};
use crate::{Rule, Violation, pointer::escape, session_name::EXPECTED, violation::quote};

impl Sessions {
    /// Writes all states, as JSON that [`Sessions::restore`] reads, a session a line. Each session is held up for a
    /// moment only.
    ///
    /// # Errors
    ///
    /// When `out` fails.
    pub fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        write!(out, "{{\"standin\":\"sessions\",\"format\":{FORMAT},\"sessions\":{{")?;
        let names: Vec<_> = lock(&self.places).keys().cloned().collect();
        let mut before = "\n";
        for name in names {
            let session = self.place(&name).and_then(|place| place.lock().session().cloned());
            if let Some(session) = session {
                write!(out, "{before}\"{name}\":{}", session.json())?;
                before = ",\n";
            }
        }
        out.write_all(b"\n}}\n")
    }

    /// Takes the sessions of a document over. Sessions that are there stay.
    ///
    /// # Errors
    ///
    /// What is wrong with it, with its places.
    pub fn restore(&self, document: &Value) -> Result<(), Vec<Violation>> {
        let mut wrong = Vec::new();
        for (name, snapshot) in sessions_of(document)? {
            let pointer = format!("/sessions/{}", escape(name));
            match self.read(name, snapshot).and_then(|state| self.put(name, state)) {
                Ok(()) => {}
                Err(SessionError::State(violations)) => {
                    wrong.extend(violations.into_iter().map(|violation| Violation {
                        pointer: format!("{pointer}{}", violation.pointer),
                        ..violation
                    }));
                }
                Err(SessionError::Name(_)) => {
                    wrong.push(unlike(&pointer, format!("the name of a session, {EXPECTED}"), quote(name)));
                }
                Err(other) => wrong.push(unlike(&pointer, "room for this session".into(), other.to_string())),
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

/// The sessions of a document such as [`Sessions::write`] makes.
fn sessions_of(document: &Value) -> Result<&Map<String, Value>, Vec<Violation>> {
    let wrong = |pointer: &str, expected: &str, found: Option<&Value>| {
        let found = found.map_or_else(|| "nothing".to_owned(), |found| quote(&found.to_string()));
        vec![unlike(pointer, expected.to_owned(), found)]
    };
    if document.get("standin").and_then(Value::as_str) != Some("sessions") {
        return Err(wrong("/standin", "`sessions`, as a file of sessions has", document.get("standin")));
    }
    if document.get("format").and_then(Value::as_u64) != Some(FORMAT) {
        let expected = format!("{FORMAT}, which is what this version of standin reads and writes");
        return Err(wrong("/format", &expected, document.get("format")));
    }
    let sessions = document.get("sessions");
    sessions.and_then(Value::as_object).ok_or_else(|| wrong("/sessions", "an object", sessions))
}

fn unlike(pointer: &str, expected: String, found: String) -> Violation {
    Violation { pointer: pointer.to_owned(), rule: Rule::Type, expected, found, source: String::new() }
}

/// The version of the form that a document of all sessions has.
const FORMAT: u64 = 1;
