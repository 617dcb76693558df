//! ICMP and ICMPv6 errors, and the packet that they quote: evidence about it, never the packet again.
//!
//! Sources: RFC 792, RFC 4443, RFC 4884 (how long the quote is).

use std::net::IpAddr;

use etherparse::LaxIpSlice;

use crate::net::decode::carried::Carried;
use crate::net::decode::descent::Descent;
use crate::net::decode::field::{u8_at, u16_at};
use crate::net::decode::ip::fragment_header;
use crate::net::decode::next::Next;
use crate::net::flow::{Endpoint, Flow};
use crate::net::packet::{IcmpError, Payload};
use crate::net::skip::{Layer, Skip};

/// Which ICMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::net::decode) enum Version {
    /// ICMP for IPv4.
    V4,
    /// ICMPv6.
    V6,
}

/// Hands over an ICMP error with what it quotes.
///
/// # Errors
/// Where it is no error message or quotes too little to name the flow.
pub(in crate::net::decode) fn icmp<'a>(
    descent: &mut Descent<'_, 'a>,
    carried: &Carried<'a>,
    version: Version,
) -> Result<Next<'a>, Skip> {
    let Some((&[kind, code, _, _, length4, length5, _, _], rest)) = carried.bytes.split_first_chunk::<8>() else {
        return Err(Skip::CutShort("ICMP header"));
    };
    let is_error = match version {
        Version::V4 => matches!(kind, 3 | 4 | 5 | 11 | 12),
        Version::V6 => matches!(kind, 1..=4),
    };
    if !is_error {
        let layer = if version == Version::V4 { Layer::Icmp } else { Layer::Icmpv6 };
        return Err(Skip::OtherProtocol(layer, u32::from(kind)));
    }
    // Behind the quote may stand extensions; then its length is given, in words of 4 or 8 bytes.
    let quoted_length = match version {
        Version::V4 if matches!(kind, 3 | 11 | 12) => usize::from(length5) * 4,
        Version::V6 if matches!(kind, 1 | 3) => usize::from(length4) * 8,
        _ => 0,
    };
    let quote = if quoted_length == 0 { rest } else { rest.get(..quoted_length).unwrap_or(rest) };
    let (quoted, protocol, bytes) = quoted(quote)?;
    let error =
        IcmpError { reporter: carried.source, is_v6: version == Version::V6, kind, code, quoted, protocol, bytes };
    descent.deliver(carried.flow(0, 0), carried.trace, carried.missing > 0, Payload::Icmp(error));
    Ok(Next::Nothing)
}

/// Addresses, ports, protocol and payload of a quoted packet; ports 0 where the quote does not reach them.
fn quoted(bytes: &[u8]) -> Result<(Flow, u8, &[u8]), Skip> {
    let (slice, _) = LaxIpSlice::from_slice(bytes).map_err(|_| Skip::CutShort("quoted IP header"))?;
    let is_later_fragment = match &slice {
        LaxIpSlice::Ipv4(slice) => slice.header().fragments_offset().value() != 0,
        LaxIpSlice::Ipv6(slice) => fragment_header(slice.header().next_header().0, bytes.get(40..).unwrap_or_default())
            .is_some_and(|(header, _)| header.fragment_offset().value() != 0),
    };
    let (source, destination) = match &slice {
        LaxIpSlice::Ipv4(slice) => {
            (IpAddr::V4(slice.header().source_addr()), IpAddr::V4(slice.header().destination_addr()))
        }
        LaxIpSlice::Ipv6(slice) => {
            (IpAddr::V6(slice.header().source_addr()), IpAddr::V6(slice.header().destination_addr()))
        }
    };
    let payload = slice.payload();
    let (protocol, body) = (payload.ip_number.0, payload.payload);
    let header_length = match protocol {
        6 => u8_at(body, 12).map_or(20, |byte| usize::from(byte >> 4) * 4).max(20),
        17 => 8,
        132 => 12,
        _ => 0,
    };
    let has_ports = header_length > 0 && !is_later_fragment;
    let port = |offset| {
        if has_ports { u16_at(body, offset).unwrap_or(0) } else { 0 }
    };
    let flow = Flow {
        source: Endpoint { address: source, port: port(0) },
        destination: Endpoint { address: destination, port: port(2) },
    };
    let bytes = if has_ports { body.get(header_length..).unwrap_or_default() } else { body };
    Ok((flow, protocol, bytes))
}

#[cfg(test)]
#[path = "icmp_tests.rs"]
mod tests;
