//! A pact that was written by whomever, read for verification.

use std::{fmt, fs, path::Path};

use include_dir::{Dir, include_dir};
use serde_json::{Map, Value, json};

/// A pact and where it is from.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    json: Value,
}

/// Why a file is no pact that can be verified: its name and the reason.
#[derive(Debug)]
pub struct SourceError(String);

/// What is put into a pact before it is verified.
#[derive(Clone, Debug, Default)]
pub struct Filling {
    /// Where the token stands: the name of its header, in lower case.
    pub token_header: Option<String>,
    /// The token that is replaced; any other, above all one that ought to be refused, stays.
    pub sample_token: Option<String>,
    /// The token that replaces it.
    pub token: Option<String>,
    /// Values by the names that the pact's generators ask for.
    pub values: Vec<(String, String)>,
}

static COMMITTED: Dir = include_dir!("$CARGO_MANIFEST_DIR/contracts/pacts");
/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;

impl Source {
    /// The contracts that are built into the program.
    ///
    /// # Panics
    ///
    /// When one of them is broken, which a test rules out.
    pub fn committed() -> Vec<Self> {
        COMMITTED
            .files()
            .map(|file| {
                let name = format!("{} (built in)", file.path().display());
                Self::parse(&name, file.contents()).expect("the built-in contracts are pacts")
            })
            .collect()
    }

    /// Reads a pact file, or every `.json` file in a folder.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or is no pact that can be verified here, or a folder has none.
    pub fn load(path: &Path) -> Result<Vec<Self>, SourceError> {
        let name = path.display();
        let unread = |error: std::io::Error| SourceError(format!("{name}: {error}"));
        if !path.is_dir() {
            let size = fs::metadata(path).map_err(unread)?.len();
            if size > MAX_FILE {
                return Err(SourceError(format!(
                    "{name}: expected at most {MAX_FILE} bytes, but found {size}"
                )));
            }
            let text = fs::read(path).map_err(unread)?;
            return Ok(vec![Self::parse(&name.to_string(), &text)?]);
        }
        let mut files = Vec::new();
        for entry in fs::read_dir(path).map_err(unread)? {
            let file = entry.map_err(unread)?.path();
            if file.extension().is_some_and(|extension| extension == "json") && file.is_file() {
                files.push(file);
            }
        }
        files.sort();
        if files.is_empty() {
            return Err(SourceError(format!("{name}: expected a folder with .json files, but found none")));
        }
        let mut sources = Vec::new();
        for file in files {
            sources.extend(Self::load(&file)?);
        }
        Ok(sources)
    }

    /// Reads a pact, versions 1 to 4, whose interactions are all over HTTP.
    ///
    /// ```
    /// use standin::pact::Source;
    ///
    /// let error = Source::parse("empty.json", b"{}").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "empty.json: expected a pact with a list of `interactions`, but found none"
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn parse(name: &str, text: &[u8]) -> Result<Self, SourceError> {
        let json = serde_json::from_slice(text)
            .map_err(|error| SourceError(format!("{name}: expected a pact in JSON, but found {error}")))?;
        Self::from_json(name, json)
    }

