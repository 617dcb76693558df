//! Tests of tunnels within UDP.

use super::*;
use crate::net::decode::bytes_for_tests::{
    SIP, decoded, ethernet_frame, hostile_at_every_length, ip4, udp, udp4, udp6,
};
use crate::net::skip::Layer;

/// An IPv4 packet of UDP from an ephemeral port to `port` with this header and inner packet.
fn tunnelled(port: u16, header: &[u8], inner: &[u8]) -> Vec<u8> {
    ip4(17, &udp(50_000, port, &[header, inner].concat()))
}

/// Whether exactly the SIP message comes out, and no cut of the packet panics.
fn carries_sip(packet: &[u8]) -> bool {
    hostile_at_every_length(101, packet);
    decoded(101, packet).datagrams() == [SIP]
}

/// Whether the packet stays one datagram from the ephemeral port.
fn stays_a_datagram(packet: &[u8]) -> bool {
    let decoded = decoded(101, packet);
    decoded.packets.len() == 1 && decoded.packets[0].flow.source.port == 50_000
}

#[test]
fn vxlan_and_its_extensions_are_read() {
    let frame = ethernet_frame(0x0800, &udp4(SIP));
    for port in [4789, 8472] {
        assert!(carries_sip(&tunnelled(port, &[8, 0, 0, 0, 0, 0, 7, 0], &frame)));
        assert!(carries_sip(&tunnelled(port, &[0x88, 0, 0, 5, 0, 0, 7, 0], &frame)));
    }
    assert!(carries_sip(&tunnelled(4790, &[0x0c, 0, 0, 1, 0, 0, 7, 0], &udp4(SIP))));
    assert!(carries_sip(&tunnelled(4790, &[0x0c, 0, 0, 3, 0, 0, 7, 0], &frame)));
}

#[test]
fn sip_and_rtp_on_tunnel_ports_stay_datagrams() {
    let rtp = [0x80, 0, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4, 0xff, 0xff];
    for port in [1701, 2152, 3544, 4500, 4789, 4790, 6081, 8472] {
        assert!(stays_a_datagram(&tunnelled(port, SIP, b"")), "SIP to {port}");
        assert!(stays_a_datagram(&tunnelled(port, &rtp, b"")), "RTP to {port}");
        assert!(stays_a_datagram(&tunnelled(port, &[], b"")), "nothing to {port}");
    }
}

#[test]
fn what_a_vxlan_carries_else_is_named() {
    let skip = decoded(101, &tunnelled(4789, &[8, 0, 0, 0, 0, 0, 7, 0], &ethernet_frame(0x0806, &[0; 28]))).skip;
    assert_eq!(Some(Skip::OtherProtocol(Layer::Ethernet, 0x0806)), skip);
}

#[test]
fn another_network_identifier_is_another_link() {
    let frame = ethernet_frame(0x0800, &udp4(SIP));
    let link = |network| decoded(101, &tunnelled(4789, &[8, 0, 0, 0, 0, 0, network, 0], &frame)).packets[0].trace.link;
    assert_ne!(link(1), link(2));
}

#[test]
fn geneve_with_and_without_options_is_read() {
    let frame = ethernet_frame(0x0800, &udp4(SIP));
    assert!(carries_sip(&tunnelled(6081, &[0, 0, 0x65, 0x58, 0, 0, 1, 0], &frame)));
    assert!(carries_sip(&tunnelled(6081, &[2, 0x40, 0x65, 0x58, 0, 0, 1, 0, 1, 2, 0, 1, 9, 9, 9, 9], &frame)));
    assert!(carries_sip(&tunnelled(6081, &[0, 0, 0x86, 0xdd, 0, 0, 1, 0], &udp6(SIP))));
}

#[test]
fn gtp_user_packets_are_read_with_extension_headers() {
    let inner = udp4(SIP);
    let length = |extra: usize| u16::try_from(inner.len() + extra).expect("short").to_be_bytes();
    let [a, b] = length(0);
    assert!(carries_sip(&tunnelled(2152, &[0x30, 0xff, a, b, 0, 0, 0, 1], &inner)));
    let [a, b] = length(4);
    assert!(carries_sip(&tunnelled(2152, &[0x32, 0xff, a, b, 0, 0, 0, 1, 0, 9, 0, 0], &inner)));
    let [a, b] = length(12);
    let container = [0x34, 0xff, a, b, 0, 0, 0, 1, 0, 0, 0, 0x85, 2, 0x10, 9, 0, 0, 0, 0, 0];
    assert!(carries_sip(&tunnelled(2152, &container, &inner)));
}

#[test]
fn a_gtp_echo_stays_a_datagram() {
    assert!(stays_a_datagram(&tunnelled(2152, &[0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0], b"")));
}

#[test]
fn gtp_extension_headers_of_no_length_end() {
    let bomb = [&[0x34, 0xff, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0x85][..], &[0; 300]].concat();
    assert!(stays_a_datagram(&tunnelled(2152, &bomb, b"")));
}

#[test]
fn l2tp_data_messages_are_read_and_control_messages_stay_datagrams() {
    let ppp = [&[0xff, 0x03, 0x00, 0x21][..], &udp4(SIP)].concat();
    assert!(carries_sip(&tunnelled(1701, &[0x00, 2, 0, 1, 0, 2], &ppp)));
    assert!(carries_sip(&tunnelled(1701, &[0x00, 0x22, 0, 1, 0, 2], &ppp)));
    assert!(carries_sip(&tunnelled(1701, &[0x02, 2, 0, 1, 0, 2, 0, 2, 0, 0], &ppp)));
    let length = u16::try_from(ppp.len() + 12).expect("short").to_be_bytes();
    assert!(carries_sip(&tunnelled(1701, &[0x48, 2, length[0], length[1], 0, 1, 0, 2, 0, 0, 0, 0], &ppp)));
    assert!(stays_a_datagram(&tunnelled(1701, &[0xc8, 2, 0, 12, 0, 1, 0, 0, 0, 0, 0, 0], b"")));
}

#[test]
fn teredo_is_read_behind_its_indications() {
    assert!(carries_sip(&tunnelled(3544, &[], &udp6(SIP))));
    assert!(carries_sip(&tunnelled(3544, &[0, 0, 1, 2, 3, 4, 5, 6], &udp6(SIP))));
    assert!(carries_sip(&tunnelled(3544, &[0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0], &udp6(SIP))));
}
