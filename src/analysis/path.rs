//! The way of one call, worked out when a report asks for it: where its post-dial delay passed, and what each hop changed.

use crate::analysis::result::Analysis;
use crate::call::detail::delay::{Stage, is_plain, only_stage, stages};
use crate::call::detail::rewriting::{Rewrite, rewriting};
use crate::call::{Call, CallTransactions, MessageStore, transactions_of};

/// What the messages of a call tell of its way.
#[derive(Debug)]
pub struct CallPath {
    /// Where the post-dial delay passed, without gaps.
    pub stages: Vec<Stage>,
    /// By the place of the hop; empty where no hop relays another one.
    rewritten: Vec<Vec<Rewrite>>,
}

impl CallPath {
    fn of(call: &Call, store: &MessageStore) -> Self {
        let has_relay = call.hops.iter().any(|hop| hop.parent.is_some());
        // Most calls of a trunk have one hop and one stage, which need no look at their transactions.
        if !has_relay && (call.milestones.pdd_ms().is_none() || is_plain(call)) {
            return Self { stages: only_stage(call, store).into_iter().collect(), rewritten: Vec::new() };
        }
        let transactions = transactions_of(store, &call.legs);
        let hops = transactions.invites().filter(|_| has_relay);
        Self { stages: stages(&transactions), rewritten: hops.map(|(hop, _)| rewriting(&transactions, hop)).collect() }
    }

    /// What the hop at this place changed of the request that it relays.
    pub fn rewritten(&self, place: usize) -> &[Rewrite] {
        self.rewritten.get(place).map_or(&[], Vec::as_slice)
    }
}

impl Analysis {
    /// The way of a call.
    pub fn path(&self, call: &Call) -> CallPath {
        CallPath::of(call, &self.store)
    }

    /// The transactions of a call, from its messages.
    pub fn transactions(&self, call: &Call) -> CallTransactions<'_> {
        transactions_of(&self.store, &call.legs)
    }
}
