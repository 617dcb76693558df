//! The ordered half of reading: batches in the order of capture become the message store and counts.

use std::collections::{BTreeMap, HashMap};

use crate::analysis::batch::{Batch, IcmpSeen};
use crate::call::FastMap;
use crate::call::beside::dns::{DNS_MESSAGES_MAX, DnsSeen};
use crate::call::{Arrival, MessageBatch, MessageStoreBuilder};
use crate::capture::{FrameRef, Timestamp};
use crate::net::{Delivery, Network, Piece, Skip, StreamId, Trace, Transport};
use crate::sip::{self, Framed, Framer, Framing, Seed, Sift};

/// ICMP errors kept for the diagnosis; a flood of them says no more than these.
const ERRORS_MAX: usize = 50_000;

/// Bytes of TLS key logs kept for captures that begin later: several full ones.
const SECRETS_BYTES_MAX: usize = 128 << 20;

/// Stores messages and counts what was passed over.
pub(super) struct Collector {
    /// Messages of streams and fragments that wait to be stored.
    waiting: MessageBatch,
    seed: Seed,
    store: MessageStoreBuilder,
    lanes: Vec<Lane>,
    /// TLS key logs, one behind the other.
    secrets: Vec<u8>,
    tally: Tally,
    expected: Expected,
}

/// How much there is to read.
#[derive(Debug, Clone, Copy, Default)]
struct Expected {
    /// Stored bytes of all captures; `None` where a pipe does not say, and once room was made for them.
    whole: Option<u64>,
    /// Stored bytes of the captures before this one.
    before: u64,
}

/// Of all stored bytes the part after which the rest is taken to hold as much again: one in this many.
const SAMPLE_SHARE: u64 = 16;

/// What was seen beside messages.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) errors: Vec<IcmpSeen>,
    pub(super) dns: Vec<DnsSeen>,
    pub(super) skips: BTreeMap<Skip, u64>,
    pub(super) media_packets: u64,
    pub(super) cut_messages: u64,
    pub(super) garbage_bytes: u64,
    /// Holes in signalling streams by capture: how many, and the first frame behind one.
    pub(super) holes: BTreeMap<u16, (u64, FrameRef)>,
    /// Of messages in several pieces of a stream: by the frame that completed one, the frame in which it begins.
    pub(super) begun: FastMap<FrameRef, FrameRef>,
}

/// Streams and fragments of captures that follow one another; captures that overlap in time saw other places.
struct Lane {
    network: Network,
    framers: FastMap<StreamId, Framer<Mark>>,
    last: Timestamp,
}

/// Where a piece of a stream came from.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: FrameRef,
    time: Timestamp,
    trace: Trace,
}

impl Collector {
    pub(super) fn new(seed: Seed) -> Self {
        Self {
            store: MessageStoreBuilder::new(seed.clone()),
            seed,
            waiting: MessageBatch::default(),
            lanes: Vec::new(),
            secrets: Vec::new(),
            tally: Tally::default(),
            expected: Expected::default(),
        }
    }

    /// Says how many stored bytes all captures have, where that is known.
    pub(super) fn set_total(&mut self, whole: Option<u64>) {
        self.expected.whole = whole;
    }

    /// Says how many stored bytes the captures before the next one have.
    pub(super) fn begin_capture(&mut self, before: u64) {
        self.expected.before = before;
    }

    fn make_room(&mut self, position: u64) {
        let read = self.expected.before + position;
        let whole = self.expected.whole.filter(|_| read > 0);
        if let Some(whole) = whole.filter(|whole| read.saturating_mul(SAMPLE_SHARE) >= *whole) {
            self.store.reserve_factor(whole.div_ceil(read) as usize);
            self.expected.whole = None;
        }
    }

    /// The lane that a capture whose first frame is at `first` continues, or a new one.
    pub(super) fn lane_for(&mut self, first: Option<Timestamp>) -> usize {
        let first = first.unwrap_or_default();
        let known = self.lanes.iter().position(|lane| lane.last <= first);
        known.unwrap_or_else(|| {
            let last = Timestamp::from_nanoseconds(i64::MIN);
            let mut network = crate::net::network();
            network.add_secrets(&self.secrets);
            self.lanes.push(Lane { network, framers: HashMap::default(), last });
            self.lanes.len() - 1
        })
    }

    /// Adds TLS secrets, which serve whatever is read from here on.
    pub(super) fn add_secrets(&mut self, key_log: &[u8]) {
        if key_log.is_empty() || self.secrets.len() + key_log.len() > SECRETS_BYTES_MAX {
            return;
        }
        for lane in &mut self.lanes {
            lane.network.add_secrets(key_log);
        }
        self.secrets.extend_from_slice(key_log);
        self.secrets.push(b'\n');
    }

