//! Refusals: which status and body each cause has, as the examples of the document say.

use std::sync::Arc;

use serde_json::Value;

use super::{ContractError, Example, Operation, Replies, Resource, position};
use crate::pointer::escape;

/// The wording of refusals: the media type under which the contract has them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Errors {
    /// Problem details as of RFC 9457: the examples under `application/problem+json`.
    Rfc,
    /// The vendor's envelope: the examples under `application/json`.
    Vendor,
}

/// Why a request is refused, as far as status and message can tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cause {
    Credentials,
    Full,
    InUse,
    Incomplete,
    Json,
    MediaType,
    Method,
    Missing,
    Path,
    Size,
    Taken,
    Timeout,
    Token,
    Violations,
}

/// The refusal of one cause.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    /// The samples of its status, and which of them it is.
    samples: Arc<[Example]>,
    position: usize,
}

/// The refusals of a contract in one wording.
#[derive(Debug)]
pub(crate) struct Refusals {
    /// Those of each operation, in the contract's order, and then those of requests that reach none.
    tables: Vec<[Refusal; Cause::ALL.len()]>,
}

impl Errors {
    pub(crate) const ALL: [Self; 2] = [Self::Rfc, Self::Vendor];

    /// The media type of a refusal.
    pub(crate) fn media(self) -> &'static str {
        match self {
            Self::Rfc => "application/problem+json",
            Self::Vendor => "application/json",
        }
    }
}

impl Cause {
    pub(crate) const ALL: [Self; 14] = [
        Self::Credentials,
        Self::Full,
        Self::InUse,
        Self::Incomplete,
        Self::Json,
        Self::MediaType,
        Self::Method,
        Self::Missing,
        Self::Path,
        Self::Size,
        Self::Taken,
        Self::Timeout,
        Self::Token,
        Self::Violations,
    ];

    /// The name of its example in the contract.
    fn name(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Full => "full",
            Self::InUse => "inUse",
            Self::Incomplete => "incomplete",
            Self::Json => "json",
            Self::MediaType => "mediaType",
            Self::Method => "method",
            Self::Missing => "missing",
            Self::Path => "path",
            Self::Size => "size",
            Self::Taken => "taken",
            Self::Timeout => "timeout",
            Self::Token => "token",
            Self::Violations => "violations",
        }
    }

    /// Whether an operation can refuse a request for it.
    fn occurs_at(self, operation: &Operation, resources: &[Resource], has_token: bool) -> bool {
        match self {
            Self::Credentials | Self::Token => has_token,
            Self::Json | Self::MediaType => operation.body.is_some(),
            Self::Full | Self::InUse | Self::Missing | Self::Taken => {
                operation.effect.as_ref().is_some_and(|effect| effect.can_refuse(self, resources))
            }
            // Such a request reaches no operation.
            Self::Method | Self::Path => false,
            Self::Incomplete | Self::Size | Self::Timeout | Self::Violations => true,
        }
    }

    /// Whether a request can be refused for it.
    fn occurs(self, operations: &[Operation], resources: &[Resource], has_token: bool) -> bool {
        matches!(self, Self::Method | Self::Path)
            || operations.iter().any(|operation| self.occurs_at(operation, resources, has_token))
    }
}

impl Refusals {
    /// The refusals in one wording, which the contract has: those of an operation, and for requests that reach none
    /// the first that any operation has.
    pub(crate) fn new(operations: &[Operation], errors: Errors) -> Self {
        let anywhere = |cause| operations.iter().find_map(|operation| find(operation, errors, cause));
        let nothing = Refusal { status: 500, headers: Vec::new(), samples: Arc::default(), position: 0 };
        let table = |own: Option<&Operation>| {
            Cause::ALL.map(|cause| {
                let own = own.and_then(|operation| find(operation, errors, cause));
                // A cause that no operation has is one that does not occur, as the load has made sure.
                own.or_else(|| anywhere(cause)).unwrap_or_else(|| nothing.clone())
            })
        };
        Self { tables: operations.iter().map(Some).chain([None]).map(table).collect() }
    }

    /// The refusal by the operation at a position of the contract, or of a request that reaches none.
    pub(crate) fn of(&self, operation: Option<usize>, cause: Cause) -> &Refusal {
        &self.tables[operation.unwrap_or(self.tables.len() - 1)][cause as usize]
    }
}

