//! Ethernet and what stands between its addresses and IP: VLAN tags, MACsec, LLC and SNAP.
//!
//! Sources: IEEE 802.3, IEEE 802.1Q, IEEE 802.1AE, RFC 1042.

use etherparse::{LaxMacsecPayloadSlice, LaxMacsecSlice};

use crate::net::decode::descent::{Descent, mix};
use crate::net::decode::field::u16_at;
use crate::net::decode::next::Next;
use crate::net::skip::{Layer, Skip};

/// VLAN and MACsec tags on one frame; two are common, three are seen, more is a loop of switches.
const TAGS_MAX: usize = 8;

/// EtherType of IPv4.
const IPV4: u16 = 0x0800;
/// EtherType of IPv6.
const IPV6: u16 = 0x86dd;
/// EtherType of a MACsec tag.
const MACSEC: u16 = 0x88e5;
/// Numbers below this one are lengths of an 802.3 frame (IEEE 802.3 section 3.2.6).
const SMALLEST_ETHER_TYPE: u16 = 0x0600;

/// Reads an Ethernet frame from its destination address on.
///
/// # Errors
/// Where it carries nothing that is read further.
pub(in crate::net::decode) fn ethernet<'a>(descent: &mut Descent<'_, 'a>, bytes: &'a [u8]) -> Result<Next<'a>, Skip> {
    let Some((header, rest)) = bytes.split_first_chunk::<14>() else {
        return Err(Skip::CutShort("Ethernet header"));
    };
    descent.link = mark_addresses(descent.link, header);
    ether_type(descent, u16::from_be_bytes([header[12], header[13]]), rest)
}

/// The link hash with the MAC addresses of an Ethernet header.
#[inline]
pub(in crate::net::decode) fn mark_addresses(link: u32, header: &[u8; 14]) -> u32 {
    let &[a, b, c, d, e, f, g, h, i, j, k, l, _, _] = header;
    let link = mix(link, u64::from_be_bytes([a, b, c, d, e, f, g, h]));
    mix(link, u64::from(u32::from_be_bytes([i, j, k, l])))
}

/// Whether an EtherType announces a VLAN tag: 802.1Q, 802.1ad and what was used before it.
#[inline]
pub(in crate::net::decode) fn is_vlan(ether_type: u16) -> bool {
    matches!(ether_type, 0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300)
}

/// Whether `bytes` read as an Ethernet frame that carries something known; for tunnels that do not say what they carry.
pub(in crate::net::decode) fn is_plausible_ethernet(bytes: &[u8]) -> bool {
    let Some(number) = u16_at(bytes, 12) else {
        return false;
    };
    is_vlan(number) || matches!(number, IPV4 | IPV6 | MACSEC | 0x0806 | 0x8847 | 0x8848 | 0x8863 | 0x8864)
}

/// Reads what an EtherType announces.
///
/// # Errors
/// Where that is nothing that is read further.
pub(in crate::net::decode) fn ether_type<'a>(
    descent: &mut Descent<'_, 'a>,
    number: u16,
    bytes: &'a [u8],
) -> Result<Next<'a>, Skip> {
    descent.enter()?;
    let (number, bytes) = tags(descent, number, bytes)?;
    match number {
        IPV4 | IPV6 => Ok(Next::Ip(bytes)),
        0x8847 | 0x8848 => Ok(Next::Mpls(bytes)),
        0x8864 => Ok(Next::PppoeSession(bytes)),
        0x880b => Ok(Next::Ppp(bytes)),
        0x6558 => Ok(Next::Ethernet(bytes)),
        length if length < SMALLEST_ETHER_TYPE => llc(bytes.get(..usize::from(length)).unwrap_or(bytes)),
        other => Err(Skip::OtherProtocol(Layer::Ethernet, u32::from(other))),
    }
}

/// Takes off VLAN tags and MACsec tags without encryption; what is left and its EtherType.
fn tags<'a>(descent: &mut Descent<'_, 'a>, mut number: u16, mut bytes: &'a [u8]) -> Result<(u16, &'a [u8]), Skip> {
    for _ in 0..TAGS_MAX {
        if is_vlan(number) {
            let Some((&[tag0, tag1, type0, type1], rest)) = bytes.split_first_chunk::<4>() else {
                return Err(Skip::CutShort("VLAN tag"));
            };
            descent.mark(u64::from(u16::from_be_bytes([tag0, tag1])));
            (number, bytes) = (u16::from_be_bytes([type0, type1]), rest);
        } else if number == MACSEC {
            let tag = LaxMacsecSlice::from_slice(bytes).map_err(|_| Skip::CutShort("MACsec tag"))?;
            let LaxMacsecPayloadSlice::Unmodified(inner) = tag.payload else {
                return Err(Skip::OtherProtocol(Layer::EncryptedMacsec, u32::from(MACSEC)));
            };
            (number, bytes) = (inner.ether_type.0, inner.payload);
        } else {
            return Ok((number, bytes));
        }
    }
    Err(Skip::TooDeep)
}

