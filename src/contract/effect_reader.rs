//! Reads `x-effect` of an operation; every pointer in it is checked against the schemas.

use std::sync::{Arc, OnceLock};

use super::{
    ContractError, Operation, Place, Resource, Schema,
    choice::{Choice, ChoiceReader, Way},
    effect::{Does, Effect, Give, Kind, Moves, Paging, Part, Source, Take, Tell},
    pointer::Pointer,
    reader::Node,
    resource::{NO_POINTER, named, pointer_named},
    schema::Frame,
};
use crate::pointer::unescape;

/// Reads the effects of one document.
pub(super) struct EffectReader<'a, 'c> {
    pub(super) resources: &'a [Resource],
    pub(super) choices: &'a mut ChoiceReader<'c>,
    /// Whether the schemas of replies are compiled while they are read.
    pub(super) compile: bool,
}

impl EffectReader<'_, '_> {
    pub(super) fn read(&mut self, operation: &Operation, node: &Node) -> Result<Effect, ContractError> {
        let does = does(&node.need("does")?)?;
        node.only(&format!("an effect that is `{}`", does_name(does)), members(does))?;
        let success = &operation.replies[operation.success()];
        let reply = success.schema.as_ref().map(Arc::clone);
        let reply = reply.ok_or_else(|| {
            node.complain("expected a schema for the body of the reply to a success, but found none")
        })?;
        let one = |key: &str| node.get(key).map(|node| source(operation, None, &node)).transpose();
        let (by, items) = (one("by")?, one("items")?);
        let item_schemas = match &items {
            Some(Source::Body(at)) => {
                let lists = body(operation).map(|body| at.schemas(body)).unwrap_or_default();
                lists.into_iter().filter_map(|list| list.items.as_deref()).collect()
            }
            Some(_) => {
                return Err(node.need("items")?.error("a pointer into the body, such as `/body/data`"));
            }
            None => Vec::new(),
        };
        let kinds = if matches!(does, Does::Export | Does::Import) {
            let list = node.need("kinds")?;
            let read = |node| self.kind(operation, does, &node, &item_schemas, &reply);
            list.items()?.map(read).collect::<Result<Vec<_>, _>>()?
        } else {
            vec![self.kind(operation, does, node, &[], &reply)?]
        };
        let parent = self.parent(operation, node, &kinds[0], does)?;
        let key = match does {
            Does::Delete | Does::Read | Does::Update => {
                let key = node.need("key")?;
                Some(source(operation, None, &key)?)
            }
            _ => None,
        };
        if matches!(does, Does::Export | Does::Import) {
            node.need("by")?;
        }
        if does == Does::Import {
            node.need("items")?;
        }
        let ways: &[Way] = match does {
            Does::Create | Does::Delete | Does::Read => &[Way::Refuse, Way::Sample],
            Does::List if parent.is_some() => &[Way::Refuse, Way::Sample, Way::Empty],
            Does::List => &[Way::Empty, Way::Refuse],
            Does::Update => &[Way::Refuse, Way::Sample, Way::Create],
            Does::Export | Does::Import => &[],
        };
        let can_miss = key.is_some() || parent.is_some();
        let missing = match node.get("missing") {
            Some(missing) if can_miss || does == Does::List => self.choices.read(&missing, ways)?,
            Some(missing) => return Err(missing.complain("nothing can be missing here")),
            None if can_miss => return Err(node.need("missing").err().unwrap_or_else(|| node.complain(""))),
            None => Choice::fixed(Way::Empty),
        };
        let left_out = match does {
            Does::Update => self.choices.read(&node.need("leftOut")?, &[Way::Keep, Way::Clear])?,
            _ => Choice::fixed(Way::Keep),
        };
        let mut also = Vec::new();
        if let Some(list) = node.get("also") {
            for (at, node) in list.members()? {
                let at = pointer_named(&node, at, &self.resources[kinds[0].resource].schema, false)?;
                also.push((at, self.choices.read(&node, &[Way::Shown, Way::Hidden])?));
            }
        }
        let mut tells = Vec::new();
        if let Some(list) = node.get("tells") {
            if kinds[0].give.as_ref().is_none_or(|give| give.at.text().is_empty()) {
                return Err(list.complain("expected `give` with the list `at` a place beside what is told"));
            }
            for (at, node) in list.members()? {
                tells.push((pointer_named(&node, at, &reply, false)?, tell(&node)?));
            }
        }
        let judge = OnceLock::new();
        if self.compile {
            let _ = judge.set(Frame::from(reply.validator()?));
        }
        let page = node.get("page").map(|node| paging(operation, &node)).transpose()?;
        Ok(Effect { does, by, items, kinds, key, parent, also, left_out, missing, page, tells, reply, judge })
    }

