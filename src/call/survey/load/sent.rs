//! Sent: the INVITEs of calls, each with what became of it at the node that it was sent to.

use std::time::Duration;

use crate::call::outcome::call::{Call, Hop};
use crate::call::outcome::call_index::CallIndex;
use crate::call::outcome::verdict::Outcome;
use crate::call::store::endpoint::{EndpointId, NodeId};
use crate::call::store::tables::Tables;
use crate::call::survey::load::attempt::{Attempt, Channel, Fate, HOPS_MAX};
use crate::call::survey::load::words::RefusalWords;
use crate::call::transaction::call_id_parts::is_step;
use crate::capture::Timestamp;
use crate::sip::StatusCode;

/// An INVITE on its way into the load of a node.
pub(super) struct SentInvite {
    pub(super) node: NodeId,
    pub(super) endpoint: EndpointId,
    pub(super) attempt: Attempt,
    /// The channel that it took, unless the node refused it.
    pub(super) channel: Option<Channel>,
}

/// The INVITEs of some calls, in their order; `first` is the index of the first call.
pub(super) fn sent(first: u32, calls: &[Call], tables: &Tables) -> Vec<SentInvite> {
    let mut all = Vec::with_capacity(calls.len() * 2);
    for (index, call) in (first..).zip(calls) {
        for (number, hop) in (0_u32..).zip(&call.hops).take(HOPS_MAX) {
            let is_last = number as usize + 1 == call.hops.len();
            if is_step(StatusCode(hop.final_code)) && !is_last {
                continue;
            }
            let attempt = attempt(tables, call, index, number);
            let channel = (!attempt.is_refused()).then(|| Channel {
                start: hop.sent,
                end: end_of(call, hop),
                source: Some(attempt.source),
                is_from_node: false,
            });
            all.push(SentInvite { node: tables.node(hop.destination), endpoint: hop.destination, attempt, channel });
        }
    }
    all
}

fn attempt(tables: &Tables, call: &Call, index: u32, number: u32) -> Attempt {
    let hop = &call.hops[number as usize];
    let hops = || call.hops.iter().take(HOPS_MAX);
    let mut behind = hops().skip(number as usize + 1);
    let refused_later = behind.any(|later| later.final_code >= 300);
    let is_lost = !call.outcome.is_answered() && call.outcome != Outcome::Partial;
    let progress = [hop.alerted_ms, hop.final_ms].into_iter().flatten();
    Attempt {
        call: CallIndex(index),
        hop: number,
        source: tables.node(hop.source),
        callee: call.callee,
        sent: hop.sent,
        fate: fate(tables, call, number as usize),
        code: hop.final_code,
        decides: is_lost && !refused_later,
        reply_ms: hop.reply_ms,
        progress_ms: progress.reduce(f32::min),
        final_ms: hop.final_ms,
        words: RefusalWords::default(),
    }
}

fn fate(tables: &Tables, call: &Call, number: usize) -> Fate {
    let hop = &call.hops[number];
    let node = tables.node(hop.destination);
    let has_failed_behind = || {
        call.hops.iter().take(HOPS_MAX).any(|next| {
            // A node with an address on each side is known by the Via stack alone.
            let is_relayed = next.parent.is_some_and(|parent| usize::from(parent) == number)
                || tables.node(next.source) == node && next.sent >= hop.sent;
            is_relayed && (next.final_code >= 300 || next.final_code == 0)
        })
    };
    match hop.final_code {
        200..=299 | 487 => Fate::Taken,
        _ if hop.alerted_ms.is_some() => Fate::Taken,
        0 if call.milestones.cancelled.is_some() => Fate::Taken,
        0 if call.outcome != Outcome::Partial => Fate::Silent,
        0 | 300..=399 | 401 | 407 => Fate::Other,
        _ if has_failed_behind() => Fate::Behind,
        _ => Fate::Refused,
    }
}

/// When a call gave its channel on a hop back; the end of time where the capture does not show it.
pub(super) fn end_of(call: &Call, hop: &Hop) -> Timestamp {
    const NEVER: Timestamp = Timestamp::from_nanoseconds(i64::MAX);
    if (200..300).contains(&hop.final_code) {
        let was_dropped = call.outcome == Outcome::Dropped;
        return call.milestones.hung_up.unwrap_or(if was_dropped { call.ended } else { NEVER });
    }
    match hop.final_ms {
        Some(after) => hop.sent.plus(Duration::from_secs_f32((after / 1000.0).max(0.0))),
        None => call.milestones.cancelled.unwrap_or(call.ended),
    }
}
