//! TCP connections: segments become streams, and what each connection did is remembered.
//!
//! Source: RFC 9293.

mod carrier;
mod connection;
mod content;
mod direction;
mod table;

pub use connection::{Close, Connection};
pub use direction::SegmentCounters;

use crate::net::delivery::{Delivery, Moment, StreamEnd};
use crate::net::flow::Flow;
use crate::net::packet::Segment;
use crate::net::sighting::Sighting;
use crate::net::tls::{TlsCounters, TlsHandshake};
use crate::net::websocket::WebSocketCounters;
use carrier::{Carrier, Shared, Side};
use direction::{Direction, SegmentFit};
use table::{Ends, Table};

/// Connections followed at a time, about 1 KiB each; one more takes the place of the one that was idle longest.
pub(in crate::net) const FOLLOWED_CONNECTIONS_MAX: usize = 32_768;
/// Bytes that all connections together hold behind holes and of unfinished messages; beyond it, those idle longest are
/// left behind.
pub(in crate::net) const HELD_BYTES_MAX: usize = 64 << 20;
/// Connections with signalling that are remembered one by one after they ended.
pub(in crate::net) const CONNECTIONS_MAX: usize = 16_384;
/// Connections that were never opened and are remembered one by one; a port scan makes many.
pub(in crate::net) const FAILED_CONNECTIONS_MAX: usize = 4096;

/// What happened to TCP connections, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamCounters {
    /// Connections seen.
    pub connections: u64,
    /// Connections left behind early to stay within `FOLLOWED_CONNECTIONS_MAX` or `HELD_BYTES_MAX`.
    pub evicted: u64,
    /// Connections that took the ports of another one.
    pub replaced: u64,
    /// Connections that are counted here alone, because `CONNECTIONS_MAX` or `FAILED_CONNECTIONS_MAX` was met.
    pub unlisted: u64,
    /// Bytes of signalling streams that the capture lacks.
    pub missing_bytes: u64,
    /// Segments with payload of connections without TLS in which nothing was recognised that carries SIP.
    pub other_segments: u64,
    /// Segments.
    pub segments: SegmentCounters,
}

#[derive(Debug)]
struct Followed {
    facts: Connection,
    low: Direction,
    high: Direction,
    carrier: Carrier,
    // With payload, of both sides.
    segments: u64,
    last: Moment,
}

const _: () = assert!(size_of::<Followed>() <= 1 << 10, "FOLLOWED_CONNECTIONS_MAX counts on 1 KiB for each");

/// All TCP connections.
#[derive(Debug)]
pub(super) struct Streams {
    table: Table<Followed>,
    shared: Shared,
    held_bytes: usize,
    failed: usize,
    counters: StreamCounters,
    connections: Vec<Connection>,
}

impl Streams {
    pub(super) fn new() -> Self {
        Self {
            table: Table::new(),
            shared: Shared::default(),
            held_bytes: 0,
            failed: 0,
            counters: StreamCounters::default(),
            connections: Vec::new(),
        }
    }

    pub(super) fn counters(&self) -> StreamCounters {
        self.counters
    }

    pub(super) fn websocket(&self) -> WebSocketCounters {
        self.shared.websocket
    }

    pub(super) fn tls(&self) -> TlsCounters {
        self.shared.tls.counters
    }

    pub(super) fn handshakes(&self) -> &[TlsHandshake] {
        &self.shared.tls.handshakes
    }

    pub(super) fn add_secrets(&mut self, key_log: &[u8]) {
        self.shared.tls.secrets.add(key_log);
    }

    pub(super) fn connections(&self) -> &[Connection] {
        &self.connections
    }