/// The replies of an operation that have a refusal for a cause, each with its position among the samples.
fn named(operation: &Operation, errors: Errors, cause: Cause) -> impl Iterator<Item = (&Replies, usize)> {
    let refusals = operation.replies.iter().filter(|replies| replies.status >= 400);
    refusals.filter_map(move |replies| {
        position(replies.samples(errors), cause.name()).map(|position| (replies, position))
    })
}

fn find(operation: &Operation, errors: Errors, cause: Cause) -> Option<Refusal> {
    let (replies, position) = named(operation, errors, cause).next()?;
    Some(Refusal {
        status: replies.status,
        headers: replies.headers.clone(),
        samples: Arc::clone(replies.shared_samples(errors)),
        position,
    })
}

impl Refusal {
    /// The body, without what a request adds to it.
    pub(crate) fn body(&self) -> &Value {
        self.samples.get(self.position).map_or(&Value::Null, |example| &example.value)
    }
}

impl Replies {
    /// The samples in one wording.
    pub fn samples(&self, errors: Errors) -> &[Example] {
        self.shared_samples(errors)
    }

    fn shared_samples(&self, errors: Errors) -> &Arc<[Example]> {
        if self.status >= 400 && errors == Errors::Rfc { &self.problems } else { &self.examples }
    }
}

impl Errors {
    /// Whether the operations have any refusals in this wording.
    pub(super) fn is_in(self, operations: &[Operation]) -> bool {
        let mut replies = operations.iter().flat_map(|operation| &operation.replies);
        replies.any(|replies| replies.status >= 400 && !replies.samples(self).is_empty())
    }

    /// The wordings that a document has to have in full: the vendor's, and the other one when there is anything of it.
    pub(super) fn needed(operations: &[Operation]) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|errors| *errors == Self::Vendor || errors.is_in(operations))
    }
}

/// Gives each operation the refusals that it can answer with and does not have: the first that another one has.
pub(super) fn share(operations: &mut [Operation], resources: &[Resource], has_token: bool) {
    for errors in Errors::ALL {
        for cause in Cause::ALL {
            let shared = operations.iter().find_map(|operation| {
                let (replies, position) = named(operation, errors, cause).next()?;
                Some((replies.empty(), replies.samples(errors)[position].clone()))
            });
            let Some((empty, example)) = shared else {
                continue;
            };
            for operation in &mut *operations {
                if !cause.occurs_at(operation, resources, has_token)
                    || named(operation, errors, cause).next().is_some()
                {
                    continue;
                }
                let own = operation.replies.iter().position(|replies| replies.status == empty.status);
                let at = own.unwrap_or_else(|| {
                    operation.replies.push(empty.empty());
                    operation.replies.len() - 1
                });
                let replies = &mut operation.replies[at];
                let examples = match errors {
                    Errors::Rfc => &mut replies.problems,
                    Errors::Vendor => &mut replies.examples,
                };
                *examples = examples.iter().chain([&example]).cloned().collect();
            }
        }
    }
}

impl Replies {
    /// Replies of this kind without samples.
    fn empty(&self) -> Self {
        Self { echoes: false, examples: Arc::default(), problems: Arc::default(), ..self.clone() }
    }
}

/// Fails unless each cause that occurs has one refusal in each wording that is needed.
pub(super) fn check(
    operations: &[Operation],
    resources: &[Resource],
    has_token: bool,
) -> Result<(), ContractError> {
    for errors in Errors::needed(operations) {
        for cause in Cause::ALL {
            let mut is_missing = cause.occurs(operations, resources, has_token);
            for operation in operations {
                let mut statuses = named(operation, errors, cause).map(|(replies, _)| replies.status);
                let (first, second) = (statuses.next(), statuses.next());
                is_missing &= first.is_none();
                if let (Some(first), Some(second)) = (first, second) {
                    return Err(ContractError::new(format!(
                        "/paths/{}/{}/responses: expected the example `{}` of {} under one status, but found it under {first} and {second}",
                        escape(&operation.path),
                        operation.method.to_ascii_lowercase(),
                        cause.name(),
                        errors.media(),
                    )));
                }
            }
            if is_missing {
                return Err(ContractError::new(format!(
                    "/paths: expected an example `{}` under {} in the responses with a status from 400 of some operation, but found none",
                    cause.name(),
                    errors.media(),
                )));
            }
        }
    }
    Ok(())
}