    /// The same from JSON.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn from_json(name: &str, json: Value) -> Result<Self, SourceError> {
        check(&json).map_err(|error| SourceError(format!("{name}: {error}")))?;
        Ok(Self { name: name.to_owned(), json })
    }

    /// The file's name, or the address at the broker.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The pact.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The name of the consumer.
    pub fn consumer(&self) -> &str {
        self.json["consumer"]["name"].as_str().unwrap_or("consumer")
    }

    /// The name of the provider.
    pub fn provider(&self) -> &str {
        self.json["provider"]["name"].as_str().unwrap_or("provider")
    }

    /// The interactions, as they stand in the file.
    pub fn interactions(&self) -> &[Value] {
        self.json["interactions"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The names of the values that can be filled in.
    pub fn value_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for interaction in self.interactions() {
            let states = interaction["providerStates"].as_array().into_iter().flatten();
            let params = states.filter_map(|state| state["params"].as_object()).flat_map(Map::keys).cloned();
            names.extend(params);
            names.extend(expressions(&interaction["request"]["generators"]));
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The pact with this one of its interactions only, filled in.
    pub fn single(&self, index: usize, filling: &Filling) -> Value {
        let mut interaction = self.interactions().get(index).cloned().unwrap_or_default();
        fill_token(&mut interaction, filling);
        for (name, value) in &filling.values {
            fill_value(&mut interaction, name, value);
        }
        let mut pact = self.json.clone();
        pact["interactions"] = json!([interaction]);
        pact
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SourceError {}

/// Says what a value lacks to be a pact that can be verified.
fn check(pact: &Value) -> Result<(), String> {
    let Some(interactions) = pact.get("interactions").and_then(Value::as_array) else {
        let found = if pact.get("messages").is_some() { "messages" } else { "none" };
        return Err(format!("expected a pact with a list of `interactions`, but found {found}"));
    };
    let metadata = &pact["metadata"];
    let version = [
        &metadata["pactSpecification"]["version"],
        &metadata["pact-specification"]["version"],
        &metadata["pactSpecificationVersion"],
    ];
    if let Some(version) = version.into_iter().find(|version| !version.is_null()) {
        let major = version.as_str().and_then(|text| text.split('.').next()).unwrap_or_default();
        if !["1", "2", "3", "4"].contains(&major) {
            return Err(format!(
                "/metadata/pactSpecification/version: expected version 1 to 4 of Pact's specification, but found {version}"
            ));
        }
    }
    if interactions.is_empty() {
        return Err("expected at least one interaction, but found none".into());
    }
    for (index, interaction) in interactions.iter().enumerate() {
        let wrong = |place: &str, expected: &str, found: &Value| {
            Err(format!("/interactions/{index}{place}: expected {expected}, but found {found}"))
        };
        let kind = &interaction["type"];
        if !kind.is_null() && kind != "Synchronous/HTTP" {
            return wrong("/type", "an interaction over HTTP", kind);
        }
        for part in ["request", "response"] {
            if !interaction[part].is_object() {
                return wrong(&format!("/{part}"), "an object", &interaction[part]);
            }
        }
        let path = &interaction["request"]["path"];
        if !path.as_str().is_some_and(|path| path.starts_with('/')) {
            return wrong("/request/path", "a path that starts with `/`", path);
        }
        let status = &interaction["response"]["status"];
        if !status.is_null() && !status.as_u64().is_some_and(|status| (100..600).contains(&status)) {
            return wrong("/response/status", "a status code", status);
        }
    }
    Ok(())
}

fn fill_token(interaction: &mut Value, filling: &Filling) {
    let (Some(header), Some(sample), Some(token)) =
        (&filling.token_header, &filling.sample_token, &filling.token)
    else {
        return;
    };
    let Some(headers) = interaction["request"]["headers"].as_object_mut() else { return };
    for (_, value) in headers.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case(header)) {
        let values = match value {
            Value::Array(values) => values.as_mut_slice(),
            value => std::slice::from_mut(value),
        };
        for value in values.iter_mut().filter(|value| *value == sample) {
            *value = token.as_str().into();
        }
    }
}

/// Sets a parameter of a provider state; generators take their values from there.
fn fill_value(interaction: &mut Value, name: &str, value: &str) {
    let is_asked_for = expressions(&interaction["request"]["generators"]).iter().any(|known| known == name);
    let mut states: Vec<Value> = interaction["providerStates"].as_array().cloned().unwrap_or_default();
    let mut is_there = false;
    for params in states.iter_mut().filter_map(|state| state["params"].as_object_mut()) {
        if let Some(param) = params.get_mut(name) {
            *param = value.into();
            is_there = true;
        }
    }
    if !is_there && is_asked_for {
        match states.first_mut().and_then(Value::as_object_mut) {
            Some(state) => {
                let params = state.entry("params").or_insert_with(|| json!({}));
                params[name] = value.into();
            }
            None => states.push(json!({"name": "", "params": {name: value}})),
        }
    }
    if !states.is_empty() {
        interaction["providerStates"] = states.into();
    }
}

/// The names in the expressions of provider-state generators: `a` and `b` of `/x/${a}/${b}`.
fn expressions(generators: &Value) -> Vec<String> {
    match generators {
        Value::Object(members) => match members.get("expression") {
            Some(Value::String(expression)) => expression
                .split("${")
                .skip(1)
                .filter_map(|rest| rest.split_once('}').map(|(name, _)| name.to_owned()))
                .collect(),
            _ => members.values().flat_map(expressions).collect(),
        },
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Source::parse("a.json", text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_pact_is_refused_with_the_reason() {
        let interaction = |change: fn(&mut Value)| {
            let mut pact = json!({"interactions": [{"request": {"path": "/"}, "response": {"status": 200}}]});
            change(&mut pact["interactions"][0]);
            pact.to_string()
        };
        assert!(refused("{").starts_with("a.json: expected a pact in JSON, but found EOF while"));
        assert_eq!(refused("[]"), "a.json: expected a pact with a list of `interactions`, but found none");
        assert_eq!(
            refused(r#"{"messages": []}"#),
            "a.json: expected a pact with a list of `interactions`, but found messages"
        );
        assert_eq!(
            refused(r#"{"interactions": []}"#),
            "a.json: expected at least one interaction, but found none"
        );
        assert_eq!(
            refused(r#"{"interactions": [{}], "metadata": {"pactSpecification": {"version": "9.0"}}}"#),
            "a.json: /metadata/pactSpecification/version: expected version 1 to 4 of Pact's specification, but found \"9.0\""
        );
        assert_eq!(
            refused(&interaction(|i| i["type"] = "Asynchronous/Messages".into())),
            "a.json: /interactions/0/type: expected an interaction over HTTP, but found \"Asynchronous/Messages\""
        );
        assert_eq!(
            refused(&interaction(|i| i["request"] = Value::Null)),
            "a.json: /interactions/0/request: expected an object, but found null"
        );
        assert_eq!(
            refused(&interaction(|i| i["request"]["path"] = "x".into())),
            "a.json: /interactions/0/request/path: expected a path that starts with `/`, but found \"x\""
        );
        assert_eq!(
            refused(&interaction(|i| i["response"]["status"] = "OK".into())),
            "a.json: /interactions/0/response/status: expected a status code, but found \"OK\""
        );
    }

    #[test]
    fn only_the_sample_token_is_replaced() {
        let pact = json!({"interactions": [
            {"request": {"path": "/", "headers": {"Auth": ["sample"]}}, "response": {}},
            {"request": {"path": "/", "headers": {"auth": "not-a-jwt", "x": "sample"}}, "response": {}},
            {"request": {"path": "/"}, "response": {}},
        ]});
        let source = Source::from_json("a.json", pact).unwrap();
        let filling = Filling {
            token_header: Some("auth".into()),
            sample_token: Some("sample".into()),
            token: Some("mine".into()),
            values: Vec::new(),
        };
        let headers = |index| source.single(index, &filling)["interactions"][0]["request"]["headers"].clone();

        assert_eq!(headers(0), json!({"Auth": ["mine"]}));
        assert_eq!(headers(1), json!({"auth": "not-a-jwt", "x": "sample"}));
        assert_eq!(headers(2), Value::Null);
    }

    #[test]
    fn a_value_goes_to_the_state_that_has_it_or_to_the_first_when_a_generator_asks_for_it() {
        let generators = json!({"path": {"type": "ProviderState", "expression": "/x/${a}/${b}"}});
        let pact = json!({"interactions": [
            {
                "request": {"path": "/", "generators": generators}, "response": {},
                "providerStates": [{"name": "one"}, {"name": "two", "params": {"a": "1"}}],
            },
            {"request": {"path": "/", "generators": generators}, "response": {}},
            {"request": {"path": "/"}, "response": {}},
        ]});
        let source = Source::from_json("a.json", pact).unwrap();
        let values = vec![("a".into(), "2".into()), ("b".into(), "3".into())];
        let filling = Filling { values, ..Filling::default() };
        let states = |index| source.single(index, &filling)["interactions"][0]["providerStates"].clone();

        assert_eq!(source.value_names(), ["a", "b"]);
        assert_eq!(
            states(0),
            json!([{"name": "one", "params": {"b": "3"}}, {"name": "two", "params": {"a": "2"}}])
        );
        assert_eq!(states(1), json!([{"name": "", "params": {"a": "2", "b": "3"}}]));
        assert_eq!(states(2), Value::Null);
    }

    #[test]
    fn the_committed_contract_is_there_with_the_values_that_can_be_set() {
        let sources = Source::committed();

        assert_eq!(sources[0].consumer(), "agentassist-client");
        assert!(sources[0].interactions().len() >= 11);
        assert!(sources[0].value_names().contains(&"streamId".to_owned()));
    }
}
