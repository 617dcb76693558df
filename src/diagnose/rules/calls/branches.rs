//! The branches of a call: the INVITEs that a node sent for one that it received, at once or one after the other.
//!
//! Sources: RFC 3261 sections 9.1, 16.6 step 7 and 16.7.

use crate::call::{Hop, Transaction, TransactionIndex, is_step};
use crate::capture::Timestamp;
use crate::diagnose::CallContext;
use crate::sip::Method;

/// Branches of one call that are compared with each other; forged calls have more.
const BRANCHES_MAX: usize = 64;

/// The INVITEs that one node sent for one it received, in the order of time; challenged tries and their retries are one.
pub(super) fn families(context: &CallContext<'_>) -> Vec<Vec<TransactionIndex>> {
    if is_chain(&context.call.hops) {
        return Vec::new();
    }
    let tried = context.transactions.invites().filter(|(_, t)| {
        let challenged = context.transactions.final_status(t).is_some_and(is_step);
        t.request.is_some() && !challenged
    });
    let mut kids: Vec<(Option<TransactionIndex>, TransactionIndex)> =
        tried.map(|(index, t)| (t.parent, index)).collect();
    kids.sort_unstable();
    let families = kids.chunk_by(|(a, _), (b, _)| a == b);
    families
        .filter(|kids| kids.len() > 1)
        .take(BRANCHES_MAX)
        .map(|kids| {
            let kids = kids.iter().take(BRANCHES_MAX);
            kids.map(|(_, index)| *index).collect()
        })
        .collect()
}

/// Whether each hop relays the one before it, as in nearly every call.
fn is_chain(hops: &[Hop]) -> bool {
    let mut relays = hops.iter().skip(1).enumerate();
    relays.all(|(before, hop)| hop.parent.map(usize::from) == Some(before))
}

/// When a hop got its final answer.
pub(super) fn ended(context: &CallContext<'_>, hop: &Transaction) -> Option<Timestamp> {
    Some(context.message(hop.final_response?)?.time)
}

/// When a hop that never answered was tried last, where it was tried more than once: what is sent behind it is another try.
pub(super) fn given_up(context: &CallContext<'_>, hop: &Transaction) -> Option<Timestamp> {
    let is_silent = hop.trying.is_none() && hop.alerting.is_none() && hop.final_response.is_none();
    (is_silent && hop.sends > 1).then(|| context.message(hop.last_request?).map(|last| last.time))?
}

/// When a hop was tried first.
pub(super) fn began(context: &CallContext<'_>, hop: &Transaction) -> Option<Timestamp> {
    Some(context.message(hop.request?)?.time)
}

/// A CANCEL has the top Via of the INVITE that it means, and no other (RFC 3261 section 9.1).
pub(super) fn same_branch(context: &CallContext<'_>, invite: &Transaction, cancel: &Transaction) -> bool {
    let vias = &context.tables().vias;
    vias.key(invite.via) == vias.key(cancel.via)
}

/// When the node that had tried a route gave it up by CANCEL.
pub(super) fn called_off(context: &CallContext<'_>, hop: &Transaction) -> Option<Timestamp> {
    let mut all = context.transactions.each();
    let (_, cancel) = all.find(|(_, t)| t.method == Method::Cancel && same_branch(context, hop, t))?;
    Some(context.message(cancel.request?)?.time)
}
