//! Reads operations and their parts from the document.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::{
    Body, ContractError, Example, JsonType, LedgerEntry, Operation, Parameter, Place, Replies, Samples,
    Segment,
    effect_reader::EffectReader,
    reader::Node,
    refusal::Errors,
    schema_reader::{SchemaReader, same_as, variants},
};

/// Reads operations and their parts from one document.
pub(super) struct OperationReader<'a, 'e> {
    pub(super) ledger: &'a [LedgerEntry],
    pub(super) samples: &'a Samples<'a>,
    pub(super) schemas: SchemaReader<'a>,
    pub(super) effects: EffectReader<'e, 'a>,
    /// The responses that operations refer to, each read once, by status and reference.
    pub(super) shared: HashMap<(u16, &'a str), Replies>,
}

const METHODS: [&str; 8] = ["delete", "get", "head", "options", "patch", "post", "put", "trace"];
const NOTES: [&str; 7] =
    ["summary", "description", "tags", "x-source", "x-assumed", "x-ledger", "deprecated"];

impl<'a> OperationReader<'a, '_> {
    pub(super) fn paths(&mut self, paths: &Node<'a>) -> Result<Vec<Operation>, ContractError> {
        let mut operations: Vec<Operation> = Vec::new();
        for (path, item) in paths.members()? {
            if !path.starts_with('/') {
                return Err(item.complain("a path starts with `/`"));
            }
            for (key, node) in item.members()? {
                if METHODS.contains(&key) {
                    let operation = self.operation(path, key, &node)?;
                    if operations.iter().any(|other| other.id == operation.id) {
                        return Err(
                            node.complain(&format!("another operation has the id `{}` too", operation.id))
                        );
                    }
                    if operations.iter().any(|other| other.is_reached_like(&operation)) {
                        return Err(node.complain("another operation has this method and path too"));
                    }
                    operations.push(operation);
                } else if !NOTES.contains(&key) {
                    return Err(node.complain("expected a method in lower case"));
                }
            }
        }
        if operations.is_empty() {
            return Err(paths.complain("expected at least one operation, but found none"));
        }
        Ok(operations)
    }

    fn operation(&mut self, path: &str, method: &str, node: &Node<'a>) -> Result<Operation, ContractError> {
        known(node, "an operation", &["operationId", "parameters", "requestBody", "responses", "x-effect"])?;
        let segments = path[1..].split('/').map(|text| segment(text, node)).collect::<Result<Vec<_>, _>>()?;
        let mut parameters: Vec<Parameter> = Vec::new();
        if let Some(list) = node.get("parameters") {
            for item in list.items()? {
                let parameter = self.parameter(&item.resolve()?)?;
                if parameters
                    .iter()
                    .any(|other| other.name == parameter.name && other.place == parameter.place)
                {
                    return Err(item.complain(&format!("the parameter `{}` is there twice", parameter.name)));
                }
                parameters.push(parameter);
            }
        }
        for segment in &segments {
            if let Segment::Parameter(name) = segment
                && !parameters.iter().any(|p| p.place == Place::Path && p.name == *name)
            {
                return Err(node.complain(&format!("the path has `{{{name}}}`, and `parameters` does not")));
            }
        }
        for parameter in &parameters {
            if parameter.place == Place::Path
                && !segments.contains(&Segment::Parameter(parameter.name.clone()))
            {
                return Err(node.complain(&format!(
                    "`parameters` has the path parameter `{}`, and the path does not",
                    parameter.name
                )));
            }
        }
        let responses = node.need("responses")?;
        let replies: Vec<_> = responses
            .members()?
            .map(|(status, response)| self.replies(status, &response))
            .collect::<Result<_, _>>()?;
        if !replies.iter().any(|replies| (200..300).contains(&replies.status) && !replies.examples.is_empty())
        {
            return Err(responses
                .complain("expected a status of 200 to 299 with at least one example, but found none"));
        }
        let mut operation = Operation {
            id: node.need("operationId")?.text()?.into(),
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            segments,
            summary: node.optional_text("summary")?.unwrap_or_default(),
            description: node.optional_text("description")?.unwrap_or_default(),
            ledger: node.optional_texts("x-ledger")?,
            source: node.optional_text("x-source")?.unwrap_or_default(),
            parameters,
            body: node.get("requestBody").map(|node| self.body(&node)).transpose()?,
            replies,
            effect: None,
            shared: Arc::default(),
        };
        if let Some(effect) = node.get("x-effect") {
            operation.effect = Some(self.effects.read(&operation, &effect)?);
        }
        Ok(operation)
    }

