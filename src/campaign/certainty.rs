//! How certain it is that a request which is valid by the contract is valid for every server that keeps to the pages.

use serde_json::Value;

use super::source;
use crate::{
    Operation, Request,
    contract::{JsonType, Place, Schema},
    percent,
};

/// What of a request servers may see in another way.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Doubts {
    /// The entries of the ledger that it makes use of.
    pub(super) readings: Vec<String>,
    /// Whether it has something of which no page says that it is allowed.
    pub(super) is_odd: bool,
}

/// Longer texts are odd where no page names a limit.
const USUAL_LENGTH: usize = 100;
/// The largest number that every reader of JSON reads in the same way.
const LARGEST: u64 = 1 << 53;

impl Doubts {
    /// What there is to doubt in a request that is valid by the contract.
    pub(super) fn of(operation: &Operation, request: &Request) -> Self {
        let mut doubts = Self::default();
        let pairs: Vec<_> = percent::pairs(request.query().unwrap_or_default()).collect();
        for parameter in &operation.parameters {
            for (name, value) in &pairs {
                if parameter.place != Place::Query {
                    continue;
                }
                if parameter.accepts.iter().any(|other| other == name) {
                    doubts.token(&parameter.schema, name);
                } else if parameter.name == *name {
                    doubts.value(&parameter.schema, &Value::String(value.clone().into_owned()), None);
                }
            }
        }
        let Some(body) = &operation.body else {
            return doubts;
        };
        let media = request.headers.all("content-type").next().unwrap_or_default().to_ascii_lowercase();
        let parts: Vec<_> = media.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).collect();
        doubts.is_odd |= parts.len() > 2 || parts.get(1).is_some_and(|part| *part != b"charset=utf-8");
        match source::json(&request.body) {
            Some(value) => {
                let twins = Twins { request, pairs: &pairs, body: &value };
                doubts.is_odd |= value.as_object().is_some_and(serde_json::Map::is_empty);
                doubts.value(&body.schema, &value, Some(&twins));
            }
            None => doubts.is_odd = true,
        }
        doubts
    }

    /// The value of a place that a schema describes.
    fn value(&mut self, schema: &Schema, value: &Value, twins: Option<&Twins>) {
        let kind = schema.types.iter().position(|kind| kind.holds(value));
        if let Some(kind) = kind.filter(|kind| *kind > 0) {
            self.reading(schema, schema.types[kind].name());
        }
        match value {
            Value::String(text) if !schema.values.is_empty() => self.reading(schema, text),
            Value::String(text) => {
                self.is_odd |= !is_plain(text, schema) || schema.holds_json;
                for (other, id) in &schema.same_as {
                    if twins.is_some_and(|twins| twins.get(other).is_some_and(|twin| twin != *text)) {
                        self.readings.push(id.clone());
                    }
                }
            }
            Value::Number(number) => {
                let is_whole = number.as_i64().is_some_and(|number| number.unsigned_abs() < LARGEST);
                let takes_any = schema.types.contains(&JsonType::Number);
                self.is_odd |= !(is_whole || takes_any && number.as_f64().is_some_and(|n| n.abs() < 1e9));
                self.is_odd |= number.as_f64().is_some_and(|n| n < 0.0) && schema.minimum.is_none();
            }
            Value::Array(list) => match schema.items.as_deref() {
                Some(items) => list.iter().for_each(|item| self.value(items, item, twins)),
                None => self.is_odd |= !list.is_empty(),
            },
            Value::Object(members) => {
                let known: Vec<_> = schema.properties_for(value).collect();
                for (name, value) in members {
                    if let Some(property) = known.iter().find(|property| property.name == *name) {
                        self.value(&property.schema, value, twins);
                        self.is_odd |= property.required && value.as_array().is_some_and(Vec::is_empty);
                    } else if let Some(property) =
                        known.iter().find(|property| property.accepts.iter().any(|other| other == name))
                    {
                        self.token(&property.schema, name);
                        self.is_odd |= members.contains_key(&property.name);
                        self.value(&property.schema, value, twins);
                    } else {
                        self.is_odd = true;
                    }
                }
            }
            Value::Null => self.is_odd = true,
            Value::Bool(_) => {}
        }
    }

    /// A use of another name, which an entry of the ledger explains.
    fn token(&mut self, schema: &Schema, name: &str) {
        let before = self.readings.len();
        self.reading(schema, name);
        self.is_odd |= self.readings.len() == before;
    }

    /// A use of a name, type or value that an entry of the ledger accepts.
    fn reading(&mut self, schema: &Schema, used: &str) {
        let found = schema.variants.iter().find(|(variant, _)| variant == used);
        if let Some((_, id)) = found.filter(|(_, id)| !self.readings.contains(id)) {
            self.readings.push(id.clone());
        }
    }
}

