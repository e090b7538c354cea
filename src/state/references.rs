//! Ids in a record that name other things, and whether those are there.

use serde_json::Value;

use super::{Scope, Session};
use crate::{
    Contract,
    contract::{Reference, Resource},
};

/// An id that names nothing.
pub(crate) struct Dangling<'a> {
    /// Where in the record.
    pub(crate) at: &'a str,
    pub(crate) id: &'a str,
    pub(crate) reference: &'a Reference,
    /// What it ought to name.
    pub(crate) resource: &'a Resource,
}

/// Calls `found` with every id in a record that names nothing. `scope` is whose the record is.
pub(crate) fn dangling(
    contract: &Contract,
    resource: &Resource,
    session: &Session,
    scope: &Scope,
    record: &Value,
    mut found: impl FnMut(&Dangling),
) {
    for reference in &resource.references {
        let named = &contract.resources()[reference.resource];
        let part = |name: &String| scope.chunks_exact(2).find(|pair| pair[0] == *name);
        let Some(parts) = named.scope.iter().map(part).collect::<Option<Vec<_>>>() else {
            // It is not known whose it would be.
            continue;
        };
        let has = session.has(named, &parts.concat());
        reference.at.each(record, &mut |at, value| {
            let Some(id) = value.as_str().filter(|id| !id.is_empty()) else {
                return;
            };
            let is_fixed =
                || named.fixed.iter().any(|record| record.get(&named.id).is_some_and(|own| own == id));
            if !has(id) && !is_fixed() {
                found(&Dangling { at, id, reference, resource: named });
            }
        });
    }
}
