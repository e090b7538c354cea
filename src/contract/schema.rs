//! A schema of the contract: the keywords that the whole program understands, and no others.

use std::{borrow::Cow, fmt, sync::OnceLock};

use jsonschema::{
    Draft, PatternOptions, ValidationError, Validator,
    json::{Json, SerdeJson},
};
use serde_json::{Map, Number, Value, json};

use super::{ContractError, origin::Origin, reader::Node};
use crate::{
    Rule,
    json::{Flat, FlatJson, JsonType, View},
    pointer::names,
};

/// A schema, its references resolved. Unknown properties are always allowed.
#[derive(Debug, Default)]
pub struct Schema {
    /// The JSON types allowed, the canonical one first; empty when any is.
    pub types: Vec<JsonType>,
    /// The values allowed; empty when any is.
    pub values: Vec<Value>,
    /// The regular expression that a string must match somewhere, in the subset that ECMA 262, Python and Rust share.
    pub pattern: Option<String>,
    /// The fewest characters of a string.
    pub min_length: Option<u64>,
    /// The most characters of a string.
    pub max_length: Option<u64>,
    /// The smallest number.
    pub minimum: Option<Number>,
    /// The largest number.
    pub maximum: Option<Number>,
    /// The known members of an object, in the document's order.
    pub properties: Vec<Property>,
    /// The schema of an array's items.
    pub items: Option<Box<Schema>>,
    /// What else holds when a member has one of some values.
    pub branches: Vec<Branch>,
    /// What the value is, as a noun phrase for messages.
    pub title: Option<String>,
    /// What the value is for.
    pub description: Option<String>,
    /// Example values.
    pub examples: Vec<Value>,
    /// The page and row that it comes from, or `observed`; empty when it stands for itself.
    pub source: String,
    /// Why it is assumed, and all below with it, when it is neither documented nor observed.
    pub assumed: Option<String>,
    /// Where those of its rules come from that come from elsewhere.
    pub rules: Vec<(Rule, Origin)>,
    /// Ids of the ledger entries that concern it.
    pub ledger: Vec<String>,
    /// What those entries accept besides the usual: each name, type or value with the entry's id.
    pub variants: Vec<(String, String)>,
    /// Pointers into the request whose value ought to be equal, each with the ledger entry about it.
    pub same_as: Vec<(String, String)>,
    /// Whether a string ought to hold JSON.
    pub holds_json: bool,
    /// Whether it judges values by itself: a body, an array's item, a parameter.
    judges: bool,
    /// The validator for that, up to the items of arrays.
    frame: OnceLock<Frame>,
    /// The validator for a whole body that is kept in one list; none when it does not compile.
    whole: OnceLock<Option<Frame<FlatJson>>>,
    below: Below,
}

/// What a schema has somewhere below it, so that a walk can pass over the rest.
#[derive(Clone, Copy, Debug, Default)]
struct Below {
    items: bool,
    spellings: bool,
    notable: bool,
}

/// A member of an object.
#[derive(Debug)]
pub struct Property {
    /// Its canonical name.
    pub name: String,
    /// Whether it must be there.
    pub required: bool,
    /// Other spellings of its name; the first that is there counts when the canonical one is not.
    pub accepts: Vec<String>,
    /// What it holds.
    pub schema: Schema,
}

/// A part of a schema that holds only when a member has one of some values.
#[derive(Debug)]
pub struct Branch {
    /// The branch's name; a sample reply of that name answers when the branch applies.
    pub title: String,
    /// The names that lead to the member.
    pub path: Vec<String>,
    /// The member's values for which the branch applies.
    pub values: Vec<String>,
    /// What then holds.
    pub then: Schema,
}

/// A compiled validator; a type of its own so that a schema can be printed for debugging. Most schemas have none, so it
/// takes no more room in them than a pointer.
pub(super) struct Frame<F: Json = SerdeJson>(pub(super) Box<Validator<F>>);

impl Schema {
    /// The property with this canonical name, among the branches too.
    pub fn property(&self, name: &str) -> Option<&Property> {
        let mut own = self.properties.iter();
        own.find(|property| property.name == name)
            .or_else(|| self.branches.iter().find_map(|branch| branch.then.property(name)))
    }

    /// The schema of the place `pointer` of `value`; when several apply there, the first that `says` something about the matter, else the first.
    pub(crate) fn at(&self, pointer: &str, value: &Value, says: &dyn Fn(&Self) -> bool) -> Option<&Self> {
        let names: Vec<_> = names(pointer).map(Cow::into_owned).collect();
        let mut found = Vec::new();
        self.gather(&names, value, &mut found);
        found.iter().copied().find(|schema| says(schema)).or(found.first().copied())
    }

