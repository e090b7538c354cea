//! Reads schemas out of the document; whatever is not understood is an error.

use serde_json::{Number, Value};

use super::{
    ContractError, JsonType, LedgerEntry,
    origin::Origin,
    pattern::{Pattern, is_common, witness},
    reader::Node,
    schema::{Branch, Property, Schema, is_pattern},
};
use crate::Rule;

/// The most schemas that a document may have once its references are resolved.
const MAX_SCHEMAS: usize = 20_000;
/// The deepest nesting of a schema; bodies nest no deeper either.
const MAX_DEPTH: usize = 100;

/// Reads schemas of one document.
pub(super) struct SchemaReader<'a> {
    ledger: &'a [LedgerEntry],
    /// Whether the schemas of requests are compiled while they are read.
    compile: bool,
    /// Whether the schemas that are being read will judge values.
    judging: bool,
    count: usize,
    /// The references that are being resolved, to find one that contains itself.
    open: Vec<String>,
}

impl<'a> SchemaReader<'a> {
    pub(super) fn new(ledger: &'a [LedgerEntry], compile: bool) -> Self {
        Self { ledger, compile, judging: false, count: 0, open: Vec::new() }
    }

    /// Reads a schema that only describes values, those of replies.
    pub(super) fn describe(&mut self, node: &Node<'a>) -> Result<Schema, ContractError> {
        self.judging = false;
        self.schema(node, 0)
    }

    /// Reads a schema that will judge values, those of requests.
    pub(super) fn read(&mut self, node: &Node<'a>) -> Result<Schema, ContractError> {
        self.judging = true;
        let mut schema = self.schema(node, 0)?;
        schema.judge(node, self.compile)?;
        Ok(schema)
    }

    fn schema(&mut self, node: &Node<'a>, depth: usize) -> Result<Schema, ContractError> {
        self.count += 1;
        if self.count > MAX_SCHEMAS {
            return Err(node.complain(&format!(
                "the document has more than {MAX_SCHEMAS} schemas once its references are resolved"
            )));
        }
        if depth > MAX_DEPTH {
            return Err(node.complain(&format!("schemas nest deeper than {MAX_DEPTH} levels")));
        }
        let mut schema = if let Some(reference) = node.get("$ref") {
            let target = node.resolve()?;
            let name = reference.text()?;
            if self.open.iter().any(|open| open == name) {
                return Err(reference
                    .complain(&format!("the schema `{name}` contains itself, which is not supported")));
            }
            self.open.push(name.to_owned());
            let schema = self.schema(&target, depth + 1);
            self.open.pop();
            schema?
        } else {
            Schema::default()
        };
        self.keywords(&mut schema, node, depth)?;
        // The row of a list is the row of its items, unless they have one.
        if let Some(items) = schema.items.as_deref_mut()
            && items.source.is_empty()
            && items.assumed.is_none()
        {
            items.source.clone_from(&schema.source);
            items.assumed.clone_from(&schema.assumed);
        }
        if let Some(why) = schema.assumed.clone() {
            schema.assume_below(&why);
        }
        schema.variants = variants(self.ledger, &schema.ledger);
        schema.summarize();
        if let Some(keyword) = schema.inapplicable() {
            return Err(node.complain(&format!("`{keyword}` does not apply to the types given here")));
        }
        if self.judging && self.compile && !schema.has_text() {
            return Err(node.complain(
                "no text was found that fits `pattern`, `minLength` and `maxLength`; give one under `examples`",
            ));
        }
        if schema.limits_cross() {
            return Err(node.complain("no value is within the limits given here"));
        }
        if !schema.branches_are_apart() {
            return Err(
                node.complain("the branches of one schema test the same member, each for other values")
            );
        }
        Ok(schema)
    }

