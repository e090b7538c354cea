//! Is a reply what the contract allows? The judge knows the contract alone, and not the stub: its verdict is about any
//! reply, whoever gave it.

use std::{collections::HashMap, sync::Arc};

use jsonschema::Validator;
use serde_json::Value;

use crate::{
    Breach, Contract, ContractError, Headers, Operation,
    contract::{Errors, Replies, Schema, wording},
    json,
};

/// Judges replies by the reply schemas of a contract, compiled once.
///
/// ```
/// use standin::{Contract, Headers, judge::Judge};
///
/// let judge = Judge::new(&Contract::builtin()).unwrap();
/// let headers = Headers::from_iter([("content-type", "application/json")]);
/// let breaches = judge.judge(Some("createAgent"), 418, &headers, b"{}");
/// assert_eq!(breaches[0].to_string(), "/status: expected a status that the contract has, but found `418`");
/// ```
#[derive(Debug)]
pub struct Judge {
    /// The replies of each operation.
    operations: Vec<(Arc<str>, Vec<Allowed>)>,
}

/// The replies with one status.
#[derive(Debug)]
struct Allowed {
    status: u16,
    /// The media types that it may have, each with what the body looks like; none when it has no body.
    media: Vec<(&'static str, Option<Arc<Body>>)>,
}

/// What bodies look like, by where their schema is.
type Bodies = HashMap<*const Schema, Arc<Body>>;

/// What a body looks like.
#[derive(Debug)]
struct Body {
    schema: Arc<Schema>,
    validator: Validator,
}

impl Judge {
    /// How many breaches of one body are listed at most.
    const MOST: usize = 100;

    /// A judge of the replies of a contract.
    ///
    /// # Errors
    ///
    /// When a reply schema does not compile.
    pub fn new(contract: &Contract) -> Result<Self, ContractError> {
        Self::of(contract.operations())
    }

    /// A judge of the replies of some operations alone, which takes less time to make.
    pub(crate) fn of(operations: &[Operation]) -> Result<Self, ContractError> {
        let mut bodies = Bodies::new();
        let allowed = |operation: &Operation| {
            let replies: Result<_, _> =
                operation.replies.iter().map(|replies| Allowed::new(replies, &mut bodies)).collect();
            Ok((Arc::clone(&operation.id), replies?))
        };
        Ok(Self { operations: operations.iter().map(allowed).collect::<Result<_, _>>()? })
    }

    /// What of a reply is not as the contract has it: the reply of this operation, or to a request that reached none.
    pub fn judge(&self, operation: Option<&str>, status: u16, headers: &Headers, body: &[u8]) -> Vec<Breach> {
        let mut own = self.operations.iter().filter(|(id, _)| operation.is_none_or(|own| own == &**id));
        let allowed = own.find_map(|(_, replies)| replies.iter().find(|allowed| allowed.status == status));
        let Some(allowed) = allowed else {
            let message = format!("expected a status that the contract has, but found `{status}`");
            return vec![Breach { pointer: "/status".into(), message }];
        };
        allowed.judge(headers, body)
    }
}

impl Allowed {
    fn new(replies: &Replies, bodies: &mut Bodies) -> Result<Self, ContractError> {
        let sides = [
            (Errors::Vendor, &replies.schema, &replies.examples),
            (Errors::Rfc, &replies.problem_schema, &replies.problems),
        ];
        let mut media = Vec::new();
        for (errors, schema, examples) in sides {
            let has_body = examples.iter().any(|example| !example.text.is_empty());
            if schema.is_some() || has_body {
                let body = schema.as_ref().map(|schema| Body::shared(schema, bodies));
                media.push((errors.media(), body.transpose()?));
            }
        }
        Ok(Self { status: replies.status, media })
    }