    fn gather<'a>(&'a self, names: &[String], value: &Value, found: &mut Vec<&'a Self>) {
        let Some((name, rest)) = names.split_first() else {
            found.push(self);
            return;
        };
        if let (Some(items), Value::Array(list)) = (&self.items, value) {
            let item = name.parse().ok().and_then(|index: usize| list.get(index));
            items.gather(rest, item.unwrap_or(&Value::Null), found);
        }
        for property in self.properties_for(value).filter(|property| property.name == *name) {
            property.schema.gather(rest, value.get(name).unwrap_or(&Value::Null), found);
        }
    }

    /// Where a rule comes from: the page and row, `observed`, or why it is assumed.
    pub fn source_of(&self, rule: Rule) -> String {
        let own = self.rules.iter().find(|(other, _)| *other == rule).map(|(_, origin)| origin);
        let mut origin =
            own.cloned().unwrap_or_else(|| Origin { source: self.source.clone(), assumed: None });
        if origin.assumed.is_none() {
            origin.assumed.clone_from(&self.assumed);
        }
        origin.to_string()
    }

    /// Marks this and all below as assumed, where it is not yet.
    pub(super) fn assume(&mut self, why: &str) {
        if self.assumed.is_none() {
            self.assumed = Some(why.to_owned());
            self.assume_below(why);
        }
    }

    pub(super) fn assume_below(&mut self, why: &str) {
        let properties = self.properties.iter_mut().map(|property| &mut property.schema);
        let branches = self.branches.iter_mut().map(|branch| &mut branch.then);
        properties.chain(branches).chain(self.items.as_deref_mut()).for_each(|schema| schema.assume(why));
    }

    /// Whether an array with an item schema is here or below.
    pub(crate) fn has_items(&self) -> bool {
        self.below.items
    }

    /// Whether a property with other spellings is below.
    pub(crate) fn has_spellings(&self) -> bool {
        self.below.spellings
    }

    /// Whether a value here or below may give a reading.
    pub(crate) fn is_notable(&self) -> bool {
        self.below.notable
    }

    /// Sets what is known about the schemas below.
    pub(super) fn summarize(&mut self) {
        let mut below = Below {
            items: self.items.is_some(),
            spellings: self.properties.iter().any(|property| !property.accepts.is_empty()),
            notable: self.holds_json || !self.variants.is_empty() || !self.same_as.is_empty(),
        };
        let properties = self.properties.iter().map(|property| &property.schema);
        let branches = self.branches.iter().map(|branch| &branch.then);
        for schema in properties.chain(branches).chain(self.items.as_deref()) {
            below.items |= schema.below.items;
            below.spellings |= schema.below.spellings;
            below.notable |= schema.below.notable;
        }
        self.below = below;
    }

    /// The known members of `value`: those of the branches that apply to it too.
    pub fn properties_for<'a>(&'a self, value: &Value) -> impl Iterator<Item = &'a Property> {
        self.properties_of(value)
    }

    /// The same, whatever the value is kept in.
    pub(crate) fn properties_of<'a, 'v, V: View<'v>>(
        &'a self,
        value: V,
    ) -> impl Iterator<Item = &'a Property> {
        self.properties.iter().chain(self.branches_of(value).flat_map(|branch| &branch.then.properties))
    }

    /// The branches that apply to `value`.
    pub fn branches_for(&self, value: &Value) -> impl Iterator<Item = &Branch> {
        self.branches_of(value)
    }

    /// The same, whatever the value is kept in.
    pub(crate) fn branches_of<'a, 'v, V: View<'v>>(&'a self, value: V) -> impl Iterator<Item = &'a Branch> {
        self.branches.iter().filter(move |branch| branch.applies_to(value))
    }

    /// Whether a value breaks nothing, arrays and all.
    pub(crate) fn is_kept_by(&self, value: &Flat) -> bool {
        let whole = self.whole.get_or_init(|| validator(&self.to_json(true)).ok().map(Frame::from));
        whole.as_ref().is_some_and(|frame| frame.0.is_valid(value.root()))
    }

    /// Validates a value against this schema up to the items of arrays.
    pub(crate) fn frame(&self) -> Option<&Validator> {
        let compiled = || self.compile().expect("the built-in schemas compile, as a test shows").into();
        self.judges.then(|| &*self.frame.get_or_init(compiled).0)
    }

    /// A validator of its own for this schema, arrays and all.
    pub(crate) fn validator(&self) -> Result<Validator, ContractError> {
        validator(&self.to_json(true))
            .map_err(|error| ContractError::new(format!("this is no schema: {error}")))
    }

    /// The same, but that nothing is required.
    pub(crate) fn lenient(&self) -> Result<Validator, ContractError> {
        fn release(schema: &mut Value) {
            match schema {
                Value::Object(keywords) => {
                    keywords.shift_remove("required");
                    for (keyword, schema) in keywords {
                        match keyword.as_str() {
                            // The condition of a branch needs its members.
                            "enum" | "if" => {}
                            "properties" => {
                                schema
                                    .as_object_mut()
                                    .into_iter()
                                    .flatten()
                                    .for_each(|(_, own)| release(own));
                            }
                            _ => release(schema),
                        }
                    }
                }
                Value::Array(list) => list.iter_mut().for_each(release),
                _ => {}
            }
        }
        let mut schema = self.to_json(true);
        release(&mut schema);
        validator(&schema).map_err(|error| ContractError::new(format!("this is no schema: {error}")))
    }

    /// What is asserted, as JSON Schema; for [`Schema::frame`] without what lies below arrays.
    pub(crate) fn to_json(&self, items: bool) -> Value {
        let mut out = Map::new();
        if !self.types.is_empty() {
            let names: Vec<_> = self.types.iter().map(|kind| kind.name()).collect();
            out.insert("type".into(), json!(names));
        }
        if !self.values.is_empty() {
            out.insert("enum".into(), Value::Array(self.values.clone()));
        }
        let keywords = [
            ("pattern", self.pattern.clone().map(Value::from)),
            ("minLength", self.min_length.map(Value::from)),
            ("maxLength", self.max_length.map(Value::from)),
            ("minimum", self.minimum.clone().map(Value::from)),
            ("maximum", self.maximum.clone().map(Value::from)),
        ];
        for (keyword, value) in keywords {
            if let Some(value) = value {
                out.insert(keyword.into(), value);
            }
        }
        if !self.properties.is_empty() {
            let properties: Map<_, _> = self
                .properties
                .iter()
                .map(|property| (property.name.clone(), property.schema.to_json(items)))
                .collect();
            out.insert("properties".into(), properties.into());
            let required: Vec<_> = self.properties.iter().filter(|property| property.required).collect();
            let required: Vec<_> = required.iter().map(|property| &property.name).collect();
            out.insert("required".into(), json!(required));
        }
        if let (true, Some(schema)) = (items, &self.items) {
            out.insert("items".into(), schema.to_json(items));
        }
        if !self.branches.is_empty() {
            let branches: Vec<_> = self
                .branches
                .iter()
                .map(|branch| json!({"if": branch.condition(), "then": branch.then.to_json(items)}))
                .collect();
            out.insert("allOf".into(), branches.into());
        }
        Value::Object(out)
    }

    /// Makes this a schema that judges values by itself: a body, an array's item, a parameter.
    ///
    /// With `now` its validator is compiled at once and an error is returned. The built-in contract, whose schemas a
    /// test compiles, leaves that to the first value: an operation that nobody calls costs nothing.
    pub(super) fn judge(&mut self, node: &Node, now: bool) -> Result<(), ContractError> {
        self.judges = true;
        if now {
            let validator =
                self.compile().map_err(|error| node.complain(&format!("this is no schema: {error}")))?;
            self.frame = OnceLock::from(Frame::from(validator));
        }
        Ok(())
    }

    fn compile(&self) -> Result<Validator, ValidationError<'static>> {
        validator(&self.to_json(false))
    }
}

