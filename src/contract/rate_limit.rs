//! `x-rate-limit`: what tells whose requests are counted together, and what one too many gets.

use super::{ContractError, Errors, Operation, Replies, position, reader::Node};

/// Whose requests are counted together, and what one too many gets.
#[derive(Debug)]
pub(crate) struct RateLimited {
    /// The parameter that names the account.
    pub(crate) account: String,
    /// The name of the sample that answers.
    pub(crate) sample: String,
}

/// Reads it, when it is there.
pub(super) fn read(root: &Node, operations: &[Operation]) -> Result<Option<RateLimited>, ContractError> {
    let Some(node) = root.get("x-rate-limit") else {
        return Ok(None);
    };
    node.only("a rate limit", &["account", "sample"])?;
    let (account, sample) = (node.need("account")?, node.need("sample")?);
    let mut parameters = operations.iter().flat_map(|operation| &operation.parameters);
    let name = account.text()?;
    if !parameters.any(|parameter| parameter.name == name) {
        return Err(account.error("the name of a parameter"));
    }
    let text = sample.text()?;
    for errors in Errors::needed(operations) {
        let mut refusals = operations.iter().flat_map(|operation| &operation.replies);
        let is_there = |replies: &Replies| position(replies.samples(errors), text).is_some();
        if !refusals.any(|replies| replies.status >= 400 && is_there(replies)) {
            return Err(sample.error(&format!("the name of a sample of a refusal, under {}", errors.media())));
        }
    }
    Ok(Some(RateLimited { account: name.to_owned(), sample: text.to_owned() }))
}
