//! The query of a control call.

use std::{borrow::Cow, str::FromStr, time::Duration};

use super::{ControlState, reply::Refused};
use crate::{
    Filter, Matcher, SecretKind, Secrets, course,
    matching::{CONDITIONS, Form, Members},
    near, percent, session_name, token,
    violation::quote,
};

/// The parameters of a query. Those without a value count as not given.
pub(super) struct Params(Vec<(&'static str, String)>);

impl Params {
    /// Reads the query of a call that has these parameters, and with `filters` the conditions of a matcher and `after`:
    /// each parameter once, but for conditions that take several values.
    pub(super) fn parse(query: Option<&str>, filters: bool, names: &[&'static str]) -> Result<Self, Refused> {
        let conditions = CONDITIONS.iter().filter(|condition| filters && condition.form != Form::Json);
        let several = |name| conditions.clone().any(|it| it.name == name && it.form == Form::Several);
        let known: Vec<_> = conditions
            .clone()
            .map(|condition| condition.name)
            .chain(filters.then_some("after"))
            .chain(names.iter().copied())
            .collect();
        let mut params: Vec<(&'static str, String)> = Vec::new();
        for pair in query.unwrap_or_default().split('&') {
            if pair.is_empty() {
                continue;
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name)?;
            let Some(&name) = known.iter().find(|&&known| known == name) else {
                let expected = if known.is_empty() {
                    "no parameters".to_owned()
                } else {
                    format!("parameters among {}", known.join(", "))
                };
                let hint = near::hint(&name, known.iter().copied());
                return Err(Refused::bad(format!("expected {expected}, but found `{name}`{hint}")));
            };
            if !several(name) && params.iter().any(|(other, _)| *other == name) {
                return Err(Refused::bad(format!("expected the parameter {name} once, but found it twice")));
            }
            params.push((name, decoded(value)?.into_owned()));
        }
        params.retain(|(_, value)| !value.is_empty());
        Ok(Self(params))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refused> {
        self.text(name)
            .map(|text| text.parse().map_err(|_| unexpected(name, "a number that is not negative", text)))
            .transpose()
    }

    /// A time such as `5s` or `500ms`, at most `max`.
    pub(super) fn time(&self, name: &str, max: Duration) -> Result<Option<Duration>, Refused> {
        self.text(name)
            .map(|text| {
                course::time(text).filter(|&time| time <= max).ok_or_else(|| {
                    let seconds = max.as_secs();
                    let expected = format!("a time such as 5s or 500ms, at most {seconds}s");
                    unexpected(name, &expected, text)
                })
            })
            .transpose()
    }

    /// Which exchanges are asked for.
    pub(super) fn filter(&self, state: &ControlState) -> Result<Filter, Refused> {
        let parameters = self.0.iter().map(|(name, value)| (*name, value.as_str()));
        let matcher = Members::of_parameters(parameters)
            .and_then(|mut members| members.matcher())
            .map_err(|error| Refused::bad(error.to_string()))?;
        check_matcher(state, &matcher, "")?;
        Ok(Filter { matcher, after: self.number("after")?.unwrap_or(0) })
    }
}

/// Refuses a matcher that could match nothing, whatever was received: an empty list would look like an answer.
/// `before` is what a complaint has before the name of a condition.
pub(super) fn check_matcher(state: &ControlState, matcher: &Matcher, before: &str) -> Result<(), Refused> {
    if let Some(Err(error)) = matcher.operation.as_deref().map(|id| state.contract.need_operation(id)) {
        return Err(Refused::bad(format!("{before}operation: {error}")));
    }
    if let Some(session) = matcher.session.as_deref().filter(|session| !session_name::is_name(session)) {
        let expected = format!("the name of a session, {}", session_name::EXPECTED);
        return Err(Refused::bad(format!(
            "{before}session: expected {expected}, but found {}",
            quote(session)
        )));
    }
    let secrets = Secrets::of(&state.contract);
    for header in &matcher.header {
        let (name, Some(value)) = (&header.name, &header.value) else { continue };
        let expected = match secrets.header(name.to_ascii_lowercase().as_bytes()) {
            Some(SecretKind::Token) if token::read(value.as_bytes(), None).is_ok() => {
                "NAME=ID with the id of the token's client, as the journal does not hold tokens, but found a token"
            }
            None | Some(SecretKind::Token) => continue,
            Some(_) => {
                "a name alone, as the journal does not hold the value of this header, but found a value"
            }
        };
        return Err(Refused::bad(format!("{before}header: expected {expected} for `{name}`")));
    }
    Ok(())
}

pub(super) fn unexpected(name: &str, expected: &str, found: &str) -> Refused {
    Refused::bad(format!("{name}: expected {expected}, but found `{found}`"))
}

/// A part of a query, decoded as forms encode it.
fn decoded(text: &str) -> Result<Cow<'_, str>, Refused> {
    percent::decode_form(text).map_err(|found| {
        Refused::bad(format!("expected percent-encoded UTF-8 in the query, but found {found}"))
    })
}
