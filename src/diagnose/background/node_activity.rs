//! Node activity: who spoke when over the whole capture, and which requests between two nodes were answered.

use crate::call::{EndpointId, FastMap, Message, MessageStore, NodeId, ViaId};
use crate::capture::{FrameRef, Timestamp};
use crate::diagnose::background::message_time_index::{MessageTimeIndex, SentMessages};
use crate::diagnose::background::needs::Needs;
use crate::sip::Method;

/// Requests of one node to another, each counted once however often it was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// Requests that were answered.
    pub answered: u32,
    /// Requests that nothing answered.
    pub silent: u32,
    /// Bytes of the largest request over UDP that was answered, and its frame.
    pub largest_answered: Option<(u32, FrameRef)>,
    /// Bytes of the smallest request over UDP that nothing answered.
    pub smallest_silent: Option<u32>,
}

/// Who spoke when, and what was answered.
#[derive(Debug, Default)]
pub struct NodeActivity {
    /// For each node by its number.
    sent: Vec<SentMessages>,
    /// What the nodes said that left something unanswered; nobody asks that of the others.
    spoken: MessageTimeIndex,
    asked: FastMap<(NodeId, NodeId), RequestCounts>,
    /// Answered and silent requests to each node by its number.
    totals: Vec<(u32, u32)>,
}

/// A set of methods for each Via stack, whose numbers are dense.
struct Methods(Vec<u16>);

impl Methods {
    /// Adds a method to those of a stack; says whether it is new there.
    fn insert(&mut self, via: ViaId, method: Method) -> bool {
        let place = via.place();
        if self.0.len() <= place {
            self.0.resize(place + 1, 0);
        }
        let bit = 1 << method as u16;
        let is_new = self.0[place] & bit == 0;
        self.0[place] |= bit;
        is_new
    }

    fn has(&self, via: ViaId, method: Method) -> bool {
        let methods = self.0.get(via.place()).copied().unwrap_or_default();
        methods & (1 << method as u16) != 0
    }
}

impl NodeActivity {
    /// Reads all messages of a run.
    pub(super) fn of(store: &MessageStore, needs: Needs) -> Self {
        let node = |endpoint: EndpointId| store.tables.node(endpoint);
        let mut activity = Self::default();
        if !needs.silence {
            return activity;
        }
        let mut answered = Methods(Vec::new());
        for message in &store.messages {
            entry(&mut activity.sent, node(message.source)).add(message);
            if message.status().is_some() {
                answered.insert(message.via, message.cseq_method);
            }
        }
        let mut is_left = Vec::new();
        let mut counted = Methods(Vec::new());
        for message in &store.messages {
            let Some(method) = message.method().filter(|method| *method != Method::Ack) else {
                continue;
            };
            let pair = (node(message.source), node(message.destination));
            let was_answered = answered.has(message.via, method);
            if !was_answered {
                *entry(&mut is_left, pair.1) = true;
            }
            if method != Method::Cancel && counted.insert(message.via, method) {
                activity.asked.entry(pair).or_default().count(message, was_answered);
                let (answered, silent) = entry(&mut activity.totals, pair.1);
                *answered += u32::from(was_answered);
                *silent += u32::from(!was_answered);
            }
        }
        activity.spoken = MessageTimeIndex::of(store, &activity.sent, &is_left);
        activity
    }

    /// What one node asked another.
    pub fn asked(&self, from: NodeId, to: NodeId) -> RequestCounts {
        self.asked.get(&(from, to)).copied().unwrap_or_default()
    }

    /// How many requests of all nodes but one a node answered, and how many it did not.
    pub fn asked_by_others(&self, from: NodeId, to: NodeId) -> (u32, u32) {
        let own = self.asked(from, to);
        let (answered, silent) = self.totals.get(to.place()).copied().unwrap_or_default();
        (answered.saturating_sub(own.answered), silent.saturating_sub(own.silent))
    }

    /// The last message before a moment of a node that left something unanswered.
    pub fn last_spoken<'a>(&self, store: &'a MessageStore, node: NodeId, before: Timestamp) -> Option<&'a Message> {
        self.spoken.backwards(store, node, before).next()
    }

    /// The last message from one port of a node before a moment, among its last thousand.
    pub fn last_from<'a>(&self, store: &'a MessageStore, source: EndpointId, before: Timestamp) -> Option<&'a Message> {
        /// Messages looked back at: many devices may share one address.
        const LOOK_BACK_MAX: usize = 1_000;
        self.spoken
            .backwards(store, store.tables.node(source), before)
            .take(LOOK_BACK_MAX)
            .find(|message| message.source == source)
    }

    /// Whether a node ever sent SIP.
    pub fn has_spoken(&self, node: NodeId) -> bool {
        self.sent.get(node.place()).is_some_and(|sent| sent.is_any())
    }
}

/// What is kept of a node in a list by the numbers of nodes.
fn entry<T: Default + Clone>(nodes: &mut Vec<T>, node: NodeId) -> &mut T {
    let place = node.place();
    if nodes.len() <= place {
        nodes.resize(place + 1, T::default());
    }
    &mut nodes[place]
}

impl RequestCounts {
    fn count(&mut self, request: &Message, was_answered: bool) {
        if was_answered {
            self.answered += 1;
        } else {
            self.silent += 1;
        }
        if request.transport.is_reliable() {
            return;
        }
        let size = request.size;
        if was_answered {
            let larger = self.largest_answered.is_none_or(|(known, _)| size > known);
            self.largest_answered = if larger { Some((size, request.at)) } else { self.largest_answered };
        } else {
            self.smallest_silent = Some(self.smallest_silent.map_or(size, |known| known.min(size)));
        }
    }
}
