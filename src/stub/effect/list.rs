//! Lists, page by page, and exports.

use std::borrow::Cow;

use memchr::memmem;
use serde_json::Value;

use super::{Home, Run, Shown, Step, Stop, give::View, noun, scalar};
use crate::{
    Rule, Violation,
    contract::{Cause, Kind, Paging, Pointer, Source, Tell, Way},
    json,
    state::parsed,
    violation::quote,
};

/// A part of a list.
#[derive(Clone, Copy)]
struct Page {
    number: usize,
    skip: usize,
    limit: usize,
}

impl Page {
    /// The only one, with this many records.
    fn only(limit: usize) -> Self {
        Self { number: 1, skip: 0, limit }
    }
}

impl Run<'_> {
    pub(super) fn list(&mut self, body: Option<&Value>) -> Step {
        let kind = &self.effect.kinds[0];
        let home = match self.home(kind) {
            Ok(home) => home,
            Err(stop) => return self.list_without_parent(kind, stop),
        };
        let page = self.effect.page.as_ref().map(|paging| self.page(paging));
        let (skip, limit) = page.map_or((0, usize::MAX), |page| (page.skip, page.limit));
        let wheres = self.wheres(kind, body);
        let mut list = Listing::new(self, kind, page);
        let total = self.records(&home, &wheres, skip, limit, |record| list.add(&home, record));
        if total == 0
            && let Some((_, text, source)) = wheres.first()
            && self.settings.way(&self.effect.missing) == Way::Refuse
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
        Ok((list.shown(total), None))
    }

    /// The list of what belongs to something that is not there.
    fn list_without_parent(&self, kind: &Kind, stop: Stop) -> Step {
        if self.settings.way(&self.effect.missing) != Way::Empty {
            return Err(stop);
        }
        let page = self.effect.page.as_ref().map(|paging| self.page(paging));
        Ok((Listing::new(self, kind, page).shown(0), None))
    }

    pub(super) fn export(&mut self, body: Option<&Value>) -> Step {
        let by = self.effect.by.as_ref().and_then(|by| self.sent(by, body));
        let Some(kind) = self.effect.kind(by.as_deref()) else {
            return Err(Stop::Sample);
        };
        let home = self.home(kind)?;
        let wheres = self.wheres(kind, body);
        let mut list = Listing::new(self, kind, None);
        let total = self.records(&home, &wheres, 0, usize::MAX, |record| list.add(&home, record));
        Ok((list.shown(total), None))
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

    /// Calls `found` with the records of one page, and says how many there are in all.
    fn records(
        &self,
        home: &Home,
        wheres: &[(&Pointer, String, &Source)],
        skip: usize,
        limit: usize,
        mut found: impl FnMut(Value),
    ) -> usize {
        let session = self.draft.session();
        if !home.resource.is_fixed && wheres.is_empty() {
            let page = session.from(&home.place.name, skip).take(limit);
            page.filter_map(parsed).for_each(found);
            return session.count(&home.place.name);
        }
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
        for record in fixed.chain(stored).filter(is_one) {
            if total >= skip && total - skip < limit {
                found(record);
            }
            total += 1;
        }
        total
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
}

/// A reply with a list, made record by record: as values, all of them take many times the memory of their text.
struct Listing<'r> {
    run: &'r Run<'r>,
    kind: &'r Kind,
    /// None when the sample answers.
    view: Option<View<'r>>,
    /// None when all is listed.
    page: Option<Page>,
    /// The reply around the list, with the record in it that is looked at.
    around: Value,
    /// The list so far, without its end.
    text: String,
    count: usize,
    /// Whether every record can be shown.
    holds: bool,
}

impl<'r> Listing<'r> {
    fn new(run: &'r Run, kind: &'r Kind, page: Option<Page>) -> Self {
        let around = run.placed(kind, Value::Array(Vec::new()));
        let view = kind.give.as_ref().map(|give| View::new(run, kind, give));
        let mut list = Self { run, kind, view, page, around, text: "[".into(), count: 0, holds: true };
        // What a sample tells may not hold for its schema.
        list.tell(0);
        list
    }

    fn add(&mut self, home: &Home, record: Value) {
        let (Some(view), Some(give), true) = (&self.view, &self.kind.give, self.holds) else { return };
        // No rule of a contract is about several items, so that one can be judged when it is alone in the list.
        give.at.set(&mut self.around, Value::Array(vec![view.show_with_parts(home, record)]));
        self.holds = self.run.mend(self.kind, &mut self.around);
        for item in give.at.get(&self.around).and_then(Value::as_array).into_iter().flatten() {
            if self.text.len() > 1 {
                self.text.push(',');
            }
            json::write(item, &mut self.text);
        }
        self.count += 1;
    }

    /// Puts what is told about the list around it.
    fn tell(&mut self, total: usize) {
        let page = self.page.unwrap_or(Page::only(total));
        for (at, tell) in &self.run.effect.tells {
            let value = match tell {
                Tell::Limit => page.limit.into(),
                Tell::More => (page.skip.saturating_add(self.count) < total).into(),
                Tell::Number => page.number.into(),
                Tell::Pages => total.div_ceil(page.limit.max(1)).into(),
                Tell::Skip => page.skip.into(),
                Tell::Total => total.into(),
            };
            at.set(&mut self.around, value);
        }
    }

    /// The reply to a list that has so many records in all.
    fn shown(mut self, total: usize) -> Option<Shown> {
        let Self { run, kind, .. } = self;
        let give = kind.give.as_ref()?;
        if !self.holds {
            return Some(Shown::Value(run.sample(kind).clone()));
        }
        give.at.set(&mut self.around, Value::Array(Vec::new()));
        self.tell(total);
        run.mend(kind, &mut self.around);
        self.text.push(']');
        let (around, hole) = give.at.cut(&self.around)?;
        self.text.insert_str(0, &around[..hole]);
        self.text.push_str(&around[hole..]);
        self.text.shrink_to_fit();
        Some(Shown::Text(self.text))
    }
}