    fn parent(
        &self,
        operation: &Operation,
        node: &Node,
        kind: &Kind,
        does: Does,
    ) -> Result<Option<Source>, ContractError> {
        let has_parent = self.resources[kind.resource].parent.is_some();
        match node.get("parent") {
            Some(parent) if has_parent => Ok(Some(source(operation, None, &parent)?)),
            Some(parent) => Err(parent.complain("this resource has no parent")),
            None if has_parent && matches!(does, Does::Export | Does::Import) => {
                Err(node.complain("what has a parent is imported and exported as a part of it"))
            }
            None if has_parent => Err(node.need("parent").err().unwrap_or_else(|| node.complain(""))),
            None => Ok(None),
        }
    }

    fn kind(
        &self,
        operation: &Operation,
        does: Does,
        node: &Node,
        items: &[&Schema],
        reply: &Schema,
    ) -> Result<Kind, ContractError> {
        if matches!(does, Does::Export | Does::Import) {
            node.only("a kind", &["values", "resource", "take", "give", "where", "parts"])?;
            if node.need("values")?.texts()?.is_empty() {
                return Err(node.need("values")?.error("at least one text"));
            }
        }
        let names: Vec<_> = self.resources.iter().map(|resource| &*resource.name).collect();
        let index = named(&node.need("resource")?, &names)?;
        let resource = &self.resources[index];
        let changes = !matches!(does, Does::Export | Does::List | Does::Read);
        if changes && resource.is_fixed {
            return Err(node.complain("the records of this resource are fixed; they can be read and listed"));
        }
        let scope = resource.scope.iter().map(|name| {
            let mut parameters = operation.parameters_in(Place::Path);
            let own = parameters.find(|parameter| parameter.scope.as_ref() == Some(name));
            own.map(|parameter| parameter.name.clone()).ok_or_else(|| {
                node.complain(&format!(
                    "expected a path parameter whose `x-scope` is `{name}`, but found none"
                ))
            })
        });
        let scope = scope.collect::<Result<_, _>>()?;
        let mut wheres = Vec::new();
        if let Some(list) = node.get("where") {
            for (at, node) in list.members()? {
                let at = pointer_named(&node, at, &resource.schema, false)?;
                wheres.push((at, source(operation, None, &node)?));
            }
        }
        let mut parts = Vec::new();
        if let Some(list) = node.get("parts") {
            for (member, own, node) in self.parts(&list, &names, index, &["resource", "take"])? {
                let within = Pointer::parse(&format!("/{member}")).unwrap_or_default();
                let lists = items.iter().flat_map(|schema| within.schemas(schema));
                let items: Vec<_> = lists.filter_map(|list| list.items.as_deref()).collect();
                let how = take(operation, &node, &items, &self.resources[own])?;
                parts.push(Part { member, resource: own, how });
            }
        }
        let give = node.get("give").map(|give| {
            let at = match give.get("at") {
                Some(at) if at.value != "" => pointer_named(&at, at.text()?, reply, false)?,
                _ => Pointer::default(),
            };
            let mut shown = at.schemas(reply);
            if matches!(does, Does::Export | Does::List) {
                shown = shown.into_iter().filter_map(|list| list.items.as_deref()).collect();
                if shown.is_empty() {
                    return Err(give.complain("expected `at` to name an array of the reply"));
                }
            }
            self.give(operation, &give, at, index, &shown)
        });
        Ok(Kind {
            values: node.optional_texts("values")?,
            resource: index,
            scope,
            take: take(operation, node, items, resource)?,
            give: give.transpose()?,
            wheres,
            parts,
        })
    }

