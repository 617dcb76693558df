//! GRE and what it carries: IP, Ethernet (NVGRE), mirrored frames (ERSPAN), PPP (PPTP).
//!
//! Sources: RFC 2784, RFC 2890, RFC 7637, RFC 2637 (version 1), draft-foschiano-erspan-03.

use crate::net::decode::descent::Descent;
use crate::net::decode::field::{u8_at, u16_at, u32_at};
use crate::net::decode::ip::is_plausible_ip;
use crate::net::decode::next::Next;
use crate::net::skip::{Layer, Skip};

/// Why a GRE header could not be read to its end.
const CUT: Skip = Skip::CutShort("GRE header");

/// Reads a GRE header and what follows it.
///
/// # Errors
/// Where it carries nothing that is read further.
pub(in crate::net::decode) fn gre<'a>(descent: &mut Descent<'_, 'a>, bytes: &'a [u8]) -> Result<Next<'a>, Skip> {
    let flags = u16_at(bytes, 0).ok_or(CUT)?;
    let protocol = u16_at(bytes, 2).ok_or(CUT)?;
    match flags & 0x0007 {
        0 => version_0(descent, flags, protocol, bytes),
        1 => version_1(descent, flags, bytes),
        version => Err(Skip::OtherProtocol(Layer::GreVersion, u32::from(version))),
    }
}

/// Plain GRE: checksum, key and sequence number where their flags say so.
fn version_0<'a>(descent: &mut Descent<'_, 'a>, flags: u16, protocol: u16, bytes: &'a [u8]) -> Result<Next<'a>, Skip> {
    if flags & 0x4000 != 0 {
        // Source routes were taken out of the protocol in 2000 (RFC 2784 section 5.1).
        return Err(Skip::OtherProtocol(Layer::GreSourceRoute, u32::from(protocol)));
    }
    let has_sequence = flags & 0x1000 != 0;
    let mut at = if flags & 0x8000 != 0 { 8 } else { 4 };
    if flags & 0x2000 != 0 {
        descent.mark(u64::from(u32_at(bytes, at).ok_or(CUT)?));
        at += 4;
    }
    at += if has_sequence { 4 } else { 0 };
    let inner = bytes.get(at..).ok_or(CUT)?;
    match protocol {
        0x88be if !has_sequence => Ok(Next::Ethernet(inner)),
        0x88be => erspan(descent, inner, 8),
        0x22eb => {
            let has_platform_header = u8_at(inner, 11).ok_or(Skip::CutShort("ERSPAN header"))? & 1 != 0;
            erspan(descent, inner, if has_platform_header { 20 } else { 12 })
        }
        // WCCP puts a redirect header of 4 bytes before the IP header, or none in its first version.
        0x883e if is_plausible_ip(inner) => Ok(Next::Ip(inner)),
        0x883e => inner.get(4..).map(Next::Ip).ok_or(CUT),
        0 => Err(Skip::OtherProtocol(Layer::Gre, 0)),
        other => Ok(Next::EtherType(other, inner)),
    }
}

/// A mirrored Ethernet frame behind an ERSPAN header of `length` bytes.
fn erspan<'a>(descent: &mut Descent<'_, 'a>, bytes: &'a [u8], length: usize) -> Result<Next<'a>, Skip> {
    let cut = Skip::CutShort("ERSPAN header");
    // VLAN and session tell which port was mirrored; what follows them differs in every frame.
    descent.mark(u64::from(u16_at(bytes, 0).ok_or(cut)?));
    descent.mark(u64::from(u16_at(bytes, 2).ok_or(cut)? & 0x03ff));
    bytes.get(length..).map(Next::Ethernet).ok_or(cut)
}

/// Enhanced GRE: PPP of one PPTP call, or an acknowledgement without payload.
fn version_1<'a>(descent: &mut Descent<'_, 'a>, flags: u16, bytes: &'a [u8]) -> Result<Next<'a>, Skip> {
    let length = usize::from(u16_at(bytes, 4).ok_or(CUT)?);
    descent.mark(u64::from(u16_at(bytes, 6).ok_or(CUT)?));
    let at = 8 + if flags & 0x1000 != 0 { 4 } else { 0 } + if flags & 0x0080 != 0 { 4 } else { 0 };
    let rest = bytes.get(at..).ok_or(CUT)?;
    if length == 0 {
        return Err(Skip::OtherProtocol(Layer::PptpAcknowledgement, 0));
    }
    Ok(Next::Ppp(rest.get(..length).unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::decode::bytes_for_tests::{SIP, decoded, ethernet_frame, hostile_at_every_length, ip4, udp4};

    /// A raw IP packet of GRE with these fields behind the protocol number.
    fn gre_packet(flags: u16, protocol: u16, fields: &[u8], inner: &[u8]) -> Vec<u8> {
        let mut bytes = flags.to_be_bytes().to_vec();
        bytes.extend_from_slice(&protocol.to_be_bytes());
        bytes.extend_from_slice(fields);
        bytes.extend_from_slice(inner);
        ip4(47, &bytes)
    }

    /// Whether exactly the SIP message comes out, and no cut of the packet panics.
    fn carries_sip(packet: &[u8]) -> bool {
        hostile_at_every_length(101, packet);
        decoded(101, packet).datagrams() == [SIP]
    }

    #[test]
    fn ip_within_gre_is_read_with_every_set_of_fields() {
        let inner = udp4(SIP);
        assert!(carries_sip(&gre_packet(0, 0x0800, &[], &inner)));
        assert!(carries_sip(&gre_packet(0x8000, 0x0800, &[0; 4], &inner)));
        assert!(carries_sip(&gre_packet(0x2000, 0x0800, &[0, 0, 0, 7], &inner)));
        assert!(carries_sip(&gre_packet(0xb000, 0x0800, &[0; 12], &inner)));
    }

    #[test]
    fn ethernet_within_gre_is_read() {
        assert!(carries_sip(&gre_packet(0x2000, 0x6558, &[0, 0, 9, 0], &ethernet_frame(0x0800, &udp4(SIP)))));
    }

    #[test]
    fn erspan_of_each_type_is_read() {
        let frame = ethernet_frame(0x0800, &udp4(SIP));
        assert!(carries_sip(&gre_packet(0, 0x88be, &[], &frame)));
        assert!(carries_sip(&gre_packet(0x1000, 0x88be, &[0, 0, 0, 1, 0x10, 5, 0, 1, 0, 0, 0, 0], &frame)));
        let mut third = vec![0, 0, 0, 1, 0x20, 5, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert!(carries_sip(&gre_packet(0x1000, 0x22eb, &third, &frame)));
        third[15] = 1;
        third.extend_from_slice(&[0; 8]);
        assert!(carries_sip(&gre_packet(0x1000, 0x22eb, &third, &frame)));
    }

    #[test]
    fn ppp_within_pptp_is_read() {
        let mut ppp = vec![0xff, 0x03, 0x00, 0x21];
        ppp.extend_from_slice(&udp4(SIP));
        let length = u16::try_from(ppp.len()).expect("short").to_be_bytes();
        let fields = [length[0], length[1], 0, 9, 0, 0, 0, 1, 0, 0, 0, 1];
        assert!(carries_sip(&gre_packet(0x3081, 0x880b, &fields, &ppp)));
    }

    #[test]
    fn what_gre_carries_else_is_named() {
        let skip = decoded(101, &gre_packet(0, 0x88b7, &[], &[0; 20])).skip;
        assert_eq!(Some(Skip::OtherProtocol(Layer::Ethernet, 0x88b7)), skip);
    }
}
