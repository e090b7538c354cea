//! Steps 1 to 4 in their order: what the contract says about a request, before any session has a part in it.

use std::{borrow::Cow, sync::Arc};

use serde_json::Value;

use super::{
    Checks, Stub, answer,
    arguments::Arguments,
    authorize, body,
    findings::Findings,
    hints,
    inputs::Inputs,
    names, profile, readings,
    route::{self, Route},
    spellings, validate,
};
use crate::{
    Reading, Reply, Request, Step, Violation,
    contract::{Cause, origin},
    json::{self, Flat},
};

impl Stub {
    /// What the contract says about a request.
    pub(super) fn judge(&self, request: &Request) -> Verdict {
        let route = match route::find(&self.contract, request) {
            Ok(route) => route,
            Err(refusal) => return self.refuse(request, None, Step::Route, *refusal),
        };
        let (index, operation) = (route.index, route.operation);
        if let Some(header) = self.contract.token_header()
            && let Err(violation) = authorize::check(
                header,
                self.contract.token_claim(),
                || origin::on_page(self.contract.token_source(), &operation.source),
                request,
                &self.settings.token,
                &self.token,
            )
        {
            return self.refuse(request, Some(index), Step::Authorize, violation.into());
        }
        let flat = self.flat(&route, request);
        let looked = flat.as_ref().and_then(|flat| self.look(&route, request, flat));
        looked.unwrap_or_else(|| self.read(&route, request, flat.as_ref()))
    }

    /// The body of a request, to take a look at; none where that is of no use, or reading it has more to say.
    fn flat<'r>(&self, route: &Route, request: &'r Request) -> Option<Flat<'r>> {
        let operation = route.operation;
        let has_state = self.settings.state.is_some() && operation.effect.is_some();
        let echoes = operation.replies[operation.success()].echoes;
        if has_state || echoes || self.settings.checks == Checks::Off {
            return None;
        }
        body::look(operation.body.as_ref()?, request, self.settings.max_body)?;
        Flat::read(&request.body)
    }

    /// The verdict on a request, whose body is read, if that is not done.
    fn read(&self, route: &Route, request: &Request, flat: Option<&Flat>) -> Verdict {
        let (index, operation) = (route.index, route.operation);
        let mut body = match body::read(operation, request, self.settings.max_body, flat) {
            Ok(body) => body,
            Err(refusal) => return self.refuse(request, Some(index), Step::Body, *refusal),
        };
        let mut findings = Findings::default();
        let mut readings = Vec::new();
        let mut inputs = Inputs::default();
        let has_state = self.settings.state.is_some() && operation.effect.is_some();
        if self.settings.checks == Checks::Off && has_state {
            let path = &route.path_values;
            let (mut passed_over, mut unsaid) = (Findings::default(), Vec::new());
            let arguments = Arguments::of(operation, path, request, &mut passed_over, &mut unsaid);
            inputs = Inputs::of(&arguments);
            if let (Some(spec), Some(value)) = (&operation.body, &mut body) {
                spellings::rename(&spec.schema, value, &mut unsaid);
            }
        }
        if self.settings.checks != Checks::Off {
            let path = &route.path_values;
            let arguments = Arguments::of(operation, path, request, &mut findings, &mut readings);
            validate::parameters(&arguments, &mut findings);
            if let (Some(spec), Some(value)) = (&operation.body, &mut body) {
                spellings::rename(&spec.schema, value, &mut readings);
                validate::body(&spec.schema, value, &mut findings);
            }
            readings::find(operation, &arguments, body.as_ref(), &mut readings);
            if has_state {
                inputs = Inputs::of(&arguments);
            }
            if !findings.violations.is_empty() {
                names::parameters(operation, self.contract.token_header(), request, &mut findings);
                let body = body.as_ref();
                hints::other_operation(&self.contract, operation, body, &mut findings, &mut readings);
            }
        }
        let (step, decision) = if self.settings.checks == Checks::Enforce && !findings.violations.is_empty() {
            let reply = self.profile.refusal(Some(index), Cause::Violations, &findings);
            (Step::Validate, Decision::Refused(reply))
        } else {
            (Step::Answer, Decision::Accepted { index, body: Sent::Read(body), inputs })
        };
        Verdict { operation: Some(Arc::clone(&operation.id)), step, findings, readings, decision }
    }

    /// The verdict on a request with a body that breaks nothing, without reading more of it than is looked at: most are such.
    /// None when there may be more to say.
    fn look(&self, route: &Route, request: &Request, flat: &Flat) -> Option<Verdict> {
        let (index, operation) = (route.index, route.operation);
        let spec = operation.body.as_ref()?;
        if spellings::has_others(&spec.schema, flat.root()) || !spec.schema.is_kept_by(flat) {
            return None;
        }
        let (mut findings, mut readings) = (Findings::default(), Vec::new());
        let arguments = Arguments::of(operation, &route.path_values, request, &mut findings, &mut readings);
        validate::parameters(&arguments, &mut findings);
        if !findings.violations.is_empty() {
            return None;
        }
        readings::find(operation, &arguments, Some(flat.root()), &mut readings);
        let usual = answer::usual(operation, request, self.settings.errors, flat.root());
        let decision = Decision::Accepted { index, body: Sent::Plain { usual }, inputs: Inputs::default() };
        let operation = Some(Arc::clone(&operation.id));
        Some(Verdict { operation, step: Step::Answer, findings, readings, decision })
    }

    fn refuse(&self, request: &Request, index: Option<usize>, step: Step, refusal: Refusal) -> Verdict {
        let operation = index.map(|index| &self.contract.operations()[index]);
        let cause = profile::cause(step, &refusal.violation);
        let mut findings = Findings::from(refusal.violation);
        let readings = refusal.reading.into_iter().collect();
        if let Some(operation) = operation {
            names::parameters(operation, self.contract.token_header(), request, &mut findings);
        }
        let mut reply = self.profile.refusal(index, cause, &findings);
        if let Some(allow) = refusal.allow {
            reply.headers.push("allow", allow.as_bytes());
        }
        Verdict {
            operation: operation.map(|operation| Arc::clone(&operation.id)),
            step,
            findings,
            readings,
            decision: Decision::Refused(reply),
        }
    }
}

