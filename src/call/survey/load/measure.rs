//! Measuring: the calls of a run become attempts at nodes, and the channels that were up there meanwhile.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::call::outcome::call::Call;
use crate::call::outcome::verdict::Outcome;
use crate::call::store::endpoint::NodeId;
use crate::call::store::fast_map::FastMap;
use crate::call::store::message::Message;
use crate::call::store::message_store::MessageStore;
use crate::call::store::tables::Tables;
use crate::call::survey::load::attempt::{Channel, HOPS_MAX};
use crate::call::survey::load::destination::Destination;
use crate::call::survey::load::sent::{SentInvite, end_of, sent};
use crate::call::survey::load::words::RefusalReader;
use crate::call::transaction::join::transactions_of;
use crate::capture::Timestamp;
use crate::sip::{Method, StatusCode};

/// Nodes of one call whose INVITE came before the capture.
const OLD_NODES_MAX: usize = 16;
/// Calls whose INVITEs are gathered at a time, so that they are never there twice as a whole.
const CALLS_GATHERED: usize = 1 << 15;
/// Calls that one thread looks at at a time.
const CALLS_AT_A_TIME: usize = 1024;

/// Where the destination of each node stands.
pub(super) type DestinationIndex = FastMap<NodeId, usize>;

/// Every node that calls were sent to.
pub(super) fn destinations(calls: &[Call], store: &MessageStore) -> (Vec<Destination>, DestinationIndex) {
    let tables = &store.tables;
    let mut places: DestinationIndex = HashMap::default();
    let mut destinations: Vec<Destination> = Vec::new();
    for first in (0..calls.len()).step_by(CALLS_GATHERED) {
        let those = &calls[first..calls.len().min(first + CALLS_GATHERED)];
        let shares = those.par_chunks(CALLS_AT_A_TIME).with_max_len(1);
        let shares = shares.enumerate().map(|(share, calls)| {
            let first = first + share * CALLS_AT_A_TIME;
            sent(first as u32, calls, tables)
        });
        let shares: Vec<Vec<SentInvite>> = shares.collect();
        for sent in shares.into_iter().flatten() {
            let place = *places.entry(sent.node).or_insert_with(|| {
                destinations.push(Destination {
                    node: sent.node,
                    endpoint: sent.endpoint,
                    attempts: Vec::new(),
                    ends: Vec::new(),
                    older: 0,
                    ceiling: None,
                    pace: None,
                    channels: Vec::new(),
                });
                destinations.len() - 1
            });
            destinations[place].attempts.push(sent.attempt);
            destinations[place].channels.extend(sent.channel);
        }
    }
    let others = calls.par_chunks(CALLS_AT_A_TIME).with_max_len(1);
    let others = others.map(|calls| {
        let others = calls.iter().flat_map(|call| {
            let begun = begun_at_a_node(call, tables, &places);
            begun.into_iter().chain(older(call, store, &places))
        });
        others.collect()
    });
    let others: Vec<Vec<OtherChannel>> = others.collect();
    for other in others.into_iter().flatten() {
        let destination = &mut destinations[other.place];
        destination.older += u32::from(!other.channel.is_from_node);
        destination.channels.push(other.channel);
    }
    destinations.par_iter_mut().with_max_len(1).for_each(|destination| sort(destination, calls, store));
    (destinations, places)
}

/// Puts what was gathered at a node in the order of time, and reads what refusals say.
fn sort(destination: &mut Destination, calls: &[Call], store: &MessageStore) {
    let Destination { attempts, channels, ends, .. } = destination;
    // In the order of calls, attempts are nearly in the order of time.
    attempts.sort_by_cached_key(|attempt| attempt.sent);
    channels.sort_unstable_by_key(|channel| channel.start);
    *ends = channels.iter().map(|channel| channel.end).collect();
    ends.sort_unstable();
    // These are kept for every node of a run.
    attempts.shrink_to_fit();
    channels.shrink_to_fit();
    let refused = attempts.par_iter_mut().filter(|attempt| attempt.is_refused());
    refused.for_each_init(RefusalReader::default, |reader, attempt| {
        let call = calls.get(attempt.call.place());
        if let Some(refusal) = call.and_then(|call| refusal(call, attempt.hop, store)) {
            attempt.words = reader.words(&store.tables, refusal);
        }
    });
}

/// A channel of a node that no INVITE to it took.
struct OtherChannel {
    /// Which destination the node is.
    place: usize,
    channel: Channel,
}

/// What a call took of a node that sent it without having been sent it.
fn begun_at_a_node(call: &Call, tables: &Tables, places: &DestinationIndex) -> Option<OtherChannel> {
    let hops = || call.hops.iter().take(HOPS_MAX);
    hops().find_map(|hop| {
        let node = tables.node(hop.source);
        let place = *places.get(&node)?;
        let was_sent_it = hops().any(|other| tables.node(other.destination) == node);
        let is_up = hop.final_code < 300 || hop.alerted_ms.is_some();
        (!was_sent_it && is_up).then(|| OtherChannel {
            place,
            channel: Channel { start: hop.sent, end: end_of(call, hop), source: None, is_from_node: true },
        })
    })
}

/// A call whose INVITE came before the capture counts from its start to its BYE, at every node that it passes.
fn older(call: &Call, store: &MessageStore, places: &DestinationIndex) -> Vec<OtherChannel> {
    if call.outcome != Outcome::Partial || !call.hops.is_empty() {
        return Vec::new();
    }
    let mut nodes: Vec<NodeId> = Vec::new();
    let (mut is_up, mut end) = (false, None);
    for leg in &call.legs {
        for message in store.messages_of(leg) {
            let is_inside = !message.to_tag.is_absent()
                && matches!(message.method(), Some(Method::Bye | Method::Invite | Method::Update | Method::Info));
            is_up |= is_inside;
            if message.is_request(Method::Bye) {
                end = end.or(Some(message.time));
            }
            for endpoint in [message.source, message.destination] {
                let node = store.tables.node(endpoint);
                if nodes.len() < OLD_NODES_MAX && !nodes.contains(&node) {
                    nodes.push(node);
                }
            }
        }
    }
    let channel = Channel {
        start: Timestamp::from_nanoseconds(i64::MIN),
        end: end.unwrap_or(Timestamp::from_nanoseconds(i64::MAX)),
        source: None,
        is_from_node: false,
    };
    let places = nodes.iter().filter_map(|node| places.get(node));
    let places = places.filter(|_| is_up).copied();
    places.map(|place| OtherChannel { place, channel }).collect()
}

/// The message that refused a hop.
fn refusal<'a>(call: &Call, number: u32, store: &'a MessageStore) -> Option<&'a Message> {
    let hop = call.hops.get(number as usize)?;
    let messages = call.legs.iter().flat_map(|leg| store.messages_of(leg));
    let mut alike = messages.filter(|message| {
        message.status() == Some(StatusCode(hop.final_code))
            && hop.final_ms == Some(message.time.millis_since(hop.sent) as f32)
    });
    if let (Some(refusal), None) = (alike.next(), alike.next()) {
        return Some(refusal);
    }
    // Which of several that came at the same moment only the call as a whole shows.
    let transactions = transactions_of(store, &call.legs);
    let (_, hop) = transactions.invites().nth(number as usize)?;
    Some(transactions.message(hop.final_response?))
}
