//! The log: a line per exchange, written by a thread of its own so that nothing ever waits for it.

use std::{
    cell::RefCell,
    fmt,
    io::{self, Write},
    net::SocketAddr,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use serde::Serialize;

use crate::Recorded;

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// A line for people.
    #[default]
    Text,
}

/// Where the line of each exchange goes.
///
/// A clone writes to the same place. Lines wait in a buffer of 1 MiB for a thread that writes them; what does not fit
/// there is dropped, counted, and said.
#[derive(Clone, Default)]
pub struct Log(Option<Arc<Handle>>);

/// Stops the writer when the last clone of its log is gone.
struct Handle {
    format: LogFormat,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    buffer: Mutex<Buffer>,
    /// There is something to write, or the log is closed.
    filled: Condvar,
    /// Everything is written.
    written: Condvar,
}

#[derive(Default)]
struct Buffer {
    lines: Vec<u8>,
    dropped: u64,
    writing: bool,
    hurry: bool,
    closed: bool,
}

impl Log {
    /// No log.
    pub fn off() -> Self {
        Self(None)
    }

    /// A log on standard error.
    pub fn stderr(format: LogFormat) -> Self {
        Self::new(format, io::stderr())
    }

    /// A log that is written to `out`. Without a thread to write it, it is off.
    pub fn new(format: LogFormat, out: impl Write + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let writer = Arc::clone(&shared);
        let started =
            thread::Builder::new().name("standin-log".into()).spawn(move || writer.write_all(format, out));
        Self(started.ok().map(|_| Arc::new(Handle { format, shared })))
    }

    /// Waits until what was logged so far is written, but no longer than `time`.
    pub fn flush(&self, time: Duration) {
        let Some(handle) = &self.0 else { return };
        let mut buffer = handle.shared.lock();
        buffer.hurry = true;
        handle.shared.filled.notify_one();
        let _ = handle.shared.written.wait_timeout_while(buffer, time, |buffer| {
            buffer.writing || !buffer.lines.is_empty() || buffer.dropped > 0
        });
    }

    /// The line of an exchange.
    pub(super) fn exchange(&self, recorded: &Recorded) {
        let exchange = &recorded.exchange;
        let violation = exchange.violations.first();
        self.line(|format, out| match format {
            LogFormat::Json => json(
                out,
                &ExchangeLine {
                    id: recorded.id,
                    method: cut(&exchange.request.method),
                    target: cut(&exchange.request.target),
                    status: exchange.reply.status,
                    violation: violation.map(ToString::to_string).as_deref().map(cut),
                },
            ),
            LogFormat::Text => {
                write!(
                    out,
                    "#{} {} {} {}",
                    recorded.id,
                    Plain(&exchange.request.method),
                    Plain(&exchange.request.target),
                    exchange.reply.status
                )?;
                if let Some(violation) = violation {
                    write!(out, " {}", Plain(&violation.to_string()))?;
                }
                Ok(())
            }
        });
    }

    /// The line of something that never became an exchange.
    pub(super) fn unparsed(&self, peer: SocketAddr, reason: &str) {
        self.line(|format, out| match format {
            LogFormat::Json => json(out, &UnparsedLine { peer, unparsed: cut(reason) }),
            LogFormat::Text => write!(out, "not a request, from {peer}: {}", Plain(reason)),
        });
    }

    /// A line about the server itself.
    pub(super) fn note(&self, note: &str) {
        self.line(|format, out| match format {
            LogFormat::Json => json(out, &NoteLine { note: cut(note) }),
            LogFormat::Text => write!(out, "{}", Plain(note)),
        });
    }

    fn line(&self, write: impl FnOnce(LogFormat, &mut Vec<u8>) -> io::Result<()>) {
        thread_local! {
            static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        let Some(handle) = &self.0 else { return };
        // A thread that is ending has no scratch buffer any more, and nothing to log either.
        let _ = LINE.try_with(|line| {
            let Ok(mut line) = line.try_borrow_mut() else {
                return;
            };
            line.clear();
            if write(handle.format, &mut line).is_ok() {
                line.push(b'\n');
                handle.shared.push(&line);
            }
        });
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Log").field(&self.0.as_ref().map(|handle| handle.format)).finish()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.filled.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: &[u8]) {
        let mut buffer = self.lock();
        if buffer.lines.len() + line.len() > CAPACITY {
            buffer.dropped += 1;
            return;
        }
        let first = buffer.lines.is_empty();
        buffer.lines.extend_from_slice(line);
        drop(buffer);
        if first {
            self.filled.notify_one();
        }
    }

    fn write_all(&self, format: LogFormat, mut out: impl Write) {
        let mut lines = Vec::new();
        let mut buffer = self.lock();
        loop {
            while buffer.lines.is_empty() && !buffer.closed && buffer.dropped == 0 {
                buffer.hurry = false;
                self.written.notify_all();
                buffer = self.filled.wait(buffer).unwrap_or_else(PoisonError::into_inner);
            }
            // Under load a wake-up per line would cost more than the line, so more lines are given a moment to come.
            (buffer, _) = self
                .filled
                .wait_timeout_while(buffer, BATCH, |buffer| !buffer.hurry && !buffer.closed)
                .unwrap_or_else(PoisonError::into_inner);
            if buffer.lines.is_empty() && buffer.dropped == 0 && buffer.closed {
                return;
            }
            std::mem::swap(&mut lines, &mut buffer.lines);
            let dropped = std::mem::take(&mut buffer.dropped);
            buffer.writing = true;
            drop(buffer);
            if dropped > 0 {
                // Writing to a vector does not fail.
                let _ = match format {
                    LogFormat::Json => writeln!(lines, "{{\"droppedLines\":{dropped}}}"),
                    LogFormat::Text => writeln!(lines, "{dropped} lines were dropped here"),
                };
            }
            // When the log cannot be written, there is nobody to tell.
            let _ = out.write_all(&lines).and_then(|()| out.flush());
            lines.clear();
            buffer = self.lock();
            buffer.writing = false;
        }
    }
}

#[derive(Serialize)]
struct ExchangeLine<'a> {
    id: u64,
    method: &'a str,
    target: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    violation: Option<&'a str>,
}

