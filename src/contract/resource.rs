//! `x-resources`: what operations make and read, and what is known about its records.

use std::sync::{Arc, OnceLock};

use jsonschema::Validator;
use serde_json::{Map, Value};

use super::{
    ContractError, Operation, Schema,
    choice::{Choice, ChoiceReader, Way},
    pointer::Pointer,
    reader::Node,
    schema::Frame,
    schema_reader::SchemaReader,
    template::{Derived, Template},
};

/// A kind of things that operations make and read.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) name: Arc<str>,
    /// What its records look like; nothing is required in them.
    pub(crate) schema: Schema,
    judge: OnceLock<Frame>,
    /// What the path parameters that tell whose it is are about.
    pub(crate) scope: Vec<String>,
    /// The member with the id.
    pub(crate) id: String,
    pub(crate) id_shape: Template,
    /// Other members that are made when a record is.
    pub(crate) make: Vec<(String, Template)>,
    /// What members are that nothing is stored for.
    pub(crate) derive: Vec<(String, Derived)>,
    /// Members with the time when the record was made.
    pub(crate) created: Vec<String>,
    /// Members with the time when it was changed.
    pub(crate) updated: Vec<String>,
    /// What no two records of a scope have alike.
    pub(crate) unique: Vec<(Pointer, Choice)>,
    pub(crate) references: Vec<Reference>,
    pub(crate) parent: Option<Parent>,
    /// Whether it has the records below alone.
    pub(crate) is_fixed: bool,
    /// Records that nobody can change.
    pub(crate) fixed: Vec<Map<String, Value>>,
}

/// Ids of other things in a record.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) at: Pointer,
    /// The position of the resource that they name.
    pub(crate) resource: usize,
    /// The ledger entry about it; empty when there is none.
    pub(crate) ledger: String,
    pub(crate) source: String,
}

/// What a thing is a part of.
#[derive(Debug)]
pub(crate) struct Parent {
    /// The position of the parent's resource.
    pub(crate) resource: usize,
    /// The member with the parent's id.
    pub(crate) member: String,
    /// What becomes of it when the parent is deleted.
    pub(crate) gone: Choice,
}

impl Resource {
    /// The members that the server makes, whatever a body says.
    pub(crate) fn is_made(&self, name: &str) -> bool {
        self.id == name
            || self.make.iter().any(|(member, _)| member == name)
            || self.created.iter().chain(&self.updated).any(|member| member == name)
            || self.parent.as_ref().is_some_and(|parent| parent.member == name)
    }

    /// Judges records by the schema, in which nothing is required.
    pub(crate) fn judge(&self) -> &Validator {
        let compiled = || self.schema.lenient().expect("the built-in schemas compile, as a test shows");
        &self.judge.get_or_init(|| Frame::from(compiled())).0
    }
}

const MEMBERS: [&str; 11] = [
    "schema",
    "scope",
    "id",
    "make",
    "derive",
    "created",
    "updated",
    "unique",
    "references",
    "parent",
    "fixed",
];

/// Reads `x-resources`; a document may have none. The fixed records of samples come later, by [`fix`].
pub(super) fn read<'a>(
    root: &Node<'a>,
    schemas: &mut SchemaReader<'a>,
    choices: &mut ChoiceReader,
    compile: bool,
) -> Result<Vec<Resource>, ContractError> {
    let Some(node) = root.get("x-resources") else {
        return Ok(Vec::new());
    };
    let names: Vec<_> = node.object()?.keys().map(String::as_str).collect();
    let resources: Vec<_> = node
        .members()?
        .map(|(name, node)| resource(name, &node, &names, schemas, choices, compile))
        .collect::<Result<_, _>>()?;
    for (name, node) in node.members()? {
        let own = resources.iter().find(|resource| *resource.name == *name);
        if let Some(parent) = own.and_then(|own| own.parent.as_ref())
            && (resources[parent.resource].parent.is_some()
                || resources[parent.resource].scope != own.map_or(&[][..], |own| &own.scope))
        {
            return Err(node
                .need("parent")?
                .complain("the parent of a resource has the same scope, and no parent itself"));
        }
    }
    Ok(resources)
}