/// Values that others ought to be equal to.
struct Twins<'a> {
    request: &'a Request,
    pairs: &'a [(std::borrow::Cow<'a, str>, std::borrow::Cow<'a, str>)],
    body: &'a Value,
}

impl Twins<'_> {
    fn get(&self, pointer: &str) -> Option<String> {
        if let Some(place) = pointer.strip_prefix("/body") {
            return self.body.pointer(place)?.as_str().map(str::to_owned);
        }
        let (place, name) = pointer.strip_prefix('/')?.split_once('/')?;
        match place {
            "query" => self
                .pairs
                .iter()
                .find(|(other, _)| other == name)
                .map(|(_, value)| value.clone().into_owned()),
            "header" => {
                let name = name.to_ascii_lowercase();
                let value = self.request.headers.all(&name).next()?;
                std::str::from_utf8(value).ok().map(str::to_owned)
            }
            // Its place in the path is not known here; that it differs is possible.
            _ => Some(String::new()),
        }
    }
}

/// Whether nobody has a reason to refuse a text.
fn is_plain(text: &str, schema: &Schema) -> bool {
    let length = text.chars().count();
    let is_bounded = schema.max_length.is_some();
    let is_letter = |character: char| character.is_alphanumeric() || " .,-_'@+:/()&#!?".contains(character);
    (length > 0 || schema.min_length.is_some())
        && (is_bounded || length <= USUAL_LENGTH)
        && text.trim() == text
        && !text.contains("..")
        && text.chars().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Contract;

    fn doubts(body: &str) -> Doubts {
        let contract = Contract::builtin();
        let request =
            Request::new("POST", "/").header("content-type", "application/json").body(body.to_owned());
        Doubts::of(contract.operation("createAgent").unwrap(), &request)
    }

    #[test]
    fn a_plain_request_leaves_no_doubt() {
        let plain = r#"{"emailId":"ada@example.com","firstName":"Ada","lastName":"Løvelace","roleId":"r-1","maxChatSupport":3}"#;
        assert_eq!(doubts(plain), Doubts::default());
    }

    #[test]
    fn odd_texts_and_numbers_are_doubtful() {
        for body in [
            r#"{"firstName":""}"#,
            r#"{"firstName":" a"}"#,
            r#"{"firstName":"a\u0000"}"#,
            r#"{"firstName":"<script>"}"#,
            r#"{"maxChatSupport":5.0}"#,
            r#"{"maxChatSupport":1e2}"#,
            r#"{"unknown":1}"#,
            "{}",
            "",
        ] {
            assert!(doubts(body).is_odd, "{body}");
        }
    }

    #[test]
    fn documented_variants_are_readings() {
        let contract = Contract::builtin();
        let request = Request::new("PUT", "/?agentgroupId=ag-1")
            .header("content-type", "application/json")
            .body(r#"{"emaiId":"ada@example.com","phoneNumber":12345}"#);
        let doubts = Doubts::of(contract.operation("updateAgent").unwrap(), &request);
        assert_eq!((doubts.readings, doubts.is_odd), (vec!["U3".into(), "U4".into(), "U2".into()], false));
    }
}