    fn keywords(&mut self, schema: &mut Schema, node: &Node<'a>, depth: usize) -> Result<(), ContractError> {
        let mut required = Vec::new();
        for (keyword, node) in node.members()? {
            match keyword {
                "$ref" | "format" | "x-accepts" => {}
                "type" if node.value.is_array() => {
                    schema.types =
                        node.items()?.map(|item| JsonType::read(&item)).collect::<Result<_, _>>()?;
                    if schema.types.is_empty() {
                        return Err(node.error("at least one type"));
                    }
                }
                "type" => schema.types = vec![JsonType::read(&node)?],
                "enum" => {
                    schema.values = node.items()?.map(|item| item.value.clone()).collect();
                    if schema.values.is_empty() {
                        return Err(node.error("at least one value"));
                    }
                }
                "pattern" => {
                    let pattern = node.text()?;
                    if self.compile && !is_pattern(pattern) {
                        return Err(node.error("a regular expression"));
                    }
                    if self.judging && !is_common(pattern) {
                        return Err(
                            node.error("a regular expression that ECMA 262, Python and Rust read alike")
                        );
                    }
                    schema.pattern = Some(pattern.to_owned());
                }
                "minLength" => schema.min_length = Some(node.size()?),
                "maxLength" => schema.max_length = Some(node.size()?),
                "minimum" => schema.minimum = Some(number(&node)?),
                "maximum" => schema.maximum = Some(number(&node)?),
                "properties" => schema.properties = self.properties(&node, depth)?,
                "required" => required = node.texts()?,
                "items" => {
                    let mut items = self.schema(&node, depth + 1)?;
                    if self.judging {
                        items.judge(&node, self.compile)?;
                    }
                    schema.items = Some(Box::new(items));
                }
                "allOf" => {
                    schema.branches =
                        node.items()?.map(|item| self.branch(&item, depth)).collect::<Result<_, _>>()?;
                }
                "title" => schema.title = Some(node.text()?.to_owned()),
                "description" => schema.description = Some(node.text()?.to_owned()),
                "examples" => schema.examples = node.items()?.map(|item| item.value.clone()).collect(),
                "contentMediaType" => schema.holds_json = node.text()? == "application/json",
                "x-source" => node.text()?.clone_into(&mut schema.source),
                "x-assumed" => schema.assumed = Some(node.text()?.to_owned()),
                // What a schema says beside a reference counts before what it refers to.
                "x-rules" => drop(schema.rules.splice(0..0, origins(&node)?)),
                "x-ledger" => schema.ledger = node.texts()?,
                "x-same-as" => schema.same_as = same_as(&node)?,
                _ => {
                    return Err(node.complain(
                        "this keyword is not supported in a schema; contracts/README.md lists those that are",
                    ));
                }
            }
        }
        if let Some(node) = node.get("x-rules") {
            for (keyword, node) in node.members()? {
                if !schema.has(keyword) {
                    return Err(
                        node.complain(&format!("`{keyword}` is not among the keywords of this schema"))
                    );
                }
            }
        }
        for name in required {
            let property = schema.properties.iter_mut().find(|property| property.name == name);
            let Some(property) = property else {
                let complaint = format!("`required` names `{name}`, which is not among `properties`");
                return Err(node.need("required")?.complain(&complaint));
            };
            property.required = true;
        }
        Ok(())
    }

    fn properties(&mut self, node: &Node<'a>, depth: usize) -> Result<Vec<Property>, ContractError> {
        let mut properties = Vec::with_capacity(node.object()?.len());
        for (name, node) in node.members()? {
            properties.push(Property {
                name: name.to_owned(),
                required: false,
                accepts: node.optional_texts("x-accepts")?,
                schema: self.schema(&node, depth + 1)?,
            });
        }
        Ok(properties)
    }

    fn branch(&mut self, node: &Node<'a>, depth: usize) -> Result<Branch, ContractError> {
        for (keyword, node) in node.members()? {
            if !["title", "if", "then"].contains(&keyword) {
                return Err(node.complain("a branch has `title`, `if` and `then` only"));
            }
        }
        let mut path = Vec::new();
        let mut test = node.need("if")?;
        let values = loop {
            if let Some(values) = test.get("enum") {
                break values.texts()?;
            }
            let properties = test.need("properties")?;
            let mut members = properties.members()?;
            let (Some((name, inner)), None) = (members.next(), members.next()) else {
                return Err(properties.error("exactly one property, on the way to an `enum`"));
            };
            if test.need("required")?.texts()? != [name] {
                return Err(test.complain(&format!("expected `required` to be [\"{name}\"]")));
            }
            path.push(name.to_owned());
            test = inner;
        };
        let then = self.schema(&node.need("then")?, depth + 1)?;
        if !then.branches.is_empty() {
            return Err(node.complain("branches within branches are not supported"));
        }
        Ok(Branch { title: node.need("title")?.text()?.to_owned(), path, values, then })
    }
}

/// Reads `x-rules`: keywords, each with the `x-source` or `x-assumed` of its own.
fn origins(node: &Node) -> Result<Vec<(Rule, Origin)>, ContractError> {
    let origin = |(keyword, node): (&str, Node)| {
        let rule = rule(keyword).ok_or_else(|| node.complain(&format!("`{keyword}` is no rule")))?;
        let mut origin = Origin::default();
        for (keyword, node) in node.members()? {
            match keyword {
                "x-source" => node.text()?.clone_into(&mut origin.source),
                "x-assumed" => origin.assumed = Some(node.text()?.to_owned()),
                _ => return Err(node.complain("a rule has `x-source` and `x-assumed` only")),
            }
        }
        if origin == Origin::default() {
            return Err(node.complain("expected `x-source` or `x-assumed`, but found neither"));
        }
        Ok((rule, origin))
    };
    node.members()?.map(origin).collect()
}

