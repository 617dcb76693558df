//! Attempts at a node: every INVITE that was sent to it, its fate there, and the calls that were up meanwhile.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::call::assemble::group::transactions_of;
use crate::call::ingest::message_store::MessageStore;
use crate::call::outcome::call::Call;
use crate::call::outcome::verdict::Outcome;
use crate::call::store::endpoint::{EndpointId, NodeId};
use crate::call::store::message::Message;
use crate::call::store::string_arena::TextId;
use crate::call::store::tables::Tables;
use crate::call::survey::load::limit::{Ceiling, Pace, View};
use crate::call::survey::load::sent::{Sent, end_of, sent};
use crate::call::survey::load::words::{Heard, Words};
use crate::capture::Timestamp;
use crate::sip::{Method, StatusCode};

/// Hops of one call that are looked at; a forged call may have any number.
pub(super) const HOPS_MAX: usize = 256;
/// Nodes of one call whose INVITE came before the capture.
const OLD_NODES_MAX: usize = 16;

/// Calls whose INVITEs are put by together, so that they are never there twice as a whole.
const CALLS_GATHERED: usize = 1 << 15;
/// Calls that one thread looks at at a time.
const CALLS_AT_A_TIME: usize = 1024;

/// What became of an INVITE at the node that it was sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Taken: it rang, was answered, or was cancelled before anything else happened.
    Taken,
    /// Refused by the node itself, before it rang.
    Refused,
    /// Refused by a node behind it, as the capture shows.
    Behind,
    /// Never answered at all.
    Silent,
    /// Redirected, challenged, or not seen to its end.
    Other,
}

/// One INVITE at a node.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// Index of the call.
    pub call: u32,
    /// Place of the hop in the call.
    pub hop: u32,
    /// Who sent it.
    pub source: NodeId,
    /// The number or user that was called.
    pub callee: TextId,
    /// When it was first sent.
    pub sent: Timestamp,
    /// What became of it.
    pub fate: Fate,
    /// Its final code, 0 where none came.
    pub code: u16,
    /// Whether the call ended with what happened here.
    pub decides: bool,
    /// Time to the first response of any kind in milliseconds.
    pub reply_ms: Option<f32>,
    /// Time to the first response beyond 100 in milliseconds.
    pub progress_ms: Option<f32>,
    /// Time to the final response in milliseconds.
    pub final_ms: Option<f32>,
    /// What the refusal says; empty unless refused.
    pub words: Words,
}

impl Attempt {
    /// Whether the node itself refused it before it rang.
    pub fn is_refused(&self) -> bool {
        self.fate == Fate::Refused
    }
}

/// A call that occupied a channel of a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channel {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// Who sent it to the node; `None` where the node sent it, or where that was before the capture.
    pub(super) source: Option<NodeId>,
    /// The node sent it.
    pub(super) is_from_node: bool,
}

/// What happened at one node.
#[derive(Debug)]
pub struct Destination {
    /// The node.
    pub node: NodeId,
    /// Its endpoint that calls were sent to first.
    pub endpoint: EndpointId,
    /// In the order of time.
    pub attempts: Vec<Attempt>,
    /// When calls that it had taken ended, in order.
    pub ends: Vec<Timestamp>,
    /// Calls through it that were older than the capture.
    pub older: u32,
    /// The number of calls at the same time that explains its refusals, where one does.
    pub ceiling: Option<Ceiling>,
    /// The pace of new calls that explains its refusals, where one does.
    pub pace: Option<Pace>,
    channels: Vec<Channel>,
}

impl Destination {
    /// Whether calls came from the node too.
    pub fn has_calls_from(&self) -> bool {
        self.channels.iter().any(|channel| channel.is_from_node)
    }

    /// For each attempt the calls that were up or being set up when it came, itself not counted.
    pub fn levels(&self, view: View) -> Vec<u32> {
        let counts = |channel: &&Channel| match view {
            View::To => !channel.is_from_node,
            View::Both => true,
            View::From(source) => channel.source == Some(source),
        };
        let channels = || self.channels.iter().filter(counts);
        let mut ends: Vec<Timestamp> = channels().map(|channel| channel.end).collect();
        ends.sort_unstable();
        let mut starts = channels().map(|channel| channel.start).peekable();
        let mut ends = ends.into_iter().peekable();
        let (mut begun, mut over) = (0_usize, 0_usize);
        let level = |attempt: &Attempt| {
            while starts.next_if(|start| *start < attempt.sent).is_some() {
                begun += 1;
            }
            while ends.next_if(|end| *end <= attempt.sent).is_some() {
                over += 1;
            }
            begun.saturating_sub(over) as u32
        };
        self.attempts.iter().map(level).collect()
    }