fn validator<F: Json>(schema: &Value) -> Result<Validator<F>, ValidationError<'static>> {
    jsonschema::options_for()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(false)
        // The engine whose time is linear in the text: patterns and texts both come from outside.
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
}

/// Whether `text` is a regular expression that can be matched.
pub(super) fn is_pattern(text: &str) -> bool {
    validator::<SerdeJson>(&json!({"pattern": text})).is_ok()
}

impl Branch {
    /// Whether the branch applies to `value`.
    pub fn applies(&self, value: &Value) -> bool {
        self.applies_to(value)
    }

    fn applies_to<'v, V: View<'v>>(&self, value: V) -> bool {
        let member = self.path.iter().try_fold(value, |value, name| value.member(name));
        member.and_then(V::text).is_some_and(|text| self.values.iter().any(|value| value == text))
    }

    fn condition(&self) -> Value {
        let leaf = json!({"enum": self.values});
        self.path.iter().rev().fold(
            leaf,
            |inner, name| json!({"type": "object", "properties": {name.as_str(): inner}, "required": [name]}),
        )
    }
}

impl JsonType {
    pub(super) fn read(node: &Node) -> Result<Self, ContractError> {
        const ALL: [JsonType; 7] = [
            JsonType::Array,
            JsonType::Boolean,
            JsonType::Integer,
            JsonType::Null,
            JsonType::Number,
            JsonType::Object,
            JsonType::String,
        ];
        let name = node.text()?;
        ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| node.error("a JSON type"))
    }
}

impl<F: Json> From<Validator<F>> for Frame<F> {
    fn from(validator: Validator<F>) -> Self {
        Self(Box::new(validator))
    }
}

impl<F: Json> fmt::Debug for Frame<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Frame")
    }
}