/// Reads an LLC header and, where it announces one, the SNAP header behind it (RFC 1042).
///
/// # Errors
/// Where they carry nothing that is read further.
pub(in crate::net::decode) fn llc(bytes: &[u8]) -> Result<Next<'_>, Skip> {
    let Some((&[destination, _, _], rest)) = bytes.split_first_chunk::<3>() else {
        return Err(Skip::CutShort("LLC header"));
    };
    if destination == 0x06 {
        return Ok(Next::Ip(rest));
    }
    if destination != 0xaa {
        return Err(Skip::OtherProtocol(Layer::Llc, u32::from(destination)));
    }
    let Some((&[_, _, _, type0, type1], rest)) = rest.split_first_chunk::<5>() else {
        return Err(Skip::CutShort("SNAP header"));
    };
    let number = u16::from_be_bytes([type0, type1]);
    if number < SMALLEST_ETHER_TYPE {
        return Err(Skip::OtherProtocol(Layer::Snap, u32::from(number)));
    }
    Ok(Next::EtherType(number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::decode::bytes_for_tests::{Decoded, SIP, decoded, ethernet_frame, hostile_at_every_length, udp4};

    /// An Ethernet frame of EtherType `number`.
    fn frame(number: u16, payload: &[u8]) -> Vec<u8> {
        ethernet_frame(number, payload)
    }

    #[test]
    fn up_to_eight_vlan_tags_come_off() {
        for (tags, expected) in [(1, true), (2, true), (3, true), (5, true), (7, true), (9, false)] {
            let mut payload = Vec::new();
            for tag in 0..tags {
                let next: u16 = if tag + 1 == tags { 0x0800 } else { [0x8100, 0x88a8, 0x9100][tag % 3] };
                payload.extend_from_slice(&[0, 100 + tag as u8]);
                payload.extend_from_slice(&next.to_be_bytes());
            }
            payload.extend_from_slice(&udp4(SIP));
            let frame = frame(0x8100, &payload);
            let decoded = decoded(1, &frame);
            assert_eq!(expected, decoded.datagrams() == [SIP], "{tags} tags");
        }
    }

    #[test]
    fn the_same_packet_on_another_vlan_has_another_link() {
        let tagged = |vlan: u8| {
            let mut payload = vec![0, vlan, 0x08, 0x00];
            payload.extend_from_slice(&udp4(SIP));
            decoded(1, &frame(0x8100, &payload)).packets[0].trace.link
        };
        assert_ne!(tagged(10), tagged(20));
        assert_eq!(tagged(10), tagged(10));
    }

    #[test]
    fn llc_with_snap_carries_ip() {
        let mut payload = vec![0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00];
        payload.extend_from_slice(&udp4(SIP));
        let length = u16::try_from(payload.len()).expect("short");
        assert_eq!([SIP], decoded(1, &frame(length, &payload)).datagrams()[..]);
    }

    #[test]
    fn spanning_tree_is_skipped_by_name() {
        let frame = frame(38, &[0x42, 0x42, 0x03, 0, 0]);
        let Decoded { skip, packets } = decoded(1, &frame);
        assert!(packets.is_empty());
        assert_eq!(Some(Skip::OtherProtocol(Layer::Llc, 0x42)), skip);
    }

    #[test]
    fn arp_is_skipped_by_name() {
        assert_eq!(Some(Skip::OtherProtocol(Layer::Ethernet, 0x0806)), decoded(1, &frame(0x0806, &[0; 28])).skip);
    }

    #[test]
    fn macsec_without_encryption_is_read() {
        let mut payload = vec![0x00, 0x00, 0, 0, 0, 1, 0x08, 0x00];
        payload.extend_from_slice(&udp4(SIP));
        payload.extend_from_slice(&[0; 16]);
        assert_eq!([SIP], decoded(1, &frame(MACSEC, &payload)).datagrams()[..]);
    }

    #[test]
    fn padding_after_the_datagram_is_dropped() {
        let mut payload = udp4(b"hi");
        payload.extend_from_slice(&[0; 16]);
        assert_eq!([&b"hi"[..]], decoded(1, &frame(0x0800, &payload)).datagrams()[..]);
    }

    #[test]
    fn a_tagged_frame_cut_anywhere_does_not_panic() {
        let mut payload = vec![0, 1, 0x81, 0, 0, 2, 0x08, 0x00];
        payload.extend_from_slice(&udp4(SIP));
        hostile_at_every_length(1, &frame(0x88a8, &payload));
    }
}
