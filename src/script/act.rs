//! What scripts do to an exchange that was decided.

use std::sync::{Arc, atomic::Ordering};

use super::{
    RATE_LIMIT, Scripts,
    draw::Draw,
    list::{Entry, lock},
    plan::{Plan, with},
};
use crate::{
    Change, Exchange, Reply, Request, Step, Stub, contract::Place, judge::Judge, matching::Body, percent,
    token,
};

impl Scripts {
    /// Lets the first script act that is about an exchange which `stub` has decided: changes what is sent, says what is to
    /// happen to it on its way, and empties `change` when the session is to stay as it was.
    pub fn act(&self, stub: &Stub, exchange: &mut Exchange, change: &mut Change) {
        if self.is_idle.load(Ordering::Relaxed) {
            return;
        }
        if let Some(seconds) = self.wait(exchange) {
            self.refuse(seconds, stub, exchange, change);
            return;
        }
        let entries = self.entries();
        if let Some((entry, draw)) = self.chosen(&entries, exchange) {
            entry.acted.fetch_add(1, Ordering::Relaxed);
            self.carry_out(entry, &draw, stub, exchange, change);
        }
    }

    /// The first script that acts on an exchange. All that are about it count it, whichever acts.
    fn chosen<'e>(&self, entries: &'e [Arc<Entry>], exchange: &Exchange) -> Option<(&'e Entry, Draw)> {
        if entries.is_empty() {
            return None;
        }
        let session = exchange.session();
        let body = Body::of(&exchange.request);
        let is_about = |entry: &&Arc<Entry>| entry.plan.matches(exchange, session, &body, entry.until);
        let matching: Vec<_> = entries.iter().filter(is_about).collect();
        if matching.is_empty() {
            return None;
        }
        let numbers = matching.iter().map(|entry| entry.number);
        let counts = lock(&self.counts).next(session, numbers);
        let mut chosen = None;
        for (entry, count) in matching.into_iter().zip(counts) {
            entry.matched.fetch_add(1, Ordering::Relaxed);
            let draw = || Draw::new(self.settings.seed, session, &entry.id, count);
            if chosen.is_none() && entry.plan.acts_on(count, draw) {
                chosen = Some((&**entry, draw()));
            }
        }
        chosen
    }

    fn carry_out(
        &self,
        entry: &Entry,
        draw: &Draw,
        stub: &Stub,
        exchange: &mut Exchange,
        change: &mut Change,
    ) {
        let Plan { then, commit, .. } = &entry.plan;
        // What the request asks for itself goes before what a script says.
        let mut scripted = exchange.scripted.take().unwrap_or_default();
        let course = &mut scripted.course;
        if !stub.is_asked_to_wait(&exchange.request) {
            course.delay = then.delay.drawn(draw).min(stub.settings().max_delay);
        }
        course.throttle = course.throttle.or(then.throttle);
        course.fault = course.fault.or(then.fault);
        scripted.script = Some(Arc::clone(&entry.id));
        exchange.scripted = Some(scripted);
        if let Some(reply) = then.reply(stub, exchange) {
            self.send(reply, exchange);
        }
        let refuses = then.reply.is_some() && exchange.reply.status >= 400;
        if !commit.unwrap_or(!refuses) {
            discard(exchange, change);
        }
    }

    /// In how many seconds the account of an exchange may send its next request; none when this one is not too many.
    fn wait(&self, exchange: &Exchange) -> Option<u64> {
        let limit = self.limit.as_ref()?;
        // Who is not known to the service has no account there.
        if matches!(exchange.step, Step::Route | Step::Authorize) {
            return None;
        }
        let account = self.account(exchange);
        lock(limit).pass(exchange.session(), &account, exchange.request.received).err()
    }

    /// Whose request it is: as the parameter says that names the account, else the token's client.
    fn account(&self, exchange: &Exchange) -> String {
        let request = &exchange.request;
        let operation = exchange.operation.as_deref().and_then(|id| self.contract.operation(id));
        let name = self.contract.rate_limit().map_or("", |limit| limit.account.as_str());
        let parameters = operation.iter().flat_map(|operation| &operation.parameters);
        let mut sent = parameters.filter(|parameter| parameter.name == name).filter_map(|parameter| {
            match parameter.place {
                Place::Header => header(request, &name.to_ascii_lowercase()),
                Place::Path => operation?
                    .path_values(request.path())?
                    .find(|(own, _)| *own == name)
                    .map(|it| it.1.to_owned()),
                Place::Query => {
                    let mut pairs = percent::pairs(request.query().unwrap_or_default());
                    pairs.find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
                }
            }
        });
        sent.next().unwrap_or_else(|| {
            let token =
                self.contract.token_header().and_then(|name| header(request, name)).unwrap_or_default();
            let token = token::read(token.as_bytes(), self.contract.token_claim());
            token.ok().and_then(|token| token.client().ok().map(str::to_owned)).unwrap_or_default()
        })
    }

    /// Refuses a request that is one too many.
    fn refuse(&self, seconds: u64, stub: &Stub, exchange: &mut Exchange, change: &mut Change) {
        let sample = self.contract.rate_limit().map(|limit| limit.sample.as_str());
        let reply = stub.sample(exchange.operation.as_deref(), None, sample);
        let Some(mut reply) = reply else { return };
        reply.headers = with(&reply.headers, &[("retry-after".to_owned(), seconds.to_string())]);
        stub.say_of_request(&mut reply, exchange);
        exchange.scripted.get_or_insert_default().script = Some(RATE_LIMIT.into());
        self.send(reply, exchange);
        discard(exchange, change);
    }

    /// Puts a reply in the place of the one that was decided, and says what of it is not as the contract has it.
    fn send(&self, reply: Reply, exchange: &mut Exchange) {
        let operation = exchange.operation.as_deref();
        let breaches = self
            .judge(operation)
            .map_or_else(Vec::new, |judge| judge.judge(operation, reply.status, &reply.headers, &reply.body));
        let scripted = exchange.scripted.get_or_insert_default();
        scripted.breaches = breaches;
        scripted.decided = Some(std::mem::replace(&mut exchange.reply, reply));
    }

    /// Makes what a script will need that sends another reply to an operation.
    pub(super) fn prepare(&self, plan: &Plan) {
        let operation = plan.when.operation.as_deref();
        if operation.is_some() && (plan.then.reply.is_some() || plan.then.patch.is_some()) {
            self.judge(operation);
        }
    }

    fn judge(&self, operation: Option<&str>) -> Option<&Judge> {
        let all = self.contract.operations();
        let index = operation.and_then(|id| all.iter().position(|operation| *operation.id == *id));
        let own = index.map_or(all, |index| &all[index..=index]);
        self.judges.get(index.unwrap_or(all.len()))?.get_or_init(|| Judge::of(own).ok()).as_ref()
    }
}

/// Lets the session of an exchange stay as it was.
fn discard(exchange: &mut Exchange, change: &mut Change) {
    if change.is_empty() {
        return;
    }
    *change = Change::default();
    exchange.scripted.get_or_insert_default().discarded = true;
    if let Some(state) = &mut exchange.state {
        state.after = state.before;
        state.resource = None;
    }
}

fn header(request: &Request, name: &str) -> Option<String> {
    request.headers.all(name).next().map(|value| String::from_utf8_lossy(value).into_owned())
}
