//! What an exchange had to do with the state of its session, in JSON.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Touched, TouchedResource};

/// The versions, and the resource that was changed.
#[derive(Deserialize, Serialize)]
pub(super) struct StatePart {
    before: u64,
    after: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource: Option<ResourcePart>,
}

#[derive(Deserialize, Serialize)]
struct ResourcePart {
    name: String,
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

impl StatePart {
    pub(super) fn new(touched: &Touched) -> Self {
        // A secret that was replaced within a record leaves JSON; should it ever not, the text is shown as it is.
        let json = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into());
        let resource = touched.resource.as_ref().map(|resource| ResourcePart {
            name: resource.name.to_string(),
            id: resource.id.clone(),
            before: resource.before.as_ref().map(json),
            after: resource.after.as_ref().map(json),
            cut: resource.cut,
        });
        Self { before: touched.before, after: touched.after, resource }
    }

    pub(super) fn into_touched(self) -> Touched {
        let resource = self.resource.map(|resource| TouchedResource {
            name: resource.name.into(),
            id: resource.id,
            before: resource.before.as_ref().map(Value::to_string),
            after: resource.after.as_ref().map(Value::to_string),
            cut: resource.cut,
        });
        Touched { before: self.before, after: self.after, resource }
    }
}
