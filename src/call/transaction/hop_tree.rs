//! Hops that no Via joins: nodes that take the Via stack off, nodes with an address on each side, and B2BUAs.
//!
//! Source: RFC 3261 section 16.6 has proxies keep the Via stack; others do not, and are known by time, addresses and tags.

use crate::call::store::endpoint::NodeId;
use crate::call::transaction::call_id_parts::LEG_WAIT;
use crate::call::transaction::call_transactions::{CallTransactions, TransactionView};
use crate::call::transaction::pairing::TransactionIndex;
use crate::call::transaction::timer::HOPS_MAX;
use crate::capture::Timestamp;
use crate::sip::Method;

/// Hops looked at that a request without a Via in common may relay.
const CANDIDATES_MAX: usize = 16;

impl CallTransactions<'_> {
    /// Hops that took the Via stack off: the node that received the parent sent the child while the parent was pending.
    pub(in crate::call) fn join_stripped_hops(&mut self) {
        let open = self.all().filter(|hop| hop.parent.is_none() && hop.request.is_some());
        let open: Vec<TransactionIndex> = open.map(TransactionView::index).collect();
        for &child in open.iter().skip(1) {
            let hop = self.hop(child);
            let candidate =
                open.iter().rev().find(|parent| **parent < child && is_stripped_hop(self.hop(**parent), hop));
            if let Some(&parent) = candidate {
                self.transactions[child.0 as usize].parent = Some(parent);
            }
        }
    }

    /// Hops of a node that takes the Via stack off and has another address on its far side: nothing of the INVITE that it got
    /// is below its own. Joined to the one hop that was pending and not passed on, or to the hop that all such came from.
    pub(in crate::call) fn join_two_homed_hops(&mut self) {
        let roots = self.initial_invites().filter(|hop| hop.parent.is_none());
        let open: Vec<TransactionIndex> = roots.map(TransactionView::index).collect();
        if open.len() < 2 {
            return;
        }
        let mut is_passed_on = vec![false; self.transactions.len()];
        for parent in self.all().filter_map(|hop| hop.parent) {
            is_passed_on[parent.0 as usize] = true;
        }
        for &child in open.iter().skip(1) {
            let hop = self.hop(child);
            let candidates = self.initial_invites().filter(|parent| {
                parent.index() < child && !is_passed_on[parent.index().0 as usize] && is_two_homed_hop(*parent, hop)
            });
            let found: Vec<TransactionIndex> = candidates.map(TransactionView::index).take(CANDIDATES_MAX).collect();
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

    /// Legs of a B2BUA whose two sides have different addresses hang on the hop that was pending when they began.
    pub(in crate::call) fn join_foreign_legs(&mut self) {
        let Some((own_group, own_node)) =
            self.initial_invites().next().map(|first| (first.first().group, first.source_node()))
        else {
            return;
        };
        for place in 0..self.transactions.len() {
            let leg = self.hop(TransactionIndex(place as u32));
            let began = leg.first();
            let is_root = leg.parent.is_none() && leg.is_initial();
            if began.group == own_group || leg.source_node() == own_node || !is_root {
                continue;
            }
            let pending = self.initial_invites().filter(|hop| {
                hop.index() < leg.index() && hop.first().group != began.group && was_pending(*hop, began.time)
            });
            let parent = pending.max_by_key(|hop| (self.tables.vias.get(hop.via).depth, hop.index()));
            self.transactions[place].parent = parent.map(TransactionView::index);
        }
    }
}

/// Whether a hop had no final response yet at a moment.
fn was_pending(hop: TransactionView<'_, '_>, time: Timestamp) -> bool {
    hop.final_response().is_none_or(|answer| answer.time >= time)
}

fn is_stripped_hop(parent: TransactionView<'_, '_>, child: TransactionView<'_, '_>) -> bool {
    if parent.method != child.method {
        return false;
    }
    let (Some(came), Some(went)) = (parent.request(), child.request()) else {
        return false;
    };
    let same_request = came.to_tag.is_absent() == went.to_tag.is_absent();
    let same_caller = came.from_tag == went.from_tag && came.cseq == went.cseq;
    let other_caller = parent.method == Method::Invite && came.from_tag != went.from_tag;
    let is_relayed =
        parent.destination_node() == child.source_node() && parent.source_node() != child.destination_node();
    same_request
        && (same_caller || other_caller)
        && is_relayed
        && was_pending(parent, went.time)
        && came.via != went.via
}

fn is_two_homed_hop(parent: TransactionView<'_, '_>, child: TransactionView<'_, '_>) -> bool {
    let (Some(came), Some(went)) = (parent.request(), child.request()) else {
        return false;
    };
    let is_of_parent = |node: NodeId| node == parent.source_node() || node == parent.destination_node();
    came.group == went.group
        && (came.from_tag != went.from_tag || came.cseq == went.cseq)
        && !is_of_parent(child.source_node())
        && !is_of_parent(child.destination_node())
        && parent.lowest_via() != child.lowest_via()
        && was_pending(parent, went.time)
        && went.time.since(came.time) <= LEG_WAIT
}