    fn parameter(&mut self, node: &Node<'a>) -> Result<Parameter, ContractError> {
        let members = ["name", "in", "required", "schema", "example", "x-accepts", "x-same-as", "x-scope"];
        known(node, "a parameter", &members)?;
        let place = match node.need("in")?.text()? {
            "header" => Place::Header,
            "path" => Place::Path,
            "query" => Place::Query,
            _ => return Err(node.need("in")?.error("header, path or query")),
        };
        let schema_node = node.need("schema")?;
        let mut schema = self.schemas.read(&schema_node)?;
        let scalar = [JsonType::String, JsonType::Integer, JsonType::Number, JsonType::Boolean];
        if schema.types.is_empty() || schema.types.iter().any(|kind| !scalar.contains(kind)) {
            return Err(schema_node.complain("a parameter's `type` is string, integer, number or boolean"));
        }
        // What concerns a parameter may stand beside its schema.
        if let Some(source) = node.optional_text("x-source")? {
            schema.source = source;
        }
        schema.description = node.optional_text("description")?.or(schema.description);
        schema.assumed = node.optional_text("x-assumed")?.or(schema.assumed);
        schema.ledger.extend(node.optional_texts("x-ledger")?);
        schema.variants = variants(self.ledger, &schema.ledger);
        if let Some(pointers) = node.get("x-same-as") {
            schema.same_as.extend(same_as(&pointers)?);
        }
        schema.summarize();
        let required = flag(node, "required")?;
        if place == Place::Path && !required {
            return Err(node.complain("a path parameter has `required: true`"));
        }
        Ok(Parameter {
            name: node.need("name")?.text()?.to_owned(),
            place,
            required,
            accepts: node.optional_texts("x-accepts")?,
            scope: node.optional_text("x-scope")?,
            schema,
            example: node.get("example").map(|example| match example.value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }),
        })
    }

    fn body(&mut self, node: &Node<'a>) -> Result<Body, ContractError> {
        known(node, "a request body", &["content", "required"])?;
        let content = node.need("content")?;
        if let Some((_, other)) = content.members()?.find(|(name, _)| *name != "application/json") {
            return Err(other.complain("the one media type that is supported is application/json"));
        }
        let media = media(&content)?;
        let examples = self.examples(&media)?;
        let about = |entry: &&LedgerEntry| examples.iter().any(|example| example.ledger.contains(&entry.id));
        let broken = self.ledger.iter().filter(about);
        let broken = broken.filter_map(|entry| Some((entry.id.clone(), entry.sample.clone()?))).collect();
        Ok(Body {
            required: flag(node, "required")?,
            schema: self.schemas.read(&media.need("schema")?)?,
            examples,
            broken,
            source: node.optional_text("x-source")?.unwrap_or_default(),
        })
    }

    fn replies(&mut self, status: &str, node: &Node<'a>) -> Result<Replies, ContractError> {
        let code = status.parse().ok().filter(|code| (200..600).contains(code));
        let code = code.ok_or_else(|| node.complain("a reply's key is a status code from 200 to 599"))?;
        let Some(reference) = node.get("$ref") else {
            return self.own_replies(code, node);
        };
        let key = (code, reference.text()?);
        if let Some(shared) = self.shared.get(&key) {
            return Ok(shared.clone());
        }
        let replies = self.own_replies(code, &node.resolve()?)?;
        self.shared.insert(key, replies.clone());
        Ok(replies)
    }

    fn own_replies(&mut self, code: u16, node: &Node<'a>) -> Result<Replies, ContractError> {
        let bodiless = [204, 205].contains(&code);
        if bodiless && let Some(content) = node.get("content") {
            return Err(content.complain(&format!("a reply with the status {code} has no body")));
        }
        let mut described = |errors: Errors| {
            let Some(media) = node.get("content").and_then(|content| content.get(errors.media())) else {
                return Ok((None, Vec::new()));
            };
            let schema =
                media.get("schema").map(|schema| self.schemas.describe(&schema).map(Arc::new)).transpose()?;
            Ok((schema, self.examples(&media)?))
        };
        let (problem_schema, problems) =
            if code < 400 { (None, Vec::new()) } else { described(Errors::Rfc)? };
        let (schema, mut examples) = described(Errors::Vendor)?;
        if bodiless {
            examples.push(empty(node)?);
        } else if let Some(content) =
            node.get("content").filter(|_| schema.is_none() && examples.is_empty() && problems.is_empty())
        {
            // Says what is missing.
            media(&content)?;
        }
        let same_as = node.get("x-same-as").map(|node| same_as(&node)).transpose()?;
        Ok(Replies {
            status: code,
            description: node.optional_text("description")?.unwrap_or_default(),
            assumed: node.optional_text("x-assumed")?,
            headers: headers(node)?,
            echoes: same_as.is_some_and(|list| list.iter().any(|(pointer, _)| pointer == "/body")),
            schema,
            examples: examples.into(),
            problem_schema,
            problems: problems.into(),
        })
    }

    pub(super) fn examples(&self, media: &Node<'a>) -> Result<Vec<Example>, ContractError> {
        let Some(examples) = media.get("examples") else {
            return Ok(Vec::new());
        };
        examples
            .members()?
            .map(|(name, node)| {
                let node = node.resolve()?;
                let value = self.samples.value(&node)?;
                Ok(Example {
                    name: name.to_owned(),
                    text: Bytes::from(value.to_string()),
                    value,
                    source: node.optional_text("x-source")?.unwrap_or_default(),
                    assumed: node.optional_text("x-assumed")?,
                    ledger: node.optional_texts("x-ledger")?,
                })
            })
            .collect()
    }
}

