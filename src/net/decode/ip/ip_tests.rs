//! Tests of IP headers: lengths, fragments, extension headers.

use super::*;
use crate::net::decode::bytes_for_tests::{
    SIP, decoded, decoded_cut, ethernet_frame, hostile_at_every_length, ip4, ip6, udp, udp4, udp6,
};

#[test]
fn the_short_way_and_the_long_way_agree() {
    let frame = ethernet_frame(0x0800, &udp4(SIP));
    let short = decoded(1, &frame).packets[0];
    // An option of no operation forces the long way.
    let mut with_option = udp4(SIP);
    with_option[0] = 0x46;
    with_option[3] += 4;
    with_option.splice(20..20, [1, 1, 1, 1]);
    let with_option = ethernet_frame(0x0800, &with_option);
    let long = decoded(1, &with_option).packets[0];
    assert_eq!((short.at, short.time, short.flow), (long.at, long.time, long.flow));
    assert_eq!((short.trace, short.is_cut), (long.trace, long.is_cut));
    assert_eq!(decoded(1, &frame).datagrams(), decoded(1, &with_option).datagrams());
    assert_eq!(Some(0x1234), short.trace.ip_id);
    assert_eq!((64, 3), (short.trace.ttl, short.trace.interface));
    assert_eq!("192.0.2.1:5060", short.flow.source.to_string());
    assert_eq!("192.0.2.2:5062", short.flow.destination.to_string());
}

#[test]
fn ipv6_is_read_with_its_extension_headers() {
    let udp = udp(5060, 5062, SIP);
    let hop_by_hop = [&[60, 0, 1, 4, 0, 0, 0, 0][..], &[17, 0, 1, 4, 0, 0, 0, 0], &udp].concat();
    let routing = [&[17, 2, 4, 0, 0, 0, 0, 0][..], &[0; 16], &udp].concat();
    let authentication = [&[17, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1][..], &[9; 12], &udp].concat();
    let atomic = [&[17, 0, 0, 0, 0, 0, 0, 5][..], &udp].concat();
    for packet in [udp6(SIP), ip6(0, &hop_by_hop), ip6(43, &routing), ip6(51, &authentication), ip6(44, &atomic)] {
        assert_eq!([SIP], decoded(101, &packet).datagrams()[..]);
        hostile_at_every_length(101, &packet);
    }
}

#[test]
fn ipv4_with_an_authentication_header_is_read() {
    let inner = [&[17, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1][..], &[9; 12], &udp(5060, 5062, SIP)].concat();
    assert_eq!([SIP], decoded(101, &ip4(51, &inner)).datagrams()[..]);
}

#[test]
fn ipv4_fragments_keep_their_place() {
    let mut packet = udp4(SIP);
    (packet[6], packet[7]) = (0x20, 0x05);
    let frame = ethernet_frame(0x0800, &packet);
    let packet = decoded(1, &frame).packets[0];
    let Payload::Fragment { id: 0x1234, protocol: 17, offset: 40, more: true, bytes } = packet.payload else {
        panic!("{:?}", packet.payload);
    };
    assert_eq!(udp(5060, 5062, SIP), bytes);
    assert_eq!((0, 0), (packet.flow.source.port, packet.flow.destination.port));
    hostile_at_every_length(1, &frame);
}

#[test]
fn a_later_ipv6_fragment_is_not_read_as_a_header() {
    // The rest of the datagram happens to look like destination options.
    let fragment = [&[60, 0, 0x05, 0x78, 0, 1, 0, 2][..], &[17, 0, 1, 4, 0, 0, 0, 0], SIP].concat();
    let bytes = ip6(44, &fragment);
    let packet = decoded(101, &bytes).packets[0];
    let Payload::Fragment { id: 0x1_0002, protocol: 60, offset: 1400, more: false, bytes } = packet.payload else {
        panic!("{:?}", packet.payload);
    };
    assert_eq!(8 + SIP.len(), bytes.len());
    assert_eq!(Some(2), packet.trace.ip_id);
}

#[test]
fn a_total_length_of_zero_takes_what_was_captured() {
    let mut packet = udp4(SIP);
    (packet[2], packet[3]) = (0, 0);
    let frame = ethernet_frame(0x0800, &packet);
    assert_eq!([SIP], decoded(1, &frame).datagrams()[..]);
    assert!(!decoded(1, &frame).packets[0].is_cut);
    let mut packet = udp6(SIP);
    (packet[4], packet[5]) = (0, 0);
    assert_eq!([SIP], decoded(101, &packet).datagrams()[..]);
}

#[test]
fn a_datagram_that_the_snap_length_cut_is_marked() {
    let frame = ethernet_frame(0x0800, &udp4(SIP));
    let decoded = decoded_cut(1, &frame, frame.len() - 10);
    assert!(decoded.packets[0].is_cut);
    assert_eq!([&SIP[..SIP.len() - 10]], decoded.datagrams()[..]);
}

#[test]
fn cut_padding_is_no_cut_datagram() {
    let mut frame = ethernet_frame(0x0800, &udp4(SIP));
    let whole = frame.len();
    frame.extend_from_slice(&[0; 10]);
    assert!(!decoded_cut(1, &frame, whole + 2).packets[0].is_cut);
}

#[test]
fn a_header_length_below_five_words_contradicts_itself() {
    let mut packet = udp4(SIP);
    packet[0] = 0x44;
    assert_eq!(Some(Skip::Malformed("IP header")), decoded(101, &packet).skip);
    packet[0] = 0x75;
    assert_eq!(Some(Skip::Malformed("IP header")), decoded(101, &packet).skip);
}

#[test]
fn ip_within_ip_is_read_and_the_inner_header_marks_it() {
    let mut outer = ip4(41, &udp6(SIP));
    outer[8] = 9;
    let six_in_four = decoded(101, &outer);
    assert_eq!([SIP], six_in_four.datagrams()[..]);
    assert_eq!(61, six_in_four.packets[0].trace.ttl);
    assert_eq!([SIP], decoded(101, &ip4(4, &udp4(SIP))).datagrams()[..]);
    assert_eq!([SIP], decoded(101, &ip6(4, &udp4(SIP))).datagrams()[..]);
    assert_ne!(decoded(101, &udp6(SIP)).packets[0].trace.link, six_in_four.packets[0].trace.link);
}
