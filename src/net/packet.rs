//! A packet: what one frame carries once link layers, tunnels and IP headers are off.

use std::net::IpAddr;

use crate::capture::{FrameRef, Timestamp};
use crate::net::flow::Flow;

/// The marks that distinguish two captures of one packet from one that was sent twice (mirrors, `any`, taps).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Trace {
    /// IPv4 identification of the innermost IP header; `None` for IPv6 without fragment header.
    pub ip_id: Option<u16>,
    /// TTL or hop limit of the innermost IP header.
    pub ttl: u8,
    /// Capture interface within its file.
    pub interface: u16,
    /// Hash of everything before the innermost IP header that may differ between taps: MAC addresses, VLAN tags,
    /// cooked packet type, tunnel kind.
    pub link: u32,
}

/// One transport-layer unit of one frame, decoded as far as it goes.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// File and frame number.
    pub at: FrameRef,
    /// Capture time (of the inner packet where a tunnel such as HEP tells it).
    pub time: Timestamp,
    /// Innermost addresses and ports; ports 0 for `Fragment` and for ICMP.
    pub flow: Flow,
    /// Marks to tell copies by.
    pub trace: Trace,
    /// Whether the snap length cut the payload.
    pub is_cut: bool,
    /// What it carries.
    pub payload: Payload<'a>,
}

/// The payload of a [`Packet`].
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// A whole UDP datagram.
    Datagram(&'a [u8]),
    /// A TCP segment.
    Segment(Segment<'a>),
    /// A piece of a fragmented IP datagram.
    Fragment {
        /// IPv4 identification or IPv6 fragment identification.
        id: u32,
        /// IP protocol of the whole datagram.
        protocol: u8,
        /// Offset in bytes of this piece in the whole datagram.
        offset: u32,
        /// Whether more pieces follow.
        more: bool,
        /// The piece.
        bytes: &'a [u8],
    },
    /// An ICMP or ICMPv6 error.
    Icmp(IcmpError<'a>),
    /// An SCTP packet from its common header on.
    Sctp(&'a [u8]),
    /// A SIP message that a capture agent or an export forwarded, with the transport that the agent names.
    Forwarded {
        /// The transport the agent saw.
        transport: crate::net::flow::Transport,
        /// The message.
        bytes: &'a [u8],
    },
}

/// A TCP segment, RFC 9293 section 3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Sequence number of the first payload byte (of the SYN where `syn`).
    pub sequence: u32,
    /// Acknowledgement number; 0 where the ACK flag is off.
    pub acknowledgement: u32,
    /// SYN flag.
    pub syn: bool,
    /// ACK flag.
    pub ack: bool,
    /// FIN flag.
    pub fin: bool,
    /// RST flag.
    pub rst: bool,
    /// Receive window as sent, unscaled.
    pub window: u16,
    /// Payload as captured.
    pub bytes: &'a [u8],
    /// Payload length on the wire; more than `bytes.len()` where the snap length cut it.
    pub wire_length: u32,
}

/// An ICMP error and the datagram that it quotes, RFC 792 and RFC 4443.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IcmpError<'a> {
    /// Who reported it.
    pub reporter: IpAddr,
    /// ICMPv6 rather than ICMPv4.
    pub is_v6: bool,
    /// ICMP type.
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// Addresses and ports of the quoted datagram.
    pub quoted: Flow,
    /// IP protocol of the quoted datagram.
    pub protocol: u8,
    /// What is quoted of its payload.
    pub bytes: &'a [u8],
}
