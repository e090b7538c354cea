//! Step 3: read the body: media type, size, UTF-8, JSON.

use serde_json::Value;

use super::{Refusal, arguments::Arguments, findings::Findings, hints, readings, spellings, validate};
use crate::{
    BodyEnd, Operation, Reading, Request, Rule, Violation,
    contract::Body,
    json::{self, Flat, JsonError},
    violation::quote,
};

/// Whether all that comes before reading a body holds for the one of a request.
pub(super) fn look(spec: &Body, request: &Request, max_body: usize) -> Option<()> {
    media_type(spec, request).and_then(|()| size(request, max_body)).ok()
}

/// Reads the body of a request; none when the operation takes none, or when it may be left out and is.
pub(super) fn read(
    operation: &Operation,
    request: &Request,
    max_body: usize,
    flat: Option<&Flat>,
) -> Result<Option<Value>, Box<Refusal>> {
    let Some(body) = &operation.body else {
        // Nobody reads it, and still it has to come to its end.
        size(request, max_body).map_err(Refusal::from)?;
        return Ok(None);
    };
    if !body.required && request.body.is_empty() && request.body_end == BodyEnd::Complete {
        return Ok(None);
    }
    media_type(body, request).and_then(|()| size(request, max_body)).map_err(Refusal::from)?;
    // What was taken a look at is not read once more.
    flat.map_or_else(|| parse(body, &request.body), |flat| Ok(flat.root().value())).map(Some)
}

fn media_type(body: &Body, request: &Request) -> Result<(), Violation> {
    let violation = |rule, found: String| Violation {
        pointer: "/header/Content-Type".into(),
        rule,
        expected: "the media type `application/json`, once".into(),
        found,
        source: body.source.clone(),
    };
    let mut values = request.headers.all("content-type");
    let Some(value) = values.next() else {
        return Err(violation(Rule::Required, "nothing".into()));
    };
    if values.next().is_some() {
        return Err(violation(Rule::Repeated, "more than one".into()));
    }
    let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    if value[..end].trim_ascii().eq_ignore_ascii_case(b"application/json") {
        Ok(())
    } else {
        Err(violation(Rule::MediaType, quote(&String::from_utf8_lossy(value))))
    }
}

fn size(request: &Request, max_body: usize) -> Result<(), Violation> {
    let length = request.body.len();
    let end = match request.body_end {
        BodyEnd::Complete if length > max_body => BodyEnd::TooLarge,
        end => end,
    };
    let (rule, expected, found, why) = match end {
        BodyEnd::Complete => return Ok(()),
        BodyEnd::Broken => (
            Rule::Incomplete,
            "a whole body".to_owned(),
            format!("an end after {length} bytes"),
            "assumed: HTTP breaks off such a request",
        ),
        BodyEnd::TimedOut => (
            Rule::Timeout,
            "a body that arrives in time".to_owned(),
            format!("{length} bytes until then"),
            "assumed: the documentation names no time limit",
        ),
        BodyEnd::TooLarge => (
            Rule::Size,
            format!("a body of at most {max_body} bytes"),
            "a longer one".to_owned(),
            "assumed: the documentation names no size limit",
        ),
    };
    Err(body_violation(rule, expected, found, why))
}

fn body_violation(
    rule: Rule,
    expected: impl Into<String>,
    found: impl Into<String>,
    source: &str,
) -> Violation {
    Violation {
        pointer: "/body".into(),
        rule,
        expected: expected.into(),
        found: found.into(),
        source: source.into(),
    }
}

fn parse(spec: &Body, body: &[u8]) -> Result<Value, Box<Refusal>> {
    json::parse(body).map_err(|error| {
        let rule = match &error {
            JsonError::Depth => Rule::Depth,
            JsonError::Empty => Rule::Required,
            JsonError::Encoding(_) => Rule::Encoding,
            JsonError::Json(_) => Rule::Json,
        };
        let source = match &error {
            JsonError::Depth => "assumed: the documentation names no limit for nesting",
            _ => &spec.source,
        };
        let mut found = error.found();
        let reading = hints::broken_sample(spec, body).map(|id| {
            let note = "the sample of the page has the same fault";
            found = format!("{found}; {note} (ledger: {id})");
            Reading { ledger: id.to_owned(), pointer: "/body".into(), note: note.into() }
        });
        let violation = body_violation(rule, error.expected(), found, source);
        Box::new(Refusal { violation, allow: None, reading })
    })
}

/// What a body alone breaks, and the readings that it uses.
#[derive(Debug)]
pub struct BodyCheck {
    /// The violations; the first [`crate::Exchange::MAX_VIOLATIONS`] of them.
    pub violations: Vec<Violation>,
    /// Whether there were more.
    pub more_violations: bool,
    /// The documented variants that the body makes use of, and the entries of the ledger behind its violations.
    pub readings: Vec<Reading>,
}

/// Checks a body alone against an operation: is it JSON, and does it fit the schema?
///
/// An operation without a body accepts any.
pub fn check_body(operation: &Operation, body: &[u8]) -> BodyCheck {
    let mut findings = Findings::default();
    let mut readings = Vec::new();
    if let Some(spec) = &operation.body {
        match parse(spec, body) {
            Err(refusal) => {
                findings = refusal.violation.into();
                readings.extend(refusal.reading);
            }
            Ok(mut value) => {
                spellings::rename(&spec.schema, &mut value, &mut readings);
                validate::body(&spec.schema, &value, &mut findings);
                let arguments = Arguments::default();
                readings::find(operation, &arguments, Some(&value), &mut readings);
            }
        }
    }
    BodyCheck { violations: findings.violations, more_violations: findings.truncated, readings }
}
