//! Builds calls, registrations and others from a closed book: parallel over Call-IDs, the same whatever the threads.

use rayon::prelude::*;
use std::sync::Arc;
use std::time::Duration;

use crate::call::assemble::leg;
use crate::call::beside::icmp::IcmpReport;
use crate::call::beside::other_request::{self, OtherRequest};
use crate::call::beside::registration::{RegisterAttempt, attempts};
use crate::call::ingest::message_store::MessageStore;
use crate::call::outcome::call::{Call, Leg, sum_up};
use crate::call::outcome::verdict::{Outcome, TIMER_C, Watch};
use crate::call::store::message::Message;
use crate::call::store::tables::Tables;
use crate::call::transaction::call_id_parts::{PartKind, classify_group};
use crate::call::transaction::call_transactions::CallTransactions;
use crate::capture::{Pause, Timestamp};

/// Everything that the messages of a run say happened.
#[derive(Debug, Default)]
pub struct CallSet {
    /// Calls in the order of their first message, legs joined.
    pub calls: Vec<Call>,
    /// Tries to register in the order of time.
    pub attempts: Vec<RegisterAttempt>,
    /// Requests outside calls in the order of time.
    pub requests: Vec<OtherRequest>,
}

/// Call-IDs that one thread takes at a time.
const GROUPS_AT_A_TIME: usize = 256;

/// One thread's share.
#[derive(Default)]
struct Share {
    calls: Vec<Call>,
    attempts: Vec<RegisterAttempt>,
    requests: Vec<OtherRequest>,
}

/// What each Call-ID holds, summed up by itself.
pub struct Parts {
    shares: Vec<Share>,
    watch: Watch,
}

/// Tells calls, registrations and others apart; afterwards the messages of each are one range of the book.
pub fn tell(
    store: &mut MessageStore,
    start: Timestamp,
    end: Timestamp,
    pauses: &[Pause],
    errors: &[IcmpReport],
) -> Parts {
    let watch = Watch {
        start,
        end,
        pauses: pauses.into(),
        longest_ring: Duration::ZERO,
        has_nameless: has_nameless(store),
        unreachable: Arc::new(errors.iter().filter_map(|error| error.group).collect()),
    };
    let shares = summed_up(store, &watch);
    Parts { shares, watch }
}

/// Brings the parts into the order of time and joins the legs of calls; `store` is the one that they were told from.
pub fn join(parts: Parts, store: &MessageStore) -> CallSet {
    let mut happenings = in_order(parts.shares, store);
    let longest = happenings.calls.iter().filter_map(|call| call.milestones.ring_ms()).fold(0.0, f64::max);
    let watch = Watch { longest_ring: Duration::from_secs_f64((longest / 1000.0).min(86_400.0)), ..parts.watch };
    judge_ringing_again(&mut happenings.calls, store, &watch);
    join_legs(&mut happenings.calls, store, &watch);
    happenings
}

