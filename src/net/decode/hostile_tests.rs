//! Frames made to break the decoder: depth bombs, and arbitrary bytes under every link type.

use proptest::prelude::*;

use crate::net::decode::bytes_for_tests::{SIP, decoded, decoded_cut, ethernet_frame, ip4, udp, udp4};
use crate::net::packet::Payload;
use crate::net::skip::Skip;

/// Every link type that is read, and one that is not.
const LINK_TYPES: [u16; 24] =
    [0, 1, 9, 12, 14, 50, 51, 101, 104, 105, 108, 113, 119, 127, 163, 219, 228, 229, 239, 252, 258, 276, 147, 65535];

#[test]
fn tunnels_within_tunnels_end() {
    let mut bombs = vec![udp4(SIP); 4];
    for _ in 0..200 {
        bombs[0] = ip4(4, &bombs[0]);
        bombs[1] = ip4(47, &[&[0, 0, 0x08, 0][..], &bombs[1]].concat());
        bombs[2] = ip4(97, &[&[0x30, 0][..], &ethernet_frame(0x0800, &bombs[2])].concat());
        let vxlan = [&[8, 0, 0, 0, 0, 0, 1, 0][..], &ethernet_frame(0x0800, &bombs[3])].concat();
        bombs[3] = ip4(17, &udp(9, 4789, &vxlan));
    }
    for bomb in bombs {
        assert_eq!(Some(Skip::TooDeep), decoded(101, &bomb).skip);
    }
}

#[test]
fn headers_without_addresses_end_too() {
    let snap_in_vlan = [&[0xaa, 0xaa, 3, 0, 0, 0, 0x81, 0, 0, 1, 5, 220][..]; 300].concat();
    assert_eq!(Some(Skip::TooDeep), decoded(1, &ethernet_frame(0x05dc, &snap_in_vlan)).skip);
    let multilink = [0x00, 0x3d, 0xc0, 0, 0, 1].repeat(300);
    assert_eq!(Some(Skip::TooDeep), decoded(9, &multilink).skip);
}

#[test]
fn six_tunnels_within_one_another_are_followed() {
    let mut packet = udp4(SIP);
    for _ in 0..6 {
        packet = ip4(47, &[&[0, 0, 0x08, 0][..], &packet].concat());
    }
    assert_eq!([SIP], decoded(101, &packet).datagrams()[..]);
}

#[test]
fn a_link_type_that_is_not_read_is_named() {
    assert_eq!(Some(Skip::UnknownLinkType(147)), decoded(147, &udp4(SIP)).skip);
}

/// Bytes that are not arbitrary all the way: known beginnings take the decoder further in.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let beginnings = prop::sample::select(vec![
        vec![],
        ethernet_frame(0x0800, &udp4(SIP)),
        ethernet_frame(0x86dd, &[0x60, 0, 0, 0, 0, 80, 0, 64]),
        ethernet_frame(0x8100, &[0, 1, 0x08, 0x00]),
        ip4(47, &[0xb0, 0, 0x65, 0x58]),
        ip4(17, &udp(2152, 2152, &[0x34, 0xff, 0, 200, 0, 0, 0, 1])),
        ip4(17, &udp(9060, 9060, b"HEP3\0\xff\0\0\0\x01\0\x07\x02")),
        ip4(1, &[3, 3, 0, 0, 0, 0, 0, 0]),
        ip4(50, &[0, 0, 0, 1, 0, 0, 0, 1]),
    ]);
    (beginnings, any::<u16>(), prop::collection::vec(any::<u8>(), 0..300)).prop_map(|(start, keep, rest)| {
        let keep = usize::from(keep) % (start.len() + 1);
        [&start[..keep], &rest].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in frames(), link_type in prop::sample::select(&LINK_TYPES[..])) {
        let whole = decoded(link_type, &bytes);
        prop_assert!(whole.skip.is_some() || !whole.packets.is_empty());
        decoded_cut(link_type, &bytes, bytes.len() / 2);
    }

    #[test]
    fn sip_within_icmp_is_never_a_datagram(kind in any::<u8>(), code in any::<u8>(), cut in 0_usize..150) {
        let quote = [&[kind, code, 0, 0, 0, 0, 0, 0][..], &udp4(SIP)].concat();
        let packet = ip4(1, &quote);
        let captured = packet.len().saturating_sub(cut);
        for packet in decoded_cut(101, &packet, captured).packets {
            prop_assert!(matches!(packet.payload, Payload::Icmp(_)));
        }
    }
}