/// The rule behind a keyword.
fn rule(keyword: &str) -> Option<Rule> {
    Some(match keyword {
        "enum" => Rule::Enum,
        "maxLength" => Rule::MaxLength,
        "maximum" => Rule::Maximum,
        "minLength" => Rule::MinLength,
        "minimum" => Rule::Minimum,
        "pattern" => Rule::Format,
        "required" => Rule::Required,
        "type" => Rule::Type,
        _ => return None,
    })
}

impl Schema {
    /// Whether it has the rule of this keyword; what is required is known to the object around it.
    fn has(&self, keyword: &str) -> bool {
        match keyword {
            "enum" => !self.values.is_empty(),
            "maxLength" => self.max_length.is_some(),
            "maximum" => self.maximum.is_some(),
            "minLength" => self.min_length.is_some(),
            "minimum" => self.minimum.is_some(),
            "pattern" => self.pattern.is_some(),
            "required" => true,
            "type" => !self.types.is_empty(),
            _ => false,
        }
    }

    /// A keyword that can never take effect on the types listed, when there is one.
    fn inapplicable(&self) -> Option<&'static str> {
        let allows = |kind| self.types.is_empty() || self.types.contains(&kind);
        let text = self.pattern.is_some() || self.min_length.is_some() || self.max_length.is_some();
        let range = self.minimum.is_some() || self.maximum.is_some();
        match () {
            () if text && !allows(JsonType::String) => Some("pattern, minLength or maxLength"),
            () if range && !allows(JsonType::Number) && !allows(JsonType::Integer) => {
                Some("minimum or maximum")
            }
            () if !self.properties.is_empty() && !allows(JsonType::Object) => Some("properties"),
            () if self.items.is_some() && !allows(JsonType::Array) => Some("items"),
            () => None,
        }
    }

    /// Whether a text can be made that fits the pattern and the lengths. Only then can valid requests be made.
    fn has_text(&self) -> bool {
        let Some(pattern) = self.pattern.as_deref().filter(|_| self.values.is_empty()).and_then(Pattern::new)
        else {
            return true;
        };
        let size = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
        let longest = self.max_length.map_or(usize::MAX, size);
        let lengths = self.min_length.map_or(0, size)..=longest;
        let fits = |text: &str| pattern.is_match(text) && lengths.contains(&text.chars().count());
        self.examples.iter().filter_map(Value::as_str).any(fits)
            || witness(&pattern, *lengths.start(), longest).is_some()
    }

    /// Whether the lower limit is above the upper one.
    fn limits_cross(&self) -> bool {
        let number = |limit: &Option<Number>| limit.as_ref().and_then(Number::as_f64);
        let range = number(&self.minimum).zip(number(&self.maximum));
        let is_integer = self.types.contains(&JsonType::Integer) && !self.types.contains(&JsonType::Number);
        range.is_some_and(|(least, most)| least > most || is_integer && least.ceil() > most.floor())
            || self.min_length.zip(self.max_length).is_some_and(|(least, most)| least > most)
    }

    /// Whether at most one branch applies to any value.
    fn branches_are_apart(&self) -> bool {
        self.branches.iter().enumerate().all(|(index, branch)| {
            self.branches[..index].iter().all(|other| {
                branch.path == other.path && !branch.values.iter().any(|value| other.values.contains(value))
            })
        })
    }
}

fn number(node: &Node) -> Result<Number, ContractError> {
    node.number()?;
    Ok(node.value.as_number().cloned().unwrap_or_else(|| 0.into()))
}

/// What the ledger entries `ids` accept, each with the entry's id.
pub(super) fn variants(ledger: &[LedgerEntry], ids: &[String]) -> Vec<(String, String)> {
    let entries = ledger.iter().filter(|entry| ids.contains(&entry.id));
    entries.flat_map(|entry| entry.accepts.iter().map(|token| (token.clone(), entry.id.clone()))).collect()
}

/// Reads `x-same-as`: an object of request pointers, each with the id of the ledger entry about it.
pub(super) fn same_as(node: &Node) -> Result<Vec<(String, String)>, ContractError> {
    node.members()?
        .map(|(pointer, node)| {
            if !pointer.starts_with('/') {
                return Err(node.complain("expected a pointer into the request, such as `/header/accountId`"));
            }
            Ok((pointer.to_owned(), node.text()?.to_owned()))
        })
        .collect()
}
