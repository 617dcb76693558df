//! Tunnels within UDP: VXLAN, Geneve, GTP-U, L2TP, Teredo, and HEP and ESP, which have files of their own.
//!
//! A port only raises the question; a header that does not read as the tunnel's leaves a plain datagram.
//! Sources: RFC 7348, RFC 8926, 3GPP TS 29.281, RFC 2661, RFC 4380, draft-ietf-nvo3-vxlan-gpe.

pub(in crate::net::decode) mod esp;
pub(in crate::net::decode) mod gre;
pub(in crate::net::decode) mod hep;

use crate::net::decode::carried::Carried;
use crate::net::decode::descent::Descent;
use crate::net::decode::field::{u8_at, u16_at, u32_at};
use crate::net::decode::ip::is_plausible_ip;
use crate::net::decode::link::ethernet::is_plausible_ethernet;
use crate::net::decode::link::ppp::is_plausible_ppp;
use crate::net::decode::next::Next;
use crate::net::skip::Skip;

// Ports of tunnels within UDP, as IANA gave them out; Linux sent VXLAN to another one before.
const L2TP: u16 = 1701;
const GTP_USER: u16 = 2152;
const TEREDO: u16 = 3544;
const IPSEC: u16 = 4500;
const VXLAN: u16 = 4789;
const VXLAN_GPE: u16 = 4790;
const GENEVE: u16 = 6081;
const VXLAN_LINUX: u16 = 8472;

/// GTP-U extension headers in one packet; 3GPP defines fewer than ten.
const GTP_EXTENSIONS_MAX: usize = 16;

/// Whether a datagram of these ports that begins like this deserves a look for a tunnel.
#[inline]
pub(in crate::net::decode) fn could_be_tunnel(source_port: u16, destination_port: u16, bytes: &[u8]) -> bool {
    is_tunnel_port(destination_port) || is_tunnel_port(source_port) || hep::could_be_hep(bytes)
}

/// Whether a tunnel that is looked for has this port.
#[inline]
fn is_tunnel_port(port: u16) -> bool {
    matches!(port, L2TP | GTP_USER | TEREDO | IPSEC | VXLAN | VXLAN_GPE | GENEVE | VXLAN_LINUX)
}

/// Follows the tunnel in a UDP datagram; `None` where it holds none, and nothing was changed.
pub(in crate::net::decode) fn follow<'a>(
    descent: &mut Descent<'_, 'a>,
    datagram: &Carried<'a>,
    source_port: u16,
    destination_port: u16,
) -> Option<Result<Next<'a>, Skip>> {
    if let Some(result) = hep::hep(descent, datagram) {
        return Some(result);
    }
    for port in [destination_port, source_port] {
        if port == IPSEC
            && let Some(result) = esp::esp_in_udp(descent, datagram)
        {
            return Some(result);
        }
        if let Some((identifier, inner)) = recognise(port, datagram.bytes) {
            descent.enter_tunnel(datagram);
            descent.mark(u64::from(identifier) << 16 | u64::from(port));
            return Some(Ok(inner));
        }
    }
    None
}

/// The tunnel's network or endpoint identifier and what it carries, where the header reads as that of `port`'s tunnel.
fn recognise(port: u16, bytes: &[u8]) -> Option<(u32, Next<'_>)> {
    match port {
        VXLAN | VXLAN_GPE | VXLAN_LINUX => vxlan(bytes),
        GENEVE => geneve(bytes),
        GTP_USER => gtp_user(bytes),
        L2TP => l2tp(bytes),
        TEREDO => teredo(bytes).map(|inner| (0, inner)),
        _ => None,
    }
}

/// VXLAN, with group policy or generic protocol extension.
fn vxlan(bytes: &[u8]) -> Option<(u32, Next<'_>)> {
    let (&[flags, flags2, _, next, n0, n1, n2, reserved], inner) = bytes.split_first_chunk::<8>()?;
    if flags & 0x08 == 0 || flags & 0x70 != 0 || reserved != 0 {
        return None;
    }
    let network = u32::from_be_bytes([0, n0, n1, n2]);
    let has_next_protocol = flags & 0x04 != 0;
    match next {
        1 if has_next_protocol => Some((network, Next::Ip(inner))),
        2 if has_next_protocol => Some((network, Next::Ip(inner))),
        3 if has_next_protocol => Some((network, Next::Ethernet(inner))),
        _ if has_next_protocol => None,
        // Group policy (flag 0x80) uses the bytes that are else zero.
        0 if flags == 0x08 && flags2 == 0 => Some((network, Next::Ethernet(inner))),
        _ if flags == 0x88 => Some((network, Next::Ethernet(inner))),
        _ => is_plausible_ethernet(inner).then_some((network, Next::Ethernet(inner))),
    }
}

