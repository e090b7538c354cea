//! Imports: all items or none.

use serde_json::Value;

use super::{Home, Run, Step, Stop, full, spellings};
use crate::{Bounds, Reading, TouchedResource, contract::Source, counted::counted, json};

impl Run<'_> {
    pub(super) fn import(&mut self, body: &mut Option<Value>) -> Step {
        let by = self.effect.by.as_ref().and_then(|by| self.sent(by, body.as_ref()));
        let Some(kind) = self.effect.kind(by.as_deref()) else {
            return Err(Stop::Sample);
        };
        let home = self.home(kind)?;
        let sent = self.effect.items.as_ref().map_or_else(String::new, Source::pointer);
        let items = self.items(body);
        if items.is_none() {
            self.say(&sent, "no list, so nothing is imported".into());
        }
        // What nobody checks can have other things among its items: a text, or any body with `--checks off`.
        let (mut touched, mut others) = (None, 0_usize);
        for (index, item) in items.into_iter().flatten().enumerate() {
            let Value::Object(mut members) = item else {
                others += 1;
                continue;
            };
            let sent = format!("{sent}/{index}");
            let parts: Vec<_> =
                kind.parts.iter().map(|part| (part, members.shift_remove(&part.member))).collect();
            let record = self.taken(kind, &kind.take, &home, members, None);
            let (id, own) = self.upsert(&home, record, &sent)?;
            touched.get_or_insert(own);
            for (part, children) in parts {
                let child = &self.contract.resources()[part.resource];
                let children_home = home.of_children(child, &id);
                self.draft.clear(&children_home.place, child);
                let Some(Value::Array(list)) = children else {
                    continue;
                };
                for (index, item) in list.into_iter().enumerate() {
                    let Value::Object(members) = item else {
                        others += 1;
                        continue;
                    };
                    let mut record = self.taken(kind, &part.how, &children_home, members, None);
                    if let Some(parent) = &child.parent {
                        record[&parent.member] = id.as_str().into();
                    }
                    let sent = format!("{sent}/{}/{index}", part.member);
                    self.upsert(&children_home, record, &sent)?;
                }
            }
        }
        if others > 0 {
            self.say(&sent, format!("{} left out, as only objects are imported", counted(others, "item")));
        }
        Ok((None, touched))
    }

    /// Takes the items out of the body; none when there is no list of them.
    fn items(&self, body: &mut Option<Value>) -> Option<Vec<Value>> {
        let Some(Source::Body(at)) = &self.effect.items else {
            return None;
        };
        let sent = body.as_mut()?.pointer_mut(at.text()).map(Value::take)?;
        let list = if let Value::String(text) = &sent { json::parse(text.as_bytes()).ok()? } else { sent };
        if let Value::Array(items) = list { Some(items) } else { None }
    }

    /// Says of the request what is no violation.
    fn say(&mut self, pointer: &str, note: String) {
        if self.readings.len() < spellings::MOST {
            self.readings.push(Reading { ledger: String::new(), pointer: pointer.to_owned(), note });
        }
    }

    /// Stores a record in the place of the one that has its id; one without an id gets one.
    fn upsert(
        &mut self,
        home: &Home,
        mut record: Value,
        sent: &str,
    ) -> Result<(String, TouchedResource), Stop> {
        let own = record.get(&home.resource.id).and_then(Value::as_str).filter(|id| !id.is_empty());
        let id = match own {
            Some(id) => id.to_owned(),
            None => self.draft.make_id(&home.place, &home.resource.id_shape),
        };
        record[&home.resource.id] = id.as_str().into();
        let touched = self.store(home, &id, &record, sent)?;
        // What comes later may free what the session has, but no more: beyond twice its bounds there is no way back.
        let Bounds { resources, bytes } = self.settings.bounds;
        let beyond = Bounds { resources: resources.saturating_mul(2), bytes: bytes.saturating_mul(2) };
        if self.draft.check(&beyond, usize::MAX).is_err() {
            self.draft.check(&self.settings.bounds, self.room).map_err(|found| Stop::Refused(full(found)))?;
        }
        Ok((id, touched))
    }
}
