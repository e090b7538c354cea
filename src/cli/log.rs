//! The log on standard error: the server's events as lines, written by a thread of their own, so that nothing ever waits
//! for whoever reads them.

mod queue;

use std::{
    cell::RefCell,
    fmt::{self, Debug, Write as _},
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anstream::{AutoStream, ColorChoice};
use jiff::Timestamp;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt};

use super::style;
use queue::Queue;

/// How log lines are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    /// One JSON object a line.
    Json,
    /// A line for people.
    Text,
}

/// The log of this process.
pub(super) struct Log(Arc<Queue>);

impl Log {
    /// Begins the log on standard error. A program that has a `tracing` subscriber already keeps it.
    pub(super) fn start(format: Format, filter: &str) -> Self {
        let choice = AutoStream::choice(&io::stderr());
        let painted = format == Format::Text && choice != ColorChoice::Never;
        let out: Box<dyn Write + Send> =
            if painted { Box::new(AutoStream::auto(io::stderr())) } else { Box::new(io::stderr()) };
        let (log, subscriber) = open(Lines { format, painted, clock: Timestamp::now }, filter, out);
        let _ = tracing::subscriber::set_global_default(subscriber);
        log
    }

    /// Waits until what was logged so far is written, but no longer than `time`.
    pub(super) fn flush(&self, time: Duration) {
        self.0.flush(time);
    }
}

/// A filter that can be used.
pub(super) fn filter(text: &str) -> Result<String, String> {
    match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("expected directives such as standin=info,standin::control=debug, or off".to_owned()),
    }
}

/// How events become lines.
#[derive(Clone, Copy)]
struct Lines {
    format: Format,
    /// Whether a text line has colours.
    painted: bool,
    clock: fn() -> Timestamp,
}

fn open(
    lines: Lines,
    filter: &str,
    out: impl Write + Send + 'static,
) -> (Log, impl Subscriber + Send + Sync + 'static) {
    let dropped = match lines.format {
        Format::Json => |count| format!("{{\"droppedLines\":{count}}}\n"),
        Format::Text => |count| format!("{count} lines were dropped here\n"),
    };
    let queue = Queue::new(dropped, out);
    let writer = Writer { lines, queue: Arc::clone(&queue), spans: AtomicU64::new(1) };
    (Log(queue), writer.with(EnvFilter::builder().parse_lossy(filter)))
}

/// What writes a line for each event that the filter lets through.
struct Writer {
    lines: Lines,
    queue: Arc<Queue>,
    /// The next span's number. No line shows a span, but filters tell them apart.
    spans: AtomicU64,
}

impl Subscriber for Writer {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        thread_local! {
            static LINE: RefCell<String> = const { RefCell::new(String::new()) };
        }
        // A thread that is ending has no scratch buffer any more, and nothing to log either.
        let _ = LINE.try_with(|line| {
            let Ok(mut line) = line.try_borrow_mut() else {
                return;
            };
            line.clear();
            let now = (self.lines.clock)();
            match self.lines.format {
                Format::Json => JsonLine::write(&mut line, now, event),
                Format::Text => TextLine::write(&mut line, now, self.lines.painted, event),
            }
            line.push('\n');
            self.queue.push(line.as_bytes());
        });
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// What an event is about.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Exchange,
    /// The server as a whole.
    Server,
    Unparsed,
    Other,
}

impl Kind {
    fn of(event: &Event<'_>) -> Self {
        match event.metadata().target() {
            "standin::exchange" => Self::Exchange,
            "standin::server" => Self::Server,
            "standin::unparsed" => Self::Unparsed,
            _ => Self::Other,
        }
    }
}

/// A line for people, field by field.
struct TextLine<'a> {
    line: &'a mut String,
    kind: Kind,
    painted: bool,
}

impl<'a> TextLine<'a> {
    fn write(line: &'a mut String, now: Timestamp, painted: bool, event: &Event<'_>) {
        let kind = Kind::of(event);
        // The time of day is what a person at a terminal looks for; the lines for programs have the date.
        let millis = now.as_millisecond().rem_euclid(24 * 60 * 60 * 1000);
        let (seconds, millis) = (millis / 1000, millis % 1000);
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        let _ = write!(line, "{hours:02}:{minutes:02}:{:02}.{millis:03}Z ", seconds % 60);
        if kind == Kind::Other {
            line.push_str(event.metadata().target());
            line.push(':');
        }
        event.record(&mut Self { line, kind, painted });
    }