/// Geneve of version 0.
fn geneve(bytes: &[u8]) -> Option<(u32, Next<'_>)> {
    let (&[options, flags, p0, p1, n0, n1, n2, reserved], _) = bytes.split_first_chunk::<8>()?;
    let protocol = u16::from_be_bytes([p0, p1]);
    if options & 0xc0 != 0 || flags & 0x3f != 0 || reserved != 0 || protocol < 0x0600 {
        return None;
    }
    let inner = bytes.get(8 + usize::from(options & 0x3f) * 4..)?;
    Some((u32::from_be_bytes([0, n0, n1, n2]), Next::EtherType(protocol, inner)))
}

/// A T-PDU of GTP-U version 1; what it carries only the session knows, so it is guessed.
fn gtp_user(bytes: &[u8]) -> Option<(u32, Next<'_>)> {
    let flags = u8_at(bytes, 0)?;
    if flags & 0xf0 != 0x30 || u8_at(bytes, 1)? != 0xff {
        return None;
    }
    let endpoint = u32_at(bytes, 4)?;
    let end = 8 + usize::from(u16_at(bytes, 2)?);
    let bytes = bytes.get(..end).unwrap_or(bytes);
    let mut at = if flags & 0x07 != 0 { 12 } else { 8 };
    let mut next = if flags & 0x04 != 0 { u8_at(bytes, 11)? } else { 0 };
    for _ in 0..GTP_EXTENSIONS_MAX {
        if next == 0 {
            break;
        }
        let length = usize::from(u8_at(bytes, at)?) * 4;
        if length == 0 {
            return None;
        }
        at += length;
        next = u8_at(bytes, at - 1)?;
    }
    let inner = bytes.get(at..)?;
    if is_plausible_ip(inner) {
        return Some((endpoint, Next::Ip(inner)));
    }
    is_plausible_ethernet(inner).then_some((endpoint, Next::Ethernet(inner)))
}

/// A data message of L2TP version 2.
fn l2tp(bytes: &[u8]) -> Option<(u32, Next<'_>)> {
    let flags = u16_at(bytes, 0)?;
    if flags & 0xb400 != 0 || flags & 0x000f != 2 {
        return None;
    }
    let mut at = if flags & 0x4000 != 0 { 4 } else { 2 };
    let endpoint = u32_at(bytes, at)?;
    at += if flags & 0x0800 != 0 { 8 } else { 4 };
    if flags & 0x0200 != 0 {
        at += 2 + usize::from(u16_at(bytes, at)?);
    }
    let end = if flags & 0x4000 != 0 { usize::from(u16_at(bytes, 2)?) } else { bytes.len() };
    let inner = bytes.get(at..end).or_else(|| bytes.get(at..))?;
    is_plausible_ppp(inner).then_some((endpoint, Next::Ppp(inner)))
}

/// IPv6 behind the indications of Teredo, RFC 4380 section 5.1.1.
fn teredo(bytes: &[u8]) -> Option<Next<'_>> {
    let mut bytes = bytes;
    if bytes.starts_with(&[0, 1]) {
        let identifiers = usize::from(u8_at(bytes, 2)?) + usize::from(u8_at(bytes, 3)?);
        bytes = bytes.get(13 + identifiers..)?;
    }
    if bytes.starts_with(&[0, 0]) {
        bytes = bytes.get(8..)?;
    }
    let length = 40 + usize::from(u16_at(bytes, 4)?);
    (u8_at(bytes, 0)? >> 4 == 6 && is_plausible_ip(bytes) && length == bytes.len()).then_some(Next::Ip(bytes))
}

#[cfg(test)]
#[path = "tunnel_tests.rs"]
mod tests;