fn resource<'a>(
    name: &str,
    node: &Node<'a>,
    names: &[&str],
    schemas: &mut SchemaReader<'a>,
    choices: &mut ChoiceReader,
    compile: bool,
) -> Result<Resource, ContractError> {
    node.only("a resource", &MEMBERS)?;
    let schema_node = node.need("schema")?;
    let schema = schemas.describe(&schema_node)?;
    let judge = OnceLock::new();
    if compile {
        let validator =
            schema.lenient().map_err(|error| schema_node.complain(&format!("this is no schema: {error}")))?;
        let _ = judge.set(Frame::from(validator));
    }
    let id = node.need("id")?;
    id.only("an id", &["at", "make"])?;
    let made = |list: Node| {
        list.members()?
            .map(|(at, node)| Ok((member_named(&node, at, &schema)?, Template::made(&node)?)))
            .collect::<Result<Vec<_>, ContractError>>()
    };
    let times = |key: &str| {
        let list = node
            .get(key)
            .map(|list| list.items()?.map(|item| member(&item, &schema)).collect::<Result<Vec<_>, _>>());
        list.transpose().map(Option::unwrap_or_default)
    };
    let mut derive = Vec::new();
    if let Some(list) = node.get("derive") {
        for (at, node) in list.members()? {
            let (member, derived) = (member_named(&node, at, &schema)?, Derived::read(&node)?);
            if let Some(unknown) = derived.members().find(|pointer| pointer.schemas(&schema).is_empty()) {
                return Err(node.complain(&format!("the schema knows no `{}`", unknown.text())));
            }
            derive.push((member, derived));
        }
    }
    let mut unique = Vec::new();
    if let Some(list) = node.get("unique") {
        for (at, node) in list.members()? {
            let at = pointer_named(&node, at, &schema, false)?;
            unique.push((at, choices.read(&node, &[Way::Refuse, Way::Accept])?));
        }
    }
    let mut references = Vec::new();
    if let Some(list) = node.get("references") {
        for (at, node) in list.members()? {
            node.only("a reference", &["resource"])?;
            references.push(Reference {
                at: pointer_named(&node, at, &schema, true)?,
                resource: named(&node.need("resource")?, names)?,
                ledger: node.optional_texts("x-ledger")?.into_iter().next().unwrap_or_default(),
                source: node.origin()?,
            });
        }
    }
    let parent = node.get("parent").map(|node| {
        node.only("a parent", &["resource", "at", "gone"])?;
        Ok(Parent {
            resource: named(&node.need("resource")?, names)?,
            member: member(&node.need("at")?, &schema)?,
            gone: choices.read(&node.need("gone")?, &[Way::Delete, Way::Refuse])?,
        })
    });
    let id_member = member(&id.need("at")?, &schema)?;
    let fixed = node.get("fixed").filter(|node| node.value.is_array());
    let fixed = fixed.map(|list| list.items()?.map(|item| record(&item, &id_member)).collect());
    Ok(Resource {
        name: name.into(),
        scope: node.optional_texts("scope")?,
        id_shape: Template::made(&id.need("make")?)?,
        make: node.get("make").map(made).transpose()?.unwrap_or_default(),
        derive,
        created: times("created")?,
        updated: times("updated")?,
        unique,
        references,
        parent: parent.transpose()?,
        is_fixed: node.get("fixed").is_some(),
        fixed: fixed.transpose()?.unwrap_or_default(),
        id: id_member,
        judge,
        schema,
    })
}

/// Takes the fixed records that are those of a sample.
pub(super) fn fix(
    root: &Node,
    resources: &mut [Resource],
    operations: &[Operation],
) -> Result<(), ContractError> {
    for resource in resources {
        let own = root.get("x-resources").and_then(|all| all.get(&resource.name));
        let Some(node) = own.and_then(|own| own.get("fixed")).filter(|node| node.value.is_object()) else {
            continue;
        };
        node.only("fixed records", &["operation", "example", "at", "members"])?;
        let id = node.need("operation")?;
        let operation = operations.iter().find(|operation| id.value == &*operation.id);
        let operation = operation.ok_or_else(|| id.error("the id of an operation"))?;
        let name = node.need("example")?;
        let mut samples = operation.replies.iter().flat_map(|replies| replies.examples.iter());
        let sample = samples.find(|sample| *name.value == *sample.name);
        let sample = sample.ok_or_else(|| name.error("the name of one of its replies' examples"))?;
        let at = pointer(&node.need("at")?)?;
        let items = at.get(&sample.value).and_then(Value::as_array);
        let items = items.ok_or_else(|| node.complain("expected an array at `at` in that sample"))?;
        for item in items {
            let mut record = item.clone();
            if let Some(members) = node.get("members") {
                for (from, to) in members.members()? {
                    let from = Pointer::parse(from).ok_or_else(|| to.complain(NO_POINTER))?;
                    if let Some(value) = from.remove(&mut record) {
                        pointer(&to)?.set(&mut record, value);
                    }
                }
            }
            match record {
                Value::Object(record) if is_text(record.get(&resource.id)) => resource.fixed.push(record),
                _ => return Err(node.complain("expected each of these to have an id")),
            }
        }
    }
    Ok(())
}

fn record(node: &Node, id: &str) -> Result<Map<String, Value>, ContractError> {
    let record = node.object()?;
    if is_text(record.get(id)) {
        return Ok(record.clone());
    }
    Err(node.complain(&format!("expected an id at `{id}`")))
}

fn is_text(value: Option<&Value>) -> bool {
    value.and_then(Value::as_str).is_some_and(|text| !text.is_empty())
}

pub(super) const NO_POINTER: &str = "expected a JSON pointer, such as `/id`";

/// The pointer that a text is.
pub(super) fn pointer(node: &Node) -> Result<Pointer, ContractError> {
    Pointer::parse(node.text()?).ok_or_else(|| node.error("a JSON pointer, such as `/id`"))
}

/// The pointer `text`, into values that a schema describes; `node` is what it is about.
pub(super) fn pointer_named(
    node: &Node,
    text: &str,
    schema: &Schema,
    every: bool,
) -> Result<Pointer, ContractError> {
    let pointer = Pointer::parse(text).ok_or_else(|| node.complain(NO_POINTER))?;
    if pointer.has_every() && !every {
        return Err(node.complain("`*` cannot stand for an item here"));
    }
    if text.is_empty() || pointer.schemas(schema).is_empty() {
        return Err(node.complain(&format!("the schema knows no `{text}`")));
    }
    Ok(pointer)
}

/// The member at the top of a record that a text points to.
fn member(node: &Node, schema: &Schema) -> Result<String, ContractError> {
    member_named(node, node.text()?, schema)
}

fn member_named(node: &Node, text: &str, schema: &Schema) -> Result<String, ContractError> {
    let pointer = pointer_named(node, text, schema, false)?;
    let member =
        pointer.member().ok_or_else(|| node.complain("expected a member at the top of the record"))?;
    Ok(member.to_owned())
}

/// The position of the resource of this name.
pub(super) fn named(node: &Node, names: &[&str]) -> Result<usize, ContractError> {
    let name = node.text()?;
    names
        .iter()
        .position(|other| *other == name)
        .ok_or_else(|| node.error(&format!("the name of a resource, one of {}", names.join(", "))))
}