    /// Puts what was gathered in the order of time, and reads what refusals say.
    fn sort(&mut self, calls: &[Call], store: &MessageStore) {
        // In the order of calls, attempts are nearly in the order of time.
        self.attempts.sort_by_cached_key(|attempt| attempt.sent);
        self.channels.sort_unstable_by_key(|channel| channel.start);
        self.ends = self.channels.iter().map(|channel| channel.end).collect();
        self.ends.sort_unstable();
        // These are kept for every node of a run.
        self.attempts.shrink_to_fit();
        self.channels.shrink_to_fit();
        let refused = self.attempts.par_iter_mut().filter(|attempt| attempt.is_refused());
        refused.for_each_init(Heard::default, |heard, attempt| {
            let call = calls.get(attempt.call as usize);
            if let Some(refusal) = call.and_then(|call| refusal(call, attempt.hop, store)) {
                attempt.words = heard.words(&store.tables, refusal);
            }
        });
    }

    /// Refused attempts.
    pub fn refused(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| attempt.is_refused())
    }
}

type Places = HashMap<NodeId, usize, foldhash::fast::FixedState>;

/// Every node that calls were sent to.
pub(super) fn destinations(calls: &[Call], store: &MessageStore) -> (Vec<Destination>, Places) {
    let tables = &store.tables;
    let mut places: Places = HashMap::default();
    let mut destinations: Vec<Destination> = Vec::new();
    for first in (0..calls.len()).step_by(CALLS_GATHERED) {
        let those = &calls[first..calls.len().min(first + CALLS_GATHERED)];
        let shares = those.par_chunks(CALLS_AT_A_TIME).with_max_len(1);
        let shares = shares.enumerate().map(|(share, calls)| {
            let first = first + share * CALLS_AT_A_TIME;
            sent(first as u32, calls, tables)
        });
        let shares: Vec<Vec<Sent>> = shares.collect();
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
    let besides = calls.par_chunks(CALLS_AT_A_TIME).with_max_len(1);
    let besides = besides.map(|calls| {
        let besides = calls.iter().flat_map(|call| {
            let begun = begun_at_a_node(call, tables, &places);
            begun.into_iter().chain(older(call, store, &places))
        });
        besides.collect()
    });
    let besides: Vec<Vec<Beside>> = besides.collect();
    for beside in besides.into_iter().flatten() {
        let destination = &mut destinations[beside.place];
        destination.older += u32::from(!beside.channel.is_from_node);
        destination.channels.push(beside.channel);
    }
    destinations.par_iter_mut().with_max_len(1).for_each(|destination| destination.sort(calls, store));
    (destinations, places)
}

/// A channel of a node that no INVITE to it took.
struct Beside {
    /// Which destination the node is.
    place: usize,
    channel: Channel,
}

/// What a call took of a node that sent it without having been sent it.
fn begun_at_a_node(call: &Call, tables: &Tables, places: &Places) -> Option<Beside> {
    let hops = || call.hops.iter().take(HOPS_MAX);
    hops().find_map(|hop| {
        let node = tables.node(hop.source);
        let place = *places.get(&node)?;
        let was_sent_it = hops().any(|other| tables.node(other.destination) == node);
        let is_up = hop.final_code < 300 || hop.alerted_ms.is_some();
        (!was_sent_it && is_up).then(|| Beside {
            place,
            channel: Channel { start: hop.sent, end: end_of(call, hop), source: None, is_from_node: true },
        })
    })
}

/// A call whose INVITE came before the capture counts from its start to its BYE, at every node that it passes.
fn older(call: &Call, store: &MessageStore, places: &Places) -> Vec<Beside> {
    if call.outcome != Outcome::Partial || !call.hops.is_empty() {
        return Vec::new();
    }
    let mut nodes: Vec<NodeId> = Vec::new();
    let (mut is_up, mut end) = (false, None);
    for leg in &call.legs {
        let range = leg.start as usize..leg.end as usize;
        for message in store.messages.get(range).unwrap_or_default() {
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
    places.map(|place| Beside { place, channel }).collect()
}

/// The message that refused a hop.
fn refusal<'a>(call: &Call, number: u32, store: &'a MessageStore) -> Option<&'a Message> {
    let hop = call.hops.get(number as usize)?;
    let messages = call.legs.iter().flat_map(|leg| {
        let range = leg.start as usize..leg.end as usize;
        store.messages.get(range).unwrap_or_default()
    });
    let mut alike = messages.filter(|message| {
        message.status() == Some(StatusCode(hop.final_code))
            && hop.final_ms == Some(message.time.millis_since(hop.sent) as f32)
    });
    if let (Some(refusal), None) = (alike.next(), alike.next()) {
        return Some(refusal);
    }
    // Which of several that came at the same moment is only told by the call as a whole.
    let transactions = transactions_of(store, &call.legs);
    let (_, hop) = transactions.invites().nth(number as usize)?;
    Some(transactions.message(hop.final_response?))
}
