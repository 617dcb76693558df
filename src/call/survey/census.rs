//! The census: what all messages together say of who spoke to whom, counted in one pass over the store.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::call::store::endpoint::{EndpointId, NodePair};
use crate::call::store::fast_map::FastMap;
use crate::call::store::message::Message;
use crate::call::store::message_store::MessageStore;
use crate::capture::Timestamp;
use crate::net::Transport;

/// Messages that one thread counts at a time.
const MESSAGES_AT_A_TIME: usize = 1 << 15;

/// Messages of one node to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// How many, copies included.
    pub messages: u32,
    /// Sender of the first one.
    pub source: EndpointId,
    /// Receiver of the first one.
    pub destination: EndpointId,
}

/// Counts over all messages of a run.
#[derive(Debug, Default)]
pub struct Census {
    /// Messages that are no copies, by what carried them.
    pub by_transport: BTreeMap<Transport, u64>,
    /// For each file with messages that the capture cut: the lowest frame and how many.
    pub cut: BTreeMap<u16, (u32, u64)>,
    /// Places of the messages that came in fragments, rising.
    pub fragmented: Vec<u32>,
    /// What nodes sent each other.
    pub traffic: BTreeMap<NodePair, Traffic>,
    /// Times of the first and the last message; `None` where there is none.
    pub span: Option<(Timestamp, Timestamp)>,
}

#[derive(Default)]
struct CensusShare {
    by_transport: BTreeMap<Transport, u64>,
    cut: BTreeMap<u16, (u32, u64)>,
    fragmented: Vec<u32>,
    /// In the order of first sight.
    traffic: Vec<(NodePair, Traffic)>,
    /// Where each pair is in that.
    places: FastMap<NodePair, u32>,
    span: Option<(Timestamp, Timestamp)>,
}

impl Census {
    /// Counts the messages of a store.
    pub fn of(store: &MessageStore) -> Self {
        let chunks: Vec<(usize, &[Message])> = store.messages.chunks(MESSAGES_AT_A_TIME).collect();
        let all = chunks
            .into_par_iter()
            .with_max_len(1)
            .map(|(place, messages)| CensusShare::of(messages, place, store))
            .reduce(CensusShare::default, CensusShare::and);
        Self {
            by_transport: all.by_transport,
            cut: all.cut,
            fragmented: all.fragmented,
            traffic: all.traffic.into_iter().collect(),
            span: all.span,
        }
    }
}

impl CensusShare {
    /// Counts neighbouring messages, the first of which is at `place`.
    fn of(messages: &[Message], place: usize, store: &MessageStore) -> Self {
        let mut share = Self::default();
        let Some(first) = messages.first() else {
            return share;
        };
        let mut recent_flows = RecentFlows::default();
        let mut span = (first.time, first.time);
        let mut run = (first.transport, 0);
        for (place, message) in (place as u32..).zip(messages) {
            if message.transport != run.0 {
                share.add_run(run);
                run = (message.transport, 0);
            }
            run.1 += u64::from(!message.flags.is_copy());
            if message.flags.is_cut() && !message.flags.is_incomplete() {
                let frame = message.at.frame;
                let cut = share.cut.entry(message.at.file).or_insert((frame, 0));
                *cut = (cut.0.min(frame), cut.1 + 1);
            }
            if message.flags.is_fragmented() || message.flags.is_incomplete() {
                share.fragmented.push(place);
            }
            let ends = (message.source, message.destination);
            let place = recent_flows.place(ends, || share.place(ends, store));
            share.traffic[place as usize].1.messages += 1;
            span = (span.0.min(message.time), span.1.max(message.time));
        }
        share.add_run(run);
        share.span = Some(span);
        share
    }

    /// Adds messages of one transport that are no copies.
    fn add_run(&mut self, (transport, count): (Transport, u64)) {
        if count > 0 {
            *self.by_transport.entry(transport).or_default() += count;
        }
    }

    /// Where the traffic between the nodes of two endpoints is counted.
    fn place(&mut self, (source, destination): (EndpointId, EndpointId), store: &MessageStore) -> u32 {
        let pair = (store.tables.node(source), store.tables.node(destination));
        self.place_of(pair, Traffic { messages: 0, source, destination })
    }

    fn place_of(&mut self, pair: NodePair, empty: Traffic) -> u32 {
        *self.places.entry(pair).or_insert_with(|| {
            self.traffic.push((pair, empty));
            self.traffic.len() as u32 - 1
        })
    }

    /// This share and one of later messages.
    fn and(mut self, later: Self) -> Self {
        for run in later.by_transport {
            self.add_run(run);
        }
        for (file, (frame, count)) in later.cut {
            let cut = self.cut.entry(file).or_insert((frame, 0));
            *cut = (cut.0.min(frame), cut.1 + count);
        }
        self.fragmented.extend(later.fragmented);
        for (pair, more) in later.traffic {
            let place = self.place_of(pair, Traffic { messages: 0, ..more });
            self.traffic[place as usize].1.messages += more.messages;
        }
        self.span = wider(self.span, later.span);
        self
    }
}

/// Endpoints that are remembered.
const RECENT_MAX: usize = 64;

/// Where the traffic of endpoints is counted that spoke lately: the messages of a call go between the same few.
struct RecentFlows([Option<((EndpointId, EndpointId), u32)>; RECENT_MAX]);

impl Default for RecentFlows {
    fn default() -> Self {
        Self([None; RECENT_MAX])
    }
}

impl RecentFlows {
    fn place(&mut self, ends: (EndpointId, EndpointId), find: impl FnOnce() -> u32) -> u32 {
        let number = ends.0.place() * 7 + ends.1.place();
        let known = &mut self.0[number % RECENT_MAX];
        match known {
            Some((of, place)) if *of == ends => *place,
            _ => {
                let place = find();
                *known = Some((ends, place));
                place
            }
        }
    }
}

fn wider(a: Option<(Timestamp, Timestamp)>, b: Option<(Timestamp, Timestamp)>) -> Option<(Timestamp, Timestamp)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (one, other) => one.or(other),
    }
}
