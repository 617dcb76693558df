//! For the tests of this floor: packets by hand, deliveries written down.

use std::net::{IpAddr, Ipv4Addr};

use crate::capture::{FrameRef, Timestamp};
use crate::net::{
    Delivery, Endpoint, Flow, Network, Packet, Payload, Piece, Reassembled, Segment, StreamEnd, StreamId, Trace,
    Transport,
};

/// A delivery with its own bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::net) enum Got {
    Datagram(Transport, Vec<u8>),
    Stream(StreamId, Vec<u8>),
    Gap(StreamId, u64),
    End(StreamId, StreamEnd),
}

/// What is delivered, with the frame and the rest of its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::net) struct Entry {
    pub(in crate::net) flow: Flow,
    pub(in crate::net) transport: Transport,
    pub(in crate::net) frame: u32,
    pub(in crate::net) fragments: u16,
    pub(in crate::net) is_cut: bool,
    pub(in crate::net) lacks_fragments: bool,
    pub(in crate::net) got: Got,
}

pub(in crate::net) struct TestNetwork {
    pub(in crate::net) network: Network,
    pub(in crate::net) entries: Vec<Entry>,
    pub(in crate::net) frame: u32,
    pub(in crate::net) millis: i64,
}

impl TestNetwork {
    pub(in crate::net) fn new() -> Self {
        Self { network: Network::new(udp_only), entries: Vec::new(), frame: 0, millis: 0 }
    }

    /// Sends one packet, 1 ms after the one before.
    pub(in crate::net) fn send(&mut self, flow: Flow, payload: Payload<'_>) {
        self.send_cut(flow, payload, false);
    }

    pub(in crate::net) fn send_cut(&mut self, flow: Flow, payload: Payload<'_>, is_cut: bool) {
        self.frame += 1;
        self.millis += 1;
        let packet = Packet {
            at: FrameRef { file: 0, frame: self.frame },
            time: Timestamp::from_nanoseconds(self.millis * 1_000_000),
            flow,
            trace: Trace::default(),
            is_cut,
            payload,
        };
        let entries = &mut self.entries;
        self.network.push(&packet, &mut |delivery| entries.push(write_down(&delivery)));
    }

    pub(in crate::net) fn finish(&mut self) {
        let entries = &mut self.entries;
        self.network.finish(&mut |delivery| entries.push(write_down(&delivery)));
    }

    pub(in crate::net) fn got(&self) -> Vec<Got> {
        self.entries.iter().map(|entry| entry.got.clone()).collect()
    }

    /// All stream bytes that `flow` delivered, gaps left out.
    pub(in crate::net) fn bytes_of(&self, flow: Flow) -> Vec<u8> {
        let own = self.entries.iter().filter(|entry| entry.flow == flow);
        own.filter_map(|entry| match &entry.got {
            Got::Stream(_, bytes) => Some(bytes.as_slice()),
            _ => None,
        })
        .collect::<Vec<_>>()
        .concat()
    }

    /// All datagrams, in order.
    pub(in crate::net) fn datagrams(&self) -> Vec<Vec<u8>> {
        let datagrams = self.entries.iter().filter_map(|entry| match &entry.got {
            Got::Datagram(_, bytes) => Some(bytes.clone()),
            _ => None,
        });
        datagrams.collect()
    }
}

fn write_down(delivery: &Delivery<'_>) -> Entry {
    let got = match delivery.piece {
        Piece::Datagram(bytes) => Got::Datagram(delivery.transport, bytes.to_vec()),
        Piece::Stream { id, bytes } => Got::Stream(id, bytes.to_vec()),
        Piece::Gap { id, missing } => Got::Gap(id, missing),
        Piece::End { id, how } => Got::End(id, how),
    };
    Entry {
        flow: delivery.flow,
        transport: delivery.transport,
        frame: delivery.at.frame,
        fragments: delivery.fragments,
        is_cut: delivery.is_cut,
        lacks_fragments: delivery.lacks_fragments,
        got,
    }
}

// Enough of a transport decoder for reassembled datagrams: UDP, whatever its length field says.
fn udp_only(whole: &Reassembled, out: &mut dyn FnMut(&Packet<'_>)) {
    let Some((&[s0, s1, d0, d1, ..], payload)) = whole.bytes.split_first_chunk::<8>() else {
        return;
    };
    let mut flow = whole.flow;
    flow.source.port = u16::from_be_bytes([s0, s1]);
    flow.destination.port = u16::from_be_bytes([d0, d1]);
    out(&Packet {
        at: whole.at,
        time: whole.time,
        flow,
        trace: whole.trace,
        is_cut: whole.is_cut,
        payload: Payload::Datagram(payload),
    });
}

pub(in crate::net) fn flow(source_port: u16, destination_port: u16) -> Flow {
    let endpoint = |last, port| Endpoint { address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), port };
    Flow { source: endpoint(1, source_port), destination: endpoint(5, destination_port) }
}

/// A segment with payload and ACK flag, acknowledging nothing.
pub(in crate::net) fn data(sequence: u32, bytes: &[u8]) -> Segment<'_> {
    Segment {
        sequence,
        acknowledgement: 0,
        syn: false,
        ack: false,
        fin: false,
        rst: false,
        window: 64_000,
        bytes,
        wire_length: bytes.len() as u32,
    }
}

pub(in crate::net) fn syn(sequence: u32) -> Segment<'static> {
    Segment { syn: true, ..data(sequence, &[]) }
}

pub(in crate::net) fn syn_ack(sequence: u32, acknowledgement: u32) -> Segment<'static> {
    Segment { syn: true, ..ack(sequence, acknowledgement) }
}

pub(in crate::net) fn ack(sequence: u32, acknowledgement: u32) -> Segment<'static> {
    Segment { ack: true, acknowledgement, ..data(sequence, &[]) }
}
