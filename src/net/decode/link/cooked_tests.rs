//! Tests of link headers that systems make up.

use super::*;
use crate::net::decode::bytes_for_tests::{
    SIP, decoded, ethernet_frame, hostile_at_every_length, udp4, udp6, wireless_frame,
};

/// Whether the frame yields exactly the SIP message; no cut of it may panic.
fn carries_sip(link_type: u16, header: &[u8], inner: &[u8]) -> bool {
    let frame = [header, inner].concat();
    hostile_at_every_length(link_type, &frame);
    decoded(link_type, &frame).datagrams() == [SIP]
}

/// A Linux cooked header of this hardware type and protocol.
fn cooked_header(kind: u8, hardware: u16, protocol: u16) -> Vec<u8> {
    let [h0, h1] = hardware.to_be_bytes();
    let [p0, p1] = protocol.to_be_bytes();
    vec![0, kind, h0, h1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, p0, p1]
}

/// The same in version 2, seen on interface 4.
fn cooked_v2_header(kind: u8, hardware: u16, protocol: u16) -> Vec<u8> {
    let [h0, h1] = hardware.to_be_bytes();
    let [p0, p1] = protocol.to_be_bytes();
    vec![p0, p1, 0, 0, 0, 0, 0, 4, h0, h1, kind, 6, 2, 0, 0, 0, 0, 1, 0, 0]
}

#[test]
fn cooked_captures_of_every_hardware_are_read() {
    for hardware in [1, 512, 519, 768, 772, 776, 778, 65534] {
        assert!(carries_sip(113, &cooked_header(0, hardware, 0x0800), &udp4(SIP)));
        assert!(carries_sip(276, &cooked_v2_header(4, hardware, 0x86dd), &udp6(SIP)));
    }
    let radiotap = [&[0, 0, 8, 0, 0, 0, 0, 0][..], &wireless_frame(0x08, 1, &[])].concat();
    assert!(carries_sip(113, &cooked_header(0, 803, 4), &radiotap));
}

#[test]
fn vlan_tags_within_cooked_captures_come_off() {
    let tagged = [&[0, 5, 0x08, 0x00][..], &udp4(SIP)].concat();
    assert!(carries_sip(113, &cooked_header(0, 1, 0x8100), &tagged));
    assert!(carries_sip(276, &cooked_v2_header(0, 1, 0x8100), &tagged));
}

#[test]
fn received_and_sent_copies_differ_in_their_link() {
    let link = |kind| {
        let frame = [cooked_header(kind, 1, 0x0800), udp4(SIP)].concat();
        decoded(113, &frame).packets[0].trace.link
    };
    assert_ne!(link(0), link(4));
}

#[test]
fn loopback_is_read_in_either_byte_order_and_of_every_system() {
    for family in [[2, 0, 0, 0], [0, 0, 0, 2]] {
        assert!(carries_sip(0, &family, &udp4(SIP)));
        assert!(carries_sip(108, &family, &udp4(SIP)));
    }
    for family in [10, 23, 24, 28, 30] {
        assert!(carries_sip(0, &[family, 0, 0, 0], &udp6(SIP)));
    }
    assert_eq!(Some(Skip::OtherProtocol(Layer::Loopback, 7)), decoded(0, &[7, 0, 0, 0, 0x45]).skip);
}

#[test]
fn nflog_is_read_in_either_byte_order() {
    let packet = udp4(SIP);
    let [high, low] = u16::try_from(packet.len() + 4).expect("short").to_be_bytes();
    let little = [2, 0, 0, 1, 8, 0, 1, 0, 8, 0, 3, 0, 5, 0, 10, 0, b'x', 0, 0, 0, low, high, 9, 0];
    let big = [2, 0, 0, 1, 0, 8, 0, 1, 8, 0, 3, 0, 0, 5, 0, 10, b'x', 0, 0, 0, high, low, 0, 9];
    assert!(carries_sip(239, &little, &packet));
    assert!(carries_sip(239, &big, &packet));
}

#[test]
fn pktap_names_the_link_type_of_its_packet() {
    let header = |link_type: u8| {
        let mut bytes = vec![108, 0, 0, 0, 1, 0, 0, 0, link_type, 0, 0, 0];
        bytes.extend_from_slice(b"en0");
        bytes.resize(108, 0);
        bytes
    };
    assert!(carries_sip(258, &header(1), &ethernet_frame(0x0800, &udp4(SIP))));
    assert!(carries_sip(258, &header(12), &udp4(SIP)));
    let mut within_itself = header(2);
    within_itself[9] = 1;
    assert_eq!(Some(Skip::Malformed("PKTAP header")), decoded(258, &within_itself).skip);
}