/// The reply without a body, which needs no sample.
fn empty(response: &Node) -> Result<Example, ContractError> {
    Ok(Example {
        name: "empty".to_owned(),
        value: Value::Null,
        text: Bytes::new(),
        source: response.optional_text("x-source")?.unwrap_or_default(),
        assumed: response.optional_text("x-assumed")?,
        ledger: response.optional_texts("x-ledger")?,
    })
}

/// The headers of a response: each has an example, which is what is sent.
fn headers(response: &Node) -> Result<Vec<(String, String)>, ContractError> {
    let Some(headers) = response.get("headers") else {
        return Ok(Vec::new());
    };
    headers
        .members()?
        .map(|(name, node)| {
            known(&node, "a header", &["schema", "example"])?;
            if HeaderName::from_bytes(name.as_bytes()).is_err() {
                return Err(node.complain("expected the name of a header"));
            }
            if name.eq_ignore_ascii_case("content-type") {
                return Err(node.complain("the media type of a reply is in its `content`"));
            }
            let example = node.need("example")?;
            let value = match example.value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return Err(example.error("a string or a number")),
            };
            if HeaderValue::from_str(&value).is_err() {
                return Err(example.error("a text that a header can have"));
            }
            Ok((name.to_owned(), value))
        })
        .collect()
}

/// Fails on a member that is neither one of `own` nor a note for readers.
fn known(node: &Node, what: &str, own: &[&str]) -> Result<(), ContractError> {
    for (key, node) in node.members()? {
        if !own.contains(&key) && !NOTES.contains(&key) {
            return Err(node.complain(&format!("this member of {what} is not supported")));
        }
    }
    Ok(())
}

/// The optional member `key`, true or false; false when it is not there.
fn flag(node: &Node, key: &str) -> Result<bool, ContractError> {
    node.get(key).map_or(Ok(false), |flag| flag.value.as_bool().ok_or_else(|| flag.error("true or false")))
}

fn segment(text: &str, node: &Node) -> Result<Segment, ContractError> {
    let name = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    if name.unwrap_or(text).contains(['{', '}']) {
        return Err(
            node.complain(&format!("the segment `{text}` of the path is neither text nor one `{{name}}`"))
        );
    }
    Ok(match name {
        Some(name) => Segment::Parameter(name.to_owned()),
        None => Segment::Literal(text.to_owned()),
    })
}

fn media<'a>(content: &Node<'a>) -> Result<Node<'a>, ContractError> {
    content.need("application/json")
}