    /// The members of `parts`: name, resource and node of each.
    fn parts<'n>(
        &self,
        list: &Node<'n>,
        names: &[&str],
        parent: usize,
        own: &[&str],
    ) -> Result<Vec<(String, usize, Node<'n>)>, ContractError> {
        let part = |(at, node): (&str, Node<'n>)| {
            node.only("a part", own)?;
            let resource = named(&node.need("resource")?, names)?;
            let is_child =
                |resource: &Resource| resource.parent.as_ref().is_some_and(|its| its.resource == parent);
            if !is_child(&self.resources[resource]) {
                return Err(node.complain("expected a resource whose parent this one is"));
            }
            let pointer = Pointer::parse(at).ok_or_else(|| node.complain(NO_POINTER))?;
            let member = pointer.member().ok_or_else(|| node.complain("expected a member at the top"))?;
            Ok((member.to_owned(), resource, node))
        };
        list.members()?.map(part).collect()
    }

    fn give(
        &self,
        operation: &Operation,
        node: &Node,
        at: Pointer,
        resource: usize,
        shown: &[&Schema],
    ) -> Result<Give, ContractError> {
        node.only("`give`", &["at", "members", "count", "only", "whole", "fill", "parts"])?;
        let schema = &self.resources[resource].schema;
        let known = |node: &Node, text: &str| known(node, text, shown, "the reply");
        let mut only = Vec::new();
        if let Some(list) = node.get("only") {
            for (member, node) in list.members()? {
                let at = known(&node, member)?;
                for (from, values) in node.members()? {
                    only.push((at.clone(), source_named(operation, None, &values, from)?, values.texts()?));
                }
            }
        }
        let names: Vec<_> = self.resources.iter().map(|resource| &*resource.name).collect();
        let mut parts = Vec::new();
        if let Some(list) = node.get("parts") {
            for (member, own, node) in self.parts(&list, &names, resource, &["resource", "members"])? {
                let within = known(&node, &format!("/{member}"))?;
                let lists = shown.iter().flat_map(|schema| within.schemas(schema));
                let items: Vec<_> = lists.filter_map(|list| list.items.as_deref()).collect();
                let how = moves(&node, &self.resources[own].schema, &items)?;
                parts.push(Part { member, resource: own, how });
            }
        }
        let count = node.get("count").map(|list| {
            list.items()?.map(|item| pointer_named(&item, item.text()?, schema, false)).collect()
        });
        let fill = node.get("fill");
        let required_alone = match fill.as_ref().map(Node::text).transpose()? {
            None | Some("sample") => false,
            Some("required") => true,
            Some(_) => return Err(node.need("fill")?.error("sample or required")),
        };
        let whole =
            node.get("whole").map(|whole| whole.value.as_bool().ok_or_else(|| whole.error("true or false")));
        Ok(Give {
            at,
            members: moves(node, schema, shown)?,
            count: count.transpose()?.unwrap_or_default(),
            only,
            whole: whole.transpose()?.unwrap_or_default(),
            required_alone,
            parts,
        })
    }
}

/// `members` of what is given: record pointers, each with where it is shown.
fn moves(node: &Node, record: &Schema, shown: &[&Schema]) -> Result<Moves, ContractError> {
    let Some(list) = node.get("members") else {
        return Ok(Vec::new());
    };
    list.members()?
        .map(|(from, to)| {
            let from = pointer_named(&to, from, record, false)?;
            let to =
                if to.value.is_null() { None } else { Some(known(&to, to.text()?, shown, "the reply")?) };
            Ok((from, to))
        })
        .collect()
}

/// `take`: places in the request, each with where it goes in the record.
fn take(
    operation: &Operation,
    node: &Node,
    items: &[&Schema],
    resource: &Resource,
) -> Result<Take, ContractError> {
    let Some(list) = node.get("take") else {
        return Ok(Vec::new());
    };
    list.members()?
        .map(|(from, to)| {
            let source = source_named(operation, Some(items), &to, from)?;
            let to = if to.value.is_null() {
                None
            } else {
                Some(pointer_named(&to, to.text()?, &resource.schema, false)?)
            };
            Ok((source, to))
        })
        .collect()
}

/// The pointer into what one of these schemas describes.
fn known(node: &Node, text: &str, schemas: &[&Schema], what: &str) -> Result<Pointer, ContractError> {
    let pointer = Pointer::parse(text).ok_or_else(|| node.complain(NO_POINTER))?;
    if text.is_empty()
        || pointer.has_every()
        || schemas.iter().all(|schema| pointer.schemas(schema).is_empty())
    {
        return Err(node.complain(&format!("the schema of {what} knows no `{text}` here")));
    }
    Ok(pointer)
}