    pub(super) fn push(&mut self, lane: usize, batch: &Batch) {
        self.add_secrets(&batch.secrets);
        self.store.push(&batch.messages);
        self.make_room(batch.position);
        self.tally.media_packets += batch.media_packets;
        self.tally.cut_messages += batch.cut_messages;
        for (skip, count) in &batch.skips {
            *self.tally.skips.entry(*skip).or_default() += count;
        }
        let room = ERRORS_MAX.saturating_sub(self.tally.errors.len());
        self.tally.errors.extend(batch.errors.iter().take(room).cloned());
        let room = DNS_MESSAGES_MAX.saturating_sub(self.tally.dns.len());
        self.tally.dns.extend(batch.dns.iter().take(room).cloned());
        let Some(lane) = self.lanes.get_mut(lane) else {
            return;
        };
        lane.last = lane.last.max(batch.times.latest().unwrap_or(lane.last));
        let mut reader = StreamReader {
            framers: &mut lane.framers,
            waiting: &mut self.waiting,
            seed: &self.seed,
            tally: &mut self.tally,
        };
        for packet in batch.packets() {
            lane.network.push(&packet, &mut |delivery| reader.take(&delivery));
        }
        self.store.push(&self.waiting);
        self.waiting.clear();
    }

    /// Hands out what still waits for more.
    pub(super) fn finish(&mut self) {
        for lane in &mut self.lanes {
            let mut reader = StreamReader {
                framers: &mut lane.framers,
                waiting: &mut self.waiting,
                seed: &self.seed,
                tally: &mut self.tally,
            };
            lane.network.finish(&mut |delivery| reader.take(&delivery));
            self.store.push(&self.waiting);
            self.waiting.clear();
        }
    }

    /// The messages, what was seen beside them, and the networks of all lanes.
    pub(super) fn into_parts(self) -> (MessageStoreBuilder, Tally, Vec<Network>) {
        let networks = self.lanes.into_iter().map(|lane| lane.network);
        (self.store, self.tally, networks.collect())
    }
}

struct StreamReader<'a> {
    framers: &'a mut FastMap<StreamId, Framer<Mark>>,
    waiting: &'a mut MessageBatch,
    seed: &'a Seed,
    tally: &'a mut Tally,
}

impl StreamReader<'_> {
    fn take(&mut self, delivery: &Delivery<'_>) {
        let mark = Mark { at: delivery.at, time: delivery.time, trace: delivery.trace };
        match delivery.piece {
            Piece::Datagram(bytes) => self.take_datagram(delivery, bytes, mark),
            Piece::Stream { id, bytes } => self.frame(delivery, id, |framer, emit| framer.push(bytes, mark, emit)),
            Piece::Gap { id, .. } => {
                let hole = self.tally.holes.entry(mark.at.file).or_insert((0, mark.at));
                *hole = (hole.0 + 1, hole.1.min(mark.at));
                self.frame(delivery, id, |framer, emit| framer.gap(mark, emit))
            }
            Piece::End { id, .. } => {
                self.frame(delivery, id, |framer, emit| framer.finish(mark, emit));
                if let Some(framer) = self.framers.remove(&id) {
                    self.tally.garbage_bytes += framer.skipped_bytes();
                }
            }
        }
    }

    fn take_datagram(&mut self, delivery: &Delivery<'_>, bytes: &[u8], mark: Mark) {
        if sip::sift(bytes) == Sift::Sip {
            let arrival = Arrival {
                fragments: delivery.fragments,
                is_cut: delivery.is_cut,
                is_incomplete: delivery.lacks_fragments,
                ..arrival(delivery, mark, 0)
            };
            self.waiting.push(bytes, arrival, self.seed);
        }
    }

    fn frame(
        &mut self,
        delivery: &Delivery<'_>,
        id: StreamId,
        feed: impl FnOnce(&mut Framer<Mark>, &mut dyn FnMut(Framed<'_, Mark>)),
    ) {
        let mut framer = self.framers.remove(&id).unwrap_or_default();
        let mut place = 0;
        feed(&mut framer, &mut |framed| {
            let is_cut = framed.framing == Framing::Cut;
            let arrival = Arrival { is_cut, ..arrival(delivery, framed.completed, place) };
            place += 1;
            let (begun, completed) = (framed.begun.at, framed.completed.at);
            if begun != completed {
                let known = self.tally.begun.entry(completed).or_insert(begun);
                *known = begun.min(*known);
            }
            self.waiting.push(framed.bytes, arrival, self.seed);
        });
        self.framers.insert(id, framer);
    }
}

fn arrival(delivery: &Delivery<'_>, mark: Mark, place: u16) -> Arrival {
    let transport = if delivery.transport == Transport::Hep { Transport::Udp } else { delivery.transport };
    Arrival {
        at: mark.at,
        time: mark.time,
        flow: delivery.flow,
        transport,
        trace: mark.trace,
        place,
        fragments: 1,
        is_cut: false,
        is_incomplete: false,
    }
}
