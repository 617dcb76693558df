//! IPv4 and IPv6 headers, with extension headers and fragments, as laxly as captures need.
//!
//! Sources: RFC 791, RFC 8200. Lengths of zero come from segmentation offload, too large ones from the snap length.

pub(in crate::net::decode) mod icmp;

use std::net::IpAddr;

use etherparse::err::ip::LaxHeaderSliceError;
use etherparse::{
    IpAuthHeaderSlice, Ipv6FragmentHeaderSlice, Ipv6RawExtHeaderSlice, LaxIpSlice, LaxIpv4Slice, LaxIpv6Slice,
};

use crate::net::decode::carried::Carried;
use crate::net::decode::descent::Descent;
use crate::net::decode::next::Next;
use crate::net::flow::{Endpoint, Flow};
use crate::net::packet::{Payload, Trace};
use crate::net::skip::Skip;

/// The least that an IPv4 header takes: five words (RFC 791 section 3.1).
const IPV4_HEADER_BYTES: usize = 20;
/// What an IPv6 header takes without extensions (RFC 8200 section 3).
const IPV6_HEADER_BYTES: usize = 40;
/// Extension headers before a fragment header; RFC 8200 section 4.1 has four.
const EXTENSION_HEADERS_MAX: usize = 16;

/// Reads an IP packet of either version and what it carries.
///
/// # Errors
/// Where the header is cut or contradicts itself, or carries nothing that is read further.
pub(in crate::net::decode) fn ip<'a>(descent: &mut Descent<'_, 'a>, bytes: &'a [u8]) -> Result<Next<'a>, Skip> {
    descent.enter()?;
    let (slice, _) = LaxIpSlice::from_slice(bytes).map_err(|error| match error {
        LaxHeaderSliceError::Len(_) => Skip::CutShort("IP header"),
        LaxHeaderSliceError::Content(_) => Skip::Malformed("IP header"),
    })?;
    match &slice {
        LaxIpSlice::Ipv4(slice) => ipv4(descent, slice, bytes),
        LaxIpSlice::Ipv6(slice) => ipv6(descent, slice, bytes),
    }
}

/// Whether `bytes` begin like an IP header; for tunnels that do not say what they carry.
pub(in crate::net::decode) fn is_plausible_ip(bytes: &[u8]) -> bool {
    match bytes.first().map(|byte| (byte >> 4, byte & 0xf)) {
        Some((4, words)) => words >= 5 && bytes.len() >= IPV4_HEADER_BYTES,
        Some((6, _)) => bytes.len() >= IPV6_HEADER_BYTES,
        _ => false,
    }
}

/// What follows an IPv4 header.
fn ipv4<'a>(descent: &mut Descent<'_, 'a>, slice: &LaxIpv4Slice<'a>, bytes: &'a [u8]) -> Result<Next<'a>, Skip> {
    let header = slice.header();
    let trace = Trace {
        ip_id: Some(header.identification()),
        ttl: header.ttl(),
        interface: descent.interface,
        link: descent.link,
    };
    let header_length = header.slice().len();
    let (body, missing) = body(bytes, header_length, usize::from(header.total_len()), descent.missing);
    let carried = Carried {
        trace,
        source: IpAddr::V4(header.source_addr()),
        destination: IpAddr::V4(header.destination_addr()),
        protocol: header.protocol().0,
        bytes: body,
        missing,
    };
    if header.is_fragmenting_payload() {
        let fragment = FragmentPlace {
            id: u32::from(header.identification()),
            offset: u32::from(header.fragments_offset().byte_offset()),
            more: header.more_fragments(),
        };
        deliver_fragment(descent, &carried, fragment);
        return Ok(Next::Nothing);
    }
    Ok(Next::Carried(carried))
}