    pub(super) fn push(
        &mut self,
        flow: Flow,
        segment: &Segment<'_>,
        moment: Moment,
        sink: &mut dyn FnMut(Delivery<'_>),
    ) {
        let ends = Ends::of(flow);
        let side = Side::of(flow);
        let place = match self.table.touch(ends) {
            Some(place) => place,
            // Without payload or a SYN there is nothing to follow.
            None if segment.wire_length == 0 && !segment.syn => return,
            None => {
                if self.table.len() >= FOLLOWED_CONNECTIONS_MAX {
                    self.evict(sink);
                }
                self.counters.connections += 1;
                self.table.insert(ends, Followed::new(flow, moment))
            }
        };
        let Some(followed) = self.table.get_mut(place) else {
            return;
        };
        if followed.is_other_connection(side, segment) {
            let old = std::mem::replace(followed, Followed::new(flow, moment));
            self.counters.replaced += 1;
            self.counters.connections += 1;
            self.close(old, StreamEnd::Replaced, sink);
        }
        let Some(followed) = self.table.get_mut(place) else {
            return;
        };
        let held = followed.held_bytes();
        followed.push(side, flow, segment, moment, &mut self.shared, &mut self.counters, sink);
        self.held_bytes = (self.held_bytes + followed.held_bytes()).saturating_sub(held);
        while self.held_bytes > HELD_BYTES_MAX && self.evict(sink) {}
    }

    /// Passes on what is still held and closes all connections.
    pub(super) fn finish(&mut self, sink: &mut dyn FnMut(Delivery<'_>)) {
        while let Some(followed) = self.table.remove_oldest() {
            self.close(followed, StreamEnd::Input, sink);
        }
        self.connections.sort_by_key(|connection| connection.first_seen);
    }

    // Whether there was one.
    fn evict(&mut self, sink: &mut dyn FnMut(Delivery<'_>)) -> bool {
        let Some(followed) = self.table.remove_oldest() else {
            return false;
        };
        self.counters.evicted += 1;
        self.close(followed, StreamEnd::Evicted, sink);
        true
    }

    fn close(&mut self, mut followed: Followed, how: StreamEnd, sink: &mut dyn FnMut(Delivery<'_>)) {
        self.held_bytes = self.held_bytes.saturating_sub(followed.held_bytes());
        let last = followed.last;
        followed.end(how, last, &mut self.shared, &mut self.counters.segments, sink);
        let mut facts = followed.facts;
        facts.carries = followed.carrier.carries();
        facts.missing_bytes = followed.carrier.missing_bytes;
        let (client, server) = match Side::of(facts.flow) {
            Side::Low => (&followed.low, &followed.high),
            Side::High => (&followed.high, &followed.low),
        };
        facts.client_unacknowledged_bytes = client.unacknowledged();
        facts.server_unacknowledged_bytes = server.unacknowledged();
        self.counters.missing_bytes = self.counters.missing_bytes.saturating_add(facts.missing_bytes);
        if let Some(handshake) = followed.carrier.take_handshake() {
            self.shared.tls.list(handshake, followed.segments);
        } else if facts.carries.is_none() {
            self.counters.other_segments += followed.segments;
        }
        let has_failed = facts.has_failed();
        if !has_failed && facts.carries.is_none() && !facts.is_on_sip_port() {
            return;
        }
        let is_full = has_failed && self.failed >= FAILED_CONNECTIONS_MAX;
        if is_full || self.connections.len() >= CONNECTIONS_MAX {
            self.counters.unlisted += 1;
            return;
        }
        self.failed += usize::from(has_failed);
        self.connections.push(facts);
    }
}

impl Followed {
    fn new(flow: Flow, moment: Moment) -> Self {
        Self {
            facts: Connection::new(flow, Sighting::of(moment)),
            low: Direction::default(),
            high: Direction::default(),
            carrier: Carrier::new(),
            segments: 0,
            last: moment,
        }
    }

    fn held_bytes(&self) -> usize {
        self.low.held_bytes() + self.high.held_bytes() + self.carrier.buffered_bytes()
    }

    // A SYN with another initial sequence number, or sequence numbers far off: the ports were used again.
    fn is_other_connection(&self, side: Side, segment: &Segment<'_>) -> bool {
        let direction = if side == Side::Low { &self.low } else { &self.high };
        if segment.syn {
            return !direction.is_opened_by(segment.sequence);
        }
        segment.wire_length > 0 && !segment.rst && direction.fit(segment.sequence) == SegmentFit::Foreign
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of Streams that a connection needs, borrowed one by one")]
    fn push(
        &mut self,
        side: Side,
        flow: Flow,
        segment: &Segment<'_>,
        moment: Moment,
        shared: &mut Shared,
        counters: &mut StreamCounters,
        sink: &mut dyn FnMut(Delivery<'_>),
    ) {
        self.facts.note(flow, segment, moment);
        self.segments += u64::from(segment.wire_length > 0);
        self.last = moment;
        let counters = &mut counters.segments;
        let Self { low, high, carrier, .. } = self;
        let (own, peer, other) = match side {
            Side::Low => (low, high, Side::High),
            Side::High => (high, low, Side::Low),
        };
        if segment.ack {
            peer.acknowledge(segment.acknowledgement, moment.time);
        }
        let back = flow.reversed();
        peer.settle(moment, counters, &mut |run| carrier.take(other, back, run, shared, sink));
        if segment.rst {
            return self.end(StreamEnd::Reset, moment, shared, counters, sink);
        }
        if carrier.passes_over(side, flow) {
            let is_new = segment.wire_length > 0 && own.skip(segment);
            if is_new && content::revives(segment.bytes) {
                let run = direction::Run::Bytes(segment.bytes, moment);
                carrier.take(side, flow, run, shared, sink);
            }
            return;
        }
        own.push(segment, moment, counters, &mut |run| carrier.take(side, flow, run, shared, sink));
        own.settle(moment, counters, &mut |run| carrier.take(side, flow, run, shared, sink));
    }

    fn end(
        &mut self,
        how: StreamEnd,
        moment: Moment,
        shared: &mut Shared,
        counters: &mut SegmentCounters,
        sink: &mut dyn FnMut(Delivery<'_>),
    ) {
        let Self { facts, low, high, carrier, .. } = self;
        for flow in [facts.flow, facts.flow.reversed()] {
            let side = Side::of(flow);
            let direction = if side == Side::Low { &mut *low } else { &mut *high };
            direction.flush(moment, counters, &mut |run| carrier.take(side, flow, run, shared, sink));
            carrier.end(side, flow, how, moment, sink);
        }
    }
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
