//! The parts of each Call-ID summed up by themselves: calls, tries to register, other requests. Parallel over Call-IDs, the same
//! whatever the threads.

use rayon::prelude::*;
use std::sync::Arc;
use std::time::Duration;

use crate::call::beside::icmp::IcmpReport;
use crate::call::beside::other_request::{self, OtherRequest};
use crate::call::beside::registration::{RegisterAttempt, attempts};
use crate::call::outcome::call::{Call, sum_up};
use crate::call::outcome::verdict::Watch;
use crate::call::store::fast_map::FastSet;
use crate::call::store::message::Message;
use crate::call::store::message_store::{Leg, MessageStore};
use crate::call::store::messages::MessageRange;
use crate::call::store::tables::Tables;
use crate::call::transaction::call_id_parts::{PartKind, classify_group};
use crate::call::transaction::call_transactions::CallTransactions;
use crate::call::transaction::pairing::{Pairing, Transaction};
use crate::capture::{Pause, Timestamp};
use crate::sip::Method;

/// ACKs of one Call-ID up to which each is compared with the others; where there are more, some may be repeats.
const ACKS_COMPARED_MAX: usize = 16;
/// Call-IDs that one thread takes at a time.
const GROUPS_AT_A_TIME: usize = 256;

/// What some Call-IDs hold, in their order.
#[derive(Debug, Default)]
pub(in crate::call) struct GroupParts {
    pub(in crate::call) calls: Vec<Call>,
    pub(in crate::call) attempts: Vec<RegisterAttempt>,
    pub(in crate::call) requests: Vec<OtherRequest>,
}

/// What each Call-ID holds, before the legs of calls are linked.
#[derive(Debug)]
pub struct SplitCallIds {
    pub(in crate::call) parts: Vec<GroupParts>,
    pub(in crate::call) watch: Watch,
}

/// Splits what each Call-ID holds into calls, registrations and others, and marks what senders repeated. Afterwards the messages
/// of each part are one range of the store, and the store is only read.
pub fn split_call_ids(
    store: &mut MessageStore,
    (start, end): (Timestamp, Timestamp),
    pauses: &[Pause],
    errors: &[IcmpReport],
) -> SplitCallIds {
    let watch = Watch {
        start,
        end,
        pauses: pauses.into(),
        longest_ring: Duration::ZERO,
        has_nameless: has_nameless(store),
        unreachable: Arc::new(errors.iter().filter_map(|error| error.group).collect()),
    };
    let tables = &store.tables;
    let mut groups = store.messages.each_group(&store.groups);
    let parts = groups.par_chunks_mut(GROUPS_AT_A_TIME).with_max_len(1).map(|groups| {
        let mut parts = GroupParts::default();
        for (start, group) in groups {
            parts.add_group(*start, group, tables, &watch);
        }
        parts
    });
    SplitCallIds { parts: parts.collect(), watch }
}

/// Whether the capture cut some message before its Call-ID.
fn has_nameless(store: &MessageStore) -> bool {
    let mut messages = store.messages.iter();
    // Nearly every capture has no such Call-ID, and its messages need not be walked over.
    store.tables.call_ids.iter().any(|id| id.is_absent()) && messages.any(|message| store.tables.lacks_name(message))
}

impl GroupParts {
    /// Adds what the messages of a Call-ID, which begin at `start`, are.
    fn add_group(&mut self, start: u32, group: &mut [Message], tables: &Tables, watch: &Watch) {
        let Some(first) = group.first() else {
            return;
        };
        let call_id = tables.call_id_of(first.group);
        let mut messages: Vec<&Message> = group.iter().collect();
        let split = classify_group(&messages, tables);
        if may_have_repeats(&split.pairing) {
            mark_repeats(group, &split.pairing, tables);
            messages = group.iter().collect();
        }
        if let [kind] = split.kinds[..] {
            let leg = Leg { call_id, messages: MessageRange { start, end: start + messages.len() as u32 } };
            let transactions = CallTransactions::of_pairs(messages, tables, split.pairing);
            return self.add_part(&transactions, kind, leg, watch);
        }
        let mut labelled: Vec<(u32, Message)> = split.of_messages().zip(group.iter().copied()).collect();
        labelled.sort_by_key(|(part, _)| *part);
        for (place, (_, message)) in group.iter_mut().zip(&labelled) {
            *place = *message;
        }
        let (mut rest, mut next) = (&*group, start);
        for (part, kind) in (0..).zip(split.kinds) {
            let count = labelled.partition_point(|(label, _)| *label <= part) as u32 - (next - start);
            let (own, behind) = rest.split_at(count as usize);
            let leg = Leg { call_id, messages: MessageRange { start: next, end: next + count } };
            (rest, next) = (behind, next + count);
            let transactions = CallTransactions::new(own.iter().collect(), tables);
            self.add_part(&transactions, kind, leg, watch);
        }
    }

    fn add_part(&mut self, transactions: &CallTransactions<'_>, kind: PartKind, leg: Leg, watch: &Watch) {
        if transactions.messages.is_empty() {
            return;
        }
        match kind {
            PartKind::Call => self.calls.push(sum_up(transactions, vec![leg], watch)),
            PartKind::Registration => self.attempts.extend(attempts(transactions, leg, watch)),
            PartKind::Other(_) => self.requests.extend(other_request::requests(transactions, leg.messages, watch)),
        }
    }
}

/// Whether some message may have been sent before; in most Call-IDs none was, and they need not be walked over.
fn may_have_repeats(pairing: &Pairing) -> bool {
    let acks = || pairing.transactions.iter().filter(|transaction| transaction.method == Method::Ack);
    let way = |ack: &Transaction| (ack.source, ack.destination, ack.cseq);
    let is_like_another = |(place, ack): (usize, &Transaction)| {
        place >= ACKS_COMPARED_MAX || acks().take(place).any(|other| way(other) == way(ack))
    };
    pairing.repeated.contains(&true) || acks().enumerate().any(is_like_another)
}

/// Marks the messages that their sender had sent before, to the same receiver.
///
/// A response that a proxy passes on under the Via stack of the next hop is of that hop's transaction, and is no repeat. An ACK
/// answers each repeat of its 2xx and may have a branch, so a transaction, of its own each time (RFC 3261 section 13.2.2.4).
fn mark_repeats(group: &mut [Message], pairing: &Pairing, tables: &Tables) {
    let mut sent = FastSet::default();
    let mut acked = FastSet::default();
    let paired = pairing.owner.iter().zip(&pairing.repeated);
    for (message, (owner, is_repeated)) in group.iter_mut().zip(paired).filter(|(message, _)| !message.flags.is_copy())
    {
        let way = (message.source, message.destination);
        let is_own = pairing.transactions[owner.0 as usize].method == Method::Ack;
        let was_sent = if is_own {
            // A request that comes by twice on its way has more Via values the second time.
            let depth = tables.vias.get(message.via).depth;
            !acked.insert((way, depth, message.cseq, message.from_tag, message.to_tag))
        } else {
            !sent.insert((way, *owner, message.kind)) && *is_repeated
        };
        message.flags.set_retransmission(was_sent);
    }
}