    fn status(&mut self, status: u64) {
        let style = match status {
            0..400 => style::GOOD,
            400..500 => style::NOTED,
            _ => style::BAD,
        };
        let _ = if self.painted {
            write!(self.line, " {style}{status}{style:#}")
        } else {
            write!(self.line, " {status}")
        };
    }

    fn field(&mut self, name: &str, value: &dyn fmt::Display) {
        // Writing to a string does not fail.
        let _ = match (self.kind, name) {
            (Kind::Exchange, "operation") => Ok(()),
            (Kind::Exchange, "id") => write!(self.line, "#{value}"),
            (Kind::Server, "message") => write!(self.line, "{value}"),
            (Kind::Unparsed, "peer") => write!(self.line, "not a request, from {value}"),
            (Kind::Unparsed, "reason") => write!(self.line, ": {value}"),
            (Kind::Exchange, _) | (_, "message") => write!(self.line, " {value}"),
            _ => write!(self.line, " {name}={value}"),
        };
    }
}

impl Visit for TextLine<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match (self.kind, field.name()) {
            (Kind::Exchange, "status") => self.status(value),
            (Kind::Exchange, "micros") => {
                let _ = write!(self.line, " {}.{:02}ms", value / 1000, value % 1000 / 10);
            }
            (_, name) => self.field(name, &value),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field.name(), &Plain(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.field(field.name(), &Plain(&format!("{value:?}")));
    }
}

/// An object of JSON, field by field.
struct JsonLine<'a> {
    line: &'a mut String,
    kind: Kind,
}

impl<'a> JsonLine<'a> {
    fn write(line: &'a mut String, now: Timestamp, event: &Event<'_>) {
        let _ = write!(line, "{{\"time\":\"{now:.3}\"");
        let mut this = Self { line, kind: Kind::of(event) };
        if this.kind == Kind::Other {
            this.field("from", event.metadata().target());
        }
        event.record(&mut this);
        this.line.push('}');
    }

    fn field(&mut self, name: &str, value: impl serde::Serialize) {
        let name = match (self.kind, name) {
            (Kind::Exchange, "operation") => return,
            (Kind::Unparsed, "reason") => "unparsed",
            (_, "message") => "note",
            (_, name) => name,
        };
        // Neither names nor values are anything that JSON does not have.
        let name = serde_json::to_string(name).unwrap_or_default();
        let value = serde_json::to_string(&value).unwrap_or_default();
        let _ = write!(self.line, ",{name}:{value}");
    }
}

impl Visit for JsonLine<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field.name(), cut(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.field(field.name(), cut(&format!("{value:?}")));
    }
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
        // Nearly every text is like this, which takes no time to see.
        if text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~')) {
            f.write_str(text)?;
        } else {
            write_escaped(text, f)?;
        }
        if text.len() < self.0.len() {
            f.write_str("…")?;
        }
        Ok(())
    }
}

fn write_escaped(mut text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    while let Some(at) = text.find(char::is_control) {
        f.write_str(&text[..at])?;
        let mut chars = text[at..].chars();
        if let Some(control) = chars.next() {
            write!(f, "{}", control.escape_default())?;
        }
        text = chars.as_str();
    }
    f.write_str(text)
}

