//! Tests of transport headers and reassembled datagrams.

use std::net::IpAddr;

use super::*;
use crate::capture::{FrameRef, Timestamp};
use crate::net::decode::bytes_for_tests::{SIP, decoded, decoded_cut, hostile_at_every_length, ip4, ip6, udp, udp4};
use crate::net::decode::{IpDatagram, decode_transport};
use crate::net::flow::{Endpoint, Flow};
use crate::net::packet::{Packet, Trace};

/// A TCP segment with one option word.
fn tcp_segment(flags: u8, payload: &[u8]) -> Vec<u8> {
    let header = [0x13, 0xc4, 0x9c, 0x40, 0, 0, 1, 0, 0, 0, 2, 0, 0x60, flags, 0x20, 0, 0, 0, 0, 0, 1, 1, 1, 1];
    [&header[..], payload].concat()
}

/// The first packet as a segment.
fn segment<'a>(packets: &[Packet<'a>]) -> Segment<'a> {
    match packets[0].payload {
        Payload::Segment(segment) => segment,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tcp_segment_keeps_its_numbers() {
    let packet = ip4(6, &tcp_segment(0x19, SIP));
    let decoded = decoded(101, &packet);
    let expected = Segment {
        sequence: 256,
        acknowledgement: 512,
        syn: false,
        ack: true,
        fin: true,
        rst: false,
        window: 0x2000,
        bytes: SIP,
        wire_length: SIP.len() as u32,
    };
    assert_eq!(expected, segment(&decoded.packets));
    assert_eq!("192.0.2.2:40000", decoded.packets[0].flow.destination.to_string());
    hostile_at_every_length(101, &packet);
}

#[test]
fn a_cut_segment_tells_how_long_it_was() {
    let packet = ip4(6, &tcp_segment(0x02, SIP));
    let decoded = decoded_cut(101, &packet, packet.len() - 7);
    assert!(decoded.packets[0].is_cut);
    let segment = segment(&decoded.packets);
    assert_eq!((SIP.len() - 7, SIP.len() as u32), (segment.bytes.len(), segment.wire_length));
    assert_eq!((true, 0), (segment.syn, segment.acknowledgement));
}

#[test]
fn a_segment_of_offload_is_as_long_as_the_frame() {
    let mut packet = ip4(6, &tcp_segment(0x10, &SIP.repeat(30)));
    (packet[2], packet[3]) = (0, 0);
    let decoded = decoded_cut(101, &packet, packet.len() - 100);
    assert_eq!(SIP.len() * 30, segment(&decoded.packets).wire_length as usize);
    assert!(decoded.packets[0].is_cut);
}

#[test]
fn udp_lengths_that_lie() {
    for (length, expected, is_cut) in
        [(0_u16, SIP, false), (7, SIP, false), (60_000, SIP, false), (12, &SIP[..4], false)]
    {
        let mut packet = udp4(SIP);
        packet[24..26].copy_from_slice(&length.to_be_bytes());
        let decoded = decoded(101, &packet);
        assert_eq!([expected], decoded.datagrams()[..], "length {length}");
        assert_eq!(is_cut, decoded.packets[0].is_cut);
    }
}

#[test]
fn sctp_is_handed_over_from_its_common_header() {
    let sctp = [&[0x13, 0xc4, 0x13, 0xc5][..], &[0; 8], b"chunks"].concat();
    let packet = ip6(132, &sctp);
    let decoded = decoded(101, &packet);
    assert!(matches!(decoded.packets[0].payload, Payload::Sctp(bytes) if bytes == sctp));
    assert_eq!((5060, 5061), (decoded.packets[0].flow.source.port, decoded.packets[0].flow.destination.port));
    hostile_at_every_length(101, &packet);
}

#[test]
fn other_protocols_are_skipped_by_number() {
    assert_eq!(Some(Skip::OtherProtocol(Layer::Ip, 89)), decoded(101, &ip4(89, &[0; 40])).skip);
}

#[test]
fn a_tcp_header_shorter_than_itself_contradicts_itself() {
    let mut bytes = tcp_segment(2, b"");
    bytes[12] = 0x40;
    assert_eq!(Some(Skip::Malformed("TCP header")), decoded(101, &ip4(6, &bytes)).skip);
}

/// What a reassembled datagram gives.
fn reassembled(protocol: u8, bytes: &[u8], is_cut: bool) -> (Vec<Packet<'_>>, Result<(), Skip>) {
    let mut packets = Vec::new();
    let endpoint = |last| Endpoint { address: IpAddr::from([192, 0, 2, last]), port: 0 };
    let datagram = IpDatagram {
        at: FrameRef { file: 0, frame: 9 },
        time: Timestamp::from_nanoseconds(5),
        flow: Flow { source: endpoint(8), destination: endpoint(9) },
        trace: Trace { ip_id: Some(1), ttl: 2, interface: 3, link: 4 },
        protocol,
        is_cut,
        bytes,
    };
    let result = decode_transport(&datagram, &mut |packet| packets.push(packet));
    (packets, result)
}

#[test]
fn a_reassembled_datagram_goes_on_at_its_transport() {
    let bytes = udp(5060, 5061, SIP);
    let (packets, _) = reassembled(17, &bytes, false);
    assert!(matches!(packets[0].payload, Payload::Datagram(SIP)));
    assert_eq!("192.0.2.8:5060", packets[0].flow.source.to_string());
    assert_eq!((9, Some(1), 4), (packets[0].at.frame, packets[0].trace.ip_id, packets[0].trace.link));
    let options = [&[17, 0, 1, 4, 0, 0, 0, 0], &bytes[..]].concat();
    assert!(matches!(reassembled(60, &options, false).0[0].payload, Payload::Datagram(SIP)));
}

#[test]
fn a_reassembled_datagram_without_its_end_is_cut() {
    let bytes = udp(5060, 5061, SIP);
    let (packets, _) = reassembled(17, &bytes[..bytes.len() - 9], true);
    assert!(packets[0].is_cut);
}

#[test]
fn a_tunnel_within_a_reassembled_datagram_is_followed_until_too_deep() {
    let mut inner = udp4(SIP);
    assert!(matches!(reassembled(4, &inner, false).0[0].payload, Payload::Datagram(SIP)));
    for _ in 0..20 {
        inner = ip4(4, &inner);
    }
    assert_eq!(Err(Skip::TooDeep), reassembled(4, &inner, false).1);
}
