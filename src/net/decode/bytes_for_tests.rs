//! Packets built by hand for the tests of every layer.

use crate::capture::{Frame, FrameRef, LinkType, Timestamp};
use crate::net::decode::decode;
use crate::net::packet::{Packet, Payload};
use crate::net::skip::Skip;

/// A short SIP message.
pub(crate) const SIP: &[u8] = b"OPTIONS sip:bob@192.0.2.2 SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n";

/// What one frame gave.
pub(crate) struct Decoded<'a> {
    /// Its packets.
    pub(crate) packets: Vec<Packet<'a>>,
    /// Why there is none, or not all.
    pub(crate) skip: Option<Skip>,
}

impl<'a> Decoded<'a> {
    /// The payloads of datagrams and forwarded messages.
    pub(crate) fn datagrams(&self) -> Vec<&'a [u8]> {
        self.packets
            .iter()
            .filter_map(|packet| match packet.payload {
                Payload::Datagram(bytes) | Payload::Forwarded { bytes, .. } => Some(bytes),
                _ => None,
            })
            .collect()
    }
}

/// The frame `bytes` of a capture that began in 2025, of which `wire_length` bytes were on the wire.
fn frame(link_type: u16, bytes: &[u8], wire_length: usize) -> Frame<'_> {
    Frame {
        at: FrameRef { file: 0, frame: 1 },
        time: Timestamp::from_nanoseconds(1_750_000_000_000_000_000),
        link_type: LinkType(link_type),
        interface: 3,
        bytes,
        wire_length: u32::try_from(wire_length).expect("short"),
    }
}

/// What a whole frame gives.
pub(crate) fn decoded(link_type: u16, bytes: &[u8]) -> Decoded<'_> {
    decoded_cut(link_type, bytes, bytes.len())
}

/// What a frame gives of which the first `captured` bytes were captured.
pub(crate) fn decoded_cut(link_type: u16, bytes: &[u8], captured: usize) -> Decoded<'_> {
    let mut packets = Vec::new();
    let frame = frame(link_type, &bytes[..captured], bytes.len());
    let skip = decode(&frame, &mut |packet| packets.push(packet)).err();
    Decoded { packets, skip }
}

/// Cuts a frame at every byte: nothing may panic, and what the cut leaves is marked or skipped.
pub(crate) fn hostile_at_every_length(link_type: u16, bytes: &[u8]) {
    for captured in 0..bytes.len() {
        let decoded = decoded_cut(link_type, bytes, captured);
        assert!(!decoded.packets.is_empty() || decoded.skip.is_some(), "neither packet nor skip at {captured}");
        for datagram in decoded.packets.iter().filter(|packet| !packet.is_cut) {
            if let Payload::Datagram(bytes) = datagram.payload {
                assert!(!SIP.starts_with(bytes) || bytes.len() == SIP.len(), "a cut at {captured} is not marked");
            }
        }
    }
}

/// A UDP header and its payload.
pub(crate) fn udp(source_port: u16, destination_port: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in [source_port, destination_port, u16::try_from(payload.len() + 8).expect("short"), 0] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    bytes.extend_from_slice(payload);
    bytes
}

/// An IPv4 packet from 192.0.2.1 to 192.0.2.2.
pub(crate) fn ip4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 20).expect("short").to_be_bytes();
    let mut bytes = vec![0x45, 0, length[0], length[1], 0x12, 0x34, 0, 0, 64, protocol, 0, 0];
    bytes.extend_from_slice(&[192, 0, 2, 1, 192, 0, 2, 2]);
    bytes.extend_from_slice(payload);
    bytes
}

/// An IPv6 packet from 2001:db8::1 to 2001:db8::2.
pub(crate) fn ip6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("short").to_be_bytes();
    let mut bytes = vec![0x60, 0, 0, 0, length[0], length[1], next_header, 61];
    for last in [1, 2] {
        bytes.extend_from_slice(&[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    bytes.extend_from_slice(payload);
    bytes
}

/// An IPv4 packet of a UDP datagram between SIP ports.
pub(crate) fn udp4(payload: &[u8]) -> Vec<u8> {
    ip4(17, &udp(5060, 5062, payload))
}

/// An IPv6 packet of a UDP datagram between SIP ports.
pub(crate) fn udp6(payload: &[u8]) -> Vec<u8> {
    ip6(17, &udp(5060, 5062, payload))
}

/// An Ethernet frame.
pub(crate) fn ethernet_frame(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    bytes.extend_from_slice(&ether_type.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// The first 24 bytes of an 802.11 frame.
pub(crate) fn wireless_header(control: u8, flags: u8) -> Vec<u8> {
    let mut bytes = vec![control, flags, 0, 0];
    bytes.extend_from_slice(&[2; 18]);
    bytes.extend_from_slice(&[0x10, 0]);
    bytes
}

/// An 802.11 frame with `extra` header bytes around a SIP message.
pub(crate) fn wireless_frame(control: u8, flags: u8, extra: &[u8]) -> Vec<u8> {
    let mut bytes = wireless_header(control, flags);
    bytes.extend_from_slice(extra);
    bytes.extend_from_slice(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]);
    bytes.extend_from_slice(&udp4(SIP));
    bytes
}
