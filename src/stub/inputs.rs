//! The values of parameters, kept until the request is answered.

use super::arguments::{Arguments, Sent};
use crate::contract::{Place, Source};

/// What was sent for the parameters of an operation, decoded, under their canonical names.
#[derive(Debug, Default)]
pub(super) struct Inputs(Vec<(Place, String, String)>);

impl Inputs {
    pub(super) fn of(arguments: &Arguments) -> Self {
        let sent = arguments.iter().filter_map(|(parameter, sent)| match sent {
            Sent::Text(text) => Some((parameter.place, parameter.name.clone(), text.clone())),
            Sent::Missing | Sent::Reported => None,
        });
        Self(sent.collect())
    }

    /// What was sent for the parameter that this names.
    pub(super) fn of_source(&self, source: &Source) -> Option<&str> {
        let (place, name) = match source {
            Source::Header(name) => (Place::Header, name),
            Source::Path(name) => (Place::Path, name),
            Source::Query(name) => (Place::Query, name),
            Source::Body(_) | Source::Item(_) => return None,
        };
        self.get(place, name)
    }

    /// What was sent for this parameter, when it can be read.
    pub(super) fn get(&self, place: Place, name: &str) -> Option<&str> {
        let mut all = self.0.iter();
        all.find(|(other, own, _)| *other == place && own == name).map(|(.., text)| text.as_str())
    }
}
