//! Hops that no Via joins: nodes that take the Via stack off, nodes with an address on each side, and B2BUAs.
//!
//! Source: RFC 3261 section 16.6 has proxies keep the Via stack; others do not, and are told by time, addresses and tags.

use std::time::Duration;

use crate::call::transaction::call_transactions::CallTransactions;
use crate::call::transaction::transaction::{Transaction, TransactionIndex};
use crate::sip::Method;

/// How long a B2BUA may take to send its own INVITE.
pub(in crate::call) const LEG_WAIT: Duration = Duration::from_secs(3);
/// Hops looked at that a request without a Via in common may relay.
const CANDIDATES_MAX: usize = 16;
/// Hops followed towards the caller (RFC 3261 section 16.6 allows 70).
const HOPS_MAX: usize = 70;

impl CallTransactions<'_> {
    /// Hops that took the Via stack off: the node that received the parent sent the child while the parent was pending.
    pub(in crate::call) fn join_stripped_hops(&mut self) {
        let open: Vec<TransactionIndex> =
            self.each().filter(|(_, t)| t.parent.is_none() && t.request.is_some()).map(|(index, _)| index).collect();
        for &child in open.iter().skip(1) {
            let candidate = open.iter().rev().find(|parent| **parent < child && self.is_stripped_hop(**parent, child));
            if let Some(&parent) = candidate {
                self.transactions[child.0 as usize].parent = Some(parent);
            }
        }
    }

    fn is_stripped_hop(&self, parent: TransactionIndex, child: TransactionIndex) -> bool {
        let (p, c) = (self.transaction(parent), self.transaction(child));
        if p.method != c.method {
            return false;
        }
        let (Some(p_request), Some(c_request)) = (p.request, c.request) else {
            return false;
        };
        let (from, to) = (self.message(p_request), self.message(c_request));
        let same_request = from.to_tag.is_absent() == to.to_tag.is_absent();
        let same_caller = from.from_tag == to.from_tag && from.cseq == to.cseq;
        let relayed = self.tables.node(p.destination) == self.tables.node(c.source)
            && self.tables.node(p.source) != self.tables.node(c.destination);
        let was_pending = p.final_response.is_none_or(|answer| self.message(answer).time >= to.time);
        let other_caller = p.method == Method::Invite && from.from_tag != to.from_tag;
        same_request && (same_caller || other_caller) && relayed && was_pending && from.via != to.via
    }

    /// Hops of a node that takes the Via stack off and has another address on its far side: nothing of the INVITE that it got
    /// is below its own. Joined to the one hop that was pending and not passed on, or to the hop that all such came from.
    pub(in crate::call) fn join_two_homed_hops(&mut self) {
        let roots = self.invites().filter(|(_, t)| t.parent.is_none());
        if roots.count() < 2 {
            return;
        }
        let mut is_passed_on = vec![false; self.transactions.len()];
        for (_, transaction) in self.each() {
            if let Some(parent) = transaction.parent {
                is_passed_on[parent.0 as usize] = true;
            }
        }
        let open: Vec<TransactionIndex> =
            self.invites().filter(|(_, t)| t.parent.is_none()).map(|(index, _)| index).collect();
        for &child in open.iter().skip(1) {
            let candidates = self.invites().filter(|(index, _)| {
                *index < child && !is_passed_on[index.0 as usize] && self.is_two_homed_hop(*index, child)
            });
            let found: Vec<TransactionIndex> = candidates.map(|(index, _)| index).take(CANDIDATES_MAX).collect();
            let parent = match found[..] {
                [one] => {
                    is_passed_on[one.0 as usize] = true;
                    Some(one)
                }
                _ => self.common_ancestor(&found),
            };
            if parent.is_some() {
                self.transactions[child.0 as usize].parent = parent;
            }
        }
    }

    /// The hop farthest from the caller that all of several hops relay.
    fn common_ancestor(&self, hops: &[TransactionIndex]) -> Option<TransactionIndex> {
        let ancestors = |hop: TransactionIndex| {
            let next = |hop: &TransactionIndex| self.transaction(*hop).parent;
            std::iter::successors(next(&hop), next).take(HOPS_MAX)
        };
        let (first, others) = hops.split_first()?;
        let is_common = |candidate: &TransactionIndex| {
            let mut others = others.iter();
            others.all(|other| ancestors(*other).any(|ancestor| ancestor == *candidate))
        };
        ancestors(*first).find(is_common)
    }

    fn is_two_homed_hop(&self, parent: TransactionIndex, child: TransactionIndex) -> bool {
        let (p, c) = (self.transaction(parent), self.transaction(child));
        let (Some(p_request), Some(c_request)) = (p.request, c.request) else {
            return false;
        };
        let (came, went) = (self.message(p_request), self.message(c_request));
        let node = |endpoint| self.tables.node(endpoint);
        let bottom = |t: &Transaction| self.tables.vias.values(t.via).last().map(|via| via.key);
        let is_pending = p.final_response.is_none_or(|answer| self.message(answer).time >= went.time);
        came.group == went.group
            && (came.from_tag != went.from_tag || came.cseq == went.cseq)
            && ![node(p.source), node(p.destination)].contains(&node(c.source))
            && ![node(p.source), node(p.destination)].contains(&node(c.destination))
            && bottom(p) != bottom(c)
            && is_pending
            && went.time.since(came.time) <= LEG_WAIT
    }

    /// Legs of a B2BUA whose two sides have different addresses hang on the hop that was pending when they began.
    pub(in crate::call) fn join_foreign_legs(&mut self) {
        let Some(first) =
            self.invites().next().map(|(_, first)| (self.message(first.first).group, self.tables.node(first.source)))
        else {
            return;
        };
        for place in 0..self.transactions.len() {
            let (child, own) = (TransactionIndex(place as u32), &self.transactions[place]);
            let began = self.message(own.first);
            let (group, node) = (began.group, self.tables.node(own.source));
            let is_root = own.parent.is_none() && self.is_initial(own);
            if group == first.0 || node == first.1 || !is_root {
                continue;
            }
            let began = began.time;
            let pending = self.invites().filter(|(index, t)| {
                *index < child
                    && self.message(t.first).group != group
                    && t.final_response.is_none_or(|answer| self.message(answer).time >= began)
            });
            let parent =
                pending.max_by_key(|(index, t)| (self.tables.vias.get(t.via).depth, *index)).map(|(index, _)| index);
            self.transactions[place].parent = parent;
        }
    }
}
