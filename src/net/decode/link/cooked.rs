//! Link headers that an operating system makes up: Linux cooked captures, BSD loopback, NFLOG and Apple's PKTAP.
//!
//! Sources: the pages of LINKTYPE_LINUX_SLL, _LINUX_SLL2, _NULL, _LOOP, _NFLOG and _PKTAP.

use crate::capture::LinkType;
use crate::net::decode::descent::Descent;
use crate::net::decode::field::{u16_at, u16_le_at, u32_le_at};
use crate::net::decode::link::radio;
use crate::net::decode::next::Next;
use crate::net::skip::{Layer, Skip};

/// ARPHRD_IEEE80211_RADIOTAP: the payload is a radiotap header, whatever the protocol field says.
const RADIOTAP_HARDWARE: u16 = 803;
/// Values of a netfilter log message; the kernel defines about twenty.
const NFLOG_VALUES_MAX: usize = 64;
/// NFULA_PAYLOAD: the packet.
const NFLOG_PAYLOAD: u16 = 9;

/// Reads a Linux cooked capture, version 1: packet type, hardware type, address, protocol.
///
/// # Errors
/// Where it carries nothing that is read further.
pub(in crate::net::decode) fn cooked<'a>(descent: &mut Descent<'_, 'a>, bytes: &'a [u8]) -> Result<Next<'a>, Skip> {
    let Some((header, rest)) = bytes.split_first_chunk::<16>() else {
        return Err(Skip::CutShort("Linux cooked header"));
    };
    descent.mark_bytes(&header[..14]);
    let hardware = u16::from_be_bytes([header[2], header[3]]);
    behind_cooked(hardware, u16::from_be_bytes([header[14], header[15]]), rest)
}

/// Reads a Linux cooked capture, version 2: protocol, interface, hardware type, packet type, address.
///
/// # Errors
/// Where it carries nothing that is read further.
pub(in crate::net::decode) fn cooked_v2<'a>(descent: &mut Descent<'_, 'a>, bytes: &'a [u8]) -> Result<Next<'a>, Skip> {
    let Some((header, rest)) = bytes.split_first_chunk::<20>() else {
        return Err(Skip::CutShort("Linux cooked header"));
    };
    descent.mark_bytes(&header[4..]);
    let hardware = u16::from_be_bytes([header[8], header[9]]);
    behind_cooked(hardware, u16::from_be_bytes([header[0], header[1]]), rest)
}

/// What stands behind a cooked header: an EtherType's payload, LLC (protocol 4), or a radiotap header.
fn behind_cooked(hardware: u16, protocol: u16, bytes: &[u8]) -> Result<Next<'_>, Skip> {
    match protocol {
        _ if hardware == RADIOTAP_HARDWARE => radio::radiotap(bytes),
        0x0004 => Ok(Next::Llc(bytes)),
        0..0x0600 => Err(Skip::OtherProtocol(Layer::LinuxCooked, u32::from(protocol))),
        number => Ok(Next::EtherType(number, bytes)),
    }
}

/// Reads a BSD loopback header: the address family, in the byte order of whichever system wrote it.
///
/// # Errors
/// Where it carries nothing that is read further.
pub(in crate::net::decode) fn loopback(bytes: &[u8]) -> Result<Next<'_>, Skip> {
    let Some((&family, rest)) = bytes.split_first_chunk::<4>() else {
        return Err(Skip::CutShort("loopback header"));
    };
    let family = u32::from_be_bytes(family).min(u32::from_le_bytes(family));
    match family {
        // AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS, 23 on Windows.
        2 | 10 | 23 | 24 | 28 | 30 => Ok(Next::Ip(rest)),
        other => Err(Skip::OtherProtocol(Layer::Loopback, other)),
    }
}

/// Reads a netfilter log message and the packet among its values.
///
/// # Errors
/// Where it holds no IP packet.
pub(in crate::net::decode) fn nflog(bytes: &[u8]) -> Result<Next<'_>, Skip> {
    let Some((&[_, version, _, _], values)) = bytes.split_first_chunk::<4>() else {
        return Err(Skip::CutShort("NFLOG header"));
    };
    if version != 0 {
        return Err(Skip::OtherProtocol(Layer::NflogVersion, u32::from(version)));
    }
    // Values are in the byte order of the system that wrote them; only one order makes them fit.
    let packet = nflog_payload(values, u16_le_at).or_else(|| nflog_payload(values, u16_at));
    packet.map(Next::Ip).ok_or(Skip::CutShort("NFLOG values"))
}

/// The packet among the values of a netfilter log message.
fn nflog_payload(values: &[u8], number: impl Fn(&[u8], usize) -> Option<u16>) -> Option<&[u8]> {
    let mut rest = values;
    for _ in 0..NFLOG_VALUES_MAX {
        let length = usize::from(number(rest, 0)?);
        // The kernel uses the upper two bits of the type as flags.
        let kind = number(rest, 2)? & 0x3fff;
        if length < 4 {
            return None;
        }
        if kind == NFLOG_PAYLOAD {
            return rest.get(4..length).or_else(|| rest.get(4..));
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// Reads Apple's PKTAP header: its length, the link type of the packet, the interface it was seen on.
///
/// # Errors
/// Where it carries nothing that is read further.
pub(in crate::net::decode) fn pktap<'a>(descent: &mut Descent<'_, 'a>, bytes: &'a [u8]) -> Result<Next<'a>, Skip> {
    let cut = Skip::CutShort("PKTAP header");
    let length = u32_le_at(bytes, 0).and_then(|length| usize::try_from(length).ok()).ok_or(cut)?;
    let record = u32_le_at(bytes, 4).ok_or(cut)?;
    let link_type = u32_le_at(bytes, 8).ok_or(cut)?;
    let interface = bytes.get(12..36).ok_or(cut)?;
    if record != 1 {
        return Err(Skip::OtherProtocol(Layer::Pktap, record));
    }
    descent.mark_bytes(interface);
    // A header within itself would never end.
    let link_type = u16::try_from(link_type).ok().filter(|&number| number != 258);
    let link_type = link_type.ok_or(Skip::Malformed("PKTAP header"))?;
    Ok(Next::Link(LinkType(link_type), bytes.get(length..).ok_or(cut)?))
}

#[cfg(test)]
#[path = "cooked_tests.rs"]
mod tests;