/// What follows an IPv6 header and its extension headers.
fn ipv6<'a>(descent: &mut Descent<'_, 'a>, slice: &LaxIpv6Slice<'a>, bytes: &'a [u8]) -> Result<Next<'a>, Skip> {
    let header = slice.header();
    let total_length = match usize::from(header.payload_length()) {
        0 => 0,
        length => header.slice().len() + length,
    };
    let (body, missing) = body(bytes, header.slice().len(), total_length, descent.missing);
    let mut carried = Carried {
        trace: Trace { ip_id: None, ttl: header.hop_limit(), interface: descent.interface, link: descent.link },
        source: IpAddr::V6(header.source_addr()),
        destination: IpAddr::V6(header.destination_addr()),
        protocol: header.next_header().0,
        bytes: body,
        missing,
    };
    if let Some((fragment, rest)) = fragment_header(carried.protocol, body) {
        // The low half tells copies as well as the whole does.
        carried.trace.ip_id = Some((fragment.identification() & 0xffff) as u16);
        if fragment.is_fragmenting_payload() {
            // Behind a later fragment's header is the middle of the datagram, not a further header.
            carried.protocol = fragment.next_header().0;
            carried.bytes = rest;
            let fragment = FragmentPlace {
                id: fragment.identification(),
                offset: u32::from(fragment.fragment_offset().byte_offset()),
                more: fragment.more_fragments(),
            };
            deliver_fragment(descent, &carried, fragment);
            return Ok(Next::Nothing);
        }
    }
    carried.protocol = slice.payload().ip_number.0;
    carried.bytes = body.get(slice.extensions().slice().len()..).unwrap_or_default();
    Ok(Next::Carried(carried))
}

/// The fragment header among the extension headers that begin with `protocol`, and what follows it.
///
/// Walks by itself: etherparse's iterator over extension headers relies on a chain that nothing cut.
pub(in crate::net::decode) fn fragment_header(
    protocol: u8,
    bytes: &[u8],
) -> Option<(Ipv6FragmentHeaderSlice<'_>, &[u8])> {
    let (mut protocol, mut rest) = (protocol, bytes);
    for _ in 0..EXTENSION_HEADERS_MAX {
        let length;
        match protocol {
            0 | 43 | 60 => {
                let header = Ipv6RawExtHeaderSlice::from_slice(rest).ok()?;
                (protocol, length) = (header.next_header().0, header.slice().len());
            }
            51 => {
                let header = IpAuthHeaderSlice::from_slice(rest).ok()?;
                (protocol, length) = (header.next_header().0, header.slice().len());
            }
            44 => {
                let header = Ipv6FragmentHeaderSlice::from_slice(rest).ok()?;
                let behind = rest.get(header.slice().len()..)?;
                return Some((header, behind));
            }
            _ => return None,
        }
        rest = rest.get(length..)?;
    }
    None
}

/// The bytes behind an IP header and how many more there were on the wire.
///
/// A total length that cannot be (zero, less than the header) leaves all that was captured.
fn body(bytes: &[u8], header_length: usize, total_length: usize, frame_missing: u32) -> (&[u8], u32) {
    if total_length < header_length {
        return (bytes.get(header_length..).unwrap_or_default(), frame_missing);
    }
    match bytes.get(header_length..total_length) {
        Some(body) => (body, 0),
        None => {
            let missing = total_length.saturating_sub(bytes.len());
            (bytes.get(header_length..).unwrap_or_default(), u32::try_from(missing).unwrap_or(u32::MAX))
        }
    }
}

/// Where a fragment stands in its datagram.
struct FragmentPlace {
    id: u32,
    offset: u32,
    more: bool,
}

/// Hands over a fragment.
fn deliver_fragment<'a>(descent: &mut Descent<'_, 'a>, carried: &Carried<'a>, fragment: FragmentPlace) {
    let flow = Flow {
        source: Endpoint { address: carried.source, port: 0 },
        destination: Endpoint { address: carried.destination, port: 0 },
    };
    let payload = Payload::Fragment {
        id: fragment.id,
        protocol: carried.protocol,
        offset: fragment.offset,
        more: fragment.more,
        bytes: carried.bytes,
    };
    descent.deliver(flow, carried.trace, carried.missing > 0, payload);
}

#[cfg(test)]
#[path = "ip_tests.rs"]
mod tests;