/// Whether the capture cut some message before its Call-ID.
fn has_nameless(store: &MessageStore) -> bool {
    let mut messages = store.messages.iter();
    // Nearly every capture has no such Call-ID, and its messages need not be walked over.
    store.tables.call_ids.iter().any(|id| id.is_absent()) && messages.any(|message| store.tables.lacks_name(message))
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

/// Tells apart what each Call-ID holds and sums it up; afterwards the messages of each part are one range.
fn summed_up(store: &mut MessageStore, watch: &Watch) -> Vec<Share> {
    let tables = &store.tables;
    let mut slices = store.messages.each_group(&store.groups);
    slices
        .par_chunks_mut(GROUPS_AT_A_TIME)
        .with_max_len(1)
        .map(|groups| {
            let mut share = Share::default();
            for (start, group) in groups {
                sum_up_group(*start, group, tables, watch, &mut share);
            }
            share
        })
        .collect()
}

fn in_order(shares: Vec<Share>, store: &MessageStore) -> CallSet {
    let mut happenings = CallSet::default();
    let calls = shares.iter().map(|share| share.calls.len()).sum();
    happenings.calls.reserve_exact(calls);
    for share in shares {
        happenings.calls.extend(share.calls);
        happenings.attempts.extend(share.attempts);
        happenings.requests.extend(share.requests);
    }
    let first = |leg: &Leg| store.messages.get(leg.start as usize).map(Message::order);
    let order = |call: &Call| call.legs.first().and_then(first);
    // Call-IDs are in the order of first sight, and so are their calls, unless one holds several.
    let is_sorted =
        happenings.calls.is_sorted_by(|a, b| a.started < b.started || a.started == b.started && order(a) <= order(b));
    if !is_sorted {
        let calls = &mut happenings.calls;
        calls.sort_by_cached_key(|call| (call.started, order(call)));
    }
    happenings.attempts.sort_by_key(|attempt| (attempt.started, attempt.asked_at));
    happenings.requests.sort_by_key(|request| (request.sent, request.at));
    happenings
}

fn sum_up_group(start: u32, group: &mut [Message], tables: &Tables, watch: &Watch, share: &mut Share) {
    let Some(first) = group.first() else {
        return;
    };
    let call_id = tables.call_ids.get(first.group.0 as usize);
    let call_id = call_id.copied().unwrap_or_default();
    let messages: Vec<&Message> = group.iter().collect();
    let told = classify_group(&messages, tables);
    if let ([kind], end) = (told.kinds.as_slice(), start + messages.len() as u32) {
        let leg = Leg { call_id, start, end };
        let transactions = CallTransactions::of_pairs(messages, tables, told.pairing);
        return sum_up_part(&transactions, *kind, leg, watch, share);
    }
    let mut labelled: Vec<(u32, Message)> = told.of_messages().zip(group.iter().copied()).collect();
    labelled.sort_by_key(|(part, _)| *part);
    for (place, (_, message)) in group.iter_mut().zip(&labelled) {
        *place = *message;
    }
    let mut rest = &*group;
    let mut next = start;
    for (part, kind) in (0..).zip(told.kinds) {
        let count = labelled.partition_point(|(label, _)| *label <= part) as u32 - (next - start);
        let (own, behind) = rest.split_at(count as usize);
        let leg = Leg { call_id, start: next, end: next + count };
        (rest, next) = (behind, next + count);
        let transactions = CallTransactions::new(own.iter().collect(), tables);
        sum_up_part(&transactions, kind, leg, watch, share);
    }
}

fn sum_up_part(transactions: &CallTransactions<'_>, kind: PartKind, leg: Leg, watch: &Watch, share: &mut Share) {
    if transactions.messages.is_empty() {
        return;
    }
    match kind {
        PartKind::Call => share.calls.push(sum_up(transactions, vec![leg], watch)),
        PartKind::Registration => share.attempts.extend(attempts(transactions, leg, watch)),
        PartKind::Other(_) => {
            let requests = other_request::requests(transactions, (leg.start, leg.end), watch);
            share.requests.extend(requests);
        }
    }
}

/// Takes the messages of some legs apart again.
pub fn transactions_of<'a>(store: &'a MessageStore, legs: &[Leg]) -> CallTransactions<'a> {
    let range = |leg: &Leg| store.messages.get(leg.start as usize..leg.end as usize).unwrap_or_default();
    let mut messages: Vec<&Message> = legs.iter().flat_map(range).collect();
    if legs.len() > 1 {
        messages.sort_by_key(|message| message.order());
    }
    CallTransactions::new(messages, &store.tables)
}

fn join_legs(calls: &mut Vec<Call>, store: &MessageStore, watch: &Watch) {
    let leader = leg::link(calls, store);
    let joins: Vec<(usize, usize)> =
        leader.iter().enumerate().map(|(call, leader)| (*leader as usize, call)).filter(|(a, b)| a != b).collect();
    if joins.is_empty() {
        return;
    }
    for &(leader, call) in &joins {
        let legs = calls[call].legs.clone();
        calls[leader].legs.extend(legs);
    }
    let mut leaders: Vec<usize> = joins.iter().map(|(leader, _)| *leader).collect();
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