/// Bytes of a target or a violation that a line shows.
const LONGEST: usize = 1000;

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::{Value, json};

    use super::*;

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

    impl Out {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn lines(format: Format) -> Lines {
        let clock = || "2026-08-01T12:34:05.0679Z".parse().unwrap();
        Lines { format, painted: false, clock }
    }

    fn written(format: Format, filter: &str, events: impl FnOnce()) -> String {
        let out = Out::default();
        let (log, subscriber) = open(lines(format), filter, out.clone());
        tracing::subscriber::with_default(subscriber, events);
        log.flush(Duration::from_secs(20));
        out.text()
    }

    fn exchange(target: &str, violation: Option<&str>) {
        tracing::info!(
            target: "standin::exchange",
            id = 7_u64,
            operation = "createAgent",
            method = "PUT",
            target,
            status = 412_u16,
            micros = 1250_u64,
            violation = violation.map(tracing::field::display),
        );
    }

    #[test]
    fn a_text_line_shows_the_first_violation_and_escapes_control_characters() {
        let violation = "/body/emailId: expected an e-mail address, but found `a\u{1b}[31m\r\nb`";
        assert_eq!(
            written(Format::Text, "info", || exchange("/a?b\u{7f}", Some(violation))),
            "12:34:05.067Z #7 PUT /a?b\\u{7f} 412 1.25ms /body/emailId: expected an e-mail address, \
             but found `a\\u{1b}[31m\\r\\nb`\n"
        );
    }

    #[test]
    fn the_status_is_coloured_where_there_is_colour() {
        let out = Out::default();
        let painted = Lines { painted: true, ..lines(Format::Text) };
        let (log, subscriber) = open(painted, "info", out.clone());
        tracing::subscriber::with_default(subscriber, || exchange("/a\u{1b}[31m", None));
        log.flush(Duration::from_secs(20));
        assert_eq!(out.text(), "12:34:05.067Z #7 PUT /a\\u{1b}[31m \u{1b}[33m412\u{1b}[0m 1.25ms\n");
    }

    #[test]
    fn a_json_line_is_an_object() {
        let line = written(Format::Json, "info", || exchange("/a", Some("/body: `\u{1}`")));
        assert_eq!(
            serde_json::from_str::<Value>(&line).unwrap(),
            json!({
                "time": "2026-08-01T12:34:05.067Z", "id": 7, "method": "PUT", "target": "/a", "status": 412,
                "micros": 1250, "violation": "/body: `\u{1}`",
            })
        );
    }

    #[test]
    fn what_is_no_exchange_has_lines_of_its_own() {
        let events = || {
            let peer = "127.0.0.1:1";
            tracing::warn!(target: "standin::unparsed", %peer, reason = "no\nHTTP");
            tracing::error!(target: "standin::server", "cannot accept: {}", "too many files");
            tracing::debug!(target: "standin::control", method = "GET", path = "/", status = 200_u16);
        };
        assert_eq!(
            written(Format::Text, "debug", events),
            "12:34:05.067Z not a request, from 127.0.0.1:1: no\\nHTTP\n\
             12:34:05.067Z cannot accept: too many files\n\
             12:34:05.067Z standin::control: method=GET path=/ status=200\n"
        );
        assert_eq!(
            written(Format::Json, "debug", events),
            "{\"time\":\"2026-08-01T12:34:05.067Z\",\"peer\":\"127.0.0.1:1\",\"unparsed\":\"no\\nHTTP\"}\n\
             {\"time\":\"2026-08-01T12:34:05.067Z\",\"note\":\"cannot accept: too many files\"}\n\
             {\"time\":\"2026-08-01T12:34:05.067Z\",\"from\":\"standin::control\",\"method\":\"GET\",\"path\":\"/\",\"status\":200}\n"
        );
    }

    #[test]
    fn a_filter_takes_and_leaves_by_target_and_level() {
        let events = || {
            exchange("/a", None);
            tracing::debug!(target: "standin::control", method = "GET");
            tracing::error!(target: "standin::server", "broken");
        };
        for (filter, lines) in [
            ("standin=info", 2),
            ("standin=debug", 3),
            ("standin::control=debug", 1),
            ("standin=info,standin::exchange=off", 1),
            ("error", 1),
            ("off", 0),
        ] {
            let text = written(Format::Text, filter, events);
            assert_eq!(text.lines().count(), lines, "{filter}: {text}");
        }
    }

    #[test]
    fn a_long_target_is_cut_between_characters() {
        let target = "ä".repeat(LONGEST);
        let line = written(Format::Text, "info", || exchange(&target, None));
        let cut = "ä".repeat(LONGEST / 2);
        assert_eq!(line, format!("12:34:05.067Z #7 PUT {cut}… 412 1.25ms\n"));
    }

    #[test]
    fn lines_that_do_not_fit_are_dropped_and_counted() {
        let out = Out::default();
        let (log, subscriber) = open(lines(Format::Text), "info", out.clone());
        let note = "x".repeat(LONGEST - 1);
        let total = 4 * queue::CAPACITY / LONGEST;
        tracing::subscriber::with_default(subscriber, || {
            let _writer_waits = out.0.lock().unwrap();
            for _ in 0..total {
                tracing::info!(target: "standin::server", "{note}");
            }
        });
        log.flush(Duration::from_secs(20));
        let text = out.text();
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
    fn a_filter_that_cannot_be_read_is_refused() {
        assert_eq!(filter("standin=debug,h2=off"), Ok("standin=debug,h2=off".to_owned()));
        assert!(filter("standin=loud").is_err());
        assert!(filter("[").is_err());
    }
}
