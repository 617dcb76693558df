//! The ordered half of the floor: packets that need others to become readable go in, deliveries come out.

use crate::net::delivery::{Delivery, Moment, Piece};
use crate::net::flow::Transport;
use crate::net::fragment::{Fragment, FragmentCounters, Fragments, IncompleteDatagram, Reassembled};
use crate::net::packet::{Packet, Payload};
use crate::net::sctp::{Associations, SctpCounters};
use crate::net::stream::{Connection, StreamCounters, Streams};
use crate::net::tls::{TlsCounters, TlsHandshake};
use crate::net::websocket::WebSocketCounters;

/// Decodes the transport layer of a datagram that was put together from fragments; a tunnel may yield several packets.
pub type DecodeTransport = fn(&Reassembled, &mut dyn FnMut(&Packet<'_>));

/// Fragments inside a reassembled tunnel inside fragments: deeper ones are not followed.
const REASSEMBLY_DEPTH_MAX: u8 = 2;

/// Everything that waits for later packets: fragments, TCP with WebSocket and TLS in it, and SCTP.
#[derive(Debug)]
pub struct Network {
    decode: DecodeTransport,
    fragments: Fragments,
    streams: Streams,
    associations: Associations,
}

// What surrounds a packet that fragments were put together to.
#[derive(Debug, Clone, Copy)]
struct Origin {
    fragments: u16,
    is_cut: bool,
    lacks_fragments: bool,
    depth: u8,
}

impl Network {
    /// An empty one; `decode` reads the transport layer of reassembled datagrams.
    pub fn new(decode: DecodeTransport) -> Self {
        Self { decode, fragments: Fragments::default(), streams: Streams::new(), associations: Associations::default() }
    }

    /// Adds TLS secrets: the text of an SSLKEYLOGFILE (RFC 9850), or of a pcapng Decryption Secrets Block.
    ///
    /// They serve the connections whose encrypted part begins later; lines that cannot be read are left out.
    pub fn add_secrets(&mut self, key_log: &[u8]) {
        self.streams.add_secrets(key_log);
    }

    /// Takes one packet, in capture order; what becomes readable by it goes to `sink`.
    ///
    /// Whole UDP datagrams, ICMP errors and forwarded messages need no state and are passed over.
    pub fn push(&mut self, packet: &Packet<'_>, sink: &mut dyn FnMut(Delivery<'_>)) {
        let origin = Origin { fragments: 1, is_cut: packet.is_cut, lacks_fragments: false, depth: 0 };
        self.take(packet, origin, sink);
    }

    /// Hands out everything that still waits; the lists and counters are whole after it.
    pub fn finish(&mut self, sink: &mut dyn FnMut(Delivery<'_>)) {
        let mut held = Vec::new();
        self.fragments.finish(&mut |whole| held.push(whole));
        for whole in held {
            self.take_reassembled(&whole, 0, sink);
        }
        self.streams.finish(sink);
    }

    /// What happened to fragments.
    pub fn fragment_counters(&self) -> FragmentCounters {
        self.fragments.counters
    }

    /// Datagrams of which fragments never came, oldest first.
    pub fn incomplete_datagrams(&self) -> &[IncompleteDatagram] {
        &self.fragments.incomplete
    }

    /// What happened to TCP connections.
    pub fn stream_counters(&self) -> StreamCounters {
        self.streams.counters()
    }

    /// What WebSocket streams carried.
    pub fn websocket_counters(&self) -> WebSocketCounters {
        self.streams.websocket()
    }

    /// What SCTP packets carried.
    pub fn sctp_counters(&self) -> SctpCounters {
        self.associations.counters
    }

    /// What TLS connections did.
    pub fn tls_counters(&self) -> TlsCounters {
        self.streams.tls()
    }

    /// TLS connections, by first record; whole after [`Network::finish`].
    pub fn handshakes(&self) -> &[TlsHandshake] {
        self.streams.handshakes()
    }

    /// TCP connections that carried signalling or were never opened, by first segment; whole after [`Network::finish`].
    pub fn connections(&self) -> &[Connection] {
        self.streams.connections()
    }

    fn take(&mut self, packet: &Packet<'_>, origin: Origin, sink: &mut dyn FnMut(Delivery<'_>)) {
        let moment = Moment { at: packet.at, time: packet.time, trace: packet.trace, fragments: origin.fragments };
        match packet.payload {
            Payload::Fragment { id, protocol, offset, more, bytes } => {
                let fragment = Fragment {
                    at: packet.at,
                    time: packet.time,
                    flow: packet.flow,
                    trace: packet.trace,
                    is_cut: packet.is_cut,
                    id,
                    protocol,
                    offset,
                    more,
                    bytes,
                };
                self.take_fragment(&fragment, origin.depth, sink);
            }
            Payload::Segment(segment) => self.streams.push(packet.flow, &segment, moment, sink),
            Payload::Datagram(bytes) if origin.depth > 0 => sink(Delivery {
                is_cut: origin.is_cut || packet.is_cut,
                lacks_fragments: origin.lacks_fragments,
                ..moment.deliver(packet.flow, Transport::Udp, Piece::Datagram(bytes))
            }),
            Payload::Forwarded { transport, bytes } if origin.depth > 0 => sink(Delivery {
                is_cut: origin.is_cut || packet.is_cut,
                lacks_fragments: origin.lacks_fragments,
                ..moment.deliver(packet.flow, transport, Piece::Datagram(bytes))
            }),
            Payload::Sctp(bytes) => {
                let is_cut = origin.is_cut || packet.is_cut;
                self.associations.push(packet.flow, bytes, is_cut, moment, sink);
            }
            Payload::Datagram(_) | Payload::Forwarded { .. } | Payload::Icmp(_) => {}
        }
    }

    fn take_fragment(&mut self, fragment: &Fragment<'_>, depth: u8, sink: &mut dyn FnMut(Delivery<'_>)) {
        if depth >= REASSEMBLY_DEPTH_MAX {
            return;
        }
        let mut readable = Vec::new();
        self.fragments.push(fragment, &mut |whole| readable.push(whole));
        for whole in readable {
            self.take_reassembled(&whole, depth, sink);
        }
    }

    fn take_reassembled(&mut self, whole: &Reassembled, depth: u8, sink: &mut dyn FnMut(Delivery<'_>)) {
        let origin = Origin {
            fragments: whole.fragments,
            is_cut: whole.is_cut,
            lacks_fragments: whole.lacks_fragments,
            depth: depth + 1,
        };
        let decode = self.decode;
        decode(whole, &mut |packet| self.take(packet, origin, sink));
    }
}
