//! What a server reports, as a program that embeds it hears it.

use std::{
    fmt::{Debug, Write},
    sync::{Arc, LazyLock, Mutex},
};

use standin::{Config, Server};
use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    field::{Field, Visit},
    span, subscriber,
};

/// The events of a server, each as a line: its level, its target, its fields.
#[derive(Clone, Default)]
pub struct Events(Arc<Mutex<String>>);

impl Events {
    /// Starts a server with the settings that `change` makes, and hears what it reports.
    pub fn server(&self, change: impl FnOnce(&mut Config)) -> Server {
        LazyLock::force(&SPARE);
        subscriber::with_default(self.clone(), || super::server(change))
    }

    pub fn text(&self) -> String {
        self.0.lock().expect("nobody panics with it").clone()
    }

    /// The lines that begin so.
    pub fn of(&self, start: &str) -> Vec<String> {
        self.text().lines().filter(|line| line.starts_with(start)).map(str::to_owned).collect()
    }
}

/// While there is a single subscriber, `tracing` lets whichever thread comes first to an event decide for all threads
/// whether anybody wants it, and most threads of the tests have none.
static SPARE: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Events::default()));

impl Subscriber for Events {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("standin::")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = format!("{} {}", event.metadata().level(), event.metadata().target());
        event.record(&mut Fields(&mut line));
        line.push('\n');
        self.0.lock().expect("nobody panics with it").push_str(&line);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("a string takes everything");
    }
}