fn source(operation: &Operation, items: Option<&[&Schema]>, node: &Node) -> Result<Source, ContractError> {
    source_named(operation, items, node, node.text()?)
}

/// The place in a request that `text` names; `node` is what it is about.
fn source_named(
    operation: &Operation,
    items: Option<&[&Schema]>,
    node: &Node,
    text: &str,
) -> Result<Source, ContractError> {
    let wrong = || {
        node.complain(&format!(
            "expected a pointer into the request, such as `/path/NAME` or `/body/NAME`, but found `{text}`"
        ))
    };
    let (place, rest) = text.strip_prefix('/').ok_or_else(wrong)?.split_once('/').ok_or_else(wrong)?;
    let name = || unescape(rest).into_owned();
    let parameter = |place: Place| {
        let name = name();
        if operation.parameters_in(place).any(|parameter| parameter.name == name) {
            return Ok(name);
        }
        Err(node.complain(&format!("the operation has no {} parameter `{name}`", place.name())))
    };
    let within = |schemas: &[&Schema]| known(node, &format!("/{rest}"), schemas, "the request");
    Ok(match (place, items) {
        ("path", _) => Source::Path(parameter(Place::Path)?),
        ("query", _) => Source::Query(parameter(Place::Query)?),
        ("header", _) => Source::Header(parameter(Place::Header)?),
        ("body", _) => Source::Body(within(body(operation).as_slice())?),
        ("item", Some(items)) if !items.is_empty() => Source::Item(within(items)?),
        _ => return Err(wrong()),
    })
}

fn body(operation: &Operation) -> Option<&Schema> {
    operation.body.as_ref().map(|body| &body.schema)
}

fn paging(operation: &Operation, node: &Node) -> Result<Paging, ContractError> {
    node.only("`page`", &["number", "skip", "limit", "size", "most"])?;
    let one = |key: &str| node.get(key).map(|node| source(operation, None, &node)).transpose();
    let size = |node: Node| {
        let size = node.size()?;
        usize::try_from(size).ok().filter(|size| *size > 0).ok_or_else(|| node.error("a number above 0"))
    };
    let most = node.get("most").map(size).transpose()?.unwrap_or(usize::MAX);
    Ok(Paging {
        number: one("number")?,
        skip: one("skip")?,
        limit: one("limit")?,
        size: size(node.need("size")?)?,
        most,
    })
}

const ALL: [(&str, Does); 7] = [
    ("create", Does::Create),
    ("read", Does::Read),
    ("list", Does::List),
    ("update", Does::Update),
    ("delete", Does::Delete),
    ("import", Does::Import),
    ("export", Does::Export),
];

fn does(node: &Node) -> Result<Does, ContractError> {
    let text = node.text()?;
    let names = ALL.map(|(name, _)| name).join(", ");
    let found = ALL.into_iter().find(|(name, _)| *name == text);
    found.map(|(_, does)| does).ok_or_else(|| node.error(&format!("one of {names}")))
}

fn does_name(does: Does) -> &'static str {
    ALL.into_iter().find(|(_, other)| *other == does).map_or("", |(name, _)| name)
}

/// What an effect of this kind may say.
fn members(does: Does) -> &'static [&'static str] {
    match does {
        Does::Create => &["does", "resource", "parent", "take", "give", "also", "missing"],
        Does::Delete | Does::Read => &["does", "resource", "key", "parent", "give", "missing"],
        Does::Export => &["does", "by", "kinds"],
        Does::Import => &["does", "by", "items", "kinds"],
        Does::List => &["does", "resource", "parent", "where", "page", "tells", "give", "missing"],
        Does::Update => &["does", "resource", "key", "parent", "take", "leftOut", "give", "also", "missing"],
    }
}

fn tell(node: &Node) -> Result<Tell, ContractError> {
    const ALL: [(&str, Tell); 6] = [
        ("limit", Tell::Limit),
        ("more", Tell::More),
        ("number", Tell::Number),
        ("pages", Tell::Pages),
        ("skip", Tell::Skip),
        ("total", Tell::Total),
    ];
    let text = node.text()?;
    let names = ALL.map(|(name, _)| name).join(", ");
    let found = ALL.into_iter().find(|(name, _)| *name == text);
    found.map(|(_, tell)| tell).ok_or_else(|| node.error(&format!("one of {names}")))
}