#[derive(Serialize)]
struct NoteLine<'a> {
    note: &'a str,
}

#[derive(Serialize)]
struct UnparsedLine<'a> {
    peer: SocketAddr,
    unparsed: &'a str,
}

fn json(out: &mut Vec<u8>, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(out, line).map_err(Into::into)
}

/// The beginning of a text that has no end in sight.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Text on a terminal: control characters are escaped, and it is cut.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = cut(self.0);
        let mut rest = text;
        while let Some(at) = rest.find(char::is_control) {
            f.write_str(&rest[..at])?;
            let mut chars = rest[at..].chars();
            if let Some(control) = chars.next() {
                write!(f, "{}", control.escape_default())?;
            }
            rest = chars.as_str();
        }
        f.write_str(rest)?;
        if text.len() < self.0.len() {
            f.write_str("…")?;
        }
        Ok(())
    }
}

/// Bytes that may wait to be written.
const CAPACITY: usize = 1024 * 1024;

/// How long the writer waits for more before it writes.
const BATCH: Duration = Duration::from_millis(10);

/// Bytes of a target or a violation that a line shows.
const LONGEST: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Delivery, DeliveryCell, Exchange, Headers, Reply, Request, Rule, Step, Violation};

    /// A log that can be read, and whose writer waits while the test holds the lock.
    #[derive(Clone, Default)]
    struct Out(Arc<Mutex<Vec<u8>>>);

    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat, lines: impl FnOnce(&Log)) -> String {
        let out = Out::default();
        let log = Log::new(format, out.clone());
        lines(&log);
        log.flush(Duration::from_secs(20));
        let bytes = out.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn recorded(target: &str, violations: Vec<Violation>) -> Recorded {
        Recorded {
            id: 7,
            exchange: Exchange {
                request: Request::new("PUT", target),
                reply: Reply { status: 412, headers: Headers::default(), body: "{}".into() },
                operation: None,
                step: Step::Validate,
                violations,
                more_violations: false,
                readings: Vec::new(),
            },
            redactions: Arc::new([]),
            delivery: DeliveryCell::new(Delivery::Pending),
        }
    }

    fn violation(found: &str) -> Violation {
        Violation {
            pointer: "/body/emailId".into(),
            rule: Rule::Format,
            expected: "an e-mail address".into(),
            found: found.into(),
            source: "a page".into(),
        }
    }

    #[test]
    fn a_text_line_shows_the_first_violation_and_escapes_control_characters() {
        let found = "`a\u{1b}[31m\r\nb`";
        let recorded = recorded("/a?b\u{7f}", vec![violation(found), violation("`c`")]);
        assert_eq!(
            written(LogFormat::Text, |log| log.exchange(&recorded)),
            "#7 PUT /a?b\\u{7f} 412 /body/emailId: expected an e-mail address, \
             but found `a\\u{1b}[31m\\r\\nb`\n"
        );
    }

    #[test]
    fn a_json_line_is_an_object() {
        let line = written(LogFormat::Json, |log| {
            log.exchange(&recorded("/a", vec![violation("`\u{1}`")]));
        });
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        let expected = serde_json::json!({
            "id": 7,
            "method": "PUT",
            "target": "/a",
            "status": 412,
            "violation": "/body/emailId: expected an e-mail address, but found `\u{1}`",
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn a_long_target_is_cut_between_characters() {
        let target = "ä".repeat(LONGEST);
        let line = written(LogFormat::Text, |log| {
            log.exchange(&recorded(&target, Vec::new()));
        });
        let cut = "ä".repeat(LONGEST / 2);
        assert_eq!(line, format!("#7 PUT {cut}… 412\n"));
    }

    #[test]
    fn lines_that_do_not_fit_are_dropped_and_counted() {
        let out = Out::default();
        let log = Log::new(LogFormat::Text, out.clone());
        let note = "x".repeat(LONGEST - 1);
        let total = 4 * CAPACITY / LONGEST;
        {
            let _writer_waits = out.0.lock().unwrap();
            for _ in 0..total {
                log.note(&note);
            }
        }
        log.flush(Duration::from_secs(20));
        let bytes = out.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        let kept = text.matches(&note).count();
        let dropped: usize = text
            .lines()
            .filter_map(|line| line.strip_suffix(" lines were dropped here"))
            .map(|count| count.parse::<usize>().unwrap())
            .sum();
        assert!(dropped > 0);
        assert_eq!(kept + dropped, total);
    }

    #[test]
    fn a_log_that_is_off_writes_nothing() {
        Log::off().note("nobody sees this");
        Log::off().flush(Duration::from_secs(20));
    }
}
