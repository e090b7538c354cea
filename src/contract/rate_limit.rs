//! `x-rate-limit`: what tells whose requests are counted together, and what one too many gets.

use super::{ContractError, Operation, reader::Node};

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
    let mut replies = operations.iter().flat_map(|operation| &operation.replies);
    let text = sample.text()?;
    if !replies.any(|replies| replies.status >= 400 && replies.position(text).is_some()) {
        return Err(sample.error("the name of a sample of a refusal"));
    }
    Ok(Some(RateLimited { account: name.to_owned(), sample: text.to_owned() }))
}
