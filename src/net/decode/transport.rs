//! What an IP packet carries: UDP, TCP, SCTP, ICMP, or another packet.
//!
//! Sources: RFC 768, RFC 9293, RFC 9260; protocol numbers: IANA "Assigned Internet Protocol Numbers".

use std::net::IpAddr;

use etherparse::err::tcp::HeaderSliceError;
use etherparse::{IpNumber, Ipv6ExtensionsSlice, TcpSlice};

use crate::capture::{FrameRef, Timestamp};
use crate::net::decode::descent::Descent;
use crate::net::decode::field::u16_at;
use crate::net::decode::icmp::Version;
use crate::net::decode::{esp, ethernet, gre, icmp, ip, mpls, tunnel};
use crate::net::flow::{Endpoint, Flow};
use crate::net::packet::{Packet, Payload, Segment, Skip, Trace};

/// What stands behind an IP header.
#[derive(Clone, Copy)]
pub(super) struct Carried<'a> {
    /// Marks of the packet, complete but for tunnels that it may carry.
    pub(super) trace: Trace,
    /// Sender's address.
    pub(super) source: IpAddr,
    /// Receiver's address.
    pub(super) destination: IpAddr,
    /// IP protocol number of `bytes`.
    pub(super) protocol: u8,
    /// What was captured of it.
    pub(super) bytes: &'a [u8],
    /// Bytes that were on the wire behind `bytes`.
    pub(super) missing: u32,
}

impl<'a> Carried<'a> {
    /// The flow between its addresses and these ports.
    pub(super) fn flow(&self, source_port: u16, destination_port: u16) -> Flow {
        Flow {
            source: Endpoint { address: self.source, port: source_port },
            destination: Endpoint { address: self.destination, port: destination_port },
        }
    }

    /// The same packet once a header is off: another protocol and what of the bytes belongs to it.
    pub(super) fn with(&self, protocol: u8, bytes: &'a [u8]) -> Self {
        Self { protocol, bytes, ..*self }
    }
}

/// An IP datagram that came together from its fragments.
#[derive(Debug, Clone, Copy)]
pub struct IpDatagram<'a> {
    /// The frame that completed it.
    pub at: FrameRef,
    /// The time of that frame.
    pub time: Timestamp,
    /// Addresses; the ports are not looked at.
    pub flow: Flow,
    /// Marks of its fragments.
    pub trace: Trace,
    /// IP protocol of the datagram, as [`Payload::Fragment`] tells it.
    pub protocol: u8,
    /// Whether its end is missing.
    pub is_cut: bool,
    /// What is there of it behind its IP header.
    pub bytes: &'a [u8],
}

/// Hands every packet that a reassembled datagram carries to `sink`.
///
/// It may hold a tunnel, and in that a fragment again: who puts those together must bound how often.
///
/// # Errors
/// As [`decode`](super::decode()).
pub fn decode_transport<'a>(datagram: &IpDatagram<'a>, sink: &mut dyn FnMut(Packet<'a>)) -> Result<(), Skip> {
    let mut descent = Descent::resumed(datagram, sink);
    let whole = Carried {
        trace: datagram.trace,
        source: datagram.flow.source.address,
        destination: datagram.flow.destination.address,
        protocol: datagram.protocol,
        bytes: datagram.bytes,
        missing: u32::from(datagram.is_cut),
    };
    carried(&mut descent, &whole)
}

/// Reads what stands behind an IP header.
///
/// # Errors
/// Where that is cut inside its header or is nothing that is read further.
pub(super) fn carried<'a>(descent: &mut Descent<'_, 'a>, carried: &Carried<'a>) -> Result<(), Skip> {
    match carried.protocol {
        1 => icmp::icmp(descent, carried, Version::V4),
        4 | 41 => inside(descent, carried, |descent| ip::ip(descent, carried.bytes)),
        6 => tcp(descent, carried),
        17 => udp(descent, carried),
        47 => inside(descent, carried, |descent| gre::gre(descent, carried.bytes)),
        50 => esp::esp(descent, carried),
        0 | 43 | 51 | 60 => behind_extensions(descent, carried),
        58 => icmp::icmp(descent, carried, Version::V6),
        97 => inside(descent, carried, |descent| ether_ip(descent, carried.bytes)),
        132 => sctp(descent, carried),
        137 => inside(descent, carried, |descent| mpls::mpls(descent, carried.bytes)),
        other => Err(Skip::OtherProtocol("IP", u32::from(other))),
    }
}