    fn judge(&self, headers: &Headers, body: &[u8]) -> Vec<Breach> {
        let breach = |pointer: &str, message| vec![Breach { pointer: pointer.to_owned(), message }];
        if self.media.is_empty() {
            if body.is_empty() {
                return Vec::new();
            }
            return breach("/body", format!("expected no body, but found {} bytes", body.len()));
        }
        let sent: Vec<_> = headers.all("content-type").map(<[u8]>::escape_ascii).collect();
        let sent = sent.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let essence = sent.split(';').next().unwrap_or_default().trim();
        let Some((_, looks)) = self.media.iter().find(|(name, _)| essence.eq_ignore_ascii_case(name)) else {
            let names: Vec<_> = self.media.iter().map(|(name, _)| *name).collect();
            let expected = names.join(" or ");
            return breach("/header/content-type", format!("expected {expected}, but found `{sent}`"));
        };
        let value = match json::parse(body) {
            Ok(value) => value,
            Err(error) => return breach("/body", error.to_string()),
        };
        looks.as_ref().map_or_else(Vec::new, |looks| looks.breaches(&value))
    }
}

impl Body {
    /// Operations share the schemas of their refusals; each is compiled once.
    fn shared(schema: &Arc<Schema>, bodies: &mut Bodies) -> Result<Arc<Self>, ContractError> {
        if let Some(body) = bodies.get(&Arc::as_ptr(schema)) {
            return Ok(Arc::clone(body));
        }
        let body = Arc::new(Self { schema: Arc::clone(schema), validator: schema.validator()? });
        bodies.insert(Arc::as_ptr(schema), Arc::clone(&body));
        Ok(body)
    }

    fn breaches(&self, value: &Value) -> Vec<Breach> {
        // Most replies are fine, and that is found out sooner than what is wrong.
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        let errors = self.validator.iter_errors(value).take(Judge::MOST);
        let breach = |error| {
            let breach = wording::Breach::of(&error)?;
            let expected = breach.expected(breach.schema(&self.schema, value));
            let message = format!("expected {expected}, but found {}", breach.found(value));
            Some(Breach { pointer: format!("/body{}", breach.place), message })
        };
        errors.filter_map(breach).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(status: u16, media: &str, body: &str) -> Vec<String> {
        let judge = Judge::new(&Contract::builtin()).expect("the built-in schemas compile");
        let headers = Headers::from_iter([("content-type", media)]);
        let breaches = judge.judge(Some("createAgent"), status, &headers, body.as_bytes());
        breaches.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_sample_reply_of_the_built_in_contract_holds_for_its_schema() {
        let contract = Contract::builtin();
        let judge = Judge::new(&contract).expect("the built-in schemas compile");
        let mut count = 0;
        for operation in contract.operations() {
            for replies in &operation.replies {
                for errors in [Errors::Rfc, Errors::Vendor] {
                    for example in replies
                        .samples(errors)
                        .iter()
                        .filter(|_| replies.status >= 400 || errors == Errors::Vendor)
                    {
                        let headers = Headers::from_iter([("content-type", errors.media())]);
                        let breaches =
                            judge.judge(Some(&operation.id), replies.status, &headers, &example.text);
                        assert_eq!(breaches, [], "{} {} {}", operation.id, replies.status, example.name);
                        count += 1;
                    }
                }
            }
        }
        assert!(count > 50, "{count}");
    }

    #[test]
    fn what_is_wrong_with_a_reply_is_said_with_its_place() {
        let invalid = r#"{"errors":[{"msg":5,"code":412}]}"#;
        let cases = [
            (
                418,
                "application/json",
                "{}",
                "/status: expected a status that the contract has, but found `418`",
            ),
            (
                412,
                "text/html",
                "{}",
                "/header/content-type: expected application/json, but found `text/html`",
            ),
            (412, "application/json", "", "/body: expected a JSON body, but found nothing"),
            (
                412,
                "application/json",
                "{",
                "/body: expected JSON, but found the end of the text at line 1, within an object",
            ),
            (
                412,
                "application/json; charset=utf-8",
                invalid,
                "/body/errors/0/msg: expected a string, but found `5`",
            ),
            (412, "application/json", "{}", "/body/errors: expected an array, but found nothing"),
        ];
        for (status, media, body, expected) in cases {
            assert_eq!(judge(status, media, body), [expected]);
        }
        assert_eq!(judge(412, "Application/JSON", r#"{"errors":[{"msg":"","code":1}]}"#), [""; 0]);
    }
}
