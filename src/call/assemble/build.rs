//! Calls as they are handed out: brought into the order of time, legs linked, and judged with what all of them show.
//!
//! Some endings are only shown by other calls: a ring time that hardly any call outlasts, channels that were all taken. So the
//! timers and loads of nodes are measured here, while calls may still change; whoever gets a [`CallSet`] only reads it.

use std::time::Duration;

use crate::call::assemble::leg;
use crate::call::assemble::split::{GroupParts, SplitCallIds};
use crate::call::beside::other_request::OtherRequest;
use crate::call::beside::registration::RegisterAttempt;
use crate::call::outcome::call::{Call, sum_up};
use crate::call::outcome::verdict::{Outcome, Watch};
use crate::call::store::message::Message;
use crate::call::store::message_store::{Leg, MessageStore};
use crate::call::survey::fixed_timers::FixedTimers;
use crate::call::survey::load::Loads;
use crate::call::transaction::join::transactions_of;
use crate::call::transaction::timer::TIMER_C;

/// Everything that the messages of a run say happened.
#[derive(Debug, Default)]
pub struct CallSet {
    /// Calls in the order of their first message, legs linked.
    pub calls: Vec<Call>,
    /// Tries to register in the order of time.
    pub attempts: Vec<RegisterAttempt>,
    /// Requests outside calls in the order of time.
    pub requests: Vec<OtherRequest>,
}

/// What all calls together show of the nodes, and what some of them were judged by.
#[derive(Debug, Default)]
pub struct NodeSurvey {
    /// Timers that end what lasts.
    pub timers: FixedTimers,
    /// What came to each node, and the limits that it keeps.
    pub loads: Loads,
}

/// Longest ringing that is believed: one day.
const RING_MAX_SECONDS: f64 = 86_400.0;

/// Builds the calls of a run to the end; `store` is the one that the Call-IDs were split in.
pub fn build_calls(split: SplitCallIds, store: &MessageStore) -> (CallSet, NodeSurvey) {
    let mut set = in_order(split.parts, store);
    let longest = set.calls.iter().filter_map(|call| call.milestones.ring_ms()).fold(0.0, f64::max);
    let longest_ring = Duration::from_secs_f64((longest / 1000.0).min(RING_MAX_SECONDS));
    let watch = Watch { longest_ring, ..split.watch };
    judge_ringing_again(&mut set.calls, store, &watch);
    link_legs(&mut set.calls, store, &watch);
    let timers = FixedTimers::of(&set.calls, store, watch.end);
    timers.refine(&mut set.calls, store);
    let loads = Loads::of(&set.calls, store);
    loads.refine(&mut set.calls, store);
    (set, NodeSurvey { timers, loads })
}

fn in_order(parts: Vec<GroupParts>, store: &MessageStore) -> CallSet {
    let mut set = CallSet::default();
    set.calls.reserve_exact(parts.iter().map(|part| part.calls.len()).sum());
    for part in parts {
        set.calls.extend(part.calls);
        set.attempts.extend(part.attempts);
        set.requests.extend(part.requests);
    }
    let first = |leg: &Leg| store.messages.get(leg.messages.start).map(Message::order);
    let order = |call: &Call| call.legs.first().and_then(first);
    // Call-IDs are in the order of first sight, and so are their calls, unless one holds several.
    let in_order = |a: &Call, b: &Call| a.started < b.started || a.started == b.started && order(a) <= order(b);
    if !set.calls.is_sorted_by(in_order) {
        set.calls.sort_by_cached_key(|call| (call.started, order(call)));
    }
    set.attempts.sort_by_key(|attempt| (attempt.started, attempt.asked_at));
    set.requests.sort_by_key(|request| (request.sent, request.at));
    set
}

/// Where some call of the run rang longer than timer C, others that were ringing may simply have gone on.
fn judge_ringing_again(calls: &mut [Call], store: &MessageStore, watch: &Watch) {
    if watch.longest_ring <= TIMER_C {
        return;
    }
    let was_ringing = |call: &&mut Call| call.outcome == Outcome::TimedOut && call.milestones.alerted.is_some();
    for call in calls.iter_mut().filter(was_ringing) {
        let legs = call.legs.clone();
        *call = sum_up(&transactions_of(store, &legs), legs, watch);
    }
}

/// Makes one call of those that are legs of it.
fn link_legs(calls: &mut Vec<Call>, store: &MessageStore, watch: &Watch) {
    let leader = leg::leaders(calls, store);
    let links: Vec<(usize, usize)> =
        leader.iter().enumerate().map(|(call, leader)| (*leader as usize, call)).filter(|(a, b)| a != b).collect();
    if links.is_empty() {
        return;
    }
    for &(leader, call) in &links {
        let legs = calls[call].legs.clone();
        calls[leader].legs.extend(legs);
    }
    let mut leaders: Vec<usize> = links.iter().map(|(leader, _)| *leader).collect();
    leaders.sort_unstable();
    leaders.dedup();
    for leader in leaders {
        let legs = calls[leader].legs.clone();
        calls[leader] = sum_up(&transactions_of(store, &legs), legs, watch);
    }
    let mut place = 0;
    calls.retain(|_| {
        let keep = leader[place] as usize == place;
        place += 1;
        keep
    });
}