/// Follows a tunnel whose outer addresses `carried` has: they become part of the link.
pub(super) fn inside<'s, 'a>(
    descent: &mut Descent<'s, 'a>,
    carried: &Carried<'a>,
    step: impl FnOnce(&mut Descent<'s, 'a>) -> Result<(), Skip>,
) -> Result<(), Skip> {
    descent.mark(u64::from(carried.protocol));
    for address in [carried.source, carried.destination] {
        match address {
            IpAddr::V4(address) => descent.mark(u64::from(address.to_bits())),
            IpAddr::V6(address) => {
                let bits = address.to_bits();
                descent.mark((bits >> 64) as u64);
                descent.mark(bits as u64);
            }
        }
    }
    descent.missing = carried.missing;
    step(descent)
}

/// Reads Ethernet within IP (RFC 3378): two bytes of version, then the frame.
fn ether_ip<'a>(descent: &mut Descent<'_, 'a>, bytes: &'a [u8]) -> Result<(), Skip> {
    ethernet::ethernet(descent, bytes.get(2..).ok_or(Skip::CutShort("EtherIP header"))?)
}

/// Reads extension headers that etherparse did not meet behind an IP header: those at the start of a reassembled datagram.
fn behind_extensions<'a>(descent: &mut Descent<'_, 'a>, whole: &Carried<'a>) -> Result<(), Skip> {
    let (_, protocol, bytes, error) = Ipv6ExtensionsSlice::from_slice_lax(IpNumber(whole.protocol), whole.bytes);
    if error.is_some() {
        return Err(Skip::CutShort("IP extension header"));
    }
    match protocol.0 {
        0 | 43 | 51 | 60 => Err(Skip::Malformed("IP extension header")),
        protocol => carried(descent, &whole.with(protocol, bytes)),
    }
}

/// Reads a UDP header and follows the tunnel behind it or hands over the datagram.
pub(super) fn udp<'a>(descent: &mut Descent<'_, 'a>, carried: &Carried<'a>) -> Result<(), Skip> {
    let Some((&[s0, s1, d0, d1, l0, l1, _, _], rest)) = carried.bytes.split_first_chunk::<8>() else {
        return Err(Skip::CutShort("UDP header"));
    };
    let (source_port, destination_port) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    // Offload leaves 0, a jumbogram says 0, and neither tells where the datagram ends.
    let length = usize::from(u16::from_be_bytes([l0, l1])).checked_sub(8).unwrap_or(usize::MAX);
    let bytes = rest.get(..length).unwrap_or(rest);
    let missing = if length > rest.len() { carried.missing } else { 0 };
    let datagram = Carried { bytes, missing, ..*carried };
    if tunnel::could_be_tunnel(source_port, destination_port, bytes)
        && let Some(result) = tunnel::follow(descent, &datagram, source_port, destination_port)
    {
        return result;
    }
    let flow = carried.flow(source_port, destination_port);
    descent.deliver(flow, carried.trace, missing > 0, Payload::Datagram(bytes));
    Ok(())
}

/// Hands over a TCP segment.
pub(super) fn tcp<'a>(descent: &mut Descent<'_, 'a>, carried: &Carried<'a>) -> Result<(), Skip> {
    let tcp = TcpSlice::from_slice(carried.bytes).map_err(|error| match error {
        HeaderSliceError::Len(_) => Skip::CutShort("TCP header"),
        HeaderSliceError::Content(_) => Skip::Malformed("TCP header"),
    })?;
    let bytes = carried.bytes.get(tcp.header_slice().len()..).unwrap_or_default();
    let segment = Segment {
        sequence: tcp.sequence_number(),
        acknowledgement: if tcp.ack() { tcp.acknowledgment_number() } else { 0 },
        syn: tcp.syn(),
        ack: tcp.ack(),
        fin: tcp.fin(),
        rst: tcp.rst(),
        window: tcp.window_size(),
        bytes,
        wire_length: u32::try_from(bytes.len()).unwrap_or(u32::MAX).saturating_add(carried.missing),
    };
    let flow = carried.flow(tcp.source_port(), tcp.destination_port());
    descent.deliver(flow, carried.trace, carried.missing > 0, Payload::Segment(segment));
    Ok(())
}

/// Hands over an SCTP packet with its common header.
fn sctp<'a>(descent: &mut Descent<'_, 'a>, carried: &Carried<'a>) -> Result<(), Skip> {
    let (Some(source_port), Some(destination_port), true) =
        (u16_at(carried.bytes, 0), u16_at(carried.bytes, 2), carried.bytes.len() >= 12)
    else {
        return Err(Skip::CutShort("SCTP header"));
    };
    let flow = carried.flow(source_port, destination_port);
    descent.deliver(flow, carried.trace, carried.missing > 0, Payload::Sctp(carried.bytes));
    Ok(())
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;
