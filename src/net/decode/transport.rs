//! What an IP packet carries: UDP, TCP, SCTP, ICMP, or another packet.
//!
//! Sources: RFC 768, RFC 9293, RFC 9260; protocol numbers: IANA "Assigned Internet Protocol Numbers".

use etherparse::err::tcp::HeaderSliceError;
use etherparse::{IpNumber, Ipv6ExtensionsSlice, TcpSlice};

use crate::net::decode::carried::Carried;
use crate::net::decode::descent::Descent;
use crate::net::decode::field::u16_at;
use crate::net::decode::ip::icmp;
use crate::net::decode::ip::icmp::Version;
use crate::net::decode::next::Next;
use crate::net::decode::tunnel::{self, esp};
use crate::net::packet::{Payload, Segment};
use crate::net::skip::{Layer, Skip};

/// Ports, tag and checksum (RFC 9260 section 3.1).
const SCTP_HEADER_BYTES: usize = 12;

/// Reads what stands behind an IP header.
///
/// # Errors
/// Where that is cut inside its header or is nothing that is read further.
pub(super) fn carried<'a>(descent: &mut Descent<'_, 'a>, carried: &Carried<'a>) -> Result<Next<'a>, Skip> {
    match carried.protocol {
        1 => icmp::icmp(descent, carried, Version::V4),
        4 | 41 => Ok(Next::Ip(inside(descent, carried))),
        6 => tcp(descent, carried),
        17 => udp(descent, carried),
        47 => Ok(Next::Gre(inside(descent, carried))),
        50 => esp::esp(descent, carried),
        0 | 43 | 51 | 60 => behind_extensions(carried),
        58 => icmp::icmp(descent, carried, Version::V6),
        97 => ether_ip(inside(descent, carried)),
        132 => sctp(descent, carried),
        137 => Ok(Next::Mpls(inside(descent, carried))),
        other => Err(Skip::OtherProtocol(Layer::Ip, u32::from(other))),
    }
}

/// The bytes of a tunnel, whose outer addresses become part of the link.
fn inside<'a>(descent: &mut Descent<'_, 'a>, carried: &Carried<'a>) -> &'a [u8] {
    descent.enter_tunnel(carried);
    carried.bytes
}

/// Reads Ethernet within IP (RFC 3378): two bytes of version, then the frame.
fn ether_ip(bytes: &[u8]) -> Result<Next<'_>, Skip> {
    bytes.get(2..).map(Next::Ethernet).ok_or(Skip::CutShort("EtherIP header"))
}

/// Reads extension headers that etherparse did not meet behind an IP header: those at the start of a reassembled datagram.
fn behind_extensions<'a>(whole: &Carried<'a>) -> Result<Next<'a>, Skip> {
    let (_, protocol, bytes, error) = Ipv6ExtensionsSlice::from_slice_lax(IpNumber(whole.protocol), whole.bytes);
    if error.is_some() {
        return Err(Skip::CutShort("IP extension header"));
    }
    match protocol.0 {
        0 | 43 | 51 | 60 => Err(Skip::Malformed("IP extension header")),
        protocol => Ok(Next::Carried(whole.with(protocol, bytes))),
    }
}

/// Reads a UDP header and follows the tunnel behind it or hands over the datagram.
fn udp<'a>(descent: &mut Descent<'_, 'a>, carried: &Carried<'a>) -> Result<Next<'a>, Skip> {
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
    Ok(Next::Nothing)
}

/// Hands over a TCP segment.
fn tcp<'a>(descent: &mut Descent<'_, 'a>, carried: &Carried<'a>) -> Result<Next<'a>, Skip> {
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
    Ok(Next::Nothing)
}

/// Hands over an SCTP packet with its common header.
fn sctp<'a>(descent: &mut Descent<'_, 'a>, carried: &Carried<'a>) -> Result<Next<'a>, Skip> {
    let (Some(source_port), Some(destination_port), true) =
        (u16_at(carried.bytes, 0), u16_at(carried.bytes, 2), carried.bytes.len() >= SCTP_HEADER_BYTES)
    else {
        return Err(Skip::CutShort("SCTP header"));
    };
    let flow = carried.flow(source_port, destination_port);
    descent.deliver(flow, carried.trace, carried.missing > 0, Payload::Sctp(carried.bytes));
    Ok(Next::Nothing)
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;
