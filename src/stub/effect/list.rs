//! Lists, page by page, and exports.

use std::borrow::Cow;

use memchr::memmem;
use serde_json::Value;

use super::{Home, Run, Shown, Step, Stop, noun, scalar};
use crate::{
    Rule, Violation,
    contract::{Cause, Kind, Paging, Pointer, Source, Tell, Way},
    state::parsed,
    violation::quote,
};

/// A part of a list.
struct Page {
    number: usize,
    skip: usize,
    limit: usize,
}

impl Run<'_> {
    pub(super) fn list(&mut self, body: Option<&Value>) -> Step {
        let kind = &self.effect.kinds[0];
        let home = match self.home(kind) {
            Ok(home) => home,
            Err(stop) => return self.list_without_parent(kind, stop),
        };
        let page = self.effect.page.as_ref().map(|paging| self.page(paging));
        let (skip, limit) = page.as_ref().map_or((0, usize::MAX), |page| (page.skip, page.limit));
        let wheres = self.wheres(kind, body);
        let (records, total) = self.records(&home, &wheres, skip, limit);
        if total == 0
            && let Some((_, text, source)) = wheres.first()
            && self.effect.missing.taken(&self.settings.assume) == Way::Refuse
        {
            return Err(Stop::refused(
                Cause::Missing,
                Violation {
                    pointer: source.pointer(),
                    rule: Rule::Reference,
                    expected: format!("what {} that is there has", noun(home.resource)),
                    found: quote(text),
                    source: self.effect.missing.source.clone(),
                },
            ));
        }
        let count = records.len();
        let shown = self.show_all(kind, &home, records.into_iter());
        let page = page.unwrap_or(Page { number: 1, skip: 0, limit: total });
        let shown = shown.map(|shown| self.told(kind, shown, &page, count, total));
        Ok((shown.map(Shown::Value), None))
    }

    /// The list of what belongs to something that is not there.
    fn list_without_parent(&self, kind: &Kind, stop: Stop) -> Step {
        if self.effect.missing.taken(&self.settings.assume) != Way::Empty {
            return Err(stop);
        }
        let empty = kind.give.as_ref().map(|_| Value::Array(Vec::new()));
        let page = self.effect.page.as_ref().map(|paging| self.page(paging));
        let page = page.unwrap_or(Page { number: 1, skip: 0, limit: 0 });
        let shown = empty.map(|shown| self.told(kind, shown, &page, 0, 0));
        Ok((shown.map(Shown::Value), None))
    }

    pub(super) fn export(&mut self, body: Option<&Value>) -> Step {
        let by = self.effect.by.as_ref().and_then(|by| self.sent(by, body));
        let Some(kind) = self.effect.kind(by.as_deref()) else {
            return Err(Stop::Sample);
        };
        let home = self.home(kind)?;
        let wheres = self.wheres(kind, body);
        let (records, _) = self.records(&home, &wheres, 0, usize::MAX);
        let shown = self.show_all(kind, &home, records.into_iter());
        Ok((shown.map(|shown| Shown::Value(self.reply(kind, shown))), None))
    }

    /// What was sent there, as text.
    pub(super) fn sent(&self, source: &Source, body: Option<&Value>) -> Option<String> {
        match source {
            Source::Body(at) => scalar(at.get(body?)?),
            other => self.text(other).map(Cow::into_owned),
        }
    }

    /// What records have to have: where, and which text.
    fn wheres<'k>(&self, kind: &'k Kind, body: Option<&Value>) -> Vec<(&'k Pointer, String, &'k Source)> {
        let wheres = kind.wheres.iter();
        wheres.filter_map(|(at, source)| Some((at, self.sent(source, body)?, source))).collect()
    }

    /// The records of one page, and how many there are in all.
    fn records(
        &self,
        home: &Home,
        wheres: &[(&Pointer, String, &Source)],
        skip: usize,
        limit: usize,
    ) -> (Vec<Value>, usize) {
        let session = self.draft.session();
        if home.resource.is_fixed || !wheres.is_empty() {
            // A text that is not in the record's JSON needs no reading.
            let quoted: Vec<_> =
                wheres.iter().map(|(_, text, _)| Value::from(text.as_str()).to_string()).collect();
            let finders: Vec<_> =
                quoted.iter().map(|text| memmem::Finder::new(&text.as_bytes()[1..text.len() - 1])).collect();
            let may_be = |record: &&std::sync::Arc<str>| {
                finders.iter().all(|finder| finder.find(record.as_bytes()).is_some())
            };
            let stored = session.from(&home.place.name, 0).filter(may_be);
            let stored = stored.filter_map(parsed);
            let fixed = home.resource.fixed.iter().map(|record| Value::Object(record.clone()));
            let is_one = |record: &Value| {
                wheres.iter().all(|(at, text, _)| at.get(record).and_then(scalar).as_ref() == Some(text))
            };
            let mut total = 0;
            let mut page = Vec::new();
            for record in fixed.chain(stored).filter(is_one) {
                if total >= skip && page.len() < limit {
                    page.push(record);
                }
                total += 1;
            }
            return (page, total);
        }
        let page = session.from(&home.place.name, skip).take(limit);
        (page.filter_map(parsed).collect(), session.count(&home.place.name))
    }

    fn page(&self, paging: &Paging) -> Page {
        let number = |source: &Option<Source>| {
            let text = source.as_ref().and_then(|source| self.text(source))?;
            text.trim().parse::<usize>().ok()
        };
        let limit = paging.limit(|source| self.inputs.of_source(source));
        let own = number(&paging.number).unwrap_or(1).max(1);
        match number(&paging.skip) {
            Some(skip) => Page { number: (skip / limit).saturating_add(1), skip, limit },
            None => Page { number: own, skip: (own - 1).saturating_mul(limit), limit },
        }
    }

    /// The reply with a list in it, and what it tells about the list.
    fn told(&self, kind: &Kind, shown: Value, page: &Page, count: usize, total: usize) -> Value {
        let mut reply = self.placed(kind, shown);
        for (at, tell) in &self.effect.tells {
            let value = match tell {
                Tell::Limit => page.limit.into(),
                Tell::More => (page.skip.saturating_add(count) < total).into(),
                Tell::Number => page.number.into(),
                Tell::Pages => total.div_ceil(page.limit.max(1)).into(),
                Tell::Skip => page.skip.into(),
                Tell::Total => total.into(),
            };
            at.set(&mut reply, value);
        }
        self.mend(kind, &mut reply);
        reply
    }
}
