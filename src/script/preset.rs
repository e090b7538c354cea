//! Scripts with a name, for what people ask for most.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::ScriptError;
use crate::{near, violation::quote};

/// Some scripts that have a name together.
#[derive(Clone, Debug, serde::Deserialize, Serialize)]
pub struct Preset {
    /// Its name, such as `flaky`.
    pub name: String,
    /// What a client meets with it, in a line.
    pub summary: String,
    /// The scripts, as JSON.
    pub scripts: Vec<Map<String, Value>>,
}

impl Preset {
    /// Those that there are.
    pub fn all() -> &'static [Self] {
        static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
            let mut presets: Vec<Preset> = serde_json::from_str(include_str!("presets.json"))
                .expect("the presets are complete, as a test shows");
            presets.iter_mut().for_each(Preset::name_scripts);
            presets
        });
        &PRESETS
    }

    /// The one of this name.
    ///
    /// # Errors
    ///
    /// When there is none; with those there are.
    pub fn find(name: &str) -> Result<&'static Self, ScriptError> {
        Self::all().iter().find(|preset| preset.name == name).ok_or_else(|| {
            let names = names();
            let hint = near::hint(name, names.iter().copied());
            let (names, found) = (names.join(", "), quote(name));
            ScriptError::wrong(format!("expected a preset among {names}, but found {found}{hint}"))
        })
    }

    /// Its scripts as a document of their own.
    pub fn document(&self) -> Value {
        json!({"scripts": self.scripts})
    }

    /// Gives each of its scripts an id: its own name, with a number where there are several.
    fn name_scripts(&mut self) {
        let several = self.scripts.len() > 1;
        for (index, script) in self.scripts.iter_mut().enumerate() {
            let id = if several { format!("{}-{}", self.name, index + 1) } else { self.name.clone() };
            let own = std::mem::take(script);
            script.insert("id".to_owned(), id.into());
            script.extend(own);
        }
    }
}

/// The names of all.
pub(super) fn names() -> Vec<&'static str> {
    Preset::all().iter().map(|preset| preset.name.as_str()).collect()
}

/// The scripts of the one of this name.
pub(super) fn scripts(name: &str) -> Option<Vec<Map<String, Value>>> {
    Preset::all().iter().find(|preset| preset.name == name).map(|preset| preset.scripts.clone())
}
