//! Where a failure came from: the node that made the code which the caller saw, and the farthest node that caused it.
//!
//! Sources: RFC 3261 sections 16.7 (which response a proxy forwards, 503 becoming 500) and 16.8 (timer C).

use std::time::Duration;

use crate::call::outcome::node_software::own_software;
use crate::call::store::endpoint::EndpointId;
use crate::call::store::message::Message;
use crate::call::store::string_arena::TextId;
use crate::call::transaction::call_transactions::{CallTransactions, TransactionView};
use crate::call::transaction::pairing::TransactionIndex;
use crate::call::transaction::timer::HOPS_MAX;
use crate::sip::Method;

/// The longest time a proxy takes to pass a response on.
pub(in crate::call) const RELAY_MAX: Duration = Duration::from_secs(1);
/// A node that refuses this soon had no time to ask another one.
const TOO_SOON_TO_ASK: Duration = Duration::from_millis(20);

/// How a node turned what it got into what it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It passed the same response on.
    Relayed,
    /// It answered another code than the one it got.
    Translated,
    /// The node behind it never gave a final response.
    DeadBehind,
    /// It cancelled the next hop itself: its ring timer.
    GaveUpRinging,
    /// It chose among several answers.
    Chose,
}

/// Where a failure came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The farthest node towards the callee at which the failure is seen.
    pub endpoint: EndpointId,
    /// What it answered; 0 where it never answered.
    pub code: u16,
    /// The node that made the code which the caller saw.
    pub code_origin: EndpointId,
    /// Product name of `endpoint`, absent where it never named itself.
    pub software: TextId,
    /// Whether a node behind `endpoint`, which the capture does not show, may have caused it.
    pub beyond_capture: bool,
    /// How the node before `endpoint` turned its failure into the next one.
    pub step: Step,
}

/// The hops of a failure from the caller's towards the one where it began, with what each node did to it.
pub fn path(transactions: &CallTransactions<'_>) -> Vec<(TransactionIndex, Step)> {
    let mut path = Vec::new();
    let Some(mut hop) = transactions.last_step() else {
        return path;
    };
    path.push((hop, Step::Relayed));
    while let Some((next, step)) = explaining_child(transactions, hop)
        && path.len() < HOPS_MAX
        && !path.iter().any(|(known, _)| *known == next)
    {
        path.push((next, step));
        hop = next;
    }
    path
}

/// The origin of the failure of a call, where its hop next to the caller was captured.
pub(in crate::call) fn trace(transactions: &CallTransactions<'_>) -> Option<Origin> {
    let path = path(transactions);
    let (root, step) = *path.last()?;
    let root = transactions.hop(root);
    let relayed = path.iter().take_while(|(_, step)| *step == Step::Relayed);
    let made = relayed.last().map_or(root, |(hop, _)| transactions.hop(*hop));
    let answer = root.final_response();
    Some(Origin {
        endpoint: root.destination,
        code: answer.and_then(Message::status).map_or(0, |status| status.0),
        code_origin: made.destination,
        software: own_software(transactions, root.destination),
        beyond_capture: answer.is_some_and(|answer| may_lie_beyond(root, answer)),
        step,
    })
}

fn explaining_child(transactions: &CallTransactions<'_>, hop: TransactionIndex) -> Option<(TransactionIndex, Step)> {
    let parent = transactions.hop(hop);
    let children: Vec<TransactionView<'_, '_>> =
        parent.children().filter(|child| child.method == Method::Invite).collect();
    let answer = parent.final_response()?;
    let is_same = |child: &&TransactionView<'_, '_>| {
        child.final_response().is_some_and(|own| {
            let same_tag = own.to_tag == answer.to_tag || own.to_tag.is_absent() || answer.to_tag.is_absent();
            own.status() == answer.status() && same_tag && answer.time.since(own.time) <= RELAY_MAX
        })
    };
    if let Some(child) = children.iter().rev().find(is_same) {
        return Some((child.index(), Step::Relayed));
    }
    let finals = children.iter().filter(|child| child.final_response.is_some()).count();
    // A CANCEL carries the top Via of its INVITE alone.
    let top = |hop: TransactionView<'_, '_>| transactions.tables.vias.key(hop.via);
    let was_cancelled = |child: TransactionView<'_, '_>| {
        let mut cancels = transactions.all().filter(|hop| hop.method == Method::Cancel && hop.request.is_some());
        cancels.any(|cancel| top(cancel) == top(child))
    };
    let rank = |child: TransactionView<'_, '_>| -> Option<(u8, Step)> {
        match child.status().map(|status| status.0) {
            Some(487) if was_cancelled(child) => Some((1, Step::GaveUpRinging)),
            Some(_) if child.final_response >= parent.final_response => None,
            Some(401 | 407) => None,
            Some(code) if Some(code) == answer.status().map(|status| status.0) => Some((5, Step::Chose)),
            Some(200..=299) => None,
            Some(_) if finals > 1 => Some((4, Step::Chose)),
            Some(_) => Some((4, Step::Translated)),
            None if child.alerting.is_some() => Some((2, Step::GaveUpRinging)),
            None => Some((3, Step::DeadBehind)),
        }
    };
    let ranked = children.iter().filter_map(|child| rank(*child).map(|(rank, step)| (rank, child.index(), step)));
    ranked.max_by_key(|(rank, index, _)| (*rank, *index)).map(|(_, index, step)| (index, step))
}

fn may_lie_beyond(root: TransactionView<'_, '_>, answer: &Message) -> bool {
    root.last_request().is_none_or(|request| answer.time.since(request.time) >= TOO_SOON_TO_ASK)
}