/// What the contract says about a request.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) operation: Option<Arc<str>>,
    pub(super) step: Step,
    pub(super) findings: Findings,
    pub(super) readings: Vec<Reading>,
    pub(super) decision: Decision,
}

/// What is left to do.
#[derive(Debug)]
pub(super) enum Decision {
    /// The operation at this position answers; the names in the body are canonical.
    Accepted { index: usize, body: Sent, inputs: Inputs },
    /// This is the answer.
    Refused(Reply),
}

/// Why a step ends the answer.
pub(super) struct Refusal {
    pub(super) violation: Violation,
    /// The methods that the path has, when it lacks the one that was sent.
    pub(super) allow: Option<String>,
    /// The entry of the ledger that led to it.
    pub(super) reading: Option<Reading>,
}

impl From<Violation> for Refusal {
    fn from(violation: Violation) -> Self {
        Self { violation, allow: None, reading: None }
    }
}

/// The body of such a request.
#[derive(Debug)]
pub(super) enum Sent {
    /// It was looked at and breaks nothing, and the answer is the sample at this place, unless it is asked for another.
    Plain { usual: usize },
    /// It was read; none where the operation takes none, or it was left out.
    Read(Option<Value>),
}

impl Sent {
    /// The body; that of the request is read again where only a look was taken at it.
    pub(super) fn read(&self, request: &Request) -> Option<Cow<'_, Value>> {
        match self {
            Self::Plain { .. } => json::parse(&request.body).ok().map(Cow::Owned),
            Self::Read(value) => value.as_ref().map(Cow::Borrowed),
        }
    }
}

#[cfg(all(test, feature = "payload"))]
mod tests {
    use super::*;
    use crate::{Contract, Settings, payload::Generator};

    /// What is taken a look at and what is read of a request, with the sample that answers; none where the first says nothing.
    fn both(stub: &Stub, request: &Request) -> Option<[(Vec<Reading>, usize); 2]> {
        let route = route::find(&stub.contract, request).ok()?;
        let flat = stub.flat(&route, request)?;
        assert_eq!(flat.root().value(), json::parse(&request.body).unwrap());
        let look = stub.look(&route, request, &flat)?;
        let read = stub.read(&route, request, None);
        assert_eq!(read.findings.violations, [], "{request:?}");
        let Decision::Accepted { body: Sent::Read(Some(body)), .. } = &read.decision else {
            panic!("{request:?}: {:?}", read.decision);
        };
        let whole = answer::usual(route.operation, request, stub.settings.errors, body);
        let Decision::Accepted { body: Sent::Plain { usual }, .. } = look.decision else {
            panic!("{request:?}: {:?}", look.decision);
        };
        Some([(look.readings, usual), (read.readings, whole)])
    }

    #[test]
    fn a_look_at_a_body_says_what_reading_it_says() {
        let stub = Stub::new(Contract::builtin(), Settings::default());
        for operation in stub.contract.operations().iter().filter(|operation| operation.body.is_some()) {
            let generator = Generator::new(operation);
            let mut looks = 0;
            for index in 0..500 {
                let cases = [generator.valid_at(7, index), generator.mutant_at(7, index)];
                for request in cases.into_iter().flatten().map(|case| case.request) {
                    if let Some([look, read]) = both(&stub, &request) {
                        assert_eq!(look, read, "{request:?}");
                        looks += 1;
                    }
                }
            }
            assert!(
                looks >= 100 || operation.replies[operation.success()].echoes,
                "{}: {looks}",
                operation.id
            );
        }
    }
}
